//! When an endpoint that was good has turned bad.
//!
//! The sequential test of the gate answers once. An endpoint that clients are on is watched for as long as it is there, and
//! 100,000 good comparisons must not buy it 20,000 bad ones. So the score of the test is kept from falling below the bound
//! at which it would promote, and the question stays open: a cumulative sum (E. S. Page, *Continuous Inspection Schemes*,
//! Biometrika 41, 1954) over the same log likelihood ratio.

use super::sprt::Sprt;

/// The score of one endpoint, over comparisons in their order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Drift {
    score: f64,
    run: Run,
}

/// What the score stands on: the comparisons since it last was at its lowest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Run {
    pub compared: u64,
    pub mismatched: u64,
}

impl Drift {
    /// Adds one comparison. The run that led there when the test rejects.
    pub fn add(&mut self, sprt: &Sprt, mismatched: bool) -> Option<Run> {
        let (promote_at, reject_at) = sprt.bounds();
        self.score += sprt.score(1, u64::from(mismatched));
        self.run.compared += 1;
        self.run.mismatched += u64::from(mismatched);
        if self.score <= promote_at {
            *self = Self { score: promote_at, run: Run::default() };
        }
        (self.score >= reject_at).then_some(self.run)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Comparisons until it rejects, at a true rate, and the run it gives.
    fn until_rejected(
        drift: &mut Drift,
        rate: f64,
        rng: &mut fastrand::Rng,
        most: u64,
    ) -> Option<(u64, Run)> {
        let sprt = Sprt::default();
        (1..=most).find_map(|n| drift.add(&sprt, rng.f64() < rate).map(|run| (n, run)))
    }

    #[test]
    fn a_clean_endpoint_is_never_rejected() {
        let mut rng = fastrand::Rng::with_seed(1);
        assert_eq!(until_rejected(&mut Drift::default(), 0.0, &mut rng, 1_000_000), None);
    }

    /// What a test without a floor would be like: the good past would have to be undone first.
    #[test]
    fn a_long_good_past_buys_nothing() {
        let sprt = Sprt::default();
        let mut drift = Drift::default();
        (0..100_000).for_each(|_| assert_eq!(drift.add(&sprt, false), None));
        let every_50th = (1..).find_map(|n: u64| drift.add(&sprt, n.is_multiple_of(50)).map(|run| (n, run)));
        let (took, run) = every_50th.unwrap();
        assert!(took <= 250, "{took} comparisons at 1 wrong in 50");
        assert!(run.mismatched >= 3 && run.compared <= took, "{run:?}");
        println!("1 wrong in 50 after 100,000 good ones: rejected after {took} comparisons ({run:?})");
    }

    /// At the rate that promotion is meant for, a false alarm must be rare; at ten times that, an alarm must be quick.
    #[test]
    fn alarms_are_rare_at_p0_and_quick_at_p1_and_above() {
        const STREAMS: u32 = 200;
        let seed = 3;
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut mean = |rate: f64| {
            let sum: u64 = (0..STREAMS)
                .map(|_| until_rejected(&mut Drift::default(), rate, &mut rng, 2_000_000).unwrap().0)
                .sum();
            sum as f64 / f64::from(STREAMS)
        };
        let (at_p0, at_p1, at_2_percent) = (mean(0.001), mean(0.01), mean(0.02));
        println!(
            "seed {seed}: comparisons to an alarm: {at_p0:.0} at 0.1 %, {at_p1:.0} at 1 %, {at_2_percent:.0} at 2 %"
        );
        assert!(at_p0 > 20_000.0, "seed {seed}: {at_p0}");
        assert!(at_p1 < 600.0, "seed {seed}: {at_p1}");
        assert!(at_2_percent < 200.0, "seed {seed}: {at_2_percent}");
    }

    #[test]
    fn the_run_begins_anew_where_the_score_is_lowest() {
        let sprt = Sprt::default();
        let mut drift = Drift::default();
        (0..1_000).for_each(|_| assert_eq!(drift.add(&sprt, false), None));
        let run = (0..10).find_map(|_| drift.add(&sprt, true)).unwrap();
        assert!(run.compared < 10 && run.compared == run.mismatched, "{run:?}");
    }
}
