//! Where all requests went, as one bar.

use super::page::{Page, put};
use crate::report::{grouped, percent};
use crate::store::Tally;

/// Where all requests went, to scale. Drawn, because a style attribute would need a weaker policy.
pub(crate) fn write(page: &mut Page, tally: &Tally, class: &str) {
    let parts = [
        ("match", tally.matched),
        ("tolerated", tally.tolerated),
        ("mismatch", tally.mismatched),
        ("skipped", tally.skipped_total()),
        ("dropped", tally.dropped_total()),
    ];
    let seen = tally.seen().max(1);
    put!(
        page,
        "<svg class=\"{}\" viewBox=\"0 0 1000 10\" preserveAspectRatio=\"none\" role=\"img\"><title>",
        class
    );
    for (name, n) in parts.iter().filter(|(_, n)| *n > 0) {
        put!(page, "{} {} ({})  ", name, grouped(*n), percent(*n, seen));
    }
    put!(page, "</title>");
    let mut from = 0.0;
    for (name, n) in parts.iter().filter(|(_, n)| *n > 0) {
        let width = *n as f64 * 1000.0 / seen as f64;
        // A single mismatch among a million must still be seen.
        let drawn = width.max(4.0).min(1000.0 - from);
        put!(
            page,
            "<rect class=\"{}\" x=\"{}\" width=\"{}\" height=\"10\"/>",
            name,
            format_args!("{from:.1}"),
            format_args!("{drawn:.1}")
        );
        from += drawn;
    }
    put!(page, "</svg>\n");
}
