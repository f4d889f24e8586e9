//! A kept exchange becomes a case. What was redacted stays so: a persona or a variable takes its place.

use std::collections::BTreeMap;

use http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE};
use http::{HeaderMap, HeaderName};

use super::{Draft, DraftBody, DraftCase};
use crate::endpoint::EndpointId;
use crate::exchange::{CapturedBody, Exchange, Outcome};
use crate::media::{Family, MediaType};
use crate::redact::Redacted;

const MARK: &str = "<redacted:";

/// Headers that say how the request travelled, or that a client writes anew.
fn is_of_the_way(name: &HeaderName) -> bool {
    let name = name.as_str();
    matches!(
        name,
        "host"
            | "connection"
            | "keep-alive"
            | "te"
            | "trailer"
            | "upgrade"
            | "via"
            | "forwarded"
            | "content-length"
            | "transfer-encoding"
            | "expect"
            | "user-agent"
            | "accept-encoding"
            | "traceparent"
            | "tracestate"
            | "x-request-id"
            | "x-real-ip"
            | "dnt"
            | "origin"
            | "referer"
            | "priority"
            | "pragma"
    ) || ["x-forwarded-", "proxy-", "sec-", ":", "strangler-"].iter().any(|prefix| name.starts_with(prefix))
}

/// What kind of request it is: exchanges of one shape are one case.
pub fn shape(exchange: &Redacted<Exchange>) -> String {
    let exchange = exchange.get();
    let (_, query) = split(&exchange.request.target);
    let mut names: Vec<&str> =
        query.split('&').map(|pair| pair.split('=').next().unwrap_or_default()).collect();
    names.sort_unstable();
    names.dedup();
    let status = match &exchange.control.outcome {
        Outcome::Response(response) => response.status.as_u16().to_string(),
        Outcome::Failure(failure) => failure.as_str().to_owned(),
    };
    let headers = &exchange.request.headers;
    format!(
        "{} {status} {} {} ?{} {}",
        exchange.endpoint,
        headers.contains_key(AUTHORIZATION),
        headers.contains_key(COOKIE),
        names.join(","),
        exchange.request.body.kept().is_empty()
    )
}

/// A request that was redacted before.
#[derive(Clone, Copy, Debug)]
pub struct RedactedRequest<'a> {
    pub endpoint: &'a EndpointId,
    pub method: &'a str,
    pub target: &'a str,
    pub headers: &'a HeaderMap,
    pub body: &'a str,
}

/// Adds a case that sends the exchange's request; `why` it is worth a case, if that is known. Returns its name, or why
/// it cannot be one.
pub fn of_exchange(
    draft: &mut Draft,
    exchange: &Redacted<Exchange>,
    why: Option<String>,
) -> Result<String, String> {
    let exchange = exchange.get();
    let request = &exchange.request;
    let CapturedBody::Whole(body) = &request.body else {
        return Err("its request body was too large to be kept whole".to_owned());
    };
    let body = std::str::from_utf8(body).map_err(|_| "its request body is not text".to_owned())?;
    let request = RedactedRequest {
        endpoint: &exchange.endpoint,
        method: request.method.as_str(),
        target: &request.target,
        headers: &request.headers,
        body,
    };
    Ok(of_request(draft, request, why))
}

