//! What a run of a suite found: plain data that every output format builds its own view of.

use std::collections::BTreeMap;
use std::time::Duration;

use http::StatusCode;

use crate::comparison::{SkipReason, Verdict};
use crate::divergence::{Divergence, Severity};
use crate::endpoint::EndpointId;
use crate::fingerprint::Fingerprint;
use crate::redact::Redacted;

/// A run of a suite, cases in the order of its file whatever the order in which they were run.
#[derive(Clone, Debug, PartialEq)]
pub struct RunReport {
    pub suite: String,
    /// The suite file as it was named on the command line.
    pub file: String,
    pub results: Vec<CaseResult>,
}

/// One case as one persona.
#[derive(Clone, Debug, PartialEq)]
pub struct CaseResult {
    pub case: String,
    pub line: u64,
    /// `None` for a suite without personas.
    pub persona: Option<String>,
    pub steps: Vec<StepResult>,
    pub duration: Duration,
}

#[derive(Clone, Debug, PartialEq)]
pub struct StepResult {
    pub name: String,
    pub line: u64,
    pub endpoint: EndpointId,
    /// What each side answered, where it answered.
    pub control: Option<StatusCode>,
    pub candidate: Option<StatusCode>,
    pub outcome: StepOutcome,
}

#[derive(Clone, Debug, PartialEq)]
pub enum StepOutcome {
    Compared {
        verdict: Verdict,
        findings: Vec<Finding>,
        notes: Vec<String>,
    },
    /// Sent, and not comparable.
    Skipped(SkipReason),
    /// A step that only prepares others, and succeeded on both sides.
    Prepared,
    /// It could not be judged: a set-up that failed, an expectation that control does not meet.
    Failed(String),
    /// Not sent, because an earlier step failed.
    NotRun,
}

/// One divergence, and whether it fails the run.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    pub fingerprint: Fingerprint,
    pub divergence: Redacted<Divergence>,
    /// Why it does not fail the run, where it does not.
    pub accepted: Option<Accepted>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Accepted {
    /// Its group stands in the baseline file.
    Baseline,
    /// A person waived its group.
    Waiver { owner: String, reason: String },
}

/// From which severity on a divergence fails the run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FailOn {
    Exposure,
    Breaking,
    #[default]
    Any,
}

impl FailOn {
    fn least(self) -> Severity {
        match self {
            Self::Exposure => Severity::Exposure,
            Self::Breaking => Severity::Breaking,
            Self::Any => Severity::Cosmetic,
        }
    }
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunVerdict {
    Pass,
    /// Something diverged that nobody accepted.
    Diverged,
    /// A step could not be judged.
    Failed,
    /// Nothing was compared: no evidence of anything.
    Nothing,
}

impl RunVerdict {
    /// The exit code of `strangler suite run`.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Pass => 0,
            Self::Failed => 1,
            Self::Diverged => 3,
            Self::Nothing => 4,
        }
    }
}

/// Counts of a run. `steps` is the sum of the others but `accepted`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    pub steps: u64,
    pub matched: u64,
    pub tolerated: u64,
    pub mismatched: u64,
    /// Of the mismatched: those whose every divergence was accepted.
    pub accepted: u64,
    pub skipped: u64,
    pub prepared: u64,
    pub failed: u64,
    pub not_run: u64,
}

impl Totals {
    pub fn compared(&self) -> u64 {
        self.matched + self.tolerated + self.mismatched
    }
}

/// A divergence of a run with all that is known of where it was found.
#[derive(Clone, Copy, Debug)]
pub struct Found<'a> {
    pub result: &'a CaseResult,
    pub step: &'a StepResult,
    pub finding: &'a Finding,
}

