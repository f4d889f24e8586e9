//! Adding a batch of evidence.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, params};

use super::counting::OTHER_SHAPES;
use super::encoding::{DivergenceRow, int, json};
use super::parts::Parts;
use super::{Failure, Retention, counts, noise, recorded, routes, samples, severity_rank};
use crate::comparison::Verdict;
use crate::divergence::{Divergence, Location};
use crate::endpoint::EndpointId;
use crate::fingerprint::Fingerprint;
use crate::redact::Redacted;
use crate::store::{Batch, ComparisonRecord, Epoch, LatencyPair, PlainTally, ShapeTally, Spread, Undeclared};

/// Shapes in which one group is counted in one epoch.
const GROUP_SHAPES_MAX: i64 = 100;
/// The newest pairs of latencies that are kept of one endpoint and epoch.
pub(super) const LATENCIES_MAX: i64 = 2000;
/// Pairs that one batch adds for one endpoint: enough for quantiles, little enough that matches stay cheap.
const LATENCIES_PER_BATCH: usize = 50;
/// Proposals that are told apart; an attacker invents paths without end.
const UNDECLARED_MAX: i64 = 2000;
const EXAMPLES_MAX: usize = 5;

pub(super) fn record(connection: &Connection, batch: &Batch, retention: &Retention) -> Result<(), Failure> {
    let recording = Recording {
        connection,
        epoch: epoch_id(connection, batch)?,
        retention,
        // Only a divergence can fall into a part.
        parts: match batch.comparisons.iter().all(|record| record.divergences.is_empty()) {
            true => Parts::default(),
            false => Parts::read(connection)?,
        },
    };
    for (endpoint, tally) in &batch.tallies {
        let endpoint = match endpoint {
            Some(endpoint) => routes::id(connection, endpoint)?,
            None => counts::UNMATCHED,
        };
        counts::add(connection, recording.epoch, endpoint, tally)?;
        counts::moment(connection, recording.epoch, endpoint, tally, batch.at)?;
    }
    let mut latencies: BTreeMap<i64, Vec<LatencyPair>> = BTreeMap::new();
    for comparison in &batch.comparisons {
        let endpoint = routes::id(connection, &comparison.endpoint)?;
        recording.comparison(endpoint, comparison)?;
        latencies.entry(endpoint).or_default().extend(comparison.latencies);
    }
    for plain in &batch.plain {
        let endpoint = routes::id(connection, &plain.endpoint)?;
        recording.plain(endpoint, plain)?;
        latencies.entry(endpoint).or_default().extend(&plain.latencies);
    }
    for (endpoint, pairs) in latencies {
        recording.latencies(endpoint, &pairs)?;
    }
    for one in &batch.recorded {
        recorded::keep(connection, one, retention.recorded_per_endpoint)?;
    }
    for undeclared in &batch.undeclared {
        recording.undeclared(undeclared)?;
    }
    for (endpoint, known) in &batch.noise {
        noise::keep(connection, &batch.epoch.control, routes::id(connection, endpoint)?, known)?;
    }
    for (endpoint, trial) in &batch.negative_controls {
        recording.negative_control(routes::id(connection, endpoint)?, trial)?;
    }
    Ok(())
}

/// The row of the batch's epoch, made when it is new.
fn epoch_id(connection: &Connection, batch: &Batch) -> Result<i64, Failure> {
    let Epoch { candidate, control, rules } = &batch.epoch;
    let id = connection
        .prepare_cached(
            "INSERT INTO epochs (candidate, control, rules, first_ms, last_ms) VALUES (?1, ?2, ?3, ?4, ?4)
             ON CONFLICT DO UPDATE SET last_ms = max(last_ms, ?4) RETURNING id",
        )?
        .query_row((candidate, control, rules, int(batch.at.0)), |row| row.get(0))?;
    Ok(id)
}

pub(super) struct Recording<'a> {
    pub(super) connection: &'a Connection,
    pub(super) epoch: i64,
    retention: &'a Retention,
    parts: Parts,
}

