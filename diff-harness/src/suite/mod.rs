//! Suites: committed requests that are sent to both sides, without live traffic.
//!
//! - [`document`]: the YAML as it is written, with the place of everything that can be wrong.
//! - [`load`]: a document becomes a [`Suite`], or a list of errors with file and line. Nothing is sent before.
//! - [`template`]: text with `${variables}`, bound per side.
//! - [`bijection`]: identifiers that the two sides generate differently, matched one to one.
//! - [`outcome`]: what a run found; [`output`]: what it is written as.

pub mod document;
pub mod template;
pub mod load;
pub mod bijection;
pub mod outcome;
pub mod output;

use std::collections::BTreeMap;
use std::time::Duration;

use http::{HeaderName, Method, StatusCode};

use crate::endpoint::EndpointId;
use crate::suite::template::Template;

/// A set of cases, checked whole: every name is known, every variable is bound where it is used.
#[derive(Clone, Debug)]
pub struct Suite {
    pub name: String,
    pub personas: BTreeMap<String, Persona>,
    pub variables: BTreeMap<String, String>,
    pub reset: Resets,
    /// In the order of the file.
    pub cases: Vec<Case>,
}

/// A named identity with which cases are sent.
#[derive(Clone, Debug, Default)]
pub struct Persona {
    pub headers: Vec<(HeaderName, Template)>,
}

/// How each side of an isolated pair is put back to where it was.
#[derive(Clone, Debug, Default)]
pub struct Resets {
    pub control: Option<Reset>,
    pub candidate: Option<Reset>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reset {
    /// A command for the shell.
    Command(String),
    /// A POST to this URL.
    Url(String),
}

/// A sequence of steps that share their variables; most have one step.
#[derive(Clone, Debug)]
pub struct Case {
    pub name: String,
    /// Line of the suite file, from 1.
    pub line: u64,
    pub tags: Vec<String>,
    /// Names of personas; the case is run as each.
    pub personas: Vec<String>,
    /// With the steps of the cases that it names as its set-up in front.
    pub steps: Vec<Step>,
    pub timeout: Duration,
}

/// One request, and what is taken from its responses.
#[derive(Clone, Debug)]
pub struct Step {
    pub name: String,
    pub line: u64,
    pub endpoint: EndpointId,
    pub method: Method,
    pub path: Template,
    pub query: Vec<(String, Template)>,
    pub headers: Vec<(HeaderName, Template)>,
    pub body: Body,
    /// Variables taken from each side's own response.
    pub capture: Vec<Capture>,
    pub expect: Option<StatusCode>,
    /// Whether the step only prepares the following ones: it must succeed on both sides and is not compared.
    pub setup: bool,
}

#[derive(Clone, Debug)]
pub enum Body {
    None,
    /// Text with its media type.
    Text {
        media_type: String,
        text: Template,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capture {
    pub variable: String,
    pub from: CaptureFrom,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CaptureFrom {
    /// A JSON path with one result.
    Body(String),
    Header(HeaderName),
}
