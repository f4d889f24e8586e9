//! Steps: one request, what is taken from its responses, and what is expected of it.

use std::collections::{BTreeMap, BTreeSet};

use http::{HeaderName, Method, StatusCode};
use serde_saphyr::Spanned;

use super::{Loader, locate};
use crate::endpoint::EndpointId;
use crate::suite::document::{BodyEntry, CaptureEntry, ExpectEntry, RequestEntry};
use crate::suite::template::{Position, Template};
use crate::suite::{Body, Capture, CaptureFrom, Step};

pub(super) struct StepParts<'a> {
    pub(super) name: String,
    pub(super) capture: &'a BTreeMap<String, Spanned<CaptureEntry>>,
    pub(super) expect: Option<&'a ExpectEntry>,
    pub(super) setup: bool,
}

impl Loader<'_> {
    pub(super) fn step(
        &mut self,
        entry: &Spanned<RequestEntry>,
        parts: StepParts<'_>,
        bound: &mut BTreeSet<String>,
    ) -> Option<Step> {
        let request = &entry.value;
        let method = self.method(request);
        let (path_text, inline_query) = match request.path.value.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (request.path.value.as_str(), None),
        };
        let path = self.template(&request.path, bound, Template::parse(path_text));
        if let Some(path) = &path {
            self.check_path(request, path_text, path);
            self.check_query(request, inline_query);
        }
        let mut query = Vec::new();
        for pair in
            inline_query.into_iter().flat_map(|query| query.split('&')).filter(|pair| !pair.is_empty())
        {
            // Written as it is sent: encoded already.
            query.extend(self.template(&request.path, bound, Template::parse(pair)));
        }
        for (name, value) in &request.query {
            let pair = Template::of_query(name, &value.value.to_string());
            query.extend(self.template(value, bound, pair));
        }
        let headers = self.headers(&request.headers, bound);
        let body = self.body(request.body.as_ref(), &headers, bound);
        let capture = self.captures(parts.capture, bound);
        let expect = parts.expect.and_then(|expect| self.expected(expect));
        let (method, path) = (method?, path?);
        let template = match &request.endpoint {
            Some(endpoint) => endpoint.value.clone(),
            None => path.as_path_template(),
        };
        Some(Step {
            name: parts.name,
            line: entry.referenced.line(),
            endpoint: EndpointId::new(method.clone(), template),
            method,
            path,
            query,
            headers,
            body,
            capture,
            expect,
            setup: parts.setup,
        })
    }

    fn check_path(&mut self, request: &RequestEntry, text: &str, path: &Template) {
        let at = request.path.referenced;
        if path.only_variable().is_some() {
            // A Location as a whole; only its endpoint cannot be read off it.
            if request.endpoint.is_none() {
                let message =
                    "a path that is one variable needs an `endpoint`, such as `/playlists/{id}`".to_owned();
                self.error(at, message);
            }
        } else if !text.starts_with('/') {
            self.error(at, format!("the path `{text}` does not begin with `/`"));
        } else {
            let sample = path.as_path_template().replace(['{', '}'], "");
            if sample.contains('#') || sample.parse::<http::uri::PathAndQuery>().is_err() {
                let message =
                    format!("the path `{text}` has characters that must be percent-encoded in a URL");
                self.error(at, message);
            }
        }
        if let Some(endpoint) = request.endpoint.as_ref().filter(|endpoint| !endpoint.value.starts_with('/'))
        {
            let message = format!(
                "the endpoint `{}` is not a path template such as `/playlists/{{id}}`",
                endpoint.value
            );
            self.error(endpoint.referenced, message);
        }
    }

    fn check_query(&mut self, request: &RequestEntry, query: Option<&str>) {
        let Some(query) = query else { return };
        let sample = query.replace(['$', '{', '}'], "");
        if sample.contains('#') || format!("/?{sample}").parse::<http::uri::PathAndQuery>().is_err() {
            let message = format!(
                "the query `{query}` has characters that must be percent-encoded in a URL; under `query:` that is done for you"
            );
            self.error(request.path.referenced, message);
        }
    }

    fn method(&mut self, request: &RequestEntry) -> Option<Method> {
        let Some(written) = &request.method else { return Some(Method::GET) };
        let method = Method::from_bytes(written.value.as_bytes()).ok();
        let method = method.filter(|_| written.value.chars().all(|c| c.is_ascii_uppercase()));
        match method {
            Some(Method::CONNECT | Method::TRACE) => {
                let message = format!("{} is not a request that a suite can send", written.value);
                self.error(written.referenced, message);
                None
            }
            None => {
                let message =
                    format!("`{}` is not a method: expected GET, POST, PUT, PATCH, DELETE …", written.value);
                self.error(written.referenced, message);
                None
            }
            method => method,
        }
    }

    fn body(
        &mut self,
        entry: Option<&Spanned<BodyEntry>>,
        headers: &[(HeaderName, Template)],
        bound: &BTreeSet<String>,
    ) -> Body {
        let Some(entry) = entry else { return Body::None };
        let (media_type, position, text) = match &entry.value {
            BodyEntry::Json(value) => ("application/json", Position::JsonString, Template::of_json(value)),
            BodyEntry::Form(fields) => {
                let fields = fields.iter().map(|(name, value)| (name.as_str(), value.to_string()));
                ("application/x-www-form-urlencoded", Position::Form, Template::of_form(fields))
            }
            BodyEntry::Text(text) => {
                if !headers.iter().any(|(name, _)| *name == http::header::CONTENT_TYPE) {
                    let message = "a text body needs a Content-Type in `headers`".to_owned();
                    self.error(entry.referenced, message);
                }
                ("text/plain", Position::Plain, Template::parse(text))
            }
        };
        match self.template(&locate(entry), bound, text) {
            Some(text) => Body::Text { media_type: media_type.to_owned(), position, text },
            None => Body::None,
        }
    }

    fn captures(
        &mut self,
        entries: &BTreeMap<String, Spanned<CaptureEntry>>,
        bound: &mut BTreeSet<String>,
    ) -> Vec<Capture> {
        let mut captures = Vec::new();
        for (variable, entry) in entries {
            let from = match &entry.value {
                CaptureEntry::Json(path) => match serde_json_path::JsonPath::parse(path) {
                    Ok(_) => Some(CaptureFrom::Body(path.clone())),
                    Err(error) => {
                        let message = format!("`{path}` is not a JSON path (RFC 9535): {error}");
                        self.error(entry.referenced, message);
                        None
                    }
                },
                CaptureEntry::Header(name) => match HeaderName::from_bytes(name.as_bytes()) {
                    Ok(name) => Some(CaptureFrom::Header(name)),
                    Err(_) => {
                        self.error(entry.referenced, format!("`{name}` is not a header name"));
                        None
                    }
                },
            };
            // Bound even when malformed, so that one mistake is one error.
            bound.insert(variable.clone());
            captures.extend(from.map(|from| Capture { variable: variable.clone(), from }));
        }
        captures
    }

    fn expected(&mut self, expect: &ExpectEntry) -> Option<StatusCode> {
        let status = StatusCode::from_u16(expect.status.value).ok().filter(|status| status.as_u16() < 600);
        if status.is_none() {
            let message = format!("{} is not a status: expected 100 to 599", expect.status.value);
            self.error(expect.status.referenced, message);
        }
        status
    }
}
