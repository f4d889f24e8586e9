//! What a header says, apart from how it is written: parts and their values.

use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LANGUAGE, CONTENT_RANGE, ETAG, LINK, LOCATION,
    RETRY_AFTER, SET_COOKIE, VARY, WWW_AUTHENTICATE,
};
use http::{HeaderMap, HeaderName};

use crate::media::{split_outside_quotes, unquote};

/// The headers that carry meaning for a client, besides Content-Type.
pub(super) const MEANINGFUL: [HeaderName; 12] = [
    LOCATION,
    CACHE_CONTROL,
    VARY,
    LINK,
    WWW_AUTHENTICATE,
    RETRY_AFTER,
    ALLOW,
    CONTENT_LANGUAGE,
    CONTENT_DISPOSITION,
    CONTENT_RANGE,
    SET_COOKIE,
    ETAG,
];

/// One thing that a header says: a directive, a cookie's attribute, a link's target. `part` names it when the header
/// has several; sorted by it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Fact {
    pub(super) part: Option<String>,
    pub(super) value: String,
}

/// All that a header says; nothing if it is absent. With `exact`, its value to the letter.
pub(super) fn facts(headers: &HeaderMap, name: &HeaderName, exact: bool) -> Vec<Fact> {
    let values: Vec<String> = headers
        .get_all(name)
        .iter()
        .map(|value| String::from_utf8_lossy(value.as_bytes()).trim().to_owned())
        .collect();
    if values.is_empty() {
        return Vec::new();
    }
    let joined = || values.join(", ");
    let mut facts = match *name {
        _ if exact => vec![whole(joined())],
        CACHE_CONTROL => items(&joined()).map(directive).collect(),
        VARY | ALLOW => items(&joined()).map(|item| part(canonical_token(name, item), "")).collect(),
        LINK => items(&joined()).map(link).collect(),
        SET_COOKIE => values.iter().flat_map(|value| cookie(value)).collect(),
        // Its value is made by each side; that there is one is a promise to caches.
        ETAG => vec![whole("present".to_owned())],
        CONTENT_LANGUAGE => vec![whole(joined().to_ascii_lowercase())],
        CONTENT_DISPOSITION => vec![whole(disposition(&joined()))],
        _ => vec![whole(joined())],
    };
    facts.sort();
    facts
}

fn whole(value: String) -> Fact {
    Fact { part: None, value }
}

fn part(part: impl Into<String>, value: impl Into<String>) -> Fact {
    Fact { part: Some(part.into()), value: value.into() }
}

fn items(list: &str) -> impl Iterator<Item = &str> {
    split_outside_quotes(list, b',').into_iter().map(str::trim).filter(|item| !item.is_empty())
}

/// Field names have no case, methods do.
fn canonical_token(name: &HeaderName, item: &str) -> String {
    if *name == VARY { item.to_ascii_lowercase() } else { item.to_owned() }
}

/// RFC 9111 §5.2: names without case, arguments as token or quoted-string.
fn directive(item: &str) -> Fact {
    let (name, value) = item.split_once('=').unwrap_or((item, ""));
    part(name.trim().to_ascii_lowercase(), unquote(value.trim()))
}

/// RFC 8288 §3: known by the relation; the target and the other parameters are its value.
fn link(item: &str) -> Fact {
    let mut pieces = split_outside_quotes(item, b';').into_iter().map(str::trim);
    let target = pieces.next().unwrap_or_default();
    let mut relation = String::new();
    let mut others = Vec::new();
    for piece in pieces.filter(|piece| !piece.is_empty()) {
        let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
        let (name, value) = (name.trim().to_ascii_lowercase(), unquote(value.trim()));
        if name == "rel" {
            relation = value.to_ascii_lowercase();
        } else {
            others.push(format!("; {name}={value}"));
        }
    }
    others.sort();
    part(format!("rel={relation}"), format!("{target}{}", others.concat()))
}

/// A cookie by its name and attributes. Values are secrets that each side makes by itself; an expiry date moves with
/// the clock, so only that there is one counts.
fn cookie(value: &str) -> Vec<Fact> {
    let mut pieces = value.split(';').map(str::trim);
    let name = pieces.next().unwrap_or_default().split('=').next().unwrap_or_default().trim();
    let mut facts = vec![part(name, "")];
    for attribute in pieces.filter(|piece| !piece.is_empty()) {
        let (key, value) = attribute.split_once('=').unwrap_or((attribute, ""));
        let key = key.trim().to_ascii_lowercase();
        let value = match key.as_str() {
            "expires" => "",
            "samesite" | "domain" => &value.trim().to_ascii_lowercase(),
            _ => value.trim(),
        };
        facts.push(part(format!("{name}; {key}"), value));
    }
    facts
}

fn disposition(value: &str) -> String {
    let mut pieces = split_outside_quotes(value, b';').into_iter().map(str::trim);
    let kind = pieces.next().unwrap_or_default().to_ascii_lowercase();
    let mut parameters: Vec<String> = pieces
        .filter(|piece| !piece.is_empty())
        .map(|piece| {
            let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
            format!("; {}={}", name.trim().to_ascii_lowercase(), unquote(value.trim()))
        })
        .collect();
    parameters.sort();
    format!("{kind}{}", parameters.concat())
}
