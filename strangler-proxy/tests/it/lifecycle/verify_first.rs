//! Dry runs before control carries the request out, where that is declared: what its client waits for, and for how long.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::Value;

use super::estate::{Estate, status_of};
use crate::data_plane::client::Client;
use crate::data_plane::origin::{Origin, Received};
use crate::shadow::rig::eventually;

/// Longer than any test takes.
const LONG: &str = "[verify]\nheader = \"x-dry-run\"\nfirst = true\nfirst_wait = \"5s\"\n";
const SHORT: &str = "[verify]\nheader = \"x-dry-run\"\nfirst = true\nfirst_wait = \"500ms\"\n";

/// Likes, one of a kind: who likes again is told so. Two servers may share them.
#[derive(Default)]
struct Likes(Mutex<Vec<String>>);

impl Likes {
    fn answer(&self, request: &Received) -> String {
        let who = request.field("authorization").unwrap().to_owned();
        let mut likes = self.0.lock().unwrap();
        let status = if likes.contains(&who) { 200 } else { 201 };
        if request.field("x-dry-run").is_none() {
            likes.push(who);
        }
        status_of(status, "{}")
    }
}

/// A candidate that answers when it is told to.
fn held_back() -> (Origin, Arc<AtomicBool>) {
    let told = Arc::new(AtomicBool::new(false));
    let may = Arc::clone(&told);
    let origin = Origin::new(move |_| {
        eventually(|| may.load(Ordering::Acquire));
        status_of(201, "{}")
    });
    (origin, told)
}

fn hanging() -> Origin {
    Origin::scripted(|line| {
        line.request();
        line.wait_for_end();
    })
}

fn estate(candidate: Origin, config: &str) -> Estate {
    let estate = Estate::start(Origin::new(|_| status_of(201, "{}")), candidate, config);
    estate.at("POST /a", "verify");
    estate
}

fn post(body: &str) -> String {
    let length = body.len();
    format!("POST /a HTTP/1.1\r\nHost: a\r\nAuthorization: x\r\nContent-Length: {length}\r\n\r\n{body}")
}

fn posted(estate: &Estate, body: &str) -> u16 {
    let mut client = estate.client();
    client.send(post(body));
    client.response().status
}

fn waiting(estate: &Estate, body: &str) -> Client {
    let mut client = estate.client();
    let before = estate.candidate.received().len();
    client.send(post(body));
    eventually(|| estate.candidate.received().len() == before + 1);
    client
}

fn traffic(estate: &Estate) -> Value {
    estate.settled();
    estate.route("POST /a")["traffic"].clone()
}

#[test]
fn two_sides_that_share_their_data_agree_only_if_the_dry_run_comes_before_the_write() {
    for (config, matched) in [(LONG, 4), ("[verify]\nheader = \"x-dry-run\"\n", 2)] {
        let likes = Arc::<Likes>::default();
        let (ours, theirs) = (Arc::clone(&likes), Arc::clone(&likes));
        let estate = Estate::start(
            Origin::new(move |request| ours.answer(request)),
            Origin::new(move |request| theirs.answer(request)),
            config,
        );
        estate.at("POST /a", "verify");
        for who in ["ada", "ada", "bob", "bob"] {
            let mut client = estate.client();
            client.send(format!(
                "POST /a HTTP/1.1\r\nHost: a\r\nAuthorization: {who}\r\nContent-Length: 2\r\n\r\n{{}}"
            ));
            client.response();
            estate.settled();
        }
        assert_eq!(likes.0.lock().unwrap().len(), 4, "{config}: a dry run wrote, or a write was lost");
        let traffic = traffic(&estate);
        assert_eq!(
            (&traffic["compared"], &traffic["matched"]),
            (&4.into(), &matched.into()),
            "{config} {traffic}"
        );
    }
}

