//! Flips: asked once more with their effect, made, and taken back.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use diff_harness::lifecycle::{Stage, StageError};
use diff_harness::pages::{FlipPage, Here, link};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;

use super::endpoint::{Asked, flip, named};
use super::guard::{Guest, form};
use super::reply::{Failed, Page, html, see_other, wrong};
use super::site::{Site, page};
use super::visit::Visit;
use crate::admin::Role;
use crate::control::{Direction, Moved, Promote, Rollback, SetHold};

#[derive(Deserialize)]
struct Sent {
    of: String,
    #[serde(default)]
    to: String,
    revision: Option<u64>,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    force: String,
    /// The endpoint's name, from who has seen that the flip cannot be undone.
    acknowledge: Option<String>,
}

/// What the flip would do, and a button.
pub(super) async fn ask(visit: Visit<Asked>) -> Page {
    visit
        .page(|site, guest, asked| {
            let endpoint = named(&asked.of)?;
            let to = (!asked.to.is_empty()).then(|| stage(&asked.to)).transpose()?;
            let plan = site.api.control.plan(&endpoint, to, None)?;
            if !matches!(plan.direction, Direction::Forward { .. }) {
                return Ok(see_other(&link("/endpoint", &[("of", &asked.of)])));
            }
            let view = FlipPage {
                frame: site.frame(guest, format!("{endpoint} to {}", plan.to), Here::Overview),
                endpoint: endpoint.to_string(),
                revision: plan.route.revision,
                flip: flip(&plan),
            };
            Ok(html(StatusCode::OK, &view))
        })
        .await
}

pub(super) async fn promote(
    State(site): State<Arc<Site>>,
    Extension(guest): Extension<Guest>,
    headers: HeaderMap,
    body: Body,
) -> Page {
    change(site, guest, &headers, body, |site, guest, sent| {
        let wish = Promote {
            endpoint: named(&sent.of)?,
            to: Some(stage(&sent.to)?),
            expected_revision: sent.revision,
            force: sent.force == "yes",
            reason: sent.reason,
            actor: guest.admitted.name.clone(),
            acknowledge: sent.acknowledge,
        };
        Ok(site.api.control.promote(&wish)?)
    })
    .await
}

pub(super) async fn rollback(
    State(site): State<Arc<Site>>,
    Extension(guest): Extension<Guest>,
    headers: HeaderMap,
    body: Body,
) -> Page {
    change(site, guest, &headers, body, |site, guest, sent| {
        let wish = Rollback {
            endpoint: named(&sent.of)?,
            to: stage(&sent.to)?,
            reason: sent.reason,
            actor: guest.admitted.name.clone(),
        };
        Ok(site.api.control.rollback(&wish)?)
    })
    .await
}

pub(super) async fn hold(
    State(site): State<Arc<Site>>,
    Extension(guest): Extension<Guest>,
    headers: HeaderMap,
    body: Body,
) -> Page {
    change(site, guest, &headers, body, |site, guest, sent| {
        Ok(site.api.control.hold(&set_hold(guest, sent)?)?)
    })
    .await
}

pub(super) async fn resume(
    State(site): State<Arc<Site>>,
    Extension(guest): Extension<Guest>,
    headers: HeaderMap,
    body: Body,
) -> Page {
    change(site, guest, &headers, body, |site, guest, sent| {
        Ok(site.api.control.resume(&set_hold(guest, sent)?)?)
    })
    .await
}

/// Makes the change, and shows the endpoint with what was done and how to take it back.
async fn change(
    site: Arc<Site>,
    guest: Guest,
    headers: &HeaderMap,
    body: Body,
    make: impl FnOnce(&Site, &Guest, Sent) -> Result<Moved, Failed> + Send + 'static,
) -> Page {
    let sent: Sent = form(&guest, Role::Operator, headers, body).await?;
    page(site, guest, move |site, guest| {
        let moved = make(site, guest, sent)?;
        let done = moved.sequence.map(|sequence| sequence.to_string()).unwrap_or_default();
        Ok(see_other(&link("/endpoint", &[("of", &moved.endpoint.to_string()), ("done", &done)])))
    })
    .await
}

fn set_hold(guest: &Guest, sent: Sent) -> Result<SetHold, Failed> {
    Ok(SetHold {
        endpoint: named(&sent.of)?,
        expected_revision: sent.revision,
        reason: sent.reason,
        actor: guest.admitted.name.clone(),
    })
}

fn stage(text: &str) -> Result<Stage, Failed> {
    text.parse().map_err(|error: StageError| wrong(error.to_string()))
}
