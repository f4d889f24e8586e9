//! What diverged.

use super::*;

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
