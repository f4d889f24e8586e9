//! The run as one HTML file that needs nothing else, in the clothes of the proxy's report.

use super::cut;
use crate::comparison::Verdict;
use crate::report::html::page::{Page, put};
use crate::report::html::{foot, head};
use crate::suite::matrix::{Cell, Matrix};
use crate::suite::outcome::{Accepted, FailOn, StepOutcome};
use crate::suite::report::{Group, RunReport, RunVerdict};

/// Groups, and cases, that are shown; the JSON has the rest.
const SHOWN_MAX: usize = 2000;
const VALUE_BYTES_MAX: usize = 4 << 10;

pub fn render(report: &RunReport, fail_on: FailOn) -> String {
    let mut page = Page::default();
    head(&mut page, "Strangler suite");
    put!(
        page,
        "<header><h1>{}</h1><p class=\"when\"><code>{}</code> · {}</p></header>\n<main>\n",
        report.suite,
        report.file,
        headline(report.verdict(fail_on))
    );
    summary(&mut page, report);
    groups(&mut page, report, fail_on);
    matrix(&mut page, &report.matrix);
    cases(&mut page, report);
    put!(page, "</main>\n");
    foot(page)
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

fn summary(page: &mut Page, report: &RunReport) {
    let totals = &report.totals;
    put!(page, "<section class=\"summary\">\n");
    if report.matrix.exposed() > 0 {
        put!(
            page,
            "<p class=\"alert exposure\"><strong>Exposure.</strong> The candidate allowed what control refused, {} times.</p>\n",
            report.matrix.exposed()
        );
    }
    for note in &report.notes {
        put!(page, "<p class=\"note\">{}</p>\n", note);
    }
    put!(page, "<div class=\"tiles\">\n");
    for (class, name, n) in [
        ("", "cases", totals.cases),
        ("", "steps", totals.steps),
        ("match", "match", totals.matched),
        ("tolerated", "tolerated by rules", totals.tolerated),
        ("mismatch", "mismatch", totals.mismatched),
        ("tolerated", "of them accepted", totals.accepted),
        ("skipped", "skipped", totals.skipped),
        ("dropped", "failed or not run", totals.failed + totals.not_run),
    ] {
        put!(page, "<div class=\"tile {}\"><b>{}</b><span>{}</span></div>\n", class, n, name);
    }
    put!(page, "</div>\n<p class=\"facts\">{} of {} cases run.", totals.cases, report.planned);
    if totals.both_failed > 0 {
        put!(page, " {} equal server errors on both sides: no evidence of parity.", totals.both_failed);
    }
    if totals.unconfirmed > 0 {
        put!(page, " {} times something differed once and not again.", totals.unconfirmed);
    }
    put!(page, "</p></section>\n");
}

fn groups(page: &mut Page, report: &RunReport, fail_on: FailOn) {
    let groups = report.groups();
    put!(page, "<section id=\"groups\"><h2>Groups</h2>\n");
    if groups.is_empty() {
        put!(
            page,
            "<p class=\"empty\">No divergence beyond the rules in {} comparisons.</p>",
            report.totals.compared()
        );
    }
    for group in groups.iter().take(SHOWN_MAX) {
        self::group(page, group, fail_on);
    }
    if groups.len() > SHOWN_MAX {
        put!(page, "<p class=\"empty\">{} more groups are in the JSON.</p>", groups.len() - SHOWN_MAX);
    }
    put!(page, "</section>\n");
}

fn group(page: &mut Page, group: &Group, fail_on: FailOn) {
    let divergence = group.divergence.get();
    let severity = divergence.severity.as_str();
    put!(
        page,
        "<details class=\"group {}\" id=\"{}\"><summary><span class=\"pill {}\">{}</span><h3><span class=\"method\">{}</span> \
         <code>{}</code></h3><span class=\"what\">{} <i>at</i> <code>{}</code></span><span class=\"count\">×{}</span></summary>\n\
         <div class=\"inside\">",
        severity,
        group.fingerprint,
        severity,
        severity,
        group.endpoint.method(),
        group.endpoint.template(),
        divergence.kind.as_str(),
        divergence.location.generalized(),
        group.count
    );
    match &group.accepted {
        Some(Accepted::Baseline) => put!(page, "<p class=\"note\">accepted: it stands in the baseline</p>"),
        Some(Accepted::Waiver { owner, reason }) => {
            put!(page, "<p class=\"note\">waived: {} (owner: {})</p>", reason, owner);
        }
        None if !group.fails(fail_on) => put!(page, "<p class=\"note\">below the bar of this run</p>"),
        None => {}
    }
    put!(
        page,
        "<p class=\"facts\">group <code>{}</code>, first at line {} in case <code>{}</code>",
        group.fingerprint,
        group.line,
        group.case
    );
    if let Some(persona) = &group.persona {
        put!(page, " as <code>{}</code>", persona);
    }
    put!(page, "</p><div class=\"values\">");
    for (side, value) in [("control", &divergence.control), ("candidate", &divergence.candidate)] {
        put!(page, "<div><h4>{}</h4>", side);
        match value {
            Some(value) => put!(page, "<pre>{}</pre></div>", cut(value, VALUE_BYTES_MAX)),
            None => put!(page, "<p class=\"nothing\">nothing</p></div>"),
        }
    }
    put!(page, "</div></div></details>\n");
}

fn matrix(page: &mut Page, matrix: &Matrix) {
    if matrix.is_empty() {
        return;
    }
    let personas = matrix.personas();
    put!(
        page,
        "<section id=\"matrix\"><h2>Who may do what</h2><p>What control said, and what the candidate said where it said \
         something else; requests allowed of requests sent.</p>\n<div class=\"scroll\"><table class=\"matrix\"><thead><tr><th>endpoint</th>"
    );
    for persona in &personas {
        put!(page, "<th>{}</th>", persona);
    }
    put!(page, "</tr></thead><tbody>\n");
    for (endpoint, cells) in matrix.rows() {
        put!(
            page,
            "<tr><td><span class=\"method\">{}</span> <code>{}</code></td>",
            endpoint.method(),
            endpoint.template()
        );
        for persona in &personas {
            match cells.get(*persona) {
                None => put!(page, "<td></td>"),
                Some(cell) => self::cell(page, cell),
            }
        }
        put!(page, "</tr>\n");
    }
    put!(page, "</tbody></table></div></section>\n");
}

fn cell(page: &mut Page, cell: &Cell) {
    if cell.exposed > 0 {
        put!(
            page,
            "<td>{} <span class=\"pill exposure\">candidate {}, exposed ×{}</span></td>",
            cell.control,
            cell.candidate,
            cell.exposed
        );
    } else if cell.control == cell.candidate {
        put!(page, "<td>{}</td>", cell.control);
    } else {
        put!(
            page,
            "<td>{} <span class=\"pill changed\">candidate {}</span></td>",
            cell.control,
            cell.candidate
        );
    }
}

/// Cases with something to read in them.
fn cases(page: &mut Page, report: &RunReport) {
    put!(
        page,
        "<section id=\"cases\"><h2>Cases</h2>\n<div class=\"scroll\"><table><thead><tr><th>case</th><th>persona</th>\
        <th>step</th><th class=\"n\">line</th><th>outcome</th><th>notes</th></tr></thead><tbody>\n"
    );
    let mut shown = 0;
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
        if shown == SHOWN_MAX {
            put!(page, "<tr><td colspan=\"6\">more are in the JSON</td></tr>\n");
            break;
        }
        shown += 1;
        put!(
            page,
            "<tr><td>{}</td><td>{}</td><td>{}</td><td class=\"n\">{}</td><td>{}</td><td>{}</td></tr>\n",
            result.case,
            result.persona.as_deref().unwrap_or(""),
            step.name,
            step.line,
            outcome,
            cut(&notes, VALUE_BYTES_MAX)
        );
    }
    put!(page, "</tbody></table></div>\n");
    put!(
        page,
        "<p class=\"empty\">{} cases with nothing to say are not shown.</p></section>\n",
        report.totals.cases - results.iter().filter(|r| !r.is_plain()).count() as u64
    );
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
        assert!(page.contains("exposed ×1") && page.contains("agreed | with &lt;mobile&gt;"), "{page}");
    }
}
