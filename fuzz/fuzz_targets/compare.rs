//! Any two bodies of any media type and coding, under rules: never a panic, the same answer twice, and a body matches
//! itself.

#![no_main]

use std::sync::LazyLock;
use std::time::Duration;

use bytes::Bytes;
use diff_harness::compare::{Comparator, Limits};
use diff_harness::comparison::{Judgement, Verdict};
use diff_harness::endpoint::EndpointId;
use diff_harness::exchange::{CapturedBody, Observation, Outcome, Request, Response};
use diff_harness::rules::Rules;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use libfuzzer_sys::fuzz_target;

const TYPES: [&str; 6] = [
    "application/json",
    "application/x-ndjson",
    "application/x-www-form-urlencoded",
    "text/html; charset=iso-8859-1",
    "text/plain",
    "image/png",
];

const CODINGS: [&str; 5] = ["gzip", "deflate", "br", "zstd", "br, gzip"];

const RULES: &str = r#"
[[rules]]
id = "at"
path = "$..at"
action = "format"
format = "timestamp"
reason = "fuzzing"

[[rules]]
id = "list"
path = "$.list[::2]"
action = "unordered"
reason = "fuzzing"

[[rules]]
id = "keyed"
path = "$[*].l"
action = "keyed"
by = "id"
reason = "fuzzing"

[[rules]]
id = "first"
path = "$[0]"
action = "ignore"
reason = "fuzzing"
"#;

static COMPARATOR: LazyLock<Comparator> = LazyLock::new(|| {
    let rules = Rules::parse(RULES, "rules.toml").expect("the rules are right");
    Comparator::new(rules, Limits { decoded_bytes_max: 1 << 18, value_bytes_max: 64, ..Limits::default() })
});

fuzz_target!(|input: (u8, u8, &[u8], &[u8])| {
    let (kinds, codings, control, candidate) = input;
    let endpoint = EndpointId::new(Method::GET, "/x");
    let request = Request {
        method: Method::GET,
        target: "/x".to_owned(),
        headers: HeaderMap::new(),
        body: CapturedBody::empty(),
    };
    let control = observation(kinds & 0x0f, codings & 0x0f, control);
    let candidate = observation(kinds >> 4, codings >> 4, candidate);
    let judgement = COMPARATOR.compare(&endpoint, &request, &control, &candidate);
    assert_eq!(judgement, COMPARATOR.compare(&endpoint, &request, &control, &candidate));
    match COMPARATOR.compare(&endpoint, &request, &control, &control) {
        Judgement::Compared(comparison) => assert_eq!(comparison.verdict(), Verdict::Match),
        Judgement::Skipped(reason) => panic!("skipped: {}", reason.as_str()),
    }
});

fn observation(kind: u8, coding: u8, body: &[u8]) -> Observation {
    let mut headers = HeaderMap::new();
    if let Some(name) = TYPES.get(usize::from(kind)) {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(name));
    }
    if let Some(name) = CODINGS.get(usize::from(coding)) {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static(name));
    }
    let body = CapturedBody::Whole(Bytes::copy_from_slice(body));
    let response = Response { status: StatusCode::OK, headers, body };
    Observation { outcome: Outcome::Response(response), latency: Duration::ZERO }
}
