//! Whole sets of endpoints: how far they are, and moving all that pass.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use crate::rig::Rig;

fn outcomes(said: &serde_json::Value) -> Vec<(String, String)> {
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let rows = said["data"]["endpoints"].as_array().unwrap().iter();
    rows.map(|row| (text(&row["endpoint"]), text(&row["outcome"]))).collect()
}

#[test]
fn of_a_set_each_endpoint_moves_by_its_own_gate() {
    let rig = Rig::new();
    for path in ["/same/a", "/same/b", "/other"] {
        rig.shadowed(path);
    }
    rig.requests("/same/a", 5);
    rig.requests("/other", 5);
    let all = ["promote", "--all-passing", "--to", "live"];
    let planned = rig.json(3, &[&all[..], &["--dry-run"]].concat());
    let expected =
        [("GET /other", "refused"), ("GET /same/a", "would_move"), ("GET /same/b", "inconclusive")];
    let named = |expected: &[(&str, &str)]| {
        expected.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect::<Vec<_>>()
    };
    assert_eq!(outcomes(&planned), named(&expected));
    assert_eq!(rig.stage("GET /same/a"), "shadow", "a dry run moves nothing");

    let below = rig.json(4, &[&all[..], &["--prefix", "/same"]].concat());
    assert_eq!(outcomes(&below), named(&[("GET /same/a", "moved"), ("GET /same/b", "inconclusive")]));
    let undo = below["data"]["endpoints"][0]["undo"].as_str().unwrap().to_owned();
    assert_eq!((rig.stage("GET /same/a"), rig.stage("GET /same/b")), ("live".into(), "shadow".into()));
    let words: Vec<_> = undo.strip_prefix("strangler ").unwrap().split(' ').collect();
    rig.expect(0, &words);
    assert_eq!(rig.stage("GET /same/a"), "shadow");

    let said = rig.expect(3, &all);
    assert!(said.err.contains("3 endpoints: 1 moved, 1 refused, 1 inconclusive"), "{said:?}");
    let done = rig.expect(0, &[&all[..], &["--prefix", "/same/a"]].concat());
    assert!(done.out.contains("stays"), "{done:?}");
    assert!(rig.expect(0, &[&all[..], &["--prefix", "/nowhere"]].concat()).out.contains("no endpoint"));
    rig.expect(2, &["promote"]);
    rig.expect(2, &["promote", "--all-passing", "--force", "--reason", "x"]);
    rig.expect(2, &["promote", "GET", "/same/a", "--dry-run"]);
}

#[test]
fn a_set_goes_to_each_endpoints_own_next_stage() {
    let rig = Rig::new();
    rig.shadowed("/same/a");
    rig.requests("/same/a", 5);
    rig.expect(0, &["routes", "add", "GET", "/same/b"]);
    rig.expect(0, &["hold", "GET", "/same/b", "--reason", "freeze"]);
    rig.expect(0, &["routes", "add", "GET", "/same/c"]);
    let said = rig.json(3, &["promote", "--all-passing", "--to-next", "--source", "command line"]);
    let outcome: Vec<_> = outcomes(&said).into_iter().map(|(_, outcome)| outcome).collect();
    assert_eq!(outcome, ["moved", "refused", "moved"]);
    assert_eq!(rig.stage("GET /same/c"), "shadow");
    assert!(rig.stage("GET /same/a").starts_with("canary"));
}

#[test]
fn the_status_says_how_far_the_estate_is_and_what_it_waits_for() {
    let rig = Rig::new();
    for path in ["/same", "/other"] {
        rig.shadowed(path);
    }
    rig.expect(0, &["routes", "add", "GET", "/later"]);
    rig.requests("/same", 5);
    rig.requests("/other", 2);
    let stream = |rig: &Rig| rig.json(0, &["status"])["data"]["value_stream"].clone();
    let waits = |rig: &Rig, endpoint: &str| {
        let stream = stream(rig);
        let mut all = stream["endpoints"].as_array().unwrap().iter();
        all.find(|one| one["endpoint"] == endpoint).unwrap()["waits_for"].as_str().unwrap().to_owned()
    };
    assert_eq!(waits(&rig, "GET /same"), "a promotion");
    assert_eq!(waits(&rig, "GET /other"), "a decision on 1 group");
    assert_eq!(waits(&rig, "GET /later"), "its first move");
    rig.expect(0, &["promote", "GET", "/same", "--to", "live"]);
    rig.requests("/same", 3);
    let now = stream(&rig);
    assert_eq!((&now["burn_down"]["moved"], &now["burn_down"]["endpoints"]), (&1.into(), &3.into()));
    assert_eq!((&now["answered_control"], &now["answered_candidate"]), (&7.into(), &3.into()));
    assert_eq!(now["monolith_share"], 0.7);
    rig.expect(0, &["hold", "GET", "/other", "--reason", "freeze"]);
    assert!(waits(&rig, "GET /other").contains("resume"));
    let text = rig.expect(0, &["status"]).out;
    for part in
        ["1 of 3 endpoints moved", "control answered 70.0 % of 10 requests", "WAITS FOR", "WORKING DAYS"]
    {
        assert!(text.contains(part), "{part} is missing in\n{text}");
    }
}

#[test]
fn a_watch_prints_a_line_each_time_and_ends_on_ctrl_c() {
    let rig = Rig::new();
    rig.shadowed("/same");
    rig.requests("/same", 2);
    let mut child = Command::new(env!("CARGO_BIN_EXE_strangler"))
        .args(["status", "--watch"])
        .env_clear()
        .env("STRANGLER_ADMIN", &rig.proxy().admin)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    for _ in 0..2 {
        let line = lines.next().unwrap().unwrap();
        assert!(line.starts_with("1 shadow; control answered 100.0 % of 2 requests"), "{line}");
        assert!(!line.contains('\x1b'), "{line:?}");
    }
    let told = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(told.success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
