//! What the dialect answers when it refuses.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::{Value, json};

use crate::{
    command::CommandError,
    public::respond,
    request::{BodyError, ViewerError},
    store::StoreError,
};

#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    #[error("{0}")]
    BadRequest(String),
    #[error("{0}")]
    Unauthorized(&'static str),
    /// Unknown, hidden from the caller, or not the caller's to change: the dialect does not tell which.
    #[error("404 - Not Found")]
    NotFound,
    #[error("405 - Method Not Allowed")]
    MethodNotAllowed,
    #[error("{0}")]
    TooLarge(String),
    #[error("{0}")]
    MediaType(String),
    #[error("{}", .0.join("; "))]
    Unprocessable(Vec<String>),
    #[error(transparent)]
    Store(#[from] StoreError),
}

const LINK: &str = "https://developers.soundcloud.com/docs/api/explorer/open-api";

pub(super) async fn unknown_path() -> ApiError {
    ApiError::NotFound
}

pub(super) async fn unknown_method() -> ApiError {
    ApiError::MethodNotAllowed
}

impl ApiError {
    pub(super) const SIGN_IN: Self = Self::Unauthorized("A valid access token is required.");

    fn status(&self) -> StatusCode {
        match self {
            Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::Unauthorized(_) => StatusCode::UNAUTHORIZED,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::MediaType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Unprocessable(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Store(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn problems(&self) -> Value {
        let problems: &[String] = if let Self::Unprocessable(problems) = self { problems } else { &[] };
        problems.iter().map(|problem| json!({ "error_message": problem })).collect()
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = self.status();
        let message = match &self {
            Self::Store(error) => {
                tracing::error!(%error, "the store failed");
                "500 - Internal Server Error".to_owned()
            }
            other => other.to_string(),
        };
        let body = json!({
            "code": status.as_u16(),
            "message": message,
            "link": LINK,
            "status": respond::status_line(status),
            "errors": self.problems(),
            "error": null,
        });
        let mut response = respond::json(status, &body);
        if status == StatusCode::UNAUTHORIZED {
            let challenge = http::HeaderValue::from_static("OAuth realm=\"mothership\"");
            response.headers_mut().insert(http::header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

impl From<ViewerError> for ApiError {
    fn from(error: ViewerError) -> Self {
        match error {
            ViewerError::UnknownToken => Self::Unauthorized("The access token is invalid."),
            ViewerError::ExpiredToken => Self::Unauthorized("The access token has expired."),
            ViewerError::Territory(_) => Self::BadRequest(error.to_string()),
            ViewerError::Store(error) => Self::Store(error),
        }
    }
}

impl From<BodyError> for ApiError {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge => Self::TooLarge(error.to_string()),
            BodyError::MediaType(_) => Self::MediaType(error.to_string()),
            BodyError::Broken | BodyError::Json(_) | BodyError::NotAnObject | BodyError::Form(_) => {
                Self::BadRequest(error.to_string())
            }
        }
    }
}

impl From<CommandError> for ApiError {
    fn from(error: CommandError) -> Self {
        use crate::command::Forbidden;
        match error {
            CommandError::SignInRequired => Self::SIGN_IN,
            CommandError::NotFound(_) | CommandError::Forbidden(Forbidden::NotOwner) => Self::NotFound,
            CommandError::Forbidden(reason) => Self::Unprocessable(vec![reason.to_string()]),
            CommandError::Invalid(problems) => {
                Self::Unprocessable(problems.iter().map(ToString::to_string).collect())
            }
            // The dialect never asks for a revision.
            CommandError::StaleRevision { .. } => Self::Unprocessable(vec![error.to_string()]),
            CommandError::Store(error) => Self::Store(error),
        }
    }
}
