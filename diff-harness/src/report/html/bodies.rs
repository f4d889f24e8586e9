//! Two bodies beside each other: what is equal is folded, what is long is cut, and the page says so.

use std::ops::Range;

use super::page::{Page, put};
use crate::report::grouped;
use crate::report::side_by_side::{Cell, Mark, Row, SideBySide};

/// Equal lines that stay in sight around a difference.
const CONTEXT: usize = 3;
/// Shorter runs of equal lines are not worth folding.
const FOLD_FROM: usize = 12;
/// Folded lines that are in the page; of a longer run only its beginning.
const FOLDED_MAX: usize = 150;
/// Lines of one exchange.
const EXCHANGE_ROWS_MAX: usize = 1500;
/// Lines of the whole page: some tens of megabytes at worst.
const PAGE_ROWS_MAX: usize = 60_000;
/// A longer line is cut around its first difference.
const LINE_BYTES_MAX: usize = 600;

/// How much the page still takes.
#[derive(Debug)]
pub(crate) struct Budget {
    rows: usize,
    /// Of the markup of lines, as it is estimated before it is written.
    bytes: usize,
}

impl Budget {
    pub(super) fn whole_page() -> Self {
        Self { rows: PAGE_ROWS_MAX, bytes: usize::MAX }
    }

    /// For a page that is sent over a network while somebody waits.
    pub(crate) fn bytes(bytes: usize) -> Self {
        Self { rows: PAGE_ROWS_MAX, bytes }
    }

    /// How many of these rows it takes, and takes them off.
    fn take(&mut self, rows: &[Row]) -> usize {
        let mut taken = 0;
        for row in rows.iter().take(self.rows) {
            let Some(left) = self.bytes.checked_sub(markup_bytes(row)) else { break };
            self.bytes = left;
            taken += 1;
        }
        self.rows -= taken;
        taken
    }
}

/// An estimate: every fourth byte of a body may be one that is escaped.
fn markup_bytes(row: &Row) -> usize {
    const ROW_BYTES: usize = 120;
    let cell = |cell: &Option<Cell>| {
        cell.as_ref().map_or(0, |cell| {
            let text = cell.text.len().min(LINE_BYTES_MAX);
            text + text / 2 + cell.changed.len().min(text) * 13
        })
    };
    ROW_BYTES + cell(&row.control) + cell(&row.candidate)
}

pub(super) fn write(page: &mut Page, bodies: &SideBySide, budget: &mut Budget) {
    put!(page, "<div class=\"bodies\"><div class=\"sides\">");
    for (side, notes) in [("control", &bodies.control_notes), ("candidate", &bodies.candidate_notes)] {
        put!(page, "<h4>{}", side);
        for note in notes {
            put!(page, " <small>{}</small>", note);
        }
        put!(page, "</h4>");
    }
    put!(page, "</div>\n");
    let mut left = EXCHANGE_ROWS_MAX;
    let mut unshown = 0;
    for run in runs(&bodies.rows) {
        let rows = &bodies.rows[run.rows.clone()];
        let wanted = if run.folded { rows.len().min(FOLDED_MAX).min(left) } else { rows.len().min(left) };
        let shown = budget.take(&rows[..wanted]);
        left -= shown;
        match run.folded {
            true if shown > 0 => fold(page, &rows[..shown], rows.len()),
            false if shown > 0 => table(page, &rows[..shown]),
            _ => {}
        }
        if !run.folded || shown == 0 {
            unshown += rows.len() - shown;
        }
    }
    if unshown > 0 {
        put!(
            page,
            "<p class=\"note\">{} more lines are not in this page; the store has what was kept of both bodies.</p>",
            grouped(unshown as u64)
        );
    }
    put!(page, "</div>\n");
}

struct Run {
    rows: Range<usize>,
    folded: bool,
}

/// Stretches to show and stretches to fold.
fn runs(rows: &[Row]) -> Vec<Run> {
    let mut runs = Vec::new();
    let mut shown_from = 0;
    let mut at = 0;
    while at < rows.len() {
        let equal = rows[at..].iter().take_while(|row| row.mark == Mark::Equal).count();
        if equal == 0 {
            at += 1;
            continue;
        }
        // At either end of the body there is no difference to give context to.
        let from = if at == 0 { 0 } else { at + CONTEXT };
        let to = if at + equal == rows.len() { rows.len() } else { (at + equal).saturating_sub(CONTEXT) };
        if to >= from + FOLD_FROM {
            runs.push(Run { rows: shown_from..from, folded: false });
            runs.push(Run { rows: from..to, folded: true });
            shown_from = to;
        }
        at += equal;
    }
    runs.push(Run { rows: shown_from..rows.len(), folded: false });
    runs.retain(|run| !run.rows.is_empty());
    runs
}

fn fold(page: &mut Page, shown: &[Row], all: usize) {
    put!(page, "<details class=\"fold\"><summary>{} equal lines</summary>", grouped(all as u64));
    table(page, shown);
    if shown.len() < all {
        put!(page, "<p class=\"note\">and {} more equal lines</p>", grouped((all - shown.len()) as u64));
    }
    put!(page, "</details>");
}

fn table(page: &mut Page, rows: &[Row]) {
    put!(page, "<table class=\"diff\"><colgroup><col class=\"no\"><col><col class=\"no\"><col></colgroup>\n");
    for row in rows {
        let (class, title) = match row.mark {
            Mark::Equal => ("", ""),
            Mark::Tolerated => {
                ("tolerated", "differs, and no divergence says so: a rule covers it, or it is form only")
            }
            Mark::Diverged(severity) => (severity.as_str(), severity.as_str()),
        };
        put!(page, "<tr class=\"{}\" title=\"{}\">", class, title);
        cell(page, row.control.as_ref());
        cell(page, row.candidate.as_ref());
        put!(page, "</tr>\n");
    }
    put!(page, "</table>");
}

fn cell(page: &mut Page, cell: Option<&Cell>) {
    let Some(cell) = cell else {
        put!(page, "<td class=\"none\"></td><td class=\"none\"></td>");
        return;
    };
    put!(page, "<td>{}</td><td>", cell.number);
    let window = window(cell);
    if window.start > 0 {
        put!(page, "<small>… {} bytes</small> ", grouped(window.start as u64));
    }
    let mut plain = window.start;
    for changed in &cell.changed {
        let (start, end) = (changed.start.max(plain), changed.end.min(window.end));
        if start < end {
            put!(page, "{}<mark>{}</mark>", &cell.text[plain..start], &cell.text[start..end]);
            plain = end;
        }
    }
    put!(page, "{}", &cell.text[plain..window.end]);
    if window.end < cell.text.len() {
        put!(page, " <small>… {} bytes</small>", grouped((cell.text.len() - window.end) as u64));
    }
    put!(page, "</td>");
}

/// The part of a line that is shown: around its first difference.
fn window(cell: &Cell) -> Range<usize> {
    let text = &cell.text;
    if text.len() <= LINE_BYTES_MAX {
        return 0..text.len();
    }
    let first = cell.changed.first().map_or(0, |changed| changed.start);
    let start =
        if first < LINE_BYTES_MAX / 2 { 0 } else { text.floor_char_boundary(first - LINE_BYTES_MAX / 4) };
    start..text.floor_char_boundary((start + LINE_BYTES_MAX).min(text.len()))
}
