//! The request target and the headers.

use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::Redaction;
use super::form::decoded;

impl Redaction<'_> {
    /// Path and query. A path segment is secret when the template's parameter there is.
    pub(super) fn target(&self, target: &str, template: &str) -> String {
        let (path, query) =
            target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
        let path = self.scrub(&self.path(path, template)).into_owned();
        match query {
            None => path,
            Some(query) => format!("{path}?{}", self.pairs(query, |name| self.rules.query.contains(name))),
        }
    }

    fn path(&self, path: &str, template: &str) -> String {
        let names = template.split('/');
        if names.clone().count() != path.split('/').count() {
            return path.to_owned();
        }
        let clean = |(segment, name): (&str, &str)| {
            let parameter = name.strip_prefix('{').and_then(|name| name.strip_suffix('}'));
            match parameter {
                Some(name) if self.rules.query.contains(name) => self.hide(&decoded(segment)),
                _ => segment.to_owned(),
            }
        };
        path.split('/').zip(names).map(clean).collect::<Vec<_>>().join("/")
    }

    pub(super) fn headers(&self, headers: &mut HeaderMap) {
        for (name, value) in headers.iter_mut() {
            let text = String::from_utf8_lossy(value.as_bytes()).into_owned();
            let clean = self.header(name, &text);
            if clean != text {
                *value = HeaderValue::from_bytes(clean.as_bytes())
                    .unwrap_or_else(|_| HeaderValue::from_static("<redacted>"));
            }
        }
    }

    fn header(&self, name: &HeaderName, text: &str) -> String {
        match name {
            &COOKIE => self.cookies(text),
            &SET_COOKIE => self.set_cookie(text),
            name if self.rules.headers.contains(name.as_str()) => self.credentials(name.as_str(), text),
            _ => self.text(text),
        }
    }

    /// A value of a divergence in a header.
    pub(super) fn header_value(&self, name: &str, text: &str) -> String {
        match name {
            "set-cookie" => self.cookie_facts(text),
            name if self.rules.headers.contains(name) => self.credentials(name, text),
            _ => self.text(text),
        }
    }

    /// Cookies and their attributes, of several headers in one text.
    fn cookie_facts(&self, text: &str) -> String {
        const ATTRIBUTES: [&str; 6] = ["path", "domain", "expires", "max-age", "samesite", "priority"];
        let clean = |fact: &str| match fact.split_once('=') {
            Some((name, _)) if ATTRIBUTES.iter().any(|known| name.trim().eq_ignore_ascii_case(known)) => {
                fact.to_owned()
            }
            _ if fact.contains('=') => self.cookie(fact),
            _ => self.scrub(fact).into_owned(),
        };
        let cookies =
            text.split(',').map(|cookie| cookie.split(';').map(clean).collect::<Vec<_>>().join(";"));
        cookies.collect::<Vec<_>>().join(",")
    }

    fn shows(&self, cookie: &str) -> bool {
        self.rules.shown_cookies.iter().any(|shown| shown == cookie)
    }

    /// RFC 9110 §11.4: a scheme, which is no secret, and credentials.
    fn credentials(&self, header: &str, text: &str) -> String {
        match text.split_once(' ') {
            Some((scheme, secret)) if header.ends_with("authorization") => {
                format!("{scheme} {}", self.hide(secret.trim()))
            }
            _ => self.hide(text),
        }
    }

    /// RFC 6265 §4.2.1.
    fn cookies(&self, text: &str) -> String {
        text.split(';').map(|pair| self.cookie(pair)).collect::<Vec<_>>().join(";")
    }

    /// RFC 6265 §4.1.1: the first pair is the cookie, the others its attributes.
    fn set_cookie(&self, text: &str) -> String {
        match text.split_once(';') {
            Some((pair, attributes)) => format!("{};{attributes}", self.cookie(pair)),
            None => self.cookie(text),
        }
    }

    fn cookie(&self, pair: &str) -> String {
        match pair.split_once('=') {
            Some((name, _)) if self.shows(name.trim()) => pair.to_owned(),
            Some((name, "")) => format!("{name}="),
            Some((name, value)) => format!("{name}={}", self.hide(value.trim())),
            None if pair.trim().is_empty() => pair.to_owned(),
            None => self.hide(pair.trim()),
        }
    }
}
