//! One endpoint: where it stands, what is known of it, what a flip would do.

use diff_harness::endpoint::EndpointId;
use diff_harness::exchange::Side;
use diff_harness::lifecycle::{Route, Stage, Standing};
use diff_harness::pages::{
    AuditRow, Choice, Count, Coverage, Done, EndpointPage, Flip, GateShown, Here, LadderStep, Links, Meter,
    NearbyTraffic, Quantity, bar, held, latencies, rates, share, span,
};
use diff_harness::store::Tally;
use http::StatusCode;
use serde::Deserialize;

use super::groups::{Selection, rows};
use super::guard::Guest;
use super::reply::{Failed, Page, html, wrong};
use super::site::Site;
use super::visit::Visit;
use crate::admin::effects;
use crate::admin::wire::Problem;
use crate::control::{Plan, Refusal, next};

const GROUPS: usize = 10;
const HISTORY: usize = 30;
const NEARBY: usize = 10;
/// Undeclared traffic that is looked through for what is near.
const UNDECLARED_MAX: usize = 500;

#[derive(Deserialize)]
pub(super) struct Asked {
    pub(super) of: String,
    #[serde(default)]
    pub(super) to: String,
    /// The transition that was just made.
    pub(super) done: Option<u64>,
}

pub(super) async fn show(visit: Visit<Asked>) -> Page {
    visit
        .page(|site, guest, asked| {
            let endpoint = named(&asked.of)?;
            Ok(html(StatusCode::OK, &view(site, guest, &endpoint, asked.done)?))
        })
        .await
}

pub(super) fn named(text: &str) -> Result<EndpointId, Failed> {
    text.parse().map_err(|error: diff_harness::endpoint::EndpointIdError| wrong(error.to_string()))
}

fn view(
    site: &Site,
    guest: &Guest,
    endpoint: &EndpointId,
    done: Option<u64>,
) -> Result<EndpointPage, Failed> {
    let api = &site.api;
    let route = api.control.route(endpoint)?;
    api.flush();
    let now = api.control.now();
    let epoch = api.recorder.epochs().current();
    let plan = match api.control.plan(endpoint, None, None) {
        Ok(plan) => Some(plan),
        Err(Refusal::AtTheEnd(_)) => None,
        Err(refusal) => return Err(refusal.into()),
    };
    let tally = api.tally(Some(endpoint));
    let observed = api.store.observed(endpoint, &epoch)?;
    let judged = &observed.tally;
    let selection = Selection::of(endpoint, site)?;
    let listed = api.store.list_groups(&selection.listing(0, GROUPS))?;
    let transitions = api.control.transitions(Some(endpoint), HISTORY)?;
    let standing = route.standing;
    Ok(EndpointPage {
        frame: site.frame(guest, endpoint.to_string(), Here::Overview),
        endpoint: endpoint.to_string(),
        method: endpoint.method().to_string(),
        template: endpoint.template().to_owned(),
        stage_word: standing.stage.as_str(),
        stage: standing.stage.to_string(),
        hold: held(standing.hold),
        share: share(standing),
        since: span(now.0.saturating_sub(route.since.0)),
        revision: route.revision,
        source: if route.declaration.source.is_empty() {
            "nobody".to_owned()
        } else {
            route.declaration.source.clone()
        },
        ladder: LadderStep::all(&route),
        others: others(&route, plan.as_ref().map(|plan| plan.to)),
        back: back(&route),
        next: plan.as_ref().map(flip),
        meter: plan
            .as_ref()
            .and_then(|plan| plan.gate.as_ref().and_then(Meter::of))
            .unwrap_or_else(|| meter(site, &route, judged)),
        quantities: Quantity::all(&tally, Some(judged)),
        bar: bar(&tally),
        latencies: latencies(&observed.latencies),
        coverage: Coverage::of(&route.declaration, &observed),
        rates: rates(&site.pulse.minutes(api, endpoint)),
        groups: rows(site, guest, &listed.groups, &epoch)?,
        groups_found: Count(listed.found),
        nearby: nearby(site, endpoint)?,
        done: transitions.iter().find(|transition| Some(transition.sequence) == done).map(|transition| {
            let (from, to) = (transition.from, transition.flip.to);
            Done {
                what: AuditRow::moved(transition, Links::Live).what,
                back_to: if crate::control::is_forward(from.stage, to.stage) {
                    from.stage.to_string()
                } else {
                    String::new()
                },
            }
        }),
        history: transitions.iter().map(|moved| AuditRow::moved(moved, Links::Live)).collect(),
    })
}

