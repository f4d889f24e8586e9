//! The run as JSON: one versioned envelope that holds all that a report knows, so that it can be read back, merged
//! and gone on with.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::comparison::Verdict;
use crate::divergence::{Divergence, Kind, Severity};
use crate::redact::Redacted;
use crate::suite::matrix::{Access, Cell};
use crate::suite::outcome::{Accepted, CaseResult, Compared, FailOn, Finding, StepOutcome, StepResult};
use crate::suite::report::{Group, RunReport, Totals};

/// Grows when a member changes its meaning or goes away; new members do not change it.
pub const VERSION: u32 = 1;
const FORMAT: &str = "strangler-suite-run";

pub fn render(report: &RunReport, fail_on: FailOn) -> String {
    serde_json::to_string_pretty(&view(report, fail_on)).expect("plain data is serializable")
}

pub fn value(report: &RunReport, fail_on: FailOn) -> serde_json::Value {
    serde_json::to_value(view(report, fail_on)).expect("plain data is serializable")
}

/// Reads what [`render`] wrote.
///
/// # Errors
///
/// What is wrong with it, in a sentence: it may come from a file that somebody named by mistake.
pub fn parse(text: &str) -> Result<RunReport, String> {
    #[derive(Deserialize)]
    struct Head {
        format: Option<String>,
        version: Option<u32>,
    }
    let head: Head =
        serde_json::from_str(text).map_err(|error| format!("it is not a report of a run: {error}"))?;
    match (head.format.as_deref(), head.version) {
        (Some(FORMAT), Some(VERSION)) => {}
        (Some(FORMAT), version) => {
            return Err(format!("it is of version {version:?}, and this program reads version {VERSION}"));
        }
        _ => return Err("it is not a report of a run (`strangler suite run --json F` writes one)".to_owned()),
    }
    let view: RunView = serde_json::from_str(text).map_err(|error| format!("it cannot be read: {error}"))?;
    view.read()
}

fn view(report: &RunReport, fail_on: FailOn) -> RunView {
    let [telling, plain] = report.cuts();
    RunView {
        format: FORMAT.to_owned(),
        version: VERSION,
        suite: report.suite.clone(),
        file: report.file.clone(),
        verdict: report.verdict(fail_on).as_str().to_owned(),
        planned: report.planned,
        totals: TotalsView::of(&report.totals),
        open: Severity::ALL
            .map(|severity| (severity.as_str().to_owned(), report.open()[severity as usize]))
            .into(),
        notes: report.notes.clone(),
        groups: report.groups().into_iter().map(|group| GroupView::of(group, fail_on)).collect(),
        ungrouped: report.ungrouped(),
        matrix: report
            .matrix
            .iter()
            .map(|(endpoint, persona, cell)| CellView {
                persona: persona.to_string(),
                endpoint: endpoint.to_string(),
                control: AccessView::of(&cell.control),
                candidate: AccessView::of(&cell.candidate),
                exposed: cell.exposed,
            })
            .collect(),
        results: report.results().into_iter().map(|result| ResultView::of(result, fail_on)).collect(),
        unlisted: report.unlisted(),
        listed_until: ListedUntil { telling, plain },
    }
}

#[derive(Serialize, Deserialize)]
struct RunView {
    format: String,
    version: u32,
    suite: String,
    file: String,
    verdict: String,
    planned: u64,
    totals: TotalsView,
    /// Divergences that nobody accepted, by severity.
    open: std::collections::BTreeMap<String, u64>,
    notes: Vec<String>,
    groups: Vec<GroupView>,
    ungrouped: u64,
    matrix: Vec<CellView>,
    results: Vec<ResultView>,
    /// Cases that were run and are counted only.
    unlisted: u64,
    /// From which case on those with something to say, and those without, are not listed.
    listed_until: ListedUntil,
}

#[derive(Serialize, Deserialize)]
struct ListedUntil {
    telling: Option<u64>,
    plain: Option<u64>,
}

#[derive(Serialize, Deserialize)]
struct TotalsView {
    cases: u64,
    steps: u64,
    compared: u64,
    matched: u64,
    tolerated: u64,
    mismatched: u64,
    accepted: u64,
    both_failed: u64,
    unconfirmed: u64,
    skipped: u64,
    prepared: u64,
    failed: u64,
    not_run: u64,
}

