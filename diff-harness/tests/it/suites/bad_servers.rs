//! Servers that do what servers should not do: each is an outcome, and nothing hangs.

use diff_harness::suite::outcome::FailOn;
use diff_harness::suite::output;
use diff_harness::suite::report::RunVerdict;

use super::server::{Asked, Reply, Server, json, nowhere};
use super::sides::{Sides, assert_pass, failures, found};

const ONE: &str = "suite: x\ncases:\n- { name: a, timeout_ms: 300, request: { path: / } }\n";

fn well(_: &Asked) -> Reply {
    json(200, "{}")
}

fn raw(bytes: &'static [u8]) -> impl Fn(&Asked) -> Reply + Send + Sync + Clone {
    move |_| Reply::Raw(bytes.to_vec())
}

/// What is found when the candidate is bad, and what is said when control is.
fn check(bad: impl Fn(&Asked) -> Reply + Send + Sync + Clone + 'static, failure: &str) {
    let (good, bad) = (Server::start(well), Server::start(bad));
    let report = Sides::of(ONE, &good, &bad).run();
    assert_eq!(found(&report), ["breaking transport a exchange"], "{failure}");
    let divergence = report.found().next().unwrap().finding.divergence.get().clone();
    assert_eq!(divergence.candidate.as_deref(), Some(failure));
    let report = Sides::of(ONE, &bad, &good).run();
    assert_eq!(failures(&report), [format!("a: control gave no whole response ({failure})")]);
    let report = Sides::of(ONE, &bad, &bad).run();
    assert_eq!(failures(&report).len(), 1, "two bad servers are no match");
}

#[test]
fn a_server_that_never_answers() {
    check(|_| Reply::Silence, "timeout");
}

#[test]
fn a_server_whose_body_never_ends() {
    check(|_| Reply::Endless, "timeout");
}

#[test]
fn a_server_that_closes_without_a_word() {
    check(raw(b""), "closed");
}

#[test]
fn a_server_that_closes_in_the_middle_of_its_head() {
    check(raw(b"HTTP/1.1 200 OK\r\ncontent-le"), "closed");
}

#[test]
fn a_server_that_closes_in_the_middle_of_its_body() {
    check(raw(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n123"), "closed");
}

#[test]
fn a_server_that_speaks_no_http() {
    check(raw(b"220 mail.test ESMTP ready\r\n"), "protocol");
}

#[test]
fn a_server_that_sends_a_broken_chunk() {
    check(raw(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nabc"), "protocol");
}

#[test]
fn a_server_that_is_not_there() {
    let good = Server::start(well);
    let report = Sides::new(ONE, &good.url(), &nowhere()).run();
    assert_eq!(found(&report), ["breaking transport a exchange"]);
    let report = Sides::new(ONE, &nowhere(), &good.url()).run();
    assert_eq!(failures(&report), ["a: control gave no whole response (connect)"]);
}

#[test]
fn redirects_in_circles_are_compared_and_not_followed() {
    let circle = |asked: &Asked| Reply::Headers(302, vec![("location", asked.target.clone())], String::new());
    let (control, candidate) = (Server::start(circle), Server::start(circle));
    assert_pass(&Sides::of(ONE, &control, &candidate).run());
    assert_eq!(candidate.asked().len(), 1);
    let elsewhere =
        |_: &Asked| Reply::Headers(302, vec![("location", "/elsewhere".to_owned())], String::new());
    let report = Sides::of(ONE, &control, &Server::start(elsewhere)).run();
    assert_eq!(found(&report), ["changed header a header location"]);
}

#[test]
fn a_server_that_closes_after_every_answer_is_asked_over_a_new_connection() {
    let closing = raw(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}");
    let yaml = "
suite: x
cases:
- { name: a, request: { path: / } }
- { name: b, request: { path: / } }
- { name: c, request: { method: POST, path: / } }
";
    let (control, candidate) = (Server::start(well), Server::start(closing));
    let mut sides = Sides::of(yaml, &control, &candidate);
    sides.settings.jobs = 1;
    assert_pass(&sides.run());
    assert_eq!(candidate.asked().len(), 3);
}

#[test]
fn a_stream_of_events_is_skipped_and_proves_nothing() {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: 100\r\n\r\ndata: 1\n\n";
    let stream = move |_: &Asked| Reply::Opening(head.as_bytes().to_vec());
    let report = Sides::of(ONE, &Server::start(stream), &Server::start(stream)).run();
    assert_eq!((report.totals.skipped, report.totals.compared()), (1, 0));
    assert_eq!(report.verdict(FailOn::Any), RunVerdict::Nothing);
    let broken = |_: &Asked| Reply::Raw(head.as_bytes().to_vec());
    let report = Sides::of(ONE, &Server::start(stream), &Server::start(broken)).run();
    assert_eq!(found(&report), ["breaking transport a exchange"], "one that breaks off is no stream");
}

#[test]
fn hostile_values_reach_every_format_whole() {
    let hostile = |_: &Asked| json(200, r#"{"a":"\u0000]]><script>::error::%0A|`"}"#);
    let (control, candidate) = (Server::start(well), Server::start(hostile));
    let report = Sides::of(ONE, &control, &candidate).run();
    let value = output::json::value(&report, FailOn::Any);
    let shown = value["results"][0]["steps"][0]["detail"]["divergences"][0]["candidate"].as_str().unwrap();
    assert!(shown.contains("<script>"), "{shown}");
    assert!(!output::markdown::render(&report, FailOn::Any).contains("<script>"));
}
