//! Whether it runs, whether it is ready, and how everything stands.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;

use super::answer::Failed;
use super::api::{Api, answer};
use super::wire::{StatusView, Traffic, time};
use super::{certificates, routes, triage, upstreams};

/// The process takes connections.
pub(super) async fn alive() -> &'static str {
    "ok\n"
}

/// Control can be reached: clients may be sent here. A store that takes nothing is told and changes nothing, for the
/// proxy goes on serving without it, and a load balancer that took it out would make an outage of it.
pub(super) async fn ready(State(api): State<Arc<Api>>) -> (StatusCode, String) {
    let checked = tokio::task::spawn_blocking(move || {
        (api.effects.reach_control)().map_err(|why| format!("control cannot be reached: {why}"))?;
        Ok(match api.recorder.health().failing {
            Some(failing) => Some(failing.error),
            None => api.store.setting("ready").err().map(|error| error.to_string()),
        })
    });
    match checked.await {
        Ok(Ok(None)) => (StatusCode::OK, "ready\n".to_owned()),
        Ok(Ok(Some(why))) => (StatusCode::OK, format!("ready, but the store takes nothing: {why}\n")),
        Ok(Err::<_, String>(why)) => (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {why}\n")),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "not ready: the check failed\n".to_owned()),
    }
}

pub(super) async fn status(State(api): State<Arc<Api>>) -> Result<Response, Failed> {
    answer(api, |api| Ok(status_view(api)?)).await
}

fn status_view(api: &Api) -> Result<StatusView, diff_harness::store::StoreError> {
    let endpoints = routes::views(api)?;
    let mut stages = BTreeMap::new();
    for endpoint in &endpoints {
        *stages.entry(endpoint.stage.clone()).or_default() += 1;
    }
    // The total is read after its parts, so that it is never smaller than their sum.
    let unmatched = Traffic::from(&api.tally(None));
    let total = api.total();
    let about = &api.about;
    Ok(StatusView {
        product: format!("strangler {}", env!("CARGO_PKG_VERSION")),
        started: time(about.started),
        uptime_seconds: api.control.now().0.saturating_sub(about.started.0) / 1_000,
        listening: about.listening.clone(),
        control: about.control.clone(),
        candidate: about.candidate.clone(),
        upstreams: upstreams::views(api),
        store: about.store.display().to_string(),
        epoch: api.recorder.epochs().current().as_ref().into(),
        stages,
        endpoints,
        unmatched,
        pending: total.pending(),
        total: Traffic::from(&total.tally),
        warnings: warnings(api),
    })
}

/// What a person must look at.
pub(crate) fn warnings(api: &Api) -> Vec<String> {
    let health = api.recorder.health();
    let mut warnings = (api.effects.unmatchable)();
    warnings.extend(upstreams::warnings(api));
    warnings.extend(certificates::warnings(api));
    if let Some(failing) = health.failing {
        warnings.push(format!(
            "since {} the store takes nothing ({}); {} comparisons wait for it",
            time(failing.since),
            failing.error,
            health.waiting,
        ));
    }
    if health.unrecorded > 0 {
        warnings.push(format!(
            "the details of {} comparisons could not be recorded; their counts were",
            health.unrecorded
        ));
    }
    warnings.extend(api.control.unwritten().keys().map(|endpoint| {
        format!(
            "{endpoint} fell back to control, and the store has not taken it yet: a restart now would forget it"
        )
    }));
    match triage::remarks(api) {
        Ok(remarks) => warnings.extend(remarks.into_iter().map(|remark| remark.words)),
        Err(error) => warnings.push(format!("what rules and waivers hide could not be read: {error}")),
    }
    warnings
}
