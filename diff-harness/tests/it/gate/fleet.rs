//! Simulated endpoints with known mismatch rates, judged by the whole gate as their comparisons come in.

use diff_harness::divergence::Severity;
use diff_harness::endpoint::EndpointId;
use diff_harness::evidence::sprt::Sprt;
use diff_harness::gate::{Code, Demands, GateAnswer, Policy, Tier};
use diff_harness::store::{MismatchTally, Observed, ShapeTally, Spread};

use super::ask;

/// Comparisons between two looks of the gate.
const LOOK_EVERY: u64 = 10;

/// How one endpoint ended, and after how many comparisons.
fn run(policy: &Policy, endpoint: &EndpointId, rate: f64, rng: &mut fastrand::Rng) -> (GateAnswer, u64) {
    const SHAPE: &str = "2xx anon json{..}";
    let (mut compared, mut mismatched, mut spread) = (0, 0, Spread::default());
    while compared < 1_000_000 {
        for _ in 0..LOOK_EVERY {
            compared += 1;
            mismatched += u64::from(rng.f64() < rate);
            spread.add(rng.u8(0..64), 1);
        }
        let mut observed = Observed {
            shapes: vec![ShapeTally {
                shape: SHAPE.to_owned(),
                compared,
                mismatched,
                spread: spread.clone(),
                ..ShapeTally::default()
            }],
            ..Observed::default()
        };
        observed.tally.matched = compared - mismatched;
        observed.tally.mismatched = mismatched;
        if mismatched > 0 {
            let tally = MismatchTally {
                shape: SHAPE.to_owned(),
                groups: Vec::new(),
                count: mismatched,
                confirmed: mismatched,
            };
            observed.mismatches.push(tally);
        }
        let ruling = ask(policy, endpoint, &observed, &[]);
        if ruling.answer.passed() || ruling.has(Code::Rejected) {
            return (ruling.answer, compared);
        }
    }
    (GateAnswer::Inconclusive, compared)
}

/// What is left to the test alone: groups that a person would have to look at do not stand in its way.
fn by_the_test(sprt: Sprt) -> Policy {
    let demands = Demands { sprt, blocking: Severity::Exposure, ..Demands::default() };
    Policy {
        base: Demands::default(),
        tiers: vec![Tier { name: "simulated".into(), endpoints: vec!["*".parse().unwrap()], demands }],
    }
}

/// `cargo test -p diff-harness --test it gate::fleet -- --nocapture` prints the table.
#[test]
fn a_fleet_is_judged_as_the_theory_says() {
    let (sprt, seed, endpoints) = (Sprt::default(), 23, 200_u32);
    let (policy, endpoint) = (by_the_test(sprt), "GET /a/{id}".parse().unwrap());
    let mut rng = fastrand::Rng::with_seed(seed);
    println!("{endpoints} endpoints each, seed {seed}, {sprt}");
    println!("true rate   pass  (theory)   comparisons  (theory)");
    for rate in [0.0, 0.0005, 0.005, 0.01, 0.05] {
        let ends: Vec<_> = (0..endpoints).map(|_| run(&policy, &endpoint, rate, &mut rng)).collect();
        assert!(ends.iter().all(|(answer, _)| *answer != GateAnswer::Inconclusive));
        let passed = ends.iter().filter(|(answer, _)| answer.passed()).count() as f64 / f64::from(endpoints);
        let mean = ends.iter().map(|(_, n)| *n as f64).sum::<f64>() / f64::from(endpoints);
        let (want, want_mean) = (sprt.chance_to_promote(rate), sprt.expected_comparisons(rate));
        println!("{:>8.2}%  {passed:.3}   ({want:.3})   {mean:>11.0}   {want_mean:>7.0}", rate * 100.0);
        // Three standard errors of a share of 200, and the overshoot that Wald's approximation neglects.
        assert!((passed - want).abs() < 0.11, "seed {seed}, rate {rate}: {passed} against {want}");
        let ratio = mean / want_mean;
        assert!((0.8..1.8).contains(&ratio), "seed {seed}, rate {rate}: {mean} against {want_mean}");
    }
}

#[test]
fn a_candidate_that_is_wrong_1_in_2000_passes_the_default_and_is_refused_at_the_high_volume_tier() {
    let (seed, endpoints) = (29, 120_u32);
    let endpoint = "GET /a/{id}".parse().unwrap();
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut passed = |sprt: Sprt| {
        let policy = by_the_test(sprt);
        let ends = (0..endpoints).map(|_| run(&policy, &endpoint, 0.0005, &mut rng));
        ends.filter(|(answer, _)| answer.passed()).count() as f64 / f64::from(endpoints)
    };
    let (default, high) =
        (passed(Sprt::default()), passed(Sprt::new(0.000_05, 0.000_5, 0.05, 0.05).unwrap()));
    println!(
        "seed {seed}: wrong 1 in 2,000 passes {default:.3} by default, {high:.3} at the high-volume tier"
    );
    assert!(default > 0.9, "seed {seed}: {default}");
    // β / (1 − α) is 5.3 %; three standard errors of a share of 120 are 6 %.
    assert!(high < 0.113, "seed {seed}: {high}");
}
