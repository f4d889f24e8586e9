//! Where the time of endpoints goes, and how far the estate is.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use diff_harness::endpoint::EndpointId;
use diff_harness::gate::GateAnswer;
use diff_harness::lifecycle::{Hold, Route, Stage, Transition};
use diff_harness::store::{DecisionsOf, StoreError};
use diff_harness::stream::{BurnDown, Past, Stream, stall};
use diff_harness::triage::Entry;

use super::answer::Failed;
use super::api::{Api, answer};
use super::wire::{EndpointStreamView, StreamView, time};
use crate::control::Outlooks;

pub(super) async fn stream(State(api): State<Arc<Api>>) -> Result<Response, Failed> {
    answer(api, |api| Ok(view(api)?)).await
}

fn view(api: &Api) -> Result<StreamView, StoreError> {
    api.flush();
    let now = api.control.now();
    let routes = api.control.routes();
    let epochs = api.store.epochs()?;
    let transitions = api.control.transitions(None, usize::MAX)?;
    let mut transitions = by_endpoint(transitions, |transition: &Transition| Some(&transition.flip.endpoint));
    let decisions = api.control.decisions(DecisionsOf::All, usize::MAX)?;
    let mut decisions = by_endpoint(decisions, |entry: &Entry| entry.endpoint.as_ref());
    let mut open = api.control.open_groups()?;
    let worst = |route: &Route| open.get(&route.endpoint)?.worst();
    let burn_down = BurnDown::of(routes.iter().map(|route| (route, worst(route))));
    let outlooks = api.control.look_ahead(usize::MAX)?;
    let mut endpoints = Vec::with_capacity(routes.len());
    for route in &routes {
        let transitions = transitions.remove(&route.endpoint).unwrap_or_default();
        let decisions = decisions.remove(&route.endpoint).unwrap_or_default();
        let open = open.remove(&route.endpoint).unwrap_or_default();
        let past = Past { route, transitions: &transitions, decisions: &decisions, epochs: &epochs };
        let stream = Stream::of(&past, now);
        // The newest is the first.
        let held = transitions.iter().find(|transition| transition.from.hold != transition.flip.to.hold);
        let gate = if open.is_empty() { gate(&outlooks, route)? } else { None };
        let stall = stall(route, &stream, held.map(|transition| transition.flip.at), &open, gate.as_ref());
        endpoints.push(EndpointStreamView {
            endpoint: route.endpoint.to_string(),
            stage: route.standing.stage.to_string(),
            hold: route.standing.hold.to_string(),
            in_stage_seconds: stream
                .in_stage_ms
                .iter()
                .map(|(stage, ms)| ((*stage).to_owned(), ms / 1_000))
                .collect(),
            working_days: stream.working_days,
            waiting_days: stream.waiting_days,
            last_work: stream.last_work.map(time),
            waits_for: stall.map(|stall| stall.waits_for.words()),
            waits_since: stall.map(|stall| time(stall.since)),
            waits_seconds: stall.map(|stall| now.0.saturating_sub(stall.since.0) / 1_000),
        });
    }
    let total = api.total().tally;
    let answered = total.answered_control + total.answered_candidate;
    Ok(StreamView {
        burn_down: burn_down.into(),
        answered_control: total.answered_control,
        answered_candidate: total.answered_candidate,
        monolith_share: (answered > 0).then(|| total.answered_control as f64 / answered as f64),
        working_days: endpoints.iter().map(|endpoint| endpoint.working_days).sum(),
        waiting_days: endpoints.iter().map(|endpoint| endpoint.waiting_days).sum(),
        endpoints,
    })
}

/// What the gate says to the next move, where evidence is what is missing.
fn gate(outlooks: &Outlooks<'_>, route: &Route) -> Result<Option<GateAnswer>, StoreError> {
    let is_on_its_way = !matches!(route.standing.stage, Stage::Legacy | Stage::Retired);
    if !is_on_its_way || route.standing.hold != Hold::None {
        return Ok(None);
    }
    Ok(outlooks.of(route)?.map(|outlook| outlook.ruling.answer))
}

fn by_endpoint<T>(all: Vec<T>, of: impl Fn(&T) -> Option<&EndpointId>) -> BTreeMap<EndpointId, Vec<T>> {
    let mut map: BTreeMap<EndpointId, Vec<T>> = BTreeMap::new();
    for one in all {
        if let Some(endpoint) = of(&one).cloned() {
            map.entry(endpoint).or_default().push(one);
        }
    }
    map
}
