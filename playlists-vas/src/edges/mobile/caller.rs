//! Who asks, and for what.

use axum::extract::FromRequestParts;
use http::request::Parts;

use crate::{
    domain::{UserId, Viewer},
    edges::{
        App,
        mobile::ApiError,
        viewer::{self, bearer_token},
    },
    regressions::Regressions,
};

/// Of every request of the edge.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    pub(super) viewer: Viewer,
    /// Decoded pairs, in order.
    pub(super) query: Vec<(String, String)>,
    pub(super) regressions: Regressions,
}

impl Caller {
    /// # Errors
    /// 401 for an anonymous caller.
    pub(super) fn user(&self) -> Result<UserId, ApiError> {
        self.viewer.user_id().ok_or(ApiError::SIGN_IN)
    }

    /// The first of that name: the other dialects take the last.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl FromRequestParts<App> for Caller {
    type Rejection = ApiError;

    /// The token comes in the Authorization header only.
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let raw = parts.uri.query().unwrap_or_default();
        let query: Vec<(String, String)> = serde_urlencoded::from_str(raw).unwrap_or_default();
        let secret = query.iter().find(|(name, _)| name == "secret_token").map(|(_, value)| value.clone());
        let viewer = viewer::viewer(app, &parts.headers, bearer_token(&parts.headers), secret).await?;
        Ok(Self { viewer, query, regressions: app.regressions.clone() })
    }
}
