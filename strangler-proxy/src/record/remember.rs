//! Remembers what came of a pair.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use arc_swap::ArcSwap;
use diff_harness::comparison::{Comparison, Disposition, Verdict};
use diff_harness::exchange::{Exchange, Observation, Outcome};
use diff_harness::fingerprint::Fingerprint;
use diff_harness::noise::confirm::Confirmation;
use diff_harness::redact::Redactor;
use diff_harness::shape::write_shape;
use diff_harness::size;
use diff_harness::store::{ComparisonRecord, Epoch, LatencyPair, Recorded, Spread};
use http::header::{AUTHORIZATION, COOKIE};

use super::gathered::{Gathered, Seen, add_rule};
use super::noise::Noise;
use super::storage::Signals;
use super::waiting::Waiting;
use super::written::Written;
use super::{AskAgain, Epochs, Judge, RecordConfig};
use crate::counters::EndpointCounters;
use crate::fallback::{Again, FallbackHandle, Found};
use crate::shadow::{Answered, Pair, ShadowedRequest};

/// What the threads that compare and the thread that writes share.
pub(super) struct Recording {
    pub(super) config: RecordConfig,
    pub(super) judge: ArcSwap<Box<dyn Judge>>,
    pub(super) epochs: Epochs,
    pub(super) signals: Signals,
    pub(super) waiting: Waiting,
    pub(super) noise: Noise,
    pub(super) written: Written,
    pub(super) fallback: FallbackHandle,
    pub(super) redactor: Redactor,
    gathered: Mutex<Gathered>,
    /// Unsafe requests that no store has taken.
    pub(super) recorded: Mutex<Vec<Recorded>>,
    /// Asks again about what mismatched, where somebody does.
    pub(super) asker: OnceLock<Box<dyn AskAgain>>,
}

thread_local! {
    /// A shape is written for every comparison and looked up by its text: one buffer per thread does.
    static SHAPE: RefCell<String> = const { RefCell::new(String::new()) };
}

impl Recording {
    pub(super) fn new(
        config: RecordConfig,
        judge: Box<dyn Judge>,
        epochs: Epochs,
        noise: Noise,
        fallback: FallbackHandle,
        redactor: Redactor,
    ) -> Self {
        Self {
            judge: ArcSwap::from_pointee(judge),
            epochs,
            signals: Signals::default(),
            waiting: Waiting::new(config.waiting_max, config.waiting_bytes_max),
            noise,
            written: Written::default(),
            fallback,
            redactor,
            gathered: Mutex::default(),
            recorded: Mutex::default(),
            asker: OnceLock::new(),
            config,
        }
    }

    /// All that was gathered since the last call.
    pub(super) fn take_gathered(&self) -> Gathered {
        std::mem::take(&mut *self.gathered())
    }

    pub(super) fn remember(
        &self,
        pair: Pair,
        comparison: Comparison,
        confirmation: Option<Confirmation>,
        unsteady: bool,
        epoch: &Arc<Epoch>,
    ) {
        let Pair { ending, control, candidate } = pair;
        let request = ending.request();
        let route = Arc::clone(&request.route);
        let (verdict, both_failed) = (comparison.verdict(), comparison.both_failed);
        let racing = confirmation == Some(Confirmation::Racing);
        // Before the count: whoever sees it finds that the endpoint has fallen back for it.
        if verdict == Verdict::Mismatch {
            let again = match confirmation {
                _ if unsteady => Again::Unsteady,
                Some(confirmation) => Again::Asked(confirmation),
                None if self.asker.get().is_some() => Again::Unasked,
                None => Again::Never,
            };
            let found = Found { comparison: &comparison, again, exchange: id_of(request) };
            self.fallback.mismatched(&route, epoch, &found);
        } else if !both_failed {
            self.fallback.matched(&route, epoch);
        }
        let seen = Seen { confirmation, ..seen(request, &control.observation, &candidate.observation) };
        SHAPE.with_borrow_mut(|shape| {
            write_shape(shape, &request.request, &control.observation);
            let is_kept = match verdict {
                Verdict::Mismatch => !racing,
                Verdict::Match | Verdict::Tolerated => self.keeps_a_match(&route.counters),
            };
            if is_kept {
                let make = || self.record(request, shape, seen, control, candidate, comparison);
                let record = catch_unwind(AssertUnwindSafe(make)).unwrap_or_else(|_| {
                    let id = id_of(request);
                    tracing::error!(
                        id,
                        "redacting this exchange failed: a bug in Strangler; its details are lost"
                    );
                    None
                });
                let mut gathered = self.gathered();
                gathered.count(epoch, &route, verdict, both_failed);
                match record {
                    Some(record) => gathered.add_record(epoch, record),
                    None => self.waiting.gave_up(1),
                }
            } else {
                self.gathered().add_plain(epoch, &route, shape, &comparison, seen);
            }
        });
        // Counted last: whoever sees the count finds the evidence gathered.
        if both_failed {
            route.counters.both_failed();
        }
        if racing {
            route.counters.racing();
        }
        ending.settle(Disposition::Compared(verdict));
    }

