//! Decisions on groups.

use std::sync::Arc;

use axum::Extension;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::response::Response;
use bytes::Bytes;
use diff_harness::fingerprint::Fingerprint;
use diff_harness::store::{DecisionsOf, EpochFilter, StoreError, Took};
use diff_harness::triage::masks::{Remark, remarks as remarks_of};
use diff_harness::triage::{Call, Predicate, Waivers, until};
use http::HeaderMap;
use serde::Deserialize;

use super::answer::Failed;
use super::api::{Actor, Api, answer, body, endpoint, part, query};
use super::wire::{
    Code, DecideRequest, DecidedHereView, DecisionsView, EntryView, GroupView, ImportedView, Problem,
    RegroupRequest, SplitRequest, TriageView,
};
use crate::control::{Decide, Regroup, Triage};

const DECISIONS_DEFAULT: usize = 100;
/// Reasons and owners are read by people.
const TEXT_CHARS_MAX: usize = 2_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DecisionsQuery {
    group: Option<String>,
    endpoint: Option<String>,
    limit: Option<usize>,
}

type Body = Result<Bytes, BytesRejection>;

pub(super) async fn decide(
    State(api): State<Arc<Api>>,
    Extension(Actor(actor)): Extension<Actor>,
    id: Path<String>,
    headers: HeaderMap,
    sent: Body,
) -> Result<Response, Failed> {
    let group: Fingerprint = part(&id)?;
    let asked: DecideRequest = body(&headers, sent)?;
    for text in [Some(&asked.reason), Some(&asked.owner), asked.epoch.as_ref()].into_iter().flatten() {
        readable(text)?;
    }
    let call: Call = asked.call.parse().map_err(|error: String| Problem::new(Code::BadRequest, error))?;
    answer(api, move |api| {
        let end = |text: &String| {
            until(text, api.control.now()).map_err(|error| Problem::new(Code::BadRequest, error))
        };
        let made = api.control.decide(&Decide {
            group,
            call,
            reason: asked.reason,
            owner: asked.owner,
            expires: asked.expires.as_ref().map(end).transpose()?,
            epoch: asked.epoch,
            expected: asked.expected,
            actor,
        })?;
        Ok(view(&made))
    })
    .await
}

pub(super) async fn undo(
    State(api): State<Arc<Api>>,
    Extension(actor): Extension<Actor>,
    id: Path<String>,
    headers: HeaderMap,
    sent: Body,
) -> Result<Response, Failed> {
    let wish = regroup(&id, actor, body(&headers, sent)?)?;
    answer(api, move |api| Ok(view(&api.control.undo(&wish)?))).await
}

pub(super) async fn join(
    State(api): State<Arc<Api>>,
    Extension(actor): Extension<Actor>,
    id: Path<String>,
    headers: HeaderMap,
    sent: Body,
) -> Result<Response, Failed> {
    let wish = regroup(&id, actor, body(&headers, sent)?)?;
    answer(api, move |api| Ok(view(&api.control.join(&wish)?))).await
}

pub(super) async fn split(
    State(api): State<Arc<Api>>,
    Extension(actor): Extension<Actor>,
    id: Path<String>,
    headers: HeaderMap,
    sent: Body,
) -> Result<Response, Failed> {
    let asked: SplitRequest = body(&headers, sent)?;
    let predicate = Predicate::new(asked.shape.as_deref(), asked.at.as_deref())
        .map_err(|error| Problem::new(Code::BadRequest, error.to_string()))?;
    let wish = regroup(&id, actor, RegroupRequest { reason: asked.reason, expected: asked.expected })?;
    answer(api, move |api| Ok(view(&api.control.split(&wish, predicate)?))).await
}

pub(super) async fn decisions(
    State(api): State<Arc<Api>>,
    asked: Result<Query<DecisionsQuery>, QueryRejection>,
) -> Result<Response, Failed> {
    let asked = query(asked)?;
    let group: Option<Fingerprint> = asked.group.map(|group| part(&Path(group))).transpose()?;
    let endpoint = asked.endpoint.as_deref().map(endpoint).transpose()?;
    let limit = asked.limit.unwrap_or(DECISIONS_DEFAULT);
    answer(api, move |api| {
        let of = match (&group, &endpoint) {
            (Some(group), _) => DecisionsOf::Group(group),
            (None, Some(endpoint)) => {
                api.control.route(endpoint)?;
                DecisionsOf::Endpoint(endpoint)
            }
            (None, None) => DecisionsOf::All,
        };
        let entries = api.control.decisions(of, limit)?;
        Ok(DecisionsView { decisions: entries.iter().map(EntryView::from).collect() })
    })
    .await
}

/// Rules and waivers that hide everything, or nothing any more.
pub(super) fn remarks(api: &Api) -> Result<Vec<Remark>, StoreError> {
    let epoch = api.recorder.epochs().current();
    let tallies = api.store.tallies(EpochFilter::Only(&epoch))?;
    let compared = tallies.iter().map(|(_, tally)| tally.compared()).sum();
    let (declared, rules) = ((api.effects.rules)(), api.store.rules(&epoch)?);
    // A rule may be for any endpoint: the one that asks least says when it had its chance.
    let enough = api.control.routes().iter().map(|route| api.control.enough(&route.endpoint)).min();
    Ok(remarks_of(&declared, &rules, compared, &api.control.waived()?, enough.unwrap_or(u64::MAX)))
}

/// The file of waivers, as it is committed.
pub(super) async fn waivers(State(api): State<Arc<Api>>) -> Result<Response, Failed> {
    answer(api, |api| {
        let text = api.control.waivers()?.write();
        let file: serde_json::Value = serde_json::from_str(&text)
            .map_err(|error| Problem::new(Code::Internal, format!("the file of waivers: {error}")))?;
        Ok(file)
    })
    .await
}

pub(super) async fn import_waivers(
    State(api): State<Arc<Api>>,
    Extension(Actor(actor)): Extension<Actor>,
    headers: HeaderMap,
    sent: Body,
) -> Result<Response, Failed> {
    let file: serde_json::Value = body(&headers, sent)?;
    let waivers = Waivers::read(&file.to_string()).map_err(|error| Problem::new(Code::BadRequest, error))?;
    answer(api, move |api| {
        let took = api.control.import_waivers(&actor, &waivers)?;
        let mut view = ImportedView { ended: waivers.waivers.len() - took.len(), ..ImportedView::default() };
        for (group, took) in &took {
            match took {
                Took::Added(entry) => view.added.push(EntryView::from(entry.as_ref())),
                Took::Known => view.known += 1,
                Took::DecidedHere(call) => {
                    view.decided_here
                        .push(DecidedHereView { group: group.to_string(), call: call.to_string() });
                }
            }
        }
        Ok(view)
    })
    .await
}

fn regroup(id: &Path<String>, Actor(actor): Actor, asked: RegroupRequest) -> Result<Regroup, Problem> {
    readable(&asked.reason)?;
    Ok(Regroup { group: part(id)?, reason: asked.reason, expected: asked.expected, actor })
}

fn readable(text: &str) -> Result<(), Problem> {
    if text.chars().count() > TEXT_CHARS_MAX {
        let message = format!("a reason, an owner or an epoch has at most {TEXT_CHARS_MAX} characters");
        return Err(Problem::new(Code::BadRequest, message));
    }
    Ok(())
}

fn view(made: &Triage) -> TriageView {
    TriageView {
        entry: EntryView::from(&made.entry),
        group: made.group.as_ref().map(|(triaged, state)| GroupView::new(triaged, *state)),
    }
}
