//! Who asks, and for what.

use axum::extract::{FromRequestParts, OriginalUri};
use http::request::Parts;

use crate::{
    domain::{UserId, Viewer},
    edges::{
        App,
        viewer::{self, ViewerError, bearer_token},
        web::ApiError,
    },
    regressions::{Regression, Regressions},
};

/// Of every request of the edge.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    pub(super) viewer: Viewer,
    /// Decoded pairs, in order.
    pub(super) query: Vec<(String, String)>,
    /// As asked for, with the mount point and without the query.
    pub(super) path: String,
    pub(super) regressions: Regressions,
}

impl Caller {
    /// # Errors
    /// 401 for an anonymous caller.
    pub(super) fn user(&self) -> Result<UserId, ApiError> {
        self.viewer.user_id().ok_or(ApiError::SignIn)
    }

    /// The last of that name.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl FromRequestParts<App> for Caller {
    type Rejection = ApiError;

    /// Whoever comes with a token that is no good is nobody: pages went on showing when a session ended.
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let raw = parts.uri.query().unwrap_or_default();
        let query: Vec<(String, String)> = serde_urlencoded::from_str(raw).unwrap_or_default();
        let secret =
            query.iter().rev().find(|(name, _)| name == "secret_token").map(|(_, value)| value.clone());
        let token = bearer_token(&parts.headers);
        let viewer = match viewer::viewer(app, &parts.headers, token, secret.clone()).await {
            Err(ViewerError::Token(_)) if app.regressions.on(Regression::BadTokenRefused) => {
                return Err(ApiError::SignIn);
            }
            Err(ViewerError::Token(_)) => viewer::viewer(app, &parts.headers, None, secret).await,
            decided => decided,
        }?;
        let uri = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |original| &original.0);
        let (path, regressions) = (uri.path().to_owned(), app.regressions.clone());
        Ok(Self { viewer, query, path, regressions })
    }
}
