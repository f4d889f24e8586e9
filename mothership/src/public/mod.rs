//! The public dialect: the published API, at `/`. Its OpenAPI document is `mothership/openapi/public.json`; its habits
//! are in docs/mothership-habits.md. It has no rules of its own about who may see what: it asks [`crate::visibility`].
//!
//! A request passes [`habits`] (CORS, ETag, timing), finds its handler in [`routes`], becomes a [`caller::Caller`] and
//! is answered by one file per resource. A handler reads everything of its page with a fixed number of queries
//! ([`scene::Scene`], [`shelf`]) and writes it with [`representation`].

mod routes;
mod habits;
mod caller;
mod path_id;
mod query;
mod paging;
mod fields;
mod error;
mod respond;
mod scene;
mod shelf;
mod lists;
mod playlists;
mod playlist_changes;
mod tracks;
mod users;
mod me;
mod edges;
mod comments;
mod activities;
mod resolve;
mod representation;

use axum::{Router, middleware};

use crate::app::App;

pub use caller::{Caller, Links};
pub use error::ApiError;
pub use lists::{Of, playlist_list};
pub use playlists::page as playlist_page;
pub use query::Query;

/// The dialect's document, as served at `/openapi.json`.
pub const DOCUMENT: &str = include_str!("../../openapi/public.json");

/// Everything below `/` that no other engine has.
pub fn router(_app: &App) -> Router<App> {
    routes::table()
        .into_iter()
        .fold(Router::new(), |router, (path, handlers)| routes::with_suffix(router, path, handlers))
        .fallback(error::unknown_path)
        .method_not_allowed_fallback(error::unknown_method)
        .layer(middleware::from_fn(habits::apply))
}
