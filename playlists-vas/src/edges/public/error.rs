//! What the dialect answers when it refuses.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::{Value, json};

use crate::{
    edges::{body::BodyError, public::respond, viewer::ViewerError},
    foundation::Refused,
    queries::TokenProblem,
    service::ServiceError,
};

#[derive(Debug, thiserror::Error)]
pub(super) enum ApiError {
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
    /// A service below did not answer.
    #[error("503 - Service Unavailable")]
    Unavailable(String),
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
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
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
        if let Self::Unavailable(why) = &self {
            tracing::error!(%why, "a request could not be answered");
        }
        let body = json!({
            "code": status.as_u16(),
            "message": self.to_string(),
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
            ViewerError::Token(TokenProblem::Unknown) => Self::Unauthorized("The access token is invalid."),
            ViewerError::Token(TokenProblem::Expired) => Self::Unauthorized("The access token has expired."),
            ViewerError::Territory(_) => Self::BadRequest(error.to_string()),
            ViewerError::Service(error) => error.into(),
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

impl From<ServiceError> for ApiError {
    fn from(error: ServiceError) -> Self {
        match error {
            ServiceError::Unavailable(why) => Self::Unavailable(why),
            ServiceError::Refused(Refused::SignInRequired) => Self::SIGN_IN,
            ServiceError::Refused(Refused::NotFound | Refused::NotOwner) => Self::NotFound,
            ServiceError::Refused(Refused::Invalid(problems)) => {
                Self::Unprocessable(problems.iter().map(ToString::to_string).collect())
            }
            // The edge never asks for a revision.
            ServiceError::Refused(stale @ Refused::StaleRevision { .. }) => {
                Self::Unprocessable(vec![stale.to_string()])
            }
        }
    }
}
