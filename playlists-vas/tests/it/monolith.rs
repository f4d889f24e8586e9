//! A monolith that answers what a test says.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{StatusCode, Uri},
    response::{IntoResponse, Response},
};
use futures_util::future::BoxFuture;
use playlists_vas::{
    foundation::{Foundation, FoundationConfig, Limits},
    gateways,
    regressions::Regressions,
    serve::Handle,
    server::{Playlists, PlaylistsConfig},
    tracks::{Tracks, TracksConfig},
};
use serde_json::{Value, json};

type Answer = Arc<dyn Fn(Asked) -> BoxFuture<'static, (u16, Value)> + Send + Sync>;

/// A call that was made.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// With the query, without `/internal/v1`.
    pub(crate) target: String,
    pub(crate) body: Value,
}

#[derive(Clone)]
struct Shared {
    answer: Answer,
    asked: Arc<Mutex<Vec<Asked>>>,
}

pub(crate) struct Monolith {
    handle: Handle,
    asked: Arc<Mutex<Vec<Asked>>>,
}

pub(crate) const TOKEN: &str = "svc-test";

impl Monolith {
    pub(crate) async fn start<F, A>(answer: F) -> Self
    where
        F: Fn(Asked) -> A + Send + Sync + 'static,
        A: Future<Output = (u16, Value)> + Send + 'static,
    {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let answer: Answer = Arc::new(move |asked| Box::pin(answer(asked)));
        let router = Router::new().fallback(take).with_state(Shared { answer, asked: Arc::clone(&asked) });
        let handle = Handle::start(anywhere(), Duration::ZERO, router).await.unwrap();
        Self { handle, asked }
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// How often a path was asked for.
    pub(crate) fn count(&self, path: &str) -> usize {
        self.asked().iter().filter(|asked| asked.target.split('?').next() == Some(path)).count()
    }

    pub(crate) fn foundation(&self, limits: Limits) -> Foundation {
        Foundation::new(config(self.handle.address(), limits)).unwrap()
    }

    /// Both services in front of it.
    pub(crate) async fn services(&self) -> (Tracks, Playlists) {
        services(self.handle.address()).await
    }
}

pub(crate) async fn services(monolith: SocketAddr) -> (Tracks, Playlists) {
    let limits = Limits { deadline: Duration::from_secs(30), ..Limits::default() };
    let drain = Duration::from_secs(30);
    let tracks = Tracks::start(TracksConfig {
        listen: anywhere(),
        foundation: config(monolith, limits.clone()),
        service_token: TOKEN.to_owned(),
        drain,
        regressions: Regressions::default(),
    });
    let tracks = tracks.await.unwrap();
    let playlists = Playlists::start(PlaylistsConfig {
        listen: anywhere(),
        foundation: config(monolith, limits),
        tracks: gateways::TracksConfig {
            url: format!("http://{}", tracks.address()),
            service_token: TOKEN.to_owned(),
            deadline: Duration::from_secs(30),
            calls_max: 8,
        },
        service_token: TOKEN.to_owned(),
        dry_run_header: http::HeaderName::from_static("x-dry-run"),
        identity_keep: Duration::from_secs(60),
        cache_entries_max: 100,
        drain,
        regressions: Regressions::default(),
    });
    (tracks, playlists.await.unwrap())
}

/// A playlist of Ada's, user 1, with these tracks.
pub(crate) fn playlist(id: i64, secret: &str, track_ids: &[i64]) -> Value {
    json!({
        "id": id, "user_id": 1, "permalink": format!("p{id}"), "title": format!("Playlist {id}"),
        "description": null, "genre": null, "tag_list": "", "kind": "playlist", "sharing": "public",
        "secret_token": secret, "license": "all-rights-reserved", "release": null, "release_at": null,
        "ean": null, "label_id": null, "label_name": null, "purchase_title": null, "purchase_url": null,
        "embeddable_by": "all", "artwork_url": null, "track_count": track_ids.len(), "duration_ms": 0,
        "likes_count": 0, "reposts_count": 0, "indexed_likes_count": 0, "revision": 1,
        "created_at": "2020-01-01T00:00:00Z", "last_modified": "2020-01-01T00:00:00Z",
        "owner_suspended": false, "track_ids": track_ids,
    })
}

/// Records with nothing but these playlists.
pub(crate) fn records(playlists: &[Value]) -> Value {
    json!({ "now": "2026-01-01T00:00:00Z", "playlists": playlists, "tracks": [], "users": [] })
}

async fn take(State(shared): State<Shared>, uri: Uri, body: Bytes) -> Response {
    let target = uri.to_string().trim_start_matches("/internal/v1").to_owned();
    let asked = Asked { target, body: serde_json::from_slice(&body).unwrap_or_default() };
    shared.asked.lock().unwrap().push(asked.clone());
    let (status, answer) = (shared.answer)(asked).await;
    (StatusCode::from_u16(status).unwrap(), axum::Json(answer)).into_response()
}

fn config(monolith: SocketAddr, limits: Limits) -> FoundationConfig {
    FoundationConfig { authority: monolith.to_string(), service_token: TOKEN.to_owned(), limits }
}

fn anywhere() -> SocketAddr {
    ([127, 0, 0, 1], 0).into()
}
