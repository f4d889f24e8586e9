//! Recorded cases: one JSON object a line, read as they are run, so that a million of them need no memory.
//!
//! The first line says what the head of a written suite says (`suite`, `personas`, `defaults`, `ids`, `pair`, …). Every
//! other line is one request as it was recorded: nothing in it is a variable, and it builds on no other case.

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::hash::{BuildHasher, Hash};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use foldhash::fast::FixedState;
use http::{HeaderName, HeaderValue, Method, StatusCode};
use serde::{Deserialize, Serialize};

use crate::endpoint::EndpointId;
use crate::hint::did_you_mean;
use crate::suite::load::{SuiteError, SuiteErrors, load};
use crate::suite::template::{Position, Template};
use crate::suite::{Body, Case, Step, Suite};

/// A line is one request with its body; a longer one is a mistake.
const LINE_BYTES_MAX: u64 = 16 << 20;
/// Whoever has more mistakes than this made one mistake many times.
const ERRORS_MAX: usize = 50;

/// A file of recorded cases, every line of it checked.
#[derive(Debug)]
pub struct Recorded {
    path: PathBuf,
    /// Without cases.
    head: Suite,
    /// Cases, each persona counted.
    runs: u64,
}

/// One line.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordedCase {
    /// By default the number of the line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub personas: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Path and query, as they are sent.
    pub path: String,
    /// The path template; by default the path itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// Sent as it is; its media type stands in `headers`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect: Option<u16>,
}

impl Recorded {
    /// Opens a file and checks all of it.
    ///
    /// # Errors
    ///
    /// What is wrong with it, each with its line.
    pub fn open(
        path: &Path,
        file: &str,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, SuiteErrors> {
        let whole = |error: std::io::Error| SuiteErrors::one(file, 1, 1, error.to_string());
        let mut lines = Lines::open(path).map_err(whole)?;
        let first = match lines.next() {
            Some(Ok((_, line))) => line,
            Some(Err((line, why))) => return Err(SuiteErrors::one(file, line, 1, why)),
            None => {
                return Err(SuiteErrors::one(
                    file,
                    1,
                    1,
                    "the file is empty: its first line is the suite's head",
                ));
            }
        };
        let head = load(&first, file, environment)?;
        if !head.cases.is_empty() {
            let message = "recorded cases stand on lines of their own, not in the head";
            return Err(SuiteErrors::one(file, 1, 1, message));
        }
        let (mut errors, mut runs) = (Vec::new(), 0);
        // Hashes, not names: a million names are too much to keep for the sake of a duplicate.
        let mut names = HashSet::new();
        let hasher = FixedState::default();
        for line in lines {
            let mut error = |line, message| errors.push(SuiteError { line, column: 1, message });
            match line {
                Err((line, why)) => error(line, why),
                Ok((number, text)) => match read(&head, number, &text) {
                    Err(why) => error(number, why),
                    Ok(case) => {
                        runs += case.personas.len().max(1) as u64;
                        let mut state = hasher.build_hasher();
                        case.name.hash(&mut state);
                        if !names.insert(std::hash::Hasher::finish(&state)) {
                            error(
                                number,
                                format!("the case `{}` was named before: a name is given once", case.name),
                            );
                        }
                    }
                },
            }
            if errors.len() == ERRORS_MAX {
                break;
            }
        }
        if errors.is_empty() {
            Ok(Self { path: path.to_owned(), head, runs })
        } else {
            Err(SuiteErrors { file: file.to_owned(), errors })
        }
    }

    /// Everything but the cases.
    pub fn head(&self) -> &Suite {
        &self.head
    }

    /// How many cases there are, each persona counted.
    pub fn runs(&self) -> u64 {
        self.runs
    }

    /// The cases, read as they are asked for. One that cannot be read any more, because the file was changed after it
    /// was checked, ends them.
    pub fn cases(&self) -> impl Iterator<Item = Result<Arc<Case>, String>> + Send + '_ {
        let lines = Lines::open(&self.path);
        let failed = lines.as_ref().err().map(|error| Err(format!("{}: {error}", self.path.display())));
        let cases = lines.ok().into_iter().flatten().skip(1).map(|line| {
            let at = |line: u64, why: String| format!("{}:{line}: {why}", self.path.display());
            let (number, text) = line.map_err(|(line, why)| at(line, why))?;
            read(&self.head, number, &text).map(Arc::new).map_err(|why| at(number, why))
        });
        failed.into_iter().chain(cases)
    }
}

