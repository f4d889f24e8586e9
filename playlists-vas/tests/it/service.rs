//! The whole service: what clients get when something behind it is wrong, what it remembers, how it ends.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::{net::TcpStream, sync::Notify};

use crate::monolith::{Asked, Monolith, playlist, records, services};

async fn send(
    address: SocketAddr,
    method: Method,
    target: &str,
    headers: &[(&str, &str)],
) -> (StatusCode, HeaderMap, Value) {
    let socket = TcpStream::connect(address).await.unwrap();
    let (mut sender, connection) = http1::handshake(TokioIo::new(socket)).await.unwrap();
    tokio::spawn(connection);
    let mut request = http::Request::builder().method(method).uri(target).header("host", "api.example");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = sender.send_request(request.body(Full::<Bytes>::default()).unwrap()).await.unwrap();
    let (head, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    (head.status, head.headers, serde_json::from_slice(&body).unwrap_or_default())
}

#[tokio::test]
async fn when_the_monolith_is_gone_every_dialect_says_503_in_its_own_shape() {
    // The system gives ports below 1024 to nobody who asks for any.
    let nobody = "127.0.0.1:1".parse().unwrap();
    let (_tracks, playlists) = services(nobody).await;
    let ask = |target| send(playlists.address(), Method::GET, target, &[]);
    let (status, headers, body) = ask("/playlists/1").await;
    assert_eq!((status.as_u16(), &body["code"]), (503, &json!(503)));
    assert_eq!(headers["access-control-allow-origin"], "*");
    let (status, _, body) = ask("/mobile/playlists/mothership:playlists:1").await;
    assert_eq!((status.as_u16(), &body["error_key"]), (503, &json!("unavailable")));
    let (status, _, body) = ask("/web/playlists/1").await;
    assert_eq!((status.as_u16(), &body["success"]), (503, &json!(false)));
}

/// A monolith with a token for user 1 and one playlist.
async fn small(asked: Asked) -> (u16, Value) {
    match asked.target.as_str() {
        "/introspect" => {
            let answer =
                json!({ "state": "valid", "now": "2026-01-01T00:00:00Z", "user_id": 1, "role": "user" });
            (200, answer)
        }
        "/playlists/batch" => (200, records(&[playlist(1, "s-1", &[])])),
        "/commands" => {
            let entity = json!({ "playlist": playlist(1, "s-1", &[]) });
            (
                200,
                json!({ "dry_run": asked.body["dry_run"], "changed": true, "entity": entity, "events": [] }),
            )
        }
        _ => (404, json!({ "error": { "code": "unknown_path", "message": "" } })),
    }
}

#[tokio::test]
async fn a_dry_run_is_passed_on_and_acknowledged_and_a_doubtful_one_refused() {
    let monolith = Monolith::start(small).await;
    let (_tracks, playlists) = monolith.services().await;
    let like = async |said: &[(&str, &str)]| {
        let mut headers = vec![("authorization", "OAuth t")];
        headers.extend(said);
        let (status, headers, _) =
            send(playlists.address(), Method::POST, "/likes/playlists/1", &headers).await;
        let acknowledged = headers.get("x-dry-run").map(|value| value.to_str().unwrap().to_owned());
        (status.as_u16(), acknowledged)
    };
    let commands = || -> Vec<Value> {
        let commands = monolith.asked().into_iter().filter(|asked| asked.target == "/commands");
        commands.map(|asked| asked.body["dry_run"].clone()).collect()
    };
    assert_eq!(like(&[("x-dry-run", "true")]).await, (201, Some("true".to_owned())));
    assert_eq!(like(&[]).await, (201, None));
    assert_eq!(like(&[("x-dry-run", "false")]).await, (201, None));
    assert_eq!(commands(), [json!(true), json!(false), json!(false)]);
    assert_eq!(like(&[("x-dry-run", "maybe")]).await, (400, None));
    assert_eq!(commands().len(), 3);
    // A token is asked for once in a while, not with every request.
    assert_eq!(monolith.count("/introspect"), 1);
}

#[tokio::test]
async fn a_name_is_remembered_and_checked_whenever_it_is_used() {
    let generation = Arc::new(AtomicI64::new(1));
    let current = Arc::clone(&generation);
    let monolith = Monolith::start(move |asked| {
        let secret = format!("s-{}", current.load(Ordering::SeqCst));
        async move {
            match asked.target.as_str() {
                "/lookup" => {
                    let known = asked.body["playlist_secret"]["token"] == secret.as_str();
                    (200, json!({ "found": known.then(|| json!({ "kind": "playlist", "id": 1 })) }))
                }
                "/playlists/batch" => (200, records(&[playlist(1, &secret, &[])])),
                _ => (404, json!({ "error": { "code": "unknown_path", "message": "" } })),
            }
        }
    })
    .await;
    let (_tracks, playlists) = monolith.services().await;
    let by_secret = async |secret: &str| {
        let target = format!("/playlists/secret/{secret}");
        send(playlists.address(), Method::GET, &target, &[]).await.0.as_u16()
    };
    assert_eq!((by_secret("s-1").await, by_secret("s-1").await), (200, 200));
    assert_eq!(monolith.count("/lookup"), 1);
    // The secret was renewed, and no event told of it.
    generation.store(2, Ordering::SeqCst);
    assert_eq!((by_secret("s-1").await, by_secret("s-2").await), (404, 200));
}

#[tokio::test]
async fn what_is_under_way_is_finished_when_the_service_is_told_to_stop() {
    let (reached, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (here, gate) = (Arc::clone(&reached), Arc::clone(&go));
    let monolith = Monolith::start(move |asked| {
        let (reached, go) = (Arc::clone(&here), Arc::clone(&gate));
        async move {
            if asked.target == "/playlists/batch" {
                reached.notify_one();
                go.notified().await;
            }
            small(asked).await
        }
    })
    .await;
    let (_tracks, playlists) = monolith.services().await;
    let address = playlists.address();
    let asking = tokio::spawn(async move { send(address, Method::GET, "/playlists/1", &[]).await.0 });
    reached.notified().await;
    let stopping = tokio::spawn(playlists.stop());
    // It takes nobody new any more.
    while TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert!(!stopping.is_finished());
    go.notify_one();
    assert_eq!(asking.await.unwrap(), StatusCode::OK);
    assert_eq!(stopping.await.unwrap().cut, 0);
}
