//! Unsafe requests at stage `record`: captured, redacted, and kept up to a cap.

use serde_json::Value;

use super::estate::{Estate, status_of};
use crate::data_plane::origin::Origin;

fn estate(config: &str) -> Estate {
    let control = Origin::new(|_| status_of(201, r#"{"id":7,"password":"s3cr3t"}"#));
    let estate = Estate::start(control, Origin::new(|_| status_of(200, "{}")), config);
    estate.at("POST /a/{id}", "record");
    estate
}

fn post(estate: &Estate, target: &str, body: &str) {
    let mut client = estate.client();
    client.send(format!(
        "POST {target} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer t0ps3cr3t\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    ));
    assert_eq!(client.response().status, 201);
    estate.settled();
}

fn recorded(estate: &Estate, limit: usize) -> Vec<Value> {
    let kept = estate.ask(&format!("recorded?endpoint=POST%20/a/%7Bid%7D&limit={limit}"));
    kept["data"]["recorded"].as_array().unwrap_or_else(|| panic!("{kept}")).clone()
}

#[test]
fn a_request_and_controls_answer_are_kept_without_their_secrets_and_nobody_else_is_asked() {
    let estate = estate("");
    post(&estate, "/a/7?x=1", r#"{"title":"new","password":"hunter2"}"#);
    crate::shadow::rig::eventually(|| recorded(&estate, 5).len() == 1);
    let kept = recorded(&estate, 5).remove(0);
    assert_eq!((&kept["method"], &kept["target"]), (&"POST".into(), &"/a/7?x=1".into()), "{kept}");
    assert_eq!(kept["control"]["status"], 201, "{kept}");
    let text = kept.to_string();
    assert!(text.contains("new"), "{text}");
    for secret in ["t0ps3cr3t", "hunter2", "s3cr3t"] {
        assert!(!text.contains(secret), "{secret} is kept: {text}");
    }
    assert_eq!((estate.control.received().len(), estate.candidate.received().len()), (1, 0));
    assert_eq!(estate.route("POST /a/{id}")["traffic"]["skipped_by"]["unsafe_method"], 1);
}

#[test]
fn the_newest_are_kept_up_to_a_cap_and_over_a_restart() {
    let mut estate = estate("[store]\nrecorded_per_endpoint = 3\n");
    for n in 0..8 {
        post(&estate, &format!("/a/{n}"), "{}");
        crate::shadow::rig::eventually(|| {
            recorded(&estate, 1).first().is_some_and(|kept| kept["target"] == format!("/a/{n}"))
        });
    }
    estate.restart();
    let targets: Vec<_> = recorded(&estate, 100).iter().map(|kept| kept["target"].clone()).collect();
    assert_eq!(targets, ["/a/7", "/a/6", "/a/5"]);
}