/// What a flip would do, from what control says.
pub(crate) fn flip(plan: &Plan) -> Flip {
    let to = Standing { stage: plan.to, hold: plan.route.standing.hold };
    let problem = plan.refusal.as_ref().map(Problem::from);
    let may_force =
        matches!(plan.refusal, Some(Refusal::GateRefused { .. } | Refusal::GateInconclusive { .. }))
            && plan.gate.as_ref().is_none_or(|ruling| ruling.unforceable().next().is_none());
    Flip {
        from: plan.route.standing.stage.to_string(),
        to: plan.to.to_string(),
        effects: effects(to, plan.route.endpoint.is_safe()),
        gate: plan.gate.as_ref().map(GateShown::from),
        refusal: problem.as_ref().map(|problem| problem.message.clone()).unwrap_or_default(),
        hint: problem.and_then(|problem| problem.hint).unwrap_or_default(),
        may_force,
        no_return: plan.no_return.clone(),
    }
}

/// How much of what the gate wants is there, by comparisons alone.
pub(super) fn meter(site: &Site, route: &Route, judged: &Tally) -> Meter {
    let want = site.api.control.enough(&route.endpoint);
    let have = judged.compared().saturating_sub(judged.both_failed);
    Meter::comparisons(route.standing.stage, have, want)
}

/// p50 and p95 of what this side answered since the proxy started, to clients or as the shadow.
pub(super) fn quantiles(site: &Site, endpoint: &EndpointId, side: Side) -> Option<(String, String)> {
    let counters = site.api.registry.get(endpoint);
    let mut all = counters.latencies(side);
    all.add(&counters.shadow_latencies(side));
    let shown = |share| all.quantile(share).map(diff_harness::report::latency::shown);
    Some((shown(0.5)?, shown(0.95)?))
}

/// Stages ahead, besides the next.
fn others(route: &Route, next_stage: Option<Stage>) -> Vec<Choice> {
    let safe = route.endpoint.is_safe();
    let ahead = std::iter::successors(next(route.standing.stage, safe), |stage| next(*stage, safe));
    ahead.filter(|stage| Some(*stage) != next_stage).map(|stage| choice(stage, false)).collect()
}

/// Stages behind, `legacy` first and chosen.
fn back(route: &Route) -> Vec<Choice> {
    let safe = route.endpoint.is_safe();
    std::iter::successors(Some(Stage::Legacy), |stage| next(*stage, safe))
        .take_while(|stage| crate::control::is_forward(*stage, route.standing.stage))
        .map(|stage| choice(stage, stage == Stage::Legacy))
        .collect()
}

fn choice(stage: Stage, chosen: bool) -> Choice {
    Choice { value: stage.to_string(), name: stage.to_string(), chosen }
}

/// Undeclared traffic whose path begins with the same literal segment.
fn nearby(site: &Site, endpoint: &EndpointId) -> Result<Vec<NearbyTraffic>, Failed> {
    let first = |template: &str| template.split('/').find(|segment| !segment.is_empty()).map(str::to_owned);
    let Some(own) = first(endpoint.template()).filter(|segment| !segment.contains('{')) else {
        return Ok(Vec::new());
    };
    let known = site.api.control.routes();
    let found = site.api.store.undeclared(UNDECLARED_MAX)?;
    let near = found.into_iter().filter(|undeclared| {
        first(undeclared.proposed.template()).as_ref() == Some(&own)
            && !known.iter().any(|route| route.endpoint == undeclared.proposed)
    });
    Ok(near.take(NEARBY).map(NearbyTraffic::from).collect())
}
