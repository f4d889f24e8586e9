//! When an address that keeps failing is left alone for a while.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use super::config::Health;

/// What the requests of one kind have met at one address. Shared by all threads; written only where something fails
/// or has failed. Times are milliseconds since the upstream was started.
#[derive(Debug, Default)]
pub(super) struct Ejection {
    /// In a row.
    failures: AtomicU32,
    /// It is left alone, and asked at this time how it is; 0 when it is in use.
    due: AtomicU64,
    /// When it last came back.
    back: AtomicU64,
    /// How often in a row it failed again soon after it had come back.
    again: AtomicU32,
    /// Since the start.
    total: AtomicU64,
}

impl Ejection {
    pub(super) fn is_out(&self) -> bool {
        self.due.load(Ordering::Relaxed) != 0
    }

    /// When it is to be asked how it is, if it is left alone.
    pub(super) fn due(&self) -> Option<u64> {
        Some(self.due.load(Ordering::Relaxed)).filter(|due| *due != 0)
    }

    /// It is well, and gets requests again.
    pub(super) fn come_back(&self, now: u64) {
        self.back.store(now, Ordering::Relaxed);
        self.due.store(0, Ordering::Relaxed);
    }

    /// It is not well yet. For how many milliseconds it is left alone.
    pub(super) fn stay_out(&self, now: u64, health: &Health) -> u64 {
        let again = self.again.load(Ordering::Relaxed).saturating_add(1);
        let length = length(health, again);
        self.again.store(again, Ordering::Relaxed);
        self.due.store(now + length, Ordering::Relaxed);
        length
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
        if health.failures_max == 0 || self.is_out() {
            // What was on its way when it was ejected is not counted again.
            return None;
        }
        let failures = self.failures.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        if failures < health.failures_max || !room() {
            return None;
        }
        let again = self.again.load(Ordering::Relaxed);
        let well_for = now.saturating_sub(self.back.load(Ordering::Relaxed));
        let was_well = self.total() == 0 || well_for > length(health, again);
        let again = if was_well { 0 } else { again.saturating_add(1) };
        let length = length(health, again);
        // Only one of several threads that see the same failures ejects it.
        self.due.compare_exchange(0, now + length, Ordering::Relaxed, Ordering::Relaxed).ok()?;
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
        assert_eq!((ejection.is_out(), ejection.due()), (true, Some(102)));
        assert_eq!(ejection.total(), 1);
        ejection.come_back(103);
        assert!(!ejection.is_out());
    }

    #[test]
    fn one_that_fails_again_soon_is_left_alone_for_longer() {
        let ejection = Ejection::default();
        let fail = |now| ejection.failed(now, &health(), || true);
        assert_eq!((fail(0), fail(0), fail(0)), (None, None, Some(100)));
        ejection.come_back(100);
        // One failure is enough now.
        assert_eq!(fail(110), Some(200));
        ejection.come_back(310);
        assert_eq!(fail(315), Some(300), "it is bounded");
        ejection.come_back(615);
        assert_eq!(fail(620), Some(300));
        ejection.come_back(920);
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
        assert_eq!(fail(5_000), None);
        assert_eq!(ejection.due(), Some(100));
    }

    #[test]
    fn one_that_is_not_well_when_it_is_asked_stays_out_for_longer() {
        let ejection = Ejection::default();
        let fail = |now| ejection.failed(now, &health(), || true);
        assert_eq!((fail(0), fail(0), fail(0)), (None, None, Some(100)));
        assert_eq!(ejection.stay_out(100, &health()), 200);
        assert_eq!(ejection.due(), Some(300));
        assert_eq!(ejection.stay_out(300, &health()), 300, "it is bounded");
        assert_eq!(ejection.total(), 1, "it was ejected once");
        ejection.come_back(600);
        assert_eq!(fail(610), Some(300));
    }

    #[test]
    fn without_room_it_stays() {
        let ejection = Ejection::default();
        for _ in 0..10 {
            assert_eq!(ejection.failed(0, &health(), || false), None);
        }
        assert!(!ejection.is_out());
        assert_eq!(ejection.failed(0, &health(), || true), Some(100));
        let never = Health { failures_max: 0, ..health() };
        assert_eq!(Ejection::default().failed(0, &never, || true), None);
    }
}
