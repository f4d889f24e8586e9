//! One store with everything in it that a view can trip over, made the way a proxy makes it: compared, redacted,
//! recorded.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};

use super::{Report, Scope};
use crate::compare::{Comparator, Limits};
use crate::comparison::{DropReason, Judgement, SkipReason};
use crate::endpoint::EndpointId;
use crate::exchange::{
    CapturedBody, Exchange, Observation, Outcome, Request, Response, Side, TransportFailure, UnixMillis,
};
use crate::ledger::{Ledger, Retention};
use crate::lifecycle::{Declaration, Flip, Hold, Stage, Standing};
use crate::redact::{RedactionConfig, RedactionKey, Redactor};
use crate::rules::Rules;
use crate::store::{
    Batch, ComparisonRecord, Epoch, EpochFilter, LatencyPair, PlainTally, Spread, Store, Tally, Undeclared,
};

/// 2026-03-01T09:30:00Z
pub(crate) const START: u64 = 1_772_357_400_000;

/// Markup, a script, the end of a script and of a comment, terminal escapes, and characters that reorder text.
pub(crate) const HOSTILE: &str = "</script><script>alert(1)</script>--><img src=x onerror=alert(1)> \u{1b}[31m\u{7} \u{202e}gnp.exe & 'q' \"r\"";

pub(crate) fn epoch() -> Epoch {
    Epoch { candidate: "vas-2.4.0".into(), control: "mono-118".into(), rules: "5f2c".into() }
}

