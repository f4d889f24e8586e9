//! What the candidate did lately, counted without a lock.

use std::sync::atomic::{AtomicU64, Ordering};

/// A ring of short stretches of time. Adding is one load and one addition.
#[derive(Debug, Default)]
pub struct Window {
    buckets: [AtomicU64; Window::BUCKETS as usize],
}

/// How often the candidate was asked lately, and how often it failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recent {
    pub asked: u64,
    pub failed: u64,
}

/// One bucket in one word: the low bits of its tick, how often it was asked, how often it failed.
const COUNT_BITS: u32 = 20;
const COUNT_MAX: u64 = (1 << COUNT_BITS) - 1;
const TICK_BITS: u32 = 64 - 2 * COUNT_BITS;
const TICK_MASK: u64 = (1 << TICK_BITS) - 1;

impl Window {
    /// Ticks that a window has.
    pub const BUCKETS: u64 = 10;

    /// Counts one request at this tick; ticks only ever grow.
    pub fn add(&self, tick: u64, failed: bool) {
        self.put(tick, 1, u64::from(failed));
    }

    /// A request that was counted as answered failed after all: its body broke off.
    pub fn add_late_failure(&self, tick: u64) {
        self.put(tick, 0, 1);
    }

    /// The last [`BUCKETS`](Self::BUCKETS) ticks up to this one.
    pub fn recent(&self, tick: u64) -> Recent {
        let mut recent = Recent::default();
        for bucket in &self.buckets {
            let word = bucket.load(Ordering::Relaxed);
            if age(tick, word) < Self::BUCKETS {
                recent.asked += asked_of(word);
                recent.failed += failed_of(word);
            }
        }
        // A failure that came late may stand in a later bucket than its request.
        recent.asked = recent.asked.max(recent.failed);
        recent
    }

    pub fn clear(&self) {
        for bucket in &self.buckets {
            bucket.store(0, Ordering::Relaxed);
        }
    }

    fn put(&self, tick: u64, asked: u64, failed: u64) {
        let bucket = &self.buckets[(tick % Self::BUCKETS) as usize];
        let more = (asked << COUNT_BITS) | failed;
        let mut word = bucket.load(Ordering::Relaxed);
        loop {
            // A bucket that is ahead of this thread's clock takes it as well.
            let is_old = age(tick, word) != 0 && age(tick, word) <= TICK_MASK / 2;
            if !is_old && asked_of(word) < COUNT_MAX - 1 && failed_of(word) < COUNT_MAX - 1 {
                bucket.fetch_add(more, Ordering::Relaxed);
                return;
            }
            let next = if is_old {
                ((tick & TICK_MASK) << (2 * COUNT_BITS)) | more
            } else {
                // Halved: what counts of a full bucket is its share.
                let (asked, failed) = (asked_of(word) / 2 + asked, failed_of(word) / 2 + failed);
                (word & (TICK_MASK << (2 * COUNT_BITS))) | (asked << COUNT_BITS) | failed
            };
            match bucket.compare_exchange_weak(word, next, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return,
                Err(now) => word = now,
            }
        }
    }
}

/// Ticks between a bucket's and this one, modulo what a bucket remembers of its tick.
fn age(tick: u64, word: u64) -> u64 {
    tick.wrapping_sub(word >> (2 * COUNT_BITS)) & TICK_MASK
}

fn asked_of(word: u64) -> u64 {
    (word >> COUNT_BITS) & COUNT_MAX
}

fn failed_of(word: u64) -> u64 {
    word & COUNT_MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: u64 = 1_000;

    #[test]
    fn what_is_older_than_the_window_is_forgotten() {
        let window = Window::default();
        for tick in START..START + 30 {
            window.add(tick, tick < START + 5);
            let here = window.recent(tick);
            assert_eq!(here.asked, (tick - START + 1).min(Window::BUCKETS), "tick {tick}");
        }
        assert_eq!(window.recent(START + 29).failed, 0);
        assert_eq!(window.recent(START + 29 + Window::BUCKETS), Recent::default());
    }

    #[test]
    fn a_thread_whose_clock_is_behind_loses_nothing() {
        let window = Window::default();
        window.add(START + 10, false);
        window.add(START, true);
        assert_eq!(window.recent(START + 10), Recent { asked: 2, failed: 1 });
    }

    #[test]
    fn a_full_bucket_keeps_its_share() {
        let window = Window::default();
        for n in 0..3_000_000_u64 {
            window.add(START, n.is_multiple_of(4));
        }
        let Recent { asked, failed } = window.recent(START);
        let share = failed as f64 / asked as f64;
        assert!(asked > 400_000 && (0.24..0.26).contains(&share), "{failed} of {asked}");
    }

    #[test]
    fn threads_that_add_at_once_lose_nothing() {
        let window = Window::default();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..10_000).for_each(|n| window.add(START, n % 2 == 0)));
            }
        });
        assert_eq!(window.recent(START), Recent { asked: 40_000, failed: 20_000 });
    }

    #[test]
    fn a_body_that_broke_off_is_a_failure_of_a_request_that_was_counted() {
        let window = Window::default();
        window.add(START, false);
        window.add_late_failure(START + 1);
        assert_eq!(window.recent(START + 1), Recent { asked: 1, failed: 1 });
    }
}
