//! What became of every request, counted in memory.
//!
//! A request is started once and ends in exactly one [`Disposition`]; in between it is pending. So
//! `started == seen + pending` holds at every moment, and nothing that was not compared is ever taken for a match.

mod latency;
mod registry;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use diff_harness::comparison::{Disposition, DropReason, SkipReason, Verdict};
use diff_harness::exchange::Side;
use diff_harness::store::Tally;

use crate::fallback::Guard;

pub use latency::{Latencies, LatencySnapshot};
pub use registry::CounterRegistry;

const SKIP_REASONS: usize = SkipReason::ALL.len();
const DROP_REASONS: usize = DropReason::ALL.len();

/// The counters of one endpoint. Every method is one atomic addition.
///
/// What the threads that answer clients write, and what the threads behind them write, stand on cache lines of
/// their own, so that a comparison never slows an answer.
#[derive(Debug, Default)]
pub struct EndpointCounters {
    guard: Guarding,
    answering: Answering,
    comparing: Comparing,
    reported: Mutex<Tally>,
}

/// Read for every request, and written while the candidate answers.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Guarding(Guard);

/// Written by the data plane. 128 bytes apart from its neighbours: processors fetch lines in pairs.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Answering {
    started: AtomicU64,
    answered_control: AtomicU64,
    answered_candidate: AtomicU64,
    answered_proxy: AtomicU64,
    fallbacks: AtomicU64,
    skipped: [AtomicU64; SKIP_REASONS],
    latency_control: Latencies,
    latency_candidate: Latencies,
}

/// Written by the shadow worker and the comparison threads.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Comparing {
    matched: AtomicU64,
    tolerated: AtomicU64,
    mismatched: AtomicU64,
    both_failed: AtomicU64,
    racing: AtomicU64,
    asked_again: AtomicU64,
    not_asked_again: AtomicU64,
    control_asked_twice: AtomicU64,
    read_backs: AtomicU64,
    read_backs_mismatched: AtomicU64,
    dropped: [AtomicU64; DROP_REASONS],
    shadow_latency_control: Latencies,
    shadow_latency_candidate: Latencies,
}

impl EndpointCounters {
    /// What takes the endpoint back to control, beside the counters because it outlives route tables as they do.
    pub fn guard(&self) -> &Guard {
        &self.guard.0
    }

    /// A request's head was read. Called once per request, before anything else is counted for it.
    pub fn started(&self) {
        self.answering.started.fetch_add(1, Ordering::Relaxed);
    }

    /// The request came to its end. Called once per request.
    pub fn count(&self, disposition: Disposition) {
        let counter = match disposition {
            Disposition::Compared(Verdict::Match) => &self.comparing.matched,
            Disposition::Compared(Verdict::Tolerated) => &self.comparing.tolerated,
            Disposition::Compared(Verdict::Mismatch) => &self.comparing.mismatched,
            Disposition::Skipped(reason) => &self.answering.skipped[reason as usize],
            Disposition::Dropped(reason) => &self.comparing.dropped[reason as usize],
        };
        // Release: whoever sees this end sees the start before it, so `seen` never exceeds `started`.
        counter.fetch_add(1, Ordering::Release);
    }

    /// Both sides answered the same 5xx: counted beside the verdict.
    pub fn both_failed(&self) {
        self.comparing.both_failed.fetch_add(1, Ordering::Relaxed);
    }

    /// A mismatch was an edit that came between the two requests: counted beside the verdict.
    pub fn racing(&self) {
        self.comparing.racing.fetch_add(1, Ordering::Relaxed);
    }

    /// Both sides are asked again about a mismatch.
    pub fn asked_again(&self) {
        self.comparing.asked_again.fetch_add(1, Ordering::Relaxed);
    }

    /// A mismatch could not be asked again, and counts as it is.
    pub fn not_asked_again(&self) {
        self.comparing.not_asked_again.fetch_add(1, Ordering::Relaxed);
    }

    /// Control is asked once more what it answered.
    pub fn control_asked_twice(&self) {
        self.comparing.control_asked_twice.fetch_add(1, Ordering::Relaxed);
    }

    /// Both sides were asked what a write has left behind.
    pub fn read_back(&self, mismatched: bool) {
        self.comparing.read_backs.fetch_add(1, Ordering::Relaxed);
        self.comparing.read_backs_mismatched.fetch_add(u64::from(mismatched), Ordering::Relaxed);
    }

