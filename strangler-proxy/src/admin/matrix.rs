//! Who may do what on each side, as the last suite that was published found it.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::response::Response;
use bytes::Bytes;
use diff_harness::audit::{Change, ChangeKind};
use diff_harness::suite::output::json::parse;
use diff_harness::suite::published::{Publication, Published};
use http::HeaderMap;
use serde_json::value::RawValue;

use super::answer::Failed;
use super::api::{Actor, Api, answer, body};
use super::wire::{Code, Problem};

/// Takes a matrix (`strangler suite publish`), or the whole report of a run (`strangler suite run --json FILE`).
pub(super) async fn publish(
    State(api): State<Arc<Api>>,
    Extension(Actor(actor)): Extension<Actor>,
    headers: HeaderMap,
    sent: Result<Bytes, BytesRejection>,
) -> Result<Response, Failed> {
    let sent: Box<RawValue> = body(&headers, sent)?;
    answer(api, move |api| {
        let bad = |why: String| Problem::new(Code::BadRequest, format!("the body: {why}"));
        let publication = read(sent.get()).map_err(bad)?;
        publication.check().map_err(bad)?;
        let published = Published::new(publication, actor.clone(), api.control.now());
        let revision = if published.revision.is_empty() { "unnamed" } else { &published.revision };
        let exposed = published.matrix().exposed();
        let what = format!("suite {}, revision {revision}, {exposed} exposed", published.suite);
        published.keep(api.store.as_ref())?;
        api.store.note(&Change { kind: ChangeKind::Matrix, actor, what, at: published.at() })?;
        Ok(published)
    })
    .await
}

/// A report of a run says which format it has.
fn read(text: &str) -> Result<Publication, String> {
    #[derive(serde::Deserialize)]
    struct Tag {
        format: Option<String>,
    }
    let tag: Tag = serde_json::from_str(text).map_err(|error| error.to_string())?;
    if tag.format.is_some() {
        let report = parse(text)?;
        return Ok(Publication::new(report.suite.clone(), "", &report.matrix));
    }
    serde_json::from_str(text).map_err(|error| error.to_string())
}

/// The last one; `null` where none was published.
pub(super) async fn show(State(api): State<Arc<Api>>) -> Result<Response, Failed> {
    answer(api, |api| Ok(Published::last(api.store.as_ref())?)).await
}
