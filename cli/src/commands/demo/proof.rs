//! The monolith's own counters over one last round: whether its handlers still serve anybody.

use std::collections::BTreeMap;

use http::HeaderMap;
use serde::Deserialize;

use super::burndown::Burndown;
use super::climb::{Climb, Place};
use super::estate::SERVICE_TOKEN;
use super::stand::Stand;
use super::traffic::{Traffic, Wanted};
use crate::exit::Failure;

/// What the last round found.
#[derive(Clone, Debug, serde::Serialize)]
pub(super) struct Handlers {
    /// Requests of the round to endpoints at soak or retired.
    pub(super) sent: u64,
    /// Endpoints at soak or retired.
    pub(super) left_alone: usize,
    /// Those of them whose handler in the monolith was called all the same, and how often.
    pub(super) called: BTreeMap<String, u64>,
    /// Calls of the other playlist handlers, which still answer clients or are asked to compare.
    pub(super) others: u64,
}

#[derive(Deserialize)]
struct Counters {
    operations: Vec<Operation>,
}

#[derive(Deserialize)]
struct Operation {
    method: String,
    path: String,
    requests: u64,
}

const REQUESTS: usize = 5;

/// Sends to every playlist endpoint once more, and counts what the monolith's handlers got meanwhile.
pub(super) fn last_round(
    stand: &Stand,
    traffic: &mut Traffic,
    climb: &Climb<'_>,
    burndown: &Burndown,
) -> Result<Handlers, Failure> {
    let before = calls(stand)?;
    let wanted: Vec<_> =
        climb.places().iter().map(|place| Wanted { endpoint: place.index, requests: REQUESTS }).collect();
    traffic.round(stand, &wanted, burndown)?;
    let after = calls(stand)?;
    let mut handlers = Handlers { sent: 0, left_alone: 0, called: BTreeMap::new(), others: 0 };
    for Place { endpoint, .. } in climb.places().iter().filter(|place| !place.leaves_control_alone()) {
        handlers.others += count(&after, endpoint) - count(&before, endpoint);
    }
    for Place { endpoint, .. } in climb.places().iter().filter(|place| place.leaves_control_alone()) {
        handlers.left_alone += 1;
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

/// By endpoint. A HEAD request is one to the GET endpoint.
fn calls(stand: &Stand) -> Result<BTreeMap<String, u64>, Failure> {
    let mut headers = HeaderMap::new();
    let token = format!("Bearer {SERVICE_TOKEN}").parse().expect("the token is visible ASCII");
    headers.insert("authorization", token);
    let text = stand.fetch("/internal/v1/counters", headers)?;
    let counters: Counters = serde_json::from_str(&text).map_err(Failure::error)?;
    let mut calls = BTreeMap::new();
    for Operation { method, path, requests } in counters.operations {
        let method = if method == "HEAD" { "GET" } else { &method };
        *calls.entry(format!("{method} {path}")).or_default() += requests;
    }
    Ok(calls)
}
