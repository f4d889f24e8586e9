//! Request bodies: JSON, form or multipart, read into one shape within limits.

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde_json::{Map, Value};

use crate::edges::{brackets, multipart};

/// Larger bodies are refused before they are read to the end.
pub const BODY_BYTES_MAX: usize = 256 * 1024;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    #[error("the body is larger than {BODY_BYTES_MAX} bytes")]
    TooLarge,
    #[error("the body ended early")]
    Broken,
    #[error("the body is no valid JSON: {0}")]
    Json(String),
    #[error("the body is JSON, but no object")]
    NotAnObject,
    #[error("the form is malformed: {0}")]
    Form(String),
    #[error("bodies of type {0:?} are not read here; send JSON, a form or multipart/form-data")]
    MediaType(String),
}

/// What the Content-Type header says of the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MediaType {
    /// Also any `+json` type.
    Json,
    Form,
    Multipart {
        boundary: String,
    },
    /// No Content-Type header.
    Unstated,
    Other(String),
}

impl MediaType {
    pub fn of(headers: &HeaderMap) -> Self {
        let Some(value) = headers.get(header::CONTENT_TYPE) else { return Self::Unstated };
        let text = String::from_utf8_lossy(value.as_bytes());
        let mut parts = text.split(';');
        let essence = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
        match essence.as_str() {
            "application/x-www-form-urlencoded" => Self::Form,
            "multipart/form-data" => {
                let boundary = parts.find_map(|part| {
                    let (name, value) = part.split_once('=')?;
                    let value = value.trim().trim_matches('"');
                    (name.trim().eq_ignore_ascii_case("boundary") && !value.is_empty())
                        .then(|| value.to_owned())
                });
                boundary.map_or(Self::Other(essence), |boundary| Self::Multipart { boundary })
            }
            "application/json" => Self::Json,
            essence if essence.ends_with("+json") => Self::Json,
            _ => Self::Other(essence),
        }
    }
}

/// The whole body.
///
/// # Errors
/// [`BodyError::TooLarge`] and [`BodyError::Broken`].
pub async fn read_body(body: Body) -> Result<Bytes, BodyError> {
    match Limited::new(body, BODY_BYTES_MAX).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.downcast_ref::<LengthLimitError>().is_some() => Err(BodyError::TooLarge),
        Err(error) => {
            // axum boxes the error of an inner limit once more.
            let source = error.source().is_some_and(<dyn std::error::Error>::is::<LengthLimitError>);
            Err(if source { BodyError::TooLarge } else { BodyError::Broken })
        }
    }
}

/// The body as JSON of a known type, whatever the Content-Type says.
pub async fn read_json<T: serde::de::DeserializeOwned>(body: Body) -> Result<T, BodyError> {
    let bytes = read_body(body).await?;
    serde_json::from_slice(&bytes).map_err(|error| BodyError::Json(error.to_string()))
}

/// The body as one tree of fields: a JSON object as it is; forms with names such as `playlist[tracks][][id]` nested
/// in the same way, with strings for leaves. An empty body has no fields. Without a Content-Type, a body that starts
/// with `{` is read as JSON and any other as a form.
pub async fn read_fields(headers: &HeaderMap, body: Body) -> Result<Map<String, Value>, BodyError> {
    let bytes = read_body(body).await?;
    if bytes.trim_ascii().is_empty() {
        return Ok(Map::new());
    }
    match MediaType::of(headers) {
        MediaType::Json => json(&bytes),
        MediaType::Unstated if bytes.trim_ascii_start().starts_with(b"{") => json(&bytes),
        MediaType::Form | MediaType::Unstated => brackets::tree(form_pairs(&bytes)?),
        MediaType::Multipart { boundary } => brackets::tree(multipart::pairs(&bytes, &boundary)?),
        MediaType::Other(essence) => Err(BodyError::MediaType(essence)),
    }
}

fn json(bytes: &[u8]) -> Result<Map<String, Value>, BodyError> {
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(BodyError::NotAnObject),
        Err(error) => Err(BodyError::Json(error.to_string())),
    }
}

fn form_pairs(bytes: &[u8]) -> Result<Vec<(String, String)>, BodyError> {
    serde_urlencoded::from_bytes(bytes).map_err(|error| BodyError::Form(error.to_string()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    async fn fields(content_type: &str, body: &'static str) -> Result<Value, BodyError> {
        let mut headers = HeaderMap::new();
        if !content_type.is_empty() {
            headers.insert(header::CONTENT_TYPE, content_type.parse().unwrap());
        }
        read_fields(&headers, Body::from(body)).await.map(Value::Object)
    }

    #[tokio::test]
    async fn json_form_and_multipart_give_the_same_fields() {
        let wanted = json!({ "playlist": { "title": "A & b", "tracks": [{ "id": "1" }, { "id": "2" }] } });
        let as_json = r#"{"playlist":{"title":"A & b","tracks":[{"id":"1"},{"id":"2"}]}}"#;
        assert_eq!(fields("application/json; charset=utf-8", as_json).await.unwrap(), wanted);
        let as_form = "playlist[title]=A+%26+b&playlist%5Btracks%5D%5B%5D%5Bid%5D=1&playlist[tracks][][id]=2";
        assert_eq!(fields("application/x-www-form-urlencoded", as_form).await.unwrap(), wanted);
        let as_multipart = "--x\r\nContent-Disposition: form-data; name=\"playlist[title]\"\r\n\r\nA & b\r\n\
             --x\r\nContent-Disposition: form-data; name=\"playlist[tracks][][id]\"\r\n\r\n1\r\n\
             --x\r\nContent-Disposition: form-data; name=\"playlist[tracks][][id]\"\r\n\r\n2\r\n--x--\r\n";
        assert_eq!(fields("multipart/form-data; boundary=x", as_multipart).await.unwrap(), wanted);
        assert_eq!(fields("", as_form).await.unwrap(), wanted);
        assert_eq!(fields("", as_json).await.unwrap(), wanted);
    }

    #[tokio::test]
    async fn bad_bodies_are_typed_errors() {
        assert!(matches!(fields("application/json", "{").await, Err(BodyError::Json(_))));
        assert_eq!(fields("application/json", "[1]").await, Err(BodyError::NotAnObject));
        assert!(matches!(fields("text/xml", "<a/>").await, Err(BodyError::MediaType(_))));
        assert!(matches!(fields("multipart/form-data; boundary=x", "hello").await, Err(BodyError::Form(_))));
        assert!(matches!(fields("multipart/form-data", "hello").await, Err(BodyError::MediaType(_))));
        assert_eq!(fields("application/json", "").await, Ok(json!({})));
        let huge = Body::from(vec![b' '; BODY_BYTES_MAX + 1]);
        assert_eq!(read_body(huge).await, Err(BodyError::TooLarge));
    }

    #[tokio::test]
    async fn nesting_and_clashing_names_are_refused_not_followed() {
        let deep = "a[b][c][d][e][f][g][h][i][j]=1";
        assert!(matches!(fields("application/x-www-form-urlencoded", deep).await, Err(BodyError::Form(_))));
        let clash = "a=1&a[b]=2";
        assert!(matches!(fields("application/x-www-form-urlencoded", clash).await, Err(BodyError::Form(_))));
    }
}
