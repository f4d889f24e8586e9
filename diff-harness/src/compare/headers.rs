//! The headers that carry meaning, and those that a rule names.

use std::cmp::Ordering;

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName};

use super::excerpt::{cut, cut_both};
use super::fields::{Fact, MEANINGFUL, facts};
use super::findings::{Finding, Findings, RuleIndex};
use crate::divergence::{Kind, Location, Severity};
use crate::media::{Family, MediaType};
use crate::rules::{Action, Scalar, Target};

pub(super) fn compare_headers(control: &HeaderMap, candidate: &HeaderMap, findings: &mut Findings<'_>) {
    compare_content_type(control, candidate, findings);
    // One look over what is there instead of two look-ups for everything that could be.
    let present = present(control) | present(candidate);
    for (place, name) in MEANINGFUL.iter().enumerate() {
        if present & (1 << place) != 0 {
            compare_header(name, control, candidate, findings);
        }
    }
    let mut named: Vec<HeaderName> = Vec::new();
    for rule in findings.rules() {
        if let Target::Header(name) = &rule.target
            && !matches!(rule.action, Action::Ignore)
            && !MEANINGFUL.contains(name)
            && *name != CONTENT_TYPE
            && !named.contains(name)
        {
            named.push(name.clone());
        }
    }
    for name in &named {
        compare_header(name, control, candidate, findings);
    }
}

/// Which of the meaningful headers are there, a bit for each.
fn present(headers: &HeaderMap) -> u32 {
    let place = |name| MEANINGFUL.iter().position(|meaningful| meaningful == name);
    headers.keys().filter_map(place).fold(0, |present, place| present | 1 << place)
}

fn compare_header(
    name: &HeaderName,
    control: &HeaderMap,
    candidate: &HeaderMap,
    findings: &mut Findings<'_>,
) {
    // What is the same to the byte says the same.
    if control.contains_key(name) && control.get_all(name).iter().eq(candidate.get_all(name)) {
        rules_for(name, findings);
        return;
    }
    let is_compared =
        |action: &Action| matches!(action, Action::Compare | Action::Format(_) | Action::Tolerance(_));
    let exact = findings.rules().iter().any(|rule| {
        matches!(&rule.target, Target::Header(ours) if ours == name) && is_compared(&rule.action)
    });
    let (left, right) = (facts(control, name, exact), facts(candidate, name, exact));
    if left.is_empty() && right.is_empty() {
        return;
    }
    let rules = rules_for(name, findings);
    match (left.is_empty(), right.is_empty()) {
        (false, false) => {}
        // One divergence for the header, not one for each thing that it says.
        (true, _) => return report(name, None, Some(&summary(&right)), &rules, findings),
        (_, true) => return report(name, Some(&summary(&left)), None, &rules, findings),
    }
    let (mut left, mut right) = (left.iter().peekable(), right.iter().peekable());
    loop {
        let order = match (left.peek(), right.peek()) {
            (None, None) => return,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(a), Some(b)) => a.part.cmp(&b.part),
        };
        let a = if order.is_le() { left.next() } else { None };
        let b = if order.is_ge() { right.next() } else { None };
        if a != b {
            report(name, a, b, &rules, findings);
        }
    }
}

/// Rules for a header that found it, so that they have applied.
fn rules_for(name: &HeaderName, findings: &mut Findings<'_>) -> Vec<RuleIndex> {
    let rules = findings.rules().iter().enumerate();
    let ours = rules.filter(|(_, rule)| matches!(&rule.target, Target::Header(ours) if ours == name));
    let ours: Vec<RuleIndex> = ours.map(|(index, _)| index).collect();
    for rule in &ours {
        findings.apply(*rule);
    }
    ours
}

fn report(
    name: &HeaderName,
    control: Option<&Fact>,
    candidate: Option<&Fact>,
    rules: &[RuleIndex],
    findings: &mut Findings<'_>,
) {
    let part = control.or(candidate).and_then(|fact| fact.part.clone());
    let (severity, detail) = match (control, candidate) {
        (Some(_), None) => (Severity::Breaking, "missing"),
        (None, _) => (Severity::Changed, "added"),
        (Some(_), Some(_)) => (Severity::Changed, "value"),
    };
    let hides = |rule: &&RuleIndex| match (&findings.rules()[**rule].action, control, candidate) {
        (Action::Ignore, ..) => true,
        (Action::Format(format), Some(a), Some(b)) => forms(a, b).any(|(a, b)| format.holds(a, b)),
        (Action::Tolerance(tolerance), Some(a), Some(b)) => forms(a, b).any(|(a, b)| tolerance.holds(a, b)),
        _ => false,
    };
    let masks: Vec<RuleIndex> = rules.iter().filter(hides).copied().collect();
    let max = findings.limits.value_bytes_max;
    findings.report(Finding::new(Kind::Header, severity).detail(detail), &masks, || {
        let shown =
            |fact: &Fact| if fact.value.is_empty() { "present".to_owned() } else { fact.value.clone() };
        let (control, candidate) = match (control, candidate) {
            (Some(a), Some(b)) => {
                let (a, b) = cut_both(&shown(a), &shown(b), max);
                (Some(a), Some(b))
            }
            (a, b) => (a.map(|a| cut(&shown(a), max)), b.map(|b| cut(&shown(b), max))),
        };
        (Location::Header { name: name.as_str().to_owned(), part }, control, candidate)
    });
}

