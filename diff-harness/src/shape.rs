//! What kind of request it was, in a few words: what evidence is counted by.

use std::fmt::Write;

use http::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, COOKIE};

use crate::exchange::{Observation, Outcome, Request, Response};

/// A client chooses the names of its query parameters; no shape grows without end for it.
const NAMES_MAX: usize = 16;
const NAME_MAX: usize = 40;

/// Writes a shape such as `2xx auth ?limit,offset json[..]`: the status class of control, how the request was
/// authenticated, which query parameters it had, and what the body looks like.
pub fn write_shape(shape: &mut String, request: &Request, control: &Observation) {
    shape.clear();
    match &control.outcome {
        // Writing to a `String` cannot fail.
        Outcome::Response(response) => drop(write!(shape, "{}xx", response.status.as_u16() / 100)),
        Outcome::Failure(failure) => shape.push_str(failure.as_str()),
    }
    shape.push_str(authentication(request));
    if let Some((_, query)) = request.target.split_once('?') {
        write_names(shape, query);
    }
    if !request.body.kept().is_empty() {
        shape.push_str(" +body");
    }
    if let Outcome::Response(response) = &control.outcome {
        shape.push(' ');
        shape.push_str(body_shape(response));
    }
}

fn authentication(request: &Request) -> &'static str {
    if request.headers.contains_key(AUTHORIZATION) {
        " auth"
    } else if request.headers.contains_key(COOKIE) {
        " cookie"
    } else {
        " anon"
    }
}

/// The names, sorted and each once: values and their order are not part of a shape.
fn write_names(shape: &mut String, query: &str) {
    let mut names = [""; NAMES_MAX];
    let mut count = 0;
    for pair in query.split('&') {
        let name = pair.split_once('=').map_or(pair, |(name, _)| name);
        if name.is_empty() || names[..count].contains(&name) {
            continue;
        }
        if count == NAMES_MAX {
            shape.push_str(" ?..");
            return;
        }
        names[count] = name;
        count += 1;
    }
    names[..count].sort_unstable();
    for (place, name) in names[..count].iter().enumerate() {
        shape.push_str(if place == 0 { " ?" } else { "," });
        shape.extend(name.chars().take(NAME_MAX));
    }
}

/// Told from the first bytes, without parsing.
fn body_shape(response: &Response) -> &'static str {
    let body = response.body.kept();
    if body.is_empty() {
        return "empty";
    }
    let media = response.headers.get(CONTENT_TYPE).map_or(&b""[..], |value| value.as_bytes());
    let essence = media.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    let is = |suffix: &[u8]| {
        essence.len() >= suffix.len() && essence[essence.len() - suffix.len()..].eq_ignore_ascii_case(suffix)
    };
    if is(b"/json") || is(b"+json") {
        return if response.headers.contains_key(CONTENT_ENCODING) { "json" } else { json_shape(body) };
    }
    if essence.len() >= 5 && essence[..5].eq_ignore_ascii_case(b"text/") {
        return "text";
    }
    if essence.is_empty() { "untyped" } else { "other" }
}

fn json_shape(body: &[u8]) -> &'static str {
    let mut bytes = body.iter().copied().filter(|byte| !byte.is_ascii_whitespace());
    match (bytes.next(), bytes.next()) {
        (Some(b'['), Some(b']')) => "json[]",
        (Some(b'['), _) => "json[..]",
        (Some(b'{'), Some(b'}')) => "json{}",
        (Some(b'{'), _) => "json{..}",
        (Some(_), _) => "json",
        (None, _) => "empty",
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;
    use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};

    use super::*;
    use crate::exchange::{CapturedBody, TransportFailure};

    fn response(status: u16, media: &'static str, body: &'static str) -> Observation {
        let response = Response {
            status: StatusCode::from_u16(status).unwrap(),
            headers: [(CONTENT_TYPE, HeaderValue::from_static(media))].into_iter().collect(),
            body: CapturedBody::Whole(Bytes::from_static(body.as_bytes())),
        };
        Observation { outcome: Outcome::Response(response), latency: Duration::ZERO }
    }

    fn shape(target: &str, header: Option<HeaderName>, control: &Observation) -> String {
        let mut request = Request {
            method: Method::GET,
            target: target.to_owned(),
            headers: HeaderMap::new(),
            body: CapturedBody::empty(),
        };
        request.headers.extend(header.map(|name| (name, HeaderValue::from_static("x"))));
        let mut shape = "left over".to_owned();
        write_shape(&mut shape, &request, control);
        shape
    }

    #[test]
    fn a_shape_names_what_sets_a_request_apart() {
        let list = response(200, "application/json; charset=utf-8", " [ 1 ]");
        for (target, header, control, expected) in [
            ("/a", None, &list, "2xx anon json[..]"),
            ("/a?b=1&a=2&b=3&=4&", Some(AUTHORIZATION), &list, "2xx auth ?a,b json[..]"),
            ("/a?q", Some(COOKIE), &response(404, "application/problem+json", "{}"), "4xx cookie ?q json{}"),
            ("/a", None, &response(200, "text/html", "<p>"), "2xx anon text"),
            ("/a", None, &response(304, "text/html", ""), "3xx anon empty"),
            ("/a", None, &response(200, "image/png", "\u{1}"), "2xx anon other"),
        ] {
            assert_eq!(shape(target, header, control), expected);
        }
    }

    #[test]
    fn a_failed_control_has_no_body_to_speak_of() {
        let outcome = Outcome::Failure(TransportFailure::Timeout);
        let failure = Observation { outcome, latency: Duration::ZERO };
        assert_eq!(shape("/a", None, &failure), "timeout anon");
    }

    #[test]
    fn a_client_cannot_make_a_shape_grow() {
        let query = (0..1000).map(|n| format!("p{n}={n}")).collect::<Vec<_>>().join("&");
        let list = response(200, "application/json", "[]");
        assert_eq!(shape(&format!("/a?{query}"), None, &list), "2xx anon ?.. json[]");
        let long = format!("/a?{}=1", "n".repeat(5000));
        assert!(shape(&long, None, &list).len() < 100);
    }
}
