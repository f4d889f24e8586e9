//! Arbitrary and broken bodies through the whole comparator: never a panic, never a silent match. The same under
//! libFuzzer, for as long as one likes: `fuzz/fuzz_targets/compare.rs`.

use std::time::Duration;

use bytes::Bytes;
use fastrand::Rng;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method};

use super::*;
use crate::comparison::Verdict;
use crate::exchange::CapturedBody;

const CASES: u64 = 6000;

const TYPES: [&str; 9] = [
    "application/json",
    "application/hal+json; charset=utf-8",
    "application/x-ndjson",
    "application/x-www-form-urlencoded",
    "text/html; charset=iso-8859-1",
    "text/plain",
    "image/png",
    "text/event-stream",
    "what is this",
];

const CODINGS: [&str; 7] = ["identity", "gzip", "deflate", "br", "zstd", "br, gzip", "compress"];

const STATUSES: [u16; 9] = [200, 201, 204, 206, 302, 304, 404, 500, 101];

const SEEDS: [&[u8]; 10] = [
    b"",
    br#"{"id":1,"list":[{"id":1,"v":[1,2,3]},{"id":2,"v":null}],"at":"2024-05-01T10:00:00Z","n":1.50}"#,
    br#"[[[[1e999999999,-0]],{"a":{"a":{"a":[]}}}],"\ud83d\ude00\u0000"]"#,
    br#"["\ud800","lone"]"#,
    b"{\"a\":1}\n{\"a\":2}\r\n\n[3]\n",
    b"a=1&b=%C3%A9+x&a=2&&=&%ff=%",
    b"<html>\r\n<p>one</p>\n\n<p>two</p>\n</html>",
    b"\xff\xfe\x00\x01binary\x00",
    b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xab\xae\x05\x00\x43\xbf\xa6\xa3\x02\x00\x00\x00",
    b"\x28\xb5\x2f\xfd\x04\x00\x11\x00\x00{}",
];

const RULES: &str = r#"
[[rules]]
id = "at"
path = "$..at"
action = "format"
format = "timestamp"
reason = "test"

[[rules]]
id = "list"
path = "$.list[::2].v"
action = "unordered"
reason = "test"

[[rules]]
id = "first"
path = "$[0]"
action = "ignore"
reason = "test"
"#;

fn body(rng: &mut Rng) -> Vec<u8> {
    let mut body = match rng.u8(0..10) {
        0 => (0..rng.usize(0..60)).map(|_| rng.u8(..)).collect(),
        1 => rng.choice(["[", "{\"a\":", "[[],"]).unwrap().repeat(rng.usize(0..600)).into_bytes(),
        _ => rng.choice(SEEDS).unwrap().to_vec(),
    };
    mutate(rng, &mut body);
    body
}

fn mutate(rng: &mut Rng, body: &mut Vec<u8>) {
    for _ in 0..rng.usize(0..4) {
        let at = rng.usize(0..=body.len());
        match rng.u8(0..5) {
            0 => body.truncate(at),
            1 => body.insert(at, rng.u8(..)),
            2 => body.insert(at, *rng.choice(b"{}[],:\"\\0e-.\n".iter()).unwrap()),
            3 if at < body.len() => body[at] ^= 1 << rng.u8(0..8),
            _ => {
                let part = body[at..].to_vec();
                body.extend(part);
            }
        }
    }
}

fn observation(rng: &mut Rng, bytes: Vec<u8>) -> Observation {
    let mut headers = HeaderMap::new();
    if rng.u8(0..8) > 0 {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(rng.choice(TYPES).unwrap()));
    }
    if rng.u8(0..3) == 0 {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static(rng.choice(CODINGS).unwrap()));
    }
    let status = if rng.u8(0..4) > 0 { 200 } else { rng.choice(STATUSES).unwrap() };
    let body = match rng.u8(0..12) {
        0 => CapturedBody::Cut { head: bytes.into() },
        1 => {
            let (length, hash) = (bytes.len() as u64, *blake3::hash(&bytes).as_bytes());
            CapturedBody::Hashed { head: Bytes::from(bytes), length, hash }
        }
        _ => CapturedBody::Whole(bytes.into()),
    };
    let response = Response { status: StatusCode::from_u16(status).unwrap(), headers, body };
    Observation { outcome: Outcome::Response(response), latency: Duration::ZERO }
}

/// The body of a response in which every byte counts.
fn plain_body(observation: &Observation) -> Option<&Bytes> {
    let Outcome::Response(Response { status: StatusCode::OK, headers, body: CapturedBody::Whole(bytes) }) =
        &observation.outcome
    else {
        return None;
    };
    let counts = headers.get(CONTENT_TYPE).is_some_and(|value| value == "image/png" || value == "text/plain");
    (counts && !headers.contains_key(CONTENT_ENCODING)).then_some(bytes)
}

/// Says which case it was when something panics.
struct Case(u64);

impl Drop for Case {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("seed {}", self.0);
        }
    }
}

#[test]
fn no_body_panics_and_no_difference_passes_in_silence() {
    let comparator = Comparator::new(
        Rules::parse(RULES, "rules.toml").unwrap(),
        Limits { decoded_bytes_max: 1 << 16, depth_max: 40, value_bytes_max: 50, ..Limits::default() },
    );
    let endpoint = "GET /x".parse().unwrap();
    let request = Request {
        method: Method::GET,
        target: "/x".to_owned(),
        headers: HeaderMap::new(),
        body: CapturedBody::empty(),
    };
    for seed in 0..CASES {
        let case = Case(seed);
        let rng = &mut Rng::with_seed(seed);
        let bytes = body(rng);
        let mut other = if rng.bool() { bytes.clone() } else { body(rng) };
        mutate(rng, &mut other);
        let (control, candidate) = (observation(rng, bytes), observation(rng, other));
        let judgement = comparator.compare(&endpoint, &request, &control, &candidate);
        if let Judgement::Compared(comparison) = &judgement {
            for divergence in &comparison.divergences {
                for value in [&divergence.control, &divergence.candidate].into_iter().flatten() {
                    assert!(value.len() <= 50 * 2 + 40, "{value}");
                }
            }
        }
        assert_eq!(
            judgement,
            comparator.compare(&endpoint, &request, &control, &candidate),
            "not the same twice"
        );
        if let (Some(a), Some(b)) = (plain_body(&control), plain_body(&candidate))
            && a != b
        {
            let Judgement::Compared(comparison) = &judgement else { panic!("skipped") };
            assert_eq!(comparison.verdict(), Verdict::Mismatch, "{comparison:?}");
        }
        match comparator.compare(&endpoint, &request, &control, &control) {
            Judgement::Compared(comparison) => {
                assert_eq!(comparison.verdict(), Verdict::Match, "{comparison:?}");
            }
            Judgement::Skipped(_) => {}
        }
        drop(case);
    }
}
