//! The web dialect over HTTP.
//!
//! - `document`: every operation answers as its document says;
//! - `visibility`: the decision table, and a second opinion over generated playlists;
//! - `habits`: what clients have come to depend on, a test per row of docs/mothership-habits.md.

mod document;
mod visibility;
mod habits;

use http::Method;
use serde_json::Value;

use crate::support::{Answer, Monolith, Request};

/// Nobody for an empty token; the path is below the mount.
fn signed(method: Method, token: &str, path: &str) -> Request {
    let request = Request::new(method, format!("/web{path}")).header("x-country", "US");
    if token.is_empty() { request } else { request.header("authorization", &format!("Bearer {token}")) }
}

async fn get(monolith: &Monolith, token: &str, path: &str) -> Answer {
    signed(Method::GET, token, path).send(monolith.address).await
}

async fn send(monolith: &Monolith, method: Method, token: &str, path: &str, body: &Value) -> Answer {
    let request = signed(method, token, path).header("content-type", "application/json");
    request.body(body.to_string()).send(monolith.address).await
}

fn ids(page: &Value) -> Vec<i64> {
    page["collection"].as_array().unwrap().iter().map(|item| item["id"].as_i64().unwrap()).collect()
}
