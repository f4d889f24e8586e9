//! What the dialect answers when it refuses: `{"success": false, "errors": {"base": [...]}}`, with the names of fields
//! instead of `base` where fields were wrong.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use serde_json::{Value, json};

use crate::{
    edges::{body::BodyError, viewer::ViewerError},
    foundation::{Invalid, Refused},
    service::ServiceError,
};

#[derive(Debug, thiserror::Error)]
pub(super) enum ApiError {
    #[error("{0}")]
    BadRequest(String),
    #[error("login required")]
    SignIn,
    /// Unknown, hidden from the caller, or not the caller's to change: the dialect does not tell which.
    #[error("not found")]
    NotFound,
    #[error("method not allowed")]
    MethodNotAllowed,
    #[error("{0}")]
    TooLarge(String),
    /// Field by field; 400 like any bad request.
    #[error("fields are wrong")]
    Fields(Vec<(String, String)>),
    /// A service below did not answer; why is for the log.
    #[error("internal error")]
    Unavailable(String),
}

pub(super) async fn unknown_path() -> ApiError {
    ApiError::NotFound
}

pub(super) async fn unknown_method() -> ApiError {
    ApiError::MethodNotAllowed
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = match &self {
            Self::BadRequest(_) | Self::Fields(_) => StatusCode::BAD_REQUEST,
            Self::SignIn => StatusCode::UNAUTHORIZED,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        };
        if let Self::Unavailable(why) = &self {
            tracing::error!(%why, "a request could not be answered");
        }
        let errors = match &self {
            Self::Fields(problems) => by_field(problems),
            other => json!({ "base": [other.to_string()] }),
        };
        (status, Json(json!({ "success": false, "errors": errors }))).into_response()
    }
}

fn by_field(problems: &[(String, String)]) -> Value {
    let mut errors = json!({});
    for (field, problem) in problems {
        match &mut errors[field] {
            Value::Array(known) => known.push(json!(problem)),
            empty => *empty = json!([problem]),
        }
    }
    errors
}

impl From<ViewerError> for ApiError {
    fn from(error: ViewerError) -> Self {
        match error {
            ViewerError::Token(_) => Self::SignIn,
            ViewerError::Territory(_) => Self::BadRequest(error.to_string()),
            ViewerError::Service(error) => error.into(),
        }
    }
}

impl From<BodyError> for ApiError {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge => Self::TooLarge(error.to_string()),
            other => Self::BadRequest(other.to_string()),
        }
    }
}

impl From<ServiceError> for ApiError {
    fn from(error: ServiceError) -> Self {
        match error {
            ServiceError::Unavailable(why) => Self::Unavailable(why),
            ServiceError::Refused(Refused::SignInRequired) => Self::SignIn,
            ServiceError::Refused(Refused::NotFound | Refused::NotOwner) => Self::NotFound,
            // The edge never asks for a revision.
            ServiceError::Refused(stale @ Refused::StaleRevision { .. }) => {
                Self::BadRequest(stale.to_string())
            }
            ServiceError::Refused(Refused::Invalid(problems)) => {
                let field = |it: Invalid| (it.field, it.problem.to_string());
                Self::Fields(problems.into_iter().map(field).collect())
            }
        }
    }
}
