//! The Playlists VAS on its port.

use std::{io, net::SocketAddr, time::Duration};

use axum::{Json, Router, extract::State, routing::get};
use http::HeaderName;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::{
    calls::Calls,
    commands::Commands,
    edges::{self, App},
    events,
    foundation::{Foundation, FoundationConfig},
    gateways::{TracksConfig, TracksGateway},
    queries::{Identities, Names, Queries},
    regressions::Regressions,
    rpc,
    serve::{Drained, Handle},
};

#[derive(Debug, Clone)]
pub struct PlaylistsConfig {
    /// Port 0 takes a free one.
    pub listen: SocketAddr,
    pub foundation: FoundationConfig,
    pub tracks: TracksConfig,
    /// What other services show to ask here by RPC.
    pub service_token: String,
    /// Asks for a dry run.
    pub dry_run_header: HeaderName,
    /// How long a token's identity is believed; zero asks every time.
    pub identity_keep: Duration,
    /// Entries at most, of each cache.
    pub cache_entries_max: usize,
    /// How long requests under way may take once the service is told to stop.
    pub drain: Duration,
    /// Known bugs that are switched on.
    pub regressions: Regressions,
}

/// The Playlists VAS, running.
#[derive(Debug)]
pub struct Playlists {
    handle: Handle,
    /// Follows the events; ends when this is dropped.
    _follower: JoinSet<()>,
}

impl Playlists {
    /// # Errors
    /// It cannot listen, or an address or token of the configuration cannot be used.
    pub async fn start(config: PlaylistsConfig) -> io::Result<Self> {
        let mut alone = config.foundation.clone();
        alone.limits.calls_max = 1;
        let feed = Foundation::new(alone).map_err(io::Error::other)?;
        let foundation = Foundation::new(config.foundation).map_err(io::Error::other)?;
        let tracks = TracksGateway::new(config.tracks).map_err(io::Error::other)?;
        let names = Names::new(config.cache_entries_max);
        let app = App {
            queries: Queries {
                foundation: foundation.clone(),
                tracks: tracks.clone(),
                names,
                regressions: config.regressions.clone(),
            },
            commands: Commands {
                foundation: foundation.clone(),
                tracks,
                regressions: config.regressions.clone(),
            },
            identities: Identities::new(foundation, config.cache_entries_max, config.identity_keep),
            dry_run_header: config.dry_run_header,
            regressions: config.regressions,
        };
        let own = Router::new()
            .route("/health", get(|| async { "ok\n" }))
            .route("/counters", get(counters).with_state(app.queries.clone()))
            .route("/protos/{name}", get(rpc::proto));
        let calls = Calls { queries: app.queries.clone(), commands: app.commands.clone() };
        let calls = rpc::door(calls.router(), &config.service_token);
        let queries = app.queries.clone();
        let router = own.merge(calls).merge(edges::router(app));
        let handle = Handle::start(config.listen, config.drain, router).await?;
        let mut follower = JoinSet::new();
        follower.spawn(events::follow(feed, move |event| {
            queries.foundation.something_changed();
            if let Some(playlist) = events::ends_names_of(event) {
                queries.names.forget_playlist(playlist);
            }
        }));
        Ok(Self { handle, _follower: follower })
    }

    pub fn address(&self) -> SocketAddr {
        self.handle.address()
    }

    /// Finishes what is under way, and cuts what is left at the deadline.
    pub async fn stop(self) -> Drained {
        self.handle.stop().await
    }

    /// Ends at once.
    pub fn kill(self) {
        self.handle.kill();
    }
}

/// Calls made since the start: to the monolith by path, and to the Tracks VAS.
async fn counters(State(queries): State<Queries>) -> Json<Value> {
    Json(json!({ "foundation": queries.foundation.calls(), "tracks": queries.tracks.calls() }))
}
