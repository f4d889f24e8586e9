//! The run as one HTML file that needs nothing else: the pages of the review page that a run has.

use super::cut;
use crate::comparison::Verdict;
use crate::pages::{
    CaseRow, Count, Frame, Frozen, FrozenPage, GroupPage, GroupRow, GroupsPage, Here, Links, MatrixPage,
    RunPage, group_anchor, short,
};
use crate::report::html::values;
use crate::report::without_kind;
use crate::suite::outcome::{Accepted, FailOn, StepOutcome};
use crate::suite::report::{Group, RunReport, RunVerdict};

/// Groups, and cases, that are shown; the JSON has the rest.
const SHOWN_MAX: usize = 2000;
const VALUE_BYTES_MAX: usize = 4 << 10;

pub fn render(report: &RunReport, fail_on: FailOn) -> String {
    let groups = report.groups();
    let shown = &groups[..groups.len().min(SHOWN_MAX)];
    let mut pages = vec![run(report, fail_on), self::groups(report, shown, groups.len(), fail_on)];
    let mut places = vec![("Run", "run"), ("Groups", "groups")];
    if !report.matrix.is_empty() {
        places.push(("Matrix", "matrix"));
        let frame = Frame::frozen("matrix", "Matrix", Here::Matrix);
        let view = MatrixPage::new(frame, &report.matrix, vec![format!("suite {}", report.suite)], None);
        pages.push(FrozenPage::new(&view.frame, &view.as_content()));
    }
    pages.extend(shown.iter().map(|found| group(found, fail_on)));
    Frozen { title: "Strangler suite".to_owned(), made: vec![report.suite.clone()], places, pages }.finish()
}

fn headline(verdict: RunVerdict) -> &'static str {
    match verdict {
        RunVerdict::Pass => "no divergence",
        RunVerdict::Diverged => "diverged",
        RunVerdict::Failed => "could not be judged",
        RunVerdict::Interrupted => "interrupted before its end",
        RunVerdict::Nothing => "nothing was compared",
    }
}

fn run(report: &RunReport, fail_on: FailOn) -> FrozenPage {
    let totals = &report.totals;
    let mut facts = vec![format!("{} of {} cases run.", totals.cases, report.planned)];
    if totals.both_failed > 0 {
        facts.push(format!(
            "{} equal server errors on both sides: no evidence of parity.",
            totals.both_failed
        ));
    }
    if totals.unconfirmed > 0 {
        facts.push(format!("{} times something differed once and not again.", totals.unconfirmed));
    }
    let (cases, is_cut) = cases(report);
    let plain = totals.cases - report.results().iter().filter(|result| !result.is_plain()).count() as u64;
    let view = RunPage {
        frame: Frame::frozen("run", "Run", Here::Overview),
        suite: report.suite.clone(),
        file: report.file.clone(),
        headline: headline(report.verdict(fail_on)),
        exposed: Count(report.matrix.exposed()),
        notes: report.notes.clone(),
        tiles: vec![
            ("", "cases", Count(totals.cases)),
            ("", "steps", Count(totals.steps)),
            ("match", "match", Count(totals.matched)),
            ("tolerated", "tolerated by rules", Count(totals.tolerated)),
            ("mismatch", "mismatch", Count(totals.mismatched)),
            ("tolerated", "of them accepted", Count(totals.accepted)),
            ("skipped", "skipped", Count(totals.skipped)),
            ("dropped", "failed or not run", Count(totals.failed + totals.not_run)),
        ],
        facts,
        cases,
        is_cut,
        plain: Count(plain),
    };
    FrozenPage::new(&view.frame, &view.as_content())
}

fn groups(report: &RunReport, shown: &[&Group], found: usize, fail_on: FailOn) -> FrozenPage {
    let rows: Vec<_> = shown.iter().map(|group| row(group, fail_on)).collect();
    let view = GroupsPage {
        left_out: Count((found - shown.len()) as u64),
        rest: "more groups are in the JSON.",
        seen: "first at",
        ..GroupsPage::frozen(rows, report.totals.compared())
    };
    FrozenPage::new(&view.frame, &view.as_content())
}

