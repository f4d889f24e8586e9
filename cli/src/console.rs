//! The one place that prints: data to stdout, messages to stderr, or one JSON envelope.

use std::fmt::Display;
use std::io::Write;

use serde_json::{Value, json};

use crate::exit::{Exit, Failure};

/// The version of the JSON envelope. It changes only when something that was in it goes or changes its meaning.
pub(crate) const ENVELOPE_VERSION: u32 = 1;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For a person.
    #[default]
    Table,
    /// One envelope for a script, for failures too.
    Json,
}

/// What a command has to say at its end.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) exit: Exit,
    /// The data, for a script.
    pub(crate) data: Value,
    /// The data, for a person. Goes to stdout.
    pub(crate) text: String,
    /// What a person should know besides. Goes to stderr.
    pub(crate) notes: Vec<String>,
    /// All of it was printed before.
    is_said: bool,
}

impl Outcome {
    pub(crate) fn new(data: &impl serde::Serialize, text: impl Into<String>) -> Self {
        let data = serde_json::to_value(data).expect("views have string keys and finite numbers");
        Self { exit: Exit::Pass, data, text: text.into(), notes: Vec::new(), is_said: false }
    }

    /// Ends without another word: everything was said before.
    pub(crate) fn silent() -> Self {
        Self { exit: Exit::Pass, data: Value::Null, text: String::new(), notes: Vec::new(), is_said: true }
    }

    pub(crate) fn exit(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }

    pub(crate) fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }
}

/// Prints how the command `name` ended, and says with which exit code.
pub(crate) fn finish(name: &str, format: Format, ended: Result<Outcome, Failure>) -> Exit {
    match (format, ended) {
        (_, Ok(outcome)) if outcome.is_said => outcome.exit,
        (Format::Table, Ok(outcome)) => {
            print_data(&printable(&outcome.text));
            for note in &outcome.notes {
                say(printable(note));
            }
            outcome.exit
        }
        (Format::Table, Err(failure)) => {
            say(printable(&format!("error: {}", failure.message)));
            if let Some(hint) = &failure.hint {
                say(printable(&format!("  hint: {hint}")));
            }
            failure.exit
        }
        (Format::Json, Ok(outcome)) => {
            print_data(&envelope(name, outcome.exit, outcome.data, None).to_string());
            outcome.exit
        }
        (Format::Json, Err(failure)) => {
            let error = json!({ "code": failure.code, "message": failure.message, "hint": failure.hint });
            let data = failure.data.map_or(Value::Null, |data| *data);
            print_data(&envelope(name, failure.exit, data, Some(error)).to_string());
            failure.exit
        }
    }
}

/// A message, to stderr.
pub(crate) fn say(message: impl Display) {
    // Nobody reads it if it cannot be written.
    let _ = writeln!(anstream::stderr(), "{message}");
}

/// Data, to stdout. A reader that went away (`| head`) is no failure.
pub(crate) fn print_data(text: &str) {
    let mut stdout = anstream::stdout().lock();
    let ending = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    let _ = write!(stdout, "{text}{ending}").and_then(|()| stdout.flush());
}

/// Text that came from a server or a client must not steer the terminal: no control characters but line ends and
/// tabs, and nothing that turns the direction of writing.
pub(crate) fn printable(text: &str) -> String {
    let steers = |c: char| {
        c.is_control() && c != '\n' && c != '\t'
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|c| if steers(c) { '\u{fffd}' } else { c }).collect()
}

fn envelope(command: &str, exit: Exit, data: Value, error: Option<Value>) -> Value {
    json!({
        "version": ENVELOPE_VERSION,
        "command": command,
        "exit": exit.code(),
        "data": data,
        "error": error,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_server_said_steers_the_terminal() {
        let evil = "a\x1b[2Jb\r\x07\u{9b}31m\u{202e}c\nd\te";
        assert_eq!(printable(evil), "a\u{fffd}[2Jb\u{fffd}\u{fffd}\u{fffd}31m\u{fffd}c\nd\te");
    }

    #[test]
    fn the_envelope_has_the_same_keys_for_a_failure() {
        let keys = |value: Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        let passed = envelope("x", Exit::Pass, json!({}), None);
        let failed = envelope("x", Exit::Error, Value::Null, Some(json!({})));
        assert_eq!(keys(passed), keys(failed));
    }
}
