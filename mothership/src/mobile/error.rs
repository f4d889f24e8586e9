//! What the dialect answers when it refuses: `{"error_key": …, "message": …}`, with `fields` where fields were wrong.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use serde_json::json;

use crate::{
    command::{CommandError, Invalid},
    request::{BodyError, ViewerError},
    store::StoreError,
};

#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    #[error("the parameter {0} is missing or cannot be read")]
    BadParameter(&'static str),
    #[error("{0}")]
    BadRequest(String),
    #[error("{0}")]
    Unauthorized(&'static str),
    /// It may be seen, and is not the caller's to change.
    #[error("{0}")]
    Forbidden(String),
    /// Unknown or hidden from the caller: the two are not told apart.
    #[error("there is no such thing")]
    NotFound,
    #[error("the path does not take this method")]
    MethodNotAllowed,
    #[error("{0}")]
    Conflict(String),
    #[error("{0}")]
    TooLarge(String),
    #[error("the body must be JSON")]
    MediaType,
    #[error("fields are wrong")]
    Invalid(Vec<Invalid>),
    #[error(transparent)]
    Store(#[from] StoreError),
}

pub(super) async fn unknown_path() -> ApiError {
    ApiError::NotFound
}

pub(super) async fn unknown_method() -> ApiError {
    ApiError::MethodNotAllowed
}

impl ApiError {
    pub(super) const SIGN_IN: Self = Self::Unauthorized("sign in first");

    fn kind(&self) -> (StatusCode, &'static str) {
        match self {
            Self::BadParameter(_) => (StatusCode::BAD_REQUEST, "bad_parameter"),
            Self::BadRequest(_) => (StatusCode::BAD_REQUEST, "bad_request"),
            Self::Unauthorized(_) => (StatusCode::UNAUTHORIZED, "unauthorized"),
            Self::Forbidden(_) => (StatusCode::FORBIDDEN, "forbidden"),
            Self::NotFound => (StatusCode::NOT_FOUND, "not_found"),
            Self::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"),
            Self::Conflict(_) => (StatusCode::CONFLICT, "stale"),
            Self::TooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
            Self::MediaType => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "json_only"),
            Self::Invalid(_) => (StatusCode::UNPROCESSABLE_ENTITY, "invalid"),
            Self::Store(_) => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, key) = self.kind();
        let mut body = json!({ "error_key": key, "message": self.to_string() });
        match &self {
            Self::Store(error) => {
                tracing::error!(%error, "the store failed");
                body["message"] = json!("something went wrong");
            }
            Self::Invalid(problems) => {
                let field = |it: &Invalid| json!({ "name": it.field, "problem": it.problem.to_string() });
                body["fields"] = problems.iter().map(field).collect();
            }
            _ => {}
        }
        (status, Json(body)).into_response()
    }
}

impl From<ViewerError> for ApiError {
    fn from(error: ViewerError) -> Self {
        match error {
            ViewerError::UnknownToken => Self::Unauthorized("the token is not known"),
            ViewerError::ExpiredToken => Self::Unauthorized("the token has expired"),
            ViewerError::Territory(_) => Self::BadRequest(error.to_string()),
            ViewerError::Store(error) => Self::Store(error),
        }
    }
}

impl From<BodyError> for ApiError {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge => Self::TooLarge(error.to_string()),
            BodyError::MediaType(_) => Self::MediaType,
            other => Self::BadRequest(other.to_string()),
        }
    }
}

impl From<CommandError> for ApiError {
    fn from(error: CommandError) -> Self {
        match error {
            CommandError::SignInRequired => Self::SIGN_IN,
            CommandError::NotFound(_) => Self::NotFound,
            CommandError::Forbidden(reason) => Self::Forbidden(reason.to_string()),
            CommandError::Invalid(problems) => Self::Invalid(problems),
            CommandError::StaleRevision { .. } => Self::Conflict(error.to_string()),
            CommandError::Store(error) => Self::Store(error),
        }
    }
}
