//! The public dialect over HTTP.
//!
//! - `document`: every operation answers as its document says;
//! - `habits`: what clients have come to depend on, a test per row of docs/mothership-habits.md;
//! - `writes`: what writes do and refuse;
//! - `visibility`: the decision table, and a second opinion over generated playlists;
//! - `reads`: numbers of queries.

mod document;
mod habits;
mod writes;
mod visibility;
mod reads;

use http::Method;
use serde_json::Value;

use crate::support::{Answer, Monolith, Request};

pub(crate) async fn get(monolith: &Monolith, token: &str, path: &str) -> Answer {
    signed(Method::GET, token, path).send(monolith.address).await
}

pub(crate) async fn send(
    monolith: &Monolith,
    method: Method,
    token: &str,
    path: &str,
    body: &Value,
) -> Answer {
    let request = signed(method, token, path).header("content-type", "application/json");
    request.body(body.to_string()).send(monolith.address).await
}

/// Nobody for an empty token.
pub(crate) fn signed(method: Method, token: &str, path: &str) -> Request {
    let request = Request::new(method, path).header("x-country", "US");
    if token.is_empty() { request } else { request.header("authorization", &format!("OAuth {token}")) }
}

/// The ids of an array, or of a collection.
pub(crate) fn ids(answer: &Value) -> Vec<i64> {
    let items = answer.get("collection").unwrap_or(answer);
    items.as_array().unwrap().iter().map(|item| item["id"].as_i64().unwrap()).collect()
}
