//! What goes over the wire between the admin API and whoever speaks it. Not the domain types: these may only grow.

use std::collections::BTreeMap;

use diff_harness::endpoint::EndpointId;
use diff_harness::exchange::UnixMillis;
use diff_harness::lifecycle::{Declaration, Parameter, Route, Standing, Transition};
use diff_harness::store::{Epoch, Group, Tally, Undeclared};
use serde::{Deserialize, Serialize};

/// The version of everything below.
pub const VERSION: u32 = 1;

/// Around every answer, also around failures.
#[derive(Debug, Serialize, Deserialize)]
pub struct Envelope<T> {
    pub version: u32,
    pub data: Option<T>,
    pub error: Option<Problem>,
}

/// Why something was not done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    pub code: Code,
    pub message: String,
    /// What to do next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// What kind of failure, for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    BadRequest,
    Unauthorized,
    /// The Host header names neither this listener nor loopback.
    WrongHost,
    NotFound,
    MethodNotAllowed,
    TooLarge,
    UnknownEndpoint,
    /// The endpoint's revision is not the one that was expected.
    Conflict,
    /// The endpoint cannot stand at that stage, or the move is not one that the ladder has.
    NotAMove,
    ReasonRequired,
    Held,
    GateRefused,
    GateInconclusive,
    /// Forced over what no force overrides: an open exposure group.
    Unforceable,
    StoreFailed,
    Internal,
}

