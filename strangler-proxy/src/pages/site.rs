//! Which address is which page.

use std::io;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use diff_harness::pages::{Frame, Here, asset};
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use tokio::sync::watch;

use super::guard::{self, Guest};
use super::live::Live;
use super::pulse::Pulse;
use super::reply::{Failed, Page};
use super::{audit, endpoint, flips, group, groups, live, matrix, overview, rules, sign_in};
use crate::admin::Api;
use crate::admin::wire::{Code, Problem};

/// What the pages are made from.
pub struct Site {
    pub(super) api: Arc<Api>,
    /// By which the tokens of forms are made; another one after a restart.
    pub(super) key: [u8; 32],
    pub(super) live: Live,
    pub(super) pulse: Pulse,
    /// Turns true when the proxy ends.
    pub(super) stopped: watch::Receiver<bool>,
}

impl Site {
    pub fn new(api: Arc<Api>, stopped: watch::Receiver<bool>) -> io::Result<Self> {
        let mut key = [0; 32];
        getrandom::fill(&mut key).map_err(io::Error::other)?;
        Ok(Self { api, key, live: Live::default(), pulse: Pulse::default(), stopped })
    }

    /// Counts requests by the minute until the proxy ends.
    pub async fn keep_pulse(self: Arc<Self>) {
        self.pulse.keep(&self.api, self.stopped.clone()).await;
    }

    pub(super) fn frame(&self, guest: &Guest, title: impl Into<String>, here: Here) -> Frame {
        let epoch = self.api.recorder.epochs().current();
        let named = |name: &str| if name.is_empty() { "unnamed".to_owned() } else { name.to_owned() };
        Frame {
            epoch: format!(
                "candidate {}, control {}, rules {}",
                named(&epoch.candidate),
                named(&epoch.control),
                named(&epoch.rules)
            ),
            ..Frame::new(title, here, guest.visitor.clone())
        }
    }
}

/// The pages, behind the check of who asks.
pub fn router(site: Arc<Site>) -> Router {
    let pages = Router::new()
        .route("/", get(overview::show))
        .route("/endpoint", get(endpoint::show))
        .route("/endpoint/flip", get(flips::ask))
        .route("/endpoint/promote", post(flips::promote))
        .route("/endpoint/rollback", post(flips::rollback))
        .route("/endpoint/hold", post(flips::hold))
        .route("/endpoint/resume", post(flips::resume))
        .route("/groups", get(groups::list))
        .route("/groups/{id}", get(group::show))
        .route("/groups/{id}/case", get(group::case))
        .route("/groups/{id}/decide", post(group::decide))
        .route("/groups/{id}/undo", post(group::undo))
        .route("/groups/{id}/split", post(group::split))
        .route("/groups/{id}/join", post(group::join))
        .route("/matrix", get(matrix::show))
        .route("/rules", get(rules::show))
        .route("/audit", get(audit::show))
        .route("/events", get(live::events))
        .route("/name", post(sign_in::name))
        .route("/logout", post(sign_in::sign_out))
        .layer(from_fn(explain))
        .layer(from_fn_with_state(Arc::clone(&site), guard::admit));
    Router::new()
        .merge(pages)
        .route("/login", get(sign_in::door).post(sign_in::sign_in))
        .route("/assets/{name}", get(asset_named))
        .with_state(site)
}

/// On every response of the listener, the API's too.
pub fn hardened(router: Router) -> Router {
    router.layer(from_fn(guard::harden))
}

/// Runs what blocks away from the thread that takes connections, and shows what went wrong as a page.
pub(super) async fn page(
    site: Arc<Site>,
    guest: Guest,
    work: impl FnOnce(&Site, &Guest) -> Page + Send + 'static,
) -> Page {
    match tokio::task::spawn_blocking(move || work(&site, &guest)).await {
        Ok(page) => page,
        Err(error) => {
            tracing::error!(%error, "a page failed: a bug in Strangler");
            Err(Problem::new(Code::Internal, "the page failed inside of Strangler; its log says more").into())
        }
    }
}

/// What went wrong, carried to where it is known who asks.
impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        let mut response = StatusCode::INTERNAL_SERVER_ERROR.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

async fn explain(request: Request, next: Next) -> Response {
    let guest = request.extensions().get::<Guest>().cloned();
    let mut response = next.run(request).await;
    match (response.extensions_mut().remove::<Failed>(), guest) {
        (Some(failed), Some(guest)) => failed.shown(&guest),
        _ => response,
    }
}

async fn asset_named(State(_): State<Arc<Site>>, Path(name): Path<String>) -> Response {
    match asset(&name) {
        Some(asset) => {
            // Its name says what is in it.
            let headers =
                [(CONTENT_TYPE, asset.media), (CACHE_CONTROL, "public, max-age=31536000, immutable")];
            (headers, asset.content.as_str()).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