/// A header's value as text and, if it reads as one, as a number.
fn forms<'a>(control: &'a Fact, candidate: &'a Fact) -> impl Iterator<Item = (Scalar<'a>, Scalar<'a>)> {
    let (a, b) = (control.value.as_str(), candidate.value.as_str());
    let is_number = |text: &str| {
        text.bytes().next().is_some_and(|byte| byte.is_ascii_digit() || byte == b'-')
            && text.parse::<f64>().is_ok()
    };
    let numbers = (is_number(a) && is_number(b)).then_some((Scalar::Number(a), Scalar::Number(b)));
    std::iter::once((Scalar::Text(a), Scalar::Text(b))).chain(numbers)
}

fn summary(facts: &[Fact]) -> Fact {
    let text = |fact: &Fact| match (&fact.part, fact.value.is_empty()) {
        (None, _) => fact.value.clone(),
        (Some(part), true) => part.clone(),
        (Some(part), false) => format!("{part}: {}", fact.value),
    };
    let texts: Vec<String> = facts.iter().map(text).collect();
    Fact { part: None, value: texts.join(", ") }
}

/// By the parsed media type and its parameters. Another media type is a divergence of kind `type`.
fn compare_content_type(control: &HeaderMap, candidate: &HeaderMap, findings: &mut Findings<'_>) {
    let (raw_a, raw_b) = (control.get(CONTENT_TYPE), candidate.get(CONTENT_TYPE));
    if raw_a.is_none() && raw_b.is_none() {
        return;
    }
    let rules = rules_for(&CONTENT_TYPE, findings);
    if raw_a == raw_b {
        return;
    }
    let (Some(a), Some(b)) = (MediaType::of(control), MediaType::of(candidate)) else {
        let fact = |raw: Option<&http::HeaderValue>| {
            raw.map(|raw| Fact { part: None, value: String::from_utf8_lossy(raw.as_bytes()).into_owned() })
        };
        return report(&CONTENT_TYPE, fact(raw_a).as_ref(), fact(raw_b).as_ref(), &rules, findings);
    };
    if a.essence != b.essence {
        let ignored = |rule: &&RuleIndex| matches!(findings.rules()[**rule].action, Action::Ignore);
        let masks: Vec<RuleIndex> = rules.iter().filter(ignored).copied().collect();
        let finding = Finding::new(Kind::Type, Severity::Breaking);
        let max = findings.limits.value_bytes_max;
        // The names come from an upstream: cut, before they become part of a fingerprint.
        let detail = format!("{} → {}", cut(&a.essence, 100), cut(&b.essence, 100));
        findings.report(finding.detail(detail), &masks, || {
            let (control, candidate) = cut_both(&a.essence, &b.essence, max);
            (Location::Header { name: CONTENT_TYPE.to_string(), part: None }, Some(control), Some(candidate))
        });
        return;
    }
    let (left, right) = (parameters(&a), parameters(&b));
    let names: std::collections::BTreeSet<&String> =
        left.iter().chain(&right).map(|(name, _)| name).collect();
    for name in names {
        let fact = |parameters: &[(String, String)]| {
            let found = parameters.iter().find(|(known, _)| known == name);
            found.map(|(name, value)| Fact { part: Some(name.clone()), value: value.clone() })
        };
        let (a, b) = (fact(&left), fact(&right));
        if a != b {
            report(&CONTENT_TYPE, a.as_ref(), b.as_ref(), &rules, findings);
        }
    }
}

/// A boundary is made up for each response, and JSON is UTF-8 whether it says so or not (RFC 8259 §8.1).
fn parameters(media: &MediaType) -> Vec<(String, String)> {
    let is_json = matches!(media.family(), Family::Json | Family::JsonLines);
    let carries_meaning = |(name, value): &&(String, String)| {
        name != "boundary" && !(is_json && name == "charset" && value == "utf-8")
    };
    media.parameters.iter().filter(carries_meaning).cloned().collect()
}
