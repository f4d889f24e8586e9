//! The monolith's own counters over one last round: whether its handlers still serve anybody.

use std::collections::BTreeMap;

use super::burndown::Burndown;
use super::climb::{Climb, Place};
use super::stand::Stand;
use super::traffic::{Traffic, Wanted};
use crate::exit::Failure;

/// What the last round found.
#[derive(Clone, Debug, serde::Serialize)]
pub(super) struct Handlers {
    /// Requests of the round to endpoints at soak or retired.
    pub(super) sent: u64,
    /// Endpoints at soak or retired, and those of them that write.
    pub(super) left_alone: usize,
    pub(super) left_alone_writes: usize,
    /// Those of them whose handler in the monolith was called all the same, and how often.
    pub(super) called: BTreeMap<String, u64>,
    /// Calls of the other playlist handlers, which still answer clients or are asked to compare.
    pub(super) others: u64,
}

const REQUESTS: usize = 5;

/// Sends to every playlist endpoint once more, and counts what the monolith's handlers got meanwhile.
pub(super) fn last_round(
    stand: &Stand,
    traffic: &mut Traffic,
    climb: &Climb<'_>,
    burndown: &Burndown,
) -> Result<Handlers, Failure> {
    let before = stand.calls()?;
    let wanted: Vec<_> =
        climb.places().iter().map(|place| Wanted { endpoint: place.index, requests: REQUESTS }).collect();
    traffic.round(stand, &wanted, burndown)?;
    let after = stand.calls()?;
    let mut handlers =
        Handlers { sent: 0, left_alone: 0, left_alone_writes: 0, called: BTreeMap::new(), others: 0 };
    for Place { endpoint, .. } in climb.places().iter().filter(|place| !place.leaves_control_alone()) {
        handlers.others += count(&after, endpoint) - count(&before, endpoint);
    }
    for Place { endpoint, is_safe, .. } in climb.places().iter().filter(|place| place.leaves_control_alone())
    {
        handlers.left_alone += 1;
        handlers.left_alone_writes += usize::from(!is_safe);
        handlers.sent += REQUESTS as u64;
        let calls = count(&after, endpoint) - count(&before, endpoint);
        if calls > 0 {
            handlers.called.insert(endpoint.clone(), calls);
        }
    }
    Ok(handlers)
}

fn count(calls: &BTreeMap<String, u64>, endpoint: &str) -> u64 {
    calls.get(endpoint).copied().unwrap_or_default()
}
