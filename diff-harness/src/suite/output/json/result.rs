//! One case that was run.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::finding::DivergenceView;
use crate::comparison::Verdict;
use crate::suite::outcome::{CaseResult, Compared, FailOn, StepOutcome, StepResult};

#[derive(Serialize, Deserialize)]
pub(super) struct ResultView {
    index: u64,
    case: String,
    line: u64,
    persona: Option<String>,
    duration_us: u64,
    steps: Vec<StepView>,
}

#[derive(Serialize, Deserialize)]
struct StepView {
    name: String,
    line: u64,
    endpoint: String,
    control_status: Option<u16>,
    candidate_status: Option<u16>,
    outcome: String,
    detail: DetailView,
}

#[derive(Default, Serialize, Deserialize)]
struct DetailView {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    divergences: Vec<DivergenceView>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    both_failed: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    unconfirmed: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
}

impl ResultView {
    pub(super) fn of(result: &CaseResult, fail_on: FailOn) -> Self {
        Self {
            index: result.index,
            case: result.case.to_string(),
            line: result.line,
            persona: result.persona.as_deref().map(str::to_owned),
            duration_us: u64::try_from(result.duration.as_micros()).unwrap_or(u64::MAX),
            steps: result.steps.iter().map(|step| StepView::of(step, fail_on)).collect(),
        }
    }

    pub(super) fn read(self) -> Result<CaseResult, String> {
        Ok(CaseResult {
            index: self.index,
            case: Arc::from(self.case),
            line: self.line,
            persona: self.persona.map(Arc::from),
            steps: self.steps.into_iter().map(StepView::read).collect::<Result<_, _>>()?,
            duration: Duration::from_micros(self.duration_us),
        })
    }
}

impl StepView {
    fn of(step: &StepResult, fail_on: FailOn) -> Self {
        let reason = |reason: &str| DetailView { reason: Some(reason.to_owned()), ..DetailView::default() };
        let (outcome, detail) = match &step.outcome {
            StepOutcome::Compared(compared) => {
                let findings = compared.findings.iter();
                let detail = DetailView {
                    reason: None,
                    divergences: findings.map(|finding| DivergenceView::of(finding, fail_on)).collect(),
                    both_failed: compared.both_failed,
                    unconfirmed: compared.unconfirmed,
                    notes: compared.notes.clone(),
                };
                (compared.verdict.as_str(), detail)
            }
            StepOutcome::Skipped(why) => ("skipped", reason(why.as_str())),
            StepOutcome::Prepared => ("prepared", DetailView::default()),
            StepOutcome::Failed(why) => ("failed", reason(why)),
            StepOutcome::NotRun => ("not_run", DetailView::default()),
        };
        Self {
            name: step.name.clone(),
            line: step.line,
            endpoint: step.endpoint.to_string(),
            control_status: step.control.map(|status| status.as_u16()),
            candidate_status: step.candidate.map(|status| status.as_u16()),
            outcome: outcome.to_owned(),
            detail,
        }
    }

    fn read(self) -> Result<StepResult, String> {
        let detail = self.detail;
        let compared = |verdict, detail: DetailView| {
            let findings = detail.divergences.into_iter().map(DivergenceView::read);
            Ok::<_, String>(StepOutcome::Compared(Compared {
                verdict,
                findings: findings.collect::<Result<_, _>>()?,
                both_failed: detail.both_failed,
                unconfirmed: detail.unconfirmed,
                notes: detail.notes,
            }))
        };
        let outcome = match self.outcome.as_str() {
            "match" => compared(Verdict::Match, detail)?,
            "tolerated" => compared(Verdict::Tolerated, detail)?,
            "mismatch" => compared(Verdict::Mismatch, detail)?,
            "skipped" => StepOutcome::Skipped(detail.reason.unwrap_or_default().parse()?),
            "prepared" => StepOutcome::Prepared,
            "failed" => StepOutcome::Failed(detail.reason.unwrap_or_default()),
            "not_run" => StepOutcome::NotRun,
            other => return Err(format!("`{other}` is not an outcome of a step")),
        };
        let status = |code: Option<u16>| code.and_then(|code| StatusCode::from_u16(code).ok());
        Ok(StepResult {
            name: self.name,
            line: self.line,
            endpoint: self.endpoint.parse().map_err(|error| format!("{error}"))?,
            control: status(self.control_status),
            candidate: status(self.candidate_status),
            outcome,
        })
    }
}
