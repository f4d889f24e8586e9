use super::*;
use crate::divergence::Severity;
use crate::exchange::UnixMillis;

const DAY: u64 = 86_400_000;

fn decision(call: Call) -> Decision {
    Decision {
        group: "v1-0123456789abcdef".parse().unwrap(),
        call,
        actor: "ada".into(),
        owner: "grace".into(),
        reason: "agreed with mobile".into(),
        expires: call.is_waiver().then_some(UnixMillis(10 * DAY)),
        epoch: "e1".into(),
        at: UnixMillis(DAY),
    }
}

fn state_of(call: Call, last_since: Option<u64>, compared_since: u64, now: u64) -> State {
    let since = Sightings { last_since: last_since.map(UnixMillis), compared_since };
    state(Some(&decision(call)), since, 100, UnixMillis(now))
}

#[test]
fn a_group_nobody_decided_on_is_new_and_open() {
    let state = state(None, Sightings { last_since: None, compared_since: 0 }, 100, UnixMillis(0));
    assert_eq!(state, State::New);
    assert!(state.is_open());
}

#[test]
fn a_waiver_ends_by_itself_and_blocks_again() {
    assert_eq!(state_of(Call::Expected, Some(2 * DAY), 5, 10 * DAY - 1), State::Expected);
    assert_eq!(state_of(Call::Expected, Some(2 * DAY), 5, 10 * DAY), State::Expired);
    assert!(State::Expired.is_open() && !State::Expected.is_open());
}

#[test]
fn a_fix_is_verified_by_comparisons_and_not_by_silence() {
    assert_eq!(state_of(Call::Fixed, None, 99, 2 * DAY), State::Fixed);
    assert!(State::Fixed.is_open(), "an unproven fix lets nothing through");
    assert_eq!(state_of(Call::Fixed, None, 100, 2 * DAY), State::Verified);
}

#[test]
fn a_group_that_comes_back_is_regressed_however_much_matched() {
    assert_eq!(state_of(Call::Fixed, Some(3 * DAY), 1_000_000, 4 * DAY), State::Regressed);
    assert!(State::Regressed.is_open());
}

#[test]
fn a_bug_blocks_and_a_reopened_group_is_new() {
    assert!(state_of(Call::Bug, None, 1_000, DAY).is_open());
    assert_eq!(state_of(Call::Reopen, None, 1_000, DAY), State::New);
}

#[test]
fn a_decision_without_what_it_needs_is_refused() {
    let now = UnixMillis(2 * DAY);
    let refused = |change: fn(&mut Decision), severity| {
        let mut decision = decision(Call::Expected);
        change(&mut decision);
        check(&decision, severity, &["eve".to_owned()], now)
    };
    assert_eq!(refused(|_| {}, Severity::Exposure), Ok(()));
    assert_eq!(refused(|d| d.reason = "  ".into(), Severity::Changed), Err(Refusal::NoReason));
    assert_eq!(refused(|d| d.owner.clear(), Severity::Changed), Err(Refusal::NoOwner));
    assert_eq!(refused(|d| d.expires = None, Severity::Changed), Err(Refusal::NoExpiry));
    assert_eq!(refused(|d| d.expires = Some(UnixMillis(2 * DAY)), Severity::Changed), Err(Refusal::Past));
    assert_eq!(refused(|d| d.call = Call::Noise, Severity::Exposure), Err(Refusal::ExposureAsNoise));
    assert_eq!(
        refused(|d| d.actor = "eve".into(), Severity::Changed),
        Err(Refusal::OwnOverride("eve".into()))
    );
}

#[test]
fn a_bug_needs_neither_owner_nor_end() {
    let mut bug = decision(Call::Bug);
    bug.owner.clear();
    assert_eq!(check(&bug, Severity::Exposure, &[], UnixMillis(0)), Ok(()));
}

#[test]
fn only_a_waiver_has_an_end() {
    let mut bug = decision(Call::Bug);
    bug.expires = Some(UnixMillis(10 * DAY));
    let refused = check(&bug, Severity::Changed, &[], UnixMillis(0));
    assert_eq!(refused, Err(Refusal::NeedlessExpiry(Call::Bug)));
}

mod parts {
    use super::*;
    use crate::divergence::Location;

    fn predicate(shape: &str, place: Option<&str>) -> Predicate {
        Predicate::new(Some(shape), place).unwrap()
    }

    #[test]
    fn a_part_is_told_by_the_words_of_a_shape() {
        let shape = "2xx auth ?limit,offset json[..]";
        for (asked, holds) in [
            ("auth", true),
            ("anon", false),
            ("!anon", true),
            ("?limit", true),
            ("?lim", false),
            ("limit", false),
            ("!?limit", false),
            ("!?cursor ?offset", true),
            ("?", true),
            ("!?", false),
            ("2xx json[..]", true),
            ("2xx json{..}", false),
            (shape, true),
        ] {
            assert_eq!(predicate(asked, None).holds_shape(shape), holds, "{asked}");
        }
        assert!(predicate("!?", None).holds_shape("2xx anon json[]"));
    }

    #[test]
    fn a_part_is_told_by_a_place_in_which_some_indices_are_named() {
        let at = |text: &str| text.parse::<Location>().unwrap();
        let first = Predicate::new(None, Some("$.tracks[0].users[*].id")).unwrap();
        assert!(first.holds("", &at("$.tracks[0].users[7].id")));
        assert!(!first.holds("", &at("$.tracks[1].users[7].id")));
        assert!(!first.holds("", &at("$.tracks[0].users[7]")));
        assert!(Predicate::new(None, Some("line 3")).unwrap().holds("", &at("line 3")));
    }

    #[test]
    fn both_must_hold() {
        let both = predicate("auth", Some("$.a[0]"));
        assert!(both.holds("2xx auth", &"$.a[0]".parse().unwrap()));
        assert!(!both.holds("2xx anon", &"$.a[0]".parse().unwrap()));
        assert!(!both.holds("2xx auth", &"$.a[1]".parse().unwrap()));
    }

    #[test]
    fn the_id_of_a_part_follows_from_the_group_and_from_what_is_said_in_any_order() {
        let group = "v1-0123456789abcdef".parse().unwrap();
        let id = predicate("?b,a !auth", None).part_of(&group);
        assert_eq!(id, predicate("!auth  ?a ?b", None).part_of(&group));
        assert_ne!(id, predicate("auth ?a ?b", None).part_of(&group));
        assert_ne!(id, predicate("?b,a !auth", Some("status")).part_of(&group));
        assert_ne!(id, predicate("?b,a !auth", None).part_of(&id));
    }

    #[test]
    fn a_predicate_reads_back_what_it_prints_and_says_it_in_words() {
        let both = predicate("!auth ?limit 2xx", Some("$.t[0]"));
        let again = Predicate::new(both.shape().as_deref(), both.place().as_deref());
        assert_eq!(again, Ok(both.clone()));
        assert_eq!(both.to_string(), "requests with ?limit and 2xx and without auth, at $.t[0]");
        assert_eq!(predicate("!?", None).to_string(), "requests without ?");
    }

    #[test]
    fn what_names_no_part_is_refused() {
        assert_eq!(Predicate::new(None, None), Err(PredicateError::Empty));
        assert_eq!(Predicate::new(Some(" "), None), Err(PredicateError::Empty));
        for word in ["!", "!!a", "?a,,b", "!?,"] {
            assert_eq!(Predicate::new(Some(word), None), Err(PredicateError::Shape(word.into())), "{word}");
        }
        assert!(matches!(Predicate::new(None, Some("nowhere")), Err(PredicateError::Place(_))));
    }
}
