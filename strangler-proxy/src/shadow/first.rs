//! Dry runs that are sent before control carries the request out: the one thing a client may wait for besides its answer.
//!
//! Off unless it is declared. Where it is on, a client whose write is verified waits until the candidate has answered the
//! dry run, and never longer than [`FirstConfig::wait_max`]. Only so many wait at once, and after some waits in vain nobody
//! does, but for one now and then: a candidate that is dead or slow costs a few waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use diff_harness::comparison::{Disposition, DropReason};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::flight::ShadowSlot;
use super::{AnswerSlot, Circuit};
use crate::counters::{Latencies, LatencySnapshot};

/// How long clients may wait for dry runs. Every limit that is reached is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FirstConfig {
    /// The longest that one request waits.
    pub wait_max: Duration,
    /// Requests that wait at once; one more is not asked of the candidate, and waits for nothing.
    pub in_flight_max: usize,
    /// Waits in vain, one after the other, after which nobody waits any more.
    pub failures_max: u32,
    /// How often it is tried then.
    pub probe_every: Duration,
}

impl Default for FirstConfig {
    fn default() -> Self {
        Self {
            wait_max: Duration::from_millis(250),
            in_flight_max: 16,
            failures_max: 3,
            probe_every: Duration::from_secs(10),
        }
    }
}

impl FirstConfig {
    /// No config may make a client wait for longer.
    pub const WAIT_LONGEST: Duration = Duration::from_secs(5);
}

/// How the waits of clients ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitEnd {
    /// The candidate has answered.
    Answered,
    /// It had not when the time was over.
    Late,
    /// It will not: no connection, or a response that is none.
    Failed,
    /// Too many waited already: this one did not.
    Full,
    /// Too many waited in vain of late: this one did not.
    Open,
}

/// What was counted of waits.
#[derive(Clone, Debug)]
pub struct Waits {
    pub ends: [(WaitEnd, u64); WaitEnd::ALL.len()],
    /// Of those that waited.
    pub waited: LatencySnapshot,
}

/// What all threads share of it.
#[derive(Debug)]
pub(super) struct Patience {
    pub(super) config: FirstConfig,
    places: Arc<Semaphore>,
    circuit: Circuit,
    ends: [AtomicU64; WaitEnd::ALL.len()],
    waited: Latencies,
}

/// A dry run on its way to the shadow thread, with its place among those that are waited for.
#[derive(Debug)]
pub(super) struct FirstJob {
    pub(super) slot: ShadowSlot,
    /// Told how it ended when the slot has been used; dropped where nobody was asked.
    pub(super) over: oneshot::Sender<WaitEnd>,
    pub(super) _place: OwnedSemaphorePermit,
}

/// A dry run whose end somebody waits for. Dropped before, the client has gone.
#[must_use = "dropping it says that the client has gone"]
#[derive(Debug)]
pub struct Ahead {
    pub(super) patience: Arc<Patience>,
    pub(super) answer: AnswerSlot,
    pub(super) over: oneshot::Receiver<WaitEnd>,
}

impl WaitEnd {
    pub const ALL: [Self; 5] = [Self::Answered, Self::Late, Self::Failed, Self::Full, Self::Open];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Late => "late",
            Self::Failed => "failed",
            Self::Full => "full",
            Self::Open => "open",
        }
    }
}

impl Patience {
    pub(super) fn new(config: FirstConfig, start: Instant) -> Arc<Self> {
        Arc::new(Self {
            places: Arc::new(Semaphore::new(config.in_flight_max.clamp(1, Semaphore::MAX_PERMITS))),
            circuit: Circuit::new(config.failures_max.max(1), config.probe_every, start),
            ends: Default::default(),
            waited: Latencies::default(),
            config,
        })
    }

    /// A place among those that wait.
    ///
    /// # Errors
    /// The disposition of a request that is not to wait.
    pub(super) fn begin(&self, now: Instant) -> Result<OwnedSemaphorePermit, Disposition> {
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            self.count(WaitEnd::Full);
            return Err(Disposition::Dropped(DropReason::ShadowQueueFull));
        };
        if !self.circuit.admits(now) {
            self.count(WaitEnd::Open);
            return Err(Disposition::Dropped(DropReason::DryRunLate));
        }
        Ok(place)
    }

    pub(super) fn waits(&self) -> Waits {
        let ends = WaitEnd::ALL.map(|end| (end, self.ends[end as usize].load(Ordering::Relaxed)));
        Waits { ends, waited: self.waited.snapshot() }
    }

    fn ended(&self, end: WaitEnd, waited: Duration) {
        self.count(end);
        self.waited.add(waited);
        if end == WaitEnd::Answered {
            self.circuit.succeeded();
        } else if self.circuit.failed(Instant::now()) {
            tracing::warn!(
                "the candidate does not answer dry runs in time: clients wait no longer for it, but for one now and then"
            );
        }
    }

    fn count(&self, end: WaitEnd) {
        self.ends[end as usize].fetch_add(1, Ordering::Relaxed);
    }
}

impl Ahead {
    /// Waits until the candidate has answered, or the time is over. `None` where there is nothing to compare with: that
    /// is counted then. What comes later is not looked at, since it may be an answer to what control has written.
    pub async fn answered(self) -> Option<AnswerSlot> {
        let Self { patience, answer, over } = self;
        let begun = Instant::now();
        let end = match tokio::time::timeout(patience.config.wait_max, over).await {
            Ok(told) => told.unwrap_or(WaitEnd::Failed),
            Err(_) => WaitEnd::Late,
        };
        patience.ended(end, begun.elapsed());
        if end == WaitEnd::Answered {
            return Some(answer);
        }
        // Where the shadow thread has counted it already, this counts nothing.
        answer.fail(DropReason::DryRunLate);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn patience(in_flight_max: usize) -> (Arc<Patience>, Instant) {
        let start = Instant::now();
        let config =
            FirstConfig { in_flight_max, failures_max: 2, probe_every: SECOND, ..FirstConfig::default() };
        (Patience::new(config, start), start)
    }

    #[test]
    fn only_so_many_wait_at_once() {
        let (patience, now) = patience(2);
        let first = patience.begin(now).unwrap();
        let _second = patience.begin(now).unwrap();
        let full = Disposition::Dropped(DropReason::ShadowQueueFull);
        assert_eq!(patience.begin(now).unwrap_err(), full);
        drop(first);
        assert!(patience.begin(now).is_ok());
    }

    #[test]
    fn after_some_waits_in_vain_nobody_waits_but_one_now_and_then() {
        let (patience, now) = patience(8);
        for _ in 0..2 {
            drop(patience.begin(now).unwrap());
            patience.ended(WaitEnd::Late, SECOND);
        }
        let late = Disposition::Dropped(DropReason::DryRunLate);
        assert_eq!(patience.begin(now).unwrap_err(), late);
        let later = Instant::now() + SECOND;
        assert!(patience.begin(later).is_ok());
        assert_eq!(patience.begin(later).unwrap_err(), late, "two were let through at once");
        patience.ended(WaitEnd::Answered, SECOND);
        assert!(patience.begin(later).is_ok() && patience.begin(later).is_ok());
        let counted = patience.waits().ends;
        assert_eq!(counted.map(|(_, n)| n), [1, 2, 0, 0, 2]);
    }
}
