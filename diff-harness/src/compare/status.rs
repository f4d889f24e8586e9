//! Statuses, and outcomes without one.

use http::header::LOCATION;

use super::findings::{Finding, Findings, RuleIndex};
use crate::comparison::SkipReason;
use crate::divergence::{Kind, Location, Severity};
use crate::exchange::{CapturedBody, Outcome, Response};
use crate::rules::{Action, Target};

/// Whether headers and bodies can be put side by side after this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparable {
    Yes,
    /// The statuses say it all.
    No,
    Skip(SkipReason),
}

pub(super) fn compare_statuses(
    control: &Response,
    candidate: &Response,
    findings: &mut Findings<'_>,
) -> Comparable {
    let (a, b) = (control.status.as_u16(), candidate.status.as_u16());
    let masks = status_rules(findings);
    for rule in &masks {
        findings.apply(*rule);
    }
    if a == b {
        if control.status.is_server_error() {
            findings.both_failed();
        }
        return Comparable::Yes;
    }
    let same_class = a / 100 == b / 100;
    let severity = if is_refusal(control) && candidate.status.is_success() {
        Severity::Exposure
    } else if same_class {
        Severity::Changed
    } else {
        Severity::Breaking
    };
    let detail = if same_class { format!("{a} → {b}") } else { format!("{}xx → {}xx", a / 100, b / 100) };
    let hidden = findings.report(Finding::new(Kind::Status, severity).detail(detail), &masks, || {
        (Location::Status, Some(control.status.to_string()), Some(candidate.status.to_string()))
    });
    // A part of a representation says nothing about the whole (RFC 9110 §15.3.7).
    if a == 206 || b == 206 {
        return Comparable::Skip(SkipReason::Partial);
    }
    // Where a rule hides the status, the rest must speak for itself.
    if same_class || hidden {
        return Comparable::Yes;
    }
    let size = size(candidate);
    findings.note(format!(
        "statuses of different classes: headers and bodies not compared; the candidate sent {size}"
    ));
    Comparable::No
}

/// One side, or each in its own way, gave no whole response.
pub(super) fn compare_failures(control: &Outcome, candidate: &Outcome, findings: &mut Findings<'_>) {
    let word = |outcome: &Outcome| match outcome {
        Outcome::Response(_) => "response",
        Outcome::Failure(failure) => failure.as_str(),
    };
    let shown = |outcome: &Outcome| match outcome {
        Outcome::Response(response) => response.status.to_string(),
        Outcome::Failure(failure) => failure.as_str().to_owned(),
    };
    let detail = format!("{} → {}", word(control), word(candidate));
    findings.report(Finding::new(Kind::Transport, Severity::Breaking).detail(detail), &[], || {
        (Location::Exchange, Some(shown(control)), Some(shown(candidate)))
    });
}

/// Control kept something back: it said no, or sent the client to log in first.
fn is_refusal(control: &Response) -> bool {
    if control.status.is_client_error() {
        return true;
    }
    if !control.status.is_redirection() {
        return false;
    }
    let location = control.headers.get(LOCATION).map(|value| value.as_bytes().to_ascii_lowercase());
    let location = location.as_deref().map(String::from_utf8_lossy).unwrap_or_default();
    ["login", "log-in", "log_in", "signin", "sign-in", "sign_in", "logon", "auth", "sso"]
        .iter()
        .any(|word| location.contains(word))
}

fn status_rules(findings: &Findings<'_>) -> Vec<RuleIndex> {
    let rules = findings.rules().iter().enumerate();
    let is_ours = |target: &Target, action: &Action| {
        matches!(target, Target::Status) && matches!(action, Action::Ignore)
    };
    rules.filter(|(_, rule)| is_ours(&rule.target, &rule.action)).map(|(index, _)| index).collect()
}

fn size(response: &Response) -> String {
    match &response.body {
        CapturedBody::Whole(bytes) => format!("{} bytes", bytes.len()),
        CapturedBody::Hashed { length, .. } => format!("{length} bytes"),
        CapturedBody::Cut { head } => format!("{} bytes or more", head.len()),
    }
}
