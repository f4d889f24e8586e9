//! What says whether two answers agree, and whether a run fails over it.

use crate::compare::Comparator;
use crate::comparison::{Comparison, Judgement, Verdict};
use crate::divergence::{Divergence, Kind, Location, Severity};
use crate::exchange::{Exchange, Observation, Outcome};
use crate::fingerprint::Fingerprint;
use crate::redact::Redactor;
use crate::shape::write_shape;
use crate::suite::accept::Acceptance;
use crate::suite::ids::{Asked, Names, Translated, Violation};
use crate::suite::outcome::{Compared, Finding, StepOutcome};

/// The comparator of the proxy, under the same rules, with what CI adds to it.
#[derive(Debug)]
pub struct Judge {
    pub comparator: Comparator,
    pub redactor: Redactor,
    pub acceptance: Acceptance,
}

impl Judge {
    /// Compares the two answers of a step in control's names.
    pub(super) fn judge(
        &self,
        names: &mut Names,
        by_name: bool,
        exchange: &Exchange,
        mut violations: Vec<Violation>,
        mut learned: Vec<Location>,
    ) -> StepOutcome {
        let endpoint = &exchange.endpoint;
        let translated = match (&exchange.control.outcome, &exchange.candidate.outcome) {
            (Outcome::Response(control), Outcome::Response(candidate)) => {
                let asked = Asked { endpoint: endpoint.template(), is_safe: endpoint.is_safe(), by_name };
                let translated = names.translate(asked, control, candidate);
                let Translated { response, learned: places, violations: found } = translated;
                learned.extend(places);
                violations.extend(found);
                response.map(|response| Observation {
                    outcome: Outcome::Response(response),
                    latency: exchange.candidate.latency,
                })
            }
            _ => None,
        };
        let candidate = translated.as_ref().unwrap_or(&exchange.candidate);
        match self.comparator.compare(endpoint, &exchange.request, &exchange.control, candidate) {
            Judgement::Skipped(reason) if violations.is_empty() => StepOutcome::Skipped(reason),
            Judgement::Skipped(reason) => {
                let mut comparison = Comparison::default();
                comparison.notes.push(format!("the bodies were not compared: {}", reason.as_str()));
                StepOutcome::Compared(self.compared(exchange, comparison, violations, &learned))
            }
            Judgement::Compared(comparison) => {
                StepOutcome::Compared(self.compared(exchange, comparison, violations, &learned))
            }
        }
    }

    fn compared(
        &self,
        exchange: &Exchange,
        mut comparison: Comparison,
        violations: Vec<Violation>,
        learned: &[Location],
    ) -> Compared {
        for violation in violations {
            let Violation { location, control, candidate, expected } = violation;
            let why = match expected {
                Some(_) => "is another thing than the one that this identifier named before",
                None => "is the candidate's name for another thing",
            };
            comparison.notes.push(format!("{location}: the candidate's identifier {why}"));
            // Where the values differ the comparison has found it itself.
            if !comparison.divergences.iter().any(|divergence| divergence.location == location) {
                comparison.divergences.push(Divergence {
                    kind: Kind::Value,
                    severity: Severity::Breaking,
                    location,
                    detail: Some("identifier".to_owned()),
                    control: Some(control),
                    candidate: Some(candidate),
                });
            }
        }
        if !learned.is_empty() {
            let mut places: Vec<String> =
                learned.iter().map(|location| location.generalized().to_string()).collect();
            places.sort();
            places.dedup();
            comparison
                .notes
                .push(format!("different identifiers were bound to each other at {}", places.join(", ")));
        }
        let verdict = comparison.verdict();
        let findings =
            if verdict == Verdict::Mismatch { self.findings(exchange, &comparison) } else { vec![] };
        let Comparison { both_failed, notes, .. } = comparison;
        Compared { verdict, findings, both_failed, unconfirmed: false, notes }
    }

    fn findings(&self, exchange: &Exchange, comparison: &Comparison) -> Vec<Finding> {
        let redaction = self.redactor.begin(exchange);
        let mut shape = String::new();
        if self.acceptance.has_parts() {
            write_shape(&mut shape, &exchange.request, &exchange.control);
        }
        let findings = comparison.divergences.iter().map(|divergence| {
            let whole = Fingerprint::of(&exchange.endpoint, divergence);
            let fingerprint = self.acceptance.group(whole, &shape, &divergence.location);
            let accepted = self.acceptance.of(&fingerprint, divergence.severity);
            Finding { fingerprint, divergence: redaction.divergence(divergence), accepted }
        });
        findings.collect()
    }
}

/// What of a mismatch was found again when both sides were asked a second time. The second answers stand.
pub(super) fn confirm(first: Compared, second: StepOutcome) -> StepOutcome {
    let StepOutcome::Compared(mut second) = second else { return second };
    let before = second.findings.len();
    second
        .findings
        .retain(|finding| first.findings.iter().any(|known| known.fingerprint == finding.fingerprint));
    let gone = first
        .findings
        .iter()
        .filter(|finding| second.findings.iter().all(|again| again.fingerprint != finding.fingerprint));
    let mut gone: Vec<String> = gone
        .map(|finding| {
            let divergence = finding.divergence.get();
            format!("{} at {}", divergence.kind.as_str(), divergence.location)
        })
        .collect();
    gone.dedup();
    if before > second.findings.len() || !gone.is_empty() {
        second.unconfirmed = true;
        let what = if gone.is_empty() { "another divergence".to_owned() } else { gone.join(", ") };
        second.notes.push(format!("not confirmed when both sides were asked again: {what}"));
    }
    if second.findings.is_empty() && second.verdict == Verdict::Mismatch {
        second.verdict = Verdict::Match;
    }
    StepOutcome::Compared(second)
}
