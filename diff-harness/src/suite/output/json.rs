//! The run as JSON: everything, in one versioned envelope.

use serde_json::{Value, json};

use crate::suite::outcome::{Accepted, FailOn, Finding, RunReport, RunVerdict, StepOutcome, StepResult};

/// Grows when a member changes its meaning or goes away; new members do not change it.
pub const VERSION: u32 = 1;

pub fn render(report: &RunReport, fail_on: FailOn) -> String {
    serde_json::to_string_pretty(&value(report, fail_on)).expect("plain data is serializable")
}

pub fn value(report: &RunReport, fail_on: FailOn) -> Value {
    let totals = report.totals();
    let verdict = match report.verdict(fail_on) {
        RunVerdict::Pass => "pass",
        RunVerdict::Diverged => "diverged",
        RunVerdict::Failed => "failed",
        RunVerdict::Nothing => "nothing_compared",
    };
    let results = report.results.iter().map(|result| {
        json!({
            "case": result.case,
            "line": result.line,
            "persona": result.persona,
            "duration_ms": u64::try_from(result.duration.as_millis()).unwrap_or(u64::MAX),
            "steps": result.steps.iter().map(|step| self::step(step, fail_on)).collect::<Vec<_>>(),
        })
    });
    json!({
        "format": "strangler-suite-run",
        "version": VERSION,
        "suite": report.suite,
        "file": report.file,
        "verdict": verdict,
        "totals": {
            "steps": totals.steps,
            "compared": totals.compared(),
            "matched": totals.matched,
            "tolerated": totals.tolerated,
            "mismatched": totals.mismatched,
            "accepted": totals.accepted,
            "skipped": totals.skipped,
            "prepared": totals.prepared,
            "failed": totals.failed,
            "not_run": totals.not_run,
        },
        "results": results.collect::<Vec<_>>(),
    })
}

fn step(step: &StepResult, fail_on: FailOn) -> Value {
    let (outcome, detail) = match &step.outcome {
        StepOutcome::Compared { verdict, findings, notes } => {
            let divergences: Vec<_> =
                findings.iter().map(|finding| self::finding(finding, fail_on)).collect();
            (verdict.as_str(), json!({ "divergences": divergences, "notes": notes }))
        }
        StepOutcome::Skipped(reason) => ("skipped", json!({ "reason": reason.as_str() })),
        StepOutcome::Prepared => ("prepared", json!({})),
        StepOutcome::Failed(why) => ("failed", json!({ "reason": why })),
        StepOutcome::NotRun => ("not_run", json!({})),
    };
    json!({
        "name": step.name,
        "line": step.line,
        "endpoint": step.endpoint.to_string(),
        "control_status": step.control.map(|status| status.as_u16()),
        "candidate_status": step.candidate.map(|status| status.as_u16()),
        "outcome": outcome,
        "detail": detail,
    })
}

fn finding(finding: &Finding, fail_on: FailOn) -> Value {
    let divergence = finding.divergence.get();
    let accepted = finding.accepted.as_ref().map(|accepted| match accepted {
        Accepted::Baseline => json!({ "by": "baseline" }),
        Accepted::Waiver { owner, reason } => json!({ "by": "waiver", "owner": owner, "reason": reason }),
    });
    json!({
        "group": finding.fingerprint.as_str(),
        "kind": divergence.kind.as_str(),
        "severity": divergence.severity.as_str(),
        "location": divergence.location.to_string(),
        "detail": divergence.detail,
        "control": divergence.control,
        "candidate": divergence.candidate,
        "accepted": accepted,
        "fails": finding.fails(fail_on),
    })
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
        let value: Value = serde_json::from_str(&text).unwrap();
        let divergence = &value["results"][1]["steps"][0]["detail"]["divergences"][0];
        assert_eq!(divergence["candidate"], fixture::HOSTILE);
    }
}
