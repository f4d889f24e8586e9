//! The SQLite store, on real files.

mod evidence;
mod opening;
mod routes;
mod triage;

use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use diff_harness::comparison::Verdict;
use diff_harness::divergence::{Divergence, JsonPath, Kind, Location, Segment, Severity};
use diff_harness::endpoint::EndpointId;
use diff_harness::exchange::{
    CapturedBody, Exchange, Observation, Outcome, Request, Response, Side, TransportFailure, UnixMillis,
};
use diff_harness::ledger::{Ledger, Retention};
use diff_harness::lifecycle::{Declaration, Flip, Hold, Parameter, Stage, Standing};
use diff_harness::redact::{RedactionConfig, RedactionKey, Redactor};
use diff_harness::store::{Batch, ComparisonRecord, Epoch, LatencyPair, Store};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use tempfile::TempDir;

/// A store in a directory of its own.
struct Home {
    dir: TempDir,
}

impl Home {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("strangler.db")
    }

    fn open(&self) -> Ledger {
        self.open_with(Retention::default())
    }

    fn open_with(&self, retention: Retention) -> Ledger {
        Ledger::open(self.path(), retention).unwrap()
    }
}

fn endpoint(text: &str) -> EndpointId {
    text.parse().unwrap()
}

fn playlists() -> EndpointId {
    endpoint("GET /playlists/{id}")
}

fn declared(ledger: &Ledger) -> EndpointId {
    let declaration = Declaration {
        source: "openapi.yaml#/paths".to_owned(),
        parameters: vec![Parameter { name: "id".to_owned(), place: "path".to_owned(), required: true }],
        statuses: vec!["200".to_owned(), "4XX".to_owned()],
    };
    ledger.declare(&[(playlists(), declaration)], UnixMillis(1)).unwrap();
    playlists()
}

fn flip(endpoint: &EndpointId, expected_revision: u64, stage: Stage) -> Flip {
    Flip {
        endpoint: endpoint.clone(),
        expected_revision,
        to: Standing { stage, hold: Hold::None },
        actor: "ann".to_owned(),
        reason: "trying it".to_owned(),
        forced: false,
        evidence: "{\"answer\":\"pass\"}".to_owned(),
        at: UnixMillis(1000 + expected_revision),
    }
}

fn epoch(candidate: &str) -> Epoch {
    Epoch { candidate: candidate.to_owned(), control: "c1".to_owned(), rules: "r1".to_owned() }
}

fn divergence(field: &str, severity: Severity) -> Divergence {
    Divergence {
        kind: Kind::Value,
        severity,
        location: Location::Json(JsonPath(vec![
            Segment::Key("tracks".to_owned()),
            Segment::Index(3),
            Segment::Key(field.to_owned()),
        ])),
        detail: None,
        control: Some("1".to_owned()),
        candidate: Some("2".to_owned()),
    }
}

fn exchange(id: &str, at: u64) -> Exchange {
    let mut headers = HeaderMap::new();
    headers.append("x-two", HeaderValue::from_static("a"));
    headers.append("x-two", HeaderValue::from_bytes(b"\xff\xfe").unwrap());
    Exchange {
        id: id.to_owned(),
        at: UnixMillis(at),
        endpoint: playlists(),
        request: Request {
            method: Method::GET,
            target: "/playlists/7?x=%2f".to_owned(),
            headers: headers.clone(),
            body: CapturedBody::empty(),
        },
        control: Observation {
            outcome: Outcome::Response(Response {
                status: StatusCode::OK,
                headers,
                body: CapturedBody::Hashed {
                    head: Bytes::from_static(b"\x00\x01binary"),
                    length: 1 << 33,
                    hash: [9; 32],
                },
            }),
            latency: Duration::from_micros(1500),
        },
        candidate: Observation {
            outcome: Outcome::Failure(TransportFailure::Timeout),
            latency: Duration::from_secs(2),
        },
    }
}

fn record(id: &str, at: u64, found: &[Divergence]) -> ComparisonRecord {
    let redactor = Redactor::new(&RedactionConfig::default(), RedactionKey::new([3; 32])).unwrap();
    let exchange = exchange(id, at);
    let redaction = redactor.begin(&exchange);
    ComparisonRecord {
        id: id.to_owned(),
        at: UnixMillis(at),
        endpoint: playlists(),
        verdict: if found.is_empty() { Verdict::Match } else { Verdict::Mismatch },
        confirmation: None,
        both_failed: false,
        shape: "2xx".to_owned(),
        place: 0,
        status: Some(200),
        divergences: redaction.divergences(&exchange, found),
        tolerated: Vec::new(),
        applied: Vec::new(),
        notes: vec!["a note".to_owned()],
        latencies: Some(LatencyPair::new(Duration::from_millis(2), Duration::from_millis(3), Side::Control)),
        exchange: Some(redaction.exchange(exchange).0),
    }
}

fn batch(candidate: &str, comparisons: Vec<ComparisonRecord>) -> Batch {
    Batch { at: UnixMillis(5), epoch: epoch(candidate), comparisons, ..Batch::default() }
}
