//! Cases from a HAR file: one of each shape, without its secrets.

use std::collections::HashSet;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use serde::Deserialize;

use super::{Draft, of_exchange, shape};
use crate::endpoint::EndpointId;
use crate::exchange::{
    CapturedBody, Exchange, Observation, Outcome, Request, Response, TransportFailure, UnixMillis,
};
use crate::har::{self, Entry, Har};
use crate::redact::Redactor;

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not readable as a HAR file: {0}")]
pub struct HarError(String);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sent {
    method: String,
    url: String,
    #[serde(default)]
    headers: Vec<Header>,
    #[serde(default)]
    post_data: Option<PostData>,
}

#[derive(Deserialize)]
struct Header {
    name: String,
    value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PostData {
    #[serde(default)]
    mime_type: String,
    #[serde(default)]
    text: String,
}

/// Adds one case of each shape in the file. `endpoint` finds the path template of a request, by method and target;
/// `hosts` are those whose requests count (empty: all).
pub fn har(
    draft: &mut Draft,
    text: &str,
    hosts: &[String],
    redactor: &Redactor,
    endpoint: &dyn Fn(&Method, &str) -> Option<String>,
) -> Result<(), HarError> {
    let har: Har<Sent> = har::read(text).map_err(|error| HarError(error.to_string()))?;
    let mut seen = HashSet::new();
    let (mut elsewhere, mut repeated) = (0_u64, 0_u64);
    for (at, entry) in har.log.entries.into_iter().enumerate() {
        let Some(exchange) = exchange(at, entry, hosts, endpoint) else {
            elsewhere += 1;
            continue;
        };
        let redaction = redactor.begin(&exchange);
        let (exchange, _) = redaction.exchange(exchange);
        if !seen.insert(shape(&exchange)) {
            repeated += 1;
        } else if let Err(why) = of_exchange(draft, &exchange, None) {
            draft.notes.push(format!("entry {at} was left out: {why}"));
        }
    }
    if elsewhere > 0 {
        draft.notes.push(format!(
            "{elsewhere} requests were left out: they go to another host, or are no HTTP requests"
        ));
    }
    if repeated > 0 {
        draft
            .notes
            .push(format!("{repeated} requests were left out: others of the same shape stand for them"));
    }
    Ok(())
}

fn exchange(
    at: usize,
    entry: Entry<Sent>,
    hosts: &[String],
    endpoint: &dyn Fn(&Method, &str) -> Option<String>,
) -> Option<Exchange> {
    let Entry { request, response } = entry;
    let method = Method::from_bytes(request.method.as_bytes()).ok()?;
    let (host, target) = har::split(&request.url)?;
    if !hosts.is_empty() && !har::is_wanted(host, hosts) {
        return None;
    }
    let target = target.into_owned();
    let mut headers = HeaderMap::new();
    for header in &request.headers {
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(header.name.as_bytes()), HeaderValue::from_str(&header.value))
        {
            headers.append(name, value);
        }
    }
    let body = request.post_data.unwrap_or(PostData { mime_type: String::new(), text: String::new() });
    if let Ok(media) = HeaderValue::from_str(&body.mime_type)
        && !body.mime_type.is_empty()
    {
        headers.entry(http::header::CONTENT_TYPE).or_insert(media);
    }
    let status = response.and_then(|response| StatusCode::from_u16(response.status.code()).ok());
    let outcome = match status {
        Some(status) => {
            Outcome::Response(Response { status, headers: HeaderMap::new(), body: CapturedBody::empty() })
        }
        None => Outcome::Failure(TransportFailure::Closed),
    };
    let observed = Observation { outcome, latency: Duration::ZERO };
    let template =
        endpoint(&method, &target).unwrap_or_else(|| target.split('?').next().unwrap_or_default().to_owned());
    Some(Exchange {
        id: format!("entry-{at}"),
        at: UnixMillis(0),
        endpoint: EndpointId::new(method.clone(), template),
        request: Request { method, target, headers, body: CapturedBody::Whole(Bytes::from(body.text)) },
        control: observed.clone(),
        candidate: observed,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::{RedactionConfig, RedactionKey};
    use crate::suite::load::load;

    #[test]
    fn one_case_of_each_shape_without_secrets() {
        let entry = |method: &str, url: &str, more: &str| {
            format!(
                r#"{{"request":{{"method":"{method}","url":"{url}"{more}}},"response":{{"status":200}}}}"#
            )
        };
        let secret = r#","headers":[{"name":"Authorization","value":"Bearer hunter2hunter2"},{"name":":path","value":"/"}]"#;
        let body =
            r#","postData":{"mimeType":"application/json","text":"{\"password\":\"hunter2hunter2\"}"}"#;
        let entries = [
            entry("GET", "https://api.test/posts/1?limit=1", ""),
            entry("GET", "https://api.test/posts/2?limit=9", ""),
            entry("GET", "https://api.test/posts/2", secret),
            entry("POST", "https://api.test/posts", body),
            entry("GET", "https://ads.test/x", ""),
            entry("GET", "data:,x", ""),
        ];
        let text = format!(r#"{{"log":{{"entries":[{}]}}}}"#, entries.join(","));
        let redactor = Redactor::new(&RedactionConfig::default(), RedactionKey::new([3; 32])).unwrap();
        let mut draft = Draft::new("har");
        let endpoint =
            |_: &Method, target: &str| target.starts_with("/posts/").then(|| "/posts/{id}".to_owned());
        har(&mut draft, &text, &["api.test".to_owned()], &redactor, &endpoint).unwrap();
        let names: Vec<_> = draft.cases.iter().map(|case| case.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "GET /posts/1?limit=1 as anonymous",
                "GET /posts/2 as authenticated",
                "POST /posts as anonymous"
            ]
        );
        assert_eq!(draft.notes.len(), 2, "{:?}", draft.notes);
        let yaml = draft.to_yaml();
        assert!(!yaml.contains("hunter2"), "{yaml}");
        load(&yaml, "s.yaml", |_| Some(String::new())).unwrap_or_else(|errors| panic!("{errors}\n{yaml}"));
        assert!(har(&mut draft, "{}", &[], &redactor, &endpoint).is_err());
    }
}
