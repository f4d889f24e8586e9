//! How long clients wait.

use super::*;

#[test]
fn a_slower_candidate_fails_and_one_that_may_be_slower_is_inconclusive() {
    let slow = |control: u32, candidate: u32| {
        let mut case = Case::clean();
        case.observed.latencies = vec![pair(control, candidate, Side::Control); 50];
        case
    };
    assert_eq!(slow(1_000, 5_900).codes(), [], "5 ms more are allowed");
    assert!(slow(1_000, 6_100).only(Code::Slower).contains("+5.10 ms"));
    assert_eq!(slow(100_000, 119_000).codes(), [], "a fifth more is allowed");
    slow(100_000, 121_000).only(Code::Slower);
    let mut unsure = slow(1_000, 1_000);
    for (n, pair) in unsure.observed.latencies.iter_mut().enumerate() {
        pair.candidate_us = if n % 2 == 0 { 1_000 } else { 60_000 };
    }
    unsure.only(Code::LatencyUnknown);
    unsure.policy.base.latency = Demand::State;
    assert_eq!(unsure.codes(), []);
    let mut few = slow(1_000, 1_000);
    few.observed.latencies.truncate(5);
    assert_eq!(few.judge().reasons[0].meter.unwrap().to_string(), "5 of 6 pairs");
}

#[test]
fn in_a_canary_the_tail_that_clients_wait_for_is_judged() {
    let mut case = Case::clean();
    case.standing.stage = Stage::Canary(Weight::new(5_000).unwrap());
    let slow_tail = |n: u32| if n.is_multiple_of(10) { 500_000 } else { 1_000 };
    let half = |n, side| match side {
        Side::Control => pair(1_000, 1_000, side),
        Side::Candidate => pair(1_000, slow_tail(n), side),
    };
    case.observed.latencies =
        (0..1_000).map(|n| half(n / 2, if n % 2 == 0 { Side::Control } else { Side::Candidate })).collect();
    let ruling = case.judge();
    let slower: Vec<_> = ruling.reasons.iter().map(|reason| reason.sentence.as_str()).collect();
    assert_eq!(slower.len(), 2, "p95 and p99, and not the median: {ruling}");
    assert!(slower[0].contains("its p95 lies between") && slower[0].contains("500 ms"), "{slower:?}");
}