/// `{"endpoint": "GET /playlists/{id}", …}` in a request's body, or `?endpoint=` in its query.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndpointQuery {
    pub endpoint: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StandingView {
    pub stage: String,
    pub hold: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RouteView {
    pub endpoint: String,
    pub method: String,
    pub template: String,
    pub stage: String,
    pub hold: String,
    pub revision: u64,
    /// When it came to its stage.
    pub since: String,
    /// How long it has been there.
    pub since_seconds: u64,
    pub source: String,
    pub parameters: Vec<ParameterView>,
    pub statuses: Vec<String>,
    /// Since the beginning, over restarts and epochs.
    pub traffic: Traffic,
    /// Groups of the current epoch.
    pub open_groups: u64,
    /// The worst severity among them.
    pub worst: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParameterView {
    pub name: String,
    pub place: String,
    pub required: bool,
}

/// What became of requests. `compared + skipped + dropped = seen`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Traffic {
    pub seen: u64,
    pub compared: u64,
    pub matched: u64,
    pub tolerated: u64,
    pub mismatched: u64,
    pub both_failed: u64,
    pub skipped: u64,
    pub skipped_by: BTreeMap<String, u64>,
    pub dropped: u64,
    pub dropped_by: BTreeMap<String, u64>,
    pub answered_control: u64,
    pub answered_candidate: u64,
    pub answered_proxy: u64,
    pub fallbacks: u64,
}

/// `POST /api/v1/routes`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeclareRequest {
    pub endpoints: Vec<DeclarationView>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeclarationView {
    pub endpoint: String,
    pub source: String,
    #[serde(default)]
    pub parameters: Vec<ParameterView>,
    #[serde(default)]
    pub statuses: Vec<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DeclaredView {
    pub added: Vec<String>,
    pub updated: Vec<String>,
    pub unchanged: usize,
    /// Templates that match the same requests with equal right, and what decides between them.
    pub warnings: Vec<String>,
}

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

/// What the gate says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateView {
    /// `pass`, `fail` or `inconclusive`.
    pub answer: String,
    /// Why it is not `pass`, in sentences.
    pub reasons: Vec<String>,
    /// What it stands on: shares with their denominators.
    pub stated: Vec<String>,
    /// Why no force helps; empty where it does.
    pub unforceable: Vec<String>,
    /// Comparisons that count.
    pub compared: u64,
    pub mismatched: u64,
    pub both_failed: u64,
    pub open_groups: u64,
    pub open_exposures: u64,
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
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StatusView {
    pub product: String,
    pub started: String,
    pub uptime_seconds: u64,
    pub listening: Vec<String>,
    pub control: String,
    pub candidate: String,
    pub store: String,
    pub epoch: EpochView,
    /// How many endpoints stand at each stage.
    pub stages: BTreeMap<String, u64>,
    pub endpoints: Vec<RouteView>,
    /// Requests that matched no endpoint; control answered them.
    pub unmatched: Traffic,
    pub total: Traffic,
    /// Requests that have begun and not ended.
    pub pending: u64,
    /// What could not be recorded, and other things that a person must look at.
    pub warnings: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EpochView {
    pub candidate: String,
    pub control: String,
    pub rules: String,
}

/// `POST /api/v1/epochs`: what is left out stays.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EpochRequest {
    #[serde(default)]
    pub candidate: Option<String>,
    #[serde(default)]
    pub control: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GroupView {
    pub id: String,
    pub endpoint: String,
    pub kind: String,
    pub severity: String,
    pub location: String,
    pub detail: Option<String>,
    pub count: u64,
    pub exchanges: u64,
    pub first_seen: String,
    pub last_seen: String,
    /// Values of the newest divergence.
    pub control: Option<String>,
    pub candidate: Option<String>,
}

/// `GET /api/v1/groups/{id}`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GroupDetail {
    pub group: GroupView,
    /// Kept exchanges, newest first.
    pub samples: Vec<ExchangeView>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ExchangeView {
    pub id: String,
    pub at: String,
    pub endpoint: String,
    pub method: String,
    pub target: String,
    pub request_headers: Vec<(String, String)>,
    pub request_body: BodyView,
    pub control: ObservationView,
    pub candidate: ObservationView,
    pub divergences: Vec<DivergenceView>,
    pub notes: Vec<String>,
    /// Command lines that repeat the request against either side, without its secrets.
    pub curl_control: String,
    pub curl_candidate: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ObservationView {
    pub latency_ms: f64,
    /// `None` for a transport failure.
    pub status: Option<u16>,
    pub failure: Option<String>,
    pub headers: Vec<(String, String)>,
    pub body: BodyView,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct BodyView {
    /// As text, with what is not UTF-8 replaced.
    pub text: String,
    /// Of all of it; `None` where it was not read to its end.
    pub length: Option<u64>,
    /// Whether `text` is all of it.
    pub whole: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DivergenceView {
    pub group: String,
    pub kind: String,
    pub severity: String,
    pub location: String,
    pub detail: Option<String>,
    pub control: Option<String>,
    pub candidate: Option<String>,
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

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UndeclaredView {
    pub endpoint: String,
    pub count: u64,
    pub examples: Vec<String>,
}

/// RFC 3339 in UTC, with milliseconds.
pub fn time(at: UnixMillis) -> String {
    let millis = i64::try_from(at.0).unwrap_or(i64::MAX);
    jiff::Timestamp::from_millisecond(millis).map_or_else(|_| format!("{millis} ms"), |at| format!("{at:.3}"))
}

impl From<Standing> for StandingView {
    fn from(standing: Standing) -> Self {
        Self { stage: standing.stage.to_string(), hold: standing.hold.to_string() }
    }
}

impl From<&Tally> for Traffic {
    fn from(tally: &Tally) -> Self {
        Self {
            seen: tally.seen(),
            compared: tally.compared(),
            matched: tally.matched,
            tolerated: tally.tolerated,
            mismatched: tally.mismatched,
            both_failed: tally.both_failed,
            skipped: tally.skipped_total(),
            skipped_by: tally.skipped.iter().map(|(reason, n)| (reason.as_str().to_owned(), *n)).collect(),
            dropped: tally.dropped_total(),
            dropped_by: tally.dropped.iter().map(|(reason, n)| (reason.as_str().to_owned(), *n)).collect(),
            answered_control: tally.answered_control,
            answered_candidate: tally.answered_candidate,
            answered_proxy: tally.answered_proxy,
            fallbacks: tally.fallbacks,
        }
    }
}

impl From<&Parameter> for ParameterView {
    fn from(parameter: &Parameter) -> Self {
        Self { name: parameter.name.clone(), place: parameter.place.clone(), required: parameter.required }
    }
}

impl From<ParameterView> for Parameter {
    fn from(view: ParameterView) -> Self {
        Self { name: view.name, place: view.place, required: view.required }
    }
}

impl DeclarationView {
    pub fn new(endpoint: &EndpointId, declaration: &Declaration) -> Self {
        Self {
            endpoint: endpoint.to_string(),
            source: declaration.source.clone(),
            parameters: declaration.parameters.iter().map(ParameterView::from).collect(),
            statuses: declaration.statuses.clone(),
        }
    }
}

impl RouteView {
    pub fn new(route: &Route, traffic: &Tally, groups: &[&Group], now: UnixMillis) -> Self {
        Self {
            endpoint: route.endpoint.to_string(),
            method: route.endpoint.method().to_string(),
            template: route.endpoint.template().to_owned(),
            stage: route.standing.stage.to_string(),
            hold: route.standing.hold.to_string(),
            revision: route.revision,
            since: time(route.since),
            since_seconds: now.0.saturating_sub(route.since.0) / 1_000,
            source: route.declaration.source.clone(),
            parameters: route.declaration.parameters.iter().map(ParameterView::from).collect(),
            statuses: route.declaration.statuses.clone(),
            traffic: traffic.into(),
            open_groups: groups.len() as u64,
            worst: groups.iter().map(|group| group.severity).max().map(|worst| worst.as_str().to_owned()),
        }
    }
}

impl From<&Group> for GroupView {
    fn from(group: &Group) -> Self {
        let example = group.example.get();
        Self {
            id: group.fingerprint.to_string(),
            endpoint: group.endpoint.to_string(),
            kind: group.kind.as_str().to_owned(),
            severity: group.severity.as_str().to_owned(),
            location: group.location.clone(),
            detail: group.detail.clone(),
            count: group.count,
            exchanges: group.exchanges,
            first_seen: time(group.first_seen),
            last_seen: time(group.last_seen),
            control: example.control.clone(),
            candidate: example.candidate.clone(),
        }
    }
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

impl From<&Epoch> for EpochView {
    fn from(epoch: &Epoch) -> Self {
        Self {
            candidate: epoch.candidate.clone(),
            control: epoch.control.clone(),
            rules: epoch.rules.clone(),
        }
    }
}

impl From<&Undeclared> for UndeclaredView {
    fn from(undeclared: &Undeclared) -> Self {
        Self {
            endpoint: undeclared.proposed.to_string(),
            count: undeclared.count,
            examples: undeclared.examples.clone(),
        }
    }
}
