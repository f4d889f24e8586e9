//! Requests served, per engine and operation, since the start of the process.

use axum::{Json, extract::State};
use serde_json::{Value, json};

use crate::app::App;

pub(super) async fn all(State(app): State<App>) -> Json<Value> {
    let operations: Vec<Value> = app
        .counters
        .snapshot()
        .into_iter()
        .map(|(operation, requests)| {
            json!({
                "engine": operation.engine,
                "method": operation.method,
                "path": operation.path,
                "requests": requests,
            })
        })
        .collect();
    Json(json!({ "operations": operations }))
}
