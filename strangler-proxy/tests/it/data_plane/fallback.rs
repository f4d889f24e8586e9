//! A candidate that fails: control answers what is safe; what is not safe is sent once.

use std::time::Duration;

use diff_harness::comparison::{DropReason, SkipReason};
use diff_harness::lifecycle::{Hold, Stage, Weight};

use super::origin::{Origin, ok};
use super::proxy::{Plan, Proxy, route};
use crate::ports::Port;
use crate::shadow::rig::eventually;

fn canary() -> Stage {
    Stage::Canary(Weight::new(Weight::WHOLE).unwrap())
}

/// All stages at which the candidate answers and control stands behind it.
fn stages() -> [Stage; 3] {
    [canary(), Stage::Live, Stage::Soak]
}

fn plan(control: &Origin, stage: Stage) -> Plan {
    Plan::new(control.address).endpoint("GET /a", stage).endpoint("POST /a", stage)
}

fn post(proxy: &Proxy) -> super::client::Response {
    let mut client = proxy.client();
    client.send("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc");
    client.response()
}

#[test]
fn a_candidate_that_is_well_answers() {
    for stage in stages() {
        let (control, candidate) = (Origin::saying("control"), Origin::saying("candidate"));
        let proxy = plan(&control, stage).candidate(&candidate).start();
        assert_eq!(proxy.client().get("/a").text(), "candidate");
        assert_eq!(post(&proxy).text(), "candidate");
        let tally = proxy.tally();
        assert_eq!((tally.answered_candidate, tally.answered_control, tally.fallbacks), (2, 0, 0));
    }
}

#[test]
fn control_answers_for_a_dead_candidate() {
    for stage in stages() {
        let control = Origin::saying("control");
        let proxy = plan(&control, stage).candidate_at(Port::refused()).start();
        let mut client = proxy.client();
        for _ in 0..3 {
            assert_eq!(client.get("/a").text(), "control");
        }
        // Not a byte of it was sent, so that control may carry it out.
        assert_eq!(post(&proxy).text(), "control");
        let tally = proxy.tally();
        assert_eq!((tally.answered_candidate, tally.answered_control, tally.fallbacks), (0, 4, 4), "{stage}");
        assert_eq!(control.received().len(), 4);
    }
}

#[test]
fn control_answers_for_a_candidate_that_hangs() {
    let control = Origin::saying("control");
    let candidate = Origin::scripted(|line| {
        line.request();
        line.wait_for_end();
    });
    let proxy = plan(&control, Stage::Soak)
        .candidate(&candidate)
        .with(|config| {
            // Long enough for the request to be sent: what was not sent is control's.
            config.candidate.as_mut().unwrap().head_timeout = Duration::from_millis(500);
        })
        .start();
    assert_eq!(proxy.client().get("/a").text(), "control");
    let response = post(&proxy);
    assert_eq!((response.status, response.reason().as_str()), (504, "upstream_timeout"));
    let unsafe_ones =
        control.received().iter().filter(|request| request.first_line().contains("POST")).count();
    assert_eq!(unsafe_ones, 0, "control was sent what the candidate may have carried out");
    let tally = proxy.tally();
    assert_eq!((tally.answered_control, tally.answered_proxy, tally.fallbacks), (1, 1, 1));
    assert_eq!(tally.skipped[&SkipReason::AnswerFailed], 1);
}

#[test]
fn control_answers_for_a_candidate_that_closes_or_babbles() {
    for raw in ["", "not HTTP at all\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-"] {
        let control = Origin::saying("control");
        let candidate = Origin::scripted(move |line| {
            line.request();
            line.send(raw);
        });
        let proxy = plan(&control, Stage::Soak).candidate(&candidate).start();
        assert_eq!(proxy.client().get("/a").text(), "control", "{raw:?}");
        assert_eq!(post(&proxy).status, 502, "{raw:?}");
        assert_eq!(control.received().len(), 1, "{raw:?}");
    }
}

