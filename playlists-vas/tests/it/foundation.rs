//! The client of the internal API: deadlines, limits, and what is never sent twice.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::future::join_all;
use playlists_vas::{
    domain::{PlaylistId, Viewer},
    foundation::{
        Command, Foundation, FoundationConfig, FoundationError, Invalid, Limits, Lookup, Problem, Refused,
    },
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    sync::{Notify, Semaphore},
};

use crate::monolith::{Monolith, records};

fn patient() -> Limits {
    Limits { deadline: Duration::from_secs(30), ..Limits::default() }
}

fn like(id: i64) -> Command {
    Command::LikePlaylist { playlist_id: PlaylistId::new(id) }
}

#[tokio::test]
async fn an_answer_that_does_not_come_is_given_up_at_the_deadline() {
    let monolith = Monolith::start(|_| std::future::pending()).await;
    let limits = Limits { deadline: Duration::from_millis(50), ..Limits::default() };
    let error = monolith.foundation(limits).introspect("token").await.unwrap_err();
    assert_eq!(error, FoundationError::TimedOut { deadline_ms: 50 });
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_not_read_to_its_end() {
    let monolith = Monolith::start(async |_| (200, json!("x".repeat(2000)))).await;
    let limits = Limits { answer_bytes_max: 1000, ..patient() };
    let error = monolith.foundation(limits).introspect("token").await.unwrap_err();
    assert!(matches!(error, FoundationError::Unreadable(_)), "{error:?}");
}

#[tokio::test]
async fn no_more_calls_are_under_way_than_allowed() {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let go = Arc::new(Semaphore::new(0));
    let (under_way, highest, gate) = (Arc::clone(&now), Arc::clone(&most), Arc::clone(&go));
    let monolith = Monolith::start(move |_| {
        let (now, most, go) = (Arc::clone(&under_way), Arc::clone(&highest), Arc::clone(&gate));
        async move {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            go.acquire().await.unwrap().forget();
            now.fetch_sub(1, Ordering::SeqCst);
            (200, records(&[]))
        }
    })
    .await;
    let foundation = monolith.foundation(Limits { calls_max: 2, ..patient() });
    let viewer = Viewer::default();
    let ids: Vec<[PlaylistId; 1]> = (1..=6).map(|id| [PlaylistId::new(id)]).collect();
    let calls = join_all(ids.iter().map(|ids| foundation.playlists(&viewer, ids, &[])));
    let open = async {
        while most.load(Ordering::SeqCst) < 2 {
            tokio::task::yield_now().await;
        }
        // Whoever else could come by now has come.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        go.add_permits(6);
    };
    let (answers, ()) = tokio::join!(calls, open);
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!((monolith.count("/playlists/batch"), most.load(Ordering::SeqCst)), (6, 2));
}

#[tokio::test]
async fn equal_reads_at_once_are_one_call_and_a_command_parts_them() {
    let go = Arc::new(Notify::new());
    let gate = Arc::clone(&go);
    let monolith = Monolith::start(move |asked| {
        let go = Arc::clone(&gate);
        async move {
            if asked.target == "/playlists/batch" {
                go.notified().await;
                return (200, records(&[]));
            }
            (404, json!({ "error": { "code": "not_found", "message": "" } }))
        }
    })
    .await;
    let foundation = monolith.foundation(patient());
    let viewer = Viewer::default();
    let ids = [PlaylistId::new(1)];
    let read = || foundation.playlists(&viewer, &ids, &[]);
    let (first, second) = (read(), read());
    tokio::pin!(first, second);
    assert!(futures_util::poll!(&mut first).is_pending() && futures_util::poll!(&mut second).is_pending());
    // Refused or not: it may have changed something.
    foundation.execute(&viewer, &like(1), false).await.unwrap_err();
    let third = read();
    tokio::pin!(third);
    assert!(futures_util::poll!(&mut third).is_pending());
    let two_calls = async {
        while monolith.count("/playlists/batch") < 2 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), two_calls).await.expect("whoever asks later asks anew");
    go.notify_waiters();
    let answers = tokio::join!(first, second, third);
    assert!(answers.0.is_ok() && answers.1.is_ok() && answers.2.is_ok());
    assert_eq!(monolith.count("/playlists/batch"), 2);
}

