//! What is wrong with a suite file, and where.

use std::fmt;

/// What is wrong with a suite file: everything that was found, in the order of the file.
#[derive(Debug, PartialEq, Eq)]
pub struct SuiteErrors {
    pub file: String,
    pub errors: Vec<SuiteError>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SuiteError {
    /// From 1.
    pub line: u64,
    /// From 1.
    pub column: u64,
    pub message: String,
}

impl SuiteErrors {
    /// One mistake that stands for the whole file.
    pub fn one(file: &str, line: u64, column: u64, message: impl Into<String>) -> Self {
        Self { file: file.to_owned(), errors: vec![SuiteError { line, column, message: message.into() }] }
    }
}

impl fmt::Display for SuiteErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, SuiteError { line, column, message }) in self.errors.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{}:{line}:{column}: {message}", self.file)?;
        }
        Ok(())
    }
}

impl std::error::Error for SuiteErrors {}
