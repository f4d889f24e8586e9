//! One endpoint: where it stands, what is known of it, and the flip.

use askama::Template;

use super::audit::AuditRow;
use super::groups::GroupRow;
use super::overview::Meter;
use super::words::{Count, link};
use super::{Choice, Coverage, Frame, LadderStep, Quantity};
use crate::gate::{self, Ruling};
use crate::store::Undeclared;

#[derive(Debug, Template)]
#[template(path = "endpoint.html", blocks = ["content"])]
pub struct EndpointPage {
    pub frame: Frame,
    /// `GET /playlists/{id}`.
    pub endpoint: String,
    pub method: String,
    pub template: String,
    pub stage_word: &'static str,
    pub stage: String,
    /// Empty where nothing holds it.
    pub hold: &'static str,
    pub share: String,
    pub since: String,
    pub revision: u64,
    pub source: String,
    pub ladder: Vec<LadderStep>,
    /// The next stage, and what the gate says about it; `None` at the end of the ladder.
    pub next: Option<Flip>,
    /// Where else it can be flipped to.
    pub others: Vec<Choice>,
    /// Where it can be taken back to at once; empty at `legacy`.
    pub back: Vec<Choice>,
    pub meter: Meter,
    pub quantities: Vec<Quantity>,
    pub bar: String,
    pub coverage: Coverage,
    pub latencies: String,
    pub rates: String,
    pub groups: Vec<GroupRow>,
    pub groups_found: Count,
    pub nearby: Vec<NearbyTraffic>,
    pub history: Vec<AuditRow>,
    /// The transition that was just made, with where it can be taken back to.
    pub done: Option<Done>,
}

/// A transition that was just made.
#[derive(Clone, Debug)]
pub struct Done {
    pub what: String,
    /// The stage before it; empty where there is nothing to take back.
    pub back_to: String,
}

/// What a flip would do.
#[derive(Clone, Debug)]
pub struct Flip {
    pub from: String,
    pub to: String,
    pub effects: Vec<String>,
    pub gate: Option<GateShown>,
    /// Why it would be refused; empty where it would not.
    pub refusal: String,
    pub hint: String,
    /// Whether a force with a reason would help.
    pub may_force: bool,
    /// What it passes that cannot be undone.
    pub no_return: Vec<String>,
}

/// What the gate said.
#[derive(Clone, Debug)]
pub struct GateShown {
    /// `pass`, `fail` or `inconclusive`.
    pub answer: String,
    pub reasons: Vec<String>,
    pub stated: Vec<String>,
    pub meters: Vec<(String, Meter)>,
}

/// Undeclared traffic whose path begins like this endpoint's.
#[derive(Clone, Debug)]
pub struct NearbyTraffic {
    pub proposed: String,
    pub count: Count,
    pub examples: Vec<String>,
}

/// Asks once more before a flip, with its effect.
#[derive(Debug, Template)]
#[template(path = "flip.html")]
pub struct FlipPage {
    pub frame: Frame,
    pub endpoint: String,
    pub revision: u64,
    pub flip: Flip,
}

impl From<Undeclared> for NearbyTraffic {
    fn from(undeclared: Undeclared) -> Self {
        Self {
            proposed: undeclared.proposed.to_string(),
            count: Count(undeclared.count),
            examples: undeclared.examples,
        }
    }
}

impl EndpointPage {
    pub fn groups_link(&self) -> String {
        self.frame.links.groups_of(&self.endpoint, None)
    }

    pub fn flip_link(&self, to: &str) -> String {
        link("/endpoint/flip", &[("of", &self.endpoint), ("to", to)])
    }
}

impl From<&Ruling> for GateShown {
    fn from(ruling: &Ruling) -> Self {
        let meter = |meter: &gate::Meter| (meter.unit.as_str().to_owned(), Meter::from(meter));
        Self {
            answer: ruling.answer.as_str().to_owned(),
            reasons: ruling.reasons.iter().map(|reason| reason.sentence.clone()).collect(),
            stated: ruling.stated.clone(),
            meters: ruling.meters().iter().map(meter).collect(),
        }
    }
}

impl Flip {
    /// Whether the refusal says more than the gate does.
    pub fn shows_refusal(&self) -> bool {
        !self.refusal.is_empty() && self.gate.as_ref().is_none_or(|gate| gate.reasons.is_empty())
    }
}

impl FlipPage {
    pub fn link(&self) -> String {
        link("/endpoint", &[("of", &self.endpoint)])
    }
}
