//! What bodies mean. The dialect takes JSON only, of the very types that it documents, and names unknown fields.

use axum::body::Body;
use http::HeaderMap;
use serde::{Deserialize, Deserializer, de::DeserializeOwned};

use crate::{
    domain::{PlaylistId, PlaylistKind, Sharing, Timestamp, TrackId},
    edges::{
        body::{MediaType, read_json},
        mobile::{
            ApiError,
            urn::{self, Named},
        },
    },
    foundation::PlaylistFields,
};

/// The names of the fields, and their order, are in error messages that clients see.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PlaylistBody {
    title: Option<String>,
    is_public: Option<bool>,
    set_type: Option<PlaylistKind>,
    #[serde(default, deserialize_with = "present")]
    description: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    genre: Option<Option<String>>,
    tags: Option<Vec<String>>,
    #[serde(default, deserialize_with = "present")]
    release_date: Option<Option<String>>,
    track_urns: Option<Vec<Urn<TrackId>>>,
    /// An update applies only to this revision.
    revision: Option<i64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TracksBody {
    track_urns: Vec<Urn<TrackId>>,
    /// Counted from 0.
    pub(super) position: Option<usize>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BatchBody {
    urns: Vec<Urn<PlaylistId>>,
}

#[derive(Debug, Clone, Copy)]
struct Urn<T>(T);

/// # Errors
/// 415 for anything that does not call itself JSON, 413 for too much of it, 400 for JSON of other fields or types.
pub(super) async fn json<T: DeserializeOwned>(headers: &HeaderMap, body: Body) -> Result<T, ApiError> {
    match MediaType::of(headers) {
        MediaType::Json | MediaType::Unstated => Ok(read_json(body).await?),
        MediaType::Form | MediaType::Multipart { .. } | MediaType::Other(_) => Err(ApiError::MediaType),
    }
}

impl PlaylistBody {
    /// The fields, and the revision to which alone they apply.
    pub(super) fn fields(self) -> Result<(PlaylistFields, Option<i64>), ApiError> {
        let release_at = match self.release_date {
            Some(Some(text)) => Some(Some(date(&text)?)),
            Some(None) => Some(None),
            None => None,
        };
        let sharing = self.is_public.map(|public| if public { Sharing::Public } else { Sharing::Private });
        let fields = PlaylistFields {
            title: self.title,
            description: self.description,
            genre: self.genre,
            tag_list: self.tags.map(|tags| tag_list(&tags)),
            kind: self.set_type,
            sharing,
            release_at,
            track_ids: self.track_urns.map(|urns| urns.into_iter().map(|urn| urn.0).collect()),
            ..PlaylistFields::default()
        };
        Ok((fields, self.revision))
    }
}

impl TracksBody {
    pub(super) fn ids(&self) -> Vec<TrackId> {
        self.track_urns.iter().map(|urn| urn.0).collect()
    }
}

impl BatchBody {
    pub(super) fn ids(&self) -> Vec<PlaylistId> {
        self.urns.iter().map(|urn| urn.0).collect()
    }
}

impl<'de, T: Named> Deserialize<'de> for Urn<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let known = urn::parse(&text).map(Self);
        known.ok_or_else(|| serde::de::Error::custom(format!("{text:?} is no URN of {}", T::KIND)))
    }
}

/// A field that is there is `Some`, even if it is null.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// A day in UTC.
fn date(text: &str) -> Result<Timestamp, ApiError> {
    let start = || format!("{}T00:00:00Z", text.parse::<jiff::civil::Date>().ok()?).parse().ok();
    start().ok_or(ApiError::BadParameter("release_date"))
}

fn tag_list(tags: &[String]) -> String {
    let quoted = tags
        .iter()
        .map(|tag| tag.replace('"', ""))
        .map(|tag| if tag.contains(char::is_whitespace) { format!("\"{tag}\"") } else { tag });
    quoted.collect::<Vec<_>>().join(" ")
}
