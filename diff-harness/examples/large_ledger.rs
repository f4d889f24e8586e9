//! `cargo run --release --example large_ledger -- FILE CANDIDATE CONTROL RULES [GROUPS COMPARISONS]`
//!
//! Makes a store with 100,000 groups over 200 endpoints and 1,000,000 comparisons in the epoch that is named, by the
//! way a proxy makes it: compared, redacted, recorded. Every run makes the same.

#![allow(clippy::unwrap_used, reason = "a panic is how a command for developers fails")]

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use diff_harness::compare::{Comparator, Limits};
use diff_harness::comparison::{Judgement, Verdict};
use diff_harness::endpoint::EndpointId;
use diff_harness::exchange::{
    CapturedBody, Exchange, Observation, Outcome, Request, Response, Side, UnixMillis,
};
use diff_harness::ledger::{Ledger, Retention};
use diff_harness::lifecycle::{Declaration, Flip, Hold, Stage, Standing};
use diff_harness::redact::{RedactionConfig, RedactionKey, Redactor};
use diff_harness::rules::Rules;
use diff_harness::store::{Batch, ComparisonRecord, Epoch, LatencyPair, PlainTally, Store, Tally};
use http::{HeaderMap, HeaderValue, Method, StatusCode};

const ENDPOINTS: usize = 200;
const BATCH: usize = 2_000;
const DAY_MS: u64 = 86_400_000;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [path, candidate, control, rules, sizes @ ..] = arguments.as_slice() else {
        eprintln!("usage: large_ledger FILE CANDIDATE CONTROL RULES [GROUPS COMPARISONS]");
        std::process::exit(2);
    };
    let size = |at: usize, default: usize| sizes.get(at).map_or(default, |text| text.parse().unwrap());
    let (groups, comparisons) = (size(0, 100_000), size(1, 1_000_000));
    let epoch = Epoch { candidate: candidate.clone(), control: control.clone(), rules: rules.clone() };
    let now = u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap();

    let ledger = Ledger::open(path, Retention::default()).unwrap();
    let endpoints: Vec<EndpointId> =
        (0..ENDPOINTS).map(|n| format!("GET /area{}/things{n}/{{id}}", n % 20).parse().unwrap()).collect();
    let declared: Vec<_> =
        endpoints.iter().map(|endpoint| (endpoint.clone(), Declaration::default())).collect();
    ledger.declare(&declared, UnixMillis(now - 40 * DAY_MS)).unwrap();
    flips(&ledger, &endpoints, now);

    let comparator = Comparator::new(Rules::default(), Limits::default());
    let redactor = Redactor::new(&RedactionConfig::default(), RedactionKey::new([7; 32])).unwrap();
    for first in (0..groups).step_by(BATCH) {
        let records: Vec<_> = (first..groups.min(first + BATCH))
            .map(|n| record(&comparator, &redactor, &endpoints[n % ENDPOINTS], n, now))
            .collect();
        let mut batch = Batch { at: UnixMillis(now), epoch: epoch.clone(), ..Batch::default() };
        for record in &records {
            let tally = Tally { mismatched: 1, answered_control: 1, ..Tally::default() };
            batch.tallies.push((Some(record.endpoint.clone()), tally));
        }
        batch.comparisons = records;
        ledger.record(&batch).unwrap();
    }
    let each = (comparisons.saturating_sub(groups) / ENDPOINTS) as u64;
    let mut batch = Batch { at: UnixMillis(now), epoch, ..Batch::default() };
    for endpoint in &endpoints {
        let tally = Tally { matched: each, answered_control: each, ..Tally::default() };
        batch.tallies.push((Some(endpoint.clone()), tally));
        batch.plain.push(plain(endpoint, each));
    }
    ledger.record(&batch).unwrap();
    println!("{path}: {groups} groups over {ENDPOINTS} endpoints, {comparisons} comparisons");
}

