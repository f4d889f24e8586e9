//! Unsafe requests that were recorded.

use rusqlite::{Connection, params};

use super::encoding::{int, pack, uint, unpack};
use super::trouble::unreadable;
use super::{Failure, routes};
use crate::endpoint::EndpointId;
use crate::store::{Recorded, StoreError};

/// Keeps one, and of its endpoint no more than `most`, the newest.
pub(super) fn keep(connection: &Connection, recorded: &Recorded, most: u32) -> Result<(), Failure> {
    let endpoint = routes::id(connection, recorded.endpoint())?;
    let packed = pack(recorded.exchange()).map_err(|error| StoreError::Failed(Box::new(error)))?;
    connection
        .prepare_cached("INSERT INTO recorded (endpoint_id, at_ms, exchange) VALUES (?1, ?2, ?3)")?
        .execute(params![endpoint, int(recorded.at().0), packed])?;
    connection
        .prepare_cached(
            "DELETE FROM recorded WHERE endpoint_id = ?1 AND id <=
                 (SELECT id FROM recorded WHERE endpoint_id = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
        )?
        .execute(params![endpoint, most])?;
    Ok(())
}

/// The newest first.
pub(super) fn of_endpoint(
    connection: &Connection,
    endpoint: &EndpointId,
    limit: usize,
) -> Result<Vec<Recorded>, Failure> {
    let endpoint = routes::id(connection, endpoint)?;
    let mut statement = connection
        .prepare_cached("SELECT exchange FROM recorded WHERE endpoint_id = ?1 ORDER BY id DESC LIMIT ?2")?;
    let rows = statement.query_map(params![endpoint, int(limit as u64)], |row| row.get::<_, Vec<u8>>(0))?;
    let mut recorded = Vec::new();
    for packed in rows {
        let packed = packed?;
        let exchange = unpack(&packed)
            .ok_or_else(|| unreadable("a recorded request", &format!("{} bytes", packed.len())))?;
        recorded.push(Recorded::new(exchange));
    }
    Ok(recorded)
}

/// Deletes some that are older than this, and gives their number and bytes.
pub(super) fn delete_old(connection: &Connection, oldest_ms: i64, most: i64) -> Result<(u64, u64), Failure> {
    let mut statement = connection.prepare_cached(
        "DELETE FROM recorded WHERE id IN (SELECT id FROM recorded WHERE at_ms < ?1 ORDER BY at_ms LIMIT ?2)
         RETURNING length(exchange)",
    )?;
    let lengths = statement.query_map((oldest_ms, most), |row| row.get::<_, i64>(0))?;
    let lengths: Vec<i64> = lengths.collect::<Result<_, _>>()?;
    Ok((lengths.len() as u64, lengths.into_iter().map(uint).sum()))
}
