//! A candidate that is wrong now and then, while a canary is on it.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::estate::{Estate, is_shadow, json_of};
use crate::data_plane::origin::{Origin, Received};
use crate::shadow::rig::eventually;

const RIGHT: &str = r#"{"title":"right"}"#;
const WRONG: &str = r#"{"title":"wrong"}"#;

/// Wrong for every fiftieth id.
fn one_in_50() -> Origin {
    Origin::new(|request: &Received| {
        let target = request.first_line().split(' ').nth(1).unwrap();
        let id: usize = target.trim_start_matches("/a/").parse().unwrap();
        json_of(if id % 50 == 49 { WRONG } else { RIGHT })
    })
}

/// The bound: a request that was on its way when the guard closed may still be answered by the candidate, one for each
/// client that asks at that moment; none after it. So of N requests of the cohort after the decision, at most CLIENTS can
/// be wrong, and only those that were sent before it.
#[test]
fn a_candidate_that_is_wrong_once_in_50_is_caught_in_canary_and_shows_next_to_nothing_after_the_decision() {
    const CLIENTS: usize = 4;
    const AFTER: usize = 3_000;
    let estate = Estate::start(
        Origin::new(|_| json_of(RIGHT)),
        one_in_50(),
        "[cohort]\nkey = \"header:x-user\"\n[shadow]\nagain_per_second = 100000\n",
    );
    estate.at("GET /a/{id}", "canary:10%");
    // Keys that the canary takes in, seen by who answers them.
    let mut client = estate.client();
    let cohort: Vec<String> = (0..400)
        .map(|n| format!("u{n}"))
        .filter(|user| {
            let before = estate.candidate.received().iter().filter(|it| !is_shadow(it)).count();
            client.send(format!("GET /a/0 HTTP/1.1\r\nHost: a\r\nX-User: {user}\r\n\r\n"));
            assert_eq!(client.response().status, 200);
            estate.candidate.received().iter().filter(|it| !is_shadow(it)).count() > before
        })
        .collect();
    drop(client);
    assert!((20..80).contains(&cohort.len()), "{} of 400 in 10 %", cohort.len());

    let (next, fallen, after, stop) =
        (AtomicUsize::new(0), AtomicBool::new(false), AtomicUsize::new(0), AtomicBool::new(false));
    let (wrong_before, wrong_after, wrong_begun_after) =
        (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    let transition = std::thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                let mut client = estate.client();
                while !stop.load(Ordering::SeqCst) {
                    let n = next.fetch_add(1, Ordering::SeqCst);
                    let had_fallen = fallen.load(Ordering::SeqCst);
                    let user = &cohort[n % cohort.len()];
                    client.send(format!("GET /a/{n} HTTP/1.1\r\nHost: a\r\nX-User: {user}\r\n\r\n"));
                    let response = client.response();
                    assert_eq!(response.status, 200);
                    let (is_wrong, has_fallen) = (response.text() == WRONG, fallen.load(Ordering::SeqCst));
                    after.fetch_add(usize::from(has_fallen), Ordering::SeqCst);
                    match (is_wrong, had_fallen, has_fallen) {
                        (true, true, _) => wrong_begun_after.fetch_add(1, Ordering::SeqCst),
                        (true, false, true) => wrong_after.fetch_add(1, Ordering::SeqCst),
                        (true, false, false) => wrong_before.fetch_add(1, Ordering::SeqCst),
                        (false, ..) => 0,
                    };
                }
            });
        }
        let transition = estate.fallen_back("GET /a/{id}");
        fallen.store(true, Ordering::SeqCst);
        eventually(|| after.load(Ordering::SeqCst) > AFTER);
        stop.store(true, Ordering::SeqCst);
        transition
    });

    let n = |counter: &AtomicUsize| counter.load(Ordering::SeqCst);
    let (asked, after) = (n(&next), n(&after));
    let wrong = n(&wrong_after) + n(&wrong_begun_after);
    println!(
        "wrong once in 50: {} of {} requests of the cohort before the decision were wrong, {wrong} of {after} after it \
         ({:.3} %; the bound is one for each of {CLIENTS} clients, {:.3} %); decided on {}",
        n(&wrong_before),
        asked - after,
        wrong as f64 * 100.0 / after as f64,
        CLIENTS as f64 * 100.0 / after as f64,
        transition["reason"]
    );
    assert_eq!(n(&wrong_begun_after), 0, "a request that was begun after the decision went to the candidate");
    assert!(wrong <= CLIENTS && wrong * 200 < after, "{wrong} of {after}");

    assert_eq!(
        (&transition["actor"], &transition["evidence"]["trigger"]),
        (&"strangler".into(), &"rejected".into())
    );
    let evidence = &transition["evidence"];
    let (compared, mismatched) =
        (evidence["compared"].as_u64().unwrap(), evidence["mismatched"].as_u64().unwrap());
    assert!(mismatched >= 2 && compared >= mismatched, "{transition}");
    assert!(!evidence["exchange"].as_str().unwrap().is_empty(), "{transition}");
}
