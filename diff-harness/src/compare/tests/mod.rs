//! What a comparison finds, by table.

mod responses;
mod json;
mod rules;
mod bodies;

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, Method, StatusCode};

use super::*;
use crate::divergence::Divergence;
use crate::exchange::{CapturedBody, TransportFailure};

/// A response as `STATUS [name: value]…` and a body.
fn response(head: &str, body: CapturedBody) -> Observation {
    let mut lines = head.split('|').map(str::trim);
    let status: StatusCode = lines.next().unwrap().parse().unwrap();
    let mut headers = HeaderMap::new();
    for line in lines {
        let (name, value) = line.split_once(": ").unwrap();
        headers.append(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
    }
    Observation { outcome: Outcome::Response(Response { status, headers, body }), latency: Duration::ZERO }
}

fn whole(head: &str, body: impl AsRef<[u8]>) -> Observation {
    response(head, CapturedBody::Whole(Bytes::copy_from_slice(body.as_ref())))
}

fn failure(failure: TransportFailure) -> Observation {
    Observation { outcome: Outcome::Failure(failure), latency: Duration::ZERO }
}

fn judge_with(method: Method, rules: &str, control: &Observation, candidate: &Observation) -> Judgement {
    let comparator = Comparator::new(Rules::parse(rules, "rules.toml").unwrap(), Limits::default());
    let endpoint = EndpointId::new(method.clone(), "/x/{id}");
    comparator.compare(&endpoint, &request(method), control, candidate)
}

fn request(method: Method) -> Request {
    Request { method, target: "/x/1".to_owned(), headers: HeaderMap::new(), body: CapturedBody::empty() }
}

fn judge(control: &Observation, candidate: &Observation) -> Judgement {
    judge_with(Method::GET, "", control, candidate)
}

fn line(divergence: &Divergence) -> String {
    let Divergence { kind, severity, location, detail, control, candidate } = divergence;
    let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
    let detail = detail.as_ref().map(|detail| format!(" ({detail})")).unwrap_or_default();
    format!(
        "{} {} {location}{detail}: {} / {}",
        severity.as_str(),
        kind.as_str(),
        value(control),
        value(candidate)
    )
}

/// Divergences as lines; what a rule hid has the rule's id before it.
fn lines(judgement: &Judgement) -> Vec<String> {
    match judgement {
        Judgement::Compared(comparison) => {
            let tolerated = comparison.tolerated.iter();
            let tolerated = tolerated.map(|hidden| format!("[{}] {}", hidden.rule, line(&hidden.divergence)));
            comparison.divergences.iter().map(line).chain(tolerated).collect()
        }
        Judgement::Skipped(reason) => vec![format!("skipped {}", reason.as_str())],
    }
}

#[track_caller]
fn check(control: &Observation, candidate: &Observation, expected: &[&str]) {
    assert_eq!(lines(&judge(control, candidate)), expected);
}

#[track_caller]
fn check_json(control: &str, candidate: &str, expected: &[&str]) {
    check_rules("", control, candidate, expected);
}

#[track_caller]
fn check_rules(rules: &str, control: &str, candidate: &str, expected: &[&str]) {
    let json = |body: &str| whole("200|content-type: application/json", body);
    let judgement = judge_with(Method::GET, rules, &json(control), &json(candidate));
    assert_eq!(lines(&judgement), expected, "{control} / {candidate}");
}

/// A rule with everything but its target and action.
fn rule(target_and_action: &str) -> String {
    format!("[[rules]]\nid = 'r'\nreason = 'test'\n{target_and_action}\n")
}