impl Recording<'_> {
    fn comparison(&self, endpoint: i64, record: &ComparisonRecord) -> Result<(), Failure> {
        let is_mismatch = record.verdict == Verdict::Mismatch;
        let mut spread = Spread::default();
        if !record.both_failed {
            spread.add(record.place, 1);
        }
        self.shape(
            endpoint,
            &ShapeTally {
                shape: record.shape.clone(),
                compared: 1,
                mismatched: u64::from(is_mismatch),
                both_failed: u64::from(record.both_failed),
                racing: 0,
                spread,
            },
        )?;
        self.status(endpoint, record.status, 1)?;
        for (rule, hidden) in &record.tolerated {
            self.rule(rule, 0, *hidden)?;
        }
        for rule in &record.applied {
            self.rule(rule, 1, 0)?;
        }
        let mut counted: BTreeMap<i64, (u64, &Redacted<Divergence>)> = BTreeMap::new();
        let found: Vec<_> = record
            .divergences
            .iter()
            .map(|(group, found)| (self.parts.of(group, &record.shape, &found.get().location), found))
            .collect();
        for (fingerprint, divergence) in &found {
            let group = self.group(endpoint, &record.endpoint, fingerprint, divergence.get())?;
            counted.entry(group).or_insert((0, divergence)).0 += 1;
        }
        for (group, (count, example)) in &counted {
            self.count_group(*group, *count, record, example)?;
        }
        let groups: Vec<i64> = counted.into_keys().collect();
        if is_mismatch {
            self.mismatch(endpoint, record, &groups)?;
        }
        let place = samples::Place { epoch: self.epoch, endpoint, groups: &groups };
        samples::keep(self.connection, &place, record, &found, self.retention)
    }

    fn plain(&self, endpoint: i64, plain: &PlainTally) -> Result<(), Failure> {
        let of = |whether: bool| if whether { plain.count } else { 0 };
        let racing = plain.verdict == Verdict::Mismatch;
        self.shape(
            endpoint,
            &ShapeTally {
                shape: plain.shape.clone(),
                compared: plain.count,
                mismatched: of(racing),
                both_failed: of(plain.both_failed),
                racing: of(racing),
                spread: if racing || plain.both_failed { Spread::default() } else { plain.spread.clone() },
            },
        )?;
        self.status(endpoint, plain.status, plain.count)?;
        for (rule, hidden) in &plain.tolerated {
            self.rule(rule, 0, *hidden)?;
        }
        for (rule, applied) in &plain.applied {
            self.rule(rule, *applied, 0)?;
        }
        Ok(())
    }

    fn rule(&self, rule: &str, applied: u64, hidden: u64) -> Result<(), Failure> {
        self.connection
            .prepare_cached(
                "INSERT INTO rules (epoch_id, rule, applied, hidden) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT DO UPDATE SET applied = applied + ?3, hidden = hidden + ?4",
            )?
            .execute(params![self.epoch, rule, int(applied), int(hidden)])?;
        Ok(())
    }

    /// The row of a group, made when it is new. An endpoint that has too many gets one more per severity, into which
    /// the rest is counted: an exposure among them stays an exposure.
    fn group(
        &self,
        endpoint: i64,
        name: &EndpointId,
        fingerprint: &Fingerprint,
        divergence: &Divergence,
    ) -> Result<i64, Failure> {
        if let Some(id) = self.known_group(fingerprint)? {
            return Ok(id);
        }
        let known: i64 = self
            .connection
            .prepare_cached("SELECT count(*) FROM groups WHERE endpoint_id = ?1")?
            .query_row([endpoint], |row| row.get(0))?;
        if known < i64::from(self.retention.groups_per_endpoint) {
            return self.new_group(endpoint, fingerprint, divergence);
        }
        let rest = Divergence {
            kind: crate::divergence::Kind::Value,
            severity: divergence.severity,
            location: Location::Body,
            detail: Some(format!("groups beyond the first {}", self.retention.groups_per_endpoint)),
            control: None,
            candidate: None,
        };
        let fingerprint = Fingerprint::of(name, &rest);
        match self.known_group(&fingerprint)? {
            Some(id) => Ok(id),
            None => self.new_group(endpoint, &fingerprint, &rest),
        }
    }

    fn known_group(&self, fingerprint: &Fingerprint) -> Result<Option<i64>, Failure> {
        let mut known = self.connection.prepare_cached("SELECT id FROM groups WHERE fingerprint = ?1")?;
        Ok(known.query_row([fingerprint.as_str()], |row| row.get(0)).optional()?)
    }

    fn new_group(
        &self,
        endpoint: i64,
        fingerprint: &Fingerprint,
        divergence: &Divergence,
    ) -> Result<i64, Failure> {
        self.connection
            .prepare_cached(
                "INSERT INTO groups (fingerprint, endpoint_id, kind, severity, location, detail)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![
                fingerprint.as_str(),
                endpoint,
                divergence.kind.as_str(),
                severity_rank(divergence.severity),
                divergence.location.generalized().to_string(),
                divergence.detail
            ])?;
        Ok(self.connection.last_insert_rowid())
    }

    fn count_group(
        &self,
        group: i64,
        count: u64,
        record: &ComparisonRecord,
        example: &Redacted<Divergence>,
    ) -> Result<(), Failure> {
        let (count, at) = (int(count), int(record.at.0));
        let example = json(&DivergenceRow::new(None, example));
        self.connection
            .prepare_cached(
                "INSERT INTO group_counts (group_id, epoch_id, count, exchanges, first_ms, last_ms, example)
                 VALUES (?1, ?2, ?3, 1, ?4, ?4, ?5)
                 ON CONFLICT DO UPDATE SET count = count + ?3, exchanges = exchanges + 1,
                     first_ms = min(first_ms, ?4), last_ms = max(last_ms, ?4),
                     example = CASE WHEN ?4 >= last_ms THEN ?5 ELSE example END",
            )?
            .execute(params![group, self.epoch, count, at, example])?;
        let mut known = self.connection.prepare_cached(
            "UPDATE group_shapes SET count = count + ?4, exchanges = exchanges + 1,
                 first_ms = min(first_ms, ?5), last_ms = max(last_ms, ?5),
                 example = CASE WHEN ?5 >= last_ms THEN ?6 ELSE example END
             WHERE group_id = ?1 AND epoch_id = ?2 AND shape = ?3",
        )?;
        if known.execute(params![group, self.epoch, record.shape, count, at, example])? > 0 {
            return Ok(());
        }
        let shapes: i64 = self
            .connection
            .prepare_cached("SELECT count(*) FROM group_shapes WHERE group_id = ?1 AND epoch_id = ?2")?
            .query_row((group, self.epoch), |row| row.get(0))?;
        let shape = if shapes < GROUP_SHAPES_MAX { record.shape.as_str() } else { OTHER_SHAPES };
        self.connection
            .prepare_cached(
                "INSERT INTO group_shapes (group_id, epoch_id, shape, count, exchanges, first_ms, last_ms, example)
                 VALUES (?1, ?2, ?3, ?4, 1, ?5, ?5, ?6)
                 ON CONFLICT DO UPDATE SET count = count + ?4, exchanges = exchanges + 1,
                     first_ms = min(first_ms, ?5), last_ms = max(last_ms, ?5),
                     example = CASE WHEN ?5 >= last_ms THEN ?6 ELSE example END",
            )?
            .execute(params![group, self.epoch, shape, count, at, example])?;
        Ok(())
    }

    fn latencies(&self, endpoint: i64, pairs: &[LatencyPair]) -> Result<(), Failure> {
        let first: i64 = self
            .connection
            .prepare_cached(
                "SELECT coalesce(max(sequence) + 1, 0) FROM latencies WHERE epoch_id = ?1 AND endpoint_id = ?2",
            )?
            .query_row((self.epoch, endpoint), |row| row.get(0))?;
        let mut write = self.connection.prepare_cached(
            "INSERT OR REPLACE INTO latencies
                 (epoch_id, endpoint_id, slot, sequence, control_us, candidate_us, answered_by)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?;
        let every = pairs.len().div_ceil(LATENCIES_PER_BATCH).max(1);
        for (next, pair) in (first..).zip(pairs.iter().step_by(every)) {
            let slot = next % LATENCIES_MAX;
            write.execute(params![
                self.epoch,
                endpoint,
                slot,
                next,
                pair.control_us,
                pair.candidate_us,
                pair.answered_by.as_str()
            ])?;
        }
        Ok(())
    }

    fn undeclared(&self, undeclared: &Undeclared) -> Result<(), Failure> {
        let (method, template) = (undeclared.proposed.method().as_str(), undeclared.proposed.template());
        let known: Option<String> = self
            .connection
            .prepare_cached("SELECT examples FROM undeclared WHERE method = ?1 AND template = ?2")?
            .query_row((method, template), |row| row.get(0))
            .optional()?;
        if known.is_none() {
            let all: i64 = self
                .connection
                .prepare_cached("SELECT count(*) FROM undeclared")?
                .query_row((), |row| row.get(0))?;
            if all >= UNDECLARED_MAX {
                return Ok(());
            }
        }
        let mut examples: Vec<String> =
            known.and_then(|known| serde_json::from_str(&known).ok()).unwrap_or_default();
        for example in &undeclared.examples {
            // A query may hold secrets, and a path is evidence enough.
            let path = example.split('?').next().unwrap_or_default().to_owned();
            if examples.len() < EXAMPLES_MAX && !examples.contains(&path) {
                examples.push(path);
            }
        }
        self.connection
            .prepare_cached(
                "INSERT INTO undeclared (method, template, count, examples) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT DO UPDATE SET count = count + ?3, examples = ?4",
            )?
            .execute(params![method, template, int(undeclared.count), json(&examples)])?;
        Ok(())
    }
}
