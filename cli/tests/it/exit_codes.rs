//! Exit codes, and what a script reads.

use crate::rig::{NOBODY, Rig, run};

#[test]
fn a_command_line_that_is_not_understood_is_2() {
    let dir = tempfile::tempdir().unwrap();
    for words in [
        &["nonsense"][..],
        &["promote"],
        &["promote", "GET"],
        &["promote", "GET", "no-slash"],
        &["promote", "/a", "GET"],
        &["promote", "GET", "/a", "--to", "nowhere"],
        &["hold", "GET", "/a"],
        &["divergences", "show", "x"],
        &["divergences", "list", "--severity", "bad"],
        &["status", "--admin", "https://x"],
        &["serve"],
        &["serve", "--control", "ftp://x", "--candidate", "http://y"],
        &["serve", "--control", "http://x", "--candidate", "http://y", "--admin", "nowhere"],
        &["diff", "a", "http://b"],
        &["routes", "import", "openapi", "missing.yaml"],
    ] {
        let said = run(dir.path(), words, &[]);
        assert_eq!(said.code, 2, "{words:?}: {said:?}");
        assert!(said.out.is_empty() && said.err.contains("error: "), "{words:?}: {said:?}");
    }
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "something was written");
}

#[test]
fn help_and_version_are_0() {
    let dir = tempfile::tempdir().unwrap();
    for words in [&["--help"][..], &["--version"], &["promote", "--help"]] {
        assert_eq!(run(dir.path(), words, &[]).code, 0, "{words:?}");
    }
}

#[test]
fn without_a_proxy_a_command_says_so_and_is_1() {
    let dir = tempfile::tempdir().unwrap();
    let said = run(dir.path(), &["status"], &[("STRANGLER_ADMIN", NOBODY)]);
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.err.contains(&format!("no proxy answers at {NOBODY}")), "{said:?}");
    assert!(said.err.contains("strangler serve"), "what to do next: {said:?}");
}

#[test]
fn what_is_no_admin_api_is_told_from_one() {
    let rig = Rig::new();
    let said = rig.run_with(&["status"], &[("STRANGLER_ADMIN", &rig.control.url())]);
    assert_eq!(said.code, 1);
    assert!(said.err.contains("is not Strangler's admin API"), "{said:?}");
}

#[test]
fn a_flip_on_an_old_revision_is_5() {
    let rig = Rig::new();
    rig.shadowed("/same");
    let said = rig.expect(
        5,
        &["promote", "GET", "/same", "--to", "live", "--revision", "0", "--force", "--reason", "x"],
    );
    assert!(said.err.contains("changed under you"), "{said:?}");
    assert_eq!(rig.stage("GET /same"), "shadow");
}

#[test]
fn an_unknown_endpoint_is_named_with_what_to_do() {
    let rig = Rig::new();
    for words in [
        &["promote", "GET", "/nope"][..],
        &["rollback", "GET", "/nope"],
        &["hold", "GET", "/nope", "--reason", "x"],
        &["plan", "GET", "/nope"],
        &["routes", "show", "GET", "/nope"],
        &["audit", "GET", "/nope"],
        &["divergences", "list", "GET", "/nope"],
    ] {
        let said = rig.expect(2, words);
        assert!(
            said.err.contains("GET /nope") && said.err.contains("strangler routes"),
            "{words:?}: {said:?}"
        );
    }
}

#[test]
fn whoever_names_a_path_or_misspells_a_template_is_told_what_they_meant() {
    let rig = Rig::new();
    rig.expect(0, &["routes", "add", "GET", "/playlists/{id}"]);
    let path = rig.expect(2, &["promote", "GET", "/playlists/7"]);
    assert!(path.err.contains("is one to GET /playlists/{id}"), "{path:?}");
    let misspelt = rig.expect(2, &["routes", "show", "POST", "/playlist/{id}"]);
    assert!(misspelt.err.contains("did you mean `GET /playlists/{id}`?"), "{misspelt:?}");
}

#[test]
fn every_json_answer_is_one_envelope() {
    let rig = Rig::new();
    rig.shadowed("/same");
    for (code, words) in [
        (0, &["status"][..]),
        (0, &["routes"]),
        (0, &["routes", "list"]),
        (0, &["routes", "show", "GET", "/same"]),
        (0, &["routes", "add", "GET", "/more"]),
        (0, &["routes", "discover"]),
        (4, &["plan", "GET", "/same", "--to", "live"]),
        (4, &["promote", "GET", "/same", "--to", "live"]),
        (0, &["hold", "GET", "/same", "--reason", "x"]),
        (3, &["promote", "GET", "/same"]),
        (0, &["resume", "GET", "/same", "--reason", "x"]),
        (0, &["divergences"]),
        (1, &["divergences", "show", "v1-0000000000000000"]),
        (0, &["report"]),
        (0, &["audit"]),
        (0, &["rollback", "GET", "/same"]),
        (5, &["promote", "GET", "/same", "--revision", "0"]),
        (2, &["promote", "GET", "/same", "--to", "verify"]),
        (2, &["promote"]),
    ] {
        let said = rig.json(code, words);
        let keys: Vec<_> = said.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["version", "command", "exit", "data", "error"], "{words:?}");
        assert_eq!(
            (said["version"].as_i64(), said["exit"].as_i64()),
            (Some(1), Some(i64::from(code))),
            "{words:?}"
        );
        let failed = !said["error"].is_null();
        assert_eq!(failed, code != 0 && words[0] != "plan", "{words:?}: {said}");
        if failed {
            assert!(
                said["error"]["code"].is_string() && said["error"]["message"].is_string(),
                "{words:?}: {said}"
            );
        }
    }
    let refused = rig.json(4, &["promote", "GET", "/same", "--to", "live"]);
    assert_eq!(refused["data"]["gate"]["answer"], "inconclusive", "a script sees what is missing: {refused}");
}

#[test]
fn nothing_is_coloured_where_nobody_looks() {
    let rig = Rig::new();
    rig.shadowed("/other");
    rig.requests("/other", 1);
    for words in [&["status"][..], &["divergences"], &["audit"], &["report"], &["nonsense"]] {
        let said = rig.run(words);
        assert!(!said.out.contains('\x1b') && !said.err.contains('\x1b'), "{words:?}: {said:?}");
    }
}

#[test]
fn a_table_fits_80_columns() {
    let rig = Rig::new();
    for path in ["/a-rather-long-path/{with}/several/{parameters}/in/it", "/other"] {
        rig.shadowed(path);
    }
    rig.requests("/other", 3);
    let admin = rig.proxy().admin.clone();
    for words in [&["status"][..], &["divergences"], &["audit"]] {
        let said = rig.run_with(words, &[("STRANGLER_ADMIN", &admin), ("COLUMNS", "80")]);
        let rows = said.out.lines().skip_while(|line| !line.contains("ENDPOINT"));
        let widest = rows.map(|line| line.chars().count()).max().unwrap();
        assert!((40..=80).contains(&widest), "{words:?} is {widest} wide:\n{}", said.out);
    }
}
