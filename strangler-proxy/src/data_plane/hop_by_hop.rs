//! Fields that are for one connection only (RFC 9110 §7.6.1), taken out before a message goes on.

use http::header::{
    CONNECTION, CONTENT_LENGTH, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::shadow::SHADOW_HEADER;

/// What a request wanted of its connection.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Wishes {
    /// `Upgrade`, if Connection names it.
    pub(super) upgrade: Option<HeaderValue>,
    /// `TE: trailers`.
    pub(super) trailers: bool,
    /// The body is chunked, on this connection.
    pub(super) chunked: bool,
    /// The client waits to be asked for the body. The field itself goes on.
    pub(super) expect: bool,
}

impl Wishes {
    /// Whether a protocol that an upstream switches to was asked for.
    pub(super) fn wants(&self, protocol: &HeaderValue) -> bool {
        self.upgrade.as_ref().is_some_and(|asked| lists(asked, protocol.as_bytes().trim_ascii()))
    }
}

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");

/// Cannot be taken out by naming them in Connection. They are for every recipient, so that naming them is an error
/// (RFC 9110 §7.6.1) or an attempt to make the upstream see another request than the proxy has judged.
const KEPT: [&str; 22] = [
    "authorization",
    "cache-control",
    "content-encoding",
    "content-language",
    "content-length",
    "content-location",
    "content-range",
    "content-type",
    "cookie",
    "date",
    "etag",
    "expect",
    "forwarded",
    "host",
    "location",
    "max-forwards",
    "range",
    "set-cookie",
    "transfer-encoding",
    "vary",
    "via",
    "x-request-id",
];

/// Which of them a message has. One look over the names is cheaper than asking for each.
#[derive(Default)]
struct Found {
    connection: bool,
    te: bool,
    upgrade: bool,
    transfer_encoding: bool,
    expect: bool,
    shadow: bool,
    /// Those that are only ever taken out.
    others: bool,
}

const OTHERS: [HeaderName; 4] = [KEEP_ALIVE, PROXY_CONNECTION, PROXY_AUTHORIZATION, PROXY_AUTHENTICATE];

/// Takes them out of a request, and with them the mark of a shadow, which is for the proxy alone to set.
pub(super) fn strip_request(headers: &mut HeaderMap) -> Wishes {
    let found = Found::of(headers);
    let mut wishes = Wishes { expect: found.expect, ..Wishes::default() };
    if found.te {
        wishes.trailers = headers.remove(TE).is_some_and(|te| lists(&te, b"trailers"));
    }
    if found.connection {
        let connection = take_connection(headers);
        if found.upgrade && names(&connection, b"upgrade") {
            wishes.upgrade = headers.remove(UPGRADE).filter(may_be_switched_to);
        }
        remove_nominated(headers, &connection);
    }
    if found.upgrade {
        headers.remove(UPGRADE);
    }
    if found.transfer_encoding {
        wishes.chunked = headers.remove(TRANSFER_ENCODING).is_some();
    }
    if found.shadow {
        headers.remove(SHADOW_HEADER);
    }
    found.remove_others(headers);
    wishes
}

/// Takes them out of a response, whose framing is made anew. Gives the protocol it switches to, if any.
pub(crate) fn strip_response(headers: &mut HeaderMap) -> Option<HeaderValue> {
    let found = Found::of(headers);
    if found.connection {
        let connection = take_connection(headers);
        remove_nominated(headers, &connection);
    }
    if found.transfer_encoding {
        headers.remove(TRANSFER_ENCODING);
        // RFC 9112 §6.3: Transfer-Encoding overrides it, and both must not go on.
        headers.remove(CONTENT_LENGTH);
    }
    found.remove_others(headers);
    if found.upgrade { headers.remove(UPGRADE) } else { None }
}

impl Found {
    fn of(headers: &HeaderMap) -> Self {
        let mut found = Self::default();
        for name in headers.keys() {
            match name.as_str() {
                "connection" => found.connection = true,
                "te" => found.te = true,
                "upgrade" => found.upgrade = true,
                "transfer-encoding" => found.transfer_encoding = true,
                "expect" => found.expect = true,
                "keep-alive" | "proxy-connection" | "proxy-authorization" | "proxy-authenticate" => {
                    found.others = true;
                }
                _ if *name == SHADOW_HEADER => found.shadow = true,
                _ => {}
            }
        }
        found
    }

    fn remove_others(&self, headers: &mut HeaderMap) {
        if self.others {
            for name in OTHERS {
                headers.remove(name);
            }
        }
    }
}

/// What Connection says beyond what connections do anyway; the field itself is taken out.
fn take_connection(headers: &mut HeaderMap) -> Vec<HeaderValue> {
    let http::header::Entry::Occupied(lines) = headers.entry(CONNECTION) else { return Vec::new() };
    let plain = |line: &[u8]| line.eq_ignore_ascii_case(b"keep-alive") || line.eq_ignore_ascii_case(b"close");
    let (_, lines) = lines.remove_entry_mult();
    lines.filter(|line| !plain(line.as_bytes())).collect()
}

fn remove_nominated(headers: &mut HeaderMap, connection: &[HeaderValue]) {
    const USUAL: [&[u8]; 4] = [b"close", b"keep-alive", b"upgrade", b"te"];
    for name in connection.iter().flat_map(elements) {
        if USUAL.iter().any(|usual| name.eq_ignore_ascii_case(usual)) {
            continue;
        }
        if let Ok(name) = HeaderName::from_bytes(name)
            && !KEPT.contains(&name.as_str())
            && !name.as_str().starts_with("x-forwarded-")
        {
            headers.remove(name);
        }
    }
}

