//! Why a flip was not made.

use diff_harness::endpoint::EndpointId;
use diff_harness::gate::{GateAnswer, Ruling};
use diff_harness::lifecycle::{Hold, Stage};
use diff_harness::store::StoreError;
use diff_harness::triage;

#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{0} is retired: there is no stage after that")]
    AtTheEnd(EndpointId),
    #[error("{endpoint} stands at {from}; {to} is a step back, which is a rollback and not a promotion")]
    Backwards { endpoint: EndpointId, from: Stage, to: Stage },
    #[error("{endpoint} stands at {from}; {to} is a step forward, which is a promotion and not a rollback")]
    Forwards { endpoint: EndpointId, from: Stage, to: Stage },
    #[error("{endpoint} cannot stand at {stage}: {why}")]
    Unsuitable { endpoint: EndpointId, stage: Stage, why: &'static str },
    #[error("{endpoint} is held ({hold}): {why}")]
    Held { endpoint: EndpointId, hold: Hold, why: String },
    #[error("{0} is not held, so there is nothing to resume")]
    NotHeld(EndpointId),
    #[error("the gate refused {endpoint} to {to}: {}", .ruling.sentences())]
    GateRefused { endpoint: EndpointId, to: Stage, ruling: Box<Ruling> },
    #[error("there is not enough evidence to move {endpoint} to {to}: {}", .ruling.sentences())]
    GateInconclusive { endpoint: EndpointId, to: Stage, ruling: Box<Ruling> },
    #[error("no force moves {endpoint} to {to}: {}", .ruling.unforceable().map(|reason| reason.sentence.as_str()).collect::<Vec<_>>().join("; "))]
    Unforceable { endpoint: EndpointId, to: Stage, ruling: Box<Ruling> },
    #[error("{0} is retired: control may no longer be able to answer it, so it cannot fall back")]
    NothingBehind(EndpointId),
    #[error(transparent)]
    Triage(#[from] triage::Refusal),
    #[error("{endpoint} to {to} cannot be undone: {}", .passed.join("; "))]
    NoReturn { endpoint: EndpointId, to: Stage, passed: Vec<String> },
    #[error("{0} needs a reason: it goes into the audit log")]
    ReasonRequired(&'static str),
}

impl Refusal {
    /// What it means that the gate did not pass.
    pub(super) fn of_gate(endpoint: EndpointId, to: Stage, ruling: Box<Ruling>) -> Self {
        match ruling.answer {
            GateAnswer::Inconclusive => Self::GateInconclusive { endpoint, to, ruling },
            GateAnswer::Fail | GateAnswer::Pass => Self::GateRefused { endpoint, to, ruling },
        }
    }
}
