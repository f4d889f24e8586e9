//! What became of one case: plain data that every output format builds its own view of.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;

use crate::comparison::{SkipReason, Verdict};
use crate::divergence::{Divergence, Severity};
use crate::endpoint::EndpointId;
use crate::fingerprint::Fingerprint;
use crate::redact::Redacted;

/// One case as one persona.
#[derive(Clone, Debug, PartialEq)]
pub struct CaseResult {
    /// Its place among all that the suite asks for, from 0: the same in every run, on every machine.
    pub index: u64,
    pub case: Arc<str>,
    pub line: u64,
    /// `None` for a suite without personas.
    pub persona: Option<Arc<str>>,
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
    Compared(Compared),
    /// Sent, and not comparable.
    Skipped(SkipReason),
    /// A step that only prepares others, and succeeded on both sides.
    Prepared,
    /// It could not be judged: a set-up that failed, an expectation that control does not meet.
    Failed(String),
    /// Not sent, because an earlier step failed.
    NotRun,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Compared {
    pub verdict: Verdict,
    pub findings: Vec<Finding>,
    /// Both sides answered the same 5xx: no evidence of parity.
    pub both_failed: bool,
    /// Something differed, and did not when both sides were asked again.
    pub unconfirmed: bool,
    pub notes: Vec<String>,
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
    pub fn least(self) -> Severity {
        match self {
            Self::Exposure => Severity::Exposure,
            Self::Breaking => Severity::Breaking,
            Self::Any => Severity::Cosmetic,
        }
    }
}

impl CaseResult {
    pub fn found(&self) -> impl Iterator<Item = Found<'_>> {
        self.steps.iter().flat_map(move |step| {
            let findings = match &step.outcome {
                StepOutcome::Compared(compared) => compared.findings.as_slice(),
                _ => &[],
            };
            findings.iter().map(move |finding| Found { result: self, step, finding })
        })
    }

    /// Whether everything in it matched, and there is nothing to read in it.
    pub fn is_plain(&self) -> bool {
        self.steps.iter().all(|step| match &step.outcome {
            StepOutcome::Compared(compared) => {
                compared.verdict != Verdict::Mismatch && !compared.both_failed && !compared.unconfirmed
            }
            StepOutcome::Prepared => true,
            StepOutcome::Skipped(_) | StepOutcome::Failed(_) | StepOutcome::NotRun => false,
        })
    }
}

impl Finding {
    pub fn fails(&self, fail_on: FailOn) -> bool {
        self.accepted.is_none() && self.divergence.get().severity >= fail_on.least()
    }
}

/// A divergence with where it was found.
#[derive(Clone, Copy, Debug)]
pub struct Found<'a> {
    pub result: &'a CaseResult,
    pub step: &'a StepResult,
    pub finding: &'a Finding,
}

impl Found<'_> {
    pub fn fails(&self, fail_on: FailOn) -> bool {
        self.finding.fails(fail_on)
    }

    pub fn sentence(&self) -> String {
        sentence(&self.step.endpoint, self.result.persona.as_deref(), self.finding.divergence.get())
    }
}

/// One sentence: what differs, where, and both values.
pub(super) fn sentence(endpoint: &EndpointId, persona: Option<&str>, divergence: &Divergence) -> String {
    let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".to_owned());
    let persona = persona.map(|name| format!(" as {name}")).unwrap_or_default();
    format!(
        "{} ({}): {endpoint}{persona} {}: control has {}, the candidate has {}",
        divergence.severity.as_str(),
        divergence.kind.as_str(),
        divergence.location,
        value(&divergence.control),
        value(&divergence.candidate),
    )
}