/// Whether a client that asks for it may get it: protocols (RFC 9110 §7.8), none of which carries HTTP, since requests
/// that are sent after the switch would pass the proxy unseen. Servers read a malformed list in ways of their own, so
/// that it is no wish at all; an Upgrade may always be ignored.
fn may_be_switched_to(upgrade: &HeaderValue) -> bool {
    const OF_HTTP: [&[u8]; 4] = [b"h2c", b"h2", b"http", b"tls"];
    elements(upgrade).all(|protocol| {
        // A name and perhaps a version, both tokens, as the names of fields are.
        protocol.splitn(2, |byte| *byte == b'/').all(|part| {
            let is_of_http = OF_HTTP.iter().any(|http| part.eq_ignore_ascii_case(http));
            !is_of_http && HeaderName::from_bytes(part).is_ok()
        })
    })
}

fn names(connection: &[HeaderValue], option: &[u8]) -> bool {
    connection.iter().any(|line| lists(line, option))
}

fn lists(line: &HeaderValue, wanted: &[u8]) -> bool {
    elements(line).any(|element| element.eq_ignore_ascii_case(wanted))
}

/// The elements of a list (RFC 9110 §5.6.1), as bytes: one that is no text does not hide those beside it.
fn elements(line: &HeaderValue) -> impl Iterator<Item = &[u8]> {
    line.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii).filter(|element| !element.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(fields: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, HeaderValue::from_static(value));
        }
        headers
    }

    fn left(headers: &HeaderMap) -> Vec<&str> {
        headers.keys().map(HeaderName::as_str).collect()
    }

    #[test]
    fn every_line_of_connection_nominates() {
        let mut request = headers(&[
            ("connection", "close, X-One"),
            ("connection", "x-two ,, KEEP-ALIVE"),
            ("x-one", "1"),
            ("x-two", "2"),
            ("x-three", "3"),
            ("keep-alive", "timeout=5"),
            ("proxy-connection", "keep-alive"),
            ("proxy-authorization", "Basic x"),
            ("te", "gzip"),
            ("upgrade", "websocket"),
        ]);
        assert_eq!(strip_request(&mut request), Wishes::default());
        assert_eq!(left(&request), ["x-three"]);
    }

    #[test]
    fn what_everyone_must_see_cannot_be_nominated() {
        let fields = [
            ("connection", "host, cookie, x-forwarded-for, Authorization, content-length, via, x-request-id"),
            ("host", "a"),
            ("cookie", "a=b"),
            ("x-forwarded-for", "192.0.2.1"),
            ("authorization", "Bearer x"),
            ("content-length", "3"),
            ("via", "1.1 a"),
            ("x-request-id", "1"),
        ];
        let mut request = headers(&fields);
        strip_request(&mut request);
        assert_eq!(request, headers(&fields[1..]));
    }

    #[test]
    fn the_list_of_what_stays_is_sorted_and_lowercase() {
        assert!(KEPT.is_sorted());
        assert!(KEPT.iter().all(|name| *name == name.to_ascii_lowercase()));
    }

    #[test]
    fn an_upgrade_is_a_wish_only_when_connection_names_it() {
        let upgrade = |connection: &'static str, to: &'static str| {
            strip_request(&mut headers(&[("connection", connection), ("upgrade", to)])).upgrade
        };
        assert_eq!(upgrade("Upgrade", "websocket"), Some(HeaderValue::from_static("websocket")));
        assert_eq!(upgrade("keep-alive, upgrade", "x"), Some(HeaderValue::from_static("x")));
        assert_eq!(upgrade("close", "websocket"), None);
    }

    #[test]
    fn what_would_hide_requests_or_is_no_list_of_protocols_is_no_wish() {
        let upgrade = |to: &[u8]| {
            let mut headers = headers(&[("connection", "upgrade")]);
            headers.insert("upgrade", HeaderValue::from_bytes(to).unwrap());
            strip_request(&mut headers).upgrade
        };
        for to in [&b"websocket"[..], b"websocket, x/1.0", b"IRC/6.9,", b"x"] {
            assert_eq!(upgrade(to).as_ref().map(HeaderValue::as_bytes), Some(to), "{}", to.escape_ascii());
        }
        for to in [
            &b"h2c"[..],
            b"websocket, H2C",
            b"h2",
            b"HTTP/2.0",
            b"TLS/1.0, HTTP/1.1",
            b"websocke\xf8, h2c",
            b"websocket h2c",
            b"websocket;h2c",
            b"websocket/1/2",
            b"websocket/",
        ] {
            assert_eq!(upgrade(to), None, "{}", to.escape_ascii());
        }
    }

    #[test]
    fn an_option_that_is_no_text_hides_none_beside_it() {
        let mut request = headers(&[("x-one", "1")]);
        request.insert("connection", HeaderValue::from_bytes(b"x-one, \xff").unwrap());
        strip_request(&mut request);
        assert!(request.is_empty());
    }

    #[test]
    fn of_te_only_the_wish_for_trailers_is_kept() {
        for (te, wanted) in [("trailers", true), ("gzip, Trailers", true), ("gzip", false)] {
            let mut request = headers(&[("te", te), ("connection", "te")]);
            assert_eq!(strip_request(&mut request).trailers, wanted, "{te}");
            assert!(request.is_empty());
        }
    }

    #[test]
    fn a_response_keeps_one_framing() {
        let mut both =
            headers(&[("transfer-encoding", "chunked"), ("content-length", "3"), ("trailer", "x")]);
        strip_response(&mut both);
        assert_eq!(left(&both), ["trailer"]);
        let mut one = headers(&[("content-length", "3"), ("connection", "close, x-a"), ("x-a", "")]);
        strip_response(&mut one);
        assert_eq!(left(&one), ["content-length"]);
    }
}