/// Answers the first request of a connection and closes it when the second comes.
#[tokio::test]
async fn a_read_under_which_a_kept_connection_was_closed_is_made_again_and_a_command_is_not() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let authority = listener.local_addr().unwrap().to_string();
    let requests = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&requests);
    let server = tokio::spawn(async move {
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut buffer = [0; 4096];
            if socket.read(&mut buffer).await.unwrap() > 0 {
                counted.fetch_add(1, Ordering::SeqCst);
                let body = json!({ "found": null }).to_string();
                let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
                socket.write_all(answer.as_bytes()).await.unwrap();
            }
            if socket.read(&mut buffer).await.unwrap() > 0 {
                counted.fetch_add(1, Ordering::SeqCst);
            }
        }
    });
    let config = FoundationConfig { authority, service_token: "t".to_owned(), limits: patient() };
    let foundation = Foundation::new(config).unwrap();
    let secret = |token: &str| Lookup::PlaylistSecret { token: token.to_owned() };
    assert_eq!(foundation.lookup(&secret("a")).await, Ok(None));
    // The second is lost with its connection, and asked again over a new one.
    assert_eq!(foundation.lookup(&secret("b")).await, Ok(None));
    assert_eq!(requests.load(Ordering::SeqCst), 3);
    let error = foundation.execute(&Viewer::default(), &like(1), false).await.unwrap_err();
    assert!(matches!(error, FoundationError::Unreachable(_)), "{error:?}");
    assert_eq!(requests.load(Ordering::SeqCst), 4);
    server.abort();
}

#[tokio::test]
async fn a_command_whose_answer_is_lost_is_not_sent_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let authority = listener.local_addr().unwrap().to_string();
    let requests = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&requests);
    let server = tokio::spawn(async move {
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut buffer = [0; 4096];
            // The whole of it comes in one piece; then the connection is closed.
            if socket.read(&mut buffer).await.unwrap() > 0 {
                counted.fetch_add(1, Ordering::SeqCst);
            }
        }
    });
    let config = FoundationConfig { authority, service_token: "t".to_owned(), limits: patient() };
    let foundation = Foundation::new(config).unwrap();
    let error = foundation.execute(&Viewer::default(), &like(1), false).await.unwrap_err();
    assert!(matches!(error, FoundationError::Unreachable(_)), "{error:?}");
    assert_eq!(requests.load(Ordering::SeqCst), 1);
    server.abort();
}

#[tokio::test]
async fn why_a_command_was_refused_is_understood() {
    let blank = Invalid { field: "title".to_owned(), problem: Problem::Blank };
    let long = Invalid { field: "genre".to_owned(), problem: Problem::TooLong { max: 255, actual: 300 } };
    let cases: Vec<(u16, Value, Refused)> = vec![
        (401, json!({ "code": "sign_in_required" }), Refused::SignInRequired),
        (404, json!({ "code": "not_found", "missing": { "kind": "playlist", "id": 1 } }), Refused::NotFound),
        (403, json!({ "code": "forbidden", "forbidden": "not_owner" }), Refused::NotOwner),
        (
            409,
            json!({ "code": "stale_revision", "revision": { "expected": 1, "actual": 2 } }),
            Refused::StaleRevision { expected: 1, actual: 2 },
        ),
        (
            422,
            json!({ "code": "invalid", "invalid": [
                { "field": "title", "problem": "blank" },
                { "field": "genre", "problem": "too_long", "max": 255, "actual": 300 },
            ] }),
            Refused::Invalid(vec![blank, long]),
        ),
    ];
    for (status, mut error, refused) in cases {
        error["message"] = json!("");
        let answer = json!({ "error": error });
        let monolith = Monolith::start(move |_| std::future::ready((status, answer.clone()))).await;
        let told = monolith.foundation(patient()).execute(&Viewer::default(), &like(1), true).await;
        assert_eq!(told.unwrap_err(), FoundationError::Refused(refused));
    }
    let other = json!({ "error": { "code": "service_token_required", "message": "no" } });
    let monolith = Monolith::start(move |_| std::future::ready((401, other.clone()))).await;
    let told = monolith.foundation(patient()).execute(&Viewer::default(), &like(1), true).await;
    assert!(matches!(told, Err(FoundationError::Unexpected { status: 401, .. })), "{told:?}");
}
