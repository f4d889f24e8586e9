//! Deleting kept exchanges that are over the limits.

use rusqlite::Connection;

use super::encoding::int;
use super::{Failure, Retention, recorded, samples};
use crate::exchange::UnixMillis;
use crate::store::Swept;

/// Exchanges that one transaction deletes at most.
const PORTION: i64 = 500;

/// Deletes one portion, oldest first. Nothing is left to do when it deleted none.
pub(super) fn portion(
    connection: &Connection,
    retention: &Retention,
    now: UnixMillis,
) -> Result<Swept, Failure> {
    let mut doomed = too_old(connection, retention, now)?;
    if doomed.is_empty() {
        doomed = surplus(connection, retention)?;
    }
    let (exchanges, bytes) = recorded::delete_old(connection, samples::oldest(now, retention), PORTION)?;
    let mut swept = Swept { exchanges, bytes };
    for id in doomed {
        swept.bytes += samples::delete(connection, id)?;
        swept.exchanges += 1;
    }
    if swept.exchanges == 0 {
        swept = over_size(connection, retention)?;
    }
    if swept.exchanges > 0 {
        // Gives the pages back to the file system; a count of 0 would mean all of them.
        connection.execute_batch("PRAGMA incremental_vacuum(2000)")?;
    }
    Ok(swept)
}

fn too_old(connection: &Connection, retention: &Retention, now: UnixMillis) -> Result<Vec<i64>, Failure> {
    let mut statement =
        connection.prepare_cached("SELECT id FROM samples WHERE at_ms < ?1 ORDER BY at_ms LIMIT ?2")?;
    let ids = statement.query_map((samples::oldest(now, retention), PORTION), |row| row.get(0))?;
    Ok(ids.collect::<Result<_, _>>()?)
}

/// Samples that no group wants any more, nor the matches of their endpoint.
fn surplus(connection: &Connection, retention: &Retention) -> Result<Vec<i64>, Failure> {
    let mut statement = connection.prepare_cached(
        "WITH ranked AS (
             SELECT sample_id, row_number() OVER (
                 PARTITION BY group_id, epoch_id ORDER BY at_ms DESC, sample_id DESC) AS place
             FROM sample_groups),
         matches AS (
             SELECT id, row_number() OVER (
                 PARTITION BY endpoint_id, epoch_id ORDER BY at_ms DESC, id DESC) AS place
             FROM samples WHERE verdict <> 'mismatch')
         SELECT sample_id FROM ranked GROUP BY sample_id HAVING min(place) > ?1
         UNION ALL SELECT id FROM matches WHERE place > ?2
         LIMIT ?3",
    )?;
    let limits = (retention.samples_per_group, retention.matches_per_endpoint, PORTION);
    let ids = statement.query_map(limits, |row| row.get(0))?;
    Ok(ids.collect::<Result<_, _>>()?)
}

fn over_size(connection: &Connection, retention: &Retention) -> Result<Swept, Failure> {
    let mut swept = Swept::default();
    let bytes = samples::bytes(connection)?;
    let surplus = bytes.saturating_sub(retention.exchange_bytes_max);
    if surplus == 0 {
        return Ok(swept);
    }
    let mut statement = connection.prepare_cached("SELECT id FROM samples ORDER BY at_ms, id LIMIT ?1")?;
    let oldest: Vec<i64> =
        statement.query_map([int(PORTION as u64)], |row| row.get(0))?.collect::<Result<_, _>>()?;
    for id in oldest {
        if swept.bytes >= surplus {
            break;
        }
        swept.bytes += samples::delete(connection, id)?;
        swept.exchanges += 1;
    }
    Ok(swept)
}