/// Adds a case that sends a request. Returns its name.
pub fn of_request(draft: &mut Draft, request: RedactedRequest<'_>, why: Option<String>) -> String {
    let mut secrets = Vec::new();
    let path = variables(&escaped(request.target), &mut secrets);
    let mut headers = headers(request.headers, &mut secrets);
    let media = MediaType::of(request.headers);
    let body = match (request.body, media.as_ref().map(MediaType::family)) {
        ("", _) => DraftBody::None,
        (body, Some(Family::Json)) if is_exact(body) => {
            let text = variables(&escaped(body), &mut secrets);
            // Redaction put its marks where strings were.
            serde_json::from_str(&text).map_or_else(|_| DraftBody::Text(text.clone()), DraftBody::Json)
        }
        (body, _) => DraftBody::Text(variables(&escaped(body), &mut secrets)),
    };
    draft.secrets.extend(secrets);
    let persona = persona(draft, request.headers);
    match &body {
        // Written by the runner where it is what a JSON body has.
        DraftBody::Json(_) if media.as_ref().is_some_and(|media| media.essence == "application/json") => {
            headers.remove("content-type");
        }
        DraftBody::Text(_) if !headers.contains_key("content-type") => {
            headers.insert("content-type".to_owned(), "application/octet-stream".to_owned());
        }
        _ => {}
    }
    let tag = if request.endpoint.is_safe() { "read" } else { "write" };
    draft.add(DraftCase {
        name: format!("{} {} as {persona}", request.method, shown(&path)),
        tags: vec![tag.to_owned()],
        persona: Some(persona),
        method: request.method.to_owned(),
        path,
        endpoint: request.endpoint.template().to_owned(),
        headers,
        body,
        why,
    });
    draft.cases.last().expect("it was just added").name.clone()
}

/// Whether the JSON survives being written as YAML: no number is too long, no key stands twice.
fn is_exact(body: &str) -> bool {
    let Ok(value) = serde_json::from_str::<serde_json::Value>(body) else { return false };
    let bare = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
    bare(&value.to_string()) == bare(body)
}

fn split(target: &str) -> (&str, &str) {
    target.split_once('?').unwrap_or((target, ""))
}

/// Nothing that was recorded is a variable.
fn escaped(text: &str) -> String {
    text.replace("${", "$${")
}

/// The text with a variable in the place of every mark of the redaction.
fn variables(text: &str, secrets: &mut Vec<String>) -> String {
    let encoded = text.replace("%3Credacted%3A", MARK).replace("%3credacted%3a", MARK);
    let mut out = String::new();
    let mut rest = encoded.as_str();
    while let Some((before, after)) = rest.split_once(MARK) {
        out.push_str(before);
        let digits: String = after.chars().take_while(char::is_ascii_hexdigit).collect();
        let after = &after[digits.len()..];
        rest = ["%3E", "%3e", ">"].iter().find_map(|end| after.strip_prefix(end)).unwrap_or(after);
        let name = format!("secret-{digits}");
        out.push_str(&format!("${{{name}}}"));
        secrets.push(name);
    }
    out.push_str(rest);
    out
}

fn headers(headers: &HeaderMap, secrets: &mut Vec<String>) -> BTreeMap<String, String> {
    let own = headers.iter().filter(|(name, _)| {
        !is_of_the_way(name) && *name != AUTHORIZATION && *name != COOKIE && *name != CONTENT_TYPE
    });
    let mut kept: BTreeMap<String, String> = own
        .filter_map(|(name, value)| {
            let value = value.to_str().ok()?;
            // What a client sends by itself says nothing.
            (value != "*/*").then(|| (name.as_str().to_owned(), variables(&escaped(value), secrets)))
        })
        .collect();
    if let Some(media) = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()) {
        kept.insert("content-type".to_owned(), media.to_owned());
    }
    kept
}

/// Whoever was logged in becomes a persona whose secret comes from the environment.
fn persona(draft: &mut Draft, headers: &HeaderMap) -> String {
    let (name, header, variable) = if headers.contains_key(AUTHORIZATION) {
        ("authenticated", "Authorization", "${env.SUITE_AUTHORIZATION}")
    } else if headers.contains_key(COOKIE) {
        ("with-cookie", "Cookie", "${env.SUITE_COOKIE}")
    } else {
        draft.personas.entry("anonymous".to_owned()).or_default();
        return "anonymous".to_owned();
    };
    let own = BTreeMap::from([(header.to_owned(), variable.to_owned())]);
    draft.personas.insert(name.to_owned(), own);
    name.to_owned()
}

