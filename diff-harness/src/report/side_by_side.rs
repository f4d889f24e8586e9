//! Two bodies beside each other, with what differs marked.

use std::hash::BuildHasher;
use std::ops::Range;

use foldhash::fast::FixedState;

use super::lines::{self, BodyLine, Reading};
use crate::compare::align::align;
use crate::divergence::{Divergence, Location, Severity};
use crate::exchange::{Exchange, Outcome, Response, Side};

/// Pairs of equal lines that the alignment looks at before it becomes coarse.
const PAIRS_MAX: usize = 500_000;
/// The same for the words of two lines.
const WORD_PAIRS_MAX: usize = 10_000;
/// Longer lines are not compared by words.
const WORDS_BYTES_MAX: usize = 20_000;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SideBySide {
    pub rows: Vec<Row>,
    /// What a reader must know of either body.
    pub control_notes: Vec<String>,
    pub candidate_notes: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub control: Option<Cell>,
    pub candidate: Option<Cell>,
    pub mark: Mark,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// From 1.
    pub number: usize,
    pub text: String,
    /// Bytes of the text that the other side does not have; empty where the row is equal.
    pub changed: Vec<Range<usize>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    Equal,
    /// They differ, and no divergence says so: a rule covers it, or it is form only.
    Tolerated,
    Diverged(Severity),
}

/// The response bodies of an exchange.
pub fn bodies(exchange: &Exchange, divergences: &[&Divergence]) -> SideBySide {
    side_by_side(response(&exchange.control.outcome), response(&exchange.candidate.outcome), divergences)
}

fn response(outcome: &Outcome) -> Option<&Response> {
    match outcome {
        Outcome::Response(response) => Some(response),
        Outcome::Failure(_) => None,
    }
}

fn side_by_side(
    control: Option<&Response>,
    candidate: Option<&Response>,
    divergences: &[&Divergence],
) -> SideBySide {
    let reading = Reading::of(control, candidate);
    let lines_of = |response: Option<&Response>, side| match response {
        Some(response) => lines::of(response, reading, side, divergences),
        None => lines::BodyLines { notes: vec!["no response".to_owned()], ..lines::BodyLines::default() },
    };
    let (left, right) = (lines_of(control, Side::Control), lines_of(candidate, Side::Candidate));
    // Statuses of different classes, or a side that failed: the bodies were not compared, and belong to what was found.
    let class = |response: &Response| response.status.as_u16() / 100;
    let is_apart = control.map(class) != candidate.map(class);
    // A divergence without a line of its own: whatever differs may be what it says.
    let elsewhere = divergences
        .iter()
        .filter(|divergence| match divergence.location {
            Location::Json(_) => !matches!(reading, Reading::Json | Reading::JsonLines),
            Location::Field(_) | Location::Body => true,
            Location::Status | Location::Exchange => is_apart,
            Location::Line(_) | Location::Header { .. } => false,
        })
        .map(|divergence| divergence.severity)
        .max();
    SideBySide {
        rows: rows(&left.lines, &right.lines, elsewhere),
        control_notes: left.notes,
        candidate_notes: right.notes,
    }
}

fn rows(left: &[BodyLine], right: &[BodyLine], elsewhere: Option<Severity>) -> Vec<Row> {
    let state = FixedState::default();
    let hashes = |lines: &[BodyLine]| -> Vec<u64> {
        lines.iter().map(|line| state.hash_one(without_comma(&line.text))).collect()
    };
    let mut pairs = align(&hashes(left), &hashes(right), PAIRS_MAX).pairs;
    pairs.retain(|(i, j)| without_comma(&left[*i].text) == without_comma(&right[*j].text));
    pairs.push((left.len(), right.len()));

    let mut rows = Vec::with_capacity(left.len().max(right.len()));
    let (mut i, mut j) = (0, 0);
    for (left_end, right_end) in pairs {
        between(&left[i..left_end], &right[j..right_end], (i, j), elsewhere, &mut rows);
        if let (Some(a), Some(b)) = (left.get(left_end), right.get(right_end)) {
            rows.push(Row {
                control: Some(cell(left_end, a, Vec::new())),
                candidate: Some(cell(right_end, b, Vec::new())),
                mark: Mark::Equal,
            });
        }
        (i, j) = (left_end + 1, right_end + 1);
    }
    slide(&mut rows, left, right);
    rows
}

/// An element that only one side has ends with lines that its neighbour ends with too, so that an alignment of lines
/// may begin it one line late. The divergences know where it begins.
fn slide(rows: &mut [Row], left: &[BodyLine], right: &[BodyLine]) {
    let mut start = 1;
    while start < rows.len() {
        let is_alone = |row: &Row| match (&row.control, &row.candidate) {
            (Some(_), None) => Some(Side::Control),
            (None, Some(_)) => Some(Side::Candidate),
            _ => None,
        };
        let Some(side) = is_alone(&rows[start]) else {
            start += 1;
            continue;
        };
        let length = rows[start..].iter().take_while(|row| is_alone(row) == Some(side)).count();
        let next = start + length;
        let lines = if side == Side::Control { left } else { right };
        let line = |row: &Row| {
            let cell = if side == Side::Control { &row.control } else { &row.candidate };
            cell.as_ref().map(|cell| &lines[cell.number - 1])
        };
        for shift in 0..length.min(start) {
            let (before, last) = (start - 1 - shift, start + length - 1 - shift);
            let (Some(above), Some(below)) = (line(&rows[before]), line(&rows[last])) else { break };
            let is_better = above.severity.is_some() && below.severity.is_none();
            if rows[before].mark != Mark::Equal
                || !is_better
                || without_comma(&above.text) != without_comma(&below.text)
            {
                break;
            }
            let mark = above.severity.map_or(Mark::Tolerated, Mark::Diverged);
            let (upper, lower) = rows.split_at_mut(last);
            let (upper, lower) = (&mut upper[before], &mut lower[0]);
            match side {
                Side::Control => std::mem::swap(&mut upper.candidate, &mut lower.candidate),
                Side::Candidate => std::mem::swap(&mut upper.control, &mut lower.control),
            }
            upper.mark = mark;
            lower.mark = Mark::Equal;
        }
        start = next;
    }
}

