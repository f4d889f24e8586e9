//! `strangler audit`: what was done to endpoints, to groups, and to none of both, in one list.

use serde_json::{Value, json};

use crate::rig::{Rig, get};

fn changes(audit: &Value) -> Vec<(String, String)> {
    let text = |change: &Value, key: &str| change[key].as_str().unwrap().to_owned();
    let changes = audit["data"]["changes"].as_array().unwrap();
    changes.iter().map(|change| (text(change, "what"), text(change, "detail"))).collect()
}

#[test]
fn deployments_and_rules_stand_between_the_moves_newest_first() {
    let rig = Rig::new();
    for version in ["v1", "v2", "v3"] {
        rig.expect(0, &["epoch", "name", "--candidate", version]);
    }
    rig.expect(0, &["routes", "add", "GET", "/a"]);
    rig.expect(0, &["promote", "GET", "/a", "--to", "shadow", "--force", "--reason", "a test"]);
    std::fs::write(
        rig.dir.path().join("strangler.rules.toml"),
        "[[rules]]\nid = \"x\"\npath = \"$.x\"\naction = \"ignore\"\nreason = \"generated\"\n",
    )
    .unwrap();
    rig.expect(0, &["rules", "reload"]);

    let all = changes(&rig.json(0, &["audit"]));
    let details: Vec<_> = all.iter().map(|(_, detail)| detail.as_str()).collect();
    let named = ["candidate v2 → v3", "candidate v1 → v2"];
    let at = |detail: &str| details.iter().position(|it| *it == detail).unwrap_or_else(|| panic!("{all:?}"));
    assert!(at(named[0]) < at(named[1]), "{all:?}");
    let newest = changes(&rig.json(0, &["audit", "--limit", "2"]));
    assert_eq!(newest, all[..2], "the newest of all kinds, not of each");
    assert!(newest[0].0.contains("rules"), "{newest:?}");

    // A table is as long as was asked for, over all that it has.
    let table = rig.expect(0, &["audit", "--limit", "3"]).out;
    assert_eq!(table.lines().count(), 1 + 3, "{table}");
    assert!(table.contains("a test") && table.contains("v3"), "{table}");
    let of_one = rig.json(0, &["audit", "GET", "/a"]);
    assert_eq!(of_one["data"]["changes"], json!([]), "{of_one}");

    let stored = rig.json(0, &["audit", "--store", "strangler.db"]);
    assert_eq!(changes(&stored), all, "a proxy and its store say the same");
}

#[test]
fn what_is_asked_of_the_changes_and_not_known_is_refused() {
    let rig = Rig::new();
    let admin = &rig.proxy().admin;
    for (query, status) in [("", 200), ("?limit=0", 200), ("?limit=x", 400), ("?offset=1", 400)] {
        let said = get(admin, &format!("/api/v1/changes{query}"));
        assert_eq!(said.status, status, "{query}: {said:?}");
    }
    let none = get(admin, "/api/v1/changes?limit=0");
    assert!(none.body.contains("\"changes\":[]"), "{none:?}");
}
