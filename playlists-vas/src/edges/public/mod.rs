//! The public edge, at `/`: the published API. It takes slugs and suffixes in paths, JSON, forms and multipart in bodies,
//! and refuses nothing that it can ignore.
//!
//! A request passes [`habits`] (CORS, ETag, timing), finds its handler in [`routes`], becomes a [`caller::Caller`], asks
//! queries or commands, and is written by [`representation`].

mod routes;
mod habits;
mod caller;
mod path_id;
mod query;
mod paging;
mod fields;
mod error;
mod respond;
mod lists;
mod playlists;
mod playlist_changes;
mod likes_and_reposts;
mod representation;

use axum::{Router, middleware};

use crate::edges::App;

/// Everything below `/` that no other edge has.
pub(super) fn router(app: &App) -> Router<App> {
    routes::table()
        .into_iter()
        .fold(Router::new(), |router, (path, handlers)| routes::with_suffix(router, path, handlers))
        .fallback(error::unknown_path)
        .method_not_allowed_fallback(error::unknown_method)
        .layer(middleware::from_fn_with_state(app.clone(), habits::apply))
}
