//! Files that are wrong: told with their place, exit code 2, nothing half-applied.

use std::fs;

use crate::rig::{Rig, run};

const UPSTREAMS: &str = "[upstreams]\ncontrol = \"http://127.0.0.1:1\"\ncandidate = \"http://127.0.0.1:2\"\n";

#[test]
fn a_wrong_config_is_told_with_its_place_and_starts_nothing() {
    for (config, told) in [
        ("[upstreams]\ncontrl = \"x\"\n", "strangler.toml:2:1: unknown key `contrl`"),
        ("[upstreams\n", "strangler.toml:1:"),
        ("[shadow]\nshare = 5\n", "strangler.toml:2:9: "),
        ("[admin]\naddress = \"0.0.0.0:0\"\n", "without a token"),
        (
            "[[rules]]\nid = \"a\"\nreason = \"r\"\naction = \"ignor\"\npath = \"$.a\"\n",
            "strangler.toml:4:10: ",
        ),
        ("rules_file = \"nowhere.toml\"\n", "nowhere.toml: cannot be read"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let text =
            if config.contains("upstreams") { config.to_owned() } else { format!("{config}{UPSTREAMS}") };
        fs::write(dir.path().join("strangler.toml"), text).unwrap();
        let said = run(dir.path(), &["serve"], &[]);
        assert_eq!(said.code, 2, "{config:?}: {said:?}");
        assert!(said.err.contains(told), "{config:?}: {}", said.err);
        assert!(!dir.path().join("strangler.db").exists(), "{config:?}: a store was made");
    }
}

#[test]
fn a_wrong_document_is_told_with_its_place_and_adds_nothing() {
    let rig = Rig::new();
    for (kind, text) in [
        ("openapi", "openapi: 3.0.0\npaths:\n  - not a map\n"),
        ("openapi", "{\"openapi\": \"3.0.0\", \"paths\": {\"/a\": {\"get\": 5}}"),
        ("openapi", "openapi: 9.9.9\n"),
        ("openapi", ""),
        ("har", "{\"log\": 5}"),
        ("har", "not json"),
        ("har", ""),
    ] {
        fs::write(rig.dir.path().join("document"), text).unwrap();
        let said = rig.expect(2, &["routes", "import", kind, "document"]);
        assert!(said.err.contains("error: document"), "{kind} {text:?}: {}", said.err);
    }
    fs::write(rig.dir.path().join("document"), b"openapi: 3.0.0\ninfo: \xff\n").unwrap();
    let said = rig.expect(2, &["routes", "import", "openapi", "document"]);
    assert!(said.err.contains("document:2: the file is not UTF-8"), "{said:?}");
    assert_eq!(rig.json(0, &["routes"])["data"]["routes"].as_array().unwrap().len(), 0);
}

#[test]
fn a_wrong_rules_file_is_told_with_its_place() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("a"), "{}").unwrap();
    fs::write(
        dir.path().join("rules"),
        "[[rules]]\nid = \"a\"\naction = \"ignore\"\npath = \"$..[\"\nreason = \"r\"\n",
    )
    .unwrap();
    let said = run(dir.path(), &["diff", "a", "a", "--rules", "rules"], &[]);
    assert_eq!(said.code, 2, "{said:?}");
    assert!(said.err.contains("rules:4:8: "), "{said:?}");
}

#[test]
fn a_store_that_is_none_is_refused_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("strangler.toml"), UPSTREAMS).unwrap();
    let store = dir.path().join("strangler.db");
    let text = "this is no database, and somebody may need it".repeat(40);
    fs::write(&store, &text).unwrap();
    let said = run(dir.path(), &["serve", "--admin", "127.0.0.1:0", "--listen", "127.0.0.1:0"], &[]);
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.err.contains("strangler.db"), "{said:?}");
    assert_eq!(fs::read_to_string(store).unwrap(), text);
}

#[test]
fn a_second_proxy_on_one_store_is_refused() {
    let rig = Rig::new();
    let said = rig.run_with(&["serve"], &[]);
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.err.contains("in use by another `strangler serve`"), "{said:?}");
    assert_eq!(rig.get("/same").status, 200, "the first one goes on");
}

#[test]
fn an_address_that_is_taken_is_named() {
    let rig = Rig::new();
    let taken = rig.proxy().admin.clone();
    let said = rig.run_with(&["serve", "--store", "other.db", "--admin", &taken], &[]);
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.err.contains(&format!("the admin API cannot listen on {taken}")), "{said:?}");
    let taken = rig.proxy().listening.clone();
    let words = ["serve", "--store", "other.db", "--admin", "127.0.0.1:0", "--listen", &taken];
    let said = rig.run_with(&words, &[]);
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.err.contains(&format!("the proxy cannot listen on {taken}")), "{said:?}");
}

#[test]
fn init_writes_a_config_that_serve_takes_and_overwrites_none() {
    let rig = Rig::new();
    let dir = tempfile::tempdir().unwrap();
    let (control, candidate) = (rig.control.url(), rig.candidate.url());
    let words = ["init", "--control", &control, "--candidate", &candidate];
    assert_eq!(run(dir.path(), &words, &[]).code, 0);
    drop(crate::rig::Proxy::start(
        dir.path(),
        &["serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"],
    ));
    let config = dir.path().join("strangler.toml");
    let before = fs::read_to_string(&config).unwrap();
    assert_eq!(run(dir.path(), &["init"], &[]).code, 2);
    assert_eq!(fs::read_to_string(&config).unwrap(), before);
}
