//! Groups: what QA works on.

use rusqlite::{Connection, Row};

use super::encoding::{DivergenceRow, int, kind, uint};
use super::trouble::unreadable;
use super::{Failure, counts, routes, severity_rank};
use crate::divergence::Severity;
use crate::exchange::UnixMillis;
use crate::fingerprint::Fingerprint;
use crate::store::{EpochFilter, Group, GroupEpoch, GroupFilter, GroupShape};

const SELECT: &str = "
    SELECT g.fingerprint, e.method, e.template, g.kind, g.severity, g.location, g.detail,
           sum(c.count), sum(c.exchanges), min(c.first_ms), max(c.last_ms),
           (SELECT n.example FROM group_counts n WHERE n.group_id = g.id AND (?1 IS NULL OR n.epoch_id = ?1)
            ORDER BY n.last_ms DESC LIMIT 1)
    FROM groups g
    JOIN group_counts c ON c.group_id = g.id AND (?1 IS NULL OR c.epoch_id = ?1)
    JOIN endpoints e ON e.id = g.endpoint_id";

pub(super) fn groups(connection: &Connection, filter: &GroupFilter<'_>) -> Result<Vec<Group>, Failure> {
    let epoch = counts::epoch_filter(connection, filter.epoch)?;
    let endpoint = filter.endpoint.map(|endpoint| routes::id(connection, endpoint)).transpose()?;
    let least = filter.least_severity.map_or(0, severity_rank);
    let mut statement = connection.prepare_cached(&format!(
        "{SELECT} WHERE (?2 IS NULL OR g.endpoint_id = ?2) AND g.severity >= ?3
         GROUP BY g.id ORDER BY g.severity DESC, sum(c.count) DESC, g.fingerprint LIMIT ?4"
    ))?;
    let mut rows = statement.query((epoch, endpoint, least, int(filter.limit as u64)))?;
    let mut groups = Vec::new();
    while let Some(row) = rows.next()? {
        groups.push(read(row)?);
    }
    Ok(groups)
}

/// One group, over all epochs.
pub(super) fn group(connection: &Connection, fingerprint: &Fingerprint) -> Result<Option<Group>, Failure> {
    let mut statement =
        connection.prepare_cached(&format!("{SELECT} WHERE g.fingerprint = ?2 GROUP BY g.id"))?;
    let mut rows = statement.query((None::<i64>, fingerprint.as_str()))?;
    rows.next()?.map(read).transpose()
}

/// In which shapes it was found, most often first.
pub(super) fn shapes(
    connection: &Connection,
    fingerprint: &Fingerprint,
    epoch: EpochFilter<'_>,
) -> Result<Vec<GroupShape>, Failure> {
    let epoch = counts::epoch_filter(connection, epoch)?;
    let mut statement = connection.prepare_cached(
        "SELECT s.shape, sum(s.count), sum(s.exchanges) FROM group_shapes s JOIN groups g ON g.id = s.group_id
         WHERE g.fingerprint = ?1 AND (?2 IS NULL OR s.epoch_id = ?2)
         GROUP BY s.shape ORDER BY sum(s.exchanges) DESC, s.shape",
    )?;
    let shapes = statement.query_map((fingerprint.as_str(), epoch), |row| {
        Ok(GroupShape { shape: row.get(0)?, count: uint(row.get(1)?), exchanges: uint(row.get(2)?) })
    })?;
    Ok(shapes.collect::<Result<_, _>>()?)
}

/// In which epochs it was found, the newest first.
pub(super) fn epochs(connection: &Connection, fingerprint: &Fingerprint) -> Result<Vec<GroupEpoch>, Failure> {
    let mut statement = connection.prepare_cached(
        "SELECT p.candidate, p.control, p.rules, c.first_ms, c.last_ms, c.count, c.exchanges
         FROM groups g JOIN group_counts c ON c.group_id = g.id JOIN epochs p ON p.id = c.epoch_id
         WHERE g.fingerprint = ?1 ORDER BY c.last_ms DESC, p.id DESC",
    )?;
    let epochs = statement.query_map([fingerprint.as_str()], |row| {
        let (count, exchanges) = (uint(row.get(5)?), uint(row.get(6)?));
        Ok(GroupEpoch { seen: counts::epoch_span(row)?, count, exchanges })
    })?;
    Ok(epochs.collect::<Result<_, _>>()?)
}

pub(super) fn read(row: &Row<'_>) -> Result<Group, Failure> {
    let (fingerprint, kind_text, severity): (String, String, i64) = (row.get(0)?, row.get(3)?, row.get(4)?);
    let example: String = row.get(11)?;
    let divergence: Option<DivergenceRow> = serde_json::from_str(&example).ok();
    Ok(Group {
        fingerprint: fingerprint.parse().map_err(|_| unreadable("a group", &fingerprint))?,
        endpoint: routes::endpoint(row.get(1)?, row.get(2)?)?,
        kind: kind(&kind_text).ok_or_else(|| unreadable("a kind", &kind_text))?,
        severity: usize::try_from(severity)
            .ok()
            .and_then(|rank| Severity::ALL.get(rank).copied())
            .ok_or_else(|| unreadable("a severity", &severity.to_string()))?,
        location: row.get(5)?,
        detail: row.get(6)?,
        count: uint(row.get(7)?),
        exchanges: uint(row.get(8)?),
        first_seen: UnixMillis(uint(row.get(9)?)),
        last_seen: UnixMillis(uint(row.get(10)?)),
        example: divergence
            .and_then(DivergenceRow::read)
            .map(|(_, divergence)| divergence)
            .ok_or_else(|| unreadable("a divergence", &example))?,
    })
}
