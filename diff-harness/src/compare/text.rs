//! Text and markup, by line.

use std::hash::BuildHasher;

use foldhash::fast::FixedState;

use super::align::{Alignment, align};
use super::excerpt::{cut, cut_both};
use super::findings::{Finding, Findings};
use crate::divergence::{Kind, Location, Severity};

/// Markup that differs only in its layout is one cosmetic divergence; other markup is compared as text.
pub(super) fn compare_markups(control: &str, candidate: &str, findings: &mut Findings<'_>) {
    if without_layout(control) != without_layout(candidate) {
        return compare_texts(control, candidate, findings);
    }
    let max = findings.limits.value_bytes_max;
    findings.report(Finding::new(Kind::Text, Severity::Cosmetic).detail("layout"), &[], || {
        let (control, candidate) = cut_both(control, candidate, max);
        (Location::Body, Some(control), Some(candidate))
    });
}

/// Runs of white space become one space, and go where a tag begins or ends.
fn without_layout(text: &str) -> String {
    let mut bare = String::with_capacity(text.len());
    let mut space = false;
    for c in text.chars() {
        if c.is_whitespace() {
            space = true;
            continue;
        }
        if space && !bare.is_empty() && !bare.ends_with(['<', '>']) && !matches!(c, '<' | '>') {
            bare.push(' ');
        }
        space = false;
        bare.push(c);
    }
    bare
}

/// Runs of changed lines are one divergence each; so are runs of lines that only one side has.
///
/// Not by `similar`: its algorithms are bounded by a deadline only, and a comparison has no clock.
pub(super) fn compare_texts(control: &str, candidate: &str, findings: &mut Findings<'_>) {
    let (left, right): (Vec<&str>, Vec<&str>) = (control.lines().collect(), candidate.lines().collect());
    let state = FixedState::default();
    let hashes = |lines: &[&str]| -> Vec<u64> { lines.iter().map(|line| state.hash_one(line)).collect() };
    let Alignment { mut pairs, coarse } =
        align(&hashes(&left), &hashes(&right), findings.limits.alignment_pairs_max);
    if coarse {
        findings.note("a long text was matched by occurrence: too many equal lines to search");
    }
    // Lines are equal when they are equal, not when their hashes are.
    pairs.retain(|(i, j)| left[*i] == right[*j]);
    pairs.push((left.len(), right.len()));

    let mut all_equal = true;
    let (mut i, mut j) = (0, 0);
    for (left_end, right_end) in pairs {
        let both = (left_end - i).min(right_end - j);
        all_equal &= left_end == i && right_end == j;
        if both > 0 {
            report_changed(i, &left[i..i + both], &right[j..j + both], findings);
        }
        if left_end > i + both {
            report_one_sided(i + both, &left[i + both..left_end], true, findings);
        }
        if right_end > j + both {
            report_one_sided(j + both, &right[j + both..right_end], false, findings);
        }
        (i, j) = (left_end + 1, right_end + 1);
    }
    if all_equal && control != candidate {
        let finding = Finding::new(Kind::Text, Severity::Cosmetic).detail("line ends");
        findings
            .report(finding, &[], || (Location::Body, Some(line_ends(control)), Some(line_ends(candidate))));
    }
}

fn report_changed(at: usize, left: &[&str], right: &[&str], findings: &mut Findings<'_>) {
    let max = findings.limits.value_bytes_max;
    let shows_more =
        left.iter().all(|line| line.trim().is_empty()) && right.iter().any(|line| !line.trim().is_empty());
    let severity = if shows_more { Severity::Exposure } else { Severity::Changed };
    findings.report(Finding::new(Kind::Text, severity), &[], || {
        let (control, candidate) = cut_both(&left.join("\n"), &right.join("\n"), max);
        (Location::Line(at + 1), Some(control), Some(candidate))
    });
}

fn report_one_sided(at: usize, lines: &[&str], of_control: bool, findings: &mut Findings<'_>) {
    let max = findings.limits.value_bytes_max;
    let is_blank = lines.iter().all(|line| line.trim().is_empty());
    let (kind, severity) = match (of_control, is_blank) {
        (true, true) => (Kind::Missing, Severity::Cosmetic),
        (true, false) => (Kind::Missing, Severity::Breaking),
        (false, true) => (Kind::Added, Severity::Cosmetic),
        (false, false) => (Kind::Added, Severity::Exposure),
    };
    findings.report(Finding::new(kind, severity), &[], || {
        let value = Some(cut(&lines.join("\n"), max));
        let (control, candidate) = if of_control { (value, None) } else { (None, value) };
        (Location::Line(at + 1), control, candidate)
    });
}

fn line_ends(text: &str) -> String {
    let crlf = memchr::memmem::find_iter(text.as_bytes(), b"\r\n").count();
    let lf = memchr::memchr_iter(b'\n', text.as_bytes()).count() - crlf;
    let last = if text.ends_with('\n') { "" } else { ", none at the end" };
    format!("{crlf} CRLF, {lf} LF{last}")
}
