//! `strangler diff`.

use std::fs;

use crate::rig::{NOBODY, Rig, Said, run};

fn diff(control: &str, candidate: &str, more: &[&str]) -> Said {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("control"), control).unwrap();
    fs::write(dir.path().join("candidate"), candidate).unwrap();
    fs::write(
        dir.path().join("rules"),
        "[[rules]]\nid = \"id\"\npath = \"$.id\"\naction = \"ignore\"\nreason = \"generated\"\n",
    )
    .unwrap();
    run(dir.path(), &[&["diff", "control", "candidate"], more].concat(), &[])
}

#[test]
fn files_are_compared_as_what_they_are() {
    assert_eq!(diff(r#"{"a":1,"b":2}"#, r#"{"b": 2, "a": 1}"#, &[]).code, 0);
    let differ = diff(r#"{"a":[1,2,3]}"#, r#"{"a":[1,3]}"#, &[]);
    assert_eq!(differ.code, 3, "{differ:?}");
    assert!(differ.out.contains("missing at $.a[1]"), "{differ:?}");
}

#[test]
fn a_rule_tolerates_and_says_so() {
    let said = diff(r#"{"id":1}"#, r#"{"id":2}"#, &["--rules", "rules", "--format", "json"]);
    assert_eq!(said.code, 0, "{said:?}");
    let said = said.json();
    assert_eq!(said["data"]["verdict"], "tolerated");
    assert_eq!(said["data"]["tolerated"][0]["rule"], "id");
}

#[test]
fn two_urls_are_asked_and_compared() {
    let rig = Rig::new();
    let url = |side: &crate::upstream::Upstream, path: &str| format!("{}{path}", side.url());
    let same = rig.run_with(&["diff", &url(&rig.control, "/same"), &url(&rig.candidate, "/same")], &[]);
    assert_eq!(same.code, 0, "{same:?}");
    let other = rig.run_with(&["diff", &url(&rig.control, "/x"), &url(&rig.candidate, "/x")], &[]);
    assert_eq!(other.code, 3, "{other:?}");
    assert!(other.out.contains("from candidate"), "{other:?}");
}

#[test]
fn a_server_that_is_not_there_is_an_error_and_no_difference() {
    let dir = tempfile::tempdir().unwrap();
    let url = format!("http://{NOBODY}/");
    let said = run(dir.path(), &["diff", &url, &url], &[]);
    assert_eq!(said.code, 1, "{said:?}");
}
