//! When an address that keeps failing is left alone for a while.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use super::config::Health;

/// What the requests of one kind have met at one address. Shared by all threads; written only where something fails
/// or has failed. Times are milliseconds since the upstream was started.
#[derive(Debug, Default)]
pub(super) struct Ejection {
    /// In a row.
    failures: AtomicU32,
    /// It is left alone until then.
    until: AtomicU64,
    /// How often in a row it failed again soon after it had come back.
    again: AtomicU32,
    /// Since the start.
    total: AtomicU64,
}

impl Ejection {
    pub(super) fn is_out(&self, now: u64) -> bool {
        now < self.until.load(Ordering::Relaxed)
    }

    pub(super) fn total(&self) -> u64 {
        self.total.load(Ordering::Relaxed)
    }

    pub(super) fn failures(&self) -> u32 {
        self.failures.load(Ordering::Relaxed)
    }

    pub(super) fn succeeded(&self) {
        // Read first: a line that nobody writes is shared by all cores.
        if self.failures.load(Ordering::Relaxed) != 0 {
            self.failures.store(0, Ordering::Relaxed);
        }
    }

    /// Counts a failure. For how many milliseconds the address is left alone, if this was the one too many; `room` says
    /// whether another one may be.
    pub(super) fn failed(&self, now: u64, health: &Health, room: impl FnOnce() -> bool) -> Option<u64> {
        let until = self.until.load(Ordering::Relaxed);
        if health.failures_max == 0 || now < until {
            // What was on its way when it was ejected is not counted again.
            return None;
        }
        let failures = self.failures.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        if failures < health.failures_max || !room() {
            return None;
        }
        let again = self.again.load(Ordering::Relaxed);
        let was_well = until == 0 || now - until > length(health, again);
        let again = if was_well { 0 } else { again.saturating_add(1) };
        let length = length(health, again);
        // Only one of several threads that see the same failures ejects it.
        self.until.compare_exchange(until, now + length, Ordering::Relaxed, Ordering::Relaxed).ok()?;
        self.again.store(again, Ordering::Relaxed);
        self.total.fetch_add(1, Ordering::Relaxed);
        // Once it is back, one more failure is enough; a success clears it.
        self.failures.store(health.failures_max - 1, Ordering::Relaxed);
        Some(length)
    }
}

fn length(health: &Health, again: u32) -> u64 {
    const DOUBLINGS_MAX: u32 = 20;
    let millis = |duration: std::time::Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX / 2);
    let length = millis(health.eject_for).saturating_mul(1 << again.min(DOUBLINGS_MAX));
    length.min(millis(health.eject_for_max)).max(1)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn health() -> Health {
        Health {
            failures_max: 3,
            eject_for: Duration::from_millis(100),
            eject_for_max: Duration::from_millis(300),
            ..Health::default()
        }
    }

    #[test]
    fn failures_in_a_row_eject_and_a_success_between_them_does_not() {
        let ejection = Ejection::default();
        let fail = |now| ejection.failed(now, &health(), || true);
        assert_eq!((fail(1), fail(1)), (None, None));
        ejection.succeeded();
        assert_eq!((fail(2), fail(2), fail(2)), (None, None, Some(100)));
        assert!(ejection.is_out(101) && !ejection.is_out(102));
        assert_eq!(ejection.total(), 1);
    }

    #[test]
    fn one_that_fails_again_soon_is_left_alone_for_longer() {
        let ejection = Ejection::default();
        let fail = |now| ejection.failed(now, &health(), || true);
        assert_eq!((fail(0), fail(0), fail(0)), (None, None, Some(100)));
        // Back at 100: one failure is enough now.
        assert_eq!(fail(110), Some(200));
        assert_eq!(fail(315), Some(300), "it is bounded");
        assert_eq!(fail(620), Some(300));
        // It was well for as long as it had been out.
        ejection.succeeded();
        assert_eq!((fail(5_000), fail(5_000), fail(5_000)), (None, None, Some(100)));
    }

    #[test]
    fn what_fails_while_it_is_out_is_not_counted() {
        let ejection = Ejection::default();
        let fail = |now| ejection.failed(now, &health(), || true);
        assert_eq!((fail(0), fail(0), fail(0)), (None, None, Some(100)));
        assert_eq!(fail(50), None);
        assert!(!ejection.is_out(100));
    }

    #[test]
    fn without_room_it_stays() {
        let ejection = Ejection::default();
        for _ in 0..10 {
            assert_eq!(ejection.failed(0, &health(), || false), None);
        }
        assert!(!ejection.is_out(0));
        assert_eq!(ejection.failed(0, &health(), || true), Some(100));
        let never = Health { failures_max: 0, ..health() };
        assert_eq!(Ejection::default().failed(0, &never, || true), None);
    }
}
