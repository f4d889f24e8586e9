//! The edges: each maps the same queries and commands to the representations that one dialect's clients know.
//!
//! What they have alike is here: who asks ([`viewer`]), bodies ([`body`]), the dry run ([`dry_run`]). What a dialect
//! accepts, refuses and writes is in its own folder. All three tell hidden things from missing ones by nothing.

pub mod app;
pub mod viewer;
pub mod body;
mod brackets;
mod multipart;
pub mod documents;
pub mod dry_run;
pub mod public;
mod mobile;
mod web;

use axum::{Router, middleware};

pub use app::App;

/// Every edge where its dialect is mounted.
pub fn router(app: App) -> Router {
    let dry_run = middleware::from_fn_with_state(app.clone(), dry_run::apply);
    Router::new()
        .merge(public::router(&app))
        .nest("/mobile", mobile::router())
        .nest("/web", web::router())
        .layer(dry_run)
        .with_state(app)
}
