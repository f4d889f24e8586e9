//! The service on its port.

use std::{io, net::SocketAddr, time::Duration};

use axum::{Json, Router, extract::State, routing::get};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::{
    events,
    foundation::{Foundation, FoundationConfig},
    regressions::Regressions,
    rpc::{self, tracks::v1},
    serve::{Drained, Handle},
    tracks::service::Service,
};

#[derive(Debug, Clone)]
pub struct TracksConfig {
    /// Port 0 takes a free one.
    pub listen: SocketAddr,
    pub foundation: FoundationConfig,
    /// What other services show to ask here.
    pub service_token: String,
    /// How long calls under way may take once the service is told to stop.
    pub drain: Duration,
    /// Known bugs that are switched on.
    pub regressions: Regressions,
}

/// The Tracks VAS, running.
#[derive(Debug)]
pub struct Tracks {
    handle: Handle,
    /// Follows the events; ends when this is dropped.
    _follower: JoinSet<()>,
}

impl Tracks {
    /// # Errors
    /// It cannot listen, or the service token cannot stand in a header.
    pub async fn start(config: TracksConfig) -> io::Result<Self> {
        let mut alone = config.foundation.clone();
        alone.limits.calls_max = 1;
        let feed = Foundation::new(alone).map_err(io::Error::other)?;
        let foundation = Foundation::new(config.foundation).map_err(io::Error::other)?;
        let followed = foundation.clone();
        let service = Service { foundation: foundation.clone(), regressions: config.regressions };
        let router = Router::new()
            .route("/health", get(|| async { "ok\n" }))
            .route("/counters", get(counters).with_state(foundation))
            .route("/protos/{name}", get(rpc::proto))
            .merge(rpc::door(v1::router(service), &config.service_token));
        let handle = Handle::start(config.listen, config.drain, router).await?;
        let mut follower = JoinSet::new();
        follower.spawn(events::follow(feed, move |_| followed.something_changed()));
        Ok(Self { handle, _follower: follower })
    }

    pub fn address(&self) -> SocketAddr {
        self.handle.address()
    }

    pub async fn stop(self) -> Drained {
        self.handle.stop().await
    }
}

/// Calls made to the monolith since the start, by path.
async fn counters(State(foundation): State<Foundation>) -> Json<Value> {
    Json(json!({ "foundation": foundation.calls() }))
}
