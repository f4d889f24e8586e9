//! A candidate that turns bad while it answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use super::estate::{Estate, is_shadow, json_of, status_of};
use crate::data_plane::origin::{Origin, Received};
use crate::shadow::rig::eventually;

const GOOD: &str = r#"{"title":"a"}"#;
const FAILURES: usize = 10;

/// A candidate that can be switched to failing, and what it remembers of that.
#[derive(Default)]
struct Turn {
    is_bad: AtomicBool,
    /// Requests of clients that it was asked while bad, by their id, and when. One that met a connection which was
    /// closed is sent again on a new one, and is still one request.
    failed_at: Mutex<Vec<(String, Instant)>>,
}

impl Turn {
    fn candidate(self: &Arc<Self>) -> Origin {
        let turn = Arc::clone(self);
        Origin::scripted(move |line| {
            while let Some(request) = line.request() {
                if !turn.is_bad.load(Ordering::SeqCst) || is_shadow(&request) {
                    line.send(json_of(GOOD));
                    continue;
                }
                let failed = turn.fails(&request);
                match failed % 4 {
                    0 => line.send(status_of(503, "{}")),
                    1 => line.send(status_of(500, "{}")),
                    2 => line.send("HTTP/1.1 200 OK\r\nContent-"),
                    _ => line.send("no HTTP at all\r\n\r\n"),
                };
                if failed % 4 > 1 {
                    return;
                }
            }
        })
    }

    fn fails(&self, request: &Received) -> usize {
        let mut failed = self.failed_at.lock().unwrap_or_else(PoisonError::into_inner);
        let id = request.field("x-request-id").unwrap();
        match failed.iter().position(|(known, _)| known == id) {
            Some(place) => place,
            None => {
                failed.push((id.to_owned(), Instant::now()));
                failed.len() - 1
            }
        }
    }

    fn failures(&self) -> usize {
        self.failed_at.lock().unwrap().len()
    }
}

fn config() -> String {
    format!("[fallback]\nfailures = {FAILURES}\nshare = \"1%\"\nwindow = \"10s\"\n")
}

/// The candidate turns bad at `live`, in several ways, while clients ask all the time. No safe request of a client
/// fails; no request that was begun after the threshold was crossed goes to the candidate; the audit log says why.
#[test]
fn a_candidate_that_turns_bad_at_live_is_off_with_the_next_request_and_no_client_notices() {
    const CLIENTS: usize = 4;
    let turn = Arc::new(Turn::default());
    let estate = Estate::start(Origin::new(|_| json_of(GOOD)), turn.candidate(), &config());
    estate.at("GET /a", "live");

    let (asked, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    let transition = std::thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                let mut client = estate.client();
                while !stop.load(Ordering::SeqCst) {
                    let response = client.get("/a");
                    assert_eq!((response.status, response.text()), (200, GOOD), "a client was failed");
                    asked.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        eventually(|| asked.load(Ordering::SeqCst) > 200);
        turn.is_bad.store(true, Ordering::SeqCst);
        let transition = estate.fallen_back("GET /a");
        let then = asked.load(Ordering::SeqCst);
        eventually(|| asked.load(Ordering::SeqCst) > then + 500);
        stop.store(true, Ordering::SeqCst);
        transition
    });

    // What a client had asked when the threshold was crossed may still have reached the candidate: one a client.
    let failures = turn.failures();
    assert!((FAILURES..FAILURES + CLIENTS).contains(&failures), "{failures} requests reached it while bad");
    let failed_at = turn.failed_at.lock().unwrap();
    let last = failed_at.last().unwrap().1.duration_since(failed_at[FAILURES - 1].1);
    println!(
        "{} requests of {CLIENTS} clients, none failed; {failures} reached the bad candidate, the last one \
         {:.3} ms after the one that crossed the threshold of {FAILURES}",
        asked.load(Ordering::SeqCst),
        last.as_secs_f64() * 1e3
    );

    assert_eq!(transition["actor"], "strangler", "{transition}");
    assert_eq!((&transition["to"]["stage"], &transition["from"]["hold"]), (&"live".into(), &"none".into()));
    let evidence = &transition["evidence"];
    assert_eq!(evidence["trigger"], "failures", "{transition}");
    assert!(evidence["failed"].as_u64().unwrap() >= FAILURES as u64, "{transition}");
    assert!(evidence["asked"].as_u64() >= evidence["failed"].as_u64(), "{transition}");
    assert!(!evidence["exchange"].as_str().unwrap().is_empty(), "{transition}");
    assert!(transition["reason"].as_str().unwrap().starts_with("the candidate failed"), "{transition}");
}

