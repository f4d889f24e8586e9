//! Markdown for the step summary of a CI job.

use std::fmt::Write;

use super::cut;
use crate::suite::matrix::Matrix;
use crate::suite::outcome::{FailOn, StepOutcome};
use crate::suite::report::{RunReport, RunVerdict};

/// GitHub refuses a step summary over 1 MiB; the rest is room for what others wrote before.
pub const BYTES_MAX: usize = 900 * 1024;

pub fn render(report: &RunReport, fail_on: FailOn) -> String {
    let totals = report.totals;
    let mut out = String::new();
    let headline = match report.verdict(fail_on) {
        RunVerdict::Pass => "no divergence",
        RunVerdict::Diverged => "**diverged**",
        RunVerdict::Failed => "**could not be judged**",
        RunVerdict::Interrupted => "**interrupted**",
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
    for (shown, group) in groups.iter().enumerate() {
        let divergence = group.divergence.get();
        let value = |value: &Option<String>| {
            value.as_deref().map_or("—".to_owned(), |value| inline(&cut(value, 120)))
        };
        let accepted = if group.accepted.is_some() { " (accepted)" } else { "" };
        let row = format!(
            "| {}{accepted} | {} | {} | {} | {} | {} | {} | `{}` |\n",
            divergence.severity.as_str(),
            inline(&group.endpoint.to_string()),
            inline(&divergence.location.generalized().to_string()),
            divergence.kind.as_str(),
            group.count,
            value(&divergence.control),
            value(&divergence.candidate),
            group.fingerprint,
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
    matrix(&mut out, &report.matrix);
    out
}

/// What each side allowed each persona; cells where the candidate allowed more stand out.
fn matrix(out: &mut String, matrix: &Matrix) {
    if matrix.is_empty() {
        return;
    }
    let personas = matrix.personas();
    let mut head = String::from(
        "\n### Who may do what\n\nControl / candidate, requests allowed of requests sent.\n\n| endpoint |",
    );
    personas.iter().for_each(|persona| head.push_str(&format!(" {} |", inline(persona))));
    head.push_str("\n|---|");
    personas.iter().for_each(|_| head.push_str("---|"));
    head.push('\n');
    if out.len() + head.len() > BYTES_MAX {
        return;
    }
    out.push_str(&head);
    for (endpoint, cells) in matrix.rows() {
        let mut row = format!("| {} |", inline(&endpoint.to_string()));
        for persona in &personas {
            let cell = match cells.get(*persona) {
                None => " |".to_owned(),
                Some(cell) if cell.exposed > 0 => {
                    format!(" **{} / {} exposed {}×** |", cell.control, cell.candidate, cell.exposed)
                }
                Some(cell) if cell.control == cell.candidate => format!(" {} |", cell.control),
                Some(cell) => format!(" {} / {} |", cell.control, cell.candidate),
            };
            row.push_str(&cell);
        }
        row.push('\n');
        if out.len() + row.len() > BYTES_MAX {
            out.push_str("\nmore endpoints are left out here\n");
            return;
        }
        out.push_str(&row);
    }
}

fn failures(out: &mut String, report: &RunReport) {
    let results = report.results();
    let steps = results.iter().flat_map(|result| result.steps.iter().map(move |step| (result, step)));
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
        let groups = text.split("\n### ").next().unwrap();
        let rows: Vec<_> = groups.lines().filter(|line| line.starts_with('|')).collect();
        assert_eq!(rows.len(), 4, "a head, a rule and two groups:\n{text}");
        for row in rows {
            let bars = row.replace("\\|", "").matches('|').count();
            assert_eq!(bars, 9, "{row}");
        }
    }

    #[test]
    fn a_summary_stays_below_the_limit_and_says_what_is_left_out() {
        let report = fixture::with_groups(19_000);
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