/// A name is read by people.
fn shown(path: &str) -> String {
    const CHARS_MAX: usize = 100;
    if path.chars().count() <= CHARS_MAX {
        return path.to_owned();
    }
    path.chars().take(CHARS_MAX).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;
    use http::{Method, StatusCode};

    use super::*;
    use crate::exchange::{Observation, Request, Response, UnixMillis};
    use crate::redact::{RedactionConfig, RedactionKey, Redactor};
    use crate::suite::load::load;

    fn redacted(
        method: Method,
        target: &str,
        headers: &[(&'static str, &'static str)],
        body: &str,
    ) -> Redacted<Exchange> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, http::HeaderValue::from_static(value));
        }
        let response =
            Response { status: StatusCode::OK, headers: HeaderMap::new(), body: CapturedBody::empty() };
        let observed = Observation { outcome: Outcome::Response(response), latency: Duration::ZERO };
        let exchange = Exchange {
            id: "a".into(),
            at: UnixMillis(0),
            endpoint: crate::endpoint::EndpointId::new(method.clone(), "/x/{id}"),
            request: Request {
                method,
                target: target.into(),
                headers: map,
                body: CapturedBody::Whole(Bytes::from(body.to_owned())),
            },
            control: observed.clone(),
            candidate: observed,
        };
        let redactor = Redactor::new(&RedactionConfig::default(), RedactionKey::new([3; 32])).unwrap();
        redactor.begin(&exchange).exchange(exchange.clone()).0
    }

    #[test]
    fn no_secret_is_written_and_the_suite_loads() {
        let exchange = redacted(
            Method::POST,
            "/x/1?access_token=s3cr3ts3cr3t&limit=2&t=${x}",
            &[
                ("authorization", "Bearer hunter2hunter2"),
                ("content-type", "application/json"),
                ("accept", "application/json"),
                ("x-forwarded-for", "1.2.3.4"),
                ("x-api-key", "k3yk3yk3yk3y"),
            ],
            r#"{"title":"a","password":"hunter2hunter2","n":1.50}"#,
        );
        let mut draft = Draft::new("x");
        of_exchange(&mut draft, &exchange, Some("changed (value) at $.n".into())).unwrap();
        let yaml = draft.to_yaml();
        for secret in ["hunter2", "s3cr3t", "k3yk3y", "1.2.3.4"] {
            assert!(!yaml.contains(secret), "{secret} is in\n{yaml}");
        }
        assert!(yaml.contains("limit=2") && yaml.contains("${env.SUITE_AUTHORIZATION}"), "{yaml}");
        let suite = load(&yaml, "s.yaml", |_| Some("x".into())).unwrap_or_else(|e| panic!("{e}\n{yaml}"));
        assert_eq!(suite.cases[0].steps[0].endpoint.to_string(), "POST /x/{id}");
        assert_eq!(suite.cases[0].personas[0].as_ref(), "authenticated");
    }

    #[test]
    fn a_shape_is_told_by_what_was_asked_and_not_by_values() {
        let of = |target: &str, headers: &[(&'static str, &'static str)]| {
            shape(&redacted(Method::GET, target, headers, ""))
        };
        assert_eq!(of("/x/1?a=1&b=2", &[]), of("/x/2?b=3&a=4", &[]));
        assert_ne!(of("/x/1?a=1", &[]), of("/x/1", &[]));
        assert_ne!(of("/x/1", &[]), of("/x/1", &[("authorization", "x")]));
    }

    #[test]
    fn what_cannot_be_sent_again_is_refused_with_a_reason() {
        let mut exchange = redacted(Method::POST, "/x/1", &[], "").into_inner();
        exchange.request.body = CapturedBody::Cut { head: Bytes::new() };
        let error = of_exchange(&mut Draft::new("x"), &Redacted::stored(exchange), None).unwrap_err();
        assert!(error.contains("too large"), "{error}");
    }
}
