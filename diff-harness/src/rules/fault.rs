//! What is wrong with a rules file.

use std::fmt;
use std::ops::Range;

use toml::Spanned;

/// What is wrong with a rules file, where, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RulesError {
    pub file: String,
    /// From 1.
    pub line: usize,
    pub column: usize,
    pub message: String,
    pub hint: String,
}

impl fmt::Display for RulesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, column, message, hint } = self;
        write!(f, "{file}:{line}:{column}: {message}\n  hint: {hint}")
    }
}

impl std::error::Error for RulesError {}

/// A message, a hint and the place of both.
pub(super) struct Fault {
    pub(super) span: Range<usize>,
    pub(super) message: String,
    pub(super) hint: String,
}

impl Fault {
    pub(super) fn located(self, text: &str, name: &str) -> RulesError {
        let (line, column) = position(text, self.span.start);
        RulesError { file: name.to_owned(), line, column, message: self.message, hint: self.hint }
    }
}

pub(super) fn fault<T>(at: &Spanned<T>, message: impl Into<String>, hint: impl Into<String>) -> Fault {
    Fault { span: at.span(), message: message.into(), hint: hint.into() }
}

/// Line and column of a byte offset, both from 1; the column counts characters.
pub(super) fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = &text.as_bytes()[..offset.min(text.len())];
    let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    let column = String::from_utf8_lossy(&before[line_start..]).chars().count() + 1;
    (line, column)
}
