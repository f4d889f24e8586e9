//! A candidate that shows what control withholds, while clients are on it.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use super::estate::{Estate, is_shadow, json_of};
use crate::data_plane::origin::{Origin, Received};

const SHOWN: &str = r#"{"tracks":[{"id":1},{"id":2}]}"#;
const ALL: &str = r#"{"tracks":[{"id":1},{"id":2},{"id":3}]}"#;

fn leaks(of: &'static str) -> Origin {
    Origin::new(move |request: &Received| {
        json_of(if request.first_line().contains(of) { ALL } else { SHOWN })
    })
}

fn falls_back(stage: &str, client_sees: &str) {
    let estate = Estate::start(Origin::new(|_| json_of(SHOWN)), leaks("private"), "");
    estate.at("GET /a/{id}", stage);
    let get = |target: &str| estate.client().get(target).text().to_owned();
    for n in 0..20 {
        assert_eq!(get(&format!("/a/{n}")), SHOWN);
    }
    assert_eq!(estate.hold("GET /a/{id}"), "none");
    assert_eq!(get("/a/private"), client_sees);

    let transition = estate.fallen_back("GET /a/{id}");
    assert_eq!(transition["actor"], "strangler");
    let evidence = &transition["evidence"];
    assert_eq!((&evidence["trigger"], &evidence["confirmation"]), (&"exposure".into(), &"confirmed".into()));
    assert!(evidence["location"].as_str().unwrap().starts_with("$.tracks"), "{transition}");
    let group = estate.group();
    assert_eq!((&group["id"], &group["severity"]), (&evidence["group"], &"exposure".into()), "{group}");

    let candidate_answers = || estate.candidate.received().iter().filter(|it| !is_shadow(it)).count();
    let before = candidate_answers();
    assert_eq!(get("/a/private"), SHOWN, "it is shown again");
    assert_eq!(candidate_answers(), before);
    let forced = estate.force("GET /a/{id}", "soak");
    assert_eq!(forced["error"]["code"], "held", "{forced}");
}

/// Nobody has seen it yet: the canary takes in nobody of these, and the shadow found it.
#[test]
fn one_exposure_that_the_shadow_of_a_canary_finds_takes_it_back() {
    falls_back("canary:0.01%", SHOWN);
}

/// The candidate answered, control was the shadow: which side withheld something does not depend on who answered.
#[test]
fn one_exposure_that_the_reverse_shadow_finds_at_live_takes_it_back() {
    falls_back("live", ALL);
}

/// Someone added a track between the two requests: control says so itself when it is asked again.
#[test]
fn an_edit_that_looks_like_an_exposure_takes_nothing_back() {
    let asked = AtomicUsize::new(0);
    let control =
        Origin::new(move |_| json_of(if asked.fetch_add(1, Ordering::SeqCst) == 0 { SHOWN } else { ALL }));
    let estate = Estate::start(control, leaks("/"), "[shadow]\ncontrol_twice = \"0%\"\n");
    estate.at("GET /a", "live");
    assert_eq!(estate.client().get("/a").text(), ALL);
    estate.settled();
    assert_eq!(estate.control.received().len(), 2, "it was not asked again");
    assert_eq!(estate.hold("GET /a"), "none");
    let transitions: Value = estate.ask("transitions");
    assert_eq!(transitions["data"]["transitions"].as_array().unwrap().len(), 1, "{transitions}");
}

/// No client is on the candidate: the gate keeps it from them, and nothing has to be taken back.
#[test]
fn an_exposure_at_shadow_is_the_gates_business() {
    let estate = Estate::start(Origin::new(|_| json_of(SHOWN)), leaks("/"), "");
    estate.at("GET /a", "shadow");
    (0..5).for_each(|_| assert_eq!(estate.client().get("/a").text(), SHOWN));
    estate.settled();
    assert_eq!(estate.hold("GET /a"), "none");
    let refused = estate.promote("GET /a", "canary:1%");
    assert_eq!(refused["error"]["code"], "gate_refused", "{refused}");
    let hint = refused["error"]["hint"].as_str().unwrap();
    assert!(hint.ends_with("--force does not override this"), "{refused}");
    let forced = estate.force("GET /a", "live");
    assert_eq!(forced["error"]["code"], "unforceable", "{forced}");
}