#[derive(Serialize, Deserialize)]
struct DivergenceView {
    group: String,
    kind: String,
    severity: String,
    location: String,
    detail: Option<String>,
    control: Option<String>,
    candidate: Option<String>,
    accepted: Option<AcceptedView>,
    fails: bool,
}

#[derive(Serialize, Deserialize)]
struct AcceptedView {
    by: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct GroupView {
    #[serde(flatten)]
    divergence: DivergenceView,
    endpoint: String,
    count: u64,
    case: String,
    persona: Option<String>,
    line: u64,
    first: (u64, u32, u32),
}

#[derive(Serialize, Deserialize)]
struct CellView {
    persona: String,
    endpoint: String,
    control: AccessView,
    candidate: AccessView,
    /// How often the candidate allowed what control refused.
    exposed: u64,
}

#[derive(Serialize, Deserialize)]
struct AccessView {
    access: String,
    allowed: u64,
    refused: u64,
    failed: u64,
}

#[derive(Serialize, Deserialize)]
struct ResultView {
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

impl RunView {
    fn read(self) -> Result<RunReport, String> {
        let mut report = RunReport::new(self.suite, self.file, self.planned);
        report.totals = self.totals.read();
        report.notes = self.notes;
        for group in self.groups {
            report.add_to_group(group.read()?);
        }
        report.set_ungrouped(self.ungrouped);
        report.set_open(Severity::ALL.map(|severity| *self.open.get(severity.as_str()).unwrap_or(&0)));
        for cell in self.matrix {
            let endpoint = cell.endpoint.parse().map_err(|error| format!("{error}"))?;
            let (control, candidate) = (cell.control.read(), cell.candidate.read());
            let counted = Cell { control, candidate, exposed: cell.exposed };
            report.matrix.add(&Arc::from(cell.persona), &endpoint, &counted);
        }
        report.set_cuts([self.listed_until.telling, self.listed_until.plain]);
        for result in self.results {
            report.list(result.read()?);
        }
        Ok(report)
    }
}

impl TotalsView {
    fn of(totals: &Totals) -> Self {
        Self {
            cases: totals.cases,
            steps: totals.steps,
            compared: totals.compared(),
            matched: totals.matched,
            tolerated: totals.tolerated,
            mismatched: totals.mismatched,
            accepted: totals.accepted,
            both_failed: totals.both_failed,
            unconfirmed: totals.unconfirmed,
            skipped: totals.skipped,
            prepared: totals.prepared,
            failed: totals.failed,
            not_run: totals.not_run,
        }
    }

    fn read(&self) -> Totals {
        Totals {
            cases: self.cases,
            steps: self.steps,
            matched: self.matched,
            tolerated: self.tolerated,
            mismatched: self.mismatched,
            accepted: self.accepted,
            both_failed: self.both_failed,
            unconfirmed: self.unconfirmed,
            skipped: self.skipped,
            prepared: self.prepared,
            failed: self.failed,
            not_run: self.not_run,
        }
    }
}

impl AccessView {
    fn of(access: &Access) -> Self {
        let Access { allowed, refused, failed } = *access;
        Self { access: access.as_str().to_owned(), allowed, refused, failed }
    }

    fn read(&self) -> Access {
        Access { allowed: self.allowed, refused: self.refused, failed: self.failed }
    }
}

impl DivergenceView {
    fn of(finding: &Finding, fail_on: FailOn) -> Self {
        let divergence = finding.divergence.get();
        let accepted = finding.accepted.as_ref().map(|accepted| match accepted {
            Accepted::Baseline => AcceptedView { by: "baseline".to_owned(), owner: None, reason: None },
            Accepted::Waiver { owner, reason } => AcceptedView {
                by: "waiver".to_owned(),
                owner: Some(owner.clone()),
                reason: Some(reason.clone()),
            },
        });
        Self {
            group: finding.fingerprint.to_string(),
            kind: divergence.kind.as_str().to_owned(),
            severity: divergence.severity.as_str().to_owned(),
            location: divergence.location.to_string(),
            detail: divergence.detail.clone(),
            control: divergence.control.clone(),
            candidate: divergence.candidate.clone(),
            accepted,
            fails: finding.fails(fail_on),
        }
    }

