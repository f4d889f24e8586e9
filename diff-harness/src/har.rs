//! HAR files, the record of what a browser or a proxy sent.
//!
//! The reading is our own: browsers write much that typed readers refuse (missing timings, lone surrogates in bodies).
//! What is not needed is skipped unread, so that a file full of bodies takes little room.

use std::borrow::Cow;
use std::fmt;

use http::uri::Authority;
use serde::Deserialize;
use serde::de::{self, DeserializeOwned, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// `R` is what is read of a request.
#[derive(Deserialize)]
pub struct Har<R> {
    pub log: Log<R>,
}

#[derive(Deserialize)]
pub struct Log<R> {
    pub entries: Vec<Entry<R>>,
}

#[derive(Deserialize)]
pub struct Entry<R> {
    pub request: R,
    #[serde(default)]
    pub response: Option<Received>,
}

#[derive(Deserialize)]
pub struct Received {
    #[serde(default)]
    pub status: Status,
}

/// What stands for a status: requests that were aborted have 0, -1, null or a text.
#[derive(Clone, Copy, Default)]
pub struct Status(u16);

/// # Errors
/// Says where in the text it is not a HAR file. A byte order mark is none.
pub fn read<R: DeserializeOwned>(text: &str) -> Result<Har<R>, serde_json::Error> {
    serde_json::from_str(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// The host, and path with query, of an HTTP url. Without a path it is `/` (RFC 9110 §4.2.3).
pub fn split(url: &str) -> Option<(&str, Cow<'_, str>)> {
    let (scheme, rest) = url.split_once("://")?;
    if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
        return None;
    }
    let rest = rest.split('#').next()?;
    let (authority, target) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    if host.is_empty() {
        return None;
    }
    let target =
        if target.starts_with('/') { Cow::Borrowed(target) } else { Cow::Owned(format!("/{target}")) };
    Some((host, target))
}

/// Whether a host of a url is one of those that are wanted, which may leave out its port, in any case.
pub fn is_wanted(host: &str, wanted: &[String]) -> bool {
    let authority = Authority::try_from(host).ok();
    let name = authority.as_ref().map_or(host, Authority::host);
    wanted.iter().any(|wanted| wanted.eq_ignore_ascii_case(host) || wanted.eq_ignore_ascii_case(name))
}

impl Status {
    /// 0 for what is none.
    pub fn code(self) -> u16 {
        self.0
    }
}

impl<'de> Deserialize<'de> for Status {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StatusVisitor)
    }
}

struct StatusVisitor;

impl<'de> Visitor<'de> for StatusVisitor {
    type Value = Status;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a status")
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Status, E> {
        Ok(Status(u16::try_from(value).unwrap_or(0)))
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<Status, E> {
        Ok(Status(0))
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Status, E> {
        Ok(Status(0))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Status, E> {
        Ok(Status(text.parse().unwrap_or(0)))
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<Status, E> {
        Ok(Status(0))
    }

    fn visit_unit<E: de::Error>(self) -> Result<Status, E> {
        Ok(Status(0))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Status, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Status(0))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Status, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Status(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_stands_for_a_status_is_one_or_none() {
        for (text, code) in [
            ("200", 200),
            ("\"404\"", 404),
            ("-1", 0),
            ("70000", 0),
            ("2.5", 0),
            ("null", 0),
            ("true", 0),
            ("\"\"", 0),
            ("[1, {}]", 0),
            ("{\"a\": []}", 0),
        ] {
            assert_eq!(serde_json::from_str::<Status>(text).unwrap().code(), code, "{text}");
        }
    }

    #[test]
    fn a_url_is_split_into_its_host_and_its_target() {
        for (url, parts) in [
            ("https://api.test/a?b=c#d", Some(("api.test", "/a?b=c"))),
            ("HTTP://me:pass@api.test:80/a", Some(("api.test:80", "/a"))),
            ("http://api.test", Some(("api.test", "/"))),
            ("http://api.test?b=c", Some(("api.test", "/?b=c"))),
            ("http://[::1]:80#d", Some(("[::1]:80", "/"))),
            ("http:///a", None),
            ("wss://api.test/a", None),
            ("/a", None),
        ] {
            assert_eq!(split(url), parts.map(|(host, target)| (host, target.into())), "{url}");
        }
    }

    #[test]
    fn a_host_is_wanted_with_its_port_or_without() {
        for (host, wanted, is) in [
            ("api.test:80", "API.test", true),
            ("Api.test:80", "api.test:80", true),
            ("api.test", "api.test:80", false),
            ("[::1]:80", "[::1]", true),
            ("[::1]", "[::1]", true),
            ("[::1]", "[:", false),
            ("other.test", "api.test", false),
        ] {
            assert_eq!(is_wanted(host, &[wanted.to_owned()]), is, "{host} {wanted}");
        }
    }
}
