//! What the proxy answers by itself, and how often.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use bytes::Bytes;
use diff_harness::exchange::Side;
use http::header::{ALLOW, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};

use super::request_id::X_REQUEST_ID;
use super::response_body::ResponseBody;
use crate::routes::AmbiguousPath;

/// Why a request got no answer from an upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Not a request head by RFC 9112.
    Malformed,
    HeadTimeout,
    HeadTooLarge,
    TargetTooLong,
    /// Both Content-Length and Transfer-Encoding: two servers may see two requests in it (RFC 9112 §6.3).
    TwoLengths,
    /// A Transfer-Encoding other than chunked alone (RFC 9112 §6.1).
    TransferCoding,
    HostMissing,
    HostRepeated,
    HostInvalid,
    /// `:authority` and Host of HTTP/2 are not the same (RFC 9113 §8.3.1).
    HostDisagrees,
    Path(AmbiguousPath),
    Trace,
    Connect,
    /// An expectation other than 100-continue (RFC 9110 §10.1.1).
    Expectation,
    MaxForwards,
    BodyTooLarge,
    BodyTimeout,
    BodyBroken,
    /// As many requests are in progress as may be.
    Overloaded,
    /// As many connections are tunnels, or may become one, as may be.
    Tunnels,
    /// No connection to the upstream could be made.
    Unreachable,
    /// All connections to the upstream are in use, and as many requests wait as may.
    Busy,
    UpstreamTimeout,
    /// The upstream closed the connection before its response head was whole.
    UpstreamClosed,
    /// What the upstream sent is not HTTP, or over a limit.
    UpstreamProtocol,
    /// A candidate should have answered and none is configured.
    NoCandidate,
}

/// How often each kind of refusal was given, and how often a response broke off.
#[derive(Debug)]
pub struct RefusalCounts {
    refused: [AtomicU64; Refusal::ALL.len()],
    broken_off: AtomicU64,
    clients_left: AtomicU64,
    told: Told,
}

/// When each kind was last told to the log. An outage, or a client that means harm, makes thousands of them.
#[derive(Debug)]
struct Told {
    start: Instant,
    /// In milliseconds since then; the last ones are of responses that broke off, and of clients that left.
    last: [AtomicU64; Refusal::ALL.len() + 2],
}

impl Refusal {
    /// All there are; ambiguous paths by one of them, as they are counted by their own reasons too.
    pub const ALL: [Self; 39] = all();

    pub fn status(self) -> StatusCode {
        match self {
            Self::Malformed
            | Self::TwoLengths
            | Self::HostMissing
            | Self::HostRepeated
            | Self::HostInvalid
            | Self::HostDisagrees
            | Self::Path(_)
            | Self::BodyBroken => StatusCode::BAD_REQUEST,
            Self::HeadTimeout | Self::BodyTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::HeadTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::TargetTooLong => StatusCode::URI_TOO_LONG,
            Self::Trace | Self::Connect => StatusCode::METHOD_NOT_ALLOWED,
            Self::Expectation => StatusCode::EXPECTATION_FAILED,
            // Not a failure: the proxy is the last recipient that the client allowed (RFC 9110 §7.6.2).
            Self::MaxForwards => StatusCode::NO_CONTENT,
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TransferCoding => StatusCode::NOT_IMPLEMENTED,
            Self::Unreachable | Self::UpstreamClosed | Self::UpstreamProtocol | Self::NoCandidate => {
                StatusCode::BAD_GATEWAY
            }
            Self::Busy | Self::Overloaded | Self::Tunnels => StatusCode::SERVICE_UNAVAILABLE,
            Self::UpstreamTimeout => StatusCode::GATEWAY_TIMEOUT,
        }
    }

