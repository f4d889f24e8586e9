use std::time::Duration;

use super::*;
use crate::comparison::{DropReason, SkipReason};
use crate::divergence::{Divergence, Kind, Location, Severity};
use crate::endpoint::EndpointId;
use crate::evidence::sprt::Sprt;
use crate::exchange::Side;
use crate::fingerprint::Fingerprint;
use crate::lifecycle::{Declaration, Parameter, Standing, Weight};
use crate::redact::Redacted;
use crate::store::{
    Group, LatencyPair, MismatchTally, Moments, NegativeControl, Observed, ShapeTally, Spread,
};
use crate::triage::State;

const NOW: UnixMillis = UnixMillis(100_000_000);

/// An endpoint in shadow of which enough is known, to be changed in one thing.
struct Case {
    policy: Policy,
    endpoint: EndpointId,
    standing: Standing,
    since: UnixMillis,
    to: Stage,
    declaration: Declaration,
    observed: Observed,
    groups: Vec<GroupState>,
    before: Option<Before>,
    candidate: Result<(), &'static str>,
    last_fallback: Option<UnixMillis>,
}

impl Case {
    fn clean() -> Self {
        let mut case = Self {
            policy: Policy::default(),
            endpoint: "GET /a/{id}".parse().unwrap(),
            standing: Standing { stage: Stage::Shadow, hold: Hold::None },
            since: UnixMillis(1),
            to: Stage::Live,
            declaration: Declaration::default(),
            observed: Observed {
                latencies: vec![pair(1_000, 1_000, Side::Control); 50],
                negative_control: Some(NegativeControl { tried: NOW, found: Some(NOW), missed: vec![] }),
                moments: Moments { began: Some(UnixMillis(1)), compared: Some(NOW), dropped: None },
                ..Observed::default()
            },
            groups: Vec::new(),
            before: None,
            candidate: Ok(()),
            last_fallback: None,
        };
        case.compared("2xx anon json{..}", 1_000, 64);
        case
    }

    /// Comparisons without a mismatch, spread over so many different requests.
    fn compared(&mut self, shape: &str, n: u64, different: u8) {
        let mut spread = Spread::default();
        for place in 0..different {
            let more = u64::from(u64::from(place) < n % u64::from(different));
            spread.add(place, (n / u64::from(different) + more) as u32);
        }
        self.observed.shapes.push(ShapeTally {
            shape: shape.to_owned(),
            compared: n,
            spread,
            ..ShapeTally::default()
        });
        self.observed.tally.matched += n;
    }

    /// Mismatches among the comparisons of a shape.
    fn mismatched(&mut self, shape: &str, n: u64, group: &GroupState) {
        let known = self.observed.shapes.iter_mut().find(|known| known.shape == shape).unwrap();
        known.mismatched += n;
        self.observed.tally.matched -= n;
        self.observed.tally.mismatched += n;
        let groups = vec![group.group.fingerprint.clone()];
        self.observed.mismatches.push(MismatchTally {
            shape: shape.to_owned(),
            groups,
            count: n,
            confirmed: n,
        });
    }

    fn nothing() -> Self {
        let mut case = Self::clean();
        case.observed = Observed { negative_control: case.observed.negative_control, ..Observed::default() };
        case
    }

    fn judge(&self) -> Ruling {
        let epoch = Epoch { candidate: "v2".into(), control: "m1".into(), rules: "r1".into() };
        judge(
            &self.policy,
            &Evidence {
                endpoint: &self.endpoint,
                standing: self.standing,
                since: self.since,
                to: self.to,
                now: NOW,
                declaration: &self.declaration,
                epoch: &epoch,
                observed: &self.observed,
                groups: &self.groups,
                before: self.before.clone(),
                candidate: self.candidate,
                started: UnixMillis(1),
                last_fallback: self.last_fallback,
            },
        )
    }

    /// The codes of all reasons, in order.
    fn codes(&self) -> Vec<Code> {
        let ruling = self.judge();
        assert_eq!(ruling.answer.passed(), ruling.reasons.is_empty(), "{ruling}");
        ruling.reasons.iter().map(|reason| reason.code).collect()
    }

