//! Markdown for the step summary of a CI job.

use std::fmt::Write;

use super::cut;
use crate::suite::outcome::{FailOn, RunReport, RunVerdict, StepOutcome};

/// GitHub refuses a step summary over 1 MiB; the rest is room for what others wrote before.
pub const BYTES_MAX: usize = 900 * 1024;

pub fn render(report: &RunReport, fail_on: FailOn) -> String {
    let totals = report.totals();
    let mut out = String::new();
    let headline = match report.verdict(fail_on) {
        RunVerdict::Pass => "no divergence",
        RunVerdict::Diverged => "**diverged**",
        RunVerdict::Failed => "**could not be judged**",
        RunVerdict::Nothing => "**nothing was compared**",
    };
    // Writing to a String cannot fail.
    let _ = writeln!(out, "## {}: {headline}\n", inline(&report.suite));
    let _ = writeln!(
        out,
        "{} of {} steps compared: {} match, {} tolerated, {} mismatched ({} accepted). {} skipped, {} failed, {} not run, {} prepared others.\n",
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
    );
    let groups = report.groups();
    if !groups.is_empty() {
        out.push_str("| severity | endpoint | where | kind | times | control | candidate | group |\n|---|---|---|---|--:|---|---|---|\n");
    }
    for (shown, (found, count)) in groups.iter().enumerate() {
        let divergence = found.finding.divergence.get();
        let value = |value: &Option<String>| {
            value.as_deref().map_or("—".to_owned(), |value| inline(&cut(value, 120)))
        };
        let accepted = if found.finding.accepted.is_some() { " (accepted)" } else { "" };
        let row = format!(
            "| {}{accepted} | {} | {} | {} | {count} | {} | {} | `{}` |\n",
            divergence.severity.as_str(),
            inline(&found.step.endpoint.to_string()),
            inline(&divergence.location.generalized().to_string()),
            divergence.kind.as_str(),
            value(&divergence.control),
            value(&divergence.candidate),
            found.finding.fingerprint,
        );
        if out.len() + row.len() > BYTES_MAX {
            let _ = writeln!(
                out,
                "\n{} more groups are left out here; the JSON and HTML reports have them all.",
                groups.len() - shown
            );
            return out;
        }
        out.push_str(&row);
    }
    failures(&mut out, report);
    out
}

fn failures(out: &mut String, report: &RunReport) {
    let steps = report.results.iter().flat_map(|result| result.steps.iter().map(move |step| (result, step)));
    for (result, step) in steps {
        let StepOutcome::Failed(why) = &step.outcome else { continue };
        let line = format!(
            "\n- {}:{} {}: {}",
            inline(&report.file),
            step.line,
            inline(&result.case),
            inline(&cut(why, 400))
        );
        if out.len() + line.len() > BYTES_MAX {
            out.push_str("\n- more failures are left out here\n");
            return;
        }
        out.push_str(&line);
    }
    out.push('\n');
}

/// Text in one line that no renderer reads as markup, a table break, a mention or HTML.
fn inline(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '|' => out.push_str("\\|"),
            '@' => out.push_str("&#64;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '#' | '~' | '!' => {
                out.push('\\');
                out.push(c);
            }
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;

    #[test]
    fn hostile_text_breaks_no_table_and_no_markup() {
        let text = render(&fixture::report(), FailOn::Any);
        assert!(!text.contains("<script") && !text.contains("alert(1)</"), "{text}");
        let rows: Vec<_> = text.lines().filter(|line| line.starts_with('|')).collect();
        assert_eq!(rows.len(), 4, "a head, a rule and two groups:\n{text}");
        for row in rows {
            let bars = row.replace("\\|", "").matches('|').count();
            assert_eq!(bars, 9, "{row}");
        }
    }

    #[test]
    fn a_summary_stays_below_the_limit_and_says_what_is_left_out() {
        let mut report = fixture::report();
        let mut case = report.results[1].clone();
        let StepOutcome::Compared { findings, .. } = &mut case.steps[0].outcome else { panic!("compared") };
        let finding = findings[0].clone();
        *findings = (0..20_000)
            .map(|n| {
                let mut finding = finding.clone();
                finding.fingerprint = format!("v1-{n:016x}").parse().unwrap();
                finding
            })
            .collect();
        report.results.push(case);
        let text = render(&report, FailOn::Any);
        assert!(text.len() < 1024 * 1024, "{} bytes", text.len());
        assert!(text.contains("more groups are left out here"));
    }

    #[test]
    fn the_worst_group_stands_first() {
        let text = render(&fixture::report(), FailOn::Any);
        let first = text.lines().filter(|line| line.starts_with('|')).nth(2).unwrap();
        assert!(first.starts_with("| exposure |"), "{first}");
    }
}
