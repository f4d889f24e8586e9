//! Asking both sides what a write has left behind.

use std::collections::HashMap;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use diff_harness::endpoint::{EndpointId, SafeMethod};
use diff_harness::exchange::{Side, UnixMillis};
use http::header::{
    CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, EXPECT, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH,
    IF_UNMODIFIED_SINCE, LOCATION, RANGE, TRANSFER_ENCODING,
};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Uri};

use super::{ShadowRequest, ShadowedRequest};
use crate::routes::table::ActiveRoute;

/// What is read after which write.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadBacks(HashMap<EndpointId, ReadBack>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadBack {
    pub path: ReadPath,
    /// How long after the response: for a candidate that hears of a write by an event.
    pub after: Duration,
}

/// Where what was written is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadPath {
    /// Where the response's Location field says.
    Location,
    /// A template of whose parameters each is one of the endpoint that writes.
    Template(Vec<Piece>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    Literal(String),
    /// The number of a segment in the path of the write.
    Segment(usize),
}

/// A read that is to be made of both sides. Its method is safe, whatever was written.
#[derive(Debug)]
pub struct ReadBackRequest {
    pub(super) request: ShadowedRequest,
    pub(super) after: Duration,
}

impl ReadBacks {
    pub fn insert(&mut self, endpoint: EndpointId, read_back: ReadBack) {
        self.0.insert(endpoint, read_back);
    }

    pub fn get(&self, endpoint: &EndpointId) -> Option<&ReadBack> {
        if self.0.is_empty() { None } else { self.0.get(endpoint) }
    }
}

impl ReadPath {
    /// `location`, or a path such as `/playlists/{id}` for an endpoint such as `PUT /playlists/{id}`.
    ///
    /// # Errors
    /// In words for a person.
    pub fn parse(text: &str, endpoint: &EndpointId) -> Result<Self, String> {
        if text == "location" {
            return Ok(Self::Location);
        }
        let wrong = |why: String| format!("`{text}` is not what can be read back after {endpoint}: {why}");
        if !text.starts_with('/') {
            return Err(wrong("expected `location` or a path that begins with a slash".to_owned()));
        }
        let template: Vec<&str> = endpoint.template().split('/').collect();
        let piece = |segment: &str| {
            if !segment.contains('{') {
                let is_path =
                    PathAndQuery::from_str(&format!("/{segment}")).is_ok_and(|path| path.query().is_none());
                return if is_path {
                    Ok(Piece::Literal(segment.to_owned()))
                } else {
                    Err(wrong(format!("`{segment}` is no segment of a path")))
                };
            }
            let place = template.iter().position(|known| *known == segment);
            place
                .map(Piece::Segment)
                .ok_or_else(|| wrong(format!("`{segment}` is no whole segment of the endpoint's own path")))
        };
        text.split('/').skip(1).map(piece).collect::<Result<_, _>>().map(Self::Template)
    }

    /// The path to read, as it is on the wire. `None` where the response names none on the same server.
    fn resolve(&self, written: &str, response: &HeaderMap) -> Option<PathAndQuery> {
        match self {
            Self::Location => {
                let location: Uri = response.get(LOCATION)?.to_str().ok()?.parse().ok()?;
                location.path_and_query().filter(|path| path.as_str().starts_with('/')).cloned()
            }
            Self::Template(pieces) => {
                let segments: Vec<&str> = written.split('/').collect();
                let mut path = String::new();
                for piece in pieces {
                    path.push('/');
                    path.push_str(match piece {
                        Piece::Literal(text) => text,
                        Piece::Segment(place) => segments.get(*place)?,
                    });
                }
                path.parse().ok()
            }
        }
    }
}

impl ReadBackRequest {
    /// What is to be read after a write that succeeded. The reader is whoever wrote: the same credentials.
    pub fn new(
        read_back: &ReadBack,
        id: HeaderValue,
        at: UnixMillis,
        route: Arc<ActiveRoute>,
        written: &PathAndQuery,
        mut headers: HeaderMap,
        response: &HeaderMap,
    ) -> Option<Self> {
        let target = read_back.path.resolve(written.path(), response)?;
        for name in [
            CONTENT_ENCODING,
            CONTENT_LENGTH,
            CONTENT_TYPE,
            EXPECT,
            IF_MATCH,
            IF_MODIFIED_SINCE,
            IF_NONE_MATCH,
            IF_UNMODIFIED_SINCE,
            RANGE,
            TRANSFER_ENCODING,
        ] {
            headers.remove(name);
        }
        let (method, body, to) = (SafeMethod::Get, Bytes::new(), Side::Candidate);
        let request = ShadowRequest { id, at, route, method, target, headers, body, to };
        Some(Self { request: request.into(), after: read_back.after })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint() -> EndpointId {
        "PUT /users/{user}/playlists/{id}".parse().unwrap()
    }

    #[test]
    fn what_was_written_is_read_where_it_was_written_or_where_the_response_says() {
        let read = |path: &str, location: Option<&'static str>| {
            let response = location.map(|at| (LOCATION, HeaderValue::from_static(at))).into_iter().collect();
            let path = ReadPath::parse(path, &endpoint()).unwrap();
            path.resolve("/users/7/playlists/a%2fb", &response).map(|path| path.to_string())
        };
        for (path, location, expected) in [
            ("/playlists/{id}", None, Some("/playlists/a%2fb")),
            ("/users/{user}/playlists", None, Some("/users/7/playlists")),
            ("/all", Some("/x"), Some("/all")),
            ("location", Some("/playlists/9?x=1"), Some("/playlists/9?x=1")),
            ("location", Some("http://monolith/playlists/9"), Some("/playlists/9")),
            ("location", None, None),
        ] {
            assert_eq!(read(path, location).as_deref(), expected, "{path} {location:?}");
        }
    }

    #[test]
    fn what_names_no_parameter_of_the_write_is_refused() {
        for text in ["", "playlists", "/{other}", "/a{id}", "/{id}.json", "/a b", "/a?x=1"] {
            assert!(ReadPath::parse(text, &endpoint()).is_err(), "{text:?} was taken");
        }
    }
}