#[test]
fn it_stays_with_control_until_a_person_resumes_it_with_a_reason() {
    let turn = Arc::new(Turn::default());
    let mut estate = Estate::start(Origin::new(|_| json_of(GOOD)), turn.candidate(), &config());
    estate.at("GET /a", "live");
    turn.is_bad.store(true, Ordering::SeqCst);
    let mut client = estate.client();
    (0..FAILURES).for_each(|_| assert_eq!(client.get("/a").status, 200));
    estate.fallen_back("GET /a");
    drop(client);
    turn.is_bad.store(false, Ordering::SeqCst);

    let asked = || estate.candidate.received().iter().filter(|request| !is_shadow(request)).count();
    let before = asked();
    let mut client = estate.client();
    (0..20).for_each(|_| assert_eq!(client.get("/a").status, 200));
    assert_eq!(asked(), before, "the candidate was asked although the endpoint had fallen back");
    drop(client);

    assert_eq!(estate.hold("GET /a"), "fallback");
    let forced = estate.force("GET /a", "soak");
    assert_eq!(forced["error"]["code"], "held", "{forced}");
    assert_eq!(estate.resume("GET /a", " ")["error"]["code"], "reason_required");

    estate.restart();
    assert_eq!(estate.hold("GET /a"), "fallback", "a restart forgot it");
    let before = estate.candidate.received().len();
    assert_eq!(estate.client().get("/a").status, 200);
    assert_eq!(estate.candidate.received().len(), before);

    let resumed = estate.resume("GET /a", "mended in v2");
    assert_eq!(resumed["data"]["to"]["hold"], "none", "{resumed}");
    assert_eq!(estate.client().get("/a").status, 200);
    let received = estate.candidate.received();
    assert!(received.len() == before + 1 && !is_shadow(&received[before]), "the candidate does not answer");
}

/// The windows begin anew: what failed before the resume is not held against the candidate after it.
#[test]
fn after_a_resume_it_takes_a_whole_burst_again() {
    let turn = Arc::new(Turn::default());
    let estate = Estate::start(Origin::new(|_| json_of(GOOD)), turn.candidate(), &config());
    estate.at("GET /a", "live");
    turn.is_bad.store(true, Ordering::SeqCst);
    let ask = |n: usize| (0..n).for_each(|_| assert_eq!(estate.client().get("/a").status, 200));
    ask(FAILURES);
    estate.fallen_back("GET /a");
    estate.resume("GET /a", "another try");
    ask(FAILURES - 1);
    assert_eq!(turn.failures(), 2 * FAILURES - 1);
    assert_eq!(estate.hold("GET /a"), "none");
    ask(1);
    estate.fallen_back("GET /a");
}

/// An unsafe request is never sent twice, so its client is told; but the ones after it go to control.
#[test]
fn unsafe_requests_that_fail_bring_their_endpoint_back_and_are_not_repeated() {
    let turn = Arc::new(Turn::default());
    let estate = Estate::start(Origin::new(|_| json_of(GOOD)), turn.candidate(), &config());
    estate.at("POST /a", "live");
    turn.is_bad.store(true, Ordering::SeqCst);
    let post = || {
        let mut client = estate.client();
        client.send("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}");
        client.response().status
    };
    for _ in 0..FAILURES {
        assert!(post() >= 500, "someone else carried it out");
    }
    assert_eq!(estate.control.received(), []);
    estate.fallen_back("POST /a");
    assert_eq!(post(), 200);
    assert_eq!((estate.control.received().len(), turn.failures()), (1, FAILURES));
}