/// Also that control is not asked before: it has seen nothing when the candidate is asked.
#[test]
fn control_gets_the_request_when_the_candidate_has_answered_and_as_it_came() {
    let (candidate, told) = held_back();
    let estate = estate(candidate, LONG);
    let mut client = estate.client();
    client.send(
        "POST /a?x=%2f HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n\
         3\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: 5\r\n\r\n",
    );
    eventually(|| estate.candidate.received().len() == 1);
    assert_eq!(estate.control.received(), [], "control was asked before the candidate had answered");
    told.store(true, Ordering::Release);
    assert_eq!(client.response().status, 201);
    let (control, candidate) = (estate.control.only(), estate.candidate.only());
    assert_eq!((control.first_line(), control.body.as_slice()), ("POST /a?x=%2f HTTP/1.1", &b"abcde"[..]));
    assert_eq!(control.field("transfer-encoding"), Some("chunked"));
    assert!(control.trailers.to_ascii_lowercase().contains("x-sum: 5"), "{control:?}");
    assert!(control.field("x-dry-run").is_none() && candidate.field("x-dry-run") == Some("1"));
    assert_eq!(candidate.body, b"abcde");
    assert_eq!(traffic(&estate)["matched"], 1);
}

#[test]
fn a_candidate_that_hangs_costs_three_waits_and_then_nobody_waits() {
    let estate = estate(hanging(), SHORT);
    for _ in 0..10 {
        assert_eq!(posted(&estate, "{}"), 201);
    }
    let traffic = traffic(&estate);
    assert_eq!(
        (&traffic["compared"], &traffic["dropped_by"]["dry_run_late"]),
        (&0.into(), &10.into()),
        "{traffic}"
    );
    assert_eq!(estate.candidate.received().len(), 3);
    assert_eq!(estate.control.received().len(), 10);
    let metrics = estate.metrics();
    for told in [
        "strangler_dry_run_first_total{end=\"late\"} 3",
        "strangler_dry_run_first_total{end=\"open\"} 7",
        "strangler_dry_run_first_wait_seconds_count 3",
    ] {
        assert!(metrics.contains(told), "{told} is not in\n{metrics}");
    }
}

#[test]
fn a_candidate_that_is_not_there_is_not_waited_for() {
    let estate = estate(hanging(), LONG);
    estate.candidate.kill();
    for _ in 0..10 {
        assert_eq!(posted(&estate, "{}"), 201);
    }
    let dropped = traffic(&estate)["dropped_by"].clone();
    assert_eq!((&dropped["unreachable"], &dropped["dry_run_late"]), (&3.into(), &7.into()), "{dropped}");
    let metrics = estate.metrics();
    assert!(metrics.contains("strangler_dry_run_first_total{end=\"failed\"} 3"), "{metrics}");
}

/// It may be an answer to what control has written meanwhile.
#[test]
fn an_answer_that_comes_too_late_is_not_compared() {
    let (candidate, told) = held_back();
    let estate = estate(candidate, SHORT);
    assert_eq!(posted(&estate, "{}"), 201);
    told.store(true, Ordering::Release);
    let traffic = traffic(&estate);
    assert_eq!(
        (&traffic["compared"], &traffic["dropped_by"]["dry_run_late"]),
        (&0.into(), &1.into()),
        "{traffic}"
    );
}

#[test]
fn only_so_many_wait_at_once_and_one_more_goes_to_control() {
    let (candidate, told) = held_back();
    let estate = estate(candidate, &format!("{LONG}first_waiting = 1\n"));
    let mut first = waiting(&estate, "one");
    assert_eq!(posted(&estate, "two"), 201);
    assert_eq!(estate.control.only().body, b"two");
    told.store(true, Ordering::Release);
    assert_eq!(first.response().status, 201);
    let traffic = traffic(&estate);
    assert_eq!(
        (&traffic["matched"], &traffic["dropped_by"]["shadow_queue_full"]),
        (&1.into(), &1.into()),
        "{traffic}"
    );
}

