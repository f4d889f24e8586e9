//! What was found: groups, exchanges, rules, and the epoch that it belongs to.

use std::sync::Arc;

use axum::Extension;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{Path, Query, State as Shared};
use axum::response::Response;
use bytes::Bytes;
use diff_harness::audit::{Change, ChangeKind};
use diff_harness::divergence::Severity;
use diff_harness::fingerprint::Fingerprint;
use diff_harness::store::{DecisionsOf, EpochFilter, GroupFilter};
use diff_harness::triage::State;
use http::HeaderMap;
use serde::Deserialize;
use serde_json::json;

use super::answer::Failed;
use super::api::{Actor, Api, answer, body, endpoint, part, query};
use super::exchange::{exchange_view, recorded_view};
use super::wire::{
    Code, EntryView, EpochRequest, EpochView, GroupDetail, GroupView, PartView, Problem, ShapeView,
};

const GROUPS_DEFAULT: usize = 1_000;
const SAMPLES_DEFAULT: usize = 5;
/// Of one group.
const DECISIONS_MAX: usize = 100;
/// The name of a deployment: a version, a commit.
const EPOCH_CHARS_MAX: usize = 128;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GroupsQuery {
    endpoint: Option<String>,
    /// The least that is listed.
    severity: Option<String>,
    /// `current` or `all`.
    epoch: Option<String>,
    /// Triage states, with commas between; `open` for all that keep their endpoint from moving.
    state: Option<String>,
    limit: Option<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SamplesQuery {
    samples: Option<usize>,
}

pub(super) async fn groups(
    Shared(api): Shared<Arc<Api>>,
    asked: Result<Query<GroupsQuery>, QueryRejection>,
) -> Result<Response, Failed> {
    let asked = query(asked)?;
    let of = asked.endpoint.as_deref().map(endpoint).transpose()?;
    let least_severity = asked.severity.as_deref().map(severity).transpose()?;
    let wanted = asked.state.as_deref().map(states).transpose()?;
    let all = match asked.epoch.as_deref() {
        None | Some("current") => false,
        Some("all") => true,
        Some(other) => {
            let message = format!("`{other}` is not an epoch to list: expected current or all");
            return Err(Problem::new(Code::BadRequest, message).into());
        }
    };
    answer(api, move |api| {
        if let Some(of) = &of {
            api.control.route(of)?;
        }
        api.flush();
        let current = api.recorder.epochs().current();
        let limit = asked.limit.unwrap_or(GROUPS_DEFAULT);
        let groups = api.control.triaged(&GroupFilter {
            endpoint: of.as_ref(),
            epoch: if all { EpochFilter::All } else { EpochFilter::Only(&current) },
            least_severity,
            // A state is known only after the group is.
            limit: if wanted.is_some() { usize::MAX } else { limit },
        })?;
        let is_wanted = |state: &State| wanted.as_ref().is_none_or(|wanted| wanted.contains(state));
        let views: Vec<_> = groups
            .iter()
            .filter(|(_, state)| is_wanted(state))
            .take(limit)
            .map(|(triaged, state)| GroupView::new(triaged, *state))
            .collect();
        Ok(json!({ "epoch": EpochView::from(current.as_ref()), "groups": views }))
    })
    .await
}

pub(super) async fn group(
    Shared(api): Shared<Arc<Api>>,
    id: Path<String>,
    asked: Result<Query<SamplesQuery>, QueryRejection>,
) -> Result<Response, Failed> {
    let id: Fingerprint = part(&id)?;
    let samples = query(asked)?.samples.unwrap_or(SAMPLES_DEFAULT);
    answer(api, move |api| {
        api.flush();
        let missing = || {
            Problem::new(Code::NotFound, format!("there is no group {id}"))
                .hint("strangler divergences list shows the known ones")
        };
        let (group, state) = api.control.triaged_group(&id)?.ok_or_else(missing)?;
        let samples = api.store.samples(&id, samples)?;
        let current = api.recorder.epochs().current();
        let epoch = EpochFilter::Only(&current);
        let tallies = api.store.tallies(epoch)?;
        let of_endpoint = tallies.iter().find(|(of, _)| of.as_ref() == Some(&group.group.endpoint));
        let decisions = api.control.decisions(DecisionsOf::Group(&id), DECISIONS_MAX)?;
        let parts = api.store.parts()?;
        let own_parts = parts.iter().filter(|(_, part)| part.of == id);
        Ok(GroupDetail {
            group: GroupView::new(&group, state),
            shapes: api.store.group_shapes(&id, epoch)?.iter().map(ShapeView::from).collect(),
            compared: of_endpoint.map_or(0, |(_, tally)| tally.compared()),
            decisions: decisions.iter().map(EntryView::from).collect(),
            parts: own_parts.map(|(id, part)| PartView::new(id, part)).collect(),
            samples: samples.iter().map(|sample| exchange_view(sample, &api.about)).collect(),
        })
    })
    .await
}

pub(super) async fn exchange(Shared(api): Shared<Arc<Api>>, id: Path<String>) -> Result<Response, Failed> {
    let Path(id) = id;
    answer(api, move |api| {
        api.flush();
        let missing = || {
            Problem::new(Code::NotFound, "there is no kept exchange with that id")
                .hint("divergent exchanges are kept, and a sample of matches; both within the store's limits")
        };
        let sample = api.store.exchange(&id)?.ok_or_else(missing)?;
        Ok(exchange_view(&sample, &api.about))
    })
    .await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RecordedQuery {
    endpoint: String,
    limit: Option<usize>,
}

pub(super) async fn recorded(
    Shared(api): Shared<Arc<Api>>,
    asked: Result<Query<RecordedQuery>, QueryRejection>,
) -> Result<Response, Failed> {
    let RecordedQuery { endpoint: of, limit } = query(asked)?;
    let of = endpoint(&of)?;
    answer(api, move |api| {
        api.control.route(&of)?;
        api.flush();
        let recorded = api.store.recorded(&of, limit.unwrap_or(SAMPLES_DEFAULT))?;
        Ok(json!({ "recorded": recorded.iter().map(recorded_view).collect::<Vec<_>>() }))
    })
    .await
}

pub(super) async fn epochs(Shared(api): Shared<Arc<Api>>) -> Result<Response, Failed> {
    answer(api, |api| Ok(EpochView::from(api.recorder.epochs().current().as_ref()))).await
}

pub(super) async fn set_epochs(
    Shared(api): Shared<Arc<Api>>,
    Extension(Actor(actor)): Extension<Actor>,
    headers: HeaderMap,
    sent: Result<Bytes, BytesRejection>,
) -> Result<Response, Failed> {
    let asked: EpochRequest = body(&headers, sent)?;
    for name in [&asked.candidate, &asked.control].into_iter().flatten() {
        let chars = name.chars().count();
        if !(1..=EPOCH_CHARS_MAX).contains(&chars) || name.chars().any(char::is_control) {
            let message = format!("an epoch's name has 1 to {EPOCH_CHARS_MAX} printable characters");
            return Err(Problem::new(Code::BadRequest, message).into());
        }
    }
    answer(api, move |api| {
        // What was observed up to now belongs to the epoch that ends.
        api.flush();
        let before = api.recorder.epochs().current();
        if let Some(name) = &asked.candidate {
            api.recorder.epochs().set_candidate(name);
        }
        if let Some(name) = &asked.control {
            api.recorder.epochs().set_control(name);
        }
        let epoch = api.recorder.epochs().current();
        crate::serve::keep_epoch(api.store.as_ref(), &epoch)?;
        let sides = [
            ("candidate", &before.candidate, &epoch.candidate),
            ("control", &before.control, &epoch.control),
        ];
        let changed: Vec<_> = sides
            .iter()
            .filter(|(_, before, now)| before != now)
            .map(|(side, before, now)| format!("{side} {} → {now}", named(before)))
            .collect();
        if !changed.is_empty() {
            let (what, at) = (changed.join(", "), api.control.now());
            api.store.note(&Change { kind: ChangeKind::Epoch, actor, what, at })?;
        }
        Ok(EpochView::from(epoch.as_ref()))
    })
    .await
}

/// How often each rule of the current epoch applied and hid something.
pub(super) async fn rules(Shared(api): Shared<Arc<Api>>) -> Result<Response, Failed> {
    answer(api, |api| {
        api.flush();
        let epoch = api.recorder.epochs().current();
        let rules = api.store.rules(&epoch)?;
        let views: Vec<_> = rules
            .iter()
            .map(|rule| json!({ "rule": rule.rule, "applied": rule.applied, "hidden": rule.hidden }))
            .collect();
        Ok(json!({ "epoch": EpochView::from(epoch.as_ref()), "rules": views }))
    })
    .await
}

pub(super) async fn reload_rules(
    Shared(api): Shared<Arc<Api>>,
    Extension(Actor(actor)): Extension<Actor>,
) -> Result<Response, Failed> {
    answer(api, move |api| {
        api.flush();
        let before = api.recorder.epochs().current().rules.clone();
        let rules = (api.effects.reload_rules)().map_err(|why| {
            Problem::new(Code::BadRequest, why).hint("the rules that were in force before stay in force")
        })?;
        let what = if rules == before {
            format!("rules {}, as before", named(&rules))
        } else {
            format!("rules {} → {}", named(&before), named(&rules))
        };
        api.store.note(&Change { kind: ChangeKind::Rules, actor, what, at: api.control.now() })?;
        Ok(json!({ "rules": rules }))
    })
    .await
}

fn named(name: &str) -> &str {
    if name.is_empty() { "unnamed" } else { name }
}

pub(super) async fn flush(Shared(api): Shared<Arc<Api>>) -> Result<Response, Failed> {
    answer(api, |api| {
        let flushed = api.recorder.flush(std::time::Duration::from_secs(10));
        flushed.map_err(|error| Problem::new(Code::StoreFailed, error.to_string()))?;
        Ok(json!({}))
    })
    .await
}

/// `open` for all that are, else the states by name.
fn states(text: &str) -> Result<Vec<State>, Problem> {
    if text == "open" {
        return Ok(State::ALL.into_iter().filter(|state| state.is_open()).collect());
    }
    let state = |name: &str| {
        State::ALL.into_iter().find(|state| state.as_str() == name).ok_or_else(|| {
            let known = State::ALL.map(State::as_str).join(", ");
            let message = format!("`{name}` is not a state: expected `open`, or some of {known}");
            Problem::new(Code::BadRequest, message)
        })
    };
    text.split(',').map(state).collect()
}

fn severity(text: &str) -> Result<Severity, Problem> {
    Severity::ALL.into_iter().find(|severity| severity.as_str() == text).ok_or_else(|| {
        let known = Severity::ALL.map(Severity::as_str).join(", ");
        Problem::new(Code::BadRequest, format!("`{text}` is not a severity: expected one of {known}"))
    })
}