impl RunReport {
    pub fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        for step in self.results.iter().flat_map(|result| &result.steps) {
            totals.steps += 1;
            match &step.outcome {
                StepOutcome::Compared { verdict: Verdict::Match, .. } => totals.matched += 1,
                StepOutcome::Compared { verdict: Verdict::Tolerated, .. } => totals.tolerated += 1,
                StepOutcome::Compared { verdict: Verdict::Mismatch, findings, .. } => {
                    totals.mismatched += 1;
                    totals.accepted += u64::from(findings.iter().all(|finding| finding.accepted.is_some()));
                }
                StepOutcome::Skipped(_) => totals.skipped += 1,
                StepOutcome::Prepared => totals.prepared += 1,
                StepOutcome::Failed(_) => totals.failed += 1,
                StepOutcome::NotRun => totals.not_run += 1,
            }
        }
        totals
    }

    /// A divergence that nobody accepted outweighs a failure, because it is the more certain of the two.
    pub fn verdict(&self, fail_on: FailOn) -> RunVerdict {
        let totals = self.totals();
        if self.failing(fail_on).next().is_some() {
            RunVerdict::Diverged
        } else if totals.failed > 0 {
            RunVerdict::Failed
        } else if totals.compared() == 0 {
            RunVerdict::Nothing
        } else {
            RunVerdict::Pass
        }
    }

    /// All divergences, in the order of the suite.
    pub fn found(&self) -> impl Iterator<Item = Found<'_>> {
        self.results.iter().flat_map(CaseResult::found)
    }

    /// The divergences that fail the run.
    pub fn failing(&self, fail_on: FailOn) -> impl Iterator<Item = Found<'_>> {
        self.found().filter(move |found| found.fails(fail_on))
    }

    /// One of each group with the number of its divergences, worst first.
    pub fn groups(&self) -> Vec<(Found<'_>, u64)> {
        let mut groups: BTreeMap<&Fingerprint, (Found<'_>, u64)> = BTreeMap::new();
        for found in self.found() {
            groups.entry(&found.finding.fingerprint).or_insert((found, 0)).1 += 1;
        }
        let mut groups: Vec<_> = groups.into_values().collect();
        groups.sort_by_key(|(found, count)| {
            (std::cmp::Reverse(found.severity()), std::cmp::Reverse(*count), &found.finding.fingerprint)
        });
        groups
    }
}

impl CaseResult {
    pub fn found(&self) -> impl Iterator<Item = Found<'_>> {
        self.steps.iter().flat_map(move |step| {
            let findings = match &step.outcome {
                StepOutcome::Compared { findings, .. } => findings.as_slice(),
                _ => &[],
            };
            findings.iter().map(move |finding| Found { result: self, step, finding })
        })
    }
}

impl Finding {
    pub fn fails(&self, fail_on: FailOn) -> bool {
        self.accepted.is_none() && self.divergence.get().severity >= fail_on.least()
    }
}

impl Found<'_> {
    pub fn severity(&self) -> Severity {
        self.finding.divergence.get().severity
    }

    pub fn fails(&self, fail_on: FailOn) -> bool {
        self.finding.fails(fail_on)
    }

    /// One sentence: what differs, where, and both values.
    pub fn sentence(&self) -> String {
        let divergence = self.finding.divergence.get();
        let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".to_owned());
        let persona = self.result.persona.as_deref().map(|name| format!(" as {name}")).unwrap_or_default();
        format!(
            "{} ({}): {}{persona} {}: control has {}, the candidate has {}",
            divergence.severity.as_str(),
            divergence.kind.as_str(),
            self.step.endpoint,
            divergence.location,
            value(&divergence.control),
            value(&divergence.candidate),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suite::output::fixture;

    #[test]
    fn the_verdict_follows_the_bar() {
        let report = fixture::report();
        assert_eq!(report.verdict(FailOn::Exposure), RunVerdict::Diverged);
        let mut without = report.clone();
        without.results.remove(1);
        assert_eq!(without.verdict(FailOn::Any), RunVerdict::Failed, "a step that failed is no pass");
        assert_eq!(fixture::healthy().verdict(FailOn::Any), RunVerdict::Pass);
    }

    #[test]
    fn a_run_that_compared_nothing_is_no_pass() {
        let mut report = fixture::healthy();
        report.results[0].steps[0].outcome = StepOutcome::Skipped(SkipReason::Stream);
        assert_eq!(report.verdict(FailOn::Any), RunVerdict::Nothing);
        report.results.clear();
        assert_eq!(report.verdict(FailOn::Any).exit_code(), 4);
    }

    #[test]
    fn what_was_accepted_fails_nothing() {
        let mut report = fixture::report();
        report.results.remove(1);
        assert_eq!(report.failing(FailOn::Any).count(), 0);
        assert_eq!((report.totals().mismatched, report.totals().accepted), (1, 1));
    }
}
