//! Distribution-free intervals for quantiles, from order statistics.
//!
//! H. A. David, H. N. Nagaraja, *Order Statistics*, 3rd ed., §7.1: the number of samples below the true q-quantile is
//! binomial, whatever the samples are distributed like.

/// An interval that covers the true quantile with at least the confidence asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval<T> {
    pub low: T,
    pub estimate: T,
    pub high: T,
}

/// The interval for the `q`-quantile of sorted samples, or `None` where there are too few for it: the interval would
/// have to reach beyond the smallest or the largest of them.
///
/// # Panics
///
/// In debug builds, where the samples are not sorted.
pub fn interval<T: PartialOrd + Copy>(sorted: &[T], q: f64, confidence: f64) -> Option<Interval<T>> {
    debug_assert!(sorted.is_sorted(), "samples must be sorted");
    let (low, high) = ranks(sorted.len(), q, confidence)?;
    let middle = ((q * sorted.len() as f64).ceil() as usize).clamp(1, sorted.len());
    Some(Interval { low: sorted[low - 1], estimate: sorted[middle - 1], high: sorted[high - 1] })
}

/// The ranks (from 1) of the two samples between which the quantile lies, with half of the error on each side.
fn ranks(n: usize, q: f64, confidence: f64) -> Option<(usize, usize)> {
    if n == 0 || !(0.0 < q && q < 1.0) || !(0.0 < confidence && confidence < 1.0) {
        return None;
    }
    let tail = (1.0 - confidence) / 2.0;
    // P(X_(low) > quantile) = P(B <= low - 1) <= tail, and P(X_(high) < quantile) = P(B >= high) <= tail, B ~ Bin(n, q).
    let (mut low, mut high) = (None, None);
    let mut cumulative = 0.0;
    for (k, p) in binomial(n, q).enumerate() {
        cumulative += p;
        if cumulative <= tail {
            low = Some(k + 1);
        }
        if high.is_none() && 1.0 - cumulative <= tail {
            high = Some(k + 1);
        }
    }
    Some((low?, high.filter(|high| *high <= n)?))
}

/// The probabilities of 0..=n successes, by logarithms so that large n neither under- nor overflow.
fn binomial(n: usize, q: f64) -> impl Iterator<Item = f64> {
    let (log_q, log_rest) = (q.ln(), (1.0 - q).ln());
    let mut log_choose = 0.0;
    (0..=n).map(move |k| {
        if k > 0 {
            log_choose += ((n - k + 1) as f64).ln() - (k as f64).ln();
        }
        (log_choose + k as f64 * log_q + (n - k) as f64 * log_rest).exp()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_few_samples_give_no_interval() {
        let few: Vec<u64> = (0..50).collect();
        assert_eq!(interval(&few, 0.99, 0.95), None, "50 samples say nothing of a p99");
        assert_eq!(interval::<u64>(&[], 0.5, 0.95), None);
        assert!(interval(&few, 0.5, 0.95).is_some());
    }

    /// Known from tables: for n = 20 the 95 % interval of the median is (6th, 15th).
    #[test]
    fn the_median_of_twenty_lies_between_the_6th_and_the_15th() {
        assert_eq!(ranks(20, 0.5, 0.95), Some((6, 15)));
    }

    #[test]
    fn an_interval_covers_the_true_quantile_as_often_as_it_says() {
        let (seed, rounds, n) = (5, 2_000, 800);
        let mut rng = fastrand::Rng::with_seed(seed);
        for q in [0.5, 0.95, 0.99] {
            let covered = (0..rounds)
                .filter(|_| {
                    let mut samples: Vec<f64> = (0..n).map(|_| rng.f64()).collect();
                    samples.sort_by(f64::total_cmp);
                    let interval = interval(&samples, q, 0.95).expect("800 samples are enough");
                    interval.low <= q && q <= interval.high
                })
                .count();
            let share = covered as f64 / f64::from(rounds);
            assert!(share > 0.94, "seed {seed}, q {q}: covered {share}");
        }
    }

    #[test]
    fn a_million_samples_neither_under_nor_overflow() {
        let (low, high) = ranks(1_000_000, 0.99, 0.95).expect("a million samples are enough");
        assert!((989_000..990_000).contains(&low) && (990_000..991_000).contains(&high), "{low} {high}");
    }
}
