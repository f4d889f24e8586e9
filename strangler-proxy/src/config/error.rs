//! What is wrong with a config, said so that a person can mend it.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use diff_harness::hint::did_you_mean;

/// Where it is, what was expected, and what to do.
///
/// Prints as `strangler.toml:12:5: unknown key …`, with the hint on a line of its own.
#[derive(Debug, PartialEq, Eq)]
pub struct ConfigError {
    pub path: PathBuf,
    /// Line and column from 1; `None` where it is about the file as a whole.
    pub place: Option<(usize, usize)>,
    pub message: String,
    pub hint: Option<String>,
}

impl std::error::Error for ConfigError {}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        if let Some((line, column)) = self.place {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}", self.message)?;
        if let Some(hint) = &self.hint {
            write!(f, "\n  hint: {hint}")?;
        }
        Ok(())
    }
}

/// The text of a config file, to say where in it something is.
pub(super) struct Source<'a> {
    pub(super) path: &'a Path,
    pub(super) text: &'a str,
}

impl Source<'_> {
    pub(super) fn wrong(&self, span: Range<usize>, message: impl Into<String>) -> ConfigError {
        ConfigError {
            path: self.path.to_owned(),
            place: Some(self.line_and_column(span.start)),
            message: message.into(),
            hint: None,
        }
    }

    pub(super) fn whole(&self, message: impl Into<String>) -> ConfigError {
        ConfigError { path: self.path.to_owned(), place: None, message: message.into(), hint: None }
    }

    /// What the TOML reader found wrong. An unknown key is said with the nearest known one.
    pub(super) fn unreadable(&self, error: &toml::de::Error) -> ConfigError {
        let message = error.message().trim();
        let Some((unknown, known)) = unknown_key(message) else {
            let place = error.span().map(|span| self.line_and_column(span.start));
            return ConfigError {
                path: self.path.to_owned(),
                place,
                message: message.to_owned(),
                hint: hint_for(message),
            };
        };
        ConfigError {
            path: self.path.to_owned(),
            place: error.span().map(|span| self.line_and_column(span.start)),
            message: format!(
                "unknown key `{unknown}`, expected {}{}",
                one_of(&known),
                did_you_mean(unknown, known.iter().copied())
            ),
            hint: None,
        }
    }

    fn line_and_column(&self, offset: usize) -> (usize, usize) {
        let before = &self.text[..self.text.floor_char_boundary(offset)];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }
}

impl ConfigError {
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// serde says: "unknown field `x`, expected one of `a`, `b`" (or "expected `a`", or "there are no fields").
fn unknown_key(message: &str) -> Option<(&str, Vec<&str>)> {
    let rest = message.strip_prefix("unknown field `")?;
    let (unknown, rest) = rest.split_once('`')?;
    Some((unknown, rest.split('`').skip(1).step_by(2).collect()))
}

fn hint_for(message: &str) -> Option<String> {
    let bare_number =
        message.starts_with("invalid type: integer") || message.starts_with("invalid type: float");
    (bare_number && message.contains("a string"))
        .then(|| "times, sizes and shares are strings with a unit: \"5s\", \"1MiB\", \"100%\"".to_owned())
}

fn one_of(known: &[&str]) -> String {
    match known {
        [] => "no keys here".to_owned(),
        [only] => format!("`{only}`"),
        [rest @ .., last] => {
            let rest: Vec<_> = rest.iter().map(|key| format!("`{key}`")).collect();
            format!("{} or `{last}`", rest.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_counted_in_lines_and_characters() {
        let source = Source { path: Path::new("a.toml"), text: "a = 1\n# ü\nüb = 2\n" };
        let offset = source.text.find("b = 2").unwrap();
        assert_eq!(source.line_and_column(offset), (3, 2));
        assert_eq!(source.line_and_column(0), (1, 1));
        assert_eq!(source.line_and_column(9_999), (4, 1));
    }
}
