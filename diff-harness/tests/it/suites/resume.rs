//! Runs that are stopped and gone on with, resets, and shards.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use diff_harness::suite::outcome::FailOn;
use diff_harness::suite::output;
use diff_harness::suite::report::{RunReport, RunVerdict};
use diff_harness::suite::run::{Done, RunError};

use super::server::{Server, json};
use super::sides::{Sides, assert_pass};

fn many(count: usize) -> String {
    let cases = (0..count).map(|n| format!("- {{ name: c{n}, request: {{ path: /{n} }} }}\n"));
    format!("suite: x\ncases:\n{}", cases.collect::<String>())
}

#[test]
fn a_run_that_was_stopped_is_gone_on_with_and_ends_as_one_that_was_not() {
    let stop = Arc::new(AtomicBool::new(false));
    let (asked, stopper) = (AtomicU32::new(0), Arc::clone(&stop));
    let control = Server::start(move |_| {
        if asked.fetch_add(1, Ordering::Relaxed) == 10 {
            stopper.store(true, Ordering::Relaxed);
        }
        json(200, "{}")
    });
    let candidate = Server::start(|asked| json(200, if asked.target.ends_with('7') { "[]" } else { "{}" }));
    let mut sides = Sides::of(&many(40), &control, &candidate);
    sides.settings.jobs = 2;
    let (report, done) = sides.resume(RunReport::default(), Done::default(), &stop).unwrap();
    assert!(done.len() >= 9 && done.len() < 40, "{}", done.len());
    assert_eq!(report.totals.cases, done.len());
    assert_eq!(report.planned, 40);
    assert!(matches!(report.verdict(FailOn::Exposure), RunVerdict::Interrupted));

    // Through the file that an interruption leaves.
    let kept = output::json::parse(&output::json::render(&report, FailOn::Any)).unwrap();
    let kept_done: Done = done.ranges().collect();
    let (report, done) = sides.resume(kept, kept_done, &AtomicBool::new(false)).unwrap();
    assert_eq!((done.len(), report.totals.cases), (40, 40));
    let uninterrupted = sides.run();
    let shape = |report: &RunReport| {
        let groups: Vec<_> = report.groups().iter().map(|g| (g.sentence(), g.count, g.first)).collect();
        let cases: Vec<_> = report.results().iter().map(|result| result.case.clone()).collect();
        (groups, cases, report.totals)
    };
    assert_eq!(shape(&report), shape(&uninterrupted));
}

#[test]
fn shards_merge_into_the_whole() {
    let (control, candidate) = (Server::start(|_| json(200, "{}")), Server::start(|_| json(200, "[]")));
    let mut sides = Sides::of(&many(10), &control, &candidate);
    let whole = sides.run();
    let mut merged = RunReport::new("", "", 0);
    for number in ["1/3", "2/3", "3/3"] {
        sides.selection.shard = Some(number.parse().unwrap());
        let report = sides.run();
        assert!(report.planned < 10);
        merged.merge(output::json::parse(&output::json::render(&report, FailOn::Any)).unwrap());
    }
    assert_eq!((merged.planned, merged.totals), (10, whole.totals));
    let cases = |report: &RunReport| report.results().iter().map(|r| r.case.clone()).collect::<Vec<_>>();
    assert_eq!(cases(&merged), cases(&whole));
}

#[test]
fn both_sides_are_reset_before_anything_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let (control, candidate) = (Server::start(|_| json(200, "{}")), Server::start(|_| json(200, "{}")));
    let yaml = format!(
        "suite: x\nreset: {{ control: {{ command: 'echo $STRANGLER_SIDE $STRANGLER_URL > {}/ran' }}, candidate: {{ url: '{}/reset' }} }}\ncases:\n- {{ name: a, request: {{ path: / }} }}\n",
        folder.path().display(),
        candidate.url(),
    );
    assert_pass(&Sides::of(&yaml, &control, &candidate).run());
    let ran = std::fs::read_to_string(folder.path().join("ran")).unwrap();
    assert_eq!(ran, format!("control {}\n", control.url()));
    let lines: Vec<_> = candidate.asked().iter().map(super::server::Asked::line).collect();
    assert_eq!(lines, ["POST /reset", "GET /"]);
}

#[test]
fn a_reset_that_fails_stops_the_run_before_its_first_request() {
    let server = Server::start(|asked| json(if asked.target == "/reset" { 500 } else { 200 }, "{}"));
    for hook in ["command: 'echo no disk >&2; exit 3'".to_owned(), format!("url: '{}/reset'", server.url())] {
        let yaml = format!(
            "suite: x\nreset: {{ candidate: {{ {hook} }} }}\ncases:\n- {{ name: a, request: {{ path: / }} }}\n"
        );
        let sides = Sides::of(&yaml, &server, &server);
        let error = sides.resume(RunReport::default(), Done::default(), &AtomicBool::new(false)).unwrap_err();
        let RunError::Reset(error) = error else { panic!("{error}") };
        assert!(error.to_string().starts_with("candidate could not be reset: "), "{error}");
    }
    assert!(server.asked().iter().all(|asked| asked.target == "/reset"));
}
