//! The mobile dialect, at `/mobile`: what the apps have spoken since their first version. Compact things named by URNs,
//! pages that go on by an opaque cursor, ISO dates, seconds as decimals, and keys left out where there is no value. Its
//! OpenAPI document is `mothership/openapi/mobile.json`; its habits are in docs/mothership-habits.md.
//!
//! It has its own copy of the rules about who may see what ([`rules`]), which deviates in one point: what may not be
//! played here is not there. [`view`] reads what belongs on a page and [`representation`] writes it.

mod routes;
mod caller;
mod urn;
mod paging;
mod body;
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

/// The dialect's document, as served at `/mobile/openapi.json`.
pub const DOCUMENT: &str = include_str!("../../openapi/mobile.json");

/// Everything below `/mobile`.
pub fn router(_app: &App) -> Router<App> {
    routes::table().fallback(error::unknown_path).method_not_allowed_fallback(error::unknown_method)
}
