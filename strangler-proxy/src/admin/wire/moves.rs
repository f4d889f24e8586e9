//! Flips, plans and the audit log.

use diff_harness::lifecycle::Transition;
use serde::{Deserialize, Serialize};

use super::{GateView, Problem, StandingView, time};

/// `POST /api/v1/promote`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PromoteRequest {
    pub endpoint: String,
    /// The next stage where it is left out.
    #[serde(default)]
    pub to: Option<String>,
    /// The revision that the one who asks has seen.
    #[serde(default)]
    pub expected_revision: Option<u64>,
    #[serde(default)]
    pub force: bool,
    #[serde(default)]
    pub reason: String,
    /// The endpoint's name, where the move cannot be undone.
    #[serde(default)]
    pub acknowledge: Option<String>,
}

/// `POST /api/v1/rollback`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RollbackRequest {
    pub endpoint: String,
    /// `legacy` where it is left out.
    #[serde(default)]
    pub to: Option<String>,
    #[serde(default)]
    pub reason: String,
}

/// `POST /api/v1/hold` and `POST /api/v1/resume`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HoldRequest {
    pub endpoint: String,
    pub reason: String,
    #[serde(default)]
    pub expected_revision: Option<u64>,
}

/// What a flip did.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MovedView {
    pub endpoint: String,
    /// Whether anything changed: it may have stood there already.
    pub changed: bool,
    pub from: StandingView,
    pub to: StandingView,
    pub revision: u64,
    /// Its place in the audit log.
    pub sequence: Option<u64>,
    pub forced: bool,
    pub gate: Option<GateView>,
}

/// `POST /api/v1/plan`: what the gate would say by another policy. It is tried and not kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanRequest {
    pub endpoint: String,
    #[serde(default)]
    pub to: Option<String>,
    /// TOML with a `[policy]`, as in `strangler.toml`; the policy in force where it is left out.
    #[serde(default)]
    pub policy: Option<String>,
}

/// `GET /api/v1/plan`: what a move would do. Nothing is changed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PlanView {
    pub endpoint: String,
    pub revision: u64,
    pub from: StandingView,
    pub to: StandingView,
    /// Whether the move takes evidence.
    pub gated: bool,
    pub gate: Option<GateView>,
    /// Why the move would be refused, if it would.
    pub refusal: Option<Problem>,
    /// Who would answer, and who would be asked besides, in sentences.
    pub effects: Vec<String>,
    /// What cannot be undone after it, in sentences.
    #[serde(default)]
    pub no_return: Vec<String>,
    /// The command line that takes the move back; `null` where there would be none.
    #[serde(default)]
    pub undo: Option<String>,
    /// Whether the gate was asked by a policy that is not in force.
    #[serde(default)]
    pub tried: bool,
    /// Rules and waivers that hide everything, or nothing any more.
    #[serde(default)]
    pub remarks: Vec<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TransitionView {
    pub sequence: u64,
    pub at: String,
    pub endpoint: String,
    pub from: StandingView,
    pub to: StandingView,
    pub revision: u64,
    pub actor: String,
    pub reason: String,
    pub forced: bool,
    /// What the gate said; `null` where it was not asked.
    pub evidence: serde_json::Value,
}

impl From<&Transition> for TransitionView {
    fn from(transition: &Transition) -> Self {
        let flip = &transition.flip;
        Self {
            sequence: transition.sequence,
            at: time(flip.at),
            endpoint: flip.endpoint.to_string(),
            from: transition.from.into(),
            to: flip.to.into(),
            revision: transition.revision,
            actor: flip.actor.clone(),
            reason: flip.reason.clone(),
            forced: flip.forced,
            // Evidence that is not JSON is shown as the text that it is.
            evidence: serde_json::from_str(&flip.evidence)
                .unwrap_or_else(|_| serde_json::Value::String(flip.evidence.clone())),
        }
    }
}