    /// What was asked again since the proxy started. None of it is a request of a client.
    pub fn again(&self) -> Again {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Again {
            mismatches: load(&self.comparing.asked_again),
            not_asked: load(&self.comparing.not_asked_again),
            control_twice: load(&self.comparing.control_asked_twice),
            read_backs: load(&self.comparing.read_backs),
            read_backs_mismatched: load(&self.comparing.read_backs_mismatched),
        }
    }

    /// This side's response went to the client.
    pub fn answered(&self, side: Side) {
        let counter = match side {
            Side::Control => &self.answering.answered_control,
            Side::Candidate => &self.answering.answered_candidate,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// The proxy answered by itself, with an error.
    pub fn answered_by_proxy(&self) {
        self.answering.answered_proxy.fetch_add(1, Ordering::Relaxed);
    }

    /// Control answered what the candidate should have. Counted beside `answered(Side::Control)`.
    pub fn fallback(&self) {
        self.answering.fallbacks.fetch_add(1, Ordering::Relaxed);
    }

    /// How long the side that answered the client took, from the first byte sent to the end of its body.
    pub fn latency(&self, side: Side, latency: Duration) {
        match side {
            Side::Control => self.answering.latency_control.add(latency),
            Side::Candidate => self.answering.latency_candidate.add(latency),
        }
    }

    /// How long the shadowed side took, over the same stretch.
    pub fn shadow_latency(&self, side: Side, latency: Duration) {
        match side {
            Side::Control => self.comparing.shadow_latency_control.add(latency),
            Side::Candidate => self.comparing.shadow_latency_candidate.add(latency),
        }
    }

    /// Latencies of the answers that this side gave to clients.
    pub fn latencies(&self, side: Side) -> LatencySnapshot {
        match side {
            Side::Control => self.answering.latency_control.snapshot(),
            Side::Candidate => self.answering.latency_candidate.snapshot(),
        }
    }

    /// Latencies of the answers that this side gave as the shadow.
    pub fn shadow_latencies(&self, side: Side) -> LatencySnapshot {
        match side {
            Side::Control => self.comparing.shadow_latency_control.snapshot(),
            Side::Candidate => self.comparing.shadow_latency_candidate.snapshot(),
        }
    }

    /// What became of this endpoint's requests since the proxy started.
    pub fn snapshot(&self) -> Snapshot {
        // Ends are read before starts (see `count`).
        let tally = self.tally();
        Snapshot { started: self.answering.started.load(Ordering::Relaxed), tally }
    }

    /// How many were compared and found no mismatch: what a sample of matches is taken from.
    pub fn not_mismatched(&self) -> u64 {
        self.comparing.matched.load(Ordering::Relaxed) + self.comparing.tolerated.load(Ordering::Relaxed)
    }

    /// What was counted since the last call, for whoever writes it to the store. Nothing is in two deltas and
    /// nothing is in none; `None` when there is nothing new.
    ///
    /// Verdicts are not in it: the recorder adds each to the epoch of its own exchange.
    pub fn take_delta(&self) -> Option<Tally> {
        let mut reported = self.reported.lock().unwrap_or_else(PoisonError::into_inner);
        let now =
            Tally { matched: 0, tolerated: 0, mismatched: 0, both_failed: 0, racing: 0, ..self.tally() };
        if now == *reported {
            return None;
        }
        let delta = difference(&now, &reported);
        *reported = now;
        Some(delta)
    }

    fn tally(&self) -> Tally {
        let load = |counter: &AtomicU64| counter.load(Ordering::Acquire);
        Tally {
            matched: load(&self.comparing.matched),
            tolerated: load(&self.comparing.tolerated),
            mismatched: load(&self.comparing.mismatched),
            both_failed: load(&self.comparing.both_failed),
            racing: load(&self.comparing.racing),
            skipped: by_reason(SkipReason::ALL, &self.answering.skipped),
            dropped: by_reason(DropReason::ALL, &self.comparing.dropped),
            answered_control: load(&self.answering.answered_control),
            answered_candidate: load(&self.answering.answered_candidate),
            fallbacks: load(&self.answering.fallbacks),
            answered_proxy: load(&self.answering.answered_proxy),
        }
    }
}

/// What was asked again up to a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Again {
    pub mismatches: u64,
    /// Mismatches that could not be.
    pub not_asked: u64,
    pub control_twice: u64,
    /// Reads of both sides after a write, and those in which they differed.
    pub read_backs: u64,
    pub read_backs_mismatched: u64,
}

/// What became of requests up to a moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    pub started: u64,
    pub tally: Tally,
}

impl Snapshot {
    /// Requests that have started and not ended: being answered, shadowed or compared.
    pub fn pending(&self) -> u64 {
        self.started.saturating_sub(self.tally.seen())
    }

