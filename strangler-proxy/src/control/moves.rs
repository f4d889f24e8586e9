//! What can be asked of an endpoint, and what came of it.

use diff_harness::endpoint::EndpointId;
use diff_harness::gate::Ruling;
use diff_harness::lifecycle::{Route, Stage, Standing, Transition};

use super::Direction;
use super::refusal::Refusal;

/// A wish to move an endpoint towards the candidate.
#[derive(Clone, Debug)]
pub struct Promote {
    pub endpoint: EndpointId,
    /// The next stage where it is left out.
    pub to: Option<Stage>,
    /// The revision that the one who asks has seen; the current one where it is left out.
    pub expected_revision: Option<u64>,
    /// Whether to go against the gate. Takes a reason, and never goes against a hold or an open exposure group.
    pub force: bool,
    pub reason: String,
    pub actor: String,
    /// The endpoint's name, from whoever has seen what cannot be undone after the move.
    pub acknowledge: Option<String>,
}

/// A wish to move an endpoint back towards control.
#[derive(Clone, Debug)]
pub struct Rollback {
    pub endpoint: EndpointId,
    /// `legacy`: straight back to control, with nothing shadowed.
    pub to: Stage,
    pub reason: String,
    pub actor: String,
}

/// A wish to hold or to resume an endpoint.
#[derive(Clone, Debug)]
pub struct SetHold {
    pub endpoint: EndpointId,
    pub expected_revision: Option<u64>,
    pub reason: String,
    pub actor: String,
}

/// What came of a wish that was granted.
#[derive(Clone, Debug)]
pub struct Moved {
    pub endpoint: EndpointId,
    pub from: Standing,
    pub to: Standing,
    pub revision: u64,
    /// Its place in the audit log; `None` where the endpoint stood there already.
    pub sequence: Option<u64>,
    pub forced: bool,
    pub gate: Option<Ruling>,
}

/// What a move would do.
#[derive(Debug)]
pub struct Plan {
    pub route: Route,
    pub to: Stage,
    pub direction: Direction,
    /// Asked for a move forward.
    pub gate: Option<Ruling>,
    /// Why it would be refused, if it would.
    pub refusal: Option<Refusal>,
    /// What it passes that cannot be undone, in sentences. The move takes an acknowledgement then.
    pub no_return: Vec<String>,
}

impl Moved {
    pub(super) fn stayed(route: &Route) -> Self {
        Self {
            endpoint: route.endpoint.clone(),
            from: route.standing,
            to: route.standing,
            revision: route.revision,
            sequence: None,
            forced: false,
            gate: None,
        }
    }

    pub(super) fn made(transition: &Transition, gate: Option<Ruling>) -> Self {
        Self {
            endpoint: transition.flip.endpoint.clone(),
            from: transition.from,
            to: transition.flip.to,
            revision: transition.revision,
            sequence: Some(transition.sequence),
            forced: transition.flip.forced,
            gate,
        }
    }
}
