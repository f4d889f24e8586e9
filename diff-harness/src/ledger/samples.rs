//! Kept exchanges.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::encoding::{DivergenceRow, int, json, pack, unpack};
use super::trouble::unreadable;
use super::{Failure, Retention};
use crate::comparison::Verdict;
use crate::divergence::Divergence;
use crate::exchange::UnixMillis;
use crate::fingerprint::Fingerprint;
use crate::redact::Redacted;
use crate::store::{ComparisonRecord, Sample, StoreError};

/// A group that has all the samples it may have takes one more this often, so that the newest are never old. The
/// sweep deletes the surplus.
const FRESH_EVERY_MS: u64 = 60_000;

/// Where a sample belongs.
pub(super) struct Place<'a> {
    pub(super) epoch: i64,
    pub(super) endpoint: i64,
    pub(super) groups: &'a [i64],
}

/// Keeps the exchange of a record where one of its groups, or its endpoint's matches, still want one. `found` are its
/// divergences, each with the group that it is in.
pub(super) fn keep(
    connection: &Connection,
    place: &Place<'_>,
    record: &ComparisonRecord,
    found: &[(Fingerprint, &Redacted<Divergence>)],
    retention: &Retention,
) -> Result<(), Failure> {
    let Some(exchange) = &record.exchange else { return Ok(()) };
    if !is_wanted(connection, place, record, retention)? {
        return Ok(());
    }
    let packed = pack(exchange).map_err(|error| StoreError::Failed(Box::new(error)))?;
    let rows = found.iter();
    let divergences: Vec<_> =
        rows.map(|(fingerprint, divergence)| DivergenceRow::new(Some(fingerprint), divergence)).collect();
    connection
        .prepare_cached(
            "INSERT INTO samples (request_id, endpoint_id, epoch_id, at_ms, verdict, divergences, notes, exchange, shape)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute(params![
            record.id,
            place.endpoint,
            place.epoch,
            int(record.at.0),
            record.verdict.as_str(),
            json(&divergences),
            json(&record.notes),
            packed,
            record.shape
        ])?;
    let sample = connection.last_insert_rowid();
    for group in place.groups {
        connection
            .prepare_cached(
                "INSERT INTO sample_groups (group_id, epoch_id, at_ms, sample_id) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute((group, place.epoch, int(record.at.0), sample))?;
    }
    Ok(())
}

fn is_wanted(
    connection: &Connection,
    place: &Place<'_>,
    record: &ComparisonRecord,
    retention: &Retention,
) -> Result<bool, Failure> {
    let Place { epoch, endpoint, groups } = *place;
    let wants = |kept: (i64, Option<i64>), most: u32| match kept {
        (count, _) if count < i64::from(most) => true,
        (_, newest) => {
            most > 0
                && newest.is_none_or(|newest| int(record.at.0) >= newest.saturating_add(int(FRESH_EVERY_MS)))
        }
    };
    if record.verdict != Verdict::Mismatch {
        let kept = connection
            .prepare_cached(
                "SELECT count(*), max(at_ms) FROM samples
                 WHERE endpoint_id = ?1 AND epoch_id = ?2 AND verdict <> 'mismatch'",
            )?
            .query_row((endpoint, epoch), |row| Ok((row.get(0)?, row.get(1)?)))?;
        return Ok(wants(kept, retention.matches_per_endpoint));
    }
    let mut of_group = connection.prepare_cached(
        "SELECT count(*), max(at_ms) FROM sample_groups WHERE group_id = ?1 AND epoch_id = ?2",
    )?;
    for group in groups {
        let kept = of_group.query_row((group, epoch), |row| Ok((row.get(0)?, row.get(1)?)))?;
        if wants(kept, retention.samples_per_group) {
            return Ok(true);
        }
    }
    Ok(false)
}

pub(super) fn of_group(
    connection: &Connection,
    group: &Fingerprint,
    limit: usize,
) -> Result<Vec<Sample>, Failure> {
    let mut statement = connection.prepare_cached(
        "SELECT s.exchange, s.divergences, s.notes FROM samples s
         JOIN sample_groups sg ON sg.sample_id = s.id JOIN groups g ON g.id = sg.group_id
         WHERE g.fingerprint = ?1 ORDER BY sg.at_ms DESC, s.id DESC LIMIT ?2",
    )?;
    let mut rows = statement.query((group.as_str(), int(limit as u64)))?;
    let mut samples = Vec::new();
    while let Some(row) = rows.next()? {
        samples.push(sample(row)?);
    }
    Ok(samples)
}

pub(super) fn each(connection: &Connection, visit: &mut dyn FnMut(Sample)) -> Result<(), Failure> {
    let mut statement = connection.prepare(
        "SELECT s.exchange, s.divergences, s.notes FROM samples s JOIN endpoints e ON e.id = s.endpoint_id
         ORDER BY e.template, e.method, s.at_ms DESC, s.id DESC",
    )?;
    let mut rows = statement.query(())?;
    while let Some(row) = rows.next()? {
        visit(sample(row)?);
    }
    Ok(())
}

pub(super) fn by_request(connection: &Connection, id: &str) -> Result<Option<Sample>, Failure> {
    let mut statement = connection.prepare_cached(
        "SELECT exchange, divergences, notes FROM samples WHERE request_id = ?1 ORDER BY id DESC LIMIT 1",
    )?;
    statement.query_row([id], |row| Ok(sample(row))).optional()?.transpose()
}

fn sample(row: &Row<'_>) -> Result<Sample, Failure> {
    let packed: Vec<u8> = row.get(0)?;
    let (divergences, notes): (String, String) = (row.get(1)?, row.get(2)?);
    let found = divergences_of(&divergences)?;
    Ok(Sample {
        exchange: unpack(&packed)
            .ok_or_else(|| unreadable("an exchange", &format!("{} bytes", packed.len())))?,
        divergences: found,
        notes: serde_json::from_str(&notes).map_err(|_| unreadable("notes", &notes))?,
    })
}

/// What a sample's `divergences` say, each with the group that it is in.
pub(super) fn divergences_of(text: &str) -> Result<Vec<(Fingerprint, Redacted<Divergence>)>, Failure> {
    let rows: Vec<DivergenceRow> = serde_json::from_str(text).map_err(|_| unreadable("divergences", text))?;
    let found: Option<Vec<_>> = rows
        .into_iter()
        .map(|row| row.read().and_then(|(fingerprint, divergence)| Some((fingerprint?, divergence))))
        .collect();
    Ok(found.ok_or_else(|| unreadable("divergences", text))?)
}

/// The bytes of all kept exchanges.
pub(super) fn bytes(connection: &Connection) -> Result<u64, Failure> {
    let mut statement =
        connection.prepare_cached("SELECT coalesce(sum(length(exchange)), 0) FROM samples")?;
    Ok(super::encoding::uint(statement.query_row((), |row| row.get(0))?))
}

/// Deletes one sample and gives the bytes of its exchange.
pub(super) fn delete(connection: &Connection, id: i64) -> Result<u64, Failure> {
    let length: i64 = connection
        .prepare_cached("DELETE FROM samples WHERE id = ?1 RETURNING length(exchange)")?
        .query_row([id], |row| row.get(0))?;
    Ok(super::encoding::uint(length))
}

/// When a sample must have been taken to be young enough.
pub(super) fn oldest(now: UnixMillis, retention: &Retention) -> i64 {
    let age = u64::try_from(retention.exchange_age_max.as_millis()).unwrap_or(u64::MAX);
    int(now.0.saturating_sub(age))
}