/// The lines between two equal ones. Members of one name stand beside each other.
fn between(
    left: &[BodyLine],
    right: &[BodyLine],
    (from_left, from_right): (usize, usize),
    elsewhere: Option<Severity>,
    rows: &mut Vec<Row>,
) {
    let mut block = Vec::new();
    let (mut i, mut j) = (0, 0);
    while i < left.len() || j < right.len() {
        let step = match (left.get(i), right.get(j)) {
            (Some(a), Some(b)) if name(&a.text) == name(&b.text) => (true, true),
            // The one that has no partner ahead stands alone.
            (Some(a), Some(b)) => {
                let partner_right = right[j..].iter().any(|other| is_named_as(&a.text, &other.text));
                let partner_left = left[i..].iter().any(|other| is_named_as(&b.text, &other.text));
                (partner_left || !partner_right, !partner_left)
            }
            (a, b) => (a.is_some(), b.is_some()),
        };
        let a = left.get(i).filter(|_| step.0);
        let b = right.get(j).filter(|_| step.1);
        let severity = [a, b].into_iter().flatten().filter_map(|line| line.severity).max();
        let (changed_left, changed_right) = match (a, b) {
            (Some(a), Some(b)) => changed_words(without_comma(&a.text), without_comma(&b.text)),
            _ => (Vec::new(), Vec::new()),
        };
        block.push(Row {
            control: a.map(|line| cell(from_left + i, line, changed_left)),
            candidate: b.map(|line| cell(from_right + j, line, changed_right)),
            mark: severity.map_or(Mark::Tolerated, Mark::Diverged),
        });
        i += usize::from(step.0);
        j += usize::from(step.1);
    }
    // A value that became an object: its lines belong to the divergence that stands at its first.
    let worst = block.iter().map(|row| row.mark).max().unwrap_or(Mark::Tolerated);
    for row in block.iter_mut().filter(|row| row.mark == Mark::Tolerated) {
        let stands_alone = row.control.is_none() || row.candidate.is_none();
        row.mark = match elsewhere {
            _ if stands_alone && worst != Mark::Tolerated => worst,
            Some(severity) => Mark::Diverged(severity),
            None => Mark::Tolerated,
        };
    }
    rows.append(&mut block);
}

fn cell(index: usize, line: &BodyLine, changed: Vec<Range<usize>>) -> Cell {
    Cell { number: index + 1, text: line.text.clone(), changed }
}

/// A comma says only whether something follows.
fn without_comma(text: &str) -> &str {
    text.strip_suffix(',').unwrap_or(text)
}

/// Indent and member name of a line of JSON; nothing for any other line.
fn name(text: &str) -> Option<&str> {
    let quote = text.find('"').filter(|at| text[..*at].trim().is_empty())?;
    let end = text[quote..].find("\": ")?;
    Some(&text[..quote + end])
}

fn is_named_as(a: &str, b: &str) -> bool {
    name(a).is_some() && name(a) == name(b)
}

/// The parts of each line that the other does not have, by words.
fn changed_words(left: &str, right: &str) -> (Vec<Range<usize>>, Vec<Range<usize>>) {
    if left.len() > WORDS_BYTES_MAX || right.len() > WORDS_BYTES_MAX {
        return (whole(left), whole(right));
    }
    let (words_left, words_right) = (words(left), words(right));
    let state = FixedState::default();
    let hashes = |text: &str, words: &[Range<usize>]| -> Vec<u64> {
        words.iter().map(|word| state.hash_one(&text[word.clone()])).collect()
    };
    let pairs = align(&hashes(left, &words_left), &hashes(right, &words_right), WORD_PAIRS_MAX).pairs;
    let (mut known_left, mut known_right) = (vec![false; words_left.len()], vec![false; words_right.len()]);
    for (i, j) in pairs {
        known_left[i] = true;
        known_right[j] = true;
    }
    (unknown(&words_left, &known_left), unknown(&words_right, &known_right))
}

fn whole(text: &str) -> Vec<Range<usize>> {
    let range = 0..text.len();
    if range.is_empty() { Vec::new() } else { Vec::from([range]) }
}

/// Runs of letters and digits, runs of spaces, and every other character by itself.
fn words(text: &str) -> Vec<Range<usize>> {
    let class = |c: char| match c {
        c if c.is_alphanumeric() || c == '_' => 0,
        c if c.is_whitespace() => 1,
        _ => 2,
    };
    let mut words: Vec<Range<usize>> = Vec::new();
    let mut last = 2;
    for (at, c) in text.char_indices() {
        let class = class(c);
        match words.last_mut() {
            Some(word) if class == last && class != 2 => word.end = at + c.len_utf8(),
            _ => words.push(at..at + c.len_utf8()),
        }
        last = class;
    }
    words
}

/// The words without a partner, neighbours joined.
fn unknown(words: &[Range<usize>], known: &[bool]) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for (word, _) in words.iter().zip(known).filter(|(_, known)| !**known) {
        match ranges.last_mut() {
            Some(range) if range.end == word.start => range.end = word.end,
            _ => ranges.push(word.clone()),
        }
    }
    ranges
}
