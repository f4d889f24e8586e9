//! The service dies while it answers everybody.
//!
//! It dies while clients make playlists, each under a title of its own. What became of each is counted afterwards in what
//! the monolith tells of its changes, so that nothing can have been written twice unseen. Then clients ask for everything.

use std::collections::BTreeMap;

use diff_harness::exchange::Outcome;
use mothership::store::Store;
use serde_json::Value;
use strangler_proxy::admin::wire::{HoldRequest, MovedView, StatusView};

use super::burndown::Burndown;
use super::climb::Climb;
use super::stand::Stand;
use super::traffic::{Traffic, Wanted, Written};
use crate::exit::Failure;

/// What happened.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub(super) struct Outage {
    /// Safe requests while the service was dead, and those that failed for their client.
    pub(super) reads: u64,
    pub(super) reads_failed: u64,
    /// Playlists that clients wanted to make.
    pub(super) writes: u64,
    /// Those that were answered with success, and those that failed.
    pub(super) made: u64,
    pub(super) failed: u64,
    /// Of the failed ones, those that the service had written before it could answer.
    pub(super) written_unanswered: u64,
    /// Of those answered with success, what is not there; of all, what is there more than once.
    pub(super) lost: u64,
    pub(super) twice: u64,
    /// Endpoints that fell back, all of which the monolith answers until they are resumed.
    pub(super) held: u64,
    /// Requests that the service answered for endpoints that were held, after it had come back.
    pub(super) answered_while_held: u64,
    /// Requests that it answered after they were resumed.
    pub(super) answered_after: u64,
}

/// Of every endpoint while the service is dead: more failures than make an endpoint fall back.
const READS: usize = 16;
/// Playlists to make while it dies, and how many are on their way before it does.
const WRITES: usize = 120;
const KILL_AFTER: usize = 40;
/// Of every endpoint when it is back, before and after it is resumed.
const AFTERWARDS: usize = 6;

impl Outage {
    /// Whether everything was as it is promised.
    pub(super) fn is_as_promised(&self) -> bool {
        self.reads_failed == 0
            && self.lost == 0
            && self.twice == 0
            && self.held > 0
            && self.answered_while_held == 0
            && self.answered_after > 0
    }
}

pub(super) fn happens(
    stand: &mut Stand,
    traffic: &mut Traffic,
    climb: &mut Climb<'_>,
    burndown: &Burndown,
) -> Result<Outage, Failure> {
    let mut outage = Outage::default();
    let before = *stand.estate.store.last_event().borrow();
    let sent = traffic.writes_while_it_dies(stand, WRITES, KILL_AFTER, burndown);
    stand.settle()?;
    let written = written(stand, before)?;
    for Written { title, outcome } in sent {
        let good = matches!(&outcome, Outcome::Response(response) if response.status.is_success());
        let times = written.get(&title).copied().unwrap_or_default();
        outage.writes += 1;
        outage.made += u64::from(good);
        outage.failed += u64::from(!good);
        outage.written_unanswered += u64::from(!good && times == 1);
        outage.lost += u64::from(good && times == 0);
        outage.twice += u64::from(times > 1);
    }
    (outage.reads, outage.reads_failed) = traffic.reads(stand, READS, burndown);
    stand.settle()?;
    let held = held(stand)?;
    outage.held = held.len() as u64;
    stand.revive_service()?;
    let everything: Vec<_> =
        climb.places().iter().map(|place| Wanted { endpoint: place.index, requests: AFTERWARDS }).collect();
    let answered = answered_by_candidate(stand, &held)?;
    traffic.round(stand, &everything, burndown)?;
    outage.answered_while_held = answered_by_candidate(stand, &held)? - answered;
    for endpoint in &held {
        let wish = HoldRequest {
            endpoint: endpoint.clone(),
            reason: "the service is back".to_owned(),
            expected_revision: None,
        };
        let _: MovedView = stand.admin().post("/api/v1/resume", &wish)?;
    }
    traffic.round(stand, &everything, burndown)?;
    outage.answered_after = answered_by_candidate(stand, &held)? - answered;
    Ok(outage)
}

fn held(stand: &Stand) -> Result<Vec<String>, Failure> {
    let status: StatusView = stand.admin().get("/api/v1/status", &[])?;
    let held = status.endpoints.into_iter().filter(|route| route.hold == "fallback");
    Ok(held.map(|route| route.endpoint).collect())
}

fn answered_by_candidate(stand: &Stand, endpoints: &[String]) -> Result<u64, Failure> {
    let status: StatusView = stand.admin().get("/api/v1/status", &[])?;
    let ours = status.endpoints.iter().filter(|route| endpoints.contains(&route.endpoint));
    Ok(ours.map(|route| route.traffic.answered_candidate).sum())
}

/// How often a playlist was made under each title, since `after`.
fn written(stand: &Stand, after: i64) -> Result<BTreeMap<String, u64>, Failure> {
    stand.runtime().block_on(titles(&stand.estate.store, after))
}

async fn titles(store: &Store, mut after: i64) -> Result<BTreeMap<String, u64>, Failure> {
    const PAGE: u32 = 1000;
    let mut titles = BTreeMap::new();
    loop {
        let events =
            store.read(move |reader| reader.events_after(after, PAGE)).await.map_err(Failure::error)?;
        let Some(last) = events.last() else { return Ok(titles) };
        after = last.sequence;
        for event in events.iter().filter(|event| event.event_type == "playlist.created") {
            if let Some(title) = event.payload.get("title").and_then(Value::as_str) {
                *titles.entry(title.to_owned()).or_default() += 1;
            }
        }
    }
}
