//! The mobile edge, at `/mobile`: compact things named by URNs, pages that go on by an opaque cursor, ISO dates, seconds
//! as decimals, and keys left out where there is no value.
//!
//! Its clients have no picture for what does not play: a track that would be blocked is not there.

mod routes;
mod caller;
mod urn;
mod paging;
mod body;
mod error;
mod lists;
mod playlists;
mod playlist_changes;
mod likes_and_reposts;
mod representation;

use axum::Router;

use crate::edges::App;

use caller::Caller;
use error::ApiError;

/// Everything below `/mobile`.
pub(super) fn router() -> Router<App> {
    routes::table().fallback(error::unknown_path).method_not_allowed_fallback(error::unknown_method)
}
