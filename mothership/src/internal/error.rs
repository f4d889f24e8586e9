//! Errors of the internal API: `{"error": {"code", "message", …}}` with a status.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use serde_json::{Value, json};

use crate::{
    command::{CommandError, Forbidden, Invalid, Missing, Problem},
    domain::InvalidTerritory,
    request::BodyError,
    store::StoreError,
};

#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    #[error("this needs the service token: Authorization: Bearer TOKEN")]
    ServiceToken,
    #[error("there is nothing under this path")]
    UnknownPath,
    #[error("this path does not take this method")]
    UnknownMethod,
    #[error(transparent)]
    Body(#[from] BodyError),
    #[error("{0}")]
    BadRequest(String),
    #[error("the viewer's territory is wrong: {0}")]
    Territory(#[from] InvalidTerritory),
    #[error("the viewer's bearer token is not known")]
    TokenUnknown,
    #[error("the viewer's bearer token has expired")]
    TokenExpired,
    #[error("the viewer does not exist")]
    ViewerUnknown,
    #[error(transparent)]
    Command(#[from] CommandError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

pub(crate) async fn unknown_path() -> ApiError {
    ApiError::UnknownPath
}

pub(crate) async fn unknown_method() -> ApiError {
    ApiError::UnknownMethod
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, code) = self.status_and_code();
        let mut message = self.to_string();
        if status == StatusCode::INTERNAL_SERVER_ERROR {
            tracing::error!(error = %self, "internal API call failed");
            "the database failed".clone_into(&mut message);
        }
        let mut error = json!({ "code": code, "message": message });
        if let Self::Command(refused) = &self {
            add_details(&mut error, refused);
        }
        (status, Json(json!({ "error": error }))).into_response()
    }
}

impl ApiError {
    fn status_and_code(&self) -> (StatusCode, &'static str) {
        match self {
            Self::ServiceToken => (StatusCode::UNAUTHORIZED, "service_token_required"),
            Self::UnknownPath => (StatusCode::NOT_FOUND, "unknown_path"),
            Self::UnknownMethod => (StatusCode::METHOD_NOT_ALLOWED, "unknown_method"),
            Self::Body(BodyError::TooLarge) => (StatusCode::PAYLOAD_TOO_LARGE, "body_too_large"),
            Self::Body(_) => (StatusCode::BAD_REQUEST, "bad_body"),
            Self::BadRequest(_) => (StatusCode::BAD_REQUEST, "bad_request"),
            Self::Territory(_) => (StatusCode::BAD_REQUEST, "bad_territory"),
            Self::TokenUnknown => (StatusCode::UNAUTHORIZED, "token_unknown"),
            Self::TokenExpired => (StatusCode::UNAUTHORIZED, "token_expired"),
            Self::ViewerUnknown => (StatusCode::UNAUTHORIZED, "viewer_unknown"),
            Self::Command(CommandError::SignInRequired) => (StatusCode::UNAUTHORIZED, "sign_in_required"),
            Self::Command(CommandError::NotFound(_)) => (StatusCode::NOT_FOUND, "not_found"),
            Self::Command(CommandError::Forbidden(_)) => (StatusCode::FORBIDDEN, "forbidden"),
            Self::Command(CommandError::Invalid(_)) => (StatusCode::UNPROCESSABLE_ENTITY, "invalid"),
            Self::Command(CommandError::StaleRevision { .. }) => (StatusCode::CONFLICT, "stale_revision"),
            Self::Command(CommandError::Store(_)) | Self::Store(_) => {
                (StatusCode::INTERNAL_SERVER_ERROR, "database")
            }
        }
    }
}

fn add_details(error: &mut Value, refused: &CommandError) {
    match refused {
        CommandError::NotFound(missing) => {
            let (kind, id) = match *missing {
                Missing::Playlist(id) => ("playlist", id.get()),
                Missing::Track(id) => ("track", id.get()),
                Missing::User(id) => ("user", id.get()),
                Missing::Comment(id) => ("comment", id.get()),
            };
            error["missing"] = json!({ "kind": kind, "id": id });
        }
        CommandError::Forbidden(forbidden) => {
            error["forbidden"] = json!(match forbidden {
                Forbidden::NotOwner => "not_owner",
                Forbidden::CommentsOff => "comments_off",
                Forbidden::BlockedByUser => "blocked_by_user",
            });
        }
        CommandError::Invalid(invalid) => {
            error["invalid"] = invalid.iter().map(problem).collect();
        }
        CommandError::StaleRevision { expected, actual } => {
            error["revision"] = json!({ "expected": expected, "actual": actual });
        }
        CommandError::SignInRequired | CommandError::Store(_) => {}
    }
}

fn problem(Invalid { field, problem }: &Invalid) -> Value {
    match problem {
        Problem::Blank => json!({ "field": field, "problem": "blank" }),
        Problem::TooLong { max, actual } => {
            json!({ "field": field, "problem": "too_long", "max": max, "actual": actual })
        }
        Problem::TooMany { max, actual } => {
            json!({ "field": field, "problem": "too_many", "max": max, "actual": actual })
        }
        Problem::UnknownTracks(ids) => json!({ "field": field, "problem": "unknown_tracks", "ids": ids }),
        Problem::UnknownUser => json!({ "field": field, "problem": "unknown_user" }),
        Problem::OutOfRange { min, max } => {
            json!({ "field": field, "problem": "out_of_range", "min": min, "max": max })
        }
        Problem::Yourself => json!({ "field": field, "problem": "yourself" }),
    }
}
