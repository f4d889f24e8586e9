//! How a command ends: exit codes, and failures as a person or a script reads them.

use std::fmt;

/// The exit codes of every command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done, or everything passed.
    Pass,
    /// Something failed that is not the input's fault.
    Error,
    /// The command line, a config, a document or a rules file is wrong. Nothing was done.
    Usage,
    /// There are divergences, or the gate refused.
    Refused,
    /// Not enough evidence, or nothing was compared.
    Inconclusive,
    /// The endpoint changed meanwhile.
    Conflict,
}

impl Exit {
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Pass => 0,
            Self::Error => 1,
            Self::Usage => 2,
            Self::Refused => 3,
            Self::Inconclusive => 4,
            Self::Conflict => 5,
        }
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}

/// Why a command did not do what was asked.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    /// One word for scripts, such as `conflict`.
    pub(crate) code: String,
    /// One sentence, or a few lines.
    pub(crate) message: String,
    /// What to do next.
    pub(crate) hint: Option<String>,
    /// What else is known, for `--format json`: the gate's answer.
    pub(crate) data: Option<Box<serde_json::Value>>,
}

impl Failure {
    pub(crate) fn new(exit: Exit, code: impl Into<String>, message: impl fmt::Display) -> Self {
        Self { exit, code: code.into(), message: message.to_string(), hint: None, data: None }
    }

    pub(crate) fn error(message: impl fmt::Display) -> Self {
        Self::new(Exit::Error, "error", message)
    }

    pub(crate) fn usage(message: impl fmt::Display) -> Self {
        Self::new(Exit::Usage, "usage", message)
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
