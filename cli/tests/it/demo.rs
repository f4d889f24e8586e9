//! `strangler demo`, from the beginning to each of its endings.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::rig::run;

/// What a demo told at its end. It must end with this exit code and leave no file behind.
fn demo(code: i32, more: &[&str]) -> Value {
    let (dir, temp) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let words = [&["demo", "--quick", "--format", "json"], more].concat();
    // It ends by itself, and takes longer than other commands.
    let output = Command::new(env!("CARGO_BIN_EXE_strangler"))
        .args(words)
        .current_dir(dir.path())
        .env("TMPDIR", temp.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(code), "{more:?}: {output:?}");
    for left in [&dir, &temp] {
        assert!(is_empty(left.path()), "{more:?} left something in {}", left.path().display());
    }
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    said["data"].clone()
}

fn is_empty(directory: &Path) -> bool {
    std::fs::read_dir(directory).unwrap().next().is_none()
}

/// Every endpoint that was to move, with its stage.
fn stages(data: &Value) -> BTreeMap<String, String> {
    let endpoints = data["endpoints"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    endpoints.map(|endpoint| (text(&endpoint["endpoint"]), text(&endpoint["stage"]))).collect()
}

#[test]
fn a_good_service_takes_every_endpoint_over_and_the_monolith_is_left_alone_and_so_again() {
    let first = demo(0, &["--seed", "3"]);
    let stages_reached = stages(&first);
    assert!(stages_reached.len() >= 54, "{stages_reached:?}");
    assert!(stages_reached.values().all(|stage| stage == "retired"), "{stages_reached:?}");
    assert_eq!(first["failed"], 0, "{}", first["failures"]);
    assert_eq!(first["traffic"]["mismatched"], 0, "{}", first["groups"]);
    let handlers = &first["handlers"];
    assert_eq!(handlers["left_alone"], stages_reached.len(), "{handlers}");
    assert!(
        handlers["sent"].as_u64().unwrap() >= 54 && handlers["called"] == serde_json::json!({}),
        "{handlers}"
    );

    let second = demo(0, &["--seed", "3"]);
    assert_eq!(stages(&second), stages_reached);
    assert_eq!(second["failed"], 0, "{}", second["failures"]);
    assert_eq!(second["handlers"], first["handlers"]);
}

#[test]
fn a_leak_is_caught_and_the_endpoint_stays_with_the_monolith() {
    let data = demo(3, &["--regressions", "private-track"]);
    let groups = data["groups"].as_array().unwrap();
    let leaks = |group: &&Value| {
        group["severity"] == "exposure" && group["endpoint"] == "GET /playlists/{playlist_id}"
    };
    assert!(groups.iter().any(|group| leaks(&group)), "{groups:?}");
    // By the gate, or by a fallback from a small canary: it never gets to answer everybody.
    let stage = &stages(&data)["GET /playlists/{playlist_id}"];
    assert!(stage == "shadow" || stage.starts_with("canary"), "{stage}");
    // What has no tracks in it is none the worse for it.
    assert_eq!(stages(&data)["GET /web/playlists/{playlist_id}/stats"], "retired");
}

#[test]
fn a_service_that_dies_loses_nothing_writes_nothing_twice_and_is_held_until_it_is_resumed() {
    let data = demo(0, &["--outage"]);
    let outage = &data["outage"];
    let number = |name: &str| outage[name].as_u64().unwrap();
    assert_eq!((number("reads_failed"), number("lost"), number("twice")), (0, 0, 0), "{outage}");
    assert_eq!(number("made") + number("failed"), number("writes"), "{outage}");
    assert_eq!(number("held"), stages(&data).len() as u64, "{outage}");
    assert_eq!(number("answered_while_held"), 0, "{outage}");
    assert!(number("answered_after") > 0, "{outage}");
}

#[test]
fn a_regression_that_is_not_known_is_refused_before_anything_starts() {
    let dir = tempfile::tempdir().unwrap();
    let said = run(dir.path(), &["demo", "--regressions", "nonsense"], &[]);
    assert!(said.code == 2 && said.err.contains("private-track"), "{said:#?}");
}
