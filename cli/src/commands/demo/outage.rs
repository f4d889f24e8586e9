//! The service dies while it answers everybody.
//!
//! It dies while clients make playlists, each under a title of its own. What became of each is counted afterwards in the
//! monolith's database: in its playlists, and in the events that it writes in the transaction of each change, so that nothing
//! can have been written twice unseen. Then clients read and write everything while it is dead.

use std::collections::BTreeMap;

use diff_harness::exchange::Outcome;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use mothership::domain::PlaylistId;
use mothership::store::Store;
use serde_json::Value;
use strangler_proxy::admin::wire::{HoldRequest, MovedView, StatusView};

use super::burndown::Burndown;
use super::climb::Climb;
use super::stand::Stand;
use super::traffic::{Attempt, Traffic, Wanted, Written};
use crate::exit::Failure;
use crate::table::Rows;

/// What happened.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub(super) struct Outage {
    /// Safe requests while the service was dead, and those that failed for their client.
    pub(super) reads: u64,
    pub(super) reads_failed: u64,
    /// Playlists that clients wanted to make while it died.
    pub(super) writes: u64,
    /// Those that were answered with success, and those that failed.
    pub(super) made: u64,
    pub(super) failed: u64,
    /// Of the failed ones, those that the service had written before it could answer.
    pub(super) written_unanswered: u64,
    /// Of those answered with success, what is not there; of all, what is there more than once.
    pub(super) lost: u64,
    pub(super) twice: u64,
    /// Writes of every endpoint while it was dead: sent, and failed before the endpoint had fallen back.
    pub(super) writes_dead: u64,
    pub(super) writes_dead_failed: u64,
    /// Of those that failed, what was written all the same.
    pub(super) written_though_failed: u64,
    /// Failures of writes that were not one 502, 503 or 504 with problem+json.
    pub(super) unclean: u64,
    /// Calls of the monolith's own handlers for writes beyond those that it answered: a write that was tried again there.
    pub(super) tried_again: u64,
    /// Endpoints that were live, of which all are to fall back; and those that did, by what they do.
    pub(super) live: u64,
    pub(super) held: u64,
    pub(super) held_reads: u64,
    pub(super) held_writes: u64,
    /// Requests that the service answered for endpoints that were held, after it had come back.
    pub(super) answered_while_held: u64,
    /// Requests that it answered after they were resumed.
    pub(super) answered_after: u64,
}

/// Of every endpoint while the service is dead: more failures than make an endpoint fall back.
const EACH: usize = 16;
/// Playlists to make while it dies, and how many are on their way before it does.
const WRITES: usize = 240;
const KILL_AFTER: usize = 60;
/// Of every endpoint when it is back, before and after it is resumed.
const AFTERWARDS: usize = 6;

impl Outage {
    /// Whether everything was as it is promised.
    pub(super) fn is_as_promised(&self) -> bool {
        let harm = [
            self.reads_failed,
            self.lost,
            self.twice,
            self.written_though_failed,
            self.unclean,
            self.tried_again,
            self.answered_while_held,
        ];
        harm.iter().all(|count| *count == 0) && self.held == self.live && self.answered_after > 0
    }

    pub(super) fn told(&self) -> String {
        let mut rows = Rows::new(&["while it", "clients sent", "number#", "failed#", "lost#", "twice#"]);
        let count = |count: u64| count.to_string();
        let none = String::new;
        let Self { reads, reads_failed, writes, failed, lost, twice, .. } = self;
        rows.add(["died", "playlists to be made"].map(str::to_owned).into_iter().chain([
            count(*writes),
            count(*failed),
            count(*lost),
            count(*twice),
        ]));
        rows.add(["was dead", "reads"].map(str::to_owned).into_iter().chain([
            count(*reads),
            count(*reads_failed),
            none(),
            none(),
        ]));
        rows.add(["was dead", "writes"].map(str::to_owned).into_iter().chain([
            count(self.writes_dead),
            count(self.writes_dead_failed),
            none(),
            count(self.written_though_failed),
        ]));
        format!(
            "\nThe service died while {} endpoints were live:\n{rows}Reads, and writes of which the service had not got a byte, were \
             answered by the monolith. Every other write failed once, by a 502, 503 or 504 ({} did not), and was not carried out \
             by the monolith ({} were); {} of them the service had written before it could answer. {} endpoints fell back and \
             were held, {} that read and {} that write: the service answered {} of their requests when it was back, and {} after \
             they were resumed.\n",
            self.live,
            self.unclean,
            self.tried_again,
            self.written_unanswered,
            self.held,
            self.held_reads,
            self.held_writes,
            self.answered_while_held,
            self.answered_after,
        )
    }
}

