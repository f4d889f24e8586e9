//! Counters: what became of requests, shapes, rules, latencies, undeclared traffic.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::encoding::{int, uint};
use super::trouble::unreadable;
use super::{Failure, observed, routes};
use crate::endpoint::EndpointId;
use crate::exchange::UnixMillis;
use crate::store::{Epoch, EpochFilter, EpochSpan, LatencyPair, RuleTally, Tally, Undeclared};

/// Stands for requests that matched no endpoint.
pub(super) const UNMATCHED: i64 = 0;

pub(super) fn epoch_id(connection: &Connection, epoch: &Epoch) -> Result<Option<i64>, Failure> {
    let mut statement = connection
        .prepare_cached("SELECT id FROM epochs WHERE candidate = ?1 AND control = ?2 AND rules = ?3")?;
    let found =
        statement.query_row((&epoch.candidate, &epoch.control, &epoch.rules), |row| row.get(0)).optional()?;
    Ok(found)
}

pub(super) fn epochs(connection: &Connection) -> Result<Vec<EpochSpan>, Failure> {
    let mut statement = connection.prepare_cached(
        "SELECT candidate, control, rules, first_ms, last_ms FROM epochs ORDER BY last_ms DESC, id DESC",
    )?;
    let epochs = statement.query_map((), epoch_span)?;
    Ok(epochs.collect::<Result<_, _>>()?)
}

/// Of a row that begins with the three names and both ends.
pub(super) fn epoch_span(row: &Row<'_>) -> rusqlite::Result<EpochSpan> {
    Ok(EpochSpan {
        epoch: Epoch { candidate: row.get(0)?, control: row.get(1)?, rules: row.get(2)? },
        first: UnixMillis(uint(row.get(3)?)),
        last: UnixMillis(uint(row.get(4)?)),
    })
}

/// The row to ask for: `None` for all, and one that no row has for an epoch of which nothing was recorded.
pub(super) fn epoch_filter(connection: &Connection, filter: EpochFilter<'_>) -> Result<Option<i64>, Failure> {
    match filter {
        EpochFilter::All => Ok(None),
        EpochFilter::Only(epoch) => Ok(Some(epoch_id(connection, epoch)?.unwrap_or(-1))),
    }
}

pub(super) fn add(connection: &Connection, epoch: i64, endpoint: i64, tally: &Tally) -> Result<(), Failure> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO tallies (epoch_id, endpoint_id, counter, n) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO UPDATE SET n = n + ?4",
    )?;
    let plain = [
        ("matched", tally.matched),
        ("tolerated", tally.tolerated),
        ("mismatched", tally.mismatched),
        ("both_failed", tally.both_failed),
        ("racing", tally.racing),
        ("answered_control", tally.answered_control),
        ("answered_candidate", tally.answered_candidate),
        ("fallbacks", tally.fallbacks),
        ("answered_proxy", tally.answered_proxy),
    ];
    let skipped = tally.skipped.iter().map(|(reason, n)| (format!("skipped/{}", reason.as_str()), *n));
    let dropped = tally.dropped.iter().map(|(reason, n)| (format!("dropped/{}", reason.as_str()), *n));
    let all = plain.into_iter().map(|(counter, n)| (counter.to_owned(), n)).chain(skipped).chain(dropped);
    for (counter, n) in all.filter(|(_, n)| *n > 0) {
        statement.execute(params![epoch, endpoint, counter, int(n)])?;
    }
    Ok(())
}

/// When something was counted, for whoever asks whether the shadow is alive.
pub(super) fn moment(
    connection: &Connection,
    epoch: i64,
    endpoint: i64,
    tally: &Tally,
    at: UnixMillis,
) -> Result<(), Failure> {
    let now = |happened: bool| happened.then_some(int(at.0));
    connection
        .prepare_cached(
            "INSERT INTO moments (epoch_id, endpoint_id, began_ms, compared_ms, dropped_ms)
             VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT DO UPDATE SET compared_ms = coalesce(?4, compared_ms), dropped_ms = coalesce(?5, dropped_ms)",
        )?
        .execute(params![
            epoch,
            endpoint,
            int(at.0),
            now(tally.compared() > 0),
            now(tally.dropped_total() > 0)
        ])?;
    Ok(())
}

