//! The negative control: known divergences are put into the comparison path, and must be found.
//!
//! It runs for every endpoint, under its own rules and its own noise, when an epoch begins and at intervals after that. It
//! goes the way of a pair: through the queue, the comparator, the rules and the noise. There it ends, and nothing of it is
//! counted.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use bytes::Bytes;
use diff_harness::comparison::{Comparison, Judgement};
use diff_harness::divergence::{Divergence, Severity};
use diff_harness::endpoint::EndpointId;
use diff_harness::exchange::{CapturedBody, Observation, Outcome, Request, Response, UnixMillis};
use diff_harness::store::{Epoch, NegativeControl};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method, StatusCode};

use super::CompareHandle;
use super::remember::Recording;

/// One divergence that must be found.
struct Known {
    what: &'static str,
    control: (StatusCode, &'static str),
    candidate: (StatusCode, &'static str),
    /// Nothing less will do.
    least: Severity,
    /// Whether it is in the body, which a response to HEAD does not have (RFC 9110 §9.3.2).
    in_body: bool,
}

const KNOWN: [Known; 4] = [
    Known {
        what: "a server error where control succeeded",
        control: (StatusCode::OK, r#"{"strangler_negative_control":1}"#),
        candidate: (StatusCode::INTERNAL_SERVER_ERROR, r#"{"strangler_negative_control":1}"#),
        least: Severity::Breaking,
        in_body: false,
    },
    Known {
        what: "a success where control refused",
        control: (StatusCode::FORBIDDEN, "{}"),
        candidate: (StatusCode::OK, r#"{"strangler_negative_control":1}"#),
        least: Severity::Exposure,
        in_body: false,
    },
    Known {
        what: "a changed value",
        control: (StatusCode::OK, r#"{"strangler_negative_control":"as it is"}"#),
        candidate: (StatusCode::OK, r#"{"strangler_negative_control":"as it is not"}"#),
        least: Severity::Changed,
        in_body: true,
    },
    Known {
        what: "a missing member",
        control: (StatusCode::OK, r#"{"strangler_negative_control":1,"strangler_negative_control_2":2}"#),
        candidate: (StatusCode::OK, r#"{"strangler_negative_control":1}"#),
        least: Severity::Breaking,
        in_body: true,
    },
];

/// Endpoints to be tried under an epoch, on their way through the comparison queue like any pair.
#[derive(Debug)]
pub(super) struct Trial {
    epoch: Arc<Epoch>,
    endpoints: Vec<EndpointId>,
    at: UnixMillis,
    done: SyncSender<Tried>,
}

/// What came of a trial.
#[derive(Debug)]
pub(super) struct Tried {
    pub(super) epoch: Arc<Epoch>,
    pub(super) endpoints: Vec<(EndpointId, NegativeControl)>,
}

/// When each endpoint was last tried, and under which epoch.
#[derive(Debug, Default)]
pub(super) struct Trials {
    tried: BTreeMap<EndpointId, (Arc<Epoch>, Instant)>,
    /// One that the comparison threads have not come to yet.
    under_way: Option<Receiver<Tried>>,
}

/// How long a write waits for a trial. One that takes longer comes with a later write: a comparison that hangs must not
/// keep what was observed out of the store.
const PATIENCE: Duration = Duration::from_millis(500);

impl Trials {
    /// Tries the endpoints that are due, and gives what has come of it by now.
    pub(super) fn run(
        &mut self,
        recording: &Recording,
        compare: &CompareHandle,
        endpoints: impl IntoIterator<Item = EndpointId>,
        at: UnixMillis,
    ) -> Option<Tried> {
        let tried = match self.under_way.take() {
            Some(under_way) => self.look(under_way, Duration::ZERO),
            None => {
                let epoch = recording.epochs.current();
                let every = recording.config.negative_control_every;
                let due = |endpoint: &EndpointId| self.is_due(endpoint, &epoch, every);
                let endpoints: Vec<_> = endpoints.into_iter().filter(due).collect();
                if endpoints.is_empty() {
                    return None;
                }
                let (done, under_way) = sync_channel(1);
                if !compare.enqueue_trial(Trial { epoch, endpoints, at, done }) {
                    return None;
                }
                self.look(under_way, PATIENCE)
            }
        }?;
        for (endpoint, _) in &tried.endpoints {
            self.tried.insert(endpoint.clone(), (Arc::clone(&tried.epoch), Instant::now()));
        }
        Some(tried)
    }

    fn look(&mut self, under_way: Receiver<Tried>, patience: Duration) -> Option<Tried> {
        match under_way.recv_timeout(patience) {
            Ok(tried) => Some(tried),
            Err(RecvTimeoutError::Timeout) => {
                self.under_way = Some(under_way);
                None
            }
            // The threads have stopped.
            Err(RecvTimeoutError::Disconnected) => None,
        }
    }

    fn is_due(&self, endpoint: &EndpointId, epoch: &Arc<Epoch>, every: Duration) -> bool {
        self.tried.get(endpoint).is_none_or(|(tried, at)| tried != epoch || at.elapsed() >= every)
    }
}

impl Trial {
    /// On a thread that compares.
    pub(super) fn run(self, recording: &Recording) {
        let Self { epoch, endpoints, at, done } = self;
        let tried = endpoints.into_iter().map(|endpoint| {
            let missed = recording.missed(&endpoint, &epoch);
            if !missed.is_empty() {
                let missed = missed.join(", ");
                tracing::warn!(%endpoint, missed, "the negative control failed: the gate is blind here");
            }
            let found = missed.is_empty().then_some(at);
            (endpoint, NegativeControl { tried: at, found, missed })
        });
        let endpoints = tried.collect();
        // Nobody waits for it when the proxy has stopped.
        let _ = done.send(Tried { epoch, endpoints });
    }
}

impl Recording {
    /// The known divergences that are not found on this endpoint, each with what hid it.
    fn missed(&self, endpoint: &EndpointId, epoch: &Epoch) -> Vec<String> {
        let has_body = *endpoint.method() != Method::HEAD;
        let known = KNOWN.iter().filter(|known| has_body || !known.in_body);
        known.filter_map(|known| self.miss(endpoint, epoch, known)).collect()
    }

    fn miss(&self, endpoint: &EndpointId, epoch: &Epoch, known: &Known) -> Option<String> {
        let Known { what, control, candidate, least, .. } = known;
        let request = Request {
            method: endpoint.method().clone(),
            target: endpoint.template().to_owned(),
            headers: HeaderMap::new(),
            body: CapturedBody::empty(),
        };
        let judge = self.judge.load();
        let judged = self.judged(&judge, endpoint, &request, &response(*control), &response(*candidate));
        let mut comparison = match judged {
            Some(Judgement::Compared(comparison)) => comparison,
            Some(Judgement::Skipped(reason)) => {
                return Some(format!("{what}: skipped as {}", reason.as_str()));
            }
            None => return Some(format!("{what}: the comparator failed")),
        };
        self.noise.try_quiet(&epoch.control, endpoint, &mut comparison);
        let is_it = |divergence: &Divergence| divergence.severity >= *least;
        let found = comparison.divergences.iter().any(is_it);
        (!found).then(|| format!("{what}{}", hidden_by(&comparison)))
    }
}

/// What hid it, to stand behind what was hidden.
fn hidden_by(comparison: &Comparison) -> String {
    let mut rules: Vec<_> =
        comparison.tolerated.iter().map(|tolerated| format!("`{}`", tolerated.rule)).collect();
    rules.dedup();
    if rules.is_empty() { String::new() } else { format!(": hidden by {}", rules.join(", ")) }
}

fn response((status, body): (StatusCode, &'static str)) -> Observation {
    let headers = [(CONTENT_TYPE, HeaderValue::from_static("application/json"))].into_iter().collect();
    let body = CapturedBody::Whole(Bytes::from_static(body.as_bytes()));
    Observation { outcome: Outcome::Response(Response { status, headers, body }), latency: Duration::ZERO }
}
