//! Puts a side back to where it was, before anything is asked of it.

use std::process::Stdio;
use std::time::Duration;

use bytes::Bytes;
use http::header::{HOST, HeaderValue};
use http::{HeaderMap, Method};
use tokio::process::Command;

use super::client::{Client, Message};
use super::target::Target;
use crate::exchange::{Outcome, Side};
use crate::suite::Reset;

/// Loading a snapshot can take long; for ever is too long.
const DEADLINE: Duration = Duration::from_secs(300);
/// How much of what a command said is shown.
const SHOWN_MAX: usize = 2000;

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{side} could not be reset: {why}")]
pub struct ResetError {
    pub side: Side,
    pub why: String,
}

/// Runs the hook. A command finds `STRANGLER_SIDE` and `STRANGLER_URL` in its environment.
pub(super) async fn reset(side: Side, hook: &Reset, target: &Target) -> Result<(), ResetError> {
    let ended = match hook {
        Reset::Command(command) => tokio::time::timeout(DEADLINE, shell(command, side, target)).await,
        Reset::Url(url) => tokio::time::timeout(DEADLINE, post(url)).await,
    };
    let ended = ended.unwrap_or_else(|_| Err(format!("it took longer than {} s", DEADLINE.as_secs())));
    ended.map_err(|why| ResetError { side, why })
}

async fn shell(command: &str, side: Side, target: &Target) -> Result<(), String> {
    let output = Command::new("sh")
        .args(["-c", command])
        .env("STRANGLER_SIDE", side.as_str())
        .env("STRANGLER_URL", target.to_string())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|error| format!("`{command}` could not be started: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let start = said.ceil_char_boundary(said.len().saturating_sub(SHOWN_MAX));
    Err(format!("`{command}` ended with {}: {}", output.status, said[start..].trim()))
}

async fn post(url: &str) -> Result<(), String> {
    let target: Target = url.parse().expect("the loader has parsed it");
    let path = if target.base().is_empty() { "/" } else { target.base() };
    let mut headers = HeaderMap::new();
    if let Ok(host) = HeaderValue::from_str(&target.authority()) {
        headers.insert(HOST, host);
    }
    let message = Message {
        method: Method::POST,
        target: path.parse().map_err(|_| format!("`{url}` cannot be asked"))?,
        headers,
        body: Bytes::new(),
        timeout: DEADLINE,
    };
    match Client::new(&target, 1 << 20).ask(&message).await.outcome {
        Outcome::Response(response) if response.status.is_success() => Ok(()),
        Outcome::Response(response) => Err(format!("{url} answered {}", response.status)),
        Outcome::Failure(failure) => Err(format!("{url} gave no response ({})", failure.as_str())),
    }
}
