use diff_harness::store::DecisionsOf;
use diff_harness::triage::{self, Call, Predicate, State};
use strangler_proxy::control::{Decide, Regroup, Triage};

use super::*;

const LATER: u64 = 1 << 40;

impl Desk {
    /// At `shadow`, with one group of this severity.
    fn diverging(severity: Severity) -> (Self, Fingerprint) {
        let desk = Self::with(&["GET /a"]);
        desk.promote("GET /a", "shadow").unwrap();
        desk.observed("GET /a", 10, &[severity]);
        let group = desk.control.weighed(None).unwrap().open[0].0.group.fingerprint.clone();
        (desk, group)
    }

    fn decide(&self, group: &Fingerprint, call: Call, actor: &str) -> Result<Triage, Refusal> {
        self.control.decide(&Decide {
            group: group.clone(),
            call,
            reason: "agreed".to_owned(),
            owner: "grace".to_owned(),
            expires: call.is_waiver().then_some(UnixMillis(LATER)),
            epoch: None,
            expected: None,
            actor: actor.to_owned(),
        })
    }

    fn state(&self, group: &Fingerprint) -> State {
        self.control.triaged_group(group).unwrap().unwrap().1
    }
}

fn regroup(group: &Fingerprint, actor: &str) -> Regroup {
    Regroup { group: group.clone(), reason: String::new(), expected: None, actor: actor.to_owned() }
}

fn refused(result: Result<Triage, Refusal>) -> triage::Refusal {
    match result {
        Err(Refusal::Triage(refusal) | Refusal::Store(StoreError::Triage(refusal))) => refusal,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_open_group_keeps_an_endpoint_and_a_waiver_lets_it_go() {
    let (desk, group) = Desk::diverging(Severity::Changed);
    assert!(matches!(desk.promote("GET /a", "live"), Err(Refusal::GateRefused { .. })));
    let made = desk.decide(&group, Call::Expected, "ann").unwrap();
    let (shown, state) = made.group.unwrap();
    assert_eq!((state, shown.decided.unwrap().sequence), (State::Expected, made.entry.sequence));
    let weighed = desk.control.weighed(Some(&id("GET /a"))).unwrap();
    assert_eq!((weighed.open.len(), weighed.waived.len()), (0, 1));
    desk.promote("GET /a", "live").unwrap();

    let undone = desk.control.undo(&regroup(&group, "bob")).unwrap();
    assert_eq!((undone.entry.wish.actor.as_str(), undone.group.unwrap().1), ("bob", State::New));
    assert_eq!(desk.control.decisions(DecisionsOf::All, 10).unwrap().len(), 2);
}

#[test]
fn a_bug_stays_open_and_a_fix_is_not_believed_before_it_is_seen() {
    let (desk, group) = Desk::diverging(Severity::Breaking);
    for call in [Call::Bug, Call::Fixed] {
        desk.decide(&group, call, "ann").unwrap();
        assert!(matches!(desk.promote("GET /a", "live"), Err(Refusal::GateRefused { .. })), "{call}");
    }
    desk.observed("GET /a", MIN_COMPARISONS, &[]);
    assert_eq!(desk.state(&group), State::Verified);
    desk.promote("GET /a", "live").unwrap();
    desk.observed("GET /a", 0, &[Severity::Breaking]);
    assert_eq!(desk.state(&group), State::Regressed);
}

#[test]
fn who_overrode_the_gate_does_not_approve_what_was_overridden() {
    let (desk, group) = Desk::diverging(Severity::Changed);
    desk.decide(&group, Call::Expected, "ann").unwrap();
    desk.decide(&group, Call::Bug, "ann").unwrap();
    desk.force("GET /a", "live").unwrap();
    let own = triage::Refusal::OwnOverride("alice".to_owned());
    for call in [Call::Expected, Call::Noise] {
        assert_eq!(refused(desk.decide(&group, call, "alice")), own);
    }
    assert_eq!(refused(desk.control.undo(&regroup(&group, "alice"))), own, "nor by the back door");
    desk.decide(&group, Call::Bug, "alice").unwrap();
    desk.decide(&group, Call::Expected, "bob").unwrap();

    // Back at `legacy` nothing is overridden any more.
    desk.rollback("GET /a").unwrap();
    desk.decide(&group, Call::Noise, "alice").unwrap();
}

#[test]
fn a_part_given_back_to_a_waived_group_is_an_approval_too() {
    let (desk, group) = Desk::diverging(Severity::Changed);
    let all = Predicate::new(None, Some("status")).unwrap();
    let refusal = refused(desk.control.split(&regroup(&group, "ann"), all));
    assert_eq!(refusal, triage::Refusal::NothingInPart(group.clone()), "no exchange of it is kept");
    desk.decide(&group, Call::Expected, "ann").unwrap();
    let shape = Predicate::new(Some("!auth"), None).unwrap();
    let made = desk.control.split(&regroup(&group, "ann"), shape).unwrap();
    let part = made.entry.part.unwrap();
    assert_eq!(
        made.group.map(|(part, state)| (part.group.fingerprint, state)),
        Some((part.clone(), State::New))
    );
    desk.force("GET /a", "live").unwrap();
    let own = triage::Refusal::OwnOverride("alice".to_owned());
    assert_eq!(refused(desk.control.join(&regroup(&part, "alice"))), own);
    let joined = desk.control.join(&regroup(&part, "bob")).unwrap().group.unwrap();
    assert_eq!((joined.0.group.fingerprint, joined.1), (group, State::Expected));
}

#[test]
fn an_exposure_is_waived_by_name_only() {
    let (desk, group) = Desk::diverging(Severity::Exposure);
    assert_eq!(refused(desk.decide(&group, Call::Noise, "ann")), triage::Refusal::ExposureAsNoise);
    desk.decide(&group, Call::Expected, "ann").unwrap();
    desk.promote("GET /a", "live").unwrap();
}

#[test]
fn a_decision_on_what_was_never_seen_is_refused() {
    let (desk, _) = Desk::diverging(Severity::Changed);
    let unknown: Fingerprint = "v1-0000000000000000".parse().unwrap();
    let refusal = refused(desk.decide(&unknown, Call::Bug, "ann"));
    assert_eq!(refusal, triage::Refusal::UnknownGroup(unknown.clone()));
    assert_eq!(refused(desk.control.undo(&regroup(&unknown, "ann"))), refusal);
}
