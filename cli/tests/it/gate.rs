//! What the gate says of evidence that is none, through the real admin API.

use std::sync::{Condvar, Mutex, PoisonError};

use serde_json::Value;

use crate::rig::{Rig, candidate, control, eventually, get, raw};

/// The plan of a move to `live`, which must end with this exit code, with the codes of its reasons.
fn plan(rig: &Rig, code: i32, path: &str) -> (Vec<String>, Value) {
    let plan = rig.json(code, &["plan", "GET", path, "--to", "live"]);
    let reasons = plan["data"]["gate"]["details"].as_array().unwrap();
    let codes = reasons.iter().map(|reason| reason["code"].as_str().unwrap().to_owned());
    (codes.collect(), plan["data"]["gate"].clone())
}

/// The endpoint must not pass, and this must be why, in a sentence that has these words. No promotion goes through.
fn is_inconclusive(rig: &Rig, path: &str, code: &str, words: &str) -> Value {
    let (codes, gate) = plan(rig, 4, path);
    assert_eq!(gate["answer"], "inconclusive", "{gate}");
    let at = codes.iter().position(|known| known == code).unwrap_or_else(|| panic!("no {code}: {gate}"));
    let sentence = gate["details"][at]["sentence"].as_str().unwrap();
    assert!(sentence.contains(words), "{sentence}");
    let refused = rig.expect(4, &["promote", "GET", path, "--to", "live"]);
    assert!(refused.err.contains(sentence), "{refused:?}");
    assert_eq!(rig.stage(&format!("GET {path}")), "shadow");
    gate["details"][at].clone()
}

fn post(rig: &Rig, path: &str, body: &str) -> u16 {
    let admin = &rig.proxy().admin;
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: {admin}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
         connection: close\r\n\r\n{body}",
        body.len()
    );
    raw(admin, &request).status
}

#[test]
fn no_data_does_not_pass() {
    let rig = Rig::new();
    rig.shadowed("/same");
    is_inconclusive(&rig, "/same", "no_data", "no request was seen in this epoch");
}

#[test]
fn one_url_polled_does_not_pass_and_four_do() {
    let tier = "[policy.tiers.strict]\nendpoints = [\"GET /same/{id}\"]\nsame_request = \"25%\"";
    let rig = Rig::with(control, candidate, tier);
    rig.shadowed("/same/{id}");
    rig.requests("/same/7", 50);
    let reason = is_inconclusive(&rig, "/same/{id}", "one_request", "50 comparisons repeat one request");
    assert_eq!(reason["meter"]["text"], "2 of 5 comparisons");
    for id in 8..11 {
        rig.requests(&format!("/same/{id}"), 2);
    }
    let (codes, gate) = plan(&rig, 0, "/same/{id}");
    assert_eq!((codes.len(), gate["tier"].as_str()), (0, Some("strict")), "{gate}");
}

#[test]
fn a_dead_shadow_does_not_pass_although_enough_was_compared() {
    let rig = Rig::new();
    rig.shadowed("/same");
    rig.requests("/same", 6);
    plan(&rig, 0, "/same");
    rig.candidate.stop();
    is_inconclusive(&rig, "/same", "dead_shadow", "the candidate cannot be reached");
}

/// A candidate that answers when the test lets it.
static OPEN: (Mutex<bool>, Condvar) = (Mutex::new(false), Condvar::new());

fn late(target: &str) -> (u16, String) {
    let closed = OPEN.0.lock().unwrap_or_else(PoisonError::into_inner);
    drop(OPEN.1.wait_while(closed, |open| !*open));
    candidate(target)
}

#[test]
fn a_full_queue_does_not_pass() {
    let rig = Rig::with(control, late, "[shadow]\nqueue = 1\nconcurrency = 1");
    rig.shadowed("/same");
    for _ in 0..40 {
        assert_eq!(rig.get("/same").status, 200, "the client waits for nothing of it");
    }
    *OPEN.0.lock().unwrap() = true;
    OPEN.1.notify_all();
    rig.settle();
    // Enough is compared after that; what was dropped is not forgotten.
    for _ in 0..10 {
        rig.requests("/same", 1);
    }
    is_inconclusive(&rig, "/same", "queue_full", "the queue was full");
}

#[test]
fn a_negative_control_that_fails_does_not_pass_and_names_the_rule_that_hides_it() {
    let rig = Rig::with(control, candidate, "rules_file = \"rules.toml\"");
    rig.shadowed("/same");
    rig.requests("/same", 6);
    let (_, gate) = plan(&rig, 0, "/same");
    assert!(gate["negative_control"]["found"].is_string(), "{gate}");
    let blind = "[[rules]]\nid = \"all-is-well\"\npath = \"$\"\naction = \"ignore\"\nreason = \"noisy\"\n";
    std::fs::write(rig.dir.path().join("rules.toml"), blind).unwrap();
    assert_eq!(post(&rig, "/api/v1/rules/reload", ""), 200);
    rig.requests("/same", 6);
    is_inconclusive(&rig, "/same", "negative_control_failed", "hidden by `all-is-well`");
}

