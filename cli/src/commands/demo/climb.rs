//! Where the playlist endpoints stand, and the steps they take: one after each round, if the gate lets them.
//!
//! Nothing is forced and nothing is skipped; what a person would type is what is sent to the admin API. Endpoints that write
//! are approved, to leave `verify`, if the suite of writes says nothing against them.

use std::collections::BTreeMap;

use diff_harness::lifecycle::Stage;
use estate_traffic::endpoint::Endpoint;
use strangler_proxy::admin::wire::{MovedView, PromoteRequest};
use strangler_proxy::inventory::Import;

use super::pace::Pace;
use super::pair::Rehearsal;
use super::traffic::Wanted;
use crate::client::Admin;
use crate::commands::routes;
use crate::exit::{Exit, Failure};

pub(super) struct Climb<'a> {
    admin: &'a Admin,
    pace: Pace,
    /// How far endpoints go.
    summit: Stage,
    /// What speaks against approving an endpoint that writes.
    against: &'a BTreeMap<String, BTreeMap<String, String>>,
    places: Vec<Place>,
}

/// Where one endpoint stands.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// Of all playlist endpoints.
    pub(super) index: usize,
    pub(super) endpoint: String,
    pub(super) is_safe: bool,
    pub(super) stage: Stage,
    pub(super) answer: Answer,
}

/// What the gate said last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Passed,
    /// What is missing.
    Inconclusive(Vec<String>),
    /// Why not, the worst first.
    Refused(Vec<String>),
}

impl<'a> Climb<'a> {
    /// Declares what the documents have. Those that are `moved` climb; the others stay where they are.
    pub(super) fn start(
        admin: &'a Admin,
        pace: Pace,
        summit: Stage,
        documents: Vec<Import>,
        moved: &[Endpoint],
        rehearsal: &'a Rehearsal,
    ) -> Result<Self, Failure> {
        for document in &documents {
            routes::declare(admin, document)?;
        }
        let places = moved.iter().enumerate().map(|(index, endpoint)| Place {
            index,
            endpoint: endpoint.id.to_string(),
            is_safe: endpoint.id.is_safe(),
            stage: Stage::Legacy,
            answer: Answer::Passed,
        });
        Ok(Self { admin, pace, summit, against: &rehearsal.against, places: places.collect() })
    }

    pub(super) fn places(&self) -> &[Place] {
        &self.places
    }

    /// Asks for the next step of every endpoint. Whether any took it.
    pub(super) fn push(&mut self) -> Result<bool, Failure> {
        let mut any = false;
        let summit = self.summit;
        for place in self.places.iter_mut().filter(|place| place.stage != summit) {
            if let (Stage::Verify, Some(why)) = (place.stage, self.against.get(&place.endpoint)) {
                place.answer = Answer::Refused(why.values().cloned().collect());
                continue;
            }
            let asked = PromoteRequest {
                endpoint: place.endpoint.clone(),
                to: None,
                expected_revision: None,
                force: false,
                reason: match place.stage {
                    Stage::Verify => "the suite of writes agrees on an isolated pair".to_owned(),
                    _ => "the demo asks after every round".to_owned(),
                },
                // Only the last step takes it: there is no way back from retired.
                acknowledge: Some(place.endpoint.clone()),
            };
            match self.admin.post::<MovedView>("/api/v1/promote", &asked) {
                Ok(moved) => {
                    place.stage = moved.to.stage.parse().map_err(Failure::error)?;
                    place.answer = Answer::Passed;
                    any = true;
                }
                Err(failure) if failure.exit == Exit::Inconclusive => {
                    place.answer = Answer::Inconclusive(reasons(failure));
                }
                Err(failure) if failure.exit == Exit::Refused => {
                    place.answer = Answer::Refused(reasons(failure));
                }
                Err(failure) => return Err(failure),
            }
        }
        Ok(any)
    }

    /// What the next round is to ask for.
    pub(super) fn wanted(&self) -> Vec<Wanted> {
        let requests = self.pace.requests();
        let asked = self.places.iter().filter(|place| !self.has_arrived(place));
        let asked = asked.map(|place| Wanted {
            endpoint: place.index,
            requests: if place.candidate_answers() { requests.answering } else { requests.proving },
        });
        asked.collect()
    }

    pub(super) fn all_arrived(&self) -> bool {
        self.places.iter().all(|place| self.has_arrived(place))
    }

    fn has_arrived(&self, place: &Place) -> bool {
        place.stage == self.summit
    }

    /// Whatever has not arrived was refused.
    pub(super) fn none_moves(&self) -> bool {
        self.places.iter().all(|place| self.has_arrived(place) || place.is_refused())
    }

    /// How many stand at each stage, in the order of the ladder.
    pub(super) fn stages(&self) -> BTreeMap<u8, (&'static str, usize)> {
        let mut stages = BTreeMap::new();
        for place in &self.places {
            let order = match place.stage {
                Stage::Legacy => 0,
                Stage::Shadow => 1,
                Stage::Record => 2,
                Stage::Verify => 3,
                Stage::Canary(_) => 4,
                Stage::Live => 5,
                Stage::Soak => 6,
                Stage::Retired => 7,
            };
            stages.entry(order).or_insert((place.stage.as_str(), 0)).1 += 1;
        }
        stages
    }
}

/// As the gate gave them, else the sentence of whoever refused.
fn reasons(failure: Failure) -> Vec<String> {
    let gate = failure.data.as_deref().and_then(|data| data["gate"]["reasons"].as_array());
    let reasons = gate.into_iter().flatten().filter_map(|reason| reason.as_str().map(str::to_owned));
    let reasons: Vec<_> = reasons.collect();
    if reasons.is_empty() { vec![failure.message] } else { reasons }
}

impl Place {
    fn candidate_answers(&self) -> bool {
        matches!(self.stage, Stage::Canary(_)) || self.is_live()
    }

    pub(super) fn is_refused(&self) -> bool {
        matches!(self.answer, Answer::Refused(_))
    }

    /// The candidate answers all of its clients.
    pub(super) fn is_live(&self) -> bool {
        matches!(self.stage, Stage::Live | Stage::Soak | Stage::Retired)
    }

    /// Nobody asks control any more, not even to compare.
    pub(super) fn leaves_control_alone(&self) -> bool {
        matches!(self.stage, Stage::Soak | Stage::Retired)
    }
}
