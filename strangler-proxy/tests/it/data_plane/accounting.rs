//! Every request that was read ends in one disposition, and one side, or the proxy, has answered it.

use std::time::Duration;

use diff_harness::comparison::SkipReason;
use diff_harness::lifecycle::{Stage, Weight};

use super::origin::{Origin, ok};
use super::proxy::{Plan, Proxy, route};
use crate::shadow::rig::eventually;

#[test]
fn what_no_endpoint_matches_goes_to_control_and_is_proposed() {
    let (control, candidate) = (Origin::saying("x"), Origin::saying("x"));
    let proxy = Plan::new(control.address).candidate(&candidate).endpoint("GET /a", Stage::Live).start();
    let mut client = proxy.client();
    client.get("/b?x=1");
    client.get("//a");
    let tally = proxy.rig.registry.unmatched().snapshot().tally;
    assert_eq!((tally.skipped[&SkipReason::Unmatched], tally.answered_control), (2, 2));
    assert_eq!(candidate.received(), []);
}

#[test]
fn stages_without_a_shadow_are_skipped_as_that() {
    for stage in [Stage::Legacy, Stage::Soak, Stage::Retired] {
        let (control, candidate) = (Origin::saying("x"), Origin::saying("x"));
        let proxy = Plan::new(control.address).candidate(&candidate).endpoint("GET /a", stage).start();
        proxy.client().get("/a");
        let tally = proxy.tally();
        assert_eq!((tally.skipped[&SkipReason::Stage], tally.seen()), (1, 1), "{stage}");
    }
}

