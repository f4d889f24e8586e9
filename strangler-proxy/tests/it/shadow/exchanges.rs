//! What the shadowed side may do, and what is seen of it.

use std::time::Duration;

use diff_harness::comparison::{Disposition, DropReason, Verdict};
use diff_harness::exchange::{CapturedBody, Side};

use super::rig::{Rig, Setup, eventually, json, with_body};
use super::upstream::{Behaviour, Upstream};
use crate::ports::Port;

const BODY: &str = r#"{"id":7}"#;

/// What the candidate was seen to do, as the judge of these tests puts it.
fn seen_of(setup: Setup) -> String {
    let rig = setup.start();
    rig.exchange("r1", BODY);
    let tally = rig.settled();
    assert_eq!((tally.mismatched, tally.seen()), (1, 1), "{tally:?}");
    let store = rig.drain();
    let [batch] = &store.batches()[..] else { panic!("more than one batch") };
    let [record] = &batch.comparisons[..] else { panic!("more than one record") };
    let [(_, divergence)] = &record.divergences[..] else { panic!("more than one divergence") };
    divergence.get().candidate.clone().unwrap()
}

/// A deadline that nothing but a hung exchange reaches.
fn impatient(upstream: &Upstream) -> Setup {
    let mut setup = Setup::candidate(upstream);
    setup.shadow.exchange_max = Duration::from_millis(100);
    setup
}

fn raw(text: &str) -> Behaviour {
    Behaviour::Raw(text.as_bytes().to_vec())
}

#[test]
fn equal_answers_match_and_others_do_not() {
    let candidate = Upstream::start(Behaviour::json(BODY));
    let rig = Setup::candidate(&candidate).start();
    rig.exchange("r1", BODY);
    rig.exchange("r2", "{}");
    let tally = rig.settled();
    assert_eq!((tally.matched, tally.mismatched), (1, 1));
    rig.drain();
}

#[test]
fn a_shadow_request_is_the_request_that_was_forwarded_and_marked() {
    for to in [Side::Candidate, Side::Control] {
        let upstream = Upstream::start(Behaviour::json(BODY));
        let mut setup = Setup::default();
        match to {
            Side::Candidate => setup.candidate = Some(upstream.address),
            Side::Control => setup.control = Some(upstream.address),
        }
        let rig = setup.start();
        let mut request = rig.request("r1");
        request.to = to;
        request.headers.insert("x-request-id", request.id.clone());
        request.headers.insert("authorization", "Bearer t0ken".parse().unwrap());
        rig.submit(request).unwrap().complete(json(BODY), None);
        assert_eq!(rig.settled().matched, 1, "{to}");
        let head = upstream.head();
        for line in [
            "get /a?x=%2f http/1.1\r\n",
            "\r\nhost: example.com\r\n",
            "\r\nx-request-id: r1\r\n",
            "\r\nauthorization: bearer t0ken\r\n",
            "\r\nx-strangler-shadow: 1\r\n",
        ] {
            assert!(head.contains(line), "{line:?} is not in {head:?}");
        }
        rig.drain();
    }
}

