//! Paired latencies in a few numbers.

use std::time::Duration;

use crate::store::LatencyPair;

/// Of the newest comparisons that were kept: not of all requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Latency {
    pub pairs: usize,
    pub control: Quantiles,
    pub candidate: Quantiles,
    /// The median of candidate minus control, exchange by exchange, in microseconds.
    pub median_difference_us: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quantiles {
    pub p50: Duration,
    pub p95: Duration,
    pub p99: Duration,
}

impl Latency {
    /// `None` without pairs.
    pub fn of(pairs: &[LatencyPair]) -> Option<Self> {
        if pairs.is_empty() {
            return None;
        }
        let side = |of: fn(&LatencyPair) -> u32| Quantiles::of(pairs.iter().map(of).collect());
        let mut differences: Vec<i64> =
            pairs.iter().map(|pair| i64::from(pair.candidate_us) - i64::from(pair.control_us)).collect();
        differences.sort_unstable();
        Some(Self {
            pairs: pairs.len(),
            control: side(|pair| pair.control_us),
            candidate: side(|pair| pair.candidate_us),
            median_difference_us: nearest_rank(&differences, 50),
        })
    }
}

impl Quantiles {
    fn of(mut micros: Vec<u32>) -> Self {
        micros.sort_unstable();
        let at = |percent| Duration::from_micros(u64::from(nearest_rank(&micros, percent)));
        Self { p50: at(50), p95: at(95), p99: at(99) }
    }
}

/// The smallest value that at least this share of them does not exceed.
fn nearest_rank<T: Copy>(sorted: &[T], percent: usize) -> T {
    sorted[(sorted.len() * percent).div_ceil(100).saturating_sub(1)]
}

/// Three places are enough for a person: `1.23 ms`, `812 µs`.
pub fn shown(latency: Duration) -> String {
    let micros = latency.as_micros();
    match micros {
        0..1_000 => format!("{micros} µs"),
        1_000..10_000 => format!("{:.2} ms", micros as f64 / 1e3),
        10_000..1_000_000 => format!("{:.0} ms", micros as f64 / 1e3),
        _ => format!("{:.2} s", micros as f64 / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_values_that_were_measured() {
        let answered_by = crate::exchange::Side::Control;
        let pairs: Vec<_> =
            (1..=100).map(|n| LatencyPair { control_us: n, candidate_us: 101 - n, answered_by }).collect();
        let latency = Latency::of(&pairs).unwrap();
        let micros = [latency.control.p50, latency.control.p95, latency.candidate.p99].map(|d| d.as_micros());
        assert_eq!(micros, [50, 95, 99]);
        assert_eq!(latency.median_difference_us, -1);
        assert_eq!(Latency::of(&[]), None);
        let one = Latency::of(&pairs[..1]).unwrap();
        assert_eq!(one.control.p99.as_micros(), 1);
    }

    #[test]
    fn a_latency_has_the_unit_that_suits_it() {
        for (micros, text) in [(812, "812 µs"), (1234, "1.23 ms"), (45_600, "46 ms"), (2_500_000, "2.50 s")]
        {
            assert_eq!(shown(Duration::from_micros(micros)), text);
        }
    }
}
