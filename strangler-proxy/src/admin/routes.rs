//! Endpoints: listing, declaring, and the traffic that none is declared for.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{Query, State};
use axum::response::Response;
use bytes::Bytes;
use diff_harness::endpoint::EndpointId;
use diff_harness::fingerprint::Fingerprint;
use diff_harness::lifecycle::{Declaration, Parameter};
use diff_harness::store::StoreError;
use http::HeaderMap;
use serde::Deserialize;

use super::answer::Failed;
use super::api::{Api, answer, body, endpoint, query};
use super::wire::{
    Code, DeclarationView, DeclareRequest, DeclaredView, EndpointQuery, GroupsOf, Problem, RouteView,
    UndeclaredView,
};
use crate::routes::Template;

const UNDECLARED_DEFAULT: usize = 100;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LimitQuery {
    limit: Option<usize>,
}

pub(super) async fn list(State(api): State<Arc<Api>>) -> Result<Response, Failed> {
    answer(api, |api| Ok(serde_json::json!({ "routes": views(api)? }))).await
}

pub(super) async fn show(
    State(api): State<Arc<Api>>,
    asked: Result<Query<EndpointQuery>, QueryRejection>,
) -> Result<Response, Failed> {
    let id = endpoint(&query(asked)?.endpoint)?;
    answer(api, move |api| {
        let route = api.control.route(&id)?;
        api.flush();
        let weighed = api.control.weighed(Some(&id))?;
        Ok(RouteView::new(&route, &api.tally(Some(&id)), &GroupsOf::of(&id, &weighed), api.control.now()))
    })
    .await
}

pub(super) async fn declare(
    State(api): State<Arc<Api>>,
    headers: HeaderMap,
    sent: Result<Bytes, BytesRejection>,
) -> Result<Response, Failed> {
    let asked: DeclareRequest = body(&headers, sent)?;
    // All of them are checked before any is declared.
    let declared: Vec<_> = asked.endpoints.into_iter().map(declaration).collect::<Result<_, _>>()?;
    answer(api, move |api| {
        let done = api.control.declare(&declared)?;
        let ours = |warning: &String| declared.iter().any(|(id, _)| warning.contains(id.template()));
        Ok(DeclaredView {
            added: done.added.iter().map(EndpointId::to_string).collect(),
            updated: done.updated.iter().map(EndpointId::to_string).collect(),
            unchanged: done.unchanged,
            warnings: (api.effects.unmatchable)().into_iter().filter(ours).collect(),
        })
    })
    .await
}

pub(super) async fn undeclared(
    State(api): State<Arc<Api>>,
    asked: Result<Query<LimitQuery>, QueryRejection>,
) -> Result<Response, Failed> {
    let limit = query(asked)?.limit.unwrap_or(UNDECLARED_DEFAULT);
    answer(api, move |api| {
        api.flush();
        let known = api.control.routes();
        let found = api.store.undeclared(limit)?;
        // What was declared since is not undeclared any more, though it was seen so.
        let open = found.iter().filter(|found| !known.iter().any(|route| route.endpoint == found.proposed));
        let views: Vec<_> = open.map(UndeclaredView::from).collect();
        Ok(serde_json::json!({ "undeclared": views }))
    })
    .await
}

/// Every endpoint with its traffic and its groups, which are counted and not read.
pub(super) fn views(api: &Api) -> Result<Vec<RouteView>, StoreError> {
    api.flush();
    let epoch = api.recorder.epochs().current();
    let states = api.control.states()?;
    let mut groups: BTreeMap<EndpointId, GroupsOf> = BTreeMap::new();
    for sum in api.store.group_sums(&epoch, &states.passing())? {
        let of = groups.entry(sum.endpoint).or_default();
        of.open += sum.groups;
        of.worst = of.worst.max(Some(sum.severity));
    }
    let waived = states.waived();
    if !waived.is_empty() {
        let sum = |except: &[Fingerprint]| -> Result<BTreeMap<EndpointId, u64>, StoreError> {
            let mut sums = BTreeMap::new();
            for sum in api.store.group_sums(&epoch, except)? {
                *sums.entry(sum.endpoint).or_default() += sum.groups;
            }
            Ok(sums)
        };
        let without = sum(&waived)?;
        for (endpoint, n) in sum(&[])? {
            let rest = without.get(&endpoint).copied().unwrap_or_default();
            groups.entry(endpoint).or_default().waived = n - rest.min(n);
        }
    }
    let now = api.control.now();
    let view = |route: &diff_harness::lifecycle::Route| {
        let groups = groups.remove(&route.endpoint).unwrap_or_default();
        RouteView::new(route, &api.tally(Some(&route.endpoint)), &groups, now)
    };
    Ok(api.control.routes().iter().map(view).collect())
}

fn declaration(view: DeclarationView) -> Result<(EndpointId, Declaration), Problem> {
    let id = endpoint(&view.endpoint)?;
    Template::parse(id.template())
        .map_err(|error| Problem::new(Code::BadRequest, format!("{id} cannot be matched: {error}")))?;
    let declaration = Declaration {
        source: view.source,
        parameters: view.parameters.into_iter().map(Parameter::from).collect(),
        statuses: view.statuses,
    };
    Ok((id, declaration))
}
