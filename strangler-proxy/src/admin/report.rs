//! The report for people, made where the evidence is.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Response;
use diff_harness::gate::Ruling;
use diff_harness::lifecycle::Route;
use diff_harness::pages::Meter;
use diff_harness::report::html::Judged;
use diff_harness::report::{Report, Scope, Upstreams, html, json, text};
use diff_harness::store::EpochFilter;
use serde::Deserialize;
use serde_json::json;

use super::answer::Failed;
use super::api::{Api, answer, query};
use crate::pages::flip;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReportQuery {
    #[serde(default)]
    epoch: Epochs,
    #[serde(default)]
    also: Also,
}

/// Of which epochs.
#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Epochs {
    #[default]
    Current,
    All,
}

/// In which form besides JSON.
#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Also {
    #[default]
    None,
    Text,
    Html,
}

pub(super) async fn report(
    State(api): State<Arc<Api>>,
    asked: Result<Query<ReportQuery>, QueryRejection>,
) -> Result<Response, Failed> {
    let asked = query(asked)?;
    answer(api, move |api| {
        api.flush();
        let current = api.recorder.epochs().current();
        let rules = (api.effects.rules)();
        let scope = Scope {
            epoch: match asked.epoch {
                Epochs::Current => EpochFilter::Only(&current),
                Epochs::All => EpochFilter::All,
            },
            rules: &rules,
            upstreams: Upstreams {
                control: api.about.control.clone(),
                candidate: api.about.candidate.clone(),
            },
            ..Scope::new(api.control.now())
        };
        let report = Report::build(api.store.as_ref(), &scope)?;
        Ok(json!({
            "json": json::value(&report),
            "text": (asked.also == Also::Text).then(|| text::render(&report)),
            "html": (asked.also == Also::Html).then(|| html::render_judged(&report, &|route| judged(api, route))),
        }))
    })
    .await
}

/// What the gate says to the next move, and to an endpoint at the end of the ladder nothing.
fn judged(api: &Api, route: &Route) -> Option<Judged> {
    let plan = api.control.plan(&route.endpoint, None, None).ok()?;
    let enough = api.control.enough(&route.endpoint);
    let counted = || Meter::counted(plan.gate.as_ref().map_or(0, Ruling::compared));
    let meter = plan.gate.as_ref().and_then(Meter::of).unwrap_or_else(counted);
    Some(Judged { next: flip(&plan), meter, enough })
}