pub(super) fn happens(
    stand: &mut Stand,
    traffic: &mut Traffic,
    climb: &Climb<'_>,
    burndown: &Burndown,
) -> Result<Outage, Failure> {
    let mut outage = Outage { live: climb.places().len() as u64, ..Outage::default() };
    let (events, playlists) = (*stand.monolith.store().last_event().borrow(), newest(stand)?);
    let (called, answered) = (calls_to_write(stand, climb)?, answered_by_control(stand, climb)?);
    let sent = traffic.writes_while_it_dies(stand, WRITES, KILL_AFTER, burndown);
    stand.settle()?;
    let store = stand.monolith.store().clone();
    let told = stand.runtime().block_on(titles_told(&store, events))?;
    let there = stand.runtime().block_on(titles_there(&store, playlists))?;
    for Written { title, outcome } in sent {
        let times = |titles: &BTreeMap<String, u64>| titles.get(&title).copied().unwrap_or_default();
        let (told, there) = (times(&told), times(&there));
        let good = matches!(&outcome, Outcome::Response(response) if response.status.is_success());
        outage.writes += 1;
        outage.made += u64::from(good);
        outage.failed += u64::from(!good);
        outage.unclean += u64::from(!good && !is_clean(&outcome));
        outage.written_unanswered += u64::from(!good && told.max(there) == 1);
        outage.lost += u64::from(good && told.min(there) == 0);
        outage.twice += u64::from(told.max(there) > 1);
    }
    (outage.reads, outage.reads_failed) = traffic.reads(stand, EACH, burndown);
    stand.settle()?;
    for Attempt { outcome, events } in traffic.writes(stand, EACH, burndown) {
        // What the service could not answer; what control refuses is an answer.
        let failed = !matches!(&outcome, Outcome::Response(response) if !response.status.is_server_error());
        outage.writes_dead += 1;
        outage.writes_dead_failed += u64::from(failed);
        outage.unclean += u64::from(failed && !is_clean(&outcome));
        outage.written_though_failed += u64::from(failed && events > 0);
    }
    stand.settle()?;
    let answered = answered_by_control(stand, climb)? - answered;
    outage.tried_again = (calls_to_write(stand, climb)? - called).saturating_sub(answered);
    let held = held(stand)?;
    let writes = |endpoint: &&String| {
        climb.places().iter().any(|place| place.endpoint == **endpoint && !place.is_safe)
    };
    outage.held = held.len() as u64;
    outage.held_writes = held.iter().filter(writes).count() as u64;
    outage.held_reads = outage.held - outage.held_writes;
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

/// Told once, by the proxy, in a form that a program can read (RFC 9457).
fn is_clean(outcome: &Outcome) -> bool {
    const CLEAN: [StatusCode; 3] =
        [StatusCode::BAD_GATEWAY, StatusCode::SERVICE_UNAVAILABLE, StatusCode::GATEWAY_TIMEOUT];
    matches!(outcome, Outcome::Response(response) if CLEAN.contains(&response.status)
        && response.headers.get(CONTENT_TYPE).is_some_and(|media| media == "application/problem+json"))
}

fn held(stand: &Stand) -> Result<Vec<String>, Failure> {
    let status: StatusView = stand.admin().get("/api/v1/status", &[])?;
    let held = status.endpoints.into_iter().filter(|route| route.hold == "fallback");
    Ok(held.map(|route| route.endpoint).collect())
}

/// Calls of the monolith's own handlers, of all endpoints that write.
fn calls_to_write(stand: &Stand, climb: &Climb<'_>) -> Result<u64, Failure> {
    let calls = stand.calls()?;
    let writes = climb.places().iter().filter(|place| !place.is_safe);
    Ok(writes.filter_map(|place| calls.get(&place.endpoint)).sum())
}

/// Writes that control answered, as the proxy counts.
fn answered_by_control(stand: &Stand, climb: &Climb<'_>) -> Result<u64, Failure> {
    let status: StatusView = stand.admin().get("/api/v1/status", &[])?;
    let is_write = |name: &str| climb.places().iter().any(|place| place.endpoint == name && !place.is_safe);
    let ours = status.endpoints.iter().filter(|route| is_write(&route.endpoint));
    Ok(ours.map(|route| route.traffic.answered_control).sum())
}

fn answered_by_candidate(stand: &Stand, endpoints: &[String]) -> Result<u64, Failure> {
    let status: StatusView = stand.admin().get("/api/v1/status", &[])?;
    let ours = status.endpoints.iter().filter(|route| endpoints.contains(&route.endpoint));
    Ok(ours.map(|route| route.traffic.answered_candidate).sum())
}

/// The newest playlist there is.
fn newest(stand: &Stand) -> Result<i64, Failure> {
    const SEEDED: i64 = 2000;
    let store = stand.monolith.store();
    let made = stand.runtime().block_on(playlists(store, SEEDED))?;
    Ok(made.last().map_or(SEEDED, |(id, _)| *id))
}

/// How often a playlist was told to be made under each title, since the event `after`.
async fn titles_told(store: &Store, mut after: i64) -> Result<BTreeMap<String, u64>, Failure> {
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

/// How many playlists of each title are there, newer than the playlist `after`.
async fn titles_there(store: &Store, after: i64) -> Result<BTreeMap<String, u64>, Failure> {
    let mut titles = BTreeMap::new();
    for (_, title) in playlists(store, after).await? {
        *titles.entry(title).or_default() += 1;
    }
    Ok(titles)
}

/// All that are newer than `after`, with their titles, in the order of their ids.
async fn playlists(store: &Store, mut after: i64) -> Result<Vec<(i64, String)>, Failure> {
    /// Longer than any run of ids that were deleted again.
    const PAGE: i64 = 500;
    let mut all = Vec::new();
    loop {
        let ids: Vec<_> = (after + 1..=after + PAGE).map(PlaylistId::new).collect();
        let found = store.read(move |reader| reader.playlists(&ids)).await.map_err(Failure::error)?;
        if found.is_empty() {
            return Ok(all);
        }
        let mut found: Vec<_> = found.into_iter().map(|one| (one.id.get(), one.title)).collect();
        found.sort_unstable();
        all.extend(found);
        after += PAGE;
    }
}
