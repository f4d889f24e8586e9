//! The web edge, at `/web`: what the site's pages are made of. Nested collections, numeric ids, camelCase beside
//! snake_case, pages by number here and by offset there, null for whatever is empty.
//!
//! A page is cut out of its list first and filtered then, so it may be short.

mod routes;
mod caller;
mod path_id;
mod paging;
mod input;
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

/// Everything below `/web`.
pub(super) fn router() -> Router<App> {
    routes::table().fallback(error::unknown_path).method_not_allowed_fallback(error::unknown_method)
}
