//! What was found with one fingerprint.

use std::sync::Arc;

use crate::divergence::{Divergence, Severity};
use crate::endpoint::EndpointId;
use crate::fingerprint::Fingerprint;
use crate::redact::Redacted;
use crate::suite::outcome::{Accepted, CaseResult, FailOn, Finding, sentence};

/// All divergences with one fingerprint, shown by the first of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    pub fingerprint: Fingerprint,
    pub endpoint: EndpointId,
    pub divergence: Redacted<Divergence>,
    pub accepted: Option<Accepted>,
    pub count: u64,
    /// Where it was found first: the case, and the line of its step.
    pub case: Arc<str>,
    pub persona: Option<Arc<str>>,
    pub line: u64,
    pub first: Place,
}

/// The order of the suite: case, step, divergence.
pub type Place = (u64, u32, u32);

impl Group {
    pub(super) fn first(result: &CaseResult, number: usize, finding: &Finding, first: Place) -> Self {
        let step = &result.steps[number];
        Self {
            fingerprint: finding.fingerprint.clone(),
            endpoint: step.endpoint.clone(),
            divergence: finding.divergence.clone(),
            accepted: finding.accepted.clone(),
            count: 1,
            case: Arc::clone(&result.case),
            persona: result.persona.clone(),
            line: step.line,
            first,
        }
    }

    pub fn severity(&self) -> Severity {
        self.divergence.get().severity
    }

    pub fn fails(&self, fail_on: FailOn) -> bool {
        self.accepted.is_none() && self.severity() >= fail_on.least()
    }

    /// One sentence: what differs, where, and both values.
    pub fn sentence(&self) -> String {
        sentence(&self.endpoint, self.persona.as_deref(), self.divergence.get())
    }
}
