//! Wald's sequential probability ratio test on the rate of mismatches.
//!
//! A. Wald, *Sequential Tests of Statistical Hypotheses*, Annals of Mathematical Statistics 16 (1945). Unlike a
//! bound made for a fixed number of samples, it may be looked at after every comparison without spoiling the
//! error rates that it claims.

use std::fmt;

/// The hypotheses and the errors allowed: promote at a mismatch rate of `p0` or less, reject at `p1` or more.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sprt {
    p0: f64,
    p1: f64,
    alpha: f64,
    beta: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Decision {
    /// The rate is `p0` or less, with a chance of at most about β to say so at `p1`.
    Promote,
    /// The rate is `p1` or more, with a chance of at most about α to say so at `p0`.
    Reject,
    /// Not yet known.
    Continue,
}

#[derive(Debug, thiserror::Error, PartialEq)]
pub enum SprtError {
    #[error("the mismatch rates must satisfy 0 < p0 < p1 < 1, got p0 = {p0} and p1 = {p1}")]
    Rates { p0: f64, p1: f64 },
    #[error("α and β must each lie between 0 and 0.5, got α = {alpha} and β = {beta}")]
    Errors { alpha: f64, beta: f64 },
}

impl Default for Sprt {
    /// p0 = 0.1 %, p1 = 1 %, α = β = 5 %.
    fn default() -> Self {
        Self { p0: 0.001, p1: 0.01, alpha: 0.05, beta: 0.05 }
    }
}

impl fmt::Display for Sprt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { p0, p1, alpha, beta } = self;
        write!(
            f,
            "p0 {} %, p1 {} %, α {} %, β {} %",
            percent(*p0),
            percent(*p1),
            percent(*alpha),
            percent(*beta)
        )
    }
}

/// Four significant places at most, without the dust of binary fractions.
fn percent(share: f64) -> f64 {
    (share * 1e6).round() / 1e4
}

impl Sprt {
    pub fn new(p0: f64, p1: f64, alpha: f64, beta: f64) -> Result<Self, SprtError> {
        // Written so that a NaN is refused as well.
        if !(p0 > 0.0 && p0 < p1 && p1 < 1.0) {
            return Err(SprtError::Rates { p0, p1 });
        }
        if !(alpha > 0.0 && alpha < 0.5 && beta > 0.0 && beta < 0.5) {
            return Err(SprtError::Errors { alpha, beta });
        }
        Ok(Self { p0, p1, alpha, beta })
    }

    /// The rate that promotion is meant for, as a share.
    pub fn p0(&self) -> f64 {
        self.p0
    }

    /// The rate that must not be promoted, as a share.
    pub fn p1(&self) -> f64 {
        self.p1
    }

    /// The chance, as a share, to reject at `p0`.
    pub fn alpha(&self) -> f64 {
        self.alpha
    }

    /// The chance, as a share, to promote at `p1`.
    pub fn beta(&self) -> f64 {
        self.beta
    }

    /// The same test as one of several, each with its part of α.
    pub fn one_of(&self, tests: usize) -> Self {
        Self { alpha: self.alpha / tests.max(1) as f64, ..*self }
    }

    /// The log likelihood ratio of `p1` against `p0` after `mismatches` among `compared`.
    pub fn score(&self, compared: u64, mismatches: u64) -> f64 {
        debug_assert!(mismatches <= compared, "{mismatches} mismatches among {compared}");
        let matches = compared.saturating_sub(mismatches);
        mismatches as f64 * self.mismatch_step() + matches as f64 * self.match_step()
    }

    /// The scores at which the test promotes (at or below) and rejects (at or above).
    pub fn bounds(&self) -> (f64, f64) {
        (self.promote_at(), self.reject_at())
    }

    pub fn decide(&self, compared: u64, mismatches: u64) -> Decision {
        let score = self.score(compared, mismatches);
        if score <= self.promote_at() {
            Decision::Promote
        } else if score >= self.reject_at() {
            Decision::Reject
        } else {
            Decision::Continue
        }
    }

    /// How many more comparisons without a mismatch would lead to promotion; 0 when that is already decided.
    pub fn clean_needed(&self, compared: u64, mismatches: u64) -> u64 {
        let above = self.score(compared, mismatches) - self.promote_at();
        if above <= 0.0 { 0 } else { (above / -self.match_step()).ceil() as u64 }
    }