/// Endpoints at every stage, flipped over forty days.
fn flips(ledger: &Ledger, endpoints: &[EndpointId], now: u64) {
    let canary = |percent: &str| format!("canary:{percent}").parse::<Stage>().unwrap();
    let ladder = [Stage::Shadow, canary("1%"), canary("10%"), Stage::Live, Stage::Soak];
    for (n, endpoint) in endpoints.iter().enumerate() {
        for (revision, stage) in ladder.into_iter().take(n % (ladder.len() + 1)).enumerate() {
            let flip = Flip {
                endpoint: endpoint.clone(),
                expected_revision: revision as u64,
                to: Standing { stage, hold: Hold::None },
                actor: "ann".to_owned(),
                reason: "enough evidence".to_owned(),
                forced: false,
                evidence: "{\"answer\":\"pass\",\"reasons\":[]}".to_owned(),
                at: UnixMillis(now - 39 * DAY_MS + (revision * 7 + n % 7) as u64 * DAY_MS),
            };
            ledger.flip(&flip).unwrap();
        }
    }
}

/// One mismatch in a member that no other has, of the severity that falls on it.
fn record(
    comparator: &Comparator,
    redactor: &Redactor,
    endpoint: &EndpointId,
    n: usize,
    now: u64,
) -> ComparisonRecord {
    let at = UnixMillis(now - (n as u64 * 7_919) % (20 * DAY_MS));
    let items: Vec<_> =
        (0..12).map(|item| format!("{{\"id\":{item},\"title\":\"Thing {item}\",\"public\":true}}")).collect();
    let body = |member: String| format!("{{\"id\":{n},\"items\":[{}]{member}}}", items.join(","));
    let (control, candidate) = match n % 10 {
        0 => (body(String::new()), body(format!(",\"member_{n}\":\"private\""))),
        1..=3 => (body(format!(",\"member_{n}\":1")), body(String::new())),
        _ => (body(format!(",\"member_{n}\":\"a\"")), body(format!(",\"member_{n}\":\"b\""))),
    };
    let exchange = Exchange {
        id: format!("request-{n}"),
        at,
        endpoint: endpoint.clone(),
        request: Request {
            method: Method::GET,
            target: endpoint.template().replace("{id}", &n.to_string()),
            headers: HeaderMap::from_iter([(
                http::header::AUTHORIZATION,
                HeaderValue::from_static("Bearer s3cr3t"),
            )]),
            body: CapturedBody::empty(),
        },
        control: observation(control, 4_000),
        candidate: observation(candidate, 3_000),
    };
    let Judgement::Compared(comparison) = comparator.compare_exchange(&exchange) else {
        panic!("{} was skipped", exchange.id)
    };
    let redaction = redactor.begin(&exchange);
    let divergences = redaction.divergences(&exchange, &comparison.divergences);
    let latencies = LatencyPair::new(exchange.control.latency, exchange.candidate.latency, Side::Control);
    let (id, endpoint) = (exchange.id.clone(), exchange.endpoint.clone());
    let (exchange, notes) = redaction.exchange(exchange);
    ComparisonRecord {
        id,
        at,
        endpoint,
        verdict: comparison.verdict(),
        confirmation: None,
        both_failed: false,
        shape: "2xx auth json{..}".to_owned(),
        place: 0,
        status: Some(200),
        divergences,
        tolerated: Vec::new(),
        applied: Vec::new(),
        notes,
        latencies: Some(latencies),
        exchange: Some(exchange),
    }
}

fn observation(body: String, micros: u64) -> Observation {
    Observation {
        outcome: Outcome::Response(Response {
            status: StatusCode::OK,
            headers: HeaderMap::from_iter([(
                http::header::CONTENT_TYPE,
                HeaderValue::from_static("application/json"),
            )]),
            body: CapturedBody::Whole(body.into()),
        }),
        latency: Duration::from_micros(micros),
    }
}

fn plain(endpoint: &EndpointId, count: u64) -> PlainTally {
    let pair = |n: u32| LatencyPair {
        control_us: 3_000 + n * 17 % 2_000,
        candidate_us: 2_500 + n * 29 % 3_000,
        answered_by: Side::Control,
    };
    PlainTally {
        endpoint: endpoint.clone(),
        shape: "2xx auth json{..}".to_owned(),
        status: Some(200),
        verdict: Verdict::Match,
        both_failed: false,
        count,
        spread: Default::default(),
        tolerated: Vec::new(),
        applied: Vec::new(),
        latencies: (0..2_000).map(pair).collect(),
    }
}
