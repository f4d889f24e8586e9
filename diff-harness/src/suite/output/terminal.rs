//! The run for a terminal: what happened, worst first, in plain lines.

use std::fmt::{self, Write};

use crate::report::text::printable;
use crate::suite::matrix::Matrix;
use crate::suite::outcome::{Accepted, FailOn, StepOutcome};
use crate::suite::report::{Group, RunReport, RunVerdict};

/// Groups, failures and rows that are shown; the other formats have the rest.
const SHOWN_MAX: usize = 40;
const VALUE_WIDTH: usize = 60;

pub fn render(report: &RunReport, fail_on: FailOn) -> String {
    let mut out = String::new();
    write(&mut out, report, fail_on).expect("a string takes everything");
    out
}

fn write(out: &mut String, report: &RunReport, fail_on: FailOn) -> fmt::Result {
    groups(out, report, fail_on)?;
    failures(out, report)?;
    matrix(out, &report.matrix)?;
    for note in &report.notes {
        writeln!(out, "note: {}", printable(note, 200))?;
    }
    let totals = &report.totals;
    writeln!(
        out,
        "{}: {} of {} cases, {} of {} steps compared: {} match, {} tolerated, {} mismatched ({} accepted); {} skipped, {} failed, {} not run, {} prepared others",
        printable(&report.suite, 60),
        totals.cases,
        report.planned,
        totals.compared(),
        totals.steps,
        totals.matched,
        totals.tolerated,
        totals.mismatched,
        totals.accepted,
        totals.skipped,
        totals.failed,
        totals.not_run,
        totals.prepared,
    )?;
    if totals.both_failed > 0 {
        writeln!(
            out,
            "{} of the compared were equal server errors on both sides: no evidence of parity",
            totals.both_failed
        )?;
    }
    if totals.unconfirmed > 0 {
        writeln!(
            out,
            "{} times something differed once, and not when both sides were asked again",
            totals.unconfirmed
        )?;
    }
    let failing = report.failing(fail_on);
    match report.verdict(fail_on) {
        RunVerdict::Pass => writeln!(out, "pass"),
        RunVerdict::Diverged => writeln!(out, "diverged: {failing} divergences fail the run"),
        RunVerdict::Failed => writeln!(out, "failed: {} steps could not be judged", totals.failed),
        RunVerdict::Interrupted => {
            writeln!(out, "interrupted: {} cases were not run", report.planned - totals.cases)
        }
        RunVerdict::Nothing => writeln!(out, "nothing was compared, so nothing is known"),
    }
}

fn groups(out: &mut String, report: &RunReport, fail_on: FailOn) -> fmt::Result {
    let groups = report.groups();
    for group in groups.iter().take(SHOWN_MAX) {
        self::group(out, report, group, fail_on)?;
    }
    if groups.len() > SHOWN_MAX {
        writeln!(out, "{} more groups are in the reports\n", groups.len() - SHOWN_MAX)?;
    }
    Ok(())
}

fn group(out: &mut String, report: &RunReport, group: &Group, fail_on: FailOn) -> fmt::Result {
    let divergence = group.divergence.get();
    let why = match &group.accepted {
        Some(Accepted::Baseline) => " (in the baseline)",
        Some(Accepted::Waiver { .. }) => " (waived)",
        None if !group.fails(fail_on) => " (below the bar)",
        None => "",
    };
    writeln!(
        out,
        "{}{why}: {} {} at {}, {} times, {}",
        divergence.severity.as_str(),
        group.endpoint,
        divergence.kind.as_str(),
        printable(&divergence.location.generalized().to_string(), 80),
        group.count,
        group.fingerprint,
    )?;
    let persona = group.persona.as_deref().map(|name| format!(" as {name}")).unwrap_or_default();
    writeln!(
        out,
        "  {}:{} {}{persona}",
        printable(&report.file, 100),
        group.line,
        printable(&group.case, 80)
    )?;
    for (side, value) in [("control", &divergence.control), ("candidate", &divergence.candidate)] {
        let shown = value.as_deref().map_or("nothing".to_owned(), |value| printable(value, VALUE_WIDTH));
        writeln!(out, "  {side:<9} {shown}")?;
    }
    writeln!(out)
}

fn failures(out: &mut String, report: &RunReport) -> fmt::Result {
    let results = report.results();
    let steps = results.iter().flat_map(|result| result.steps.iter().map(move |step| (result, step)));
    let failed = steps.filter_map(|(result, step)| match &step.outcome {
        StepOutcome::Failed(why) => Some((result, step, why)),
        _ => None,
    });
    for (result, step, why) in failed.take(SHOWN_MAX) {
        let persona = result.persona.as_deref().map(|name| format!(" as {name}")).unwrap_or_default();
        writeln!(
            out,
            "not judged: {}:{} {}{persona}: {}",
            printable(&report.file, 100),
            step.line,
            printable(&step.name, 80),
            printable(why, 300)
        )?;
    }
    if report.totals.failed > 0 {
        writeln!(out)?;
    }
    Ok(())
}

/// The whole table is for the other formats; here stands what is not the same on both sides.
fn matrix(out: &mut String, matrix: &Matrix) -> fmt::Result {
    if matrix.is_empty() {
        return Ok(());
    }
    let differing = matrix.iter().filter(|(_, _, cell)| cell.control != cell.candidate || cell.exposed > 0);
    let mut shown = 0;
    for (endpoint, persona, cell) in differing.take(SHOWN_MAX) {
        let exposed =
            if cell.exposed > 0 { format!("  EXPOSED {} times", cell.exposed) } else { String::new() };
        writeln!(
            out,
            "{endpoint} as {persona}: control {}, candidate {}{exposed}",
            cell.control, cell.candidate
        )?;
        shown += 1;
    }
    let all = matrix.iter().count();
    writeln!(out, "personas: {shown} of {all} cells differ between the sides\n")
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;

    #[test]
    fn what_is_wrong_stands_before_the_sums() {
        let text = render(&fixture::report(), FailOn::Any);
        assert!(
            text.starts_with("exposure: GET /playlists/{id} added at $.tracks[*]['a|b'], 1 times, v1-"),
            "{text}"
        );
        assert!(
            text.contains("as anonymous: control refused 0/1, candidate allowed 1/1  EXPOSED 1 times"),
            "{text}"
        );
        assert!(text.ends_with("diverged: 1 divergences fail the run\n"), "{text}");
        assert!(!text.contains('\u{8}') && !text.contains('\u{0}'), "{text:?}");
    }

    #[test]
    fn a_healthy_run_is_told_in_two_lines() {
        let text = render(&fixture::healthy(), FailOn::Any);
        assert_eq!(text.lines().count(), 2, "{text}");
        assert!(text.ends_with("pass\n"));
    }
}