    /// The sentence of the only reason.
    fn only(&self, code: Code) -> String {
        let ruling = self.judge();
        let [reason] = &ruling.reasons[..] else { panic!("{ruling}") };
        assert_eq!(reason.code, code, "{ruling}");
        reason.sentence.clone()
    }
}

fn pair(control_us: u32, candidate_us: u32, answered_by: Side) -> LatencyPair {
    LatencyPair { control_us, candidate_us, answered_by }
}

fn group(severity: Severity, state: State) -> GroupState {
    let endpoint: EndpointId = "GET /a/{id}".parse().unwrap();
    let divergence = Divergence {
        kind: Kind::Added,
        severity,
        location: Location::Body,
        detail: None,
        control: None,
        candidate: None,
    };
    let group = Group {
        fingerprint: Fingerprint::of(&endpoint, &divergence),
        endpoint,
        kind: Kind::Added,
        severity,
        location: "$.secret".to_owned(),
        detail: None,
        count: 7,
        exchanges: 7,
        first_seen: UnixMillis(1),
        last_seen: UnixMillis(2),
        example: Redacted::stored(divergence),
    };
    GroupState { group, state, waiver: None }
}

#[test]
fn an_endpoint_of_which_enough_is_known_passes() {
    let ruling = Case::clean().judge();
    assert_eq!(ruling.answer, GateAnswer::Pass, "{ruling}");
    assert_eq!((ruling.compared(), ruling.mismatched()), (1_000, 0));
    assert_eq!(ruling.meters()[0].to_string(), "1,000 of 1,000 comparisons");
}

#[test]
fn too_few_comparisons_are_inconclusive_and_say_how_many_are_missing() {
    let mut case = Case::nothing();
    case.compared("2xx anon", 320, 64);
    case.observed.latencies = Case::clean().observed.latencies;
    assert_eq!(case.only(Code::Comparisons), "comparisons: 320 of the 326 that it takes");
    assert_eq!(case.judge().answer, GateAnswer::Inconclusive);
}

#[test]
fn no_request_at_all_is_said_so() {
    let codes = Case::nothing().codes();
    assert_eq!(codes[0], Code::NoData, "{codes:?}");
    assert!(codes.iter().all(|code| !code.fails()));
}

#[test]
fn requests_of_which_none_was_compared_are_said_so_with_why() {
    let mut case = Case::nothing();
    case.observed.tally.skipped = [(SkipReason::Sampled, 50)].into();
    let ruling = case.judge();
    assert_eq!(ruling.reasons[0].sentence, "none of 50 requests seen was compared (sampled 50)");
}

#[test]
fn one_request_polled_ten_thousand_times_does_not_pass() {
    let mut case = Case::clean();
    case.observed.shapes.clear();
    case.compared("2xx anon", 10_000, 1);
    let sentence = case.only(Code::OneRequest);
    assert!(sentence.starts_with("10,000 comparisons repeat one request: at most 82"), "{sentence}");
    assert_eq!(case.judge().reasons[0].meter.unwrap().to_string(), "82 of 326 comparisons");
    // Four of them are enough, and an endpoint that has only one cannot be asked for another.
    case.observed.shapes.clear();
    case.compared("2xx anon", 10_000, 4);
    assert_eq!(case.codes(), []);
    case.observed.shapes.clear();
    case.compared("2xx anon", 10_000, 1);
    case.endpoint = "GET /about".parse().unwrap();
    assert_eq!(case.codes(), []);
}

#[test]
fn equal_5xx_and_edits_in_between_are_no_evidence() {
    for both_failed in [true, false] {
        let mut case = Case::clean();
        let shape = &mut case.observed.shapes[0];
        if both_failed {
            shape.both_failed = 990;
        } else {
            (shape.racing, shape.mismatched) = (990, 990);
        }
        assert_eq!(case.codes(), [Code::Comparisons], "{both_failed}");
    }
    let mut all = Case::clean();
    all.observed.shapes[0].both_failed = 1_000;
    all.observed.tally.both_failed = 1_000;
    assert!(all.codes().contains(&Code::BothFailed), "{}", all.judge());
}