    /// The chance that the test ends in promotion when the true rate is `p` (Wald's operating characteristic, which
    /// neglects the overshoot of the last step).
    pub fn chance_to_promote(&self, p: f64) -> f64 {
        let h = self.wald_h(p);
        let (a, b) = (self.reject_at(), self.promote_at());
        if h.abs() < 1e-9 {
            return a / (a - b);
        }
        // (A^h - 1) / (A^h - B^h), kept finite for large h.
        if h > 0.0 {
            (1.0 - (-a * h).exp()) / (1.0 - ((b - a) * h).exp())
        } else {
            ((a * h).exp() - 1.0) / ((a * h).exp() - (b * h).exp())
        }
    }

    /// How many comparisons the test takes on average when the true rate is `p` (Wald's approximation).
    pub fn expected_comparisons(&self, p: f64) -> f64 {
        let (a, b) = (self.reject_at(), self.promote_at());
        let drift = p * self.mismatch_step() + (1.0 - p) * self.match_step();
        if drift.abs() < 1e-9 {
            let variance =
                p * self.mismatch_step().powi(2) + (1.0 - p) * self.match_step().powi(2) - drift.powi(2);
            return -a * b / variance;
        }
        let promoted = self.chance_to_promote(p);
        (promoted * b + (1.0 - promoted) * a) / drift
    }

    fn mismatch_step(&self) -> f64 {
        (self.p1 / self.p0).ln()
    }

    fn match_step(&self) -> f64 {
        ((1.0 - self.p1) / (1.0 - self.p0)).ln()
    }

    fn promote_at(&self) -> f64 {
        (self.beta / (1.0 - self.alpha)).ln()
    }

    fn reject_at(&self) -> f64 {
        ((1.0 - self.beta) / self.alpha).ln()
    }

