//! From a request to the [`Viewer`] that asks.

use http::HeaderMap;

use crate::{
    app::App,
    domain::{InvalidTerritory, Territory, Viewer},
    store::{StoreError, TokenState},
};

/// The territory, as the edge in front of the monolith found it out.
pub const COUNTRY_HEADER: &str = "x-country";

#[derive(Debug, thiserror::Error)]
pub enum ViewerError {
    #[error("the bearer token is not known")]
    UnknownToken,
    #[error("the bearer token has expired")]
    ExpiredToken,
    #[error("the {COUNTRY_HEADER} header is wrong: {0}")]
    Territory(#[from] InvalidTerritory),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// `token` is what the dialect found (see [`crate::request::bearer_token`]; some take a query parameter too); without
/// one the viewer is anonymous. `secret_token` is the dialect's parameter for secret links.
///
/// # Errors
/// A token that is unknown or expired is an error, not an anonymous viewer: a dialect that is lenient makes it one.
pub async fn viewer(
    app: &App,
    headers: &HeaderMap,
    token: Option<&str>,
    secret_token: Option<String>,
) -> Result<Viewer, ViewerError> {
    let territory = territory(headers)?;
    let now = app.clock.now();
    let mut viewer = Viewer { territory, secret_token, ..Viewer::anonymous(now) };
    if let Some(token) = token {
        let token = token.to_owned();
        viewer.identity = match app.store.read(move |reader| reader.token(&token, now)).await? {
            TokenState::Valid(bearer) => Some(bearer.identity),
            TokenState::Expired(_) => return Err(ViewerError::ExpiredToken),
            TokenState::Unknown => return Err(ViewerError::UnknownToken),
        };
    }
    Ok(viewer)
}

fn territory(headers: &HeaderMap) -> Result<Option<Territory>, InvalidTerritory> {
    let Some(value) = headers.get(COUNTRY_HEADER) else { return Ok(None) };
    String::from_utf8_lossy(value.as_bytes()).trim().parse().map(Some)
}
