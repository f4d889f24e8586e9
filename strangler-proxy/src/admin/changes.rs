//! What evidence is judged by, and when it changed.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;

use super::answer::Failed;
use super::api::{Api, answer, query};
use super::wire::ChangeView;

const CHANGES_DEFAULT: usize = 100;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangesQuery {
    limit: Option<usize>,
}

pub(super) async fn changes(
    State(api): State<Arc<Api>>,
    asked: Result<Query<ChangesQuery>, QueryRejection>,
) -> Result<Response, Failed> {
    let limit = query(asked)?.limit.unwrap_or(CHANGES_DEFAULT);
    answer(api, move |api| {
        api.flush();
        Ok(serde_json::json!({ "changes": ChangeView::newest(api.store.as_ref(), limit)? }))
    })
    .await
}
