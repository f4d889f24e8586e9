//! The internal engine: what services use instead of the database. Documented in docs/mothership-internal.md.
//!
//! Everything is below `/internal/v1` and needs the service token. A service gets whole records and decides itself
//! what to show, so a page of any dialect costs it a fixed number of calls: one that lists and one that reads, or one
//! that does both (`include`).

mod access;
mod error;
mod requests;
mod records;
mod bundle;
mod reads;
mod lists;
mod commands;
mod events;
mod counters;

use axum::{
    Router, middleware,
    routing::{get, post},
};

use crate::app::App;

pub(crate) use access::require_service_token;
pub(crate) use error::{ApiError, unknown_method, unknown_path};
pub(crate) use events::drained;
pub(crate) use requests::{ViewerSpec, read};

/// The routes below the mount point `/internal/v1`.
pub fn router(app: &App) -> Router<App> {
    Router::new()
        .route("/clock", get(reads::clock))
        .route("/introspect", post(reads::introspect))
        .route("/lookup", post(reads::lookup))
        .route("/playlists/batch", post(reads::playlists))
        .route("/playlists/list", post(lists::playlists))
        .route("/tracks/batch", post(reads::tracks))
        .route("/tracks/list", post(lists::tracks))
        .route("/users/batch", post(reads::users))
        .route("/users/list", post(lists::users))
        .route("/users/profiles", post(reads::profiles))
        .route("/comments/list", post(lists::comments))
        .route("/feed", post(lists::feed))
        .route("/relations", post(reads::relations))
        .route("/commands", post(commands::run))
        .route("/events", get(events::poll))
        .route("/events/stream", get(events::stream))
        .route("/counters", get(counters::all))
        .fallback(unknown_path)
        .method_not_allowed_fallback(unknown_method)
        .layer(middleware::from_fn_with_state(app.clone(), require_service_token))
}