    /// Wald's h: the exponent with p·e^{h·u} + (1−p)·e^{h·v} = 1 for the two steps u and v, other than 0. It falls
    /// as p grows, from +∞ at p = 0; it is 1 at p0 and −1 at p1.
    fn wald_h(&self, p: f64) -> f64 {
        let (u, v) = (self.mismatch_step(), self.match_step());
        let rate_of = |h: f64| {
            if h.abs() < 1e-9 {
                -v / (u - v)
            } else {
                // (1 − e^{hv}) / (e^{hu} − e^{hv}), both sides divided by what would overflow.
                let numerator = -(h * v).exp_m1();
                let denominator = (h * u).exp_m1() - (h * v).exp_m1();
                if denominator.is_infinite() { 0.0 } else { numerator / denominator }
            }
        };
        let (mut low, mut high) = (-200.0_f64, 200.0_f64);
        for _ in 0..200 {
            let middle = f64::midpoint(low, high);
            if rate_of(middle) > p { low = middle } else { high = middle }
        }
        f64::midpoint(low, high)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One stream of comparisons at a true rate, until the test decides.
    fn run(sprt: &Sprt, rate: f64, rng: &mut fastrand::Rng, most: u64) -> (Decision, u64) {
        let mut mismatches = 0;
        for n in 1..=most {
            mismatches += u64::from(rng.f64() < rate);
            match sprt.decide(n, mismatches) {
                Decision::Continue => {}
                decided => return (decided, n),
            }
        }
        (Decision::Continue, most)
    }

    #[test]
    fn a_clean_endpoint_passes_after_326_comparisons_by_default() {
        let sprt = Sprt::default();
        assert_eq!(sprt.clean_needed(0, 0), 326);
        assert_eq!(sprt.decide(325, 0), Decision::Continue);
        assert_eq!(sprt.decide(326, 0), Decision::Promote);
        assert_eq!(sprt.clean_needed(326, 0), 0);
    }

    #[test]
    fn nothing_compared_decides_nothing() {
        assert_eq!(Sprt::default().decide(0, 0), Decision::Continue);
    }

    #[test]
    fn each_mismatch_costs_as_many_clean_comparisons_as_it_weighs() {
        let sprt = Sprt::default();
        let one = sprt.clean_needed(100, 1);
        assert!(one > sprt.clean_needed(100, 0) + 200, "{one}");
        assert_eq!(sprt.decide(100 + one, 1), Decision::Promote);
        assert_eq!(sprt.decide(100 + one - 1, 1), Decision::Continue);
    }

    #[test]
    fn impossible_hypotheses_are_refused() {
        for (p0, p1) in [(0.0, 0.1), (0.1, 0.1), (0.2, 0.1), (0.1, 1.0), (f64::NAN, 0.1), (0.1, f64::NAN)] {
            assert!(Sprt::new(p0, p1, 0.05, 0.05).is_err(), "{p0} {p1}");
        }
        for (alpha, beta) in [(0.0, 0.05), (0.05, 0.5), (f64::NAN, 0.05), (0.05, -1.0)] {
            assert!(Sprt::new(0.001, 0.01, alpha, beta).is_err(), "{alpha} {beta}");
        }
    }

    /// The chance to promote at p1 is claimed to be at most β/(1−α) = 5.26 %, and to reject at p0 likewise.
    #[test]
    fn the_error_rates_are_those_claimed_over_10_000_streams() {
        let (sprt, seed, streams) = (Sprt::default(), 7, 10_000);
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut share = |rate: f64, of: Decision| {
            let hits = (0..streams).filter(|_| run(&sprt, rate, &mut rng, u64::MAX).0 == of).count();
            hits as f64 / f64::from(streams)
        };
        let promoted_wrongly = share(sprt.p1, Decision::Promote);
        let rejected_wrongly = share(sprt.p0, Decision::Reject);
        println!("seed {seed}: promoted at p1 {promoted_wrongly:.4}, rejected at p0 {rejected_wrongly:.4}");
        assert!((0.03..0.06).contains(&promoted_wrongly), "seed {seed}: {promoted_wrongly}");
        assert!((0.005..0.06).contains(&rejected_wrongly), "seed {seed}: {rejected_wrongly}");
    }

    /// Why not a plain bound: looked at after every comparison, a 95 % bound for a fixed n lets far more than 5 % of
    /// the bad endpoints through.
    #[test]
    fn a_fixed_bound_that_is_peeked_at_promotes_far_too_often() {
        let (p1, seed, streams) = (0.01_f64, 7, 2_000);
        let mut rng = fastrand::Rng::with_seed(seed);
        // P(X <= k) for X ~ Binomial(n, p1), summed from its recurrence.
        let at_most = |k: u64, n: u64| {
            let mut term = (1.0 - p1).powf(n as f64);
            let mut sum = term;
            for i in 0..k {
                term *= (n - i) as f64 / (i + 1) as f64 * p1 / (1.0 - p1);
                sum += term;
            }
            sum
        };
        let promoted = (0..streams)
            .filter(|_| {
                let mut mismatches = 0;
                (1..=3_000).any(|n| {
                    mismatches += u64::from(rng.f64() < p1);
                    at_most(mismatches, n) <= 0.05
                })
            })
            .count();
        let share = promoted as f64 / f64::from(streams);
        println!("seed {seed}: peeking at a fixed bound promotes {share:.4} at p1");
        assert!(share > 0.10, "seed {seed}: {share}");
    }

    /// Decisions and sample sizes of a simulated fleet against theory: shares within 5 points, and sizes that
    /// exceed it by at most 60 % (Wald's approximation neglects that the last step overshoots its bound).
    #[test]
    fn a_fleet_decides_as_the_theory_says() {
        let (sprt, seed, streams) = (Sprt::default(), 11, 2_000_u32);
        let mut rng = fastrand::Rng::with_seed(seed);
        println!("true rate  promoted (theory)   comparisons (theory)");
        for rate in [0.0, 0.0005, 0.005, 0.01, 0.05] {
            let runs: Vec<_> = (0..streams).map(|_| run(&sprt, rate, &mut rng, 1_000_000)).collect();
            let promoted = runs.iter().filter(|(decision, _)| *decision == Decision::Promote).count();
            let share = promoted as f64 / f64::from(streams);
            let mean = runs.iter().map(|(_, n)| *n as f64).sum::<f64>() / f64::from(streams);
            let (want_share, want_mean) = (sprt.chance_to_promote(rate), sprt.expected_comparisons(rate));
            println!(
                "{:>8.2}%  {share:.3} ({want_share:.3})       {mean:>7.0} ({want_mean:.0})",
                rate * 100.0
            );
            assert!(
                (share - want_share).abs() < 0.05,
                "seed {seed}, rate {rate}: {share} against {want_share}"
            );
            let ratio = mean / want_mean;
            assert!((0.95..1.6).contains(&ratio), "seed {seed}, rate {rate}: {mean} against {want_mean}");
        }
    }
}