/// Reads one line.
fn read(head: &Suite, line: u64, text: &str) -> Result<Case, String> {
    let recorded: RecordedCase = serde_json::from_str(text).map_err(|error| {
        let message = error.to_string();
        message.split(" at line ").next().unwrap_or(&message).to_owned()
    })?;
    let method = recorded.method.as_deref().unwrap_or("GET");
    let method = Method::from_bytes(method.as_bytes())
        .ok()
        .filter(|known| known.as_str().chars().all(|c| c.is_ascii_uppercase()))
        .ok_or_else(|| format!("`{method}` is not a method: expected GET, POST, PUT, PATCH, DELETE …"))?;
    if !recorded.path.starts_with('/') || recorded.path.parse::<http::uri::PathAndQuery>().is_err() {
        return Err(format!(
            "`{}` is not a path as it is sent: it begins with `/` and is percent-encoded",
            recorded.path
        ));
    }
    let (path, query) = match recorded.path.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (recorded.path.as_str(), None),
    };
    let headers = recorded.headers.iter().map(|(name, value)| {
        let known =
            HeaderName::from_bytes(name.as_bytes()).map_err(|_| format!("`{name}` is not a header name"))?;
        HeaderValue::from_str(value)
            .map_err(|_| format!("`{name}` has a value that a header cannot carry"))?;
        Ok::<_, String>((known, Template::literal(value)))
    });
    let headers: Vec<_> = headers.collect::<Result<_, _>>()?;
    let personas = match &recorded.personas {
        None => head.default_personas.clone(),
        Some(names) => {
            let known = |name: &String| match head.personas.contains_key(name) {
                true => Ok(Arc::from(name.as_str())),
                false => {
                    let hint = did_you_mean(name, head.personas.keys().map(String::as_str));
                    Err(format!("no persona is named `{name}`{hint}"))
                }
            };
            names.iter().map(known).collect::<Result<_, _>>()?
        }
    };
    let expect = match recorded.expect {
        None => None,
        Some(code) => Some(StatusCode::from_u16(code).map_err(|_| format!("{code} is not a status"))?),
    };
    let name = recorded.name.unwrap_or_else(|| format!("line {line}"));
    let template = recorded.endpoint.unwrap_or_else(|| path.to_owned());
    let step = Step {
        name: name.clone(),
        line,
        endpoint: EndpointId::new(method.clone(), template),
        method,
        path: Template::literal(path),
        query: query.map(Template::literal).into_iter().collect(),
        body: match recorded.body {
            None => Body::None,
            Some(text) => Body::Text {
                // Stands in the headers, if it was recorded.
                media_type: String::new(),
                position: Position::Plain,
                text: Template::literal(text),
            },
        },
        headers,
        capture: vec![],
        expect,
        setup: false,
    };
    Ok(Case { name, line, tags: recorded.tags, personas, steps: vec![step], timeout: head.timeout })
}

/// The lines of a file that are not blank, with their numbers from 1.
struct Lines {
    reader: BufReader<File>,
    number: u64,
}

impl Lines {
    fn open(path: &Path) -> std::io::Result<Self> {
        Ok(Self { reader: BufReader::with_capacity(1 << 16, File::open(path)?), number: 0 })
    }
}

impl Iterator for Lines {
    type Item = Result<(u64, String), (u64, String)>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            self.number += 1;
            let mut line = String::new();
            let read = self.reader.by_ref().take(LINE_BYTES_MAX).read_line(&mut line);
            match read {
                Err(error) => return Some(Err((self.number, error.to_string()))),
                Ok(0) => return None,
                Ok(length) if length as u64 == LINE_BYTES_MAX => {
                    return Some(Err((
                        self.number,
                        format!("the line is longer than {LINE_BYTES_MAX} bytes"),
                    )));
                }
                Ok(_) if line.trim().is_empty() => {}
                Ok(_) => return Some(Ok((self.number, line))),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(text: &str) -> Result<Recorded, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let recorded = Recorded::open(file.path(), "r.ndjson", |_| None).map_err(|errors| errors.to_string());
        // The file is read again when the cases are.
        file.keep().unwrap();
        recorded
    }

    const HEAD: &str = r#"{"suite":"recorded","personas":{"a":{},"b":{}},"defaults":{"personas":["a"]}}"#;

    #[test]
    fn a_line_is_a_case_as_it_was_recorded() {
        let recorded = open(&format!(
            "{HEAD}\n{}\n\n{}\n",
            r#"{"path":"/x/${id}?q=%20"}"#.replace("${id}", "$%7Bid%7D"),
            r#"{"name":"post","method":"POST","path":"/x","endpoint":"/{any}","body":"${raw}","headers":{"Content-Type":"text/plain"},"personas":["a","b"]}"#,
        ))
        .unwrap();
        let cases: Vec<_> = recorded.cases().collect::<Result<_, _>>().unwrap();
        assert_eq!((cases[0].name.as_str(), cases[0].line, cases[0].personas.len()), ("line 2", 2, 1));
        assert_eq!((cases[1].line, cases[1].personas.len()), (4, 2));
        let Body::Text { text, .. } = &cases[1].steps[0].body else { panic!("no body") };
        assert_eq!(text.variables().count(), 0, "nothing that was recorded is a variable");
        assert_eq!(cases[1].steps[0].endpoint.to_string(), "POST /{any}");
    }

    #[test]
    fn every_mistake_is_told_with_its_line() {
        let text = format!(
            "{HEAD}\n{}\n{}\n{}\n{}\n{}\n{}\n",
            r#"{"path":"x"}"#,
            r#"{"path":"/x","personas":["c"]}"#,
            r#"{"path":"/x","method":"get"}"#,
            r#"{"path":"/x","name":"n"}"#,
            r#"{"path":"/x","name":"n"}"#,
            r#"{"path":"/x","nmae":"n"}"#,
        );
        let errors = open(&text).unwrap_err();
        let lines: Vec<_> = errors.lines().map(|line| line.split(':').nth(1).unwrap()).collect();
        assert_eq!(lines, ["2", "3", "4", "6", "7"], "{errors}");
        assert!(open("").unwrap_err().contains("the file is empty"));
        assert!(open("{\"suit\":1}\n").unwrap_err().contains("r.ndjson:1:"));
    }
}
