//! The calls of the Playlists VAS by RPC: the aggregate, decisions about it, and two business domains over it.

mod aggregate;
mod playlists;
mod authorization;
mod consumer;
mod creator;

use axum::Router;
use twirp::TwirpErrorResponse;

use crate::{
    commands::Commands,
    domain::PlaylistId,
    foundation::FoundationError,
    queries::Queries,
    rpc::{self, twirp_error},
    service::ServiceError,
};

/// Playlists that one call may name.
const PLAYLISTS_MAX: usize = 200;

/// Cheap to clone.
#[derive(Clone)]
pub struct Calls {
    pub queries: Queries,
    pub commands: Commands,
}

impl Calls {
    /// Every service, at its name.
    pub fn router(self) -> Router {
        Router::new()
            .merge(rpc::playlists::v1::router(self.clone()))
            .merge(rpc::authorization::v1::router(self.clone()))
            .merge(rpc::consumer::v1::router(self.clone()))
            .merge(rpc::creator::v1::router(self))
    }
}

/// The ids in the order asked for, each once. What is no id names nothing.
fn ids(asked: &[i64]) -> Result<Vec<PlaylistId>, TwirpErrorResponse> {
    if asked.len() > PLAYLISTS_MAX {
        return Err(twirp::invalid_argument(format!("playlist_ids: at most {PLAYLISTS_MAX}")));
    }
    let mut ids: Vec<PlaylistId> = Vec::new();
    for id in asked.iter().filter_map(|id| PlaylistId::try_from(*id).ok()) {
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    Ok(ids)
}

fn refused(error: ServiceError) -> TwirpErrorResponse {
    match error {
        ServiceError::Refused(refused) => twirp_error(&FoundationError::Refused(refused)),
        ServiceError::Unavailable(why) => {
            tracing::error!(%why, "a call could not be answered");
            twirp::unavailable("a service behind this one did not answer")
        }
    }
}
