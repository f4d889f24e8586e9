//! What reaches the store, and what happens while it fails.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use diff_harness::compare::Limits;
use diff_harness::comparison::{SkipReason, Verdict};
use diff_harness::exchange::Observation;
use diff_harness::noise::confirm::Confirmation;
use diff_harness::rules::Rules;
use http::{HeaderName, Method};
use strangler_proxy::record::{AskAgain, FlushError, RulesJudge, SecondRound, Suspect};

use strangler_proxy::shadow::ShadowedRequest;

use super::rig::{Exact, PATIENCE, Setup, eventually, json, response};
use super::upstream::{Behaviour, Upstream};

#[test]
fn matches_are_counted_by_shape_and_the_first_is_kept() {
    let candidate = Upstream::start(Behaviour::json("{}"));
    let rig = Setup::candidate(&candidate).start();
    for n in 0..10 {
        rig.exchange(&format!("r{n}"), "{}");
        rig.settled();
    }
    rig.recorder.flush(PATIENCE).unwrap();
    let [batch] = &rig.store.batches()[..] else { panic!("more than one batch") };
    assert_eq!(rig.store.total().matched, 10);
    let [kept] = &batch.comparisons[..] else { panic!("{} were kept", batch.comparisons.len()) };
    assert!(kept.exchange.is_some());
    let [plain] = &batch.plain[..] else { panic!("{:?}", batch.plain) };
    assert_eq!((plain.shape.as_str(), plain.count, plain.latencies.len()), ("2xx anon ?x json{}", 9, 9));
    assert_eq!(plain.latencies[0].control_us, 3000);
    rig.drain();
}