    fn read(self) -> Result<Finding, String> {
        let unknown = |what: &str, text: &str| format!("`{text}` is not a {what}");
        let kind = Kind::ALL.into_iter().find(|kind| kind.as_str() == self.kind);
        let severity = Severity::ALL.into_iter().find(|severity| severity.as_str() == self.severity);
        let accepted = self.accepted.map(|accepted| match accepted.by.as_str() {
            "waiver" => Accepted::Waiver {
                owner: accepted.owner.unwrap_or_default(),
                reason: accepted.reason.unwrap_or_default(),
            },
            _ => Accepted::Baseline,
        });
        Ok(Finding {
            fingerprint: self.group.parse().map_err(|error| format!("{error}"))?,
            // Only what was redacted was ever written.
            divergence: Redacted::stored(Divergence {
                kind: kind.ok_or_else(|| unknown("kind", &self.kind))?,
                severity: severity.ok_or_else(|| unknown("severity", &self.severity))?,
                location: self.location.parse().map_err(|error| format!("{error}"))?,
                detail: self.detail,
                control: self.control,
                candidate: self.candidate,
            }),
            accepted,
        })
    }
}

impl GroupView {
    fn of(group: &Group, fail_on: FailOn) -> Self {
        let finding = Finding {
            fingerprint: group.fingerprint.clone(),
            divergence: group.divergence.clone(),
            accepted: group.accepted.clone(),
        };
        Self {
            divergence: DivergenceView::of(&finding, fail_on),
            endpoint: group.endpoint.to_string(),
            count: group.count,
            case: group.case.to_string(),
            persona: group.persona.as_deref().map(str::to_owned),
            line: group.line,
            first: group.first,
        }
    }

    fn read(self) -> Result<Group, String> {
        let Finding { fingerprint, divergence, accepted } = self.divergence.read()?;
        Ok(Group {
            fingerprint,
            endpoint: self.endpoint.parse().map_err(|error| format!("{error}"))?,
            divergence,
            accepted,
            count: self.count,
            case: Arc::from(self.case),
            persona: self.persona.map(Arc::from),
            line: self.line,
            first: self.first,
        })
    }
}

impl ResultView {
    fn of(result: &CaseResult, fail_on: FailOn) -> Self {
        Self {
            index: result.index,
            case: result.case.to_string(),
            line: result.line,
            persona: result.persona.as_deref().map(str::to_owned),
            duration_us: u64::try_from(result.duration.as_micros()).unwrap_or(u64::MAX),
            steps: result.steps.iter().map(|step| StepView::of(step, fail_on)).collect(),
        }
    }

    fn read(self) -> Result<CaseResult, String> {
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

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;

    #[test]
    fn the_steps_add_up_to_the_totals() {
        let value = value(&fixture::report(), FailOn::Any);
        let totals = &value["totals"];
        let sum: u64 = ["compared", "skipped", "prepared", "failed", "not_run"]
            .iter()
            .map(|name| totals[name].as_u64().unwrap())
            .sum();
        assert_eq!(totals["steps"].as_u64(), Some(sum));
        assert_eq!(value["verdict"], "diverged");
    }

    #[test]
    fn a_value_that_a_server_sent_survives_whole() {
        let text = render(&fixture::report(), FailOn::Any);
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        let divergence = &value["results"][1]["steps"][0]["detail"]["divergences"][0];
        assert_eq!(divergence["candidate"], fixture::HOSTILE);
    }

    #[test]
    fn a_report_reads_back_whole() {
        for report in [fixture::report(), fixture::healthy(), fixture::of([])] {
            let back = parse(&render(&report, FailOn::Any)).unwrap();
            assert!(back == report, "{}", render(&back, FailOn::Any));
        }
    }

    #[test]
    fn what_is_no_report_is_refused_in_a_sentence() {
        for text in
            ["", "{}", "[]", "{\"format\":\"sarif\"}", "{\"format\":\"strangler-suite-run\",\"version\":2}"]
        {
            assert!(parse(text).is_err_and(|why| why.starts_with("it is ")), "{text} was taken");
        }
        let bent = render(&fixture::report(), FailOn::Any)
            .replace("\"outcome\": \"failed\"", "\"outcome\": \"odd\"");
        assert!(parse(&bent).is_err_and(|why| why.contains("`odd`")));
    }
}
