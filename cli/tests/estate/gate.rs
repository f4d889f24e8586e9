//! Whether the gate lets an endpoint move of which enough is known and all is well, but for one thing that was found. The real
//! one, over a real store, held to the policy that holds where nothing else is declared.

use std::{sync::Arc, time::Duration};

use diff_harness::{
    comparison::Verdict,
    endpoint::EndpointId,
    exchange::{CapturedBody, Exchange, Observation, Outcome, Request, Side, TransportFailure, UnixMillis},
    fingerprint::Fingerprint,
    gate::Policy,
    ledger::{Ledger, Retention},
    lifecycle::Declaration,
    redact::{RedactionConfig, RedactionKey, Redactor},
    store::{Batch, ComparisonRecord, Epoch, LatencyPair, NegativeControl, PlainTally, Spread, Store, Tally},
};
use strangler_proxy::control::{Control, Effects, Promote, Refusal};

use crate::outcomes::Finding;

/// More than any test takes, so that a single mismatch rejects nothing by itself.
const MATCHED: u32 = 6_400;
const NOW: UnixMillis = UnixMillis(1_800_000_000_000);
const SHAPE: &str = "2xx auth json{..}";

/// What is put beside the good evidence.
pub(crate) enum Beside<'f> {
    Nothing,
    Mismatch(&'f Finding),
    /// How long the fastest answers took: control's and the candidate's.
    Slow(Duration, Duration),
}

/// Why the endpoint does not get to its first canary; empty where it does. `force` asks with force.
pub(crate) fn refuses(endpoint: &EndpointId, beside: &Beside<'_>, force: bool) -> Vec<&'static str> {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let ledger = Ledger::open(directory.path().join("store.db"), Retention::default());
    let store: Arc<dyn Store> = Arc::new(ledger.expect("a new store"));
    let effects = Effects {
        publish: Box::new(|_| ()),
        reach_candidate: Box::new(|| Ok(())),
        flush: Box::new(|| ()),
        epoch: Box::new(|| Arc::new(Epoch::default())),
        resumed: Box::new(|_| ()),
        now: || NOW,
    };
    let control = Control::open(Arc::clone(&store), Policy::default(), effects).expect("control opens");
    control.declare(&[(endpoint.clone(), Declaration::default())]).expect("it can be declared");
    let promote = |to: &str, force: bool| {
        control.promote(&Promote {
            endpoint: endpoint.clone(),
            to: Some(to.parse().expect("a stage")),
            expected_revision: None,
            force,
            reason: "a test".to_owned(),
            actor: "test".to_owned(),
            acknowledge: None,
        })
    };
    let proving = if endpoint.is_safe() { "shadow" } else { "verify" };
    promote(proving, false).expect("no client gets the candidate there");
    store.record(&evidence(endpoint, beside)).expect("evidence can be written");
    match promote("canary:1%", force) {
        Ok(_) => Vec::new(),
        Err(
            Refusal::GateRefused { ruling, .. }
            | Refusal::GateInconclusive { ruling, .. }
            | Refusal::Unforceable { ruling, .. },
        ) => ruling.reasons.iter().map(|reason| reason.code.as_str()).collect(),
        Err(other) => panic!("{endpoint}: {other}"),
    }
}

fn evidence(endpoint: &EndpointId, beside: &Beside<'_>) -> Batch {
    let mut spread = Spread::default();
    for place in 0..64 {
        spread.add(place, MATCHED / 64);
    }
    let latency = match beside {
        Beside::Slow(control, candidate) => LatencyPair::new(*control, *candidate, Side::Control),
        Beside::Nothing | Beside::Mismatch(_) => {
            LatencyPair::new(Duration::from_millis(2), Duration::from_millis(2), Side::Control)
        }
    };
    let plain = PlainTally {
        endpoint: endpoint.clone(),
        shape: SHAPE.to_owned(),
        status: Some(200),
        verdict: Verdict::Match,
        both_failed: false,
        count: MATCHED.into(),
        spread,
        tolerated: Vec::new(),
        applied: Vec::new(),
        latencies: vec![latency; 50],
    };
    let comparisons = match beside {
        Beside::Mismatch(finding) => vec![record(endpoint, finding)],
        Beside::Nothing | Beside::Slow(..) => Vec::new(),
    };
    let tally = Tally { matched: MATCHED.into(), mismatched: comparisons.len() as u64, ..Tally::default() };
    let trial = NegativeControl { tried: NOW, found: Some(NOW), missed: Vec::new() };
    Batch {
        at: NOW,
        epoch: Epoch::default(),
        tallies: vec![(Some(endpoint.clone()), tally)],
        comparisons,
        plain: vec![plain],
        negative_controls: vec![(endpoint.clone(), trial)],
        ..Batch::default()
    }
}

/// As the recorder writes a mismatch down: redacted. The bodies are not kept.
fn record(endpoint: &EndpointId, finding: &Finding) -> ComparisonRecord {
    let unkept = || Observation {
        outcome: Outcome::Failure(TransportFailure::Closed),
        latency: Duration::from_millis(2),
    };
    let ask = &finding.ask;
    let exchange = Exchange {
        id: "r1".to_owned(),
        at: NOW,
        endpoint: endpoint.clone(),
        request: Request {
            method: ask.method.clone(),
            target: ask.target.clone(),
            headers: ask.headers.clone(),
            body: CapturedBody::Whole(ask.body.clone()),
        },
        control: unkept(),
        candidate: unkept(),
    };
    let redactor = Redactor::new(&RedactionConfig::default(), RedactionKey::new([0; 32]));
    let redactor = redactor.expect("the default is well-formed");
    let redacting = redactor.begin(&exchange);
    let divergences = finding.comparison.divergences.iter();
    ComparisonRecord {
        id: exchange.id.clone(),
        at: NOW,
        endpoint: endpoint.clone(),
        verdict: Verdict::Mismatch,
        confirmation: None,
        both_failed: false,
        shape: SHAPE.to_owned(),
        place: 0,
        status: Some(200),
        divergences: divergences
            .map(|divergence| (Fingerprint::of(endpoint, divergence), redacting.divergence(divergence)))
            .collect(),
        tolerated: Vec::new(),
        applied: Vec::new(),
        notes: Vec::new(),
        latencies: None,
        exchange: None,
    }
}