    /// One of so many matches, and the first one of an endpoint.
    fn keeps_a_match(&self, counters: &EndpointCounters) -> bool {
        let every = self.config.keep_match_every;
        every > 0 && counters.not_mismatched().is_multiple_of(every)
    }

    /// The record of a comparison, redacted; `None` when too many wait for the store.
    pub(super) fn record(
        &self,
        request: &ShadowedRequest,
        shape: &str,
        seen: Seen,
        control: Answered,
        candidate: Answered,
        comparison: Comparison,
    ) -> Option<ComparisonRecord> {
        if self.waiting.is_full() {
            return None;
        }
        let verdict = comparison.verdict();
        let endpoint = &request.route.endpoint;
        let fingerprint = |found| Fingerprint::of(endpoint, found);
        let groups: Vec<_> = comparison.divergences.iter().map(fingerprint).collect();
        let keeps =
            verdict != Verdict::Mismatch || self.gathered().keeps(&groups, self.config.keep_per_group);
        let exchange = exchange(request, control, candidate);
        let redaction = self.redactor.begin(&exchange);
        let divergences = redaction.divergences(&exchange, &comparison.divergences);
        let (exchange, notes) = keeps.then(|| redaction.exchange(exchange)).unzip();
        let mut record = ComparisonRecord {
            id: id_of(request).to_owned(),
            at: request.at,
            endpoint: endpoint.clone(),
            verdict,
            confirmation: seen.confirmation,
            both_failed: comparison.both_failed,
            shape: shape.to_owned(),
            place: seen.place,
            status: seen.status,
            divergences,
            tolerated: tolerated(&comparison),
            applied: applied(&comparison),
            notes: comparison.notes.into_iter().chain(notes.into_iter().flatten()).collect(),
            latencies: seen.latencies,
            exchange,
        };
        let waiting = match &record.exchange {
            Some(_) => self.waiting.take_with_exchange(size::of_record(&record)),
            None => self.waiting.take_record(size::of_record(&record)),
        };
        let waiting = waiting.or_else(|| {
            record.exchange.take()?;
            record.notes.push("the exchange was not kept: too much waits for the store".to_owned());
            self.waiting.take_record(size::of_record(&record))
        });
        if waiting? == self.config.write_at {
            self.signals.write_soon();
        }
        Some(record)
    }

    pub(super) fn gathered(&self) -> MutexGuard<'_, Gathered> {
        // Whatever panicked left counts that are whole: every change is one addition or one push.
        self.gathered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn exchange(request: &ShadowedRequest, control: Answered, candidate: Answered) -> Exchange {
    Exchange {
        id: id_of(request).to_owned(),
        at: request.at,
        endpoint: request.route.endpoint.clone(),
        request: request.request.clone(),
        control: control.observation,
        candidate: candidate.observation,
    }
}

pub(super) fn seen(request: &ShadowedRequest, control: &Observation, candidate: &Observation) -> Seen {
    let fields = [AUTHORIZATION, COOKIE].map(|name| request.request.headers.get(name));
    let identity = fields.map(|value| value.map_or(&b""[..], http::HeaderValue::as_bytes));
    let status = |observation: &Observation| match &observation.outcome {
        Outcome::Response(response) => Some(response.status),
        Outcome::Failure(_) => None,
    };
    // A failure is an error and no fast answer.
    let answered = |observation| status(observation).is_some_and(|status| !status.is_server_error());
    Seen {
        confirmation: None,
        place: Spread::place([request.request.target.as_bytes(), identity[0], identity[1]]),
        status: status(control).map(|status| status.as_u16()),
        latencies: (answered(control) && answered(candidate))
            .then(|| LatencyPair::new(control.latency, candidate.latency, request.to.other())),
    }
}

pub(super) fn id_of(request: &ShadowedRequest) -> &str {
    request.id.to_str().unwrap_or_default()
}

/// Rules that hid something, with how much.
fn tolerated(comparison: &Comparison) -> Vec<(String, u64)> {
    let mut rules = Vec::new();
    for tolerated in &comparison.tolerated {
        add_rule(&mut rules, &tolerated.rule, 1);
    }
    rules
}

/// Rules that applied, each once.
fn applied(comparison: &Comparison) -> Vec<String> {
    let mut rules: Vec<String> = Vec::new();
    for rule in &comparison.applied {
        if !rules.contains(rule) {
            rules.push(rule.clone());
        }
    }
    rules
}