#[test]
fn an_open_group_fails_however_much_was_compared() {
    for severity in Severity::ALL {
        let mut case = Case::clean();
        case.groups = vec![group(severity, State::New)];
        let ruling = case.judge();
        assert_eq!(ruling.answer, GateAnswer::Fail, "{severity:?}: {ruling}");
        assert_eq!(ruling.unforceable().count() > 0, severity == Severity::Exposure, "{severity:?}");
    }
}

#[test]
fn a_policy_may_leave_small_groups_to_the_test_and_never_an_exposure() {
    let mut case = Case::clean();
    case.policy.base.blocking = Severity::Breaking;
    let small = group(Severity::Changed, State::New);
    case.mismatched("2xx anon json{..}", 1, &small);
    case.groups = vec![small];
    let ruling = case.judge();
    assert_eq!((ruling.answer, ruling.mismatched()), (GateAnswer::Pass, 1), "{ruling}");
    case.groups = vec![group(Severity::Exposure, State::Bug)];
    assert_eq!(case.codes(), [Code::OpenExposure]);
}

#[test]
fn an_exposure_is_named_first() {
    let mut case = Case::clean();
    case.groups =
        [Severity::Breaking, Severity::Exposure, Severity::Changed].map(|s| group(s, State::New)).to_vec();
    assert_eq!(case.codes(), [Code::OpenExposure, Code::OpenGroup]);
    let ruling = case.judge();
    assert!(ruling.reasons[0].sentence.contains(case.groups[1].group.fingerprint.as_str()), "{ruling}");
    assert!(ruling.reasons[1].sentence.starts_with("2 groups open"), "{ruling}");
}

#[test]
fn what_somebody_waived_passes_and_is_always_said() {
    let mut case = Case::clean();
    let mut waived = group(Severity::Changed, State::Expected);
    waived.waiver = Some(Waiver { owner: "grace".into(), expires: Some(UnixMillis(200_000_000)) });
    case.mismatched("2xx anon json{..}", 1_000, &waived);
    case.groups = vec![waived];
    let ruling = case.judge();
    assert_eq!(
        (ruling.answer, ruling.compared(), ruling.mismatched()),
        (GateAnswer::Pass, 1_000, 0),
        "{ruling}"
    );
    let text = ruling.to_string();
    assert!(text.contains("waived as expected by grace until 1970-01-03T07:33:20Z"), "{text}");
    assert!(text.contains("1,000 pass by waivers"), "{text}");
}

#[test]
fn waivers_count_against_a_move() {
    let mut case = Case::clean();
    case.groups = vec![group(Severity::Changed, State::Expected); 5];
    assert_eq!(case.codes(), []);
    case.groups.push(group(Severity::Changed, State::Noise));
    let sentence = case.only(Code::Waived);
    assert!(sentence.starts_with("6 groups pass by waivers alone, and at most 5 may"), "{sentence}");
}

#[test]
fn mismatches_of_what_was_fixed_since_are_no_evidence() {
    let mut case = Case::clean();
    let fixed = group(Severity::Breaking, State::Verified);
    case.mismatched("2xx anon json{..}", 600, &fixed);
    case.groups = vec![fixed];
    let ruling = case.judge();
    assert_eq!(
        (ruling.answer, ruling.compared(), ruling.mismatched()),
        (GateAnswer::Pass, 400, 0),
        "{ruling}"
    );
    case.groups[0].state = State::Regressed;
    assert_eq!(case.judge().mismatched(), 600);
}

#[test]
fn a_mismatch_with_one_open_group_counts_although_another_is_waived() {
    let mut case = Case::clean();
    let (waived, open) =
        (group(Severity::Changed, State::Noise), group(Severity::Breaking, State::Regressed));
    case.mismatched("2xx anon json{..}", 3, &waived);
    case.observed.mismatches[0].groups.push(open.group.fingerprint.clone());
    case.groups = vec![waived, open];
    assert_eq!(case.judge().mismatched(), 3);
}

