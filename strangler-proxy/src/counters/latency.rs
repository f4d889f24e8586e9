//! How long answers took, kept so that recording one costs an index and one atomic addition.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Sixteen steps per power of two: a quantile is read at most 6.25 % above the true one.
const STEP_BITS: u32 = 4;
const STEPS: usize = 1 << STEP_BITS;
/// Latencies are counted in microseconds; all from 2^27 µs (134 s) on share the last step.
const OCTAVES: u32 = 27;
const BUCKETS: usize = (OCTAVES - STEP_BITS + 1) as usize * STEPS;

/// A histogram that many threads add to at once. It takes no memory before its first latency.
#[derive(Debug, Default)]
pub struct Latencies(OnceLock<Box<[AtomicU64]>>);

impl Latencies {
    pub fn add(&self, latency: Duration) {
        let buckets = self.0.get_or_init(|| (0..BUCKETS).map(|_| AtomicU64::new(0)).collect());
        buckets[bucket_of(latency)].fetch_add(1, Ordering::Relaxed);
    }

    pub fn snapshot(&self) -> LatencySnapshot {
        let counts = self
            .0
            .get()
            .map(|buckets| buckets.iter().map(|count| count.load(Ordering::Relaxed)).collect::<Vec<_>>());
        LatencySnapshot { counts: counts.unwrap_or_default() }
    }
}

/// The latencies that were counted up to a moment. Two of them add up to one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LatencySnapshot {
    /// Empty, or one count per bucket.
    counts: Vec<u64>,
}

impl LatencySnapshot {
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The latency that a share of `share` (0 to 1) did not exceed, rounded up by at most 6.25 %. `None` while
    /// nothing was counted.
    pub fn quantile(&self, share: f64) -> Option<Duration> {
        let count = self.count();
        if count == 0 {
            return None;
        }
        // The cast truncates nothing: a share of a count is at most the count.
        let rank = ((share.clamp(0.0, 1.0) * count as f64).ceil() as u64).clamp(1, count);
        let mut below = 0;
        let bucket = self.counts.iter().position(|n| {
            below += n;
            below >= rank
        });
        bucket.map(|bucket| Duration::from_micros(upper_bound(bucket)))
    }

    /// How many were not over `bound`, to the precision of a bucket: what a Prometheus histogram asks for.
    pub fn at_most(&self, bound: Duration) -> u64 {
        let micros = u64::try_from(bound.as_micros()).unwrap_or(u64::MAX);
        let whole = |(bucket, _): &(usize, &u64)| upper_bound(*bucket) <= micros;
        self.counts.iter().enumerate().take_while(whole).map(|(_, n)| n).sum()
    }

    /// The sum of all latencies, to the precision of a bucket.
    pub fn sum(&self) -> Duration {
        let micros = self.counts.iter().enumerate().map(|(bucket, n)| upper_bound(bucket).saturating_mul(*n));
        Duration::from_micros(micros.fold(0, u64::saturating_add))
    }

    pub fn add(&mut self, other: &Self) {
        if self.counts.is_empty() {
            self.counts.clone_from(&other.counts);
            return;
        }
        for (mine, theirs) in self.counts.iter_mut().zip(&other.counts) {
            *mine += theirs;
        }
    }
}

fn bucket_of(latency: Duration) -> usize {
    let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX).min((1 << OCTAVES) - 1);
    if micros < STEPS as u64 {
        return micros as usize;
    }
    let octave = micros.ilog2();
    let step = (micros >> (octave - STEP_BITS)) as usize & (STEPS - 1);
    (octave - STEP_BITS + 1) as usize * STEPS + step
}

/// The largest number of microseconds that falls into a bucket.
fn upper_bound(bucket: usize) -> u64 {
    if bucket < STEPS {
        return bucket as u64;
    }
    let shift = (bucket / STEPS - 1) as u32;
    (((STEPS + bucket % STEPS + 1) as u64) << shift) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_latency_falls_into_a_bucket_that_is_at_most_a_sixteenth_too_wide() {
        let mut micros = 0_u64;
        while micros < 1 << OCTAVES {
            let upper = upper_bound(bucket_of(Duration::from_micros(micros)));
            assert!(upper >= micros, "{micros} µs read as {upper}");
            assert!(upper - micros <= micros / 16, "{micros} µs read as {upper}");
            micros += 1 + micros / 7;
        }
    }

    #[test]
    fn what_takes_forever_is_counted_in_the_last_bucket() {
        assert_eq!(bucket_of(Duration::MAX), BUCKETS - 1);
    }

    #[test]
    fn quantiles_are_those_of_what_was_added() {
        let latencies = Latencies::default();
        for millis in 1..=100 {
            latencies.add(Duration::from_millis(millis));
        }
        let snapshot = latencies.snapshot();
        assert_eq!(snapshot.count(), 100);
        for (share, millis) in [(0.0, 1), (0.5, 50), (0.99, 99), (1.0, 100)] {
            let read = snapshot.quantile(share).unwrap();
            let exact = Duration::from_millis(millis);
            assert!(read >= exact && read <= exact + exact / 16, "{share}: {read:?}");
        }
    }

    #[test]
    fn nothing_has_no_quantile() {
        assert_eq!(Latencies::default().snapshot().quantile(0.5), None);
    }

    #[test]
    fn snapshots_add_up() {
        let one = Latencies::default();
        one.add(Duration::from_micros(10));
        let other = Latencies::default();
        other.add(Duration::from_secs(1));
        let mut sum = LatencySnapshot::default();
        sum.add(&one.snapshot());
        sum.add(&other.snapshot());
        assert_eq!(sum.count(), 2);
        assert_eq!(sum.at_most(Duration::from_millis(1)), 1);
        assert_eq!(sum.quantile(0.5), Some(Duration::from_micros(10)));
    }
}
