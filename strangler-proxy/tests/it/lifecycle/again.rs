//! Asking again, between real servers: what is learned of control, and what a mismatch turns out to be.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use super::estate::{Estate, json_of};
use crate::data_plane::origin::{Origin, Received};

/// Both sides make a timestamp and an id of their own for every answer. After `?x=…` the candidate writes what stands
/// there in the place of the timestamp.
fn noisy(counter: Arc<AtomicUsize>, is_candidate: bool) -> Origin {
    Origin::new(move |request: &Received| {
        let n = counter.fetch_add(1, Ordering::SeqCst);
        let time = format!("\"2026-01-{:02}T00:{:02}:{:02}Z\"", n / 3600 % 28 + 1, n / 60 % 60, n % 60);
        let target = request.first_line().split(' ').nth(1).unwrap().to_owned();
        let at = match target.split_once("?x=") {
            Some((_, instead)) if is_candidate => instead.replace("%22", "\""),
            _ => time,
        };
        let id = format!("{:08x}-0000-4000-8000-{n:012x}", n.wrapping_mul(0x9e37_79b9) as u32);
        json_of(&format!(r#"{{"title":"a","generated_at":{at},"trace":"{id}"}}"#))
    })
}

fn groups(estate: &Estate) -> Vec<(String, String)> {
    let listed = estate.ask("groups");
    let field = |group: &Value, name: &str| group[name].as_str().unwrap().to_owned();
    let groups = listed["data"]["groups"].as_array().unwrap_or_else(|| panic!("{listed}"));
    groups.iter().map(|group| (field(group, "location"), field(group, "kind"))).collect()
}

/// The blind spot of tools that mask a field which control itself changes: here it must keep its type and its format.
#[test]
fn a_field_that_always_differs_is_noise_and_is_found_when_it_is_null_a_number_a_word_or_gone() {
    let counter = Arc::<AtomicUsize>::default();
    let (control, candidate) = (noisy(Arc::clone(&counter), false), noisy(counter, true));
    let estate =
        Estate::start(control, candidate, "[shadow]\ncontrol_twice = \"100%\"\nagain_per_second = 100000\n");
    estate.at("GET /a", "shadow");
    let ask = |target: &str| {
        assert_eq!(estate.client().get(target).status, 200);
        estate.settled();
    };
    // Enough to be sure that control differs from itself in these two places.
    for _ in 0..40 {
        ask("/a");
        if estate.route("GET /a")["traffic"]["tolerated"].as_u64() > Some(5) {
            break;
        }
    }
    let traffic = estate.route("GET /a")["traffic"].clone();
    assert!(traffic["tolerated"].as_u64() > Some(5), "nothing was learned: {traffic}");
    let mismatched = || estate.route("GET /a")["traffic"]["mismatched"].as_u64().unwrap();
    let learned = mismatched();
    assert!(learned <= 3, "it took {learned} sightings");
    (0..10).for_each(|_| ask("/a"));
    assert_eq!(mismatched(), learned, "what was learned does not hold");

    for (wrong, kind) in [("null", "type"), ("5", "type"), ("%22soon%22", "value"), ("%222026%22", "value")] {
        let before = (mismatched(), seen(&estate, "$.generated_at", kind));
        ask(&format!("/a?x={wrong}"));
        let after = (mismatched(), seen(&estate, "$.generated_at", kind));
        assert_eq!(after, (before.0 + 1, before.1 + 1), "{wrong} passed for noise");
        println!("generated_at = {wrong}: found as a divergence of kind `{kind}`");
    }
}

/// The proxy needs no person for what it finds out by itself, and finds what is none.
#[test]
fn the_groups_of_the_first_sightings_are_called_noise_by_themselves_until_something_else_is_seen() {
    let counter = Arc::<AtomicUsize>::default();
    let (control, candidate) = (noisy(Arc::clone(&counter), false), noisy(counter, true));
    let estate =
        Estate::start(control, candidate, "[shadow]\ncontrol_twice = \"0%\"\nagain_per_second = 100000\n");
    estate.at("GET /a", "shadow");
    let ask = |target: &str| {
        assert_eq!(estate.client().get(target).status, 200);
        estate.settled();
    };
    let states = || -> Vec<String> {
        let listed = estate.ask("groups?state=new,noise,regressed");
        let groups = listed["data"]["groups"].as_array().unwrap_or_else(|| panic!("{listed}")).clone();
        groups.iter().map(|group| group["state"].as_str().unwrap().to_owned()).collect()
    };
    ask("/a");
    assert_eq!(states(), ["new", "new"], "the time and the id");
    (0..4).for_each(|_| ask("/a"));
    crate::shadow::rig::eventually(|| states() == ["noise", "noise"]);
    let decisions = estate.ask("decisions");
    let decisions = decisions["data"]["decisions"].as_array().unwrap();
    assert!(decisions.iter().all(|entry| entry["actor"] == "strangler"), "{decisions:?}");
    ask("/a?x=%22soon%22");
    let mut states = states();
    states.sort();
    assert_eq!(states, ["noise", "regressed"]);
}

/// How often something differed at a place.
fn seen(estate: &Estate, location: &str, kind: &str) -> u64 {
    let listed = estate.ask("groups");
    let groups = listed["data"]["groups"].as_array().unwrap();
    // A string that became null and one that became a number are two groups of one kind.
    let here = groups.iter().filter(|group| group["location"] == location && group["kind"] == kind);
    here.map(|group| group["count"].as_u64().unwrap()).sum()
}

/// Noise is not known yet of a new deployment of control. An endpoint that is live must not fall back for it.
#[test]
fn noise_that_is_still_to_be_learned_takes_nothing_back() {
    let counter = Arc::<AtomicUsize>::default();
    let (control, candidate) = (noisy(Arc::clone(&counter), false), noisy(counter, true));
    let estate =
        Estate::start(control, candidate, "[shadow]\ncontrol_twice = \"0%\"\nagain_per_second = 5\n");
    estate.at("GET /a", "live");
    let mut client = estate.client();
    (0..200).for_each(|_| assert_eq!(client.get("/a").status, 200));
    estate.settled();
    assert_eq!(estate.hold("GET /a"), "none", "{}", estate.ask("transitions?limit=1"));
    let traffic = estate.route("GET /a")["traffic"].clone();
    assert!(traffic["tolerated"].as_u64() > Some(0), "{traffic}");
}

/// Each side answers by how often it was asked.
fn by_turn(turns: &'static [&'static str]) -> Origin {
    let asked = AtomicUsize::new(0);
    Origin::new(move |_| {
        let turn = asked.fetch_add(1, Ordering::SeqCst);
        json_of(turns[turn.min(turns.len() - 1)])
    })
}

fn traffic(control: &'static [&'static str], candidate: &'static [&'static str], config: &str) -> Estate {
    let estate = Estate::start(by_turn(control), by_turn(candidate), config);
    estate.at("GET /a", "shadow");
    assert_eq!(estate.client().get("/a").status, 200);
    estate.settled();
    estate
}

