//! Groups that were opened before their noise was learned.

use diff_harness::compare::Comparator;
use diff_harness::comparison::Comparison;
use diff_harness::noise::book::NoiseBook;
use diff_harness::store::DecisionsOf;
use diff_harness::triage::State;
use strangler_proxy::control::{ITSELF, Regroup};

use super::*;

fn compared(control: &str, candidate: &str) -> Comparison {
    let body = |at: &str| format!("{{\"generated_at\":{at}}}");
    let (control, candidate) = (body(control), body(candidate));
    Comparator::default().compare_contents(&id("GET /a"), None, control.as_bytes(), candidate.as_bytes())
}

impl Desk {
    /// At `shadow`, with a clean record but for what the candidate wrote in the place of a time: a group of each kind.
    fn wrote(instead: &[&str]) -> Self {
        let desk = Self::with(&["GET /a"]);
        desk.promote("GET /a", "shadow").unwrap();
        desk.observed("GET /a", 10, &[]);
        instead.iter().for_each(|instead| desk.writes(instead));
        desk
    }

    fn writes(&self, instead: &str) {
        let found = compared("\"2026-01-01T00:00:00Z\"", instead).divergences;
        let tally = Tally { mismatched: 1, ..Tally::default() };
        let batch = Batch {
            at: now(),
            tallies: vec![(Some(id("GET /a")), tally)],
            comparisons: vec![mismatch(&id("GET /a"), &found)],
            ..Batch::default()
        };
        self.ledger.record(&batch).unwrap();
    }

    /// Control was asked twice, and never said the same.
    fn learns(&self) {
        let mut book = NoiseBook::default();
        for day in 1..9 {
            let at = |hour: u32| format!("\"2026-01-0{day}T0{hour}:00:00Z\"");
            book.learn(&id("GET /a"), &compared(&at(1), &at(2)));
        }
        self.ledger.record(&Batch { at: now(), noise: book.take_changed(), ..Batch::default() }).unwrap();
    }

    fn settles(&self) -> usize {
        self.control.settle_noise().unwrap().len()
    }

    /// Of the only group.
    fn stands(&self) -> State {
        let weighed = self.control.weighed(None).unwrap();
        let [(_, state)] = &[weighed.open, weighed.waived].concat()[..] else { panic!("not one group") };
        *state
    }

    fn only(&self) -> Fingerprint {
        let weighed = self.control.weighed(None).unwrap();
        [weighed.open, weighed.waived].concat()[0].0.group.fingerprint.clone()
    }
}

const TIMES: [&str; 2] = ["\"2026-01-01T00:00:01Z\"", "\"2026-01-01T00:00:02Z\""];

#[test]
fn a_group_that_was_noise_before_that_was_known_lets_its_endpoint_go_and_says_who_decided() {
    let desk = Desk::wrote(&TIMES);
    assert_eq!((desk.settles(), desk.stands()), (0, State::New), "nothing was learned yet");
    desk.learns();
    assert!(matches!(desk.promote("GET /a", "live"), Err(Refusal::GateRefused { .. })));
    assert_eq!((desk.settles(), desk.stands()), (1, State::Noise));
    let log = desk.control.decisions(DecisionsOf::All, 10).unwrap();
    let [entry] = &log[..] else { panic!("{log:?}") };
    assert_eq!(entry.wish.actor, ITSELF);
    assert!(entry.wish.reason.contains("$.generated_at as well, 8 of 8 times"), "{}", entry.wish.reason);
    let plan = desk.control.plan(&id("GET /a"), Some(Stage::Live), None).unwrap().gate.unwrap();
    assert!(plan.stated.iter().any(|line| line.starts_with("noise that was learned after it")), "{plan}");
    desk.promote("GET /a", "live").unwrap();
    assert_eq!(desk.settles(), 0, "it is said once");
}

#[test]
fn what_comes_after_it_opens_the_group_again() {
    let desk = Desk::wrote(&TIMES);
    desk.learns();
    assert_eq!((desk.settles(), desk.stands()), (1, State::Noise));
    desk.writes("\"soon\"");
    assert_eq!(desk.stands(), State::Regressed);
    assert!(matches!(desk.promote("GET /a", "live"), Err(Refusal::GateRefused { .. })));
    assert_eq!(desk.settles(), 0);
}

#[test]
fn one_sighting_that_is_no_noise_keeps_the_group_open() {
    let desk = Desk::wrote(&[TIMES[0], "\"soon\""]);
    desk.learns();
    assert_eq!((desk.settles(), desk.stands()), (0, State::New));
}

#[test]
fn what_somebody_decided_or_took_back_is_left_alone() {
    let desk = Desk::wrote(&TIMES);
    desk.learns();
    assert_eq!(desk.settles(), 1);
    let undo = Regroup { group: desk.only(), reason: String::new(), expected: None, actor: "ann".to_owned() };
    desk.control.undo(&undo).unwrap();
    // Another process looks through everything again.
    let Desk { dir, control, ledger, .. } = desk;
    drop((control, ledger));
    let desk = Desk::at(dir);
    assert_eq!((desk.settles(), desk.stands()), (0, State::New));
}

#[test]
fn another_type_is_never_called_noise() {
    let desk = Desk::wrote(&["null", "5"]);
    desk.learns();
    assert_eq!(desk.settles(), 0);
    assert!(desk.control.weighed(None).unwrap().waived.is_empty());
}
