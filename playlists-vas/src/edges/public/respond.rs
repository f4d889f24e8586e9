//! Writing JSON the way the dialect always has: nothing in it can end a script element, should it be put into one.

use axum::{body::Body, response::Response};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};

const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");

pub(super) fn json(status: StatusCode, value: &Value) -> Response {
    let mut response = Response::new(Body::from(escaped(&value.to_string())));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, JSON);
    response
}

/// `{"status":"200 - OK"}`: what most writes answer.
pub(super) fn done(status: StatusCode) -> Response {
    json(status, &json!({ "status": status_line(status) }))
}

pub(super) fn status_line(status: StatusCode) -> String {
    format!("{} - {}", status.as_u16(), status.canonical_reason().unwrap_or("Unknown"))
}

/// These characters stand in JSON only inside of strings, so they can be replaced in the written text.
fn escaped(text: &str) -> String {
    if !text.contains(['<', '>', '&', '\u{2028}', '\u{2029}']) {
        return text.to_owned();
    }
    let mut escaped = String::with_capacity(text.len() + 64);
    for c in text.chars() {
        match c {
            '<' => escaped.push_str("\\u003c"),
            '>' => escaped.push_str("\\u003e"),
            '&' => escaped.push_str("\\u0026"),
            '\u{2028}' => escaped.push_str("\\u2028"),
            '\u{2029}' => escaped.push_str("\\u2029"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escaped_text_reads_as_the_same_json() {
        let value = json!({ "<&>": "</script>\u{2028}\u{2029}\\ \"é\"" });
        let text = escaped(&value.to_string());
        assert!(!text.contains(['<', '>', '&', '\u{2028}', '\u{2029}']), "{text}");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    }
}
