//! URNs: `mothership:playlists:201`. A bare `201` is taken too, where the kind is clear from its place.

use std::str::FromStr;

use axum::extract::{FromRequestParts, RawPathParams};
use http::request::Parts;
use serde_json::Value;

use crate::{
    domain::{PlaylistId, TrackId, UserId},
    edges::mobile::ApiError,
};

/// Ids that have URNs.
pub(super) trait Named: FromStr + Copy + Into<i64> + Send {
    const KIND: &'static str;
}

/// The path's only parameter as an id. What is no URN of the kind names nothing.
pub(super) struct PathUrn<T>(pub(super) T);

/// The path's two parameters.
pub(super) struct PathUrns<A, B>(pub(super) A, pub(super) B);

/// The path's parameters as they are.
pub(super) struct PathTexts(pub(super) Vec<String>);

impl Named for PlaylistId {
    const KIND: &'static str = "playlists";
}
impl Named for TrackId {
    const KIND: &'static str = "tracks";
}
impl Named for UserId {
    const KIND: &'static str = "users";
}

pub(super) fn urn<T: Named>(id: T) -> Value {
    let number: i64 = id.into();
    Value::String(format!("mothership:{}:{number}", T::KIND))
}

pub(super) fn parse<T: Named>(text: &str) -> Option<T> {
    let number = match text.strip_prefix("mothership:") {
        Some(rest) => rest.strip_prefix(T::KIND)?.strip_prefix(':')?,
        None => text,
    };
    number.parse().ok()
}

impl<S: Send + Sync, T: Named> FromRequestParts<S> for PathUrn<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let PathTexts(texts) = PathTexts::from_request_parts(parts, state).await?;
        Ok(Self(at(&texts, 0)?))
    }
}

impl<S: Send + Sync, A: Named, B: Named> FromRequestParts<S> for PathUrns<A, B> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let PathTexts(texts) = PathTexts::from_request_parts(parts, state).await?;
        Ok(Self(at(&texts, 0)?, at(&texts, 1)?))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for PathTexts {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let params = RawPathParams::from_request_parts(parts, state).await.map_err(|_| ApiError::NotFound)?;
        Ok(Self(params.iter().map(|(_, text)| text.to_owned()).collect()))
    }
}

fn at<T: Named>(texts: &[String], index: usize) -> Result<T, ApiError> {
    texts.get(index).and_then(|text| parse(text)).ok_or(ApiError::NotFound)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_urn_names_one_kind_of_thing() {
        let id = PlaylistId::new(201);
        assert_eq!(urn(id), "mothership:playlists:201");
        for same in ["mothership:playlists:201", "201"] {
            assert_eq!(parse::<PlaylistId>(same), Some(id), "{same}");
        }
        for bad in ["mothership:tracks:201", "playlists:201", "mothership:playlists:", "201-summer", ""] {
            assert_eq!(parse::<PlaylistId>(bad), None, "{bad}");
        }
    }
}
