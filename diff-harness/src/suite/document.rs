//! A suite file as it is written: nothing is checked yet but its form.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_saphyr::Spanned;

use crate::suite::{Learn, Pair};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// The suite's name.
    pub suite: Spanned<String>,
    #[serde(default)]
    pub personas: BTreeMap<String, Spanned<PersonaEntry>>,
    #[serde(default)]
    pub variables: BTreeMap<String, Scalar>,
    #[serde(default)]
    pub defaults: Defaults,
    #[serde(default)]
    pub reset: ResetEntries,
    /// Whether the two sides share what they write to.
    #[serde(default)]
    pub pair: Pair,
    #[serde(default)]
    pub ids: IdsEntry,
    #[serde(default)]
    pub cases: Vec<Spanned<CaseEntry>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PersonaEntry {
    #[serde(default)]
    pub headers: BTreeMap<String, Spanned<String>>,
    #[serde(default)]
    pub cookies: BTreeMap<String, Spanned<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Defaults {
    #[serde(default)]
    pub personas: Option<Vec<Spanned<String>>>,
    #[serde(default)]
    pub headers: BTreeMap<String, Spanned<String>>,
    #[serde(default)]
    pub timeout_ms: Option<Spanned<u64>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResetEntries {
    #[serde(default)]
    pub control: Option<Spanned<ResetEntry>>,
    #[serde(default)]
    pub candidate: Option<Spanned<ResetEntry>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdsEntry {
    /// Where pairs of identifiers are learned by themselves.
    #[serde(default)]
    pub learn: Learn,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResetEntry {
    Command(String),
    Url(String),
}

/// Either one request, written flat, or `steps`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseEntry {
    pub name: Spanned<String>,
    #[serde(default)]
    pub tags: Vec<String>,
    #[serde(default)]
    pub personas: Option<Vec<Spanned<String>>>,
    /// Cases whose steps run first, in the same variables.
    #[serde(default)]
    pub setup: Vec<Spanned<String>>,
    #[serde(default)]
    pub timeout_ms: Option<Spanned<u64>>,
    #[serde(default)]
    pub request: Option<Spanned<RequestEntry>>,
    #[serde(default)]
    pub capture: BTreeMap<String, Spanned<CaptureEntry>>,
    #[serde(default)]
    pub expect: Option<ExpectEntry>,
    #[serde(default)]
    pub steps: Option<Vec<Spanned<StepEntry>>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepEntry {
    #[serde(default)]
    pub name: Option<String>,
    pub request: Spanned<RequestEntry>,
    #[serde(default)]
    pub capture: BTreeMap<String, Spanned<CaptureEntry>>,
    #[serde(default)]
    pub expect: Option<ExpectEntry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestEntry {
    #[serde(default)]
    pub method: Option<Spanned<String>>,
    /// Path, with or without a query.
    pub path: Spanned<String>,
    /// The path template of the endpoint; by default the path with its variables as parameters.
    #[serde(default)]
    pub endpoint: Option<Spanned<String>>,
    #[serde(default)]
    pub query: BTreeMap<String, Spanned<Scalar>>,
    #[serde(default)]
    pub headers: BTreeMap<String, Spanned<String>>,
    #[serde(default)]
    pub body: Option<Spanned<BodyEntry>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BodyEntry {
    /// Any YAML value, sent as JSON.
    Json(serde_json::Value),
    /// Fields, sent as `application/x-www-form-urlencoded`.
    Form(BTreeMap<String, Scalar>),
    /// Text as it is; its media type goes into `headers`.
    Text(String),
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaptureEntry {
    /// A JSON path with one result in the response's body.
    Json(String),
    Header(String),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectEntry {
    pub status: Spanned<u16>,
}

/// What YAML writes without quotes and HTTP sends as text.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Scalar {
    Bool(bool),
    Integer(i64),
    Number(f64),
    Text(String),
}

impl std::fmt::Display for Scalar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bool(value) => value.fmt(f),
            Self::Integer(value) => value.fmt(f),
            Self::Number(value) => value.fmt(f),
            Self::Text(value) => value.fmt(f),
        }
    }
}
