//! Unsafe requests at stage `verify`: carried out once, by control, and asked of the candidate as a dry run.

use serde_json::{Value, json};

use super::estate::{Estate, is_shadow, status_of};
use crate::data_plane::origin::{Origin, Received};
use crate::shadow::rig::eventually;

const CONFIG: &str = "[verify]\nheader = \"x-dry-run\"\nvalue = \"yes\"\nconfirm_header = \"x-committed\"\n";
const CREATED: &str = r#"{"title":"new"}"#;

fn acknowledged(body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nX-Committed: no\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

fn estate(candidate: Origin, config: &str) -> Estate {
    let control = Origin::new(|_| status_of(201, CREATED));
    let estate = Estate::start(control, candidate, config);
    estate.at("POST /a", "verify");
    estate
}

fn post(estate: &Estate, body: &str) -> (u16, String) {
    let mut client = estate.client();
    client.send(format!(
        "POST /a?x=%2f HTTP/1.1\r\nHost: a.example\r\nX-Dry-Run: no\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    ));
    let response = client.response();
    (response.status, response.text().to_owned())
}

fn traffic(estate: &Estate) -> Value {
    estate.settled();
    estate.route("POST /a")["traffic"].clone()
}

#[test]
fn it_is_carried_out_once_and_asked_of_the_candidate_as_a_dry_run() {
    let estate = estate(Origin::new(|_| acknowledged(CREATED)), CONFIG);
    for _ in 0..3 {
        assert_eq!(post(&estate, r#"{"title":"new"}"#), (201, CREATED.to_owned()));
        estate.settled();
    }
    let traffic = traffic(&estate);
    assert_eq!((&traffic["compared"], &traffic["matched"]), (&3.into(), &3.into()), "{traffic}");
    let control = estate.control.received();
    assert_eq!(control.len(), 3, "control carried it out once each");
    assert!(control.iter().all(|request| request.field("x-dry-run") == Some("no") && !is_shadow(request)));
    let candidate = estate.candidate.received();
    assert_eq!(candidate.len(), 3);
    for request in &candidate {
        assert_eq!(request.first_line(), "POST /a?x=%2f HTTP/1.1");
        assert_eq!(request.field("x-dry-run"), Some("yes"), "a client took the mark away");
        assert!(is_shadow(request) && request.body == br#"{"title":"new"}"#);
        assert_eq!(request.field("host"), Some("a.example"));
    }
}

#[test]
fn what_the_candidate_would_have_answered_is_compared() {
    let estate = estate(Origin::new(|_| acknowledged(r#"{"title":"old"}"#)), CONFIG);
    post(&estate, "{}");
    assert_eq!(traffic(&estate)["mismatched"], 1);
    let listed = estate.ask("groups");
    assert_eq!(listed["data"]["groups"][0]["location"], "$.title", "{listed}");
    assert_eq!(estate.candidate.received().len(), 1, "a dry run was asked again");
}

/// It may have carried the request out, so that it gets no other one, and no client's request ever.
#[test]
fn a_candidate_that_does_not_acknowledge_gets_one_dry_run_and_the_stage_goes_no_further() {
    let estate = estate(Origin::new(|_| status_of(201, CREATED)), CONFIG);
    for _ in 0..20 {
        assert_eq!(post(&estate, "{}").0, 201);
    }
    let transition = estate.fallen_back("POST /a");
    assert_eq!(estate.candidate.received().len(), 1, "it was asked again");
    assert_eq!((&transition["to"]["stage"], &transition["actor"]), (&"verify".into(), &"strangler".into()));
    assert_eq!(transition["evidence"]["trigger"], "unacknowledged", "{transition}");
    assert_eq!(transition["evidence"]["missing_header"], "x-committed", "{transition}");
    let traffic = traffic(&estate);
    assert_eq!((&traffic["compared"], &traffic["seen"]), (&0.into(), &20.into()), "{traffic}");
    assert!(traffic["skipped_by"]["unacknowledged"].as_u64() >= Some(1), "{traffic}");
    let forced = estate.force("POST /a", "canary:1%");
    assert_eq!(forced["error"]["code"], "held", "{forced}");
    assert_eq!(post(&estate, "{}").0, 201);
    assert_eq!((estate.candidate.received().len(), estate.control.received().len()), (1, 21));
}

/// Should it not know what a dry run is, it has carried out one request and not all of them.
#[test]
fn until_the_first_is_acknowledged_there_is_one_at_a_time_and_no_client_waits_for_it() {
    let candidate = Origin::scripted(|line| {
        line.request();
        line.wait_for_end();
    });
    let estate = estate(candidate, CONFIG);
    for _ in 0..10 {
        assert_eq!(post(&estate, "{}").0, 201);
    }
    eventually(|| estate.candidate.received().len() == 1);
    eventually(|| estate.route("POST /a")["traffic"]["skipped_by"]["unacknowledged"] == 9);
    estate.candidate.kill();
    assert_eq!(traffic(&estate)["seen"], 10);
    assert_eq!(estate.candidate.received().len(), 1);
    assert_eq!(estate.hold("POST /a"), "none", "a failure is no missing acknowledgement");
}

/// A connection that breaks is no reason to send it twice, dry or not.
#[test]
fn a_dry_run_is_sent_once_whatever_becomes_of_it() {
    let estate = estate(
        Origin::scripted(|line| {
            line.request();
        }),
        CONFIG,
    );
    for n in 1..=5 {
        post(&estate, "{}");
        assert_eq!(traffic(&estate)["seen"], n);
        assert_eq!(estate.candidate.received().len(), n);
    }
    assert_eq!(traffic(&estate)["mismatched"], 5);
}

#[test]
fn a_body_over_what_is_kept_reaches_control_and_is_not_asked_of_the_candidate() {
    let estate =
        estate(Origin::new(|_| acknowledged(CREATED)), &format!("{CONFIG}[shadow]\nkept_body = \"64B\"\n"));
    let large = "x".repeat(100_000);
    post(&estate, &large);
    assert_eq!(traffic(&estate)["skipped_by"]["request_too_large"], 1);
    assert_eq!(estate.control.received()[0].body.len(), large.len());
    assert_eq!(estate.candidate.received(), []);
    post(&estate, &"y".repeat(64));
    assert_eq!(traffic(&estate)["matched"], 1);
}

#[test]
fn without_a_header_nothing_is_sent_to_the_candidate() {
    let estate = estate(Origin::new(|_| acknowledged(CREATED)), "");
    post(&estate, "{}");
    assert_eq!(traffic(&estate)["skipped_by"]["unsafe_method"], 1);
    assert_eq!(estate.candidate.received(), []);
}

#[test]
fn a_person_approves_to_leave_it() {
    let estate = estate(Origin::new(|_: &Received| acknowledged(CREATED)), CONFIG);
    let promote = |body: Value| estate.tell("promote", &body);
    let unapproved = promote(json!({ "endpoint": "POST /a", "to": "canary:1%" }));
    assert_eq!(unapproved["error"]["code"], "reason_required", "{unapproved}");
    let approved = promote(json!({
        "endpoint": "POST /a", "to": "canary:1%", "force": true, "reason": "the suite against the pair is green"
    }));
    assert_eq!(approved["data"]["to"]["stage"], "canary:1%", "{approved}");
}

#[test]
fn a_point_of_no_return_is_shown_and_passed_only_by_saying_the_endpoints_name() {
    let config = format!(
        "{CONFIG}[[points_of_no_return]]\nendpoint = \"POST /a\"\nstage = \"canary\"\nwhy = \"cards are charged\"\n"
    );
    let estate = estate(Origin::new(|_: &Received| acknowledged(CREATED)), &config);
    let plan = estate.ask("plan?endpoint=POST%20/a&to=canary:1%25");
    let shown = plan["data"]["no_return"][0].as_str().unwrap_or_else(|| panic!("{plan}"));
    assert!(shown.contains("cards are charged"), "{plan}");
    let promote = |acknowledge: Option<&str>, to: &str| {
        estate.tell(
            "promote",
            &json!({
                "endpoint": "POST /a", "to": to, "force": true, "reason": "r", "acknowledge": acknowledge
            }),
        )
    };
    for said in [None, Some("yes"), Some("POST /b")] {
        let refused = promote(said, "canary:1%");
        assert_eq!(refused["error"]["code"], "no_return", "{said:?}: {refused}");
        assert!(refused["error"]["message"].as_str().unwrap().contains("cards are charged"), "{refused}");
    }
    assert_eq!(promote(Some("POST /a"), "canary:1%")["data"]["to"]["stage"], "canary:1%");
    // It was passed once; what comes after it asks no more, until the end.
    assert_eq!(promote(None, "soak")["data"]["to"]["stage"], "soak");
    assert_eq!(promote(None, "retired")["error"]["code"], "no_return");
    assert_eq!(promote(Some("POST /a"), "retired")["data"]["to"]["stage"], "retired");
}
