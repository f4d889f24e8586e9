//! Ids in paths: `123`, `123-summer` and `123.json` are the same.

use std::str::FromStr;

use axum::extract::{FromRequestParts, RawPathParams};
use http::request::Parts;

use crate::{
    edges::{App, public::error::ApiError},
    regressions::Regression,
};

/// The path's only parameter as an id. What is no id is unknown, not malformed.
pub(super) struct PathId<T>(pub(super) T);

/// The path's two parameters.
pub(super) struct PathIds<A, B>(pub(super) A, pub(super) B);

/// The path's only parameter as text, without `.json`.
pub(super) struct PathText(pub(super) String);

impl<T: FromStr + Send> FromRequestParts<App> for PathId<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let texts = texts(parts, app).await?;
        let slug = texts.first().is_some_and(|text| text.contains('-'));
        if slug && app.regressions.on(Regression::SlugRefused) {
            return Err(ApiError::NotFound);
        }
        Ok(Self(id(&texts, 0)?))
    }
}

impl<A: FromStr + Send, B: FromStr + Send> FromRequestParts<App> for PathIds<A, B> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let texts = texts(parts, app).await?;
        Ok(Self(id(&texts, 0)?, id(&texts, 1)?))
    }
}

impl FromRequestParts<App> for PathText {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let texts = texts(parts, app).await?;
        let text = texts.first().ok_or(ApiError::NotFound)?;
        Ok(Self(text.strip_suffix(".json").unwrap_or(text).to_owned()))
    }
}

async fn texts(parts: &mut Parts, app: &App) -> Result<Vec<String>, ApiError> {
    let params = RawPathParams::from_request_parts(parts, app).await.map_err(|_| ApiError::NotFound)?;
    Ok(params.iter().map(|(_, text)| text.to_owned()).collect())
}

fn id<T: FromStr>(texts: &[String], index: usize) -> Result<T, ApiError> {
    let text = texts.get(index).ok_or(ApiError::NotFound)?;
    parse(text).ok_or(ApiError::NotFound)
}

fn parse<T: FromStr>(text: &str) -> Option<T> {
    let text = text.strip_suffix(".json").unwrap_or(text);
    let digits = text.split_once('-').map_or(text, |(digits, _)| digits);
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::parse;
    use crate::domain::PlaylistId;

    #[test]
    fn a_slug_and_a_suffix_are_dropped() {
        for same in ["12", "12-summer", "12-summer-of-69.json", "12.json", "12-"] {
            assert_eq!(parse::<PlaylistId>(same), Some(PlaylistId::new(12)), "{same}");
        }
        for bad in ["", "summer", "summer-12", "12summer", "-12", "12.xml", "0", ".json"] {
            assert_eq!(parse::<PlaylistId>(bad), None, "{bad}");
        }
    }
}