#[test]
fn a_candidate_that_is_wrong_too_often_is_rejected() {
    let mut case = Case::clean();
    let open = group(Severity::Changed, State::New);
    case.mismatched("2xx anon json{..}", 30, &open);
    case.groups = vec![open];
    let ruling = case.judge();
    assert_eq!(ruling.rejection().map(|reason| reason.code), Some(Code::Rejected), "{ruling}");
    assert!(ruling.to_string().contains("30 of 1,000 comparisons differ: that is 1 % or more"), "{ruling}");
}

#[test]
fn a_variant_that_is_wrong_makes_the_endpoint_wrong_and_is_named() {
    let mut case = Case::clean();
    case.compared("2xx auth json{..}", 5_000, 64);
    let shape = "2xx anon ?_shape json[..]";
    case.compared(shape, 10, 5);
    let fixed = group(Severity::Changed, State::New);
    case.policy.base.blocking = Severity::Exposure;
    case.mismatched(shape, 4, &fixed);
    case.groups = vec![fixed];
    let sentence = case.only(Code::VariantRejected);
    assert_eq!(sentence, format!("the variant `{shape}` is wrong: 4 of its 10 comparisons differ"));
}

#[test]
fn a_shadow_that_died_is_inconclusive_although_enough_was_compared() {
    let mut case = Case::clean();
    case.observed.tally.dropped = [(DropReason::Unreachable, 5)].into();
    case.observed.moments.dropped = Some(UnixMillis(NOW.0 + 1));
    let sentence = case.only(Code::DeadShadow);
    assert!(
        sentence.starts_with("the shadow is dead: nothing was compared since 1970-01-02T03:46:40Z"),
        "{sentence}"
    );
    case.observed.moments.dropped = Some(NOW);
    assert_eq!(case.codes(), [], "something was compared at the same time");
    case.candidate = Err("connection refused");
    assert!(case.only(Code::DeadShadow).contains("connection refused"));
}

#[test]
fn a_full_queue_and_other_drops_have_sentences_of_their_own() {
    for (reason, code) in [
        (DropReason::ShadowQueueFull, Code::QueueFull),
        (DropReason::MemoryLimit, Code::QueueFull),
        (DropReason::Overload, Code::QueueFull),
        (DropReason::Unreachable, Code::Dropped),
    ] {
        let mut case = Case::clean();
        case.observed.tally.dropped = [(reason, 60)].into();
        let sentence = case.only(code);
        assert!(
            sentence.contains("60 of 1,060 requests") && sentence.contains(reason.as_str()),
            "{sentence}"
        );
        case.observed.tally.dropped = [(reason, 50)].into();
        assert_eq!(case.codes(), [], "50 of 1,050 are within 5 %");
    }
    let mut restarted = Case::clean();
    restarted.observed.tally.dropped = [(DropReason::Shutdown, 900)].into();
    assert_eq!(restarted.codes(), []);
}

#[test]
fn a_negative_control_that_never_ran_failed_or_is_old_is_inconclusive() {
    let mut case = Case::clean();
    let with = |case: &mut Case, trial| case.observed.negative_control = trial;
    with(&mut case, None);
    case.only(Code::NegativeControlNever);
    let trial = |tried: u64, found, missed: &[&str]| {
        let missed = missed.iter().map(ToString::to_string).collect();
        Some(NegativeControl { tried: UnixMillis(tried), found, missed })
    };
    with(&mut case, trial(0, Some(UnixMillis(0)), &[]));
    case.only(Code::NegativeControlNever);
    with(&mut case, trial(NOW.0, Some(UnixMillis(2_000)), &["a changed status"]));
    let failed = case.only(Code::NegativeControlFailed);
    assert!(failed.contains("(a changed status); last found at 1970-01-01T00:00:02Z"), "{failed}");
    with(&mut case, trial(NOW.0 - 601_000, Some(NOW), &[]));
    case.only(Code::NegativeControlOld);
    with(&mut case, trial(NOW.0 - 600_000, Some(NOW), &[]));
    assert_eq!(case.codes(), []);
    assert!(case.judge().to_string().contains("negative control: last found at 1970-01-02T03:46:40Z"));
}

