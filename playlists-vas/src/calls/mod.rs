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
    rpc::{self, tracks, twirp_error},
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

/// # Errors
/// More members than the Tracks VAS takes in one call: the caller is to ask for fewer playlists.
fn check_members(asked: &[tracks::v1::Playlist]) -> Result<(), TwirpErrorResponse> {
    let members: usize = asked.iter().map(|playlist| playlist.track_ids.len()).sum();
    if members <= rpc::MEMBERS_MAX {
        return Ok(());
    }
    let most = rpc::MEMBERS_MAX;
    Err(twirp::invalid_argument(format!(
        "playlist_ids: these have {members} tracks together, at most {most} can be asked for; name fewer, or leave \
         tracks out of the field_mask"
    )))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_members_than_one_call_takes_are_the_callers_mistake() {
        let of = |members: usize| tracks::v1::Playlist { track_ids: vec![1; members], ..Default::default() };
        assert!(check_members(&[of(rpc::MEMBERS_MAX / 2), of(rpc::MEMBERS_MAX / 2)]).is_ok());
        let error = check_members(&[of(rpc::MEMBERS_MAX), of(1)]).unwrap_err();
        assert_eq!(error.code(), twirp::TwirpErrorCode::InvalidArgument);
    }
}