#[test]
fn a_negative_control_that_is_old_does_not_pass() {
    let old = "[policy.tiers.a]\nendpoints = [\"*\"]\nnegative_control_age = \"0s\"\n[record]\nnegative_control_every = \"1h\"";
    let rig = Rig::with(control, candidate, old);
    rig.shadowed("/same");
    rig.requests("/same", 6);
    // It runs with the first question; it is old when a second has passed.
    eventually("the negative control is old", || {
        rig.run(&["plan", "GET", "/same", "--to", "live"]).out.contains("the negative control last ran")
    });
    assert_eq!(plan(&rig, 4, "/same").0, ["negative_control_old"]);
}

#[test]
fn another_epoch_is_inconclusive_at_once_and_the_old_evidence_stays_readable() {
    let rig = Rig::with(control, candidate, "rules_file = \"rules.toml\"");
    rig.shadowed("/same");
    rig.shadowed("/other");
    rig.requests("/same", 6);
    rig.requests("/other", 2);
    plan(&rig, 0, "/same");
    // Other rules.
    let rule = "[[rules]]\nid = \"a\"\nheader = \"vary\"\naction = \"ignore\"\nreason = \"r\"\n";
    std::fs::write(rig.dir.path().join("rules.toml"), rule).unwrap();
    assert_eq!(post(&rig, "/api/v1/rules/reload", ""), 200);
    is_inconclusive(&rig, "/same", "new_epoch", "the rules went from");
    rig.requests("/same", 6);
    plan(&rig, 0, "/same");
    // Another deployment of either side.
    for side in ["candidate", "control"] {
        assert_eq!(post(&rig, "/api/v1/epochs", &format!("{{\"{side}\":\"v2\"}}")), 200);
        let words = format!("{side} went from (unnamed) to `v2`");
        is_inconclusive(&rig, "/same", "new_epoch", &words);
        rig.requests("/same", 6);
        plan(&rig, 0, "/same");
    }
    let admin = &rig.proxy().admin;
    let listed = |epoch: &str| {
        let target = format!("/api/v1/groups?epoch={epoch}");
        let body = get(admin, &target).body;
        let answer: Value = serde_json::from_str(&body).unwrap();
        answer["data"]["groups"].as_array().unwrap().len()
    };
    assert_eq!((listed("current"), listed("all")), (0, 1), "what was found before is still there");
}

#[test]
fn a_policy_is_tried_on_the_evidence_that_is_there_and_not_enforced() {
    let rig = Rig::new();
    rig.shadowed("/same");
    rig.requests("/same", 6);
    std::fs::write(rig.dir.path().join("strict.toml"), "[policy]\np1 = \"1%\"\nlatency = \"state\"\n")
        .unwrap();
    let tried = ["plan", "GET", "/same", "--to", "live", "--policy", "strict.toml"];
    let said = rig.expect(4, &tried);
    assert!(said.out.contains("comparisons: 6 of the 326 that it takes"), "{}", said.out);
    assert!(said.out.contains("policy tried"), "{}", said.out);
    assert_eq!(rig.json(4, &tried)["data"]["tried"], true);
    let loose = "[policy]\np0 = \"10%\"\np1 = \"90%\"\nlatency = \"state\"\n";
    std::fs::write(rig.dir.path().join("strict.toml"), loose).unwrap();
    assert!(rig.expect(0, &tried).err.contains("not in force"));
    for (text, told) in [
        ("[policy]\np1 = \"2\"\n", "strict.toml:2:6: `2` is not a share"),
        ("[policy]\np2 = \"2%\"\n", "strict.toml:2:1: unknown key `p2`"),
        ("[policy]\np1 = \"0.01%\"\n", "strict.toml:2:6: the mismatch rates must satisfy"),
    ] {
        std::fs::write(rig.dir.path().join("strict.toml"), text).unwrap();
        let said = rig.expect(2, &tried);
        assert!(said.err.contains(told), "{said:?}");
    }
    let missing = rig.expect(2, &["plan", "GET", "/same", "--policy", "nowhere.toml"]);
    assert!(missing.err.contains("nowhere.toml cannot be read"), "{missing:?}");
    let sent = post(&rig, "/api/v1/plan", "{\"endpoint\":\"GET /same\",\"policy\":\"[policy]\\np1 = 2\"}");
    assert_eq!(sent, 400);
}

#[test]
fn a_plan_is_one_screen_with_what_is_missing_and_how_to_take_it_back() {
    let rig = Rig::new();
    rig.shadowed("/same");
    rig.requests("/same", 3);
    let said = rig.expect(4, &["plan", "GET", "/same", "--to", "canary:5%"]);
    for part in [
        "GET /same: shadow -> canary:5%",
        "gate: inconclusive",
        "  - comparisons: 3 of the 5 that it takes",
        "3 of 5 comparisons  [############........]",
        "negative control: last found at ",
        "the candidate answers 5% of the cohorts, control the rest",
        "take it back: strangler rollback GET /same --to shadow",
    ] {
        assert!(said.out.contains(part), "{part:?} is missing:\n{}", said.out);
    }
    assert!(said.out.lines().count() <= 30, "{}", said.out);
}
