//! Which move is asked for, and from where.

use super::*;

#[test]
fn no_force_overrides_a_fallback_and_a_pause_only_fails() {
    let held = |hold, to| {
        let mut case = Case::clean();
        (case.standing.hold, case.to) = (hold, to);
        case.judge()
    };
    let fallback = held(Hold::Fallback, Stage::Live);
    assert_eq!((fallback.answer, fallback.unforceable().count()), (GateAnswer::Fail, 1));
    assert!(!held(Hold::Fallback, Stage::Shadow).answer.passed());
    let paused = held(Hold::Paused, Stage::Live);
    assert_eq!((paused.answer, paused.unforceable().count()), (GateAnswer::Fail, 0));
}

#[test]
fn a_stage_without_candidate_answers_takes_no_more_than_a_candidate() {
    for to in [Stage::Shadow, Stage::Record, Stage::Verify] {
        let mut case = Case::nothing();
        (case.to, case.groups) = (to, vec![group(Severity::Exposure, State::New)]);
        assert_eq!(case.codes(), []);
        case.candidate = Err("connection refused");
        assert!(case.only(Code::Unreachable).contains("connection refused"));
    }
    for to in [Stage::Canary(Weight::new(100).unwrap()), Stage::Live, Stage::Soak, Stage::Retired] {
        let mut case = Case::nothing();
        case.to = to;
        assert!(!case.judge().answer.passed(), "{to}");
    }
}

#[test]
fn live_soaks_after_a_quiet_day_and_a_fallback_begins_it_anew() {
    let mut case = Case::clean();
    (case.standing.stage, case.to) = (Stage::Live, Stage::Soak);
    case.since = UnixMillis(NOW.0 - 86_400_000);
    assert_eq!(case.codes(), []);
    case.last_fallback = Some(UnixMillis(NOW.0 - 3_600_000));
    let sentence = case.only(Code::NotQuiet);
    assert_eq!(sentence, "quiet for 1 h since its last fallback at live, of the 1 d that it takes");
    assert_eq!(case.judge().reasons[0].meter.unwrap().to_string(), "1 h of 1 d");
    case.policy.base.quiet_live = Duration::from_secs(5);
    assert_eq!(case.codes(), []);
    (case.policy.base.quiet_live, case.standing.stage) = (Duration::from_secs(5), Stage::Shadow);
    case.only(Code::NotQuiet);
}

#[test]
fn what_soaks_is_retired_by_time_alone_for_nothing_is_compared_any_more() {
    let mut case = Case::nothing();
    (case.standing.stage, case.to, case.since) = (Stage::Soak, Stage::Retired, UnixMillis(0));
    case.policy.base.quiet_soak = Duration::from_secs(100_000);
    assert_eq!(case.codes(), []);
    case.groups = vec![group(Severity::Exposure, State::New)];
    assert_eq!(case.codes(), [Code::OpenExposure]);
}

#[test]
fn control_that_steps_in_too_often_fails_the_way_out_of_live() {
    let mut case = Case::clean();
    (case.standing.stage, case.to) = (Stage::Live, Stage::Soak);
    case.observed.tally.fallbacks = 3;
    case.observed.tally.answered_candidate = 97;
    assert!(case.only(Code::Fallbacks).starts_with("control answered 3 of 100 requests"));
    case.observed.tally.answered_candidate = 9_997;
    assert_eq!(case.codes(), [], "1 of 1,000 is allowed");
}

#[test]
fn a_tier_asks_for_what_it_says() {
    let mut case = Case::clean();
    let sprt = Sprt::new(0.000_05, 0.000_5, 0.05, 0.05).unwrap();
    case.policy.tiers = vec![Tier {
        name: "high-volume".into(),
        endpoints: vec!["GET /a/*".parse().unwrap()],
        demands: Demands { sprt, ..Demands::default() },
    }];
    assert_eq!(case.only(Code::Comparisons), "comparisons: 1,000 of the 6,542 that it takes");
    assert_eq!(case.judge().tier, "high-volume");
}