fn row(group: &Group, fail_on: FailOn) -> GroupRow {
    let divergence = group.divergence.get();
    let id = group.fingerprint.to_string();
    let location = divergence.location.generalized().to_string();
    GroupRow {
        link: Links::Frozen.group(&id),
        id,
        severity: divergence.severity,
        kind: divergence.kind.as_str(),
        location: without_kind(divergence.kind, &location).to_owned(),
        detail: divergence.detail.clone(),
        method: group.endpoint.method().to_string(),
        template: group.endpoint.template().to_owned(),
        count: Count(group.count),
        last_seen: format!("line {}", group.line),
        control: divergence.control.as_deref().map(short),
        candidate: divergence.candidate.as_deref().map(short),
        state: match &group.accepted {
            Some(Accepted::Baseline) => "in the baseline",
            Some(Accepted::Waiver { .. }) => "waived",
            None if !group.fails(fail_on) => "below the bar",
            None => "new",
        },
        is_open: group.fails(fail_on),
        is_viewed: false,
    }
}

fn group(group: &Group, fail_on: FailOn) -> FrozenPage {
    let mut divergence = group.divergence.get().clone();
    for value in [&mut divergence.control, &mut divergence.candidate].into_iter().flatten() {
        *value = cut(value, VALUE_BYTES_MAX);
    }
    let mut notes = Vec::new();
    match &group.accepted {
        Some(Accepted::Baseline) => notes.push("accepted: it stands in the baseline".to_owned()),
        Some(Accepted::Waiver { owner, reason }) => {
            notes.push(format!("waived: {reason} (owner: {owner})"));
        }
        None if !group.fails(fail_on) => notes.push("below the bar of this run".to_owned()),
        None => {}
    }
    let persona = group.persona.as_ref().map(|persona| format!(" as {persona}")).unwrap_or_default();
    notes.push(format!("first at line {} in case {}{persona}", group.line, group.case));
    let row = row(group, fail_on);
    let title = format!("{} {}", row.kind, row.location);
    let view = GroupPage {
        frame: Frame::frozen(group_anchor(&row.id), title, Here::Groups),
        endpoint: group.endpoint.to_string(),
        // A run has no pages of endpoints.
        endpoint_link: Links::Frozen.page("groups"),
        list_link: Links::Frozen.page("groups"),
        notes,
        exchanges: Count(group.count),
        first_seen: String::new(),
        epochs: Vec::new(),
        shapes: Vec::new(),
        split_shapes: Vec::new(),
        place: String::new(),
        part_of: None,
        previous: None,
        next: None,
        then: String::new(),
        expected: 0,
        sample: 0,
        samples: 0,
        previous_sample: None,
        next_sample: None,
        heading: "What both sides said",
        shown: values(&divergence),
        case_link: None,
        decisions: Vec::new(),
        may_undo: false,
        expires: String::new(),
        may_be_noise: false,
        row,
    };
    FrozenPage::new(&view.frame, &view.as_content())
}

/// Steps with something to read in them, and whether there are more.
fn cases(report: &RunReport) -> (Vec<CaseRow>, bool) {
    let mut rows = Vec::new();
    let results = report.results();
    let steps = results.iter().flat_map(|result| result.steps.iter().map(move |step| (result, step)));
    for (result, step) in steps {
        let (outcome, notes) = match &step.outcome {
            StepOutcome::Compared(compared) => {
                if compared.verdict != Verdict::Mismatch && compared.notes.is_empty() {
                    continue;
                }
                (compared.verdict.as_str().to_owned(), compared.notes.join("; "))
            }
            StepOutcome::Skipped(reason) => ("skipped".to_owned(), reason.as_str().to_owned()),
            StepOutcome::Failed(why) => ("failed".to_owned(), why.clone()),
            StepOutcome::NotRun => ("not run".to_owned(), String::new()),
            StepOutcome::Prepared => continue,
        };
        if rows.len() == SHOWN_MAX {
            return (rows, true);
        }
        rows.push(CaseRow {
            name: result.case.to_string(),
            persona: result.persona.as_deref().unwrap_or("").to_owned(),
            step: step.name.clone(),
            line: step.line,
            outcome,
            notes: cut(&notes, VALUE_BYTES_MAX),
        });
    }
    (rows, false)
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;

    #[test]
    fn hostile_text_becomes_no_markup() {
        let page = render(&fixture::report(), FailOn::Any);
        // The report's own script is the only one.
        assert_eq!(page.matches("<script").count(), 1);
        assert!(!page.contains("alert(1)</script>") && page.contains("alert(1)&lt;/script&gt;"));
        assert!(!page.contains("http://") && !page.contains("https://"), "it needs no network");
    }

    #[test]
    fn the_matrix_and_the_reason_of_a_waiver_are_shown() {
        let page = render(&fixture::report(), FailOn::Any);
        assert!(page.contains("allows more") && page.contains("agreed | with &lt;mobile&gt;"), "{page}");
    }
}
