//! Endpoints and what became of their requests.

use std::collections::BTreeMap;

use diff_harness::divergence::Severity;
use diff_harness::endpoint::EndpointId;
use diff_harness::exchange::UnixMillis;
use diff_harness::lifecycle::{Declaration, Parameter, Route};
use diff_harness::store::{Tally, Undeclared};
use diff_harness::triage::Weighed;
use serde::{Deserialize, Serialize};

use super::time;

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
    /// Groups of the current epoch that nobody let pass.
    pub open_groups: u64,
    /// The worst severity among them.
    pub worst: Option<String>,
    /// Groups of the current epoch that a waiver lets pass.
    #[serde(default)]
    pub waived_groups: u64,
}

/// Groups of one endpoint in the current epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GroupsOf {
    pub open: u64,
    pub worst: Option<Severity>,
    pub waived: u64,
}

impl GroupsOf {
    pub fn of(endpoint: &EndpointId, weighed: &Weighed) -> Self {
        let open = weighed.open.iter().filter(|(triaged, _)| triaged.group.endpoint == *endpoint);
        let waived = weighed.waived.iter().filter(|(triaged, _)| triaged.group.endpoint == *endpoint);
        Self {
            open: open.clone().count() as u64,
            worst: open.map(|(triaged, _)| triaged.group.severity).max(),
            waived: waived.count() as u64,
        }
    }
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

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UndeclaredView {
    pub endpoint: String,
    pub count: u64,
    pub examples: Vec<String>,
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
    pub fn new(route: &Route, traffic: &Tally, groups: &GroupsOf, now: UnixMillis) -> Self {
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
            open_groups: groups.open,
            worst: groups.worst.map(|worst| worst.as_str().to_owned()),
            waived_groups: groups.waived,
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
