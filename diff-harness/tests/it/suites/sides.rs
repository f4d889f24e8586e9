//! Two sides and a suite, run as the command line runs it.

use std::sync::atomic::AtomicBool;

use diff_harness::compare::{Comparator, Limits};
use diff_harness::redact::{RedactionConfig, RedactionKey, Redactor};
use diff_harness::rules::Rules;
use diff_harness::suite::Suite;
use diff_harness::suite::accept::Acceptance;
use diff_harness::suite::load::load;
use diff_harness::suite::outcome::{FailOn, StepOutcome};
use diff_harness::suite::report::{RunReport, RunVerdict};
use diff_harness::suite::run::{Done, Judge, Run, RunError, Selection, Settings};

use super::server::Server;

/// Everything that a test may want otherwise.
pub(crate) struct Sides {
    pub(crate) suite: Suite,
    pub(crate) judge: Judge,
    pub(crate) settings: Settings,
    pub(crate) selection: Selection,
}

impl Sides {
    pub(crate) fn new(yaml: &str, control: &str, candidate: &str) -> Self {
        Self {
            suite: load(yaml, "s.yaml", |_| None).unwrap_or_else(|errors| panic!("{errors}")),
            judge: judge(""),
            settings: Settings::new(control.parse().unwrap(), candidate.parse().unwrap()),
            selection: Selection::default(),
        }
    }

    pub(crate) fn of(yaml: &str, control: &Server, candidate: &Server) -> Self {
        Self::new(yaml, &control.url(), &candidate.url())
    }

    pub(crate) fn run(&self) -> RunReport {
        self.resume(RunReport::default(), Done::default(), &AtomicBool::new(false)).unwrap().0
    }

    pub(crate) fn resume(
        &self,
        mut report: RunReport,
        done: Done,
        stop: &AtomicBool,
    ) -> Result<(RunReport, Done), RunError> {
        let plan = || self.selection.plan(self.suite.cases.iter().cloned().map(Ok));
        report.planned = plan().count() as u64;
        (report.suite, report.file) = (self.suite.name.clone(), "suites/s.yaml".to_owned());
        let left = plan()
            .filter(|planned| planned.as_ref().is_ok_and(|planned| !done.contains(planned.index)))
            .collect::<Vec<_>>();
        let run = Run { suite: &self.suite, judge: &self.judge, settings: &self.settings };
        run.run(left.into_iter(), report, done, stop, &mut |_| {})
    }
}

pub(crate) fn judge(rules: &str) -> Judge {
    let rules = Rules::parse(rules, "rules.toml").unwrap_or_else(|error| panic!("{error}"));
    Judge {
        comparator: Comparator::new(rules, Limits::default()),
        redactor: Redactor::new(&RedactionConfig::default(), RedactionKey::new([1; 32])).unwrap(),
        acceptance: Acceptance::default(),
    }
}

/// Passed, with every step compared and nothing said about any.
pub(crate) fn assert_pass(report: &RunReport) {
    let told: Vec<String> = report.found().map(|found| found.sentence()).chain(failures(report)).collect();
    assert_eq!(report.verdict(FailOn::Any), RunVerdict::Pass, "{told:#?}");
}

/// Why steps could not be judged.
pub(crate) fn failures(report: &RunReport) -> Vec<String> {
    let steps = report.results().into_iter().flat_map(|result| &result.steps);
    let failed = steps.filter_map(|step| match &step.outcome {
        StepOutcome::Failed(why) => Some(format!("{}: {why}", step.name)),
        _ => None,
    });
    failed.collect()
}

/// Severity, kind, step and place of everything that was found.
pub(crate) fn found(report: &RunReport) -> Vec<String> {
    let said = report.found().map(|found| {
        let divergence = found.finding.divergence.get();
        format!(
            "{} {} {} {}",
            divergence.severity.as_str(),
            divergence.kind.as_str(),
            found.step.name,
            divergence.location
        )
    });
    said.collect()
}

pub(crate) fn notes(report: &RunReport) -> Vec<String> {
    let steps = report.results().into_iter().flat_map(|result| &result.steps);
    let notes = steps.flat_map(|step| match &step.outcome {
        StepOutcome::Compared(compared) => compared.notes.clone(),
        _ => vec![],
    });
    notes.collect()
}
