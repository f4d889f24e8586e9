//! Suites that only read.

use std::sync::atomic::{AtomicU32, Ordering};

use diff_harness::suite::outcome::FailOn;
use diff_harness::suite::report::RunVerdict;
use diff_harness::suite::run::Settings;

use super::server::{Asked, Reply, Server, json};
use super::sides::{Sides, assert_pass, failures, found, judge, notes};

fn many(count: usize) -> String {
    let mut yaml = "suite: x\ncases:\n".to_owned();
    for n in 0..count {
        yaml.push_str(&format!(
            "- {{ name: c{n}, request: {{ path: /items/{n}?x=1, endpoint: '/items/{{id}}' }} }}\n"
        ));
    }
    yaml
}

fn item(asked: &Asked) -> Reply {
    json(200, format!(r#"{{"path":"{}","n":1}}"#, asked.target))
}

#[test]
fn equal_sides_pass_whatever_the_parallelism() {
    let (control, candidate) = (Server::start(item), Server::start(item));
    for jobs in [1, 3, 16] {
        let mut sides = Sides::of(&many(40), &control, &candidate);
        sides.settings.jobs = jobs;
        let report = sides.run();
        assert_pass(&report);
        assert_eq!((report.totals.matched, report.results().len()), (40, 40));
        let order: Vec<u64> = report.results().iter().map(|result| result.index).collect();
        assert!(order.is_sorted(), "{order:?}");
    }
    assert_eq!(control.asked().len(), 120, "each case is asked once");
}

#[test]
fn a_run_in_parallel_reports_what_a_run_in_order_does() {
    let candidate = |asked: &Asked| match asked.target.as_str() {
        target if target.contains("/3") => json(200, format!(r#"{{"path":"{target}","n":null}}"#)),
        target if target.contains("/2") => json(404, "{}"),
        _ => item(asked),
    };
    let (control, candidate) = (Server::start(item), Server::start(candidate));
    let reports = [1, 16].map(|jobs| {
        let mut sides = Sides::of(&many(60), &control, &candidate);
        sides.settings.jobs = jobs;
        sides.run()
    });
    let groups = reports.each_ref().map(|report| {
        let groups = report.groups().into_iter().map(|g| (g.sentence(), g.count, g.case.clone(), g.first));
        groups.collect::<Vec<_>>()
    });
    assert_eq!(groups[0], groups[1]);
    assert_eq!(found(&reports[0]), found(&reports[1]));
    assert_eq!(reports[0].groups().len(), 2);
    assert_eq!(reports[0].verdict(FailOn::Any), RunVerdict::Diverged);
}

#[test]
fn a_request_carries_what_the_suite_says() {
    let yaml = "
suite: x
variables: { who: 'a b/c', n: 3 }
defaults: { headers: { X-Level: suite, X-Suite: \"1\" } }
personas: { p: { headers: { X-Level: persona, Authorization: 'Bearer ${who}' }, cookies: { k: v } } }
cases:
- name: one
  personas: [p]
  request:
    method: POST
    path: '/u/${who}/x?q=${who}'
    query: { z: 'é&' }
    headers: { X-Level: step }
    body: { json: { n: '${n}', s: 'n=${n}', who: '${who}' } }
";
    let (control, candidate) = (Server::start(item), Server::start(item));
    assert_pass(&Sides::of(yaml, &control, &candidate).run());
    for side in [&control, &candidate] {
        let asked = &side.asked()[0];
        assert_eq!(asked.line(), "POST /u/a%20b%2Fc/x?q=a%20b/c&z=%C3%A9%26");
        assert_eq!(asked.header("x-level"), Some("step"));
        assert_eq!(asked.header("x-suite"), Some("1"));
        assert_eq!(asked.header("authorization"), Some("Bearer a b/c"));
        assert_eq!(asked.header("cookie"), Some("k=v"));
        assert_eq!(asked.header("content-type"), Some("application/json"));
        assert_eq!(asked.body, r#"{"n":3,"s":"n=3","who":"a b/c"}"#);
        assert_eq!(format!("http://{}", asked.header("host").unwrap()), side.url());
    }
}

#[test]
fn a_divergence_that_does_not_come_back_is_told_and_fails_nothing() {
    let calls = AtomicU32::new(0);
    let flaky = move |asked: &Asked| match calls.fetch_add(1, Ordering::Relaxed) {
        0 => json(200, r#"{"path":"?","n":2}"#),
        _ => item(asked),
    };
    let (control, candidate) = (Server::start(item), Server::start(flaky));
    let report = Sides::of(&many(1), &control, &candidate).run();
    assert_pass(&report);
    assert_eq!(report.totals.unconfirmed, 1);
    assert_eq!(
        notes(&report),
        ["not confirmed when both sides were asked again: value at $.path, value at $.n"]
    );
    assert_eq!((control.asked().len(), candidate.asked().len()), (2, 2), "both sides are asked again");
}

#[test]
fn a_divergence_that_comes_back_is_confirmed() {
    let (control, candidate) = (Server::start(item), Server::start(|_| json(200, "{}")));
    let report = Sides::of(&many(1), &control, &candidate).run();
    assert_eq!(found(&report), ["breaking missing c0 $.path", "breaking missing c0 $.n"]);
    assert_eq!(report.totals.unconfirmed, 0);
}

#[test]
fn an_expectation_that_control_does_not_meet_is_no_judgement() {
    let yaml = "suite: x\ncases:\n- { name: a, request: { path: / }, expect: { status: 201 } }\n";
    let (control, candidate) = (Server::start(item), Server::start(item));
    let report = Sides::of(yaml, &control, &candidate).run();
    assert_eq!(failures(&report), ["a: control answered 200, and 201 is expected"]);
    assert_eq!(report.verdict(FailOn::Any), RunVerdict::Failed);
}

#[test]
fn two_equal_server_errors_prove_nothing() {
    let broken = |_: &Asked| json(500, "{}");
    let (control, candidate) = (Server::start(broken), Server::start(broken));
    let report = Sides::of(&many(2), &control, &candidate).run();
    assert_eq!((report.totals.matched, report.totals.both_failed), (2, 2));
    assert_eq!(report.verdict(FailOn::Any), RunVerdict::Nothing);
}

#[test]
fn the_rules_of_the_proxy_hold_here_and_are_counted() {
    let (control, candidate) =
        (Server::start(|_| json(200, r#"{"n":1}"#)), Server::start(|_| json(200, r#"{"n":2}"#)));
    let mut sides = Sides::of(&many(1), &control, &candidate);
    assert_eq!(found(&sides.run()), ["changed value c0 $.n"]);
    sides.judge = judge("[[rules]]\nid = 'n'\npath = '$.n'\naction = 'ignore'\nreason = 'x'\n");
    let report = sides.run();
    assert_pass(&report);
    assert_eq!(report.totals.tolerated, 1);
}

#[test]
fn each_sides_links_lead_to_itself() {
    let linked = |asked: &Asked| {
        let own = asked.header("host").unwrap();
        let next = format!(r#"<http://{own}/items?page=2>; rel="next""#);
        let headers = vec![("content-type", "application/json".to_owned()), ("link", next)];
        Reply::Headers(200, headers, format!(r#"{{"url":"http://{own}/items/1","text":"at {own}!"}}"#))
    };
    let (control, candidate) = (Server::start(linked), Server::start(linked));
    assert_pass(&Sides::of(&many(1), &control, &candidate).run());
}

#[test]
fn a_long_body_is_compared_by_its_hash() {
    let long = |last: char| json(200, format!("\"{}{last}\"", "x".repeat(5000)));
    let (control, candidate) = (Server::start(move |_| long('a')), Server::start(move |_| long('b')));
    let mut sides = Sides::of(&many(1), &control, &candidate);
    sides.settings.body_bytes_max = 1000;
    assert_eq!(found(&sides.run()), ["changed binary c0 body"]);
    let same = Sides {
        settings: Settings::new(control.url().parse().unwrap(), control.url().parse().unwrap()),
        ..sides
    };
    let report = same.run();
    assert_pass(&report);
}
