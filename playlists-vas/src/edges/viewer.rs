//! From a request to the [`Viewer`] that asks.

use http::{HeaderMap, header};

use crate::{
    domain::{InvalidTerritory, Territory, Viewer},
    edges::App,
    queries::TokenProblem,
    service::ServiceError,
};

/// The territory, as whatever stands in front of the service found it out.
pub const COUNTRY_HEADER: &str = "x-country";

#[derive(Debug, thiserror::Error)]
pub enum ViewerError {
    #[error(transparent)]
    Token(#[from] TokenProblem),
    #[error("the {COUNTRY_HEADER} header is wrong: {0}")]
    Territory(#[from] InvalidTerritory),
    #[error(transparent)]
    Service(#[from] ServiceError),
}

/// `token` is what the dialect found (see [`bearer_token`]; some take a query parameter too); without one the viewer is
/// anonymous. `secret_token` is the dialect's parameter for secret links.
///
/// # Errors
/// A token that stands for nobody is an error, not an anonymous viewer: a dialect that is lenient makes it one.
pub async fn viewer(
    app: &App,
    headers: &HeaderMap,
    token: Option<&str>,
    secret_token: Option<String>,
) -> Result<Viewer, ViewerError> {
    let territory = territory(headers)?;
    let identity = match token {
        Some(token) => Some(app.identities.of(token).await??),
        None => None,
    };
    Ok(Viewer { identity, territory, secret_token })
}

/// From `Authorization: Bearer TOKEN`, or `OAuth TOKEN` as old clients say; the scheme in any case (RFC 9110 §11.1).
/// `None` if there is no such header, or it has another scheme or no token.
pub fn bearer_token(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    let known = scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("oauth");
    (known && !token.is_empty()).then_some(token)
}

fn territory(headers: &HeaderMap) -> Result<Option<Territory>, InvalidTerritory> {
    let Some(value) = headers.get(COUNTRY_HEADER) else { return Ok(None) };
    String::from_utf8_lossy(value.as_bytes()).trim().parse().map(Some)
}
