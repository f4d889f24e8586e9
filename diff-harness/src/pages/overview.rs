//! All endpoints, and what needs a person now.

use askama::Template;

use super::words::{Count, link};
use super::{Frame, Paging};
use crate::divergence::Severity;

#[derive(Debug, Template)]
#[template(path = "overview.html")]
pub struct Overview {
    pub frame: Frame,
    pub needs: Vec<Need>,
    pub totals: Totals,
    /// The burn-down, drawn.
    pub burn_down: String,
    pub search: String,
    pub stage: Vec<Choice>,
    pub attention: Vec<Choice>,
    pub sort: Vec<Choice>,
    pub rows: Vec<EndpointRow>,
    pub paging: Paging,
}

/// Something that waits for a person.
#[derive(Clone, Debug)]
pub struct Need {
    /// The severity, or another class of the style sheet, by which it is marked.
    pub mark: &'static str,
    pub word: String,
    pub what: String,
    pub link: String,
}

/// Sums over all endpoints.
#[derive(Clone, Debug, Default)]
pub struct Totals {
    pub endpoints: Count,
    /// Endpoints of which the candidate answers all, some, or no requests.
    pub moved: Count,
    pub moving: Count,
    pub staying: Count,
    pub seen: Count,
    pub compared: Count,
    pub mismatched: Count,
    /// Groups that keep an endpoint from moving.
    pub open_groups: Count,
}

/// One entry of a selection.
#[derive(Clone, Debug)]
pub struct Choice {
    pub value: String,
    pub name: String,
    pub chosen: bool,
}

#[derive(Clone, Debug)]
pub struct EndpointRow {
    /// `GET /playlists/{id}`.
    pub endpoint: String,
    pub method: String,
    pub template: String,
    /// The word of the stage, for the style sheet.
    pub stage_word: &'static str,
    pub stage: String,
    /// Empty where nothing holds it.
    pub hold: &'static str,
    /// Of requests that the candidate answers.
    pub share: String,
    pub meter: Meter,
    pub seen: Count,
    pub compared: Count,
    pub mismatched: Count,
    /// Open groups, the worst first; none of a severity is left out.
    pub groups: Vec<(Severity, u64)>,
    /// p50 and p95 of both sides; empty where nothing was measured.
    pub control_latency: Option<(String, String)>,
    pub candidate_latency: Option<(String, String)>,
    pub since: String,
}

/// How much of what the gate wants is there.
#[derive(Clone, Debug, Default)]
pub struct Meter {
    pub have: u64,
    pub want: u64,
    /// What is missing, or that nothing is.
    pub text: String,
    pub is_full: bool,
}

impl Choice {
    /// A selection of which one value is chosen; the first where none is.
    pub fn of(choices: &[(&str, &str)], chosen: &str) -> Vec<Self> {
        let known = choices.iter().any(|(value, _)| *value == chosen);
        let choice = |(at, (value, name)): (usize, &(&str, &str))| Self {
            value: (*value).to_owned(),
            name: (*name).to_owned(),
            chosen: if known { *value == chosen } else { at == 0 },
        };
        choices.iter().enumerate().map(choice).collect()
    }
}

impl EndpointRow {
    pub fn link(&self) -> String {
        link("/endpoint", &[("of", &self.endpoint)])
    }

    pub fn groups_link(&self, severity: &Severity) -> String {
        link("/groups", &[("endpoint", &self.endpoint), ("severity", severity.as_str())])
    }
}