const ONCE: &str = "[shadow]\ncontrol_twice = \"0%\"\n";

#[test]
fn a_mismatch_is_asked_again_and_what_is_there_again_opens_its_group() {
    let estate = traffic(&[r#"{"n":1}"#], &[r#"{"n":2}"#], ONCE);
    assert_eq!(groups(&estate), [("$.n".to_owned(), "value".to_owned())]);
    assert_eq!((estate.control.received().len(), estate.candidate.received().len()), (2, 2));
    let again = estate.candidate.received().pop().unwrap();
    assert_eq!(again.field("x-strangler-shadow"), Some("1"), "it passes for a client's");
}

#[test]
fn an_edit_between_the_two_requests_is_no_divergence() {
    let estate = traffic(&[r#"{"n":1}"#, r#"{"n":2}"#], &[r#"{"n":2}"#], ONCE);
    assert_eq!(groups(&estate), []);
    let traffic = estate.route("GET /a")["traffic"].clone();
    assert_eq!((traffic["compared"].as_u64(), traffic["matched"].as_u64()), (Some(1), Some(0)), "{traffic}");
}

#[test]
fn a_candidate_that_is_wrong_only_once_is_wrong() {
    let estate = traffic(&[r#"{"n":1}"#], &[r#"{"n":2}"#, r#"{"n":1}"#], ONCE);
    assert_eq!(groups(&estate).len(), 1);
}

#[test]
fn without_an_allowance_nothing_is_asked_again_and_a_mismatch_counts_as_it_is() {
    let config = "[shadow]\ncontrol_twice = \"100%\"\nagain_per_second = 0\n";
    let estate = traffic(&[r#"{"n":1}"#, r#"{"n":2}"#], &[r#"{"n":2}"#], config);
    assert_eq!(groups(&estate).len(), 1);
    assert_eq!((estate.control.received().len(), estate.candidate.received().len()), (1, 1));
}

#[test]
fn control_is_asked_once_more_of_a_share_of_what_is_compared() {
    const REQUESTS: usize = 400;
    let same = || Origin::new(|_| json_of("{}"));
    let config = "[shadow]\ncontrol_twice = \"10%\"\nagain_per_second = 100000\n";
    let estate = Estate::start(same(), same(), config);
    estate.at("GET /a", "shadow");
    let mut client = estate.client();
    (0..REQUESTS).for_each(|_| assert_eq!(client.get("/a").status, 200));
    estate.settled();
    // Nobody waits for these: the last one may be on its way still.
    crate::shadow::rig::eventually(|| estate.control.received().len() >= REQUESTS + REQUESTS / 10 - 2);
    let twice = estate.control.received().len() - REQUESTS;
    assert!((REQUESTS / 10 - 2..=REQUESTS / 10 + 2).contains(&twice), "{twice} of {REQUESTS}");
    assert_eq!(estate.candidate.received().len(), REQUESTS);
    assert_eq!(estate.route("GET /a")["traffic"]["matched"], REQUESTS, "what is asked again is no request");
}
