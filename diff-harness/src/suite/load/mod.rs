//! A document becomes a [`Suite`], or a list of errors with file and line.
//!
//! Everything that can be known without sending a request is checked here, all of it at once: a person mends a file in
//! one round, not error by error.

mod error;
mod case;
mod request;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use http::HeaderName;
use serde_saphyr::{Location, Spanned};

use crate::hint::did_you_mean;
use crate::suite::document::{Document, PersonaEntry, ResetEntry, Scalar};
use crate::suite::template::{Template, TemplateError};
use crate::suite::values::{Value, Values};
use crate::suite::{Persona, Reset, Resets, Suite};

pub use error::{SuiteError, SuiteErrors};

/// How long a step may take unless the suite says otherwise.
pub const TIMEOUT_DEFAULT: Duration = Duration::from_secs(10);

/// Reads and checks a suite. `environment` gives the values of `${env.NAME}`; the file's name is for messages only.
///
/// # Errors
///
/// Everything that is wrong with it, each with line and column.
pub fn load(
    text: &str,
    file: &str,
    environment: impl Fn(&str) -> Option<String>,
) -> Result<Suite, SuiteErrors> {
    let failed = |mut errors: Vec<SuiteError>| {
        errors.sort();
        SuiteErrors { file: file.to_owned(), errors }
    };
    let document: Document =
        serde_saphyr::from_str(text).map_err(|error| failed(vec![syntax_error(&error)]))?;
    let mut loader = Loader::new(&environment);
    let suite = loader.suite(&document);
    if loader.errors.is_empty() { Ok(suite) } else { Err(failed(loader.errors)) }
}

fn syntax_error(error: &serde_saphyr::Error) -> SuiteError {
    let (line, column) = error.location().map_or((1, 1), |at| (at.line(), at.column()));
    // The crate's message continues with a picture of the place; the first line says what was expected.
    let text = error.to_string();
    let first = text.lines().next().unwrap_or_default();
    let message = first.trim_start_matches("error: ");
    let message = message.strip_prefix(&format!("line {line} column {column}: ")).unwrap_or(message);
    SuiteError { line, column, message: message.to_owned() }
}

struct Loader<'a> {
    environment: &'a dyn Fn(&str) -> Option<String>,
    /// Values that are known before anything is sent.
    values: Values,
    errors: Vec<SuiteError>,
}

impl<'a> Loader<'a> {
    fn new(environment: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self { environment, values: Values::new(), errors: Vec::new() }
    }

    fn suite(&mut self, document: &Document) -> Suite {
        for (name, value) in &document.variables {
            self.values.insert(name.clone(), scalar(value));
        }
        let personas: BTreeMap<_, _> =
            document.personas.iter().map(|(name, entry)| (name.clone(), self.persona(entry))).collect();
        let headers = self.headers(&document.defaults.headers, &BTreeSet::new());
        let by_name = self.cases_by_name(document);
        let cases = document.cases.iter().map(|entry| self.case(entry, document, &by_name)).collect();
        Suite {
            name: document.suite.value.clone(),
            personas,
            headers,
            values: std::mem::take(&mut self.values),
            reset: Resets {
                control: document.reset.control.as_ref().map(|entry| self.reset(entry)),
                candidate: document.reset.candidate.as_ref().map(|entry| self.reset(entry)),
            },
            pair: document.pair,
            learn: document.ids.learn,
            default_personas: self
                .personas(document.defaults.personas.as_deref().unwrap_or_default(), document),
            timeout: self.timeout(document.defaults.timeout_ms.as_ref()),
            cases,
        }
    }

    fn persona(&mut self, entry: &Spanned<PersonaEntry>) -> Persona {
        let mut headers = self.headers(&entry.value.headers, &BTreeSet::new());
        if !entry.value.cookies.is_empty() {
            let pairs: Vec<_> =
                entry.value.cookies.iter().map(|(name, value)| format!("{name}={}", value.value)).collect();
            let cookies = Spanned { value: pairs.join("; "), ..locate(entry) };
            if let Some(template) = self.template(&cookies, &BTreeSet::new(), Template::parse(&cookies.value))
            {
                headers.push((http::header::COOKIE, template));
            }
        }
        Persona { headers }
    }

    fn reset(&mut self, entry: &Spanned<ResetEntry>) -> Reset {
        match &entry.value {
            ResetEntry::Command(command) => Reset::Command(command.clone()),
            ResetEntry::Url(url) => {
                if let Err(error) = url.parse::<crate::suite::run::Target>() {
                    self.error(entry.referenced, format!("the reset URL is not usable: {error}"));
                }
                Reset::Url(url.clone())
            }
        }
    }

    fn headers(
        &mut self,
        entries: &BTreeMap<String, Spanned<String>>,
        bound: &BTreeSet<String>,
    ) -> Vec<(HeaderName, Template)> {
        let mut headers = Vec::new();
        for (name, value) in entries {
            let Ok(name) = HeaderName::from_bytes(name.as_bytes()) else {
                self.error(value.referenced, format!("`{name}` is not a header name"));
                continue;
            };
            if http::HeaderValue::from_str(&value.value).is_err() {
                let message = format!("the value of `{name}` has characters that a header cannot carry");
                self.error(value.referenced, message);
            }
            if matches!(name.as_str(), "content-length" | "transfer-encoding" | "connection") {
                let message = format!("`{name}` is written by the runner itself: leave it out");
                self.error(value.referenced, message);
            }
            headers.extend(
                self.template(value, bound, Template::parse(&value.value)).map(|value| (name, value)),
            );
        }
        headers
    }

    /// Checks that a template was read and that each of its variables is bound here; takes `${env.NAME}` from the
    /// environment. `at` is where it stands.
    fn template<T>(
        &mut self,
        at: &Spanned<T>,
        bound: &BTreeSet<String>,
        parsed: Result<Template, TemplateError>,
    ) -> Option<Template> {
        let template = match parsed {
            Ok(template) => template,
            Err(error) => {
                self.error(at.referenced, error.to_string());
                return None;
            }
        };
        for name in template.variables() {
            if bound.contains(name) || self.values.contains_key(name) {
                continue;
            }
            if let Some(variable) = name.strip_prefix("env.") {
                match (self.environment)(variable) {
                    Some(value) => {
                        self.values.insert(name.to_owned(), Value::text(value));
                    }
                    None => {
                        let message = format!("the environment variable `{variable}` is not set");
                        self.error(at.referenced, message);
                    }
                }
                continue;
            }
            let known = bound.iter().chain(self.values.keys()).map(String::as_str);
            let hint = did_you_mean(name, known);
            let message = format!(
                "the variable `{name}` is not bound here: declare it under `variables`, or `capture` it in an earlier step{hint}"
            );
            self.error(at.referenced, message);
        }
        Some(template)
    }

    fn error(&mut self, at: Location, message: String) {
        let error = SuiteError { line: at.line(), column: at.column(), message };
        // A case used as set-up by others is walked more than once; its mistakes are told once.
        if !self.errors.contains(&error) {
            self.errors.push(error);
        }
    }
}

fn scalar(value: &Scalar) -> Value {
    match value {
        Scalar::Text(text) => Value::text(text),
        other => Value::bare(other.to_string()),
    }
}

/// The place of something, for text that was made from it.
fn locate<T>(entry: &Spanned<T>) -> Spanned<String> {
    Spanned { value: String::new(), referenced: entry.referenced, defined: entry.defined }
}

#[cfg(test)]
mod tests;
