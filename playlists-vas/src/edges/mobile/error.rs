//! What the dialect answers when it refuses: `{"error_key": …, "message": …}`, with `fields` where fields were wrong.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use serde_json::json;

use crate::{
    edges::{body::BodyError, viewer::ViewerError},
    foundation::{Invalid, Refused},
    queries::TokenProblem,
    service::ServiceError,
};

#[derive(Debug, thiserror::Error)]
pub(super) enum ApiError {
    #[error("the parameter {0} is missing or cannot be read")]
    BadParameter(&'static str),
    #[error("{0}")]
    BadRequest(String),
    #[error("{0}")]
    Unauthorized(&'static str),
    /// It may be seen, and is not the caller's to change.
    #[error("it belongs to someone else")]
    NotOwner,
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
    /// A service below did not answer; why is for the log.
    #[error("something went wrong")]
    Unavailable(String),
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
            Self::NotOwner => (StatusCode::FORBIDDEN, "forbidden"),
            Self::NotFound => (StatusCode::NOT_FOUND, "not_found"),
            Self::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"),
            Self::Conflict(_) => (StatusCode::CONFLICT, "stale"),
            Self::TooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
            Self::MediaType => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "json_only"),
            Self::Invalid(_) => (StatusCode::UNPROCESSABLE_ENTITY, "invalid"),
            Self::Unavailable(_) => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, key) = self.kind();
        let mut body = json!({ "error_key": key, "message": self.to_string() });
        match &self {
            Self::Unavailable(why) => tracing::error!(%why, "a request could not be answered"),
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
            ViewerError::Token(TokenProblem::Unknown) => Self::Unauthorized("the token is not known"),
            ViewerError::Token(TokenProblem::Expired) => Self::Unauthorized("the token has expired"),
            ViewerError::Territory(_) => Self::BadRequest(error.to_string()),
            ViewerError::Service(error) => error.into(),
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

impl From<ServiceError> for ApiError {
    fn from(error: ServiceError) -> Self {
        match error {
            ServiceError::Unavailable(why) => Self::Unavailable(why),
            ServiceError::Refused(Refused::SignInRequired) => Self::SIGN_IN,
            ServiceError::Refused(Refused::NotFound) => Self::NotFound,
            ServiceError::Refused(Refused::NotOwner) => Self::NotOwner,
            ServiceError::Refused(Refused::Invalid(problems)) => Self::Invalid(problems),
            ServiceError::Refused(stale @ Refused::StaleRevision { .. }) => Self::Conflict(stale.to_string()),
        }
    }
}
