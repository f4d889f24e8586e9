//! Counts and stages as they move: server-sent events (WHATWG HTML §9.2).

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use diff_harness::endpoint::EndpointId;
use diff_harness::fingerprint::Fingerprint;
use diff_harness::lifecycle::Stage;
use diff_harness::pages::{Meter, moment, share};
use diff_harness::store::StoreError;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{StatusCode, Uri};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Interval, MissedTickBehavior};

use super::endpoint::meter;
use super::guard::{Guest, query};
use super::site::Site;

/// Streams at once. The listener takes 128 connections, and pages and the command line need some of them.
const STREAMS_MAX: usize = 64;
/// How often the gate is asked for one message; the rest follows in the next ones.
const ASKED_MAX: usize = 20;
const EVERY: Duration = Duration::from_secs(1);
/// One look at the counters serves all streams that ask at about the same time.
const FRESH: Duration = Duration::from_millis(500);
/// Without anything to say, a stream says so, so that a proxy in between keeps it and a lost client is noticed.
const QUIET_TICKS_MAX: u32 = 15;

pub(super) struct Live {
    places: Arc<Semaphore>,
    newest: Mutex<Option<(Instant, Arc<Counts>)>>,
}

type Counts = BTreeMap<EndpointId, EndpointCounts>;

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct EndpointCounts {
    seen: u64,
    compared: u64,
    matched: u64,
    mismatched: u64,
    skipped: u64,
    dropped: u64,
    stage: String,
    hold: &'static str,
    share: String,
    /// How much of what the gate wants is there, in words and as a meter.
    evidence: String,
    have: u64,
    want: u64,
}

#[derive(Deserialize)]
struct Asked {
    /// A group whose counts are sent too.
    #[serde(default)]
    group: String,
}

/// What one browser was sent.
struct Stream {
    site: Arc<Site>,
    group: Option<Fingerprint>,
    sent: Option<Arc<Counts>>,
    sent_group: Value,
    ticks: Interval,
    quiet: u32,
    stopped: watch::Receiver<bool>,
    _place: OwnedSemaphorePermit,
}

impl Default for Live {
    fn default() -> Self {
        Self { places: Arc::new(Semaphore::new(STREAMS_MAX)), newest: Mutex::default() }
    }
}

impl Live {
    fn counts(&self, site: &Site) -> Arc<Counts> {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, counts)) = newest.as_ref()
            && at.elapsed() < FRESH
        {
            return Arc::clone(counts);
        }
        let counts = match counts(site) {
            Ok(counts) => Arc::new(counts),
            // The page stays as it was; the next look may succeed.
            Err(error) => {
                tracing::warn!(%error, "live counts could not be read");
                return newest.as_ref().map(|(_, counts)| Arc::clone(counts)).unwrap_or_default();
            }
        };
        *newest = Some((Instant::now(), Arc::clone(&counts)));
        counts
    }
}

pub(super) async fn events(
    State(site): State<Arc<Site>>,
    Extension(_): Extension<Guest>,
    uri: Uri,
) -> Response {
    let group = query::<Asked>(&uri).ok().and_then(|asked| asked.group.parse().ok());
    let Ok(place) = Arc::clone(&site.live.places).try_acquire_owned() else {
        return (StatusCode::SERVICE_UNAVAILABLE, "too many pages are being kept up to date\n")
            .into_response();
    };
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let stream = Stream {
        stopped: site.stopped.clone(),
        site,
        group,
        sent: None,
        sent_group: Value::Null,
        ticks,
        quiet: 0,
        _place: place,
    };
    let body = Body::from_stream(futures_util::stream::unfold(stream, Stream::next));
    let headers = [(CONTENT_TYPE, "text/event-stream"), (CACHE_CONTROL, "no-store")];
    // nginx holds a stream back unless it is told not to.
    (headers, [("x-accel-buffering", "no")], body).into_response()
}

