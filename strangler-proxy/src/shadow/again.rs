//! Asking again: both sides about a mismatch, control about a sample of everything.
//!
//! A mismatch may be an edit that came between the two requests, and a difference may be one that control has with itself.
//! Only asking once more tells. It is done by the shadow thread, over its connections, and is the first thing to be left
//! out: at most so many a second, never more than a part of what may be on the way at once, and nobody waits for it.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use diff_harness::divergence::Severity;
use diff_harness::endpoint::SafeMethod;
use diff_harness::exchange::{CapturedBody, Observation, Outcome};
use diff_harness::size;
use tokio::sync::mpsc;

use super::flight::Flight;
use super::handle::{Shared, takes};
use super::{Pair, ReadBackRequest, Reservation, ShadowConfig, ShadowedRequest};
use crate::record::{AskAgain, Suspect};

/// What the shadow thread is sent out for besides shadows.
#[derive(Debug)]
pub(super) enum Errand {
    Suspect(Box<Suspect>),
    Twice(Box<Twice>),
    ReadBack(Box<ReadBackRequest>),
}

/// A request that control has answered and is to answer once more.
#[derive(Debug)]
pub struct Twice {
    flight: Arc<Flight>,
    pub(crate) first: Observation,
    _held: Reservation,
}

/// What the comparison threads hold of asking again.
#[derive(Debug)]
pub(super) struct Asker {
    shared: Arc<Shared>,
    queue: mpsc::Sender<Errand>,
    allowance: Allowance,
    sampled: AtomicU64,
}

impl Twice {
    pub fn request(&self) -> &ShadowedRequest {
        &self.flight.request
    }
}

impl Asker {
    pub(super) fn new(shared: Arc<Shared>, queue: mpsc::Sender<Errand>) -> Self {
        let allowance = Allowance::new(shared.config.again_per_second, Instant::now());
        Self { shared, queue, allowance, sampled: AtomicU64::new(0) }
    }
}

impl AskAgain for Asker {
    fn ask_again(&self, suspect: Box<Suspect>) -> Result<(), Box<Suspect>> {
        let request = suspect.request();
        let counters = &request.route.counters;
        let is_safe = SafeMethod::of(&request.request.method).is_some();
        // What control withheld is looked at again whatever it costs: the queue is bounded all the same.
        let is_exposure = suspect.comparison().severity() == Some(Severity::Exposure);
        if !is_safe || !(self.allowance.take(Instant::now()) || is_exposure) {
            counters.not_asked_again();
            return Err(suspect);
        }
        match self.queue.try_send(Errand::Suspect(suspect)) {
            Ok(()) => Ok(()),
            Err(refused) => match refused.into_inner() {
                Errand::Suspect(suspect) => {
                    suspect.request().route.counters.not_asked_again();
                    Err(suspect)
                }
                Errand::Twice(_) | Errand::ReadBack(_) => unreachable!("what comes back is what was sent"),
            },
        }
    }

    fn compared(&self, pair: &Pair) {
        let Outcome::Response(first) = &pair.control.observation.outcome else { return };
        let is_whole = !matches!(first.body, CapturedBody::Cut { .. });
        let is_safe = SafeMethod::of(&pair.request().request.method).is_some();
        if !is_safe
            || !is_whole
            || !takes(self.shared.config.twice_share, &self.sampled)
            || !self.allowance.take(Instant::now())
        {
            return;
        }
        let mut held = self.shared.budget.nothing();
        if held.grow(size::of_headers(&first.headers) + first.body.kept().len()) {
            let (flight, first) = (pair.ending.flight(), pair.control.observation.clone());
            // Full: another one will be sampled.
            let _ = self.queue.try_send(Errand::Twice(Box::new(Twice { flight, first, _held: held })));
        }
    }
}

/// So many a second, and no more than that at once.
#[derive(Debug)]
struct Allowance {
    per_second: f64,
    left: Mutex<(f64, Instant)>,
}

impl Allowance {
    fn new(per_second: u32, now: Instant) -> Self {
        let per_second = f64::from(per_second);
        Self { per_second, left: Mutex::new((per_second, now)) }
    }

    fn take(&self, now: Instant) -> bool {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let earned = now.saturating_duration_since(left.1).as_secs_f64() * self.per_second;
        left.0 = (left.0 + earned).min(self.per_second);
        left.1 = left.1.max(now);
        let taken = left.0 >= 1.0;
        if taken {
            left.0 -= 1.0;
        }
        taken
    }
}

impl ShadowConfig {
    /// Whether anything is ever asked again.
    pub(super) fn asks_again(&self) -> bool {
        self.again_per_second > 0
    }

    /// Of the requests that may be on the way at once, those that may be asked again: shadows come first.
    pub(super) fn again_concurrency(&self) -> usize {
        (self.concurrency_max / 4).max(1)
    }

    /// How many dry runs may be on the way that clients wait for.
    pub(super) fn first_max(&self) -> usize {
        self.first.map_or(0, |first| first.in_flight_max)
    }
}

/// Counts what it is asked, for whoever reads counters.
pub(super) fn count(errand: &Errand) {
    match errand {
        Errand::Suspect(suspect) => suspect.request().route.counters.asked_again(),
        Errand::Twice(twice) => twice.request().route.counters.control_asked_twice(),
        // Counted by what comes of it.
        Errand::ReadBack(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn no_more_are_allowed_than_were_earned() {
        let start = Instant::now();
        let allowance = Allowance::new(10, start);
        let taken = |at: Instant| (0..100).filter(|_| allowance.take(at)).count();
        assert_eq!(taken(start), 10);
        assert_eq!(taken(start + Duration::from_millis(300)), 3);
        assert_eq!(taken(start + Duration::from_secs(60)), 10, "an hour of quiet is no licence for a burst");
        assert_eq!(taken(start), 0, "time that goes back earns nothing");
    }

    #[test]
    fn without_an_allowance_nothing_is_asked_again() {
        let start = Instant::now();
        assert!(!Allowance::new(0, start).take(start + Duration::from_secs(1_000)));
    }
}
