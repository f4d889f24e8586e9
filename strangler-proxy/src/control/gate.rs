//! Asks for the evidence that a move must pass.

use diff_harness::divergence::Severity;
use diff_harness::endpoint::EndpointId;
use diff_harness::store::{Epoch, EpochFilter, GroupFilter, Store, StoreError, Tally};
use serde_json::json;

/// What the gate wants to see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatePolicy {
    /// Comparisons in the current epoch, those with equal 5xx on both sides not counted.
    pub min_comparisons: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    Pass,
    Fail,
    /// Never passes.
    Inconclusive,
}

/// What the gate says, and on what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GateAnswer {
    pub answer: Answer,
    /// Each a sentence without its full stop.
    pub findings: Vec<String>,
    pub tally: Tally,
    pub open_groups: usize,
    pub open_exposures: usize,
}

impl Default for GatePolicy {
    fn default() -> Self {
        Self { min_comparisons: 100 }
    }
}

impl Answer {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Inconclusive => "inconclusive",
        }
    }
}

impl GateAnswer {
    /// All findings in one line.
    pub fn sentence(&self) -> String {
        self.findings.join("; ")
    }

    /// What the audit log keeps.
    pub(super) fn to_json(&self) -> String {
        json!({
            "answer": self.answer.as_str(),
            "findings": self.findings,
            "compared": self.tally.compared(),
            "mismatched": self.tally.mismatched,
            "both_failed": self.tally.both_failed,
            "open_groups": self.open_groups,
        })
        .to_string()
    }

    pub(super) fn reachable() -> Self {
        Self::without_evidence(Answer::Pass, "the candidate takes connections".to_owned())
    }

    pub(super) fn unreachable(to: impl std::fmt::Display, why: &str) -> Self {
        let finding = format!("the candidate cannot be reached ({why}), so {to} would compare nothing");
        Self::without_evidence(Answer::Fail, finding)
    }

    fn without_evidence(answer: Answer, finding: String) -> Self {
        Self { answer, findings: vec![finding], tally: Tally::default(), open_groups: 0, open_exposures: 0 }
    }
}

/// Judges what the store holds of an endpoint in this epoch.
pub(super) fn ask(
    store: &dyn Store,
    policy: &GatePolicy,
    epoch: &Epoch,
    endpoint: &EndpointId,
) -> Result<GateAnswer, StoreError> {
    let tally = store
        .tallies(EpochFilter::Only(epoch))?
        .into_iter()
        .find_map(|(of, tally)| (of.as_ref() == Some(endpoint)).then_some(tally))
        .unwrap_or_default();
    let groups = store.groups(&GroupFilter {
        endpoint: Some(endpoint),
        epoch: EpochFilter::Only(epoch),
        least_severity: None,
        limit: usize::MAX,
    })?;
    let open_exposures = groups.iter().filter(|group| group.severity == Severity::Exposure).count();
    let counted = tally.compared().saturating_sub(tally.both_failed);
    let mut findings = Vec::new();
    if open_exposures > 0 {
        findings.push(format!("{open_exposures} open group(s) show what control withholds"));
    }
    if groups.len() > open_exposures {
        findings.push(format!("{} open group(s) of divergences", groups.len() - open_exposures));
    }
    if counted < policy.min_comparisons {
        findings.push(format!("{counted} of {} comparisons", policy.min_comparisons));
    }
    if tally.both_failed > 0 {
        findings.push(format!("{} comparisons were of equal 5xx and count for nothing", tally.both_failed));
    }
    let answer = if !groups.is_empty() {
        Answer::Fail
    } else if counted < policy.min_comparisons {
        Answer::Inconclusive
    } else {
        findings.push(format!("{counted} comparisons and no open group"));
        Answer::Pass
    };
    Ok(GateAnswer { answer, findings, tally, open_groups: groups.len(), open_exposures })
}