#[test]
fn an_unsafe_request_is_never_shadowed() {
    let (control, candidate) = (Origin::saying("x"), Origin::saying("x"));
    for stage in [Stage::Legacy, Stage::Record, Stage::Verify] {
        let proxy = Plan::new(control.address).candidate(&candidate).endpoint("POST /a", stage).start();
        let mut client = proxy.client();
        client.send("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
        client.response();
        assert_eq!(proxy.tally().skipped_total(), 1);
    }
    assert_eq!(candidate.received(), []);
    assert_eq!(control.received().len(), 3);
}

#[test]
fn a_canary_answers_its_cohort_and_shadows_the_other_side_both_ways() {
    // Equal, as far as they are compared: a canary that differs would not last.
    let side = |side| move |_: &_| format!("HTTP/1.1 200 OK\r\nX-Side: {side}\r\nContent-Length: 0\r\n\r\n");
    let (control, candidate) = (Origin::new(side("control")), Origin::new(side("candidate")));
    let half = Stage::Canary(Weight::new(5_000).unwrap());
    let proxy = Plan::new(control.address)
        .candidate(&candidate)
        .endpoint("GET /a", half)
        .with(|config| {
            config.cohort = strangler_proxy::data_plane::CohortKey::Header("x-user".parse().unwrap());
        })
        .start();
    let mut client = proxy.client();
    let mut ask = |user: usize| {
        client.send(format!("GET /a HTTP/1.1\r\nHost: a\r\nX-User: {user}\r\n\r\n"));
        client.response().field("x-side").unwrap().to_owned()
    };
    let first: Vec<_> = (0..40).map(&mut ask).collect();
    let again: Vec<_> = (0..40).map(&mut ask).collect();
    assert_eq!(first, again, "somebody changed sides");
    assert!(first.contains(&"control".to_owned()) && first.contains(&"candidate".to_owned()));
    assert_eq!(client_without_key(&proxy), "control");
    let tally = proxy.tally();
    assert_eq!((tally.compared(), tally.seen()), (81, 81));
    assert_eq!((control.received().len(), candidate.received().len()), (81, 81));
}

fn client_without_key(proxy: &Proxy) -> String {
    proxy.client().get("/a").field("x-side").unwrap().to_owned()
}

/// Whatever clients and upstreams do: started is what was seen, and every request was answered or left.
#[test]
fn the_sums_hold_whatever_happens() {
    let control = Origin::scripted(|line| {
        while let Some(request) = line.request() {
            match request.first_line().as_bytes()[5] {
                b'0' => line.send(ok("{}")),
                b'1' => line.send("HTTP/1.1 500 X\r\nContent-Length: 2\r\n\r\n{}"),
                b'2' => return,
                b'3' => return line.wait_for_end(),
                b'4' => {
                    line.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{");
                    return;
                }
                b'5' => {
                    line.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n")
                }
                _ => line.send("HTTP/1.1 204 No Content\r\n\r\n"),
            };
        }
    });
    let candidate =
        Origin::new(|request| if request.head.contains('7') { ok("{\"x\":1}") } else { ok("{}") });
    let stages = [Stage::Legacy, Stage::Shadow, Stage::Live, Stage::Soak, Stage::Retired];
    let proxy = Plan::new(control.address)
        .candidate(&candidate)
        .endpoint("GET /{id}", Stage::Shadow)
        .with(|config| config.control.head_timeout = Duration::from_millis(30))
        .start();
    let mut answered = 0;
    for round in 0..100_usize {
        let mut client = proxy.client();
        let method = ["GET", "HEAD", "POST", "GET"][round % 4];
        let kind = round % 7;
        proxy.swap(&[route("GET /{id}", stages[round / 7 % stages.len()])]);
        let length = if method == "POST" { "Content-Length: 2\r\n" } else { "" };
        let body = if method == "POST" { "ab" } else { "" };
        client.send(format!("{method} /{kind}x{round} HTTP/1.1\r\nHost: a\r\n{length}\r\n{body}"));
        if round % 11 == 10 {
            client.leave();
        } else if client.head().is_some() {
            answered += 1;
        }
    }
    // Shadows that hang there come to their end.
    control.kill();
    eventually(|| proxy.snapshot().pending() == 0);
    let snapshot = proxy.snapshot();
    let tally = &snapshot.tally;
    assert_eq!(snapshot.started, tally.seen());
    let answers = tally.answered_control + tally.answered_candidate + tally.answered_proxy;
    let gone = tally.skipped.get(&SkipReason::ClientGone).copied().unwrap_or_default();
    assert!(answers >= answered && answers <= tally.seen(), "{tally:?}");
    assert!(answers + gone >= tally.seen(), "{tally:?}");
    assert_eq!(proxy.rig.shadow.memory().used(), 0);
}

#[test]
fn a_refused_request_is_counted_as_that() {
    let control = Origin::saying("x");
    let proxy = Proxy::to(&control);
    let mut client = proxy.client();
    client.send("GET /a/../b HTTP/1.1\r\nHost: a\r\n\r\n");
    client.response();
    let snapshot = proxy.snapshot();
    assert_eq!((snapshot.started, snapshot.tally.answered_proxy), (1, 1));
    assert_eq!(snapshot.tally.skipped[&SkipReason::Refused], 1);
}

#[test]
fn a_client_that_leaves_in_the_middle_of_an_answer_is_no_comparison() {
    let control = Origin::scripted(|line| {
        line.request();
        line.send("HTTP/1.1 200 OK\r\n\r\n");
        while line.send("endless") {}
    });
    let candidate = Origin::saying("x");
    let proxy = Plan::new(control.address).candidate(&candidate).endpoint("GET /a", Stage::Shadow).start();
    let mut client = proxy.client();
    client.send("GET /a HTTP/1.1\r\nHost: a\r\n\r\n");
    client.head();
    client.leave();
    let tally = proxy.tally();
    assert_eq!((tally.skipped[&SkipReason::ClientGone], tally.seen()), (1, 1));
}

#[test]
fn an_answer_that_breaks_off_is_compared_as_a_failure_of_its_side() {
    let control = Origin::scripted(|line| {
        line.request();
        line.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{");
    });
    let candidate = Origin::saying("{}");
    let proxy = Plan::new(control.address).candidate(&candidate).endpoint("GET /a", Stage::Shadow).start();
    let mut client = proxy.client();
    client.send("GET /a HTTP/1.1\r\nHost: a\r\n\r\n");
    client.head();
    client.rest();
    assert_eq!(proxy.tally().mismatched, 1);
}

#[test]
fn latency_is_that_of_the_side_that_answered() {
    let (control, candidate) = (Origin::saying("x"), Origin::saying("x"));
    let proxy = Plan::new(control.address).candidate(&candidate).endpoint("GET /a", Stage::Live).start();
    let mut client = proxy.client();
    for _ in 0..5 {
        client.get("/a");
    }
    use diff_harness::exchange::Side::{Candidate, Control};
    let counters = proxy.rig.registry.get(&"GET /a".parse().unwrap());
    eventually(|| counters.latencies(Candidate).count() == 5);
    assert_eq!(counters.latencies(Control).count(), 0);
}
