//! A document becomes a [`Suite`], or a list of errors with file and line.
//!
//! Everything that can be known without sending a request is checked here, all of it at once: a person mends a file in
//! one round, not error by error.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use http::{HeaderName, HeaderValue, Method, StatusCode};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_saphyr::{Location, Spanned};

use crate::endpoint::EndpointId;
use crate::hint::did_you_mean;
use crate::suite::document::{
    BodyEntry, CaptureEntry, CaseEntry, Document, ExpectEntry, PersonaEntry, RequestEntry, ResetEntry, Scalar,
};
use crate::suite::template::Template;
use crate::suite::{Body, Capture, CaptureFrom, Case, Persona, Reset, Resets, Step, Suite};

/// How long a step may take unless the suite says otherwise.
pub const TIMEOUT_DEFAULT: Duration = Duration::from_secs(10);

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
    let mut loader = Loader { environment: &environment, variables: BTreeMap::new(), errors: Vec::new() };
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
    variables: BTreeMap<String, String>,
    errors: Vec<SuiteError>,
}

impl Loader<'_> {
    fn suite(&mut self, document: &Document) -> Suite {
        for (name, value) in &document.variables {
            self.variables.insert(name.clone(), value.to_string());
        }
        let personas: BTreeMap<_, _> =
            document.personas.iter().map(|(name, entry)| (name.clone(), self.persona(entry))).collect();
        let by_name = self.cases_by_name(document);
        let mut cases = Vec::new();
        for entry in &document.cases {
            cases.push(self.case(entry, document, &by_name));
        }
        Suite {
            name: document.suite.value.clone(),
            personas,
            variables: std::mem::take(&mut self.variables),
            reset: Resets {
                control: document.reset.control.as_ref().map(|entry| reset(&entry.value)),
                candidate: document.reset.candidate.as_ref().map(|entry| reset(&entry.value)),
            },
            cases,
        }
    }

    fn persona(&mut self, entry: &Spanned<PersonaEntry>) -> Persona {
        let mut headers = self.headers(&entry.value.headers, &BTreeSet::new());
        if !entry.value.cookies.is_empty() {
            let pairs: Vec<_> =
                entry.value.cookies.iter().map(|(name, value)| format!("{name}={}", value.value)).collect();
            let cookies = Spanned { value: pairs.join("; "), ..locate(entry) };
            if let Some(template) = self.template(&cookies, &BTreeSet::new()) {
                headers.push((http::header::COOKIE, template));
            }
        }
        Persona { headers }
    }

    fn cases_by_name<'d>(&mut self, document: &'d Document) -> BTreeMap<&'d str, &'d Spanned<CaseEntry>> {
        let mut by_name: BTreeMap<&str, &Spanned<CaseEntry>> = BTreeMap::new();
        for entry in &document.cases {
            let name = &entry.value.name;
            if let Some(first) = by_name.insert(&name.value, entry) {
                let line = first.value.name.referenced.line();
                self.error(
                    name.referenced,
                    format!(
                        "the case `{}` was named before, on line {line}: a name is given once",
                        name.value
                    ),
                );
            }
        }
        by_name
    }

    fn case(
        &mut self,
        entry: &Spanned<CaseEntry>,
        document: &Document,
        by_name: &BTreeMap<&str, &Spanned<CaseEntry>>,
    ) -> Case {
        let case = &entry.value;
        let mut steps = Vec::new();
        let mut bound = BTreeSet::new();
        self.setup_steps(entry, document, by_name, &mut vec![&case.name.value], &mut bound, &mut steps);
        self.own_steps(entry, document, false, &mut bound, &mut steps);
        Case {
            name: case.name.value.clone(),
            line: case.name.referenced.line(),
            tags: case.tags.clone(),
            personas: self.case_personas(case, document),
            steps,
            timeout: self.timeout(case, document),
        }
    }

    /// The steps of the cases that this one names as its set-up, theirs before them, each once.
    fn setup_steps<'d>(
        &mut self,
        entry: &'d Spanned<CaseEntry>,
        document: &Document,
        by_name: &BTreeMap<&'d str, &'d Spanned<CaseEntry>>,
        chain: &mut Vec<&'d str>,
        bound: &mut BTreeSet<String>,
        steps: &mut Vec<Step>,
    ) {
        for setup in &entry.value.setup {
            let Some(other) = by_name.get(setup.value.as_str()) else {
                let hint = did_you_mean(&setup.value, by_name.keys().copied());
                self.error(setup.referenced, format!("no case is named `{}`{hint}", setup.value));
                continue;
            };
            if chain.contains(&setup.value.as_str()) {
                let circle = [chain.as_slice(), &[&setup.value]].concat().join("` → `");
                self.error(setup.referenced, format!("the set-up goes in a circle: `{circle}`"));
                continue;
            }
            chain.push(&other.value.name.value);
            self.setup_steps(other, document, by_name, chain, bound, steps);
            self.own_steps(other, document, true, bound, steps);
            chain.pop();
        }
    }

    fn own_steps(
        &mut self,
        entry: &Spanned<CaseEntry>,
        document: &Document,
        setup: bool,
        bound: &mut BTreeSet<String>,
        steps: &mut Vec<Step>,
    ) {
        let case = &entry.value;
        match (&case.request, &case.steps) {
            (Some(request), None) => {
                let name = case.name.value.clone();
                let parts = StepParts { name, capture: &case.capture, expect: case.expect.as_ref(), setup };
                steps.extend(self.step(request, parts, document, bound));
            }
            (None, Some(entries)) if !entries.is_empty() => {
                for (index, step) in entries.iter().enumerate() {
                    let own = step.value.name.clone().unwrap_or_else(|| format!("step {}", index + 1));
                    let name = format!("{} / {own}", case.name.value);
                    let expect = step.value.expect.as_ref();
                    let parts = StepParts { name, capture: &step.value.capture, expect, setup };
                    steps.extend(self.step(&step.value.request, parts, document, bound));
                }
            }
            _ => self.error(
                case.name.referenced,
                format!("the case `{}` needs either one `request` or a list of `steps`", case.name.value),
            ),
        }
    }

    fn step(
        &mut self,
        entry: &Spanned<RequestEntry>,
        parts: StepParts<'_>,
        document: &Document,
        bound: &mut BTreeSet<String>,
    ) -> Option<Step> {
        let request = &entry.value;
        let method = self.method(request);
        let (path_text, inline_query) = match request.path.value.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (request.path.value.as_str(), None),
        };
        if !path_text.starts_with('/') {
            self.error(request.path.referenced, format!("the path `{path_text}` does not begin with `/`"));
        }
        let path_text = Spanned { value: path_text.to_owned(), ..locate(&request.path) };
        let path = self.template(&path_text, bound);
        let mut query = Vec::new();
        for pair in inline_query.into_iter().flat_map(|query| query.split('&')) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = Spanned { value: value.to_owned(), ..locate(&request.path) };
            query.extend(self.template(&value, bound).map(|value| (name.to_owned(), value)));
        }
        for (name, value) in &request.query {
            let value = Spanned { value: value.value.to_string(), ..locate(value) };
            query.extend(self.template(&value, bound).map(|value| (name.clone(), value)));
        }
        let mut headers = self.headers(&document.defaults.headers, bound);
        for (name, value) in self.headers(&request.headers, bound) {
            headers.retain(|(other, _)| *other != name);
            headers.push((name, value));
        }
        let body = self.body(request.body.as_ref(), &headers, bound);
        let capture = self.captures(parts.capture, bound);
        let expect = parts.expect.and_then(|expect| self.expected(expect));
        let (method, path) = (method?, path?);
        let template = match &request.endpoint {
            Some(endpoint) => endpoint.value.clone(),
            None => path.as_path_template(),
        };
        Some(Step {
            name: parts.name,
            line: entry.referenced.line(),
            endpoint: EndpointId::new(method.clone(), template),
            method,
            path,
            query,
            headers,
            body,
            capture,
            expect,
            setup: parts.setup,
        })
    }

    fn method(&mut self, request: &RequestEntry) -> Option<Method> {
        let Some(written) = &request.method else { return Some(Method::GET) };
        let method = Method::from_bytes(written.value.as_bytes()).ok();
        let method = method.filter(|_| written.value.chars().all(|c| c.is_ascii_uppercase()));
        if method.is_none() {
            let message =
                format!("`{}` is not a method: expected GET, POST, PUT, PATCH, DELETE …", written.value);
            self.error(written.referenced, message);
        }
        method
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
            if HeaderValue::from_str(&value.value).is_err() {
                let message = format!("the value of `{name}` has characters that a header cannot carry");
                self.error(value.referenced, message);
            }
            headers.extend(self.template(value, bound).map(|value| (name, value)));
        }
        headers
    }

    fn body(
        &mut self,
        entry: Option<&Spanned<BodyEntry>>,
        headers: &[(HeaderName, Template)],
        bound: &BTreeSet<String>,
    ) -> Body {
        let Some(entry) = entry else { return Body::None };
        let (media_type, text) = match &entry.value {
            BodyEntry::Json(value) => ("application/json", value.to_string()),
            BodyEntry::Form(fields) => ("application/x-www-form-urlencoded", form(fields)),
            BodyEntry::Text(text) => {
                if !headers.iter().any(|(name, _)| *name == http::header::CONTENT_TYPE) {
                    let message = "a text body needs a Content-Type in `headers`".to_owned();
                    self.error(entry.referenced, message);
                }
                ("text/plain", text.clone())
            }
        };
        let text = Spanned { value: text, ..locate(entry) };
        match self.template(&text, bound) {
            Some(text) => Body::Text { media_type: media_type.to_owned(), text },
            None => Body::None,
        }
    }

    fn captures(
        &mut self,
        entries: &BTreeMap<String, Spanned<CaptureEntry>>,
        bound: &mut BTreeSet<String>,
    ) -> Vec<Capture> {
        let mut captures = Vec::new();
        for (variable, entry) in entries {
            let from = match &entry.value {
                CaptureEntry::Json(path) => match serde_json_path::JsonPath::parse(path) {
                    Ok(_) => Some(CaptureFrom::Body(path.clone())),
                    Err(error) => {
                        self.error(
                            entry.referenced,
                            format!("`{path}` is not a JSON path (RFC 9535): {error}"),
                        );
                        None
                    }
                },
                CaptureEntry::Header(name) => match HeaderName::from_bytes(name.as_bytes()) {
                    Ok(name) => Some(CaptureFrom::Header(name)),
                    Err(_) => {
                        self.error(entry.referenced, format!("`{name}` is not a header name"));
                        None
                    }
                },
            };
            // Bound even when malformed, so that one mistake is one error.
            bound.insert(variable.clone());
            captures.extend(from.map(|from| Capture { variable: variable.clone(), from }));
        }
        captures
    }

    fn expected(&mut self, expect: &ExpectEntry) -> Option<StatusCode> {
        let status = StatusCode::from_u16(expect.status.value).ok();
        if status.is_none() {
            let message = format!("{} is not a status: expected 100 to 599", expect.status.value);
            self.error(expect.status.referenced, message);
        }
        status
    }

    fn case_personas(&mut self, case: &CaseEntry, document: &Document) -> Vec<String> {
        let Some(names) = case.personas.as_ref().or(document.defaults.personas.as_ref()) else {
            return vec![];
        };
        let mut personas = Vec::new();
        for name in names {
            if name.value == "all" {
                personas.extend(document.personas.keys().cloned());
            } else if document.personas.contains_key(&name.value) {
                personas.push(name.value.clone());
            } else {
                let hint = did_you_mean(&name.value, document.personas.keys().map(String::as_str));
                self.error(name.referenced, format!("no persona is named `{}`{hint}", name.value));
            }
        }
        personas
    }

    fn timeout(&mut self, case: &CaseEntry, document: &Document) -> Duration {
        match case.timeout_ms.as_ref().or(document.defaults.timeout_ms.as_ref()) {
            None => TIMEOUT_DEFAULT,
            Some(given) => {
                if given.value == 0 {
                    self.error(given.referenced, "a timeout of 0 ms lets no request finish".to_owned());
                }
                Duration::from_millis(given.value)
            }
        }
    }

    /// Parses a template and checks that each of its variables is bound here; takes `${env.NAME}` from the environment.
    fn template(&mut self, text: &Spanned<String>, bound: &BTreeSet<String>) -> Option<Template> {
        let template = match Template::parse(&text.value) {
            Ok(template) => template,
            Err(error) => {
                self.error(text.referenced, error.to_string());
                return None;
            }
        };
        for name in template.variables() {
            if bound.contains(name) || self.variables.contains_key(name) {
                continue;
            }
            if let Some(variable) = name.strip_prefix("env.") {
                match (self.environment)(variable) {
                    Some(value) => {
                        self.variables.insert(name.to_owned(), value);
                    }
                    None => {
                        let message = format!("the environment variable `{variable}` is not set");
                        self.error(text.referenced, message);
                    }
                }
                continue;
            }
            let known = bound.iter().chain(self.variables.keys()).map(String::as_str);
            let hint = did_you_mean(name, known);
            let message = format!(
                "the variable `{name}` is not bound here: declare it under `variables`, or `capture` it in an earlier step{hint}"
            );
            self.error(text.referenced, message);
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

struct StepParts<'a> {
    name: String,
    capture: &'a BTreeMap<String, Spanned<CaptureEntry>>,
    expect: Option<&'a ExpectEntry>,
    setup: bool,
}

fn reset(entry: &ResetEntry) -> Reset {
    match entry {
        ResetEntry::Command(command) => Reset::Command(command.clone()),
        ResetEntry::Url(url) => Reset::Url(url.clone()),
    }
}

/// The place of something, for text that was made from it.
fn locate<T>(entry: &Spanned<T>) -> Spanned<String> {
    Spanned { value: String::new(), referenced: entry.referenced, defined: entry.defined }
}

/// WHATWG URL §5.2, with variables left as they are: they are escaped when they are filled.
fn form(fields: &BTreeMap<String, Scalar>) -> String {
    let pairs = fields.iter().map(|(name, value)| {
        let escape = |text: &str| utf8_percent_encode(text, FORM).to_string().replace("%20", "+");
        format!("{}={}", escape(name), escape(&value.to_string()))
    });
    pairs.collect::<Vec<_>>().join("&")
}

/// Everything but what the form serializer leaves alone, and but the three characters of a variable.
const FORM: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'*')
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'$')
    .remove(b'{')
    .remove(b'}');

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(yaml: &str) -> String {
        let result = load(yaml, "s.yaml", |name| (name == "TOKEN").then(|| "t0ken".to_owned()));
        result.expect_err("the suite is wrong").to_string()
    }

    fn suite(yaml: &str) -> Suite {
        load(yaml, "s.yaml", |name| (name == "TOKEN").then(|| "t0ken".to_owned()))
            .unwrap_or_else(|errors| panic!("{errors}"))
    }

    const LIFE: &str = r#"