/// What is not for clients is left out first.
#[test]
fn under_load_a_write_goes_to_control_at_once() {
    let (candidate, told) = held_back();
    let config = format!("{LONG}[limits]\nrequests = 4\nshed_shadow_at = \"25%\"\n");
    let estate = Estate::start_alone(Origin::new(|_| status_of(201, "{}")), candidate, &config);
    estate.at("POST /a", "verify");
    let mut first = waiting(&estate, "one");
    assert_eq!(posted(&estate, "two"), 201);
    assert_eq!(estate.control.only().body, b"two");
    told.store(true, Ordering::Release);
    assert_eq!(first.response().status, 201);
    let traffic = traffic(&estate);
    assert_eq!(
        (&traffic["matched"], &traffic["dropped_by"]["overload"]),
        (&1.into(), &1.into()),
        "{traffic}"
    );
    assert_eq!(estate.candidate.received().len(), 1);
}

#[test]
fn what_a_client_that_left_meanwhile_wanted_is_not_carried_out() {
    let (candidate, told) = held_back();
    let estate = estate(candidate, LONG);
    waiting(&estate, "{}").leave();
    assert_eq!(traffic(&estate)["skipped_by"]["client_gone"], 1);
    told.store(true, Ordering::Release);
    assert_eq!(posted(&estate, "{}"), 201);
    assert_eq!(estate.control.received().len(), 1);
}

#[test]
fn a_body_over_what_is_read_ahead_goes_to_control_at_once() {
    let estate = estate(hanging(), &format!("{LONG}[limits]\nreplay_body = \"64B\"\n"));
    let large = "x".repeat(100_000);
    assert_eq!(posted(&estate, &large), 201);
    let mut client = estate.client();
    let chunk = "y".repeat(100);
    client.send(format!(
        "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n64\r\n{chunk}\r\n0\r\n\r\n"
    ));
    assert_eq!(client.response().status, 201);
    assert_eq!(traffic(&estate)["skipped_by"]["request_too_large"], 2);
    let control = estate.control.received();
    assert_eq!((control[0].body.len(), control[1].body.as_slice()), (large.len(), chunk.as_bytes()));
    assert_eq!(estate.candidate.received(), []);
}

#[test]
fn control_is_asked_first_whether_it_wants_the_body() {
    let estate = estate(hanging(), LONG);
    let mut client = estate.client();
    client.send("POST /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n{}");
    let mut response = client.response();
    if response.status == 100 {
        response = client.response();
    }
    assert_eq!(response.status, 201);
    assert_eq!(traffic(&estate)["skipped_by"]["unsafe_method"], 1);
    assert_eq!(estate.candidate.received(), []);
}

#[test]
fn a_control_that_is_gone_by_then_fails_the_request_once() {
    let estate = estate(Origin::new(|_| status_of(201, "{}")), LONG);
    estate.control.kill();
    assert_eq!(posted(&estate, "{}"), 502);
    let traffic = traffic(&estate);
    assert_eq!(
        (&traffic["seen"], &traffic["skipped_by"]["answer_failed"]),
        (&1.into(), &1.into()),
        "{traffic}"
    );
    assert_eq!(estate.candidate.received().len(), 1);
}

#[test]
fn a_candidate_that_does_not_acknowledge_holds_the_endpoint_and_control_answers() {
    let config = format!("{LONG}confirm_header = \"x-committed\"\n");
    let estate = estate(Origin::new(|_| status_of(201, "{}")), &config);
    for _ in 0..5 {
        assert_eq!(posted(&estate, "{}"), 201);
    }
    let transition = estate.fallen_back("POST /a");
    assert_eq!(transition["evidence"]["trigger"], "unacknowledged", "{transition}");
    assert_eq!((estate.candidate.received().len(), estate.control.received().len()), (1, 5));
    assert!(traffic(&estate)["skipped_by"]["unacknowledged"].as_u64() >= Some(1));
}
