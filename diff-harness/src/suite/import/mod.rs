//! Suites from elsewhere: kept exchanges, HAR files, OpenAPI documents. Pure: texts and exchanges in, a draft out.
//!
//! Whatever the source, a case goes through the redactor before it is written: suites are committed.

mod exchange;
mod har;
mod openapi;
mod yaml;

use std::collections::{BTreeMap, BTreeSet};

pub use exchange::{RedactedRequest, of_exchange, of_request, shape};
pub use har::{HarError, har};
pub use openapi::{OpenApiError, openapi};
pub use yaml::{AppendError, append};

/// Cases before they are written, and what they need around them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Draft {
    pub name: String,
    /// Names of personas that a case is sent as, with the headers of each.
    pub personas: BTreeMap<String, BTreeMap<String, String>>,
    /// Values that were redacted, to be filled in by a person.
    pub secrets: BTreeSet<String>,
    pub cases: Vec<DraftCase>,
    /// What a person should know of the import.
    pub notes: Vec<String>,
}

/// One request.
#[derive(Clone, Debug, PartialEq)]
pub struct DraftCase {
    pub name: String,
    pub tags: Vec<String>,
    pub persona: Option<String>,
    pub method: String,
    /// Path and query, encoded; variables may stand in it.
    pub path: String,
    /// The path template.
    pub endpoint: String,
    pub headers: BTreeMap<String, String>,
    pub body: DraftBody,
    /// Comes before the case as a comment.
    pub why: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum DraftBody {
    None,
    Json(serde_json::Value),
    /// Its media type stands in the headers.
    Text(String),
}

impl Draft {
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// Adds a case under a name that no other has.
    fn add(&mut self, mut case: DraftCase) {
        let taken = |name: &str| self.cases.iter().any(|other| other.name == name);
        if taken(&case.name) {
            let free = (2..).map(|n| format!("{} ({n})", case.name)).find(|name| !taken(name));
            case.name = free.expect("numbers do not run out");
        }
        self.cases.push(case);
    }

    /// Names the endpoints as they are named elsewhere, by method and path: groups are told apart by these names.
    pub fn name_endpoints(&mut self, template: impl Fn(&str, &str) -> Option<String>) {
        for case in &mut self.cases {
            if let Some(known) = template(&case.method, &case.path) {
                case.endpoint = known;
            }
        }
    }

    /// The draft as a suite file.
    pub fn to_yaml(&self) -> String {
        yaml::render(self)
    }
}
