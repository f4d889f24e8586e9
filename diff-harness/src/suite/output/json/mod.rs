//! The run as JSON: one versioned envelope that holds all that a report knows, so that it can be read back, merged
//! and gone on with.

mod totals;
mod cell;
mod finding;
mod result;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use self::cell::CellView;
use self::finding::GroupView;
use self::result::ResultView;
use self::totals::TotalsView;
use crate::divergence::Severity;
use crate::suite::outcome::FailOn;
use crate::suite::report::RunReport;

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
            .map(|(endpoint, persona, cell)| CellView::of(endpoint, persona, cell))
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
            let counted = cell.read();
            let endpoint = cell.endpoint.parse().map_err(|error| format!("{error}"))?;
            report.matrix.add(&Arc::from(cell.persona), &endpoint, &counted);
        }
        report.set_cuts([self.listed_until.telling, self.listed_until.plain]);
        for result in self.results {
            report.list(result.read()?);
        }
        Ok(report)
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
