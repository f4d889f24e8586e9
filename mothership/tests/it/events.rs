//! The outbox and its feed: at least once, in order, and nothing missed.

use std::collections::BTreeMap;

use http::Method;
use mothership::{
    command::{Command, Mode, PlaylistFields},
    domain::{PlaylistId, TrackId, UserId},
    seed::cast,
    store::Store,
};
use serde_json::{Value, json};

use crate::support::{Monolith, SseReader, user};

const WRITERS: i64 = 8;
const EACH: i64 = 10;

/// Several users at once, each through a life of a playlist.
async fn write_a_lot(store: &Store) {
    let mut writers = tokio::task::JoinSet::new();
    for n in 1..=WRITERS {
        let store = store.clone();
        writers.spawn(async move {
            let me = user(UserId::new(1000 + n));
            let fields =
                Box::new(PlaylistFields { title: Some(format!("Of {n}")), ..PlaylistFields::default() });
            let create = Command::CreatePlaylist { fields };
            let created = store.execute(create, me.clone(), Mode::Commit).await.unwrap();
            let playlist_id = created.playlist().unwrap().playlist.id;
            for track in 1..EACH {
                let add = Command::AddTracks {
                    playlist_id,
                    track_ids: vec![TrackId::new(1000 + track)],
                    position: None,
                };
                store.execute(add, me.clone(), Mode::Commit).await.unwrap();
            }
        });
    }
    writers.join_all().await;
}

async fn poll(monolith: &Monolith, after: i64, limit: u32) -> Vec<Value> {
    let path = format!("/internal/v1/events?after={after}&limit={limit}");
    let answer = monolith.service(Method::GET, &path).send(monolith.address).await;
    answer.json()["events"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_consumer_that_crashes_between_pages_misses_nothing() {
    let monolith = Monolith::start().await;
    let store = monolith.database.store();
    let total = usize::try_from(WRITERS * EACH).unwrap();
    let writing = tokio::spawn(async move { write_a_lot(&store).await });
    // What a consumer keeps on its disk: what it handled, and the sequence up to which it did.
    let (mut handled, mut noted): (Vec<Value>, i64) = (Vec::new(), 0);
    let mut crashes = 0;
    while handled.len() < total {
        let page = poll(&monolith, noted, 7).await;
        for (index, event) in page.into_iter().enumerate() {
            // Every third page, it crashes in the middle: the rest of the page is lost to it, and asked for again.
            if index == 4 && crashes < 5 {
                crashes += 1;
                break;
            }
            noted = event["sequence"].as_i64().unwrap();
            handled.push(event);
        }
    }
    writing.await.unwrap();
    assert!(crashes > 0);
    let sequences: Vec<i64> = handled.iter().map(|event| event["sequence"].as_i64().unwrap()).collect();
    assert_eq!(sequences, (1..=WRITERS * EACH).collect::<Vec<_>>());
    // In order per aggregate: each revision of each playlist follows the one before.
    let mut revisions: BTreeMap<i64, i64> = BTreeMap::new();
    for event in &handled {
        let id = event["aggregate"]["id"].as_i64().unwrap();
        let revision = event["payload"]["revision"].as_i64().unwrap();
        let before = revisions.insert(id, revision).unwrap_or(0);
        assert_eq!(revision, before + 1, "playlist {id}");
    }
    assert!(revisions.values().all(|last| *last == EACH));
    assert!(poll(&monolith, noted, 7).await.is_empty());
}

#[tokio::test]
async fn a_stream_resumes_after_the_last_event_id() {
    let monolith = Monolith::start().await;
    let like = |playlist_id: PlaylistId| json!({ "viewer": { "token": "tok-label" }, "command": { "type": "like_playlist", "playlist_id": playlist_id } });
    for id in [cast::EVERYTHING, cast::ALBUM] {
        monolith.internal("/internal/v1/commands", &like(id)).await;
    }
    let stream = monolith.service(Method::GET, "/internal/v1/events/stream").start(monolith.address).await;
    let mut reader = SseReader::new(stream);
    let (id, event) = reader.next().await.unwrap();
    assert_eq!((id, &event["type"]), (1, &json!("playlist.liked")));
    drop(reader);
    let resume = monolith.service(Method::GET, "/internal/v1/events/stream").header("last-event-id", "1");
    let mut reader = SseReader::new(resume.start(monolith.address).await);
    assert_eq!(reader.next().await.unwrap().0, 2);
    // Live: written while the stream waits.
    monolith.internal("/internal/v1/commands", &like(cast::EMPTY)).await;
    let (id, event) = reader.next().await.unwrap();
    assert_eq!((id, &event["aggregate"]), (3, &json!({ "kind": "playlist", "id": 205 })));
    let drained = monolith.stop().await;
    assert_eq!(drained.cut, 0, "an open stream does not hold up a drain");
    assert!(reader.next().await.is_none(), "the stream ends with the server");
}

#[tokio::test]
async fn a_long_poll_answers_as_soon_as_something_happens() {
    let monolith = Monolith::start().await;
    let waiting = monolith.service(Method::GET, "/internal/v1/events?after=0&wait_ms=30000");
    let address = monolith.address;
    let waiting = tokio::spawn(async move { waiting.send(address).await });
    let like = json!({ "viewer": { "token": "tok-label" }, "command": { "type": "like_playlist", "playlist_id": 201 } });
    monolith.internal("/internal/v1/commands", &like).await;
    let answer = waiting.await.unwrap().json();
    assert_eq!(answer["last_sequence"], 1);
    assert_eq!(answer["events"][0]["payload"], json!({ "user_id": cast::LABEL }));
    let now = monolith.service(Method::GET, "/internal/v1/events?after=1").send(address).await.json();
    assert_eq!(now, json!({ "events": [], "last_sequence": 1 }));
}

#[tokio::test]
async fn events_survive_a_restart_and_their_numbers_go_on() {
    let database = crate::support::Database::fresh();
    let like = |playlist_id| Command::LikePlaylist { playlist_id };
    let first = database.store();
    first.execute(like(cast::EVERYTHING), user(cast::LABEL), Mode::Commit).await.unwrap();
    drop(first);
    let second = database.store();
    assert_eq!(*second.last_event().borrow(), 1);
    let outcome = second.execute(like(cast::ALBUM), user(cast::LABEL), Mode::Commit).await.unwrap();
    assert_eq!(outcome.events[0].sequence, 2);
    let all = second.read(|reader| reader.events_after(0, 10)).await.unwrap();
    assert_eq!(all.iter().map(|event| event.sequence).collect::<Vec<_>>(), [1, 2]);
}