#[test]
fn control_answers_for_a_candidate_that_says_it_cannot() {
    for status in [500, 501, 502, 503, 504] {
        let control = Origin::saying("control");
        let candidate =
            Origin::new(move |_| format!("HTTP/1.1 {status} Sorry\r\nContent-Length: 5\r\n\r\nsorry"));
        let proxy = plan(&control, Stage::Soak).candidate(&candidate).start();
        let mut client = proxy.client();
        for _ in 0..3 {
            let response = client.get("/a");
            assert_eq!((response.status, response.text()), (200, "control"));
        }
        // It was carried out, or not; what the candidate says of it is all there is.
        assert_eq!(post(&proxy).status, status);
        assert_eq!(proxy.tally().fallbacks, 3);
    }
}

#[test]
fn other_errors_of_a_candidate_are_its_answer() {
    for status in [400, 404, 429] {
        let control = Origin::saying("control");
        let candidate = Origin::new(move |_| format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n"));
        let proxy = plan(&control, Stage::Soak).candidate(&candidate).start();
        assert_eq!(proxy.client().get("/a").status, status);
        assert_eq!(control.received(), []);
        assert_eq!(proxy.tally().fallbacks, 0);
    }
}

#[test]
fn a_retired_endpoint_has_nothing_behind_it() {
    let control = Origin::saying("control");
    let proxy = plan(&control, Stage::Retired).candidate_at(Port::refused()).start();
    let response = proxy.client().get("/a");
    assert_eq!((response.status, response.reason().as_str()), (502, "unreachable"));
    assert_eq!(control.received(), []);
}

#[test]
fn an_endpoint_that_was_taken_back_is_answered_by_control() {
    let (control, candidate) = (Origin::saying("control"), Origin::saying("candidate"));
    let proxy = plan(&control, Stage::Live).candidate(&candidate).start();
    let mut client = proxy.client();
    assert_eq!(client.get("/a").text(), "candidate");
    let mut taken_back = route("GET /a", Stage::Live);
    taken_back.standing.hold = Hold::Fallback;
    proxy.swap(&[taken_back]);
    // The next request on the same connection.
    assert_eq!(client.get("/a").text(), "control");
    assert_eq!(proxy.tally().answered_control, 1);
}

/// The other side of a fallback is still the candidate: what it failed at is seen by the comparison.
#[test]
fn a_fallback_is_shadowed_to_the_candidate() {
    let control = Origin::saying("control");
    let candidate = Origin::new(|request| {
        if request.field("x-strangler-shadow").is_some() {
            ok("now it works")
        } else {
            "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n".to_owned()
        }
    });
    let proxy = plan(&control, Stage::Live).candidate(&candidate).start();
    assert_eq!(proxy.client().get("/a").text(), "control");
    let tally = proxy.tally();
    assert_eq!((tally.fallbacks, tally.mismatched), (1, 1));
    assert_eq!(control.received().len(), 1);
}

#[test]
fn a_dead_candidate_changes_nothing_for_the_client_of_a_shadowed_endpoint() {
    let control = Origin::saying("control");
    let proxy = plan(&control, Stage::Shadow).candidate_at(Port::refused()).start();
    let mut client = proxy.client();
    for _ in 0..20 {
        assert_eq!(client.get("/a").text(), "control");
    }
    let tally = proxy.tally();
    assert_eq!((tally.dropped[&DropReason::Unreachable], tally.seen()), (20, 20));
}

#[test]
fn a_hung_candidate_changes_nothing_for_the_client_of_a_shadowed_endpoint() {
    let control = Origin::saying("control");
    let candidate = Origin::scripted(|line| {
        line.request();
        line.wait_for_end();
    });
    let proxy = plan(&control, Stage::Shadow).candidate(&candidate).start();
    let mut client = proxy.client();
    // Were the client to wait for the candidate, this would never end.
    for _ in 0..20 {
        assert_eq!(client.get("/a").text(), "control");
    }
    candidate.kill();
    eventually(|| proxy.snapshot().pending() == 0);
}
