//! Following the feed.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use playlists_vas::{
    domain::PlaylistId,
    events::{ends_names_of, follow},
    foundation::{Event, Limits},
};
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};

use crate::monolith::{Asked, Monolith};

/// A feed that grows, and fails when it is told to.
struct Feed {
    length: watch::Sender<i64>,
    failing: Arc<AtomicBool>,
}

impl Feed {
    async fn start(length: i64) -> (Self, Monolith) {
        let (length, known) = watch::channel(length);
        let failing = Arc::new(AtomicBool::new(false));
        let fails = Arc::clone(&failing);
        let monolith = Monolith::start(move |asked| {
            let (mut known, fails) = (known.clone(), Arc::clone(&fails));
            async move {
                if fails.swap(false, Ordering::SeqCst) {
                    return (500, json!({ "error": { "code": "database", "message": "" } }));
                }
                let number = |name| number(&asked, name);
                let (after, limit) = (number("after"), number("limit"));
                if number("wait_ms") > 0 {
                    known.wait_for(|length| *length > after).await.unwrap();
                }
                let last = (*known.borrow()).min(after.saturating_add(limit));
                let events: Vec<Value> = (after + 1..=last).map(event).collect();
                (200, json!({ "events": events, "last_sequence": last.max(after) }))
            }
        })
        .await;
        (Self { length, failing }, monolith)
    }
}

fn event(sequence: i64) -> Value {
    let aggregate = json!({ "kind": "playlist", "id": 200 + sequence });
    json!({ "sequence": sequence, "type": "playlist.deleted", "aggregate": aggregate })
}

fn number(asked: &Asked, name: &str) -> i64 {
    let query = asked.target.split_once('?').unwrap().1;
    let pair = query.split('&').find_map(|pair| pair.split_once('=').filter(|(known, _)| *known == name));
    pair.unwrap().1.parse().unwrap()
}

#[tokio::test]
async fn a_follower_begins_at_the_end_and_misses_nothing_after_it() {
    for length in [0, 1, 2, 3, 1000, 1023, 1024, 1025] {
        let (feed, monolith) = Feed::start(length).await;
        let limits = Limits { deadline: Duration::from_secs(30), calls_max: 1, ..Limits::default() };
        let (heard, mut news) = mpsc::unbounded_channel();
        let react = move |event: &Event| heard.send(event.clone()).unwrap();
        let follower = tokio::spawn(follow(monolith.foundation(limits), react));
        // The first call that waits says that the end was found.
        while !monolith.asked().iter().any(|asked| number(asked, "wait_ms") > 0) {
            tokio::task::yield_now().await;
        }
        let probes = monolith.asked().len();
        assert!(probes <= 30, "{probes} calls to find the end of {length} events");
        feed.length.send_replace(length + 1);
        assert_eq!(news.recv().await.unwrap().sequence, length + 1);
        feed.failing.store(true, Ordering::SeqCst);
        feed.length.send_replace(length + 3);
        for sequence in [length + 2, length + 3] {
            assert_eq!(news.recv().await.unwrap().sequence, sequence);
        }
        follower.abort();
    }
}

#[test]
fn deletions_and_new_secrets_end_names_and_nothing_else_does() {
    let ends = |event_type: &str| {
        let mut event = event(1);
        event["type"] = json!(event_type);
        ends_names_of(&serde_json::from_value(event).unwrap()).map(PlaylistId::get)
    };
    assert_eq!(ends("playlist.deleted"), Some(201));
    assert_eq!(ends("playlist.secret_rotated"), Some(201));
    assert_eq!(ends("playlist.liked"), None);
    assert_eq!(ends("track.deleted"), None);
}

#[tokio::test]
async fn a_feed_that_is_not_there_at_first_is_followed_when_it_is() {
    let (feed, monolith) = Feed::start(7).await;
    feed.failing.store(true, Ordering::SeqCst);
    let (heard, mut news) = mpsc::unbounded_channel();
    let limits = Limits { deadline: Duration::from_secs(30), calls_max: 1, ..Limits::default() };
    let react = move |event: &Event| heard.send(event.sequence).unwrap();
    let follower = tokio::spawn(follow(monolith.foundation(limits), react));
    while !monolith.asked().iter().any(|asked| number(asked, "wait_ms") > 0) {
        tokio::task::yield_now().await;
    }
    feed.length.send_replace(8);
    assert_eq!(news.recv().await, Some(8));
    follower.abort();
}