#[test]
fn secrets_are_not_in_what_is_kept() {
    let candidate = Upstream::start(Behaviour::json(r#"{"seen":"Bearer s3cr3t-t0ken"}"#));
    let rig = Setup::candidate(&candidate).start();
    let mut request = rig.request("r1");
    request.headers.insert("authorization", "Bearer s3cr3t-t0ken".parse().unwrap());
    rig.submit(request).unwrap().complete(json("{}"), None);
    assert_eq!(rig.settled().mismatched, 1);
    let store = rig.drain();
    let kept = format!("{:?}", store.batches());
    assert!(kept.contains("r1") && !kept.contains("s3cr3t-t0ken"), "{kept}");
}

#[test]
fn only_a_few_exchanges_of_one_group_are_kept_between_two_writes() {
    let candidate = Upstream::start(Behaviour::json("{}"));
    let mut setup = Setup::candidate(&candidate);
    setup.record.keep_per_group = 2;
    let rig = setup.start();
    let mismatches = |from: usize| {
        for n in from..from + 5 {
            rig.exchange(&format!("r{n}"), "[]");
        }
        rig.settled();
        rig.recorder.flush(PATIENCE).unwrap();
    };
    mismatches(0);
    mismatches(5);
    for batch in rig.store.batches() {
        let kept = batch.comparisons.iter().filter(|record| record.exchange.is_some()).count();
        assert_eq!((batch.comparisons.len(), kept), (5, 2));
    }
    rig.drain();
}

#[test]
fn a_store_that_fails_loses_nothing_and_is_spoken_of() {
    let candidate = Upstream::start(Behaviour::json("{}"));
    let rig = Setup::candidate(&candidate).start();
    let some = |n| {
        rig.exchange(&format!("m{n}"), "{}");
        rig.exchange(&format!("d{n}"), "[]");
        rig.route.counters.answered(diff_harness::exchange::Side::Control);
        rig.settled();
    };
    some(1);
    rig.recorder.flush(PATIENCE).unwrap();
    assert_eq!(rig.recorder.health().failing, None);
    assert!(rig.recorder.health().written.is_some());

    rig.store.refuse(true);
    some(2);
    let error = rig.recorder.flush(PATIENCE).unwrap_err();
    assert!(matches!(&error, FlushError::Refused(why) if why == "the disk is full"), "{error}");
    some(3);
    assert!(rig.recorder.flush(PATIENCE).is_err());
    let health = rig.recorder.health();
    assert_eq!(health.failing.unwrap().error, "the disk is full");
    assert_eq!((health.waiting, health.unrecorded), (2, 0));
    assert_eq!(rig.store.total().seen(), 2);

    rig.store.refuse(false);
    rig.recorder.flush(PATIENCE).unwrap();
    let health = rig.recorder.health();
    assert_eq!((health.failing, health.waiting, health.unrecorded), (None, 0, 0));
    assert_eq!(rig.store.total(), rig.registry.total().tally);
    let ids: Vec<_> =
        rig.store.batches().iter().flat_map(|batch| batch.comparisons.clone()).map(|r| r.id).collect();
    assert!(["d1", "d2", "d3"].iter().all(|id| ids.iter().any(|known| known == id)), "{ids:?}");
    rig.drain();
}

#[test]
fn a_store_that_works_again_is_found_without_asking() {
    let candidate = Upstream::start(Behaviour::json("{}"));
    let mut setup = Setup::candidate(&candidate);
    setup.record.write_every = Duration::from_millis(5);
    let rig = setup.start();
    rig.store.refuse(true);
    rig.exchange("r1", "{}");
    rig.settled();
    eventually(|| rig.store.refused() > 2 && rig.recorder.health().failing.is_some());
    rig.store.refuse(false);
    eventually(|| rig.recorder.health().failing.is_none() && rig.store.total().matched == 1);
    rig.drain();
}

#[test]
fn details_past_the_bound_are_given_up_and_counted_and_counts_are_not() {
    let candidate = Upstream::start(Behaviour::json("{}"));
    let mut setup = Setup::candidate(&candidate);
    setup.record.waiting_max = 3;
    let rig = setup.start();
    rig.store.refuse(true);
    for n in 0..10 {
        rig.exchange(&format!("r{n}"), "[]");
        rig.settled();
        assert!(rig.recorder.flush(PATIENCE).is_err());
    }
    let health = rig.recorder.health();
    assert_eq!((health.waiting, health.unrecorded), (3, 7));
    rig.store.refuse(false);
    let store = rig.drain();
    assert_eq!(store.total().mismatched, 10);
    assert_eq!(store.batches().iter().map(|batch| batch.comparisons.len()).sum::<usize>(), 3);
}

#[test]
fn details_that_the_store_never_takes_do_not_keep_the_counts_out_of_it() {
    let candidate = Upstream::start(Behaviour::json("{}"));
    let rig = Setup::candidate(&candidate).start();
    rig.store.refuse_details();
    rig.exchange("r1", "[]");
    rig.settled();
    eventually(|| rig.recorder.flush(PATIENCE).is_ok());
    assert!(rig.store.refused() > 1, "it was tried once only");
    assert_eq!(rig.store.total(), rig.registry.total().tally);
    let health = rig.recorder.health();
    assert_eq!((health.failing, health.waiting, health.unrecorded), (None, 0, 1));
    rig.drain();
}

/// However much two sides differ: verdicts are counted, details wait within their bound or are given up and counted.
#[test]
fn what_waits_for_the_store_is_within_its_bound_whatever_differs() {
    const BOUND: usize = 200_000;
    let members = |value: &str| {
        let value = value.repeat(600);
        let members: Vec<_> = (0..50).map(|n| format!("\"{n}-{}\":\"{value}\"", "n".repeat(500))).collect();
        format!("{{{}}}", members.join(","))
    };
    let candidate = Upstream::start(Behaviour::json(&members("a")));
    let mut setup = Setup::candidate(&candidate);
    setup.judge = Box::new(RulesJudge::new(Rules::default(), Limits::default()));
    setup.record.waiting_bytes_max = BOUND;
    let rig = setup.start();
    rig.store.refuse(true);
    for n in 0..20 {
        rig.exchange(&format!("r{n}"), &members("b"));
        rig.settled();
        let health = rig.recorder.health();
        assert!(health.waiting_bytes <= BOUND, "{health:?}");
        assert_eq!(health.waiting as u64 + health.unrecorded, n + 1, "{health:?}");
    }
    let health = rig.recorder.health();
    assert!(health.waiting > 0 && health.unrecorded > 0, "{health:?}");
    assert!(health.waiting_bytes > BOUND / 2, "{health:?}");
    assert_eq!(rig.registry.total().tally.mismatched, 20);
    rig.store.refuse(false);
    rig.recorder.flush(PATIENCE).unwrap();
    assert_eq!((rig.recorder.health().waiting, rig.recorder.health().waiting_bytes), (0, 0));
    let store = rig.drain();
    assert_eq!(store.total().mismatched, 20);
    let recorded: usize = store.batches().iter().map(|batch| batch.comparisons.len()).sum();
    assert_eq!(recorded, health.waiting);
}

/// What was found waits with the pair, and takes memory as its bodies do.
#[test]
fn a_mismatch_with_more_than_can_be_kept_is_not_asked_again_and_counts() {
    let members = |value: &str| {
        let members: Vec<_> = (0..30).map(|n| format!("\"m{n}\":\"{}\"", value.repeat(400))).collect();
        format!("{{{}}}", members.join(","))
    };
    for (memory_max, asked) in [(30_000, 0), (1 << 20, 1)] {
        let control = Upstream::start(Behaviour::json(&members("b")));
        let candidate = Upstream::start(Behaviour::json(&members("a")));
        let mut setup = Setup::candidate(&candidate);
        setup.control = Some(control.address);
        setup.judge = Box::new(RulesJudge::new(Rules::default(), Limits::default()));
        setup.shadow.again_per_second = 1000;
        setup.shadow.memory_max = memory_max;
        let rig = setup.start();
        rig.exchange("r1", &members("b"));
        assert_eq!(rig.settled().mismatched, 1, "{memory_max}");
        let again = rig.route.counters.again();
        assert_eq!((again.mismatches, again.not_asked), (asked, 1 - asked), "{memory_max}");
        rig.drain();
    }
}

#[test]
fn kept_bodies_past_the_bound_are_left_out_of_their_records() {
    let candidate = Upstream::start(Behaviour::json("{}"));
    let mut setup = Setup::candidate(&candidate);
    setup.judge = Box::new(RulesJudge::new(Rules::default(), Limits::default()));
    setup.record.waiting_bytes_max = 60_000;
    setup.record.keep_per_group = 100;
    let rig = setup.start();
    rig.store.refuse(true);
    for n in 0..10 {
        rig.exchange(&format!("r{n}"), &format!("[{}1]", "1,".repeat(4000)));
        rig.settled();
    }
    rig.store.refuse(false);
    let store = rig.drain();
    let records: Vec<_> = store.batches().into_iter().flat_map(|batch| batch.comparisons).collect();
    let kept = records.iter().filter(|record| record.exchange.is_some()).count();
    assert!(records.len() == 10 && (1..=5).contains(&kept), "{} records, {kept} with bodies", records.len());
    let without = records.iter().find(|record| record.exchange.is_none()).unwrap();
    assert!(without.notes.iter().any(|note| note.contains("not kept")), "{:?}", without.notes);
}

#[test]
fn a_response_that_names_another_deployment_begins_an_epoch() {
    let head = "content-type: application/json\r\nx-version: c2\r\n";
    let candidate = Upstream::start(Behaviour::json("{}"));
    let mut setup = Setup::candidate(&candidate);
    setup.record.candidate_epoch_header = Some(HeaderName::from_static("x-version"));
    let rig = setup.start();
    rig.exchange("old", "{}");
    rig.settled();
    candidate.behave(Behaviour::Answer { head, body: b"{}".to_vec() });
    rig.exchange("new", "{}");
    rig.settled();
    assert_eq!(rig.recorder.epochs().current().candidate, "c2");
    let store = rig.drain();
    for (epoch, id) in [("c1", "old"), ("c2", "new")] {
        let batches = store.batches();
        let batch = batches.iter().find(|batch| batch.epoch.candidate == epoch).unwrap();
        let matched: u64 = batch.tallies.iter().map(|(_, tally)| tally.matched).sum();
        assert_eq!((matched, batch.epoch.control.as_str(), batch.epoch.rules.as_str()), (1, "m1", "r1"));
        // The first match of an endpoint is kept, whatever its epoch.
        assert!(batch.comparisons.iter().all(|record| record.id == id));
    }
}

#[test]
fn other_rules_begin_an_epoch() {
    let candidate = Upstream::start(Behaviour::json("{}"));
    let rig = Setup::candidate(&candidate).start();
    rig.exchange("r1", "{}");
    rig.settled();
    rig.recorder.set_judge(Box::new(Exact("r2")));
    rig.exchange("r2", "{}");
    rig.exchange("r3", "{}");
    rig.settled();
    let store = rig.drain();
    let matched = |rules: &str| -> u64 {
        let of_rules = store.batches().into_iter().filter(|batch| batch.epoch.rules == rules);
        of_rules.flat_map(|batch| batch.tallies).map(|(_, tally)| tally.matched).sum()
    };
    assert_eq!((matched("r1"), matched("r2")), (1, 2));
}

#[test]
fn an_epoch_header_that_never_repeats_takes_no_memory_without_end() {
    let candidate = Upstream::start(Behaviour::json("{}"));
    let mut setup = Setup::candidate(&candidate);
    setup.record.control_epoch_header = Some(HeaderName::from_static("x-version"));
    let rig = setup.start();
    for n in 0..100 {
        let slot = rig.submit(rig.request(&format!("r{n}"))).unwrap();
        let version = format!("v{n}");
        slot.complete(response(&[("content-type", "application/json"), ("x-version", &version)], "{}"), None);
        rig.settled();
    }
    let store = rig.drain();
    assert_eq!(store.total().matched, 100);
    let batches = store.batches().len();
    assert!(batches < 40, "{batches} epochs were kept apart");
}

#[test]
fn undeclared_requests_come_with_the_batch() {
    let rig = Setup::default().start();
    for _ in 0..3 {
        let unmatched = rig.registry.unmatched();
        unmatched.started();
        unmatched.count(diff_harness::comparison::Disposition::Skipped(SkipReason::Unmatched));
        rig.recorder.undeclared().seen(&Method::GET, "/unknown/7");
    }
    rig.recorder.undeclared().seen(&Method::GET, &"/x".repeat(5000));
    let store = rig.drain();
    let batches = store.batches();
    let [undeclared] = &batches[0].undeclared[..] else { panic!("{:?}", batches[0].undeclared) };
    assert_eq!((undeclared.proposed.to_string().as_str(), undeclared.count), ("GET /unknown/7", 3));
    assert_eq!(batches[0].tallies[0].0, None);
    assert_eq!(store.total().skipped[&SkipReason::Unmatched], 3);
}

#[test]
fn a_flush_writes_only_what_is_new() {
    let candidate = Upstream::start(Behaviour::json("{}"));
    let rig = Setup::candidate(&candidate).start();
    rig.exchange("r1", "{}");
    rig.settled();
    rig.recorder.flush(PATIENCE).unwrap();
    rig.recorder.flush(PATIENCE).unwrap();
    assert_eq!(rig.store.batches().len(), 1);
    rig.drain();
}

/// Takes every suspect, for the test to say what both sides said again.
struct Waiting(Sender<Box<Suspect>>);

impl AskAgain for Waiting {
    fn ask_again(&self, suspect: Box<Suspect>) -> Result<(), Box<Suspect>> {
        self.0.send(suspect).map_err(|unsent| unsent.0)
    }
}

/// A rig in which control says `[]` and the candidate `{}`, and the one mismatch that came of it.
fn suspected() -> (super::rig::Rig, Box<Suspect>, (Receiver<Box<Suspect>>, Upstream)) {
    let candidate = Upstream::start(Behaviour::json("{}"));
    let rig = Setup::candidate(&candidate).start();
    let (sender, suspects) = channel();
    rig.recorder.compare().ask_again_by(Waiting(sender));
    rig.exchange("r1", "[]");
    let suspect = suspects.recv_timeout(PATIENCE).unwrap();
    assert_eq!(rig.registry.total().pending(), 1, "it has no end before it was asked again");
    (rig, suspect, (suspects, candidate))
}

fn round(control: Observation, candidate: Observation) -> SecondRound {
    SecondRound { control, candidate }
}

#[test]
fn a_mismatch_that_is_there_again_is_recorded_as_confirmed() {
    let (rig, suspect, _alive) = suspected();
    rig.recorder.compare().asked_again(suspect, &round(json("[]"), json("{}")));
    assert_eq!((rig.settled().mismatched, rig.settled().racing), (1, 0));
    let store = rig.drain();
    let record = &store.batches()[0].comparisons[0];
    assert_eq!(record.confirmation, Some(Confirmation::Confirmed));
}

#[test]
fn a_mismatch_that_was_an_edit_in_between_opens_no_group_and_is_no_match() {
    let (rig, suspect, _alive) = suspected();
    rig.recorder.compare().asked_again(suspect, &round(json("{}"), json("{}")));
    assert_eq!((rig.settled().mismatched, rig.settled().racing, rig.settled().matched), (1, 1, 0));
    let store = rig.drain();
    assert_eq!((store.total().mismatched, store.total().racing), (1, 1));
    let batch = &store.batches()[0];
    assert!(batch.comparisons.is_empty(), "{:?}", batch.comparisons);
    assert_eq!((batch.plain[0].verdict, batch.plain[0].count), (Verdict::Mismatch, 1));
}

#[test]
fn a_candidate_that_does_not_agree_with_itself_stays_a_mismatch() {
    let (rig, suspect, _alive) = suspected();
    rig.recorder.compare().asked_again(suspect, &round(json("[]"), json("[]")));
    let store = rig.drain();
    assert_eq!(store.batches()[0].comparisons[0].confirmation, Some(Confirmation::Nondeterministic));
    assert_eq!((store.total().mismatched, store.total().racing), (1, 0));
}

#[test]
fn a_mismatch_that_cannot_be_asked_again_counts_as_it_is() {
    let (rig, suspect, (suspects, _candidate)) = suspected();
    rig.recorder.compare().not_asked_again(suspect);
    // Nobody takes suspects any more: they come back at once.
    drop(suspects);
    rig.exchange("r2", "[]");
    let settled = rig.settled();
    assert_eq!(settled.mismatched, 2, "{settled:?}");
    let store = rig.drain();
    let batch = &store.batches()[0];
    assert!(batch.comparisons.iter().all(|record| record.confirmation.is_none()), "{:?}", batch.comparisons);
}

#[test]
fn noise_that_control_showed_hides_a_difference_and_reaches_the_store() {
    let candidate = Upstream::start(Behaviour::json(r#"{"n":1}"#));
    let mut setup = Setup::candidate(&candidate);
    setup.judge = Box::new(RulesJudge::new(Rules::default(), Limits::default()));
    let rig = setup.start();
    let request = ShadowedRequest::from(rig.request("r0")).request;
    for n in 1..4 {
        let (first, second) = (json(&format!(r#"{{"n":{n}}}"#)), json(&format!(r#"{{"n":{}}}"#, n + 10)));
        rig.recorder.compare().control_twice(&rig.route.endpoint, &request, &first, &second);
    }
    rig.exchange("r1", r#"{"n":7}"#);
    assert_eq!((rig.settled().tolerated, rig.settled().mismatched), (1, 0));
    rig.exchange("r2", r#"{"n":"seven"}"#);
    assert_eq!(rig.settled().mismatched, 1, "another type is never noise");
    let store = rig.drain();
    let batch = &store.batches()[0];
    let [(endpoint, noise)] = &batch.noise[..] else { panic!("{:?}", batch.noise) };
    assert_eq!(*endpoint, rig_endpoint());
    let (place, learned) = noise.places.iter().next().unwrap();
    assert_eq!((noise.asked_twice, learned.sightings, learned.hidden), (3, 3, 1));
    let hidden = batch.comparisons.iter().find(|record| record.id == "r1").unwrap();
    assert_eq!(hidden.tolerated, [(place.id(), 1)], "what noise hid is counted under its place");
}

fn rig_endpoint() -> diff_harness::endpoint::EndpointId {
    "GET /a".parse().unwrap()
}