fn endpoint(text: &str) -> EndpointId {
    text.parse().unwrap()
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let pair = |(name, value): &(&'static str, &str)| {
        (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
    };
    pairs.iter().map(pair).collect()
}

fn answer(status: u16, pairs: &[(&'static str, &str)], body: impl Into<Bytes>, micros: u64) -> Observation {
    Observation {
        outcome: Outcome::Response(Response {
            status: StatusCode::from_u16(status).unwrap(),
            headers: headers(pairs),
            body: CapturedBody::Whole(body.into()),
        }),
        latency: Duration::from_micros(micros),
    }
}

const JSON: &[(&str, &str)] =
    &[("content-type", "application/json"), ("cache-control", "private, max-age=60")];

fn tracks(from: usize, to: usize) -> String {
    let track = |n| {
        format!("{{\"id\": {n}, \"title\": \"Track {n}\", \"duration\": {}.0, \"public\": true}}", 180 + n)
    };
    (from..to).map(track).collect::<Vec<_>>().join(", ")
}

/// A playlist in which the candidate shows a private track, loses a member, and calls an owner by another name.
pub(crate) fn exchange(id: &str, n: u64) -> Exchange {
    let control = format!(
        "{{\"id\": 12345678901234567890123, \"title\": \"Morning\", \"description\": {}, \"tracks\": [{}],
          \"owner\": {{\"id\": 7, \"name\": \"Ann Example\", \"token\": \"s3cr3t-{n}\"}}, \"likes\": 10, \"note\": null}}",
        serde_json::to_string(HOSTILE).unwrap(),
        tracks(1, 12)
    );
    let candidate = format!(
        "{{\"id\": 12345678901234567890123, \"title\": \"Morning\", \"description\": {}, \"tracks\": [{}, \
          {{\"id\": 99, \"title\": \"Unreleased\", \"duration\": 201.5, \"public\": false}}, {}],
          \"owner\": {{\"id\": 7, \"name\": \"Ann B. Example\", \"token\": \"s3cr3t-x{n}\"}}, \"likes\": \"10\"}}",
        serde_json::to_string(HOSTILE).unwrap(),
        tracks(1, 5),
        tracks(5, 12)
    );
    Exchange {
        id: id.into(),
        at: UnixMillis(START + n * 1000),
        endpoint: endpoint("GET /playlists/{id}"),
        request: Request {
            method: Method::GET,
            target: format!("/playlists/{n}?access_token=s3cr3t-token-{n}&fields=all"),
            headers: headers(&[
                ("host", "api.example.com"),
                ("accept", "application/json"),
                ("authorization", "Bearer s3cr3t-bearer"),
            ]),
            body: CapturedBody::empty(),
        },
        control: answer(200, JSON, control, 4_200 + n),
        candidate: answer(200, &[JSON[0], ("cache-control", "public, max-age=60")], candidate, 2_900 + n),
    }
}

fn on(
    template: &str,
    target: &str,
    id: &str,
    n: u64,
    control: Observation,
    candidate: Observation,
) -> Exchange {
    let mut exchange = exchange(id, n);
    exchange.endpoint = endpoint(template);
    exchange.request.target = target.into();
    Exchange { control, candidate, ..exchange }
}

fn exchanges() -> Vec<Exchange> {
    let page = |name: &str, many: usize| {
        let rows: String = (0..many).map(|n| format!("  <li>row {n}</li>\n")).collect();
        format!("<html>\n<body>\n<h1>Hello {name}</h1>\n<ul>\n{rows}</ul>\n{HOSTILE}\n</body>\n</html>\n")
    };
    let html = &[("content-type", "text/html; charset=utf-8")];
    let png = &[("content-type", "image/png")];
    let mut all: Vec<Exchange> = (1..=3).map(|n| exchange(&format!("req-{n}"), n)).collect();
    all.extend([
        on(
            "GET /tracks/{id}",
            "/tracks/5",
            "req-10",
            10,
            answer(404, JSON, "{\"error\": \"not found\"}", 900),
            answer(200, JSON, "{\"id\": 5, \"title\": \"Private\"}", 1_100),
        ),
        on(
            "GET /about",
            "/about",
            "req-11",
            11,
            answer(200, html, page("world", 60), 700),
            answer(200, html, page("there", 60), 800),
        ),
        on(
            "GET /cover.{extension}",
            "/cover.png",
            "req-12",
            12,
            answer(200, png, &b"\x89PNG\r\n\x1a\n\x00\x01"[..], 300),
            answer(200, png, &b"\x89PNG\r\n\x1a\n\x00\x02"[..], 300),
        ),
        on(
            "GET /tracks/{id}",
            "/tracks/6",
            "req-13",
            13,
            answer(200, JSON, "{\"id\": 6}", 900),
            Observation {
                outcome: Outcome::Failure(TransportFailure::Timeout),
                latency: Duration::from_secs(5),
            },
        ),
    ]);
    all
}

/// The rules of the fixture's comparisons.
fn rules() -> Vec<String> {
    vec!["created-at".into(), "etag".into(), "old-field".into()]
}

/// Fills a store in `directory`.
pub(crate) fn fill(directory: &std::path::Path) -> Ledger {
    let ledger = Ledger::open(directory.join("strangler.db"), Retention::default()).unwrap();
    let templates = [
        "GET /playlists/{id}",
        "GET /tracks/{id}",
        "GET /about",
        "GET /cover.{extension}",
        "POST /playlists",
        "GET /health",
        "GET /a/very/long/template/{that}/goes/on/{and}/on/until/it/does/not/fit/{any}/more",
    ];
    let declared: Vec<_> = templates
        .iter()
        .map(|template| {
            (endpoint(template), Declaration { source: "openapi.yaml".into(), ..Declaration::default() })
        })
        .collect();
    ledger.declare(&declared, UnixMillis(START)).unwrap();
    flips(&ledger);
    ledger.record(&batch()).unwrap();
    ledger
}

fn flips(ledger: &Ledger) {
    let flip = |template: &str, revision, stage, hold, forced, reason: &str| {
        let flip = Flip {
            endpoint: endpoint(template),
            expected_revision: revision,
            to: Standing { stage, hold },
            actor: "ann".into(),
            reason: reason.into(),
            forced,
            evidence:
                "{\"answer\":\"inconclusive\",\"reasons\":[\"comparisons: 4 of the 326 that it takes\"]}"
                    .into(),
            at: UnixMillis(START + 60_000 * (revision + 1)),
        };
        ledger.flip(&flip).unwrap();
    };
    for template in ["GET /playlists/{id}", "GET /tracks/{id}", "GET /about", "GET /health"] {
        flip(template, 0, Stage::Shadow, Hold::None, false, "first light");
    }
    flip("GET /about", 1, Stage::Live, Hold::None, true, &format!("looks good {HOSTILE}"));
    flip("GET /tracks/{id}", 1, Stage::Live, Hold::None, false, "enough evidence");
    flip("GET /tracks/{id}", 2, Stage::Live, Hold::Fallback, false, "confirmed exposure");
}

fn batch() -> Batch {
    let comparator = Comparator::new(Rules::default(), Limits::default());
    let redactor = Redactor::new(&RedactionConfig::default(), RedactionKey::new([7; 32])).unwrap();
    let record = |exchange: Exchange| {
        let Judgement::Compared(comparison) = comparator.compare_exchange(&exchange) else {
            panic!("{} was skipped", exchange.id)
        };
        let redaction = redactor.begin(&exchange);
        let divergences = redaction.divergences(&exchange, &comparison.divergences);
        let latencies = LatencyPair::new(exchange.control.latency, exchange.candidate.latency, Side::Control);
        let (id, at, endpoint) = (exchange.id.clone(), exchange.at, exchange.endpoint.clone());
        let (exchange, mut notes) = redaction.exchange(exchange);
        notes.extend(comparison.notes.iter().cloned());
        ComparisonRecord {
            id,
            at,
            endpoint,
            verdict: comparison.verdict(),
            confirmation: None,
            both_failed: false,
            shape: "2xx".into(),
            place: 0,
            status: Some(200),
            divergences,
            tolerated: Vec::new(),
            applied: Vec::new(),
            notes,
            latencies: Some(latencies),
            exchange: Some(exchange),
        }
    };
    let tally = |matched, mismatched| Tally {
        matched,
        mismatched,
        tolerated: 2,
        skipped: [(SkipReason::Sampled, 5)].into(),
        dropped: [(DropReason::Expired, 1)].into(),
        answered_control: matched + mismatched + 8,
        ..Tally::default()
    };
    let unmatched =
        Tally { skipped: [(SkipReason::Unmatched, 31)].into(), answered_control: 31, ..Tally::default() };
    Batch {
        at: UnixMillis(START + 600_000),
        epoch: epoch(),
        tallies: vec![
            (Some(endpoint("GET /playlists/{id}")), tally(240, 3)),
            (
                Some(endpoint("GET /tracks/{id}")),
                Tally { fallbacks: 4, answered_candidate: 96, ..tally(90, 2) },
            ),
            (Some(endpoint("GET /about")), tally(11, 1)),
            (Some(endpoint("GET /cover.{extension}")), tally(0, 1)),
            (Some(endpoint("GET /health")), Tally { both_failed: 7, ..tally(1207, 0) }),
            (None, unmatched),
        ],
        comparisons: exchanges().into_iter().map(record).collect(),
        plain: vec![PlainTally {
            endpoint: endpoint("GET /health"),
            shape: "2xx".into(),
            verdict: crate::comparison::Verdict::Tolerated,
            status: Some(200),
            both_failed: false,
            count: 40,
            spread: Spread::default(),
            tolerated: vec![("created-at".into(), 40)],
            applied: vec![("created-at".into(), 40), ("etag".into(), 12)],
            latencies: (1..=40)
                .map(|n| LatencyPair {
                    control_us: 300 + n,
                    candidate_us: 250 + 2 * n,
                    answered_by: Side::Control,
                })
                .collect(),
        }],
        undeclared: vec![Undeclared {
            proposed: endpoint("GET /users/{id}/avatar"),
            count: 31,
            examples: vec!["/users/1/avatar".into(), "/users/<b>2</b>/avatar".into()],
        }],
        ..Batch::default()
    }
}

/// The report of that store.
pub(crate) fn report() -> Report {
    let directory = tempfile::tempdir().unwrap();
    let ledger = fill(directory.path());
    let epoch = epoch();
    let rules = rules();
    let scope = Scope {
        epoch: EpochFilter::Only(&epoch),
        rules: &rules,
        ..Scope::new(UnixMillis(START + 3_600_000))
    };
    Report::build(&ledger, &scope).unwrap()
}
