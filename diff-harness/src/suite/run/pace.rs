//! At most so many requests a second, over all workers.

use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

/// Gives out moments at which a step may be sent, evenly spaced.
#[derive(Debug)]
pub(super) struct Pace {
    interval: Duration,
    next: Mutex<Instant>,
}

impl Pace {
    /// `rate` is in steps a second.
    pub(super) fn new(rate: f64) -> Self {
        Self { interval: Duration::from_secs_f64(1.0 / rate), next: Mutex::new(Instant::now()) }
    }

    /// The next free moment. A pace that fell behind does not hurry to catch up.
    pub(super) fn reserve(&self) -> Instant {
        let mut next = self.next.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let moment = (*next).max(Instant::now());
        *next = moment + self.interval;
        moment
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_evenly_spaced() {
        let pace = Pace::new(0.001);
        let first = pace.reserve();
        let second = pace.reserve();
        assert_eq!(second - first, Duration::from_secs(1000));
    }
}
