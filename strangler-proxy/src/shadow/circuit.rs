//! When a side that cannot be connected to is tried again.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Closed while connections can be made. After some failures in a row it opens, and lets only a probe through
/// from time to time; one success closes it again.
#[derive(Debug)]
pub struct Circuit {
    failures_max: u32,
    probe_every: Duration,
    start: Instant,
    failures: AtomicU32,
    /// Milliseconds after `start` at which the next probe may go.
    probe_at: AtomicU64,
}

impl Circuit {
    pub fn new(failures_max: u32, probe_every: Duration, start: Instant) -> Self {
        Self { failures_max, probe_every, start, failures: AtomicU32::new(0), probe_at: AtomicU64::new(0) }
    }

    /// Whether a request sent now would be refused. Takes no probe: for whoever only wants to save the work.
    pub fn is_open(&self, now: Instant) -> bool {
        self.is_tripped() && self.millis(now) < self.probe_at.load(Ordering::Relaxed)
    }

    /// Whether a connection may be tried now. While the circuit is open, true is given once per interval.
    pub fn admits(&self, now: Instant) -> bool {
        if !self.is_tripped() {
            return true;
        }
        let now = self.millis(now);
        let due = self.probe_at.load(Ordering::Relaxed);
        let next = now + self.probe_every.as_millis() as u64;
        now >= due && self.probe_at.compare_exchange(due, next, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// A connection was made.
    pub fn succeeded(&self) {
        if self.failures.load(Ordering::Relaxed) > 0 {
            self.failures.store(0, Ordering::Relaxed);
        }
    }

    /// No connection could be made. True when this is what opened the circuit.
    pub fn failed(&self, now: Instant) -> bool {
        let failures = self.failures.load(Ordering::Relaxed).saturating_add(1);
        self.failures.store(failures, Ordering::Relaxed);
        let opened = failures == self.failures_max;
        if opened {
            let next = self.millis(now) + self.probe_every.as_millis() as u64;
            self.probe_at.store(next, Ordering::Relaxed);
        }
        opened
    }

    fn is_tripped(&self) -> bool {
        self.failures.load(Ordering::Relaxed) >= self.failures_max
    }

    fn millis(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.start).as_millis() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn some_failures_in_a_row_open_it_and_one_success_closes_it() {
        let now = Instant::now();
        let circuit = Circuit::new(3, SECOND, now);
        assert!(!circuit.failed(now));
        assert!(!circuit.failed(now));
        circuit.succeeded();
        assert!(!circuit.failed(now));
        assert!(!circuit.failed(now));
        assert!(circuit.admits(now) && !circuit.is_open(now));
        assert!(circuit.failed(now));
        assert!(!circuit.admits(now) && circuit.is_open(now));
        circuit.succeeded();
        assert!(circuit.admits(now) && !circuit.is_open(now));
    }

    #[test]
    fn an_open_circuit_lets_one_probe_through_per_interval() {
        let now = Instant::now();
        let circuit = Circuit::new(1, SECOND, now);
        assert!(circuit.failed(now));
        assert!(!circuit.admits(now + SECOND / 2));
        assert!(!circuit.is_open(now + SECOND), "whoever asks at the time of a probe may come");
        assert!(circuit.admits(now + SECOND));
        assert!(!circuit.admits(now + SECOND));
        assert!(!circuit.failed(now + SECOND), "it was open already");
        assert!(circuit.admits(now + 2 * SECOND));
    }
}