fn count(tally: &mut Tally, counter: &str, n: u64) -> Option<()> {
    let place = match counter {
        "matched" => &mut tally.matched,
        "tolerated" => &mut tally.tolerated,
        "mismatched" => &mut tally.mismatched,
        "both_failed" => &mut tally.both_failed,
        "racing" => &mut tally.racing,
        "answered_control" => &mut tally.answered_control,
        "answered_candidate" => &mut tally.answered_candidate,
        "fallbacks" => &mut tally.fallbacks,
        "answered_proxy" => &mut tally.answered_proxy,
        _ => match counter.split_once('/')? {
            ("skipped", reason) => tally.skipped.entry(reason.parse().ok()?).or_default(),
            ("dropped", reason) => tally.dropped.entry(reason.parse().ok()?).or_default(),
            _ => return None,
        },
    };
    *place += n;
    Some(())
}

pub(super) fn tallies(
    connection: &Connection,
    epoch: EpochFilter<'_>,
) -> Result<Vec<(Option<EndpointId>, Tally)>, Failure> {
    let epoch = epoch_filter(connection, epoch)?;
    let mut statement = connection.prepare_cached(
        "SELECT e.method, e.template, t.counter, sum(t.n) FROM tallies t
         LEFT JOIN endpoints e ON e.id = t.endpoint_id
         WHERE ?1 IS NULL OR t.epoch_id = ?1 GROUP BY t.endpoint_id, t.counter",
    )?;
    let mut rows = statement.query([epoch])?;
    let mut tallies: BTreeMap<Option<EndpointId>, Tally> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let endpoint = match (row.get::<_, Option<String>>(0)?, row.get::<_, Option<String>>(1)?) {
            (Some(method), Some(template)) => Some(routes::endpoint(method, template)?),
            _ => None,
        };
        let counter: String = row.get(2)?;
        count(tallies.entry(endpoint).or_default(), &counter, uint(row.get(3)?))
            .ok_or_else(|| unreadable("a counter", &counter))?;
    }
    Ok(tallies.into_iter().collect())
}

/// The counters of one endpoint in one epoch.
pub(super) fn tally(connection: &Connection, endpoint: i64, epoch: i64) -> Result<Tally, Failure> {
    let mut statement = connection
        .prepare_cached("SELECT counter, n FROM tallies WHERE epoch_id = ?1 AND endpoint_id = ?2")?;
    let mut rows = statement.query((epoch, endpoint))?;
    let mut tally = Tally::default();
    while let Some(row) = rows.next()? {
        let counter: String = row.get(0)?;
        count(&mut tally, &counter, uint(row.get(1)?)).ok_or_else(|| unreadable("a counter", &counter))?;
    }
    Ok(tally)
}

pub(super) fn latencies(
    connection: &Connection,
    endpoint: &EndpointId,
    epoch: &Epoch,
) -> Result<Vec<LatencyPair>, Failure> {
    let endpoint = routes::id(connection, endpoint)?;
    match epoch_id(connection, epoch)? {
        Some(epoch) => observed::latencies(connection, endpoint, epoch),
        None => Ok(Vec::new()),
    }
}

pub(super) fn rules(connection: &Connection, epoch: &Epoch) -> Result<Vec<RuleTally>, Failure> {
    let epoch = epoch_id(connection, epoch)?;
    let mut statement = connection
        .prepare_cached("SELECT rule, applied, hidden FROM rules WHERE epoch_id = ?1 ORDER BY rule")?;
    let rules = statement.query_map([epoch], |row| {
        Ok(RuleTally { rule: row.get(0)?, applied: uint(row.get(1)?), hidden: uint(row.get(2)?) })
    })?;
    Ok(rules.collect::<Result<_, _>>()?)
}

pub(super) fn undeclared(connection: &Connection, limit: usize) -> Result<Vec<Undeclared>, Failure> {
    let mut statement = connection.prepare_cached(
        "SELECT method, template, count, examples FROM undeclared ORDER BY count DESC, template, method LIMIT ?1",
    )?;
    let mut rows = statement.query([int(limit as u64)])?;
    let mut undeclared = Vec::new();
    while let Some(row) = rows.next()? {
        let examples: String = row.get(3)?;
        undeclared.push(Undeclared {
            proposed: routes::endpoint(row.get(0)?, row.get(1)?)?,
            count: uint(row.get(2)?),
            examples: serde_json::from_str(&examples).map_err(|_| unreadable("examples", &examples))?,
        });
    }
    Ok(undeclared)
}