suite: playlists
personas:
  anonymous: {}
  owner:
    headers: { Authorization: "Bearer ${env.TOKEN}" }
    cookies: { theme: dark, lang: en }
defaults:
  personas: [anonymous, owner]
cases:
  - name: list
    tags: [read]
    request: { path: "/playlists?limit=2", query: { offset: 4 } }
  - name: create
    personas: [owner]
    request:
      method: POST
      path: /playlists
      body: { form: { title: "a b&c" } }
    capture: { id: { json: $.id } }
    expect: { status: 201 }
  - name: life
    personas: [owner]
    setup: [create]
    steps:
      - request: { path: "/playlists/${id}" }
      - name: rename
        request: { method: PUT, path: "/playlists/${id}", body: { json: { title: "${id}!" } } }
"#;

    #[test]
    fn a_suite_is_read_whole() {
        let suite = suite(LIFE);
        assert_eq!(suite.cases.len(), 3);
        let list = &suite.cases[0];
        assert_eq!((list.line, list.personas.len()), (11, 2));
        assert_eq!(list.steps[0].endpoint.to_string(), "GET /playlists");
        let names: Vec<_> = list.steps[0].query.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["limit", "offset"]);
        let owner = &suite.personas["owner"];
        assert_eq!(owner.headers.len(), 2, "a header and the cookies");
        assert_eq!(suite.variables["env.TOKEN"], "t0ken");
    }

    #[test]
    fn a_set_up_brings_its_steps_and_its_variables() {
        let life = &suite(LIFE).cases[2];
        let steps: Vec<_> = life.steps.iter().map(|step| (step.name.as_str(), step.setup)).collect();
        assert_eq!(steps, [("create", true), ("life / step 1", false), ("life / rename", false)]);
        assert_eq!(life.steps[1].endpoint.to_string(), "GET /playlists/{id}");
    }

    #[test]
    fn bodies_are_encoded_once_and_keep_their_variables() {
        let suite = suite(LIFE);
        let Body::Text { media_type, text } = &suite.cases[1].steps[0].body else { panic!("no body") };
        assert_eq!(media_type, "application/x-www-form-urlencoded");
        assert_eq!(text.fill(&BTreeMap::new(), str::to_owned).unwrap(), "title=a+b%26c");
        let Body::Text { text, .. } = &suite.cases[2].steps[2].body else { panic!("no body") };
        assert_eq!(text.variables().collect::<Vec<_>>(), ["id"]);
    }

    #[test]
    fn an_unknown_persona_is_named_with_its_place_and_the_nearest_known_one() {
        let text = errors(
            "suite: x\npersonas: { owner: {} }\ncases:\n- name: a\n  personas: [ownr]\n  request: { path: / }\n",
        );
        assert_eq!(text, "s.yaml:5:14: no persona is named `ownr`; did you mean `owner`?");
    }

    #[test]
    fn an_unbound_variable_is_found_before_anything_is_sent() {
        let text = errors("suite: x\ncases:\n- name: a\n  request: { path: '/p/${id}' }\n");
        assert!(text.starts_with("s.yaml:4:20: the variable `id` is not bound here"), "{text}");
    }

    #[test]
    fn a_variable_is_not_bound_before_the_step_that_captures_it() {
        let yaml = "suite: x\ncases:\n- name: a\n  steps:\n  - request: { path: '/p/${id}' }\n    capture: { id: { json: $.id } }\n";
        assert!(errors(yaml).contains("`id` is not bound here"));
    }

    #[test]
    fn a_circle_of_set_ups_is_shown_whole() {
        let yaml = "suite: x\ncases:\n- { name: a, setup: [b], request: { path: / } }\n- { name: b, setup: [a], request: { path: / } }\n";
        assert!(errors(yaml).contains("the set-up goes in a circle: `a` → `b` → `a`"), "{}", errors(yaml));
    }

    #[test]
    fn duplicate_names_are_refused_with_both_lines() {
        let yaml =
            "suite: x\ncases:\n- { name: a, request: { path: / } }\n- { name: a, request: { path: / } }\n";
        assert_eq!(
            errors(yaml),
            "s.yaml:4:11: the case `a` was named before, on line 3: a name is given once"
        );
    }

    #[test]
    fn every_mistake_is_told_at_once_in_the_order_of_the_file() {
        let yaml = "suite: x\ncases:\n- name: a\n  request: { method: get, path: p, headers: { 'a b': c } }\n- { name: b }\n- name: c\n  request: { path: / }\n  expect: { status: 99 }\n  capture: { v: { json: 'id' } }\n";
        let text = errors(yaml);
        let lines: Vec<_> = text.lines().map(|line| line.split(':').nth(1).unwrap()).collect();
        assert_eq!(lines, ["4", "4", "4", "5", "8", "9"], "{text}");
    }

    #[test]
    fn a_misspelt_key_is_an_error_with_a_place() {
        let text = errors("suite: x\ncase: []\n");
        assert!(text.starts_with("s.yaml:2:1: unknown field `case`"), "{text}");
        assert!(errors("suite: [").starts_with("s.yaml:1:8: "), "{}", errors("suite: ["));
        assert!(errors("").starts_with("s.yaml:"), "{}", errors(""));
    }

    #[test]
    fn a_missing_environment_variable_is_an_error() {
        let text =
            errors("suite: x\nvariables: {}\ncases:\n- { name: a, request: { path: '/${env.NOPE}' } }\n");
        assert!(text.contains("the environment variable `NOPE` is not set"), "{text}");
    }
}
