//! Who asks, for what, and how to address them.

use axum::extract::FromRequestParts;
use http::{header, request::Parts};

use crate::{
    domain::{UserId, Viewer},
    edges::{
        App,
        public::{error::ApiError, query::Query},
        viewer::{self, bearer_token},
    },
    regressions::Regressions,
};

/// Of every request of the edge.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    pub(super) viewer: Viewer,
    pub(super) query: Query,
    pub(super) links: Links,
    /// As asked for, without the query.
    pub(super) path: String,
    pub(super) regressions: Regressions,
}

/// URLs in responses: those of the API carry the host that the client used, those of the site do not.
#[derive(Debug, Clone)]
pub(super) struct Links {
    api: String,
}

/// Where people look at what the API tells of.
pub(super) const SITE: &str = "https://mothership.example";

impl Caller {
    /// # Errors
    /// 401 for an anonymous caller.
    pub(super) fn user(&self) -> Result<UserId, ApiError> {
        self.viewer.user_id().ok_or(ApiError::SIGN_IN)
    }
}

impl FromRequestParts<App> for Caller {
    type Rejection = ApiError;

    /// The token comes in the Authorization header or, from older clients still, as `oauth_token`.
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let regressions = app.regressions.clone();
        let query = Query::parse(parts.uri.query().unwrap_or_default());
        let token = bearer_token(&parts.headers).or_else(|| query.filled("oauth_token"));
        let secret_token = query.filled("secret_token").map(str::to_owned);
        let viewer = viewer::viewer(app, &parts.headers, token, secret_token).await?;
        let path = parts.uri.path().to_owned();
        Ok(Self { viewer, query, links: Links::of(parts), path, regressions })
    }
}

impl Links {
    fn of(parts: &Parts) -> Self {
        let text = |name| parts.headers.get(name).and_then(|value| value.to_str().ok());
        let scheme = match text("x-forwarded-proto") {
            Some("https") => "https",
            _ => "http",
        };
        let host = text(header::HOST.as_str()).unwrap_or("localhost");
        Self { api: format!("{scheme}://{host}") }
    }

    pub(super) fn api(&self, path: &str) -> String {
        format!("{}{path}", self.api)
    }
}
