//! Suites: committed requests that are sent to both sides, without live traffic.
//!
//! - [`document`]: the YAML as it is written, with the place of everything that can be wrong.
//! - [`load`]: a document becomes a [`Suite`], or a list of errors with file and line. Nothing is sent before.
//! - [`recorded`]: cases as they were recorded, one a line; [`source`]: either of the two.
//! - [`template`]: text with `${variables}`, bound per side.
//! - [`values`]: what variables stand for on one side.
//! - [`ids`]: identifiers that the two sides generate differently, matched one to one.
//! - [`run`]: sends the cases to both sides; [`checkpoint`]: what a run that was stopped leaves.
//! - [`import`]: suites from exchanges, HAR files and OpenAPI documents.
//! - [`outcome`], [`matrix`], [`report`]: what a run found; [`accept`]: what of it fails nothing.
//! - [`output`]: what it is written as.

pub mod document;
pub mod values;
pub mod template;
pub mod load;
pub mod recorded;
pub mod source;
pub mod ids;
pub mod outcome;
pub mod matrix;
pub mod published;
pub mod report;
pub mod accept;
pub mod run;
pub mod checkpoint;
pub mod import;
pub mod output;
pub mod schema;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, Method, StatusCode};
use serde::Deserialize;

use crate::endpoint::EndpointId;
use crate::suite::template::{Position, Template};
use crate::suite::values::Values;

/// A set of cases, checked whole: every name is known, every variable is bound where it is used.
#[derive(Clone, Debug)]
pub struct Suite {
    pub name: String,
    pub personas: BTreeMap<String, Persona>,
    /// Headers that every request carries unless its persona or the request itself says otherwise.
    pub headers: Vec<(HeaderName, Template)>,
    pub values: Values,
    pub reset: Resets,
    pub pair: Pair,
    pub learn: Learn,
    /// Of cases that name none.
    pub default_personas: Vec<Arc<str>>,
    /// Of cases that say nothing else.
    pub timeout: Duration,
    /// In the order of the file.
    pub cases: Vec<Arc<Case>>,
}

/// A named identity with which cases are sent.
#[derive(Clone, Debug, Default)]
pub struct Persona {
    pub headers: Vec<(HeaderName, Template)>,
}

/// Whether the two sides share what they write to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pair {
    /// One store behind both: an unsafe request goes to control first, and to the candidate when control has answered.
    #[default]
    Shared,
    /// Each side has its own: both are asked at once.
    Isolated,
}

/// Where pairs of identifiers are learned by themselves. What a suite captures is always learned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Learn {
    /// Nowhere.
    Captures,
    /// In the answers to unsafe requests, and in those to reads of what was made by one.
    #[default]
    Writes,
    /// In every answer: for two sides whose data was made separately.
    Everything,
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
    pub personas: Vec<Arc<str>>,
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
    /// A path, or a variable that holds a URL reference as a `Location` does.
    pub path: Template,
    /// Pairs `name=value`, encoded.
    pub query: Vec<Template>,
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
    /// Text with its media type; an empty one stands in the headers.
    Text {
        media_type: String,
        /// How the values in it are escaped.
        position: Position,
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