#[test]
fn the_shadow_is_control_when_the_candidate_answers() {
    let control = Upstream::start(Behaviour::json(r#"{"from":"control"}"#));
    let rig = Setup { control: Some(control.address), ..Setup::default() }.start();
    let mut request = rig.request("r1");
    request.to = Side::Control;
    rig.submit(request).unwrap().complete(json(r#"{"from":"candidate"}"#), None);
    assert_eq!(rig.settled().mismatched, 1);
    let store = rig.drain();
    let batches = store.batches();
    let exchange = batches[0].comparisons[0].exchange.as_ref().unwrap().get();
    let body = |observation: &diff_harness::exchange::Observation| match &observation.outcome {
        diff_harness::exchange::Outcome::Response(response) => response.body.clone(),
        failure => panic!("{failure:?}"),
    };
    assert_eq!(body(&exchange.control), CapturedBody::Whole(r#"{"from":"control"}"#.into()));
    assert_eq!(body(&exchange.candidate), CapturedBody::Whole(r#"{"from":"candidate"}"#.into()));
}

#[test]
fn what_is_no_whole_response_in_time_is_a_transport_failure() {
    for (behaviour, expected) in [
        (raw(""), "closed"),
        (raw("HTTP/1.1 200 OK\r\ncontent-le"), "closed"),
        (raw("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"id\":7}"), "closed"),
        (raw("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n8\r\n{\"id\":7}\r\n"), "closed"),
        (raw("SSH-2.0-OpenSSH_9.2\r\n\r\n"), "protocol"),
        (raw("HTTP/1.1 200 OK\r\ncontent-length: ten\r\n\r\n"), "protocol"),
        (Behaviour::hang(), "timeout"),
        (Behaviour::Stall(b"HTTP/1.1 200 OK\r\nconte".to_vec()), "timeout"),
        (Behaviour::Stall(b"HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\n{\"id\"".to_vec()), "timeout"),
        (Behaviour::Stall(b"HTTP/1.1 100 Continue\r\n\r\n".to_vec()), "timeout"),
    ] {
        let candidate = Upstream::start(behaviour.clone());
        let setup = if expected == "timeout" { impatient(&candidate) } else { Setup::candidate(&candidate) };
        assert_eq!(seen_of(setup), expected, "{behaviour:?}");
    }
}

#[test]
fn a_head_without_end_is_not_read_to_its_end() {
    let field = format!("x-long: {}\r\n", "x".repeat(1000));
    let head = format!("HTTP/1.1 200 OK\r\n{}\r\n", field.repeat(10_000));
    assert!(head.len() > 10_000_000);
    let candidate = Upstream::start(Behaviour::Stall(head.into_bytes()));
    assert_eq!(seen_of(Setup::candidate(&candidate)), "protocol");
}

/// A rig whose candidate never stops sending.
fn unending() -> (Setup, Upstream) {
    let candidate = Upstream::start(Behaviour::Endless(vec![b'x'; 10_000]));
    let mut setup = Setup::candidate(&candidate);
    setup.shadow.body_kept_max = 50_000;
    setup.shadow.body_read_max = 1_000_000;
    (setup, candidate)
}

#[test]
fn a_body_without_end_has_not_come_in_time() {
    let (setup, _candidate) = unending();
    assert_eq!(seen_of(setup), "timeout");
}

#[test]
fn of_two_bodies_without_end_nothing_is_known() {
    let (setup, _candidate) = unending();
    let rig = setup.start();
    let slot = rig.submit(rig.request("r1")).unwrap();
    let mut capture = rig.shadow.capture();
    for _ in 0..200 {
        capture.push(&vec![b'x'; 10_000].into());
    }
    let captured = capture.finish().unwrap();
    slot.complete(with_body(captured.body), Some(captured.held));
    rig.settled();
    let store = rig.drain();
    let divergence = store.batches()[0].comparisons[0].divergences[0].1.get().clone();
    assert_eq!(divergence.candidate.as_deref(), Some("cut"));
}

#[test]
fn an_event_stream_is_not_waited_for() {
    let head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n".to_vec();
    let candidate = Upstream::start(Behaviour::Stall(head));
    assert_eq!(seen_of(Setup::candidate(&candidate)), "cut");
}

#[test]
fn a_body_over_the_limit_is_hashed() {
    let candidate = Upstream::start(Behaviour::json(&"x".repeat(5000)));
    let mut setup = Setup::candidate(&candidate);
    setup.shadow.body_kept_max = 4999;
    assert_eq!(seen_of(setup), "hashed 5000");
}

#[test]
fn interim_responses_are_passed_over() {
    let answer = "HTTP/1.1 103 Early Hints\r\nlink: </s>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\n{\"id\":7}";
    let candidate = Upstream::start(raw(answer));
    let rig = Setup::candidate(&candidate).start();
    rig.exchange("r1", BODY);
    assert_eq!(rig.settled().matched, 1);
    rig.drain();
}

#[test]
fn a_side_that_closes_idle_connections_is_no_worse_for_it() {
    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\n{\"id\":7}".to_vec();
    // One says nothing of closing, and closes; the other closes when it is asked again.
    for behaviour in [Behaviour::Raw(answer.clone()), Behaviour::Once(answer.clone())] {
        let candidate = Upstream::start(behaviour.clone());
        let rig = Setup::candidate(&candidate).start();
        for n in 0..20 {
            rig.exchange(&format!("r{n}"), BODY);
            rig.settled();
        }
        assert_eq!(rig.settled().matched, 20, "{behaviour:?}");
        rig.drain();
    }
}

#[test]
fn a_side_that_cannot_be_reached_is_probed_only_now_and_then() {
    let mut setup = Setup { candidate: Some(Port::refused()), ..Setup::default() };
    setup.shadow.circuit_failures = 3;
    setup.shadow.circuit_probe_every = Duration::from_secs(3600);
    let rig = setup.start();
    for n in 0..3 {
        rig.exchange(&format!("r{n}"), BODY);
        rig.settled();
    }
    // Known to be dead: refused before anything is copied for it.
    let refused = rig.submit(rig.request("r3")).unwrap_err();
    assert_eq!(refused, Disposition::Dropped(DropReason::Unreachable));
    assert_eq!(rig.settled().dropped[&DropReason::Unreachable], 4);
    rig.drain();
}

#[test]
fn a_side_that_comes_back_is_shadowed_again() {
    let candidate = Upstream::start(Behaviour::json(BODY));
    let address = candidate.address;
    candidate.kill();
    let mut setup = Setup { candidate: Some(address), ..Setup::default() };
    setup.shadow.circuit_failures = 1;
    setup.shadow.circuit_probe_every = Duration::from_millis(20);
    let rig = setup.start();
    rig.exchange("dead", BODY);
    assert_eq!(rig.settled().dropped[&DropReason::Unreachable], 1);
    let _back = Upstream::start_at(address, Behaviour::json(BODY));
    eventually(|| {
        rig.exchange("again", BODY);
        rig.settled().matched > 0
    });
    assert_eq!(rig.settled().dropped_total() + rig.settled().matched, rig.settled().seen());
    rig.drain();
}

#[test]
fn without_a_candidate_there_is_nobody_to_ask() {
    let rig: Rig = Setup::default().start();
    rig.exchange("r1", BODY);
    assert_eq!(rig.settled().dropped[&DropReason::Unreachable], 1);
    rig.drain();
}

#[test]
fn a_verdict_waits_for_whichever_side_comes_last() {
    let candidate = Upstream::start(Behaviour::json(BODY));
    let rig = Setup::candidate(&candidate).start();
    let slot = rig.submit(rig.request("r1")).unwrap();
    // The shadow has answered, and the client is still being answered.
    eventually(|| rig.route.counters.shadow_latencies(Side::Candidate).count() == 1);
    assert_eq!(rig.registry.total().pending(), 1);
    slot.complete(json(BODY), None);
    assert_eq!(rig.settled().matched, 1);
    assert_eq!(rig.route.counters.snapshot().tally.seen(), 1);
    assert_eq!(Verdict::Match.as_str(), "match");
    rig.drain();
}