#[test]
fn another_epoch_begins_anew_and_says_what_was_before() {
    let mut case = Case::nothing();
    case.observed.moments.began = Some(NOW);
    let epoch = Epoch { candidate: "v1".into(), control: "m1".into(), rules: "r0".into() };
    case.before = Some(Before { epoch, compared: 12_345, last: UnixMillis(3_000) });
    let ruling = case.judge();
    let reason = ruling.reasons.iter().find(|reason| reason.code == Code::NewEpoch).unwrap();
    assert!(
        reason.sentence.contains("the candidate went from `v1` to `v2`, the rules went from `r0` to `r1`")
            && reason.sentence.contains("12,345 comparisons of the epoch before"),
        "{}",
        reason.sentence
    );
}

#[test]
fn what_is_declared_and_was_never_seen_is_named() {
    let mut case = Case::clean();
    let parameter =
        |name: &str, place: &str| Parameter { name: name.into(), place: place.into(), required: false };
    case.declaration = Declaration {
        source: String::new(),
        parameters: vec![
            parameter("id", "path"),
            parameter("limit", "query"),
            parameter("ids[]", "query"),
            parameter("filter", "query"),
            parameter("x-territory", "header"),
        ],
        statuses: ["200", "4XX", "503", "default"].map(str::to_owned).to_vec(),
    };
    case.compared("2xx auth ?filter%5Bname%5D,ids[] json", 10, 10);
    case.observed.statuses = vec![(200, 1_010)];
    let sentence = case.only(Code::Parameters);
    assert_eq!(sentence, "never compared with the declared query parameters `limit`");
    let ruling = case.judge();
    assert_eq!(ruling.reasons[0].meter.unwrap().to_string(), "2 of 3 parameters");
    let text = ruling.to_string();
    assert!(text.contains("never answered with the documented statuses `4XX`\n"), "{text}");
    assert!(text.contains("header and cookie parameters `x-territory`"), "{text}");
    case.policy.base.statuses = Demand::Require;
    case.policy.base.parameters = Demand::State;
    case.only(Code::Statuses);
    case.observed.statuses.push((404, 1));
    assert_eq!(case.codes(), []);
    assert!(case.judge().to_string().contains("never compared with"), "it is said all the same");
}

#[test]
fn callers_that_never_came_are_said_and_required_where_the_policy_says_so() {
    let mut case = Case::clean();
    assert!(case.judge().to_string().contains("every comparison was anonymous"));
    case.policy.base.callers = Demand::Require;
    case.only(Code::Callers);
    case.compared("2xx cookie json{..}", 1, 1);
    assert_eq!(case.codes(), []);
}

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

#[test]
fn shares_have_their_denominators() {
    let mut case = Case::clean();
    case.observed.tally.skipped = [(SkipReason::Sampled, 990)].into();
    case.observed.tally.dropped = [(DropReason::Expired, 10)].into();
    let ruling = case.judge();
    assert_eq!(ruling.stated[0], "compared 1,000 of 2,000 requests (50.0 %)");
    assert_eq!(ruling.stated[1], "skipped 990 of 2,000 requests (49.5 %): sampled 990");
    assert_eq!(ruling.stated[2], "dropped 10 of 2,000 requests (0.5 %): expired 10");
}

#[test]
fn what_has_not_passed_never_reads_as_if_it_had() {
    let mut failed = Case::clean();
    failed.standing.hold = Hold::Fallback;
    for case in [Case::nothing(), failed] {
        let text = case.judge().to_string();
        assert!(!text.starts_with("pass"), "{text}");
        assert_ne!(case.judge().to_json()["answer"], "pass");
    }
}
