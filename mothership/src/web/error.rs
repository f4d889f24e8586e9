//! What the dialect answers when it refuses: `{"success": false, "errors": {"base": [...]}}`, with the names of fields
//! instead of `base` where fields were wrong.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use serde_json::{Value, json};

use crate::{
    command::{CommandError, Forbidden, Invalid},
    request::{BodyError, ViewerError},
    store::StoreError,
};

#[derive(Debug, thiserror::Error)]
pub enum ApiError {
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
    Fields(Vec<(&'static str, String)>),
    #[error(transparent)]
    Store(#[from] StoreError),
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
            Self::Store(_) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let errors = match &self {
            Self::Fields(problems) => by_field(problems),
            Self::Store(error) => {
                tracing::error!(%error, "the store failed");
                json!({ "base": ["internal error"] })
            }
            other => json!({ "base": [other.to_string()] }),
        };
        (status, Json(json!({ "success": false, "errors": errors }))).into_response()
    }
}

fn by_field(problems: &[(&'static str, String)]) -> Value {
    let mut errors = json!({});
    for (field, problem) in problems {
        match &mut errors[*field] {
            Value::Array(known) => known.push(json!(problem)),
            empty => *empty = json!([problem]),
        }
    }
    errors
}

impl From<ViewerError> for ApiError {
    fn from(error: ViewerError) -> Self {
        match error {
            ViewerError::UnknownToken | ViewerError::ExpiredToken => Self::SignIn,
            ViewerError::Territory(_) => Self::BadRequest(error.to_string()),
            ViewerError::Store(error) => Self::Store(error),
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

impl From<CommandError> for ApiError {
    fn from(error: CommandError) -> Self {
        match error {
            CommandError::SignInRequired => Self::SignIn,
            CommandError::NotFound(_) | CommandError::Forbidden(Forbidden::NotOwner) => Self::NotFound,
            // The dialect never asks for a revision.
            CommandError::Forbidden(_) | CommandError::StaleRevision { .. } => {
                Self::BadRequest(error.to_string())
            }
            CommandError::Invalid(problems) => {
                let field = |it: &Invalid| (it.field, it.problem.to_string());
                Self::Fields(problems.iter().map(field).collect())
            }
            CommandError::Store(error) => Self::Store(error),
        }
    }
}