impl Stream {
    /// The next piece to send; nothing once the proxy ends.
    async fn next(mut self) -> Option<(Result<Bytes, Infallible>, Self)> {
        loop {
            tokio::select! {
                _ = self.ticks.tick() => {}
                _ = self.stopped.wait_for(|stopped| *stopped) => return None,
            }
            let site = Arc::clone(&self.site);
            let group = self.group.clone();
            let looked = tokio::task::spawn_blocking(move || {
                (site.live.counts(&site), group.map(|group| of_group(&site, &group)))
            });
            let (counts, group) = looked.await.ok()?;
            if let Some(message) = self.message(counts, group.unwrap_or_default()) {
                self.quiet = 0;
                return Some((Ok(message.into()), self));
            }
            self.quiet += 1;
            if self.quiet >= QUIET_TICKS_MAX {
                self.quiet = 0;
                return Some((Ok(Bytes::from_static(b": nothing moved\n\n")), self));
            }
        }
    }

    /// What changed since the last message; nothing if nothing did.
    fn message(&mut self, counts: Arc<Counts>, group: Value) -> Option<String> {
        let is_known = |endpoint: &EndpointId, now: &EndpointCounts| {
            self.sent.as_ref().is_some_and(|sent| sent.get(endpoint) == Some(now))
        };
        let moved: Vec<_> = counts
            .iter()
            .filter(|(endpoint, now)| !is_known(endpoint, now))
            .map(|(endpoint, now)| {
                let mut row = json!(now);
                row["of"] = Value::String(endpoint.to_string());
                row
            })
            .collect();
        if self.sent.is_some() && moved.is_empty() && group == self.sent_group {
            return None;
        }
        let sum = |of: fn(&EndpointCounts) -> u64| counts.values().map(of).sum::<u64>();
        let message = json!({
            "endpoints": moved,
            "total": {
                "seen": sum(|counts| counts.seen),
                "compared": sum(|counts| counts.compared),
                "mismatched": sum(|counts| counts.mismatched),
            },
            "group": group,
        });
        self.sent = Some(counts);
        self.sent_group = group;
        Some(format!("event: counts\ndata: {message}\n\n"))
    }
}

fn counts(site: &Site) -> Result<Counts, StoreError> {
    let outlooks = site.api.control.look_ahead(ASKED_MAX)?;
    let passing = site.api.control.states()?.passing();
    let epoch = site.api.recorder.epochs().current();
    let open: BTreeSet<EndpointId> =
        site.api.store.group_sums(&epoch, &passing)?.into_iter().map(|sum| sum.endpoint).collect();
    let of = |route: diff_harness::lifecycle::Route| -> Result<(EndpointId, EndpointCounts), StoreError> {
        let tally = site.api.tally(Some(&route.endpoint));
        // As the pages show it: the gate is not asked for what an open group stands before.
        let is_asked = !open.contains(&route.endpoint) && route.standing.stage != Stage::Legacy;
        let outlook = if is_asked { outlooks.of(&route)? } else { None };
        let Meter { have, want, text, .. } =
            outlook.and_then(|outlook| Meter::of(&outlook.ruling)).unwrap_or_else(|| {
                let counted = meter(site, &route, &outlooks.tally(&route.endpoint));
                // What the gate wants of one with open groups is more than a clean one needs: no bar says it is full.
                if is_asked { counted } else { Meter { want: 0, is_full: false, ..counted } }
            });
        let counts = EndpointCounts {
            seen: tally.seen(),
            compared: tally.compared(),
            matched: tally.matched,
            mismatched: tally.mismatched,
            skipped: tally.skipped_total(),
            dropped: tally.dropped_total(),
            stage: route.standing.stage.to_string(),
            hold: route.standing.hold.as_str(),
            share: share(route.standing),
            evidence: text,
            have,
            want,
        };
        Ok((route.endpoint, counts))
    };
    site.api.control.routes().into_iter().map(of).collect()
}

fn of_group(site: &Site, group: &Fingerprint) -> Value {
    match site.api.store.group(group) {
        Ok(Some(group)) => json!({
            "count": group.count,
            "exchanges": group.exchanges,
            "last_seen": moment(group.last_seen),
        }),
        // The page stays as it was; the next look may succeed.
        Ok(None) | Err(_) => Value::Null,
    }
}
