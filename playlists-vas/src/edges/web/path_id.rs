//! Numeric ids in paths.

use std::str::FromStr;

use axum::extract::{FromRequestParts, RawPathParams};
use http::request::Parts;

use crate::edges::web::ApiError;

/// The path's only parameter as an id. What is no id is unknown, not malformed.
pub(super) struct PathId<T>(pub(super) T);

/// The path's parameters as they are.
pub(super) struct PathTexts(pub(super) Vec<String>);

impl<S: Send + Sync, T: FromStr + Send> FromRequestParts<S> for PathId<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let PathTexts(texts) = PathTexts::from_request_parts(parts, state).await?;
        texts.first().and_then(|text| text.parse().ok()).map(Self).ok_or(ApiError::NotFound)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for PathTexts {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let params = RawPathParams::from_request_parts(parts, state).await.map_err(|_| ApiError::NotFound)?;
        Ok(Self(params.iter().map(|(_, text)| text.to_owned()).collect()))
    }
}
