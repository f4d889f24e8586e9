//! The web dialect, at `/web`: what the site's pages were made of. Nested collections, numeric ids, camelCase beside
//! snake_case, pages by number here and by offset there, null for whatever is empty. Its OpenAPI document is
//! `mothership/openapi/web.json`; its habits are in docs/mothership-habits.md.
//!
//! It has its own copy of the rules about who may see what ([`rules`]), and applies them after it has cut a page out of
//! the list: pages may be short. [`view`] reads what belongs on a page and [`representation`] writes it.

mod routes;
mod caller;
mod path_id;
mod paging;
mod input;
mod error;
mod rules;
mod view;
mod lists;
mod playlists;
mod playlist_changes;
mod tracks;
mod people;
mod comments;
mod edges;
mod representation;

use axum::Router;

use crate::app::App;

pub use caller::Caller;
pub use error::ApiError;
pub use playlists::page as playlist_page;

/// The dialect's document, as served at `/web/openapi.json`.
pub const DOCUMENT: &str = include_str!("../../openapi/web.json");

/// Everything below `/web`.
pub fn router(_app: &App) -> Router<App> {
    routes::table().fallback(error::unknown_path).method_not_allowed_fallback(error::unknown_method)
}
