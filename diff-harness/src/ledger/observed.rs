//! All that was observed of one endpoint in one epoch, read in one transaction.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension};

use super::counts::{self, epoch_id};
use super::encoding::{side, uint};
use super::trouble::unreadable;
use super::{Failure, routes};
use crate::endpoint::EndpointId;
use crate::exchange::UnixMillis;
use crate::fingerprint::Fingerprint;
use crate::store::{
    Epoch, LatencyPair, MismatchTally, Moments, NegativeControl, Observed, ShapeTally, Spread,
};

pub(super) fn observed(
    connection: &Connection,
    endpoint: &EndpointId,
    epoch: &Epoch,
) -> Result<Observed, Failure> {
    // One snapshot: what is recorded meanwhile must not make the parts disagree.
    let snapshot = connection.unchecked_transaction()?;
    let endpoint = routes::id(&snapshot, endpoint)?;
    let Some(epoch) = epoch_id(&snapshot, epoch)? else { return Ok(Observed::default()) };
    Ok(Observed {
        tally: counts::tally(&snapshot, endpoint, epoch)?,
        shapes: shapes(&snapshot, endpoint, epoch)?,
        mismatches: mismatches(&snapshot, endpoint, epoch)?,
        statuses: statuses(&snapshot, endpoint, epoch)?,
        latencies: latencies(&snapshot, endpoint, epoch)?,
        moments: moments(&snapshot, endpoint, epoch)?,
        negative_control: negative_control(&snapshot, endpoint, epoch)?,
    })
}

fn shapes(connection: &Connection, endpoint: i64, epoch: i64) -> Result<Vec<ShapeTally>, Failure> {
    let mut statement = connection.prepare_cached(
        "SELECT shape, compared, mismatched, both_failed, racing, spread FROM shapes
         WHERE endpoint_id = ?1 AND epoch_id = ?2 ORDER BY compared DESC, shape",
    )?;
    let shapes = statement.query_map((endpoint, epoch), |row| {
        Ok(ShapeTally {
            shape: row.get(0)?,
            compared: uint(row.get(1)?),
            mismatched: uint(row.get(2)?),
            both_failed: uint(row.get(3)?),
            racing: uint(row.get(4)?),
            spread: unpack_spread(row.get_ref(5)?.as_blob()?),
        })
    })?;
    Ok(shapes.collect::<Result<_, _>>()?)
}

fn mismatches(connection: &Connection, endpoint: i64, epoch: i64) -> Result<Vec<MismatchTally>, Failure> {
    let mut known = connection.prepare_cached("SELECT id, fingerprint FROM groups WHERE endpoint_id = ?1")?;
    let known: BTreeMap<i64, String> =
        known.query_map([endpoint], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
    let group = |id: &str| -> Result<Fingerprint, Failure> {
        let fingerprint = id.parse().ok().and_then(|id: i64| known.get(&id));
        let fingerprint = fingerprint.and_then(|text| text.parse().ok());
        Ok(fingerprint.ok_or_else(|| unreadable("a group of mismatches", id))?)
    };
    let mut statement = connection.prepare_cached(
        "SELECT shape, groups, n, confirmed FROM mismatches
         WHERE endpoint_id = ?1 AND epoch_id = ?2 ORDER BY shape, groups",
    )?;
    let mut rows = statement.query((endpoint, epoch))?;
    let mut mismatches = Vec::new();
    while let Some(row) = rows.next()? {
        let groups: String = row.get(1)?;
        mismatches.push(MismatchTally {
            shape: row.get(0)?,
            groups: groups.split(',').filter(|id| !id.is_empty()).map(group).collect::<Result<_, _>>()?,
            count: uint(row.get(2)?),
            confirmed: uint(row.get(3)?),
        });
    }
    Ok(mismatches)
}

fn statuses(connection: &Connection, endpoint: i64, epoch: i64) -> Result<Vec<(u16, u64)>, Failure> {
    let mut statement = connection.prepare_cached(
        "SELECT status, n FROM statuses WHERE endpoint_id = ?1 AND epoch_id = ?2 ORDER BY status",
    )?;
    let statuses = statement.query_map((endpoint, epoch), |row| Ok((row.get(0)?, uint(row.get(1)?))))?;
    Ok(statuses.collect::<Result<_, _>>()?)
}

/// The newest pairs, oldest first.
pub(super) fn latencies(
    connection: &Connection,
    endpoint: i64,
    epoch: i64,
) -> Result<Vec<LatencyPair>, Failure> {
    let mut statement = connection.prepare_cached(
        "SELECT control_us, candidate_us, answered_by FROM latencies
         WHERE endpoint_id = ?1 AND epoch_id = ?2 ORDER BY sequence",
    )?;
    let mut rows = statement.query((endpoint, epoch))?;
    let mut pairs = Vec::new();
    while let Some(row) = rows.next()? {
        let answered_by: String = row.get(2)?;
        pairs.push(LatencyPair {
            control_us: row.get(0)?,
            candidate_us: row.get(1)?,
            answered_by: side(&answered_by).ok_or_else(|| unreadable("a side", &answered_by))?,
        });
    }
    Ok(pairs)
}

fn moments(connection: &Connection, endpoint: i64, epoch: i64) -> Result<Moments, Failure> {
    let mut statement = connection.prepare_cached(
        "SELECT began_ms, compared_ms, dropped_ms FROM moments WHERE endpoint_id = ?1 AND epoch_id = ?2",
    )?;
    let at = |ms: Option<i64>| ms.map(|ms| UnixMillis(uint(ms)));
    let found = statement.query_row((endpoint, epoch), |row| {
        Ok(Moments { began: at(row.get(0)?), compared: at(row.get(1)?), dropped: at(row.get(2)?) })
    });
    Ok(found.optional()?.unwrap_or_default())
}

fn negative_control(
    connection: &Connection,
    endpoint: i64,
    epoch: i64,
) -> Result<Option<NegativeControl>, Failure> {
    let mut statement = connection.prepare_cached(
        "SELECT tried_ms, found_ms, missed FROM negative_controls WHERE endpoint_id = ?1 AND epoch_id = ?2",
    )?;
    let mut rows = statement.query((endpoint, epoch))?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let missed: String = row.get(2)?;
    Ok(Some(NegativeControl {
        tried: UnixMillis(uint(row.get(0)?)),
        found: row.get::<_, Option<i64>>(1)?.map(|ms| UnixMillis(uint(ms))),
        missed: serde_json::from_str(&missed).map_err(|_| unreadable("a negative control", &missed))?,
    }))
}

pub(super) fn pack_spread(spread: &Spread) -> Vec<u8> {
    spread.counts().iter().flat_map(|n| n.to_le_bytes()).collect()
}

/// A spread of another length is of another version and says nothing: the requests count as one.
pub(super) fn unpack_spread(bytes: &[u8]) -> Spread {
    let mut spread = Spread::default();
    if bytes.len() == Spread::PLACES * 4 {
        for (place, n) in bytes.chunks_exact(4).enumerate() {
            let n = u32::from_le_bytes(n.try_into().expect("chunks of 4"));
            if n > 0 {
                spread.add(place as u8, n);
            }
        }
    }
    spread
}
