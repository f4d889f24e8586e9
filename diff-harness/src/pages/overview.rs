//! All endpoints, and what needs a person now.

use askama::Template;

use super::standing::is_moved;
use super::words::Count;
use super::{Frame, Links, Paging, Quantity};
use crate::divergence::Severity;
use crate::endpoint::EndpointId;
use crate::gate::{self, Ruling};
use crate::lifecycle::Stage;
use crate::store::Tally;

#[derive(Debug, Template)]
#[template(path = "overview.html", blocks = ["content"])]
pub struct Overview {
    pub frame: Frame,
    pub needs: Vec<Need>,
    pub totals: Totals,
    /// The burn-down, drawn.
    pub burn_down: String,
    /// What became of all requests, drawn to scale and in numbers.
    pub bar: String,
    pub quantities: Vec<Quantity>,
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
    /// What the gate wants besides; empty where that is not known or nothing.
    pub wants: String,
    pub seen: Count,
    pub compared: Count,
    pub mismatched: Count,
    pub link: String,
    /// Open groups, the worst first, with where they are listed; none of a severity is left out.
    pub groups: Vec<(Severity, Count, String)>,
    /// p50 and p95 of both sides; empty where nothing was measured.
    pub control_latency: Option<(String, String)>,
    pub candidate_latency: Option<(String, String)>,
    pub since: String,
}

/// How much of what the gate wants is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meter {
    pub have: u64,
    /// 0 where it is not known.
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

impl Meter {
    /// So many comparisons, whatever the gate wants.
    pub fn counted(comparisons: u64) -> Self {
        let text = match comparisons {
            0 => "nothing compared".to_owned(),
            n => format!("{} comparisons", Count(n)),
        };
        Self { have: comparisons, want: 0, text, is_full: false }
    }

    /// So many of the comparisons that the gate wants.
    pub fn comparisons(stage: Stage, have: u64, want: u64) -> Self {
        let is_full = have >= want;
        let text = match stage {
            Stage::Retired => "the end of the ladder".to_owned(),
            Stage::Legacy if have == 0 => "nothing is compared at legacy".to_owned(),
            _ if is_full => format!("{} comparisons", Count(have)),
            _ => format!("{} of {} comparisons", Count(have), Count(want)),
        };
        Self { have: have.min(want), want: want.max(1), text, is_full }
    }

    /// All that the gate counts, in one: the one that lacks most, and all that are not full in words.
    pub fn of(ruling: &Ruling) -> Option<Self> {
        let meters = ruling.meters();
        let share = |meter: &&gate::Meter| meter.have.min(meter.need) * 10_000 / meter.need.max(1);
        let least = meters.iter().min_by_key(share)?;
        let missing: Vec<_> =
            meters.iter().filter(|meter| meter.have < meter.need).map(ToString::to_string).collect();
        let text = if missing.is_empty() {
            format!("{} comparisons", Count(ruling.compared()))
        } else {
            missing.join(", ")
        };
        Some(Self { text, ..Self::from(least) })
    }
}

impl From<&gate::Meter> for Meter {
    fn from(meter: &gate::Meter) -> Self {
        Self {
            have: meter.have.min(meter.need),
            want: meter.need.max(1),
            text: meter.to_string(),
            is_full: meter.have >= meter.need,
        }
    }
}

impl Need {
    pub fn fallback(endpoint: &EndpointId, links: Links) -> Self {
        Self {
            mark: "breaking",
            word: "fallback".to_owned(),
            what: format!("{endpoint} went back to control by itself and waits for a person"),
            link: links.endpoint(&endpoint.to_string()),
        }
    }

    pub fn exposure(endpoint: &EndpointId, groups: u64, links: Links) -> Self {
        let n = if groups == 1 { "1 open group".to_owned() } else { format!("{groups} open groups") };
        Self {
            mark: "exposure",
            word: "exposure".to_owned(),
            what: format!("{endpoint}: the candidate shows what control withheld, {n}"),
            link: links.groups_of(&endpoint.to_string(), Some(Severity::Exposure)),
        }
    }

    /// Nothing but a person keeps it from moving on.
    pub fn ready(endpoint: &EndpointId, to: Stage, links: Links) -> Self {
        Self {
            mark: "match",
            word: "ready".to_owned(),
            what: format!("{endpoint}: the gate lets it move to {to}"),
            link: links.endpoint(&endpoint.to_string()),
        }
    }
}

impl Totals {
    /// Counts one endpoint.
    pub fn add(&mut self, stage: Stage, tally: &Tally, open_groups: u64) {
        let place = match stage {
            stage if is_moved(stage) => &mut self.moved,
            Stage::Legacy => &mut self.staying,
            _ => &mut self.moving,
        };
        place.0 += 1;
        self.endpoints.0 += 1;
        self.seen.0 += tally.seen();
        self.compared.0 += tally.compared();
        self.mismatched.0 += tally.mismatched;
        self.open_groups.0 += open_groups;
    }
}
