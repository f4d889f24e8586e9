//! As JSON: everything but the bodies, in one versioned envelope. docs/report.md describes it.

use serde_json::{Value, json};

use super::latency::{Latency, Quantiles, shown};
use super::{EndpointReport, GroupReport, Report, time};
use crate::exchange::{Observation, Outcome};
use crate::lifecycle::{Standing, Transition};
use crate::store::{Epoch, Sample, Tally};

/// Grows when a member changes its meaning or goes away; new members do not change it.
pub const VERSION: u32 = 1;

pub fn render(report: &Report) -> String {
    serde_json::to_string_pretty(&value(report)).expect("plain data is serializable")
}

pub fn value(report: &Report) -> Value {
    json!({
        "format": "strangler-report",
        "version": VERSION,
        "made_at": time(report.made_at),
        "epoch": report.epoch.as_ref().map(epoch),
        "total": tally(&report.total),
        "unmatched": tally(&report.unmatched),
        "endpoints": report.endpoints.iter().map(endpoint).collect::<Vec<_>>(),
        "groups": report.groups.iter().map(group).collect::<Vec<_>>(),
        "groups_left_out": report.groups_left_out,
        "rules": report.rules.iter().map(|rule| json!({
            "rule": rule.tally.rule,
            "applied": rule.tally.applied,
            "hidden": rule.tally.hidden,
            "remark": rule.remark.map(super::RuleRemark::as_str),
        })).collect::<Vec<_>>(),
        "waivers": report.waivers.iter().map(|waiver| json!({
            "group": waiver.group.as_str(),
            "endpoint": waiver.endpoint.as_ref().map(ToString::to_string),
            "as": waiver.call.as_str(),
            "owner": waiver.owner,
            "reason": waiver.reason,
            "expires": waiver.expires.map(time),
            "exchanges": waiver.exchanges,
            "compared": waiver.compared,
            "remark": waiver.remark.map(super::WaiverRemark::as_str),
        })).collect::<Vec<_>>(),
        "undeclared": report.undeclared.iter().map(|undeclared| json!({
            "endpoint": undeclared.proposed.to_string(),
            "count": undeclared.count,
            "examples": undeclared.examples,
        })).collect::<Vec<_>>(),
        "transitions": report.transitions.iter().map(transition).collect::<Vec<_>>(),
    })
}

fn epoch(epoch: &Epoch) -> Value {
    json!({ "candidate": epoch.candidate, "control": epoch.control, "rules": epoch.rules })
}

fn tally(tally: &Tally) -> Value {
    let skipped = tally.skipped.iter().map(|(reason, n)| (reason.as_str().to_owned(), json!(n)));
    let dropped = tally.dropped.iter().map(|(reason, n)| (reason.as_str().to_owned(), json!(n)));
    json!({
        "seen": tally.seen(),
        "compared": tally.compared(),
        "matched": tally.matched,
        "tolerated": tally.tolerated,
        "mismatched": tally.mismatched,
        "both_failed": tally.both_failed,
        "skipped": tally.skipped_total(),
        "skipped_by": skipped.collect::<serde_json::Map<_, _>>(),
        "dropped": tally.dropped_total(),
        "dropped_by": dropped.collect::<serde_json::Map<_, _>>(),
        "answered_control": tally.answered_control,
        "answered_candidate": tally.answered_candidate,
        "answered_proxy": tally.answered_proxy,
        "fallbacks": tally.fallbacks,
    })
}

fn standing(standing: Standing) -> Value {
    json!({ "stage": standing.stage.to_string(), "hold": standing.hold.as_str() })
}

fn endpoint(endpoint: &EndpointReport) -> Value {
    let groups = endpoint.groups.iter().rev();
    json!({
        "endpoint": endpoint.route.endpoint.to_string(),
        "stage": endpoint.route.standing.stage.to_string(),
        "hold": endpoint.route.standing.hold.as_str(),
        "revision": endpoint.route.revision,
        "since": time(endpoint.route.since),
        "source": endpoint.route.declaration.source,
        "traffic": tally(&endpoint.tally),
        "groups": groups.map(|(severity, n)| (severity.as_str().to_owned(), json!(n))).collect::<serde_json::Map<_, _>>(),
        "latency": endpoint.latency.map(latency),
    })
}

fn latency(latency: Latency) -> Value {
    let quantiles = |quantiles: Quantiles| {
        let micros = |latency: std::time::Duration| u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        json!({ "p50_us": micros(quantiles.p50), "p95_us": micros(quantiles.p95), "p99_us": micros(quantiles.p99) })
    };
    json!({
        "pairs": latency.pairs,
        "control": quantiles(latency.control),
        "candidate": quantiles(latency.candidate),
        "median_difference_us": latency.median_difference_us,
    })
}

/// One group with its kept exchanges.
pub fn group(report: &GroupReport) -> Value {
    let group = &report.group;
    let example = group.example.get();
    json!({
        "id": group.fingerprint.as_str(),
        "endpoint": group.endpoint.to_string(),
        "kind": group.kind.as_str(),
        "severity": group.severity.as_str(),
        "location": group.location,
        "detail": group.detail,
        "count": group.count,
        "exchanges": group.exchanges,
        "first_seen": time(group.first_seen),
        "last_seen": time(group.last_seen),
        "example": {
            "location": example.location.to_string(),
            "control": example.control,
            "candidate": example.candidate,
        },
        "samples": report.samples.iter().map(sample).collect::<Vec<_>>(),
    })
}

fn sample(sample: &Sample) -> Value {
    let exchange = sample.exchange.get();
    json!({
        "id": exchange.id,
        "at": time(exchange.at),
        "method": exchange.request.method.as_str(),
        "target": exchange.request.target,
        "control": observation(&exchange.control),
        "candidate": observation(&exchange.candidate),
        "notes": sample.notes,
    })
}

fn observation(observation: &Observation) -> Value {
    let (status, failure) = match &observation.outcome {
        Outcome::Response(response) => (Some(response.status.as_u16()), None),
        Outcome::Failure(failure) => (None, Some(failure.as_str())),
    };
    json!({
        "status": status,
        "failure": failure,
        "latency_us": u64::try_from(observation.latency.as_micros()).unwrap_or(u64::MAX),
    })
}

/// `200 in 1.20 ms`, `timeout after 5.00 s`.
pub(super) fn outcome_line(observation: &Observation) -> String {
    let latency = shown(observation.latency);
    match &observation.outcome {
        Outcome::Response(response) => format!("{} in {latency}", response.status.as_u16()),
        Outcome::Failure(failure) => format!("{} after {latency}", failure.as_str()),
    }
}

fn transition(transition: &Transition) -> Value {
    let flip = &transition.flip;
    json!({
        "sequence": transition.sequence,
        "at": time(flip.at),
        "endpoint": flip.endpoint.to_string(),
        "from": standing(transition.from),
        "to": standing(flip.to),
        "revision": transition.revision,
        "actor": flip.actor,
        "reason": flip.reason,
        "forced": flip.forced,
        // Evidence that is not JSON is shown as the text that it is.
        "evidence": serde_json::from_str(&flip.evidence).unwrap_or_else(|_| Value::String(flip.evidence.clone())),
    })
}