    /// The word under which it is counted.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::HeadTimeout => "head_timeout",
            Self::HeadTooLarge => "head_too_large",
            Self::TargetTooLong => "target_too_long",
            Self::TwoLengths => "two_lengths",
            Self::TransferCoding => "transfer_coding",
            Self::HostMissing => "host_missing",
            Self::HostRepeated => "host_repeated",
            Self::HostInvalid => "host_invalid",
            Self::HostDisagrees => "host_disagrees",
            Self::Path(path) => path.reason(),
            Self::Trace => "trace",
            Self::Connect => "connect",
            Self::Expectation => "expectation",
            Self::MaxForwards => "max_forwards",
            Self::BodyTooLarge => "body_too_large",
            Self::BodyTimeout => "body_timeout",
            Self::BodyBroken => "body_broken",
            Self::Overloaded => "overloaded",
            Self::Tunnels => "tunnels",
            Self::Unreachable => "unreachable",
            Self::Busy => "busy",
            Self::UpstreamTimeout => "upstream_timeout",
            Self::UpstreamClosed => "upstream_closed",
            Self::UpstreamProtocol => "upstream_protocol",
            Self::NoCandidate => "no_candidate",
        }
    }

    /// One sentence for whoever reads the response. It says nothing of what stands behind the proxy.
    fn detail(self) -> String {
        let sentence = match self {
            Self::Malformed => "the request head is not HTTP/1.1",
            Self::HeadTimeout => "the request head did not arrive in time",
            Self::HeadTooLarge => "the request head is too large",
            Self::TargetTooLong => "the request target is too long",
            Self::TwoLengths => "the request has both Content-Length and Transfer-Encoding",
            Self::TransferCoding => "chunked is the only transfer coding that is known here",
            Self::HostMissing => "the request has no Host field",
            Self::HostRepeated => "the request has more than one Host field",
            Self::HostInvalid => "the Host field is not a host and port",
            Self::HostDisagrees => "the Host field is not what :authority says",
            Self::Path(path) => return path.to_string(),
            Self::Trace => "TRACE is not allowed here",
            Self::Connect => "CONNECT is not allowed here",
            Self::Expectation => "100-continue is the only expectation that is met here",
            Self::MaxForwards => "Max-Forwards was used up",
            Self::BodyTooLarge => "the request body is too large",
            Self::BodyTimeout => "the request body did not arrive in time",
            Self::BodyBroken => "the request body is not what its head announced",
            Self::Unreachable | Self::NoCandidate => "the upstream could not be reached",
            Self::Overloaded => "too many requests are in progress",
            Self::Tunnels => "too many connections are upgraded",
            Self::Busy => "too many requests are waiting for the upstream",
            Self::UpstreamTimeout => "the upstream did not answer in time",
            Self::UpstreamClosed => "the upstream closed the connection before it answered",
            Self::UpstreamProtocol => "the upstream did not answer in HTTP",
        };
        sentence.to_owned()
    }

    /// After these the connection is not used again: where the next request begins is not known, or not worth
    /// reading up to.
    fn closes(self) -> bool {
        matches!(
            self,
            Self::Malformed
                | Self::HeadTimeout
                | Self::HeadTooLarge
                | Self::TargetTooLong
                | Self::TwoLengths
                | Self::TransferCoding
                | Self::Connect
                | Self::BodyTooLarge
                | Self::BodyTimeout
                | Self::BodyBroken
        )
    }

    pub(super) fn response(self, id: HeaderValue) -> Response<ResponseBody> {
        let mut response = Response::new(ResponseBody::EMPTY);
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        match self {
            Self::MaxForwards => {
                headers.insert(ALLOW, HeaderValue::from_static("GET, HEAD, OPTIONS"));
            }
            Self::Trace | Self::Connect => {
                headers.insert(ALLOW, HeaderValue::from_static(ALLOWED));
            }
            Self::Busy | Self::Overloaded | Self::Tunnels => {
                headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
            }
            _ => {}
        }
        if self.closes() {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        if self.status() != StatusCode::NO_CONTENT {
            let body = self.problem(&id);
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM));
            headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
            *response.body_mut() = ResponseBody::Whole(Some(body));
        }
        response.headers_mut().insert(X_REQUEST_ID, id);
        response
    }

    /// The same as bytes, where no request was read that the library could answer.
    pub(super) fn to_bytes(self, id: HeaderValue) -> Vec<u8> {
        let response = self.response(id);
        let status = response.status();
        let reason = status.canonical_reason().unwrap_or_default();
        let mut bytes = format!("HTTP/1.1 {} {reason}\r\n", status.as_str()).into_bytes();
        for (name, value) in response.headers() {
            bytes.extend_from_slice(&[name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
        }
        bytes.extend_from_slice(b"\r\n");
        if let ResponseBody::Whole(Some(body)) = response.into_body() {
            bytes.extend_from_slice(&body);
        }
        bytes
    }

    /// RFC 9457. No part of the request is in it, so that nothing needs escaping.
    fn problem(self, id: &HeaderValue) -> Bytes {
        let status = self.status();
        let problem = serde_json::json!({
            "title": status.canonical_reason(),
            "status": status.as_u16(),
            "detail": self.detail(),
            "reason": self.reason(),
            "request_id": id.to_str().unwrap_or_default(),
        });
        Bytes::from(problem.to_string())
    }

    fn place(self) -> usize {
        Self::ALL.iter().position(|known| *known == self).expect("ALL has every refusal")
    }
}

const PROBLEM: &str = "application/problem+json";
const ALLOWED: &str = "GET, HEAD, OPTIONS, POST, PUT, PATCH, DELETE";

const fn all() -> [Refusal; 39] {
    use Refusal::{
        BodyBroken, BodyTimeout, BodyTooLarge, Busy, Connect, Expectation, HeadTimeout, HeadTooLarge,
        HostDisagrees, HostInvalid, HostMissing, HostRepeated, Malformed, MaxForwards, NoCandidate,
        Overloaded, TargetTooLong, Trace, TransferCoding, Tunnels, TwoLengths, Unreachable, UpstreamClosed,
        UpstreamProtocol, UpstreamTimeout,
    };
    let mut all = [Malformed; 39];
    let others = [
        Malformed,
        HeadTimeout,
        HeadTooLarge,
        TargetTooLong,
        TwoLengths,
        TransferCoding,
        HostMissing,
        HostRepeated,
        HostInvalid,
        HostDisagrees,
        Trace,
        Connect,
        Expectation,
        MaxForwards,
        BodyTooLarge,
        BodyTimeout,
        BodyBroken,
        Overloaded,
        Tunnels,
        Unreachable,
        Busy,
        UpstreamTimeout,
        UpstreamClosed,
        UpstreamProtocol,
        NoCandidate,
    ];
    let mut at = 0;
    while at < others.len() {
        all[at] = others[at];
        at += 1;
    }
    let mut path = 0;
    while path < AmbiguousPath::ALL.len() {
        all[at] = Refusal::Path(AmbiguousPath::ALL[path]);
        at += 1;
        path += 1;
    }
    assert!(at == 39, "the length of ALL is not the number of refusals");
    all
}

impl Default for RefusalCounts {
    fn default() -> Self {
        let last = [const { AtomicU64::new(0) }; Refusal::ALL.len() + 2];
        Self {
            refused: [const { AtomicU64::new(0) }; Refusal::ALL.len()],
            broken_off: AtomicU64::new(0),
            clients_left: AtomicU64::new(0),
            told: Told { start: Instant::now(), last },
        }
    }
}

impl RefusalCounts {
    /// Counts it, and tells the log of it: of each kind once a second at most, with how many there were so far.
    pub(super) fn count(&self, refusal: Refusal, id: &HeaderValue) {
        let place = refusal.place();
        let so_far = self.refused[place].fetch_add(1, Ordering::Relaxed) + 1;
        if !self.told.is_due(place) {
            return;
        }
        let (status, reason, id) =
            (refusal.status().as_u16(), refusal.reason(), id.to_str().unwrap_or_default());
        if refusal.status().is_server_error() {
            tracing::warn!(request = id, status, reason, so_far, "a request was not answered by an upstream");
        } else {
            tracing::info!(request = id, status, reason, so_far, "a request was refused");
        }
    }

    /// The same for a response that did not come to its end.
    pub(super) fn broke_off(&self, side: Side, id: &HeaderValue, why: &dyn std::error::Error) {
        let so_far = self.broken_off.fetch_add(1, Ordering::Relaxed) + 1;
        if self.told.is_due(Refusal::ALL.len()) {
            let (id, side) = (id.to_str().unwrap_or_default(), side.as_str());
            tracing::warn!(request = id, side, why = %why, so_far, "a response broke off on its way to the client");
        }
    }

    /// The same for a client that left before it had its response.
    pub(super) fn client_left(&self, id: &HeaderValue) {
        let so_far = self.clients_left.fetch_add(1, Ordering::Relaxed) + 1;
        if self.told.is_due(Refusal::ALL.len() + 1) {
            let id = id.to_str().unwrap_or_default();
            tracing::info!(request = id, so_far, "a client left before it had its response");
        }
    }

    pub fn of(&self, refusal: Refusal) -> u64 {
        self.refused[refusal.place()].load(Ordering::Relaxed)
    }

    /// Responses of which the client got a part: the upstream broke off, paused for too long, or sent what is not HTTP.
    pub fn broken_off(&self) -> u64 {
        self.broken_off.load(Ordering::Relaxed)
    }

    /// Requests whose client left before it had its response.
    pub fn clients_left(&self) -> u64 {
        self.clients_left.load(Ordering::Relaxed)
    }

    /// By the word of the reason; only those that occurred.
    pub fn by_reason(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let counts = Refusal::ALL.into_iter().map(|refusal| (refusal.reason(), self.of(refusal)));
        counts.filter(|(_, count)| *count > 0)
    }
}

impl Told {
    /// Whether the last one of this kind was long ago.
    fn is_due(&self, place: usize) -> bool {
        const EVERY: u64 = 1_000;
        // From one on, since zero is never.
        let now = self.start.elapsed().as_millis() as u64 + 1;
        let last = self.last[place].load(Ordering::Relaxed);
        let is_due = last == 0 || now >= last + EVERY;
        is_due && self.last[place].compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_refusal_is_counted_under_a_word_of_its_own() {
        let counts = RefusalCounts::default();
        for refusal in Refusal::ALL {
            counts.count(refusal, &HeaderValue::from_static("id"));
        }
        let words: BTreeSet<_> = counts.by_reason().collect();
        assert_eq!(words.len(), Refusal::ALL.len());
        assert!(words.iter().all(|(_, count)| *count == 1), "{words:?}");
    }

    #[test]
    fn a_refusal_says_what_it_is_and_to_which_request() {
        let bytes = Refusal::Busy.to_bytes(HeaderValue::from_static("id-1"));
        let text = String::from_utf8(bytes).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 503 Service Unavailable\r\n"), "{head}");
        for field in ["retry-after: 1", "content-type: application/problem+json", "x-request-id: id-1"] {
            assert!(head.contains(field), "{head}");
        }
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(
            (&body["status"], &body["reason"], &body["request_id"]),
            (&503.into(), &"busy".into(), &"id-1".into())
        );
    }
}
