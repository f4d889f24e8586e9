//! The viewer of a call, to and from its message.

use twirp::TwirpErrorResponse;

use crate::{
    domain::{Identity, Role, Territory, UserId, Viewer},
    rpc::authorization::v1,
};

/// # Errors
/// `invalid_argument` for an id or a territory that is none.
pub fn read(viewer: Option<v1::Viewer>) -> Result<Viewer, TwirpErrorResponse> {
    let viewer = viewer.unwrap_or_default();
    let wrong = |error: &dyn std::fmt::Display| twirp::invalid_argument(format!("viewer: {error}"));
    let user_id = viewer.user_id.map(UserId::try_from).transpose().map_err(|error| wrong(&error))?;
    let role = if viewer.moderator { Role::Moderator } else { Role::User };
    let identity = user_id.map(|user_id| Identity { user_id, role });
    let territory: Option<Territory> =
        viewer.territory.map(|code| code.parse()).transpose().map_err(|error| wrong(&error))?;
    Ok(Viewer { identity, territory, secret_token: viewer.secret_token })
}

pub fn write(viewer: &Viewer) -> v1::Viewer {
    v1::Viewer {
        user_id: viewer.user_id().map(UserId::get),
        moderator: viewer.is_moderator(),
        territory: viewer.territory.map(String::from),
        secret_token: viewer.secret_token.clone(),
    }
}
