//! Why a document gave nothing.

use std::fmt;

/// A document that could not be imported. Nothing of it was applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportError {
    /// The name under which the document was handed over, usually its path.
    pub source_name: String,
    pub place: Place,
    /// What was found there, and what was expected.
    pub problem: String,
    /// What to do next.
    pub hint: String,
}

/// Where in a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// All of it.
    Document,
    /// Both from 1.
    Position { line: usize, column: usize },
    /// A JSON pointer (RFC 6901), without the `#`.
    Pointer(String),
}

impl std::error::Error for ImportError {}

impl fmt::Display for ImportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}: {}", self.source_name, self.place, self.problem)?;
        if self.hint.is_empty() { Ok(()) } else { write!(f, "; {}", self.hint) }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Document => Ok(()),
            Self::Position { line, column } => write!(f, ":{line}:{column}"),
            Self::Pointer(pointer) => write!(f, "#{pointer}"),
        }
    }
}

/// An [`ImportError`] that does not yet know the name of its document.
#[derive(Debug)]
pub(super) struct Fault {
    place: Place,
    problem: String,
    hint: String,
}

impl Fault {
    pub(super) fn new(place: Place, problem: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { place, problem: problem.into(), hint: hint.into() }
    }

    pub(super) fn at(pointer: &str, problem: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(Place::Pointer(pointer.to_owned()), problem, hint)
    }

    pub(super) fn of(self, source_name: &str) -> ImportError {
        let Self { place, problem, hint } = self;
        ImportError { source_name: source_name.to_owned(), place, problem, hint }
    }
}