    pub fn add(&mut self, other: &Self) {
        self.started += other.started;
        self.tally.add(&other.tally);
    }
}

type Reasons<R> = std::collections::BTreeMap<R, u64>;

/// Only the reasons that occurred.
fn by_reason<R: Copy + Ord>(reasons: &[R], counters: &[AtomicU64]) -> Reasons<R> {
    let counts = counters.iter().map(|counter| counter.load(Ordering::Acquire));
    reasons.iter().copied().zip(counts).filter(|(_, n)| *n > 0).collect()
}

/// Counters only grow, so that every figure of `now` is at least that of `before`.
pub(crate) fn difference(now: &Tally, before: &Tally) -> Tally {
    Tally {
        matched: now.matched - before.matched,
        tolerated: now.tolerated - before.tolerated,
        mismatched: now.mismatched - before.mismatched,
        both_failed: now.both_failed - before.both_failed,
        racing: now.racing - before.racing,
        skipped: grown(&now.skipped, &before.skipped),
        dropped: grown(&now.dropped, &before.dropped),
        answered_control: now.answered_control - before.answered_control,
        answered_candidate: now.answered_candidate - before.answered_candidate,
        fallbacks: now.fallbacks - before.fallbacks,
        answered_proxy: now.answered_proxy - before.answered_proxy,
    }
}

fn grown<R: Copy + Ord>(now: &Reasons<R>, before: &Reasons<R>) -> Reasons<R> {
    let growth = |(reason, n): (&R, &u64)| (*reason, n - before.get(reason).copied().unwrap_or(0));
    now.iter().map(growth).filter(|(_, n)| *n > 0).collect()
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    /// One disposition of every kind there is.
    fn every_disposition() -> Vec<Disposition> {
        let verdicts = [Verdict::Match, Verdict::Tolerated, Verdict::Mismatch].map(Disposition::Compared);
        let skips = SkipReason::ALL.iter().map(|reason| Disposition::Skipped(*reason));
        let drops = DropReason::ALL.iter().map(|reason| Disposition::Dropped(*reason));
        verdicts.into_iter().chain(skips).chain(drops).collect()
    }

    #[test]
    fn every_disposition_has_a_counter_of_its_own() {
        let counters = EndpointCounters::default();
        for disposition in every_disposition() {
            counters.started();
            counters.count(disposition);
        }
        let Snapshot { started, tally } = counters.snapshot();
        assert_eq!((tally.matched, tally.tolerated, tally.mismatched), (1, 1, 1));
        assert!(SkipReason::ALL.iter().all(|reason| tally.skipped[reason] == 1));
        assert!(DropReason::ALL.iter().all(|reason| tally.dropped[reason] == 1));
        assert_eq!(tally.seen(), started);
    }

    #[test]
    fn a_request_that_has_not_ended_is_pending() {
        let counters = EndpointCounters::default();
        counters.started();
        counters.started();
        counters.count(Disposition::Compared(Verdict::Match));
        assert_eq!(counters.snapshot().pending(), 1);
    }

    #[test]
    fn a_delta_is_given_once() {
        let counters = EndpointCounters::default();
        assert_eq!(counters.take_delta(), None);
        counters.count(Disposition::Skipped(SkipReason::Stage));
        counters.answered(Side::Control);
        let delta = counters.take_delta().unwrap();
        assert_eq!((delta.skipped[&SkipReason::Stage], delta.answered_control), (1, 1));
        assert_eq!(counters.take_delta(), None);
        counters.count(Disposition::Skipped(SkipReason::Stage));
        assert_eq!(counters.take_delta().unwrap().skipped[&SkipReason::Stage], 1);
    }

    #[test]
    fn deltas_taken_while_others_count_add_up_to_the_total() {
        const EACH: u64 = 20_000;
        let counters = EndpointCounters::default();
        let mut sum = Tally::default();
        thread::scope(|scope| {
            let count = |reason| {
                for _ in 0..EACH {
                    counters.started();
                    counters.answered(Side::Candidate);
                    counters.count(Disposition::Dropped(reason));
                }
            };
            let one = scope.spawn(move || count(DropReason::Expired));
            let other = scope.spawn(move || count(DropReason::Unreachable));
            while !(one.is_finished() && other.is_finished()) {
                let snapshot = counters.snapshot();
                assert!(snapshot.started >= snapshot.tally.seen());
                sum.add(&counters.take_delta().unwrap_or_default());
            }
        });
        sum.add(&counters.take_delta().unwrap_or_default());
        assert_eq!(sum, counters.snapshot().tally);
        assert_eq!(sum.seen(), 2 * EACH);
    }
}
