//! Flips, and what one would do.

use std::path::Path;
use std::sync::Arc;

use axum::Extension;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{Query, State};
use axum::response::Response;
use bytes::Bytes;
use diff_harness::endpoint::EndpointId;
use diff_harness::lifecycle::{Hold, Stage, Standing};
use http::HeaderMap;
use serde::Deserialize;

use super::answer::{Failed, command_words};
use super::api::{Actor, Api, answer, body, endpoint, query};
use super::wire::{
    Code, GateView, HoldRequest, MovedView, PlanRequest, PlanView, Problem, PromoteRequest, RollbackRequest,
    TransitionView,
};
use crate::config::parse_policy;
use crate::control::{Direction, Moved, Plan, Promote, Refusal, Rollback, SetHold};

/// Without a limit the newest are enough for a screen.
const TRANSITIONS_DEFAULT: usize = 100;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PlanQuery {
    endpoint: String,
    to: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TransitionsQuery {
    endpoint: Option<String>,
    limit: Option<usize>,
}

type Body = Result<Bytes, BytesRejection>;

pub(super) async fn plan(
    State(api): State<Arc<Api>>,
    asked: Result<Query<PlanQuery>, QueryRejection>,
) -> Result<Response, Failed> {
    let asked = query(asked)?;
    let (endpoint, to) = (endpoint(&asked.endpoint)?, stage(asked.to.as_deref())?);
    answer(api, move |api| {
        with_remarks(api, &endpoint, plan_view(&api.control.plan(&endpoint, to, None)?, false))
    })
    .await
}

/// The same by another policy.
pub(super) async fn try_plan(
    State(api): State<Arc<Api>>,
    headers: HeaderMap,
    sent: Body,
) -> Result<Response, Failed> {
    let asked: PlanRequest = body(&headers, sent)?;
    let (endpoint, to) = (endpoint(&asked.endpoint)?, stage(asked.to.as_deref())?);
    let policy = asked.policy.as_deref().map(|text| parse_policy(Path::new("policy"), text));
    let policy = policy.transpose().map_err(|error| Problem {
        hint: error.hint.clone(),
        ..Problem::new(Code::BadRequest, error.to_string())
    })?;
    answer(api, move |api| {
        let plan = api.control.plan(&endpoint, to, policy.as_ref())?;
        with_remarks(api, &endpoint, plan_view(&plan, policy.is_some()))
    })
    .await
}

pub(super) async fn promote(
    State(api): State<Arc<Api>>,
    Extension(Actor(actor)): Extension<Actor>,
    headers: HeaderMap,
    sent: Body,
) -> Result<Response, Failed> {
    let asked: PromoteRequest = body(&headers, sent)?;
    let wish = Promote {
        endpoint: endpoint(&asked.endpoint)?,
        to: stage(asked.to.as_deref())?,
        expected_revision: asked.expected_revision,
        force: asked.force,
        reason: asked.reason,
        actor,
        acknowledge: asked.acknowledge,
    };
    answer(api, move |api| Ok(moved_view(&api.control.promote(&wish)?))).await
}

pub(super) async fn rollback(
    State(api): State<Arc<Api>>,
    Extension(Actor(actor)): Extension<Actor>,
    headers: HeaderMap,
    sent: Body,
) -> Result<Response, Failed> {
    let asked: RollbackRequest = body(&headers, sent)?;
    let wish = Rollback {
        endpoint: endpoint(&asked.endpoint)?,
        to: stage(asked.to.as_deref())?.unwrap_or_default(),
        reason: asked.reason,
        actor,
    };
    answer(api, move |api| Ok(moved_view(&api.control.rollback(&wish)?))).await
}

pub(super) async fn hold(
    State(api): State<Arc<Api>>,
    Extension(actor): Extension<Actor>,
    headers: HeaderMap,
    sent: Body,
) -> Result<Response, Failed> {
    let wish = set_hold(body(&headers, sent)?, actor)?;
    answer(api, move |api| Ok(moved_view(&api.control.hold(&wish)?))).await
}

pub(super) async fn resume(
    State(api): State<Arc<Api>>,
    Extension(actor): Extension<Actor>,
    headers: HeaderMap,
    sent: Body,
) -> Result<Response, Failed> {
    let wish = set_hold(body(&headers, sent)?, actor)?;
    answer(api, move |api| Ok(moved_view(&api.control.resume(&wish)?))).await
}

pub(super) async fn transitions(
    State(api): State<Arc<Api>>,
    asked: Result<Query<TransitionsQuery>, QueryRejection>,
) -> Result<Response, Failed> {
    let asked = query(asked)?;
    let of = asked.endpoint.as_deref().map(endpoint).transpose()?;
    let limit = asked.limit.unwrap_or(TRANSITIONS_DEFAULT);
    answer(api, move |api| {
        if let Some(of) = &of {
            api.control.route(of)?;
        }
        let transitions = api.control.transitions(of.as_ref(), limit)?;
        let views: Vec<_> = transitions.iter().map(TransitionView::from).collect();
        Ok(serde_json::json!({ "transitions": views }))
    })
    .await
}

fn set_hold(asked: HoldRequest, Actor(actor): Actor) -> Result<SetHold, Problem> {
    Ok(SetHold {
        endpoint: endpoint(&asked.endpoint)?,
        expected_revision: asked.expected_revision,
        reason: asked.reason,
        actor,
    })
}

fn stage(text: Option<&str>) -> Result<Option<Stage>, Problem> {
    let parse = |text: &str| {
        text.parse().map_err(|error: diff_harness::lifecycle::StageError| {
            Problem::new(Code::BadRequest, error.to_string())
        })
    };
    text.map(parse).transpose()
}

fn moved_view(moved: &Moved) -> MovedView {
    MovedView {
        endpoint: moved.endpoint.to_string(),
        changed: moved.sequence.is_some(),
        from: moved.from.into(),
        to: moved.to.into(),
        revision: moved.revision,
        sequence: moved.sequence,
        forced: moved.forced,
        gate: moved.gate.as_ref().map(GateView::from),
    }
}

fn plan_view(plan: &Plan, tried: bool) -> PlanView {
    let to = Standing { stage: plan.to, hold: plan.route.standing.hold };
    let refusal = match plan.direction {
        Direction::Back => Some(Refusal::Backwards {
            endpoint: plan.route.endpoint.clone(),
            from: plan.route.standing.stage,
            to: plan.to,
        }),
        Direction::Stay | Direction::Forward { .. } => None,
    };
    PlanView {
        endpoint: plan.route.endpoint.to_string(),
        revision: plan.route.revision,
        from: plan.route.standing.into(),
        to: to.into(),
        gated: plan.direction == Direction::Forward { gated: true },
        gate: plan.gate.as_ref().map(GateView::from),
        refusal: plan.refusal.as_ref().or(refusal.as_ref()).map(Problem::from),
        no_return: plan.no_return.clone(),
        remarks: Vec::new(),
        effects: effects(to, plan.route.endpoint.is_safe()),
        undo: matches!(plan.direction, Direction::Forward { .. }).then(|| undo(plan)),
        tried,
    }
}

/// With what hides divergences of this endpoint, or of all, and should be looked at first.
fn with_remarks(api: &Api, endpoint: &EndpointId, mut view: PlanView) -> Result<PlanView, Failed> {
    let remarks = super::triage::remarks(api)?.into_iter();
    let here = remarks.filter(|remark| remark.endpoint.as_ref().is_none_or(|of| of == endpoint));
    view.remarks = here.map(|remark| remark.words).collect();
    Ok(view)
}

/// The command that takes the planned move back.
fn undo(plan: &Plan) -> String {
    let words = command_words(&plan.route.endpoint);
    match plan.route.standing.stage {
        Stage::Legacy => format!("strangler rollback {words}"),
        from => format!("strangler rollback {words} --to {from}"),
    }
}

/// Who would answer, and who would be asked besides.
pub(crate) fn effects(to: Standing, safe: bool) -> Vec<String> {
    let mut effects = match to.stage {
        Stage::Legacy => vec!["control answers; nothing is shadowed".to_owned()],
        Stage::Shadow => vec![
            "control answers".to_owned(),
            "the candidate is asked too, off the client's path, and compared".to_owned(),
        ],
        Stage::Record | Stage::Verify => vec!["control answers, once; nothing is sent twice".to_owned()],
        Stage::Canary(weight) => {
            vec![format!("the candidate answers {weight} of the cohorts, control the rest")]
        }
        Stage::Live => vec!["the candidate answers".to_owned()],
        Stage::Soak => vec!["the candidate answers; nothing is shadowed".to_owned()],
        Stage::Retired => vec!["the candidate answers; control is not asked again".to_owned()],
    };
    if matches!(to.stage, Stage::Live | Stage::Canary(_)) && safe {
        effects.push("the side that does not answer is asked too, and compared".to_owned());
    }
    if matches!(to.stage, Stage::Canary(_) | Stage::Live | Stage::Soak) {
        effects.push(if safe {
            "control answers what the candidate fails to".to_owned()
        } else {
            "a request that reached the candidate is never sent to control as well".to_owned()
        });
    }
    if to.hold == Hold::Fallback {
        effects.push("but it fell back: control answers until somebody resumes it".to_owned());
    }
    effects
}
