//! How much was compared, and whether it still is.

use super::*;

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
fn shares_have_their_denominators() {
    let mut case = Case::clean();
    case.observed.tally.skipped = [(SkipReason::Sampled, 990)].into();
    case.observed.tally.dropped = [(DropReason::Expired, 10)].into();
    let ruling = case.judge();
    assert_eq!(ruling.stated[0], "compared 1,000 of 2,000 requests (50.0 %)");
    assert_eq!(ruling.stated[1], "skipped 990 of 2,000 requests (49.5 %): sampled 990");
    assert_eq!(ruling.stated[2], "dropped 10 of 2,000 requests (0.5 %): expired 10");
}
