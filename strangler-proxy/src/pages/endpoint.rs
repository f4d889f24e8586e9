//! One endpoint: where it stands, what is known of it, what a flip would do.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use diff_harness::endpoint::EndpointId;
use diff_harness::exchange::Side;
use diff_harness::gate::Ruling;
use diff_harness::lifecycle::{Declaration, Hold, Route, Stage, Standing};
use diff_harness::pages::{
    AuditRow, Choice, Count, Coverage, Done, EndpointPage, Flip, GateShown, Here, LadderStep, Meter,
    NearbyTraffic, Quantity, ShapeRow, bar, latencies, rates, span,
};
use diff_harness::store::{Observed, ShapeTally, Tally};
use http::{StatusCode, Uri};
use serde::Deserialize;

use super::groups::{Selection, rows};
use super::guard::{Guest, query};
use super::overview::held;
use super::reply::{Failed, Page, html, wrong};
use super::site::{Site, page};
use crate::admin::effects;
use crate::admin::wire::Problem;
use crate::control::{Plan, Refusal, next};

const GROUPS: usize = 10;
const SHAPES: usize = 50;
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

pub(super) async fn show(
    State(site): State<Arc<Site>>,
    Extension(guest): Extension<Guest>,
    uri: Uri,
) -> Page {
    let asked: Asked = query(&uri)?;
    page(site, guest, move |site, guest| {
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
        ladder: ladder(&route),
        others: others(&route, plan.as_ref().map(|plan| plan.to)),
        back: back(&route),
        next: plan.as_ref().map(flip),
        meter: meter(site, &route, judged),
        quantities: quantities(&tally, judged),
        bar: bar(&tally),
        latencies: latencies(&observed.latencies),
        coverage: coverage(&route.declaration, observed),
        rates: rates(&site.pulse.minutes(api, endpoint)),
        groups: rows(site, guest, &listed.groups, &epoch)?,
        groups_found: Count(listed.found),
        nearby: nearby(site, endpoint)?,
        done: transitions.iter().find(|transition| Some(transition.sequence) == done).map(|transition| {
            let (from, to) = (transition.from, transition.flip.to);
            Done {
                what: AuditRow::from(transition).what,
                back_to: if crate::control::is_forward(from.stage, to.stage) {
                    from.stage.to_string()
                } else {
                    String::new()
                },
            }
        }),
        history: transitions.iter().map(AuditRow::from).collect(),
    })
}

/// What a flip would do, from what control says.
pub(super) fn flip(plan: &Plan) -> Flip {
    let to = Standing { stage: plan.to, hold: plan.route.standing.hold };
    let problem = plan.refusal.as_ref().map(Problem::from);
    let may_force =
        matches!(plan.refusal, Some(Refusal::GateRefused { .. } | Refusal::GateInconclusive { .. }))
            && plan.gate.as_ref().is_none_or(|ruling| ruling.unforceable().next().is_none());
    Flip {
        from: plan.route.standing.stage.to_string(),
        to: plan.to.to_string(),
        effects: effects(to, plan.route.endpoint.is_safe()),
        gate: plan.gate.as_ref().map(gate),
        refusal: problem.as_ref().map(|problem| problem.message.clone()).unwrap_or_default(),
        hint: problem.and_then(|problem| problem.hint).unwrap_or_default(),
        may_force,
        no_return: plan.no_return.clone(),
    }
}

fn gate(ruling: &Ruling) -> GateShown {
    GateShown {
        answer: ruling.answer.as_str().to_owned(),
        reasons: ruling.reasons.iter().map(|reason| reason.sentence.clone()).collect(),
        stated: ruling.stated.clone(),
        meters: ruling.meters().iter().map(shown_meter).collect(),
    }
}

fn shown_meter(meter: &diff_harness::gate::Meter) -> (String, Meter) {
    let shown = Meter {
        have: meter.have.min(meter.need),
        want: meter.need.max(1),
        text: meter.to_string(),
        is_full: meter.have >= meter.need,
    };
    (meter.unit.as_str().to_owned(), shown)
}

/// Of the clients that the candidate answers.
pub(super) fn share(standing: Standing) -> String {
    match (standing.hold, standing.stage) {
        (Hold::Fallback, _) | (_, Stage::Legacy | Stage::Shadow | Stage::Record | Stage::Verify) => {
            "0 %".to_owned()
        }
        (_, Stage::Canary(weight)) => weight.to_string().replace('%', " %"),
        (_, Stage::Live | Stage::Soak | Stage::Retired) => "100 %".to_owned(),
    }
}

/// How much of what the gate wants is there.
pub(super) fn meter(site: &Site, route: &Route, judged: &Tally) -> Meter {
    let want = site.api.control.enough(&route.endpoint);
    let have = judged.compared().saturating_sub(judged.both_failed);
    let is_full = have >= want;
    let text = match route.standing.stage {
        Stage::Retired => "the end of the ladder".to_owned(),
        Stage::Legacy if have == 0 => "nothing is compared at legacy".to_owned(),
        _ if is_full => format!("{} comparisons", Count(have)),
        _ => format!("{} of {} comparisons", Count(have), Count(want)),
    };
    Meter { have: have.min(want), want: want.max(1), text, is_full }
}

/// p50 and p95 of what this side answered since the proxy started, to clients or as the shadow.
pub(super) fn quantiles(site: &Site, endpoint: &EndpointId, side: Side) -> Option<(String, String)> {
    let counters = site.api.registry.get(endpoint);
    let mut all = counters.latencies(side);
    all.add(&counters.shadow_latencies(side));
    let shown = |share| all.quantile(share).map(diff_harness::report::latency::shown);
    Some((shown(0.5)?, shown(0.95)?))
}

fn ladder(route: &Route) -> Vec<LadderStep> {
    let safe = route.endpoint.is_safe();
    let here = route.standing.stage;
    let mut steps: Vec<Stage> =
        std::iter::successors(Some(Stage::Legacy), |stage| next(*stage, safe)).collect();
    // A canary of a weight that is no step of the ladder stands in its place on it.
    if !steps.contains(&here) {
        let place =
            steps.iter().position(|step| crate::control::is_forward(here, *step)).unwrap_or(steps.len());
        steps.insert(place, here);
    }
    steps
        .into_iter()
        .map(|step| LadderStep {
            name: step.to_string(),
            is_here: step == here,
            is_past: crate::control::is_forward(step, here),
        })
        .collect()
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

fn quantities(tally: &Tally, judged: &Tally) -> Vec<Quantity> {
    let of_seen = || "since the beginning".to_owned();
    let reasons = |all: Vec<(&str, u64)>| {
        all.iter()
            .map(|(reason, n)| format!("{} {}", reason.replace('_', " "), Count(*n)))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let quantity = |name: &str, live, value, of: String| Quantity {
        name: name.to_owned(),
        live,
        value: Count(value),
        of,
    };
    vec![
        quantity("requests seen", "seen", tally.seen(), of_seen()),
        quantity(
            "compared",
            "compared",
            tally.compared(),
            format!("{} of them in this epoch", Count(judged.compared())),
        ),
        quantity("match", "matched", tally.matched, String::new()),
        quantity("tolerated by rules", "", tally.tolerated, String::new()),
        quantity(
            "mismatch",
            "mismatched",
            tally.mismatched,
            format!("{} in this epoch", Count(judged.mismatched)),
        ),
        quantity("equal 5xx", "", tally.both_failed, "no evidence of parity".to_owned()),
        quantity(
            "skipped",
            "skipped",
            tally.skipped_total(),
            reasons(tally.skipped.iter().map(|(reason, n)| (reason.as_str(), *n)).collect()),
        ),
        quantity(
            "dropped",
            "dropped",
            tally.dropped_total(),
            reasons(tally.dropped.iter().map(|(reason, n)| (reason.as_str(), *n)).collect()),
        ),
        quantity(
            "fallbacks",
            "",
            tally.fallbacks,
            "control answered what the candidate failed to".to_owned(),
        ),
    ]
}

/// Shapes that were compared, and what was declared and was in none of them.
fn coverage(declaration: &Declaration, observed: Observed) -> Coverage {
    let Observed { mut shapes, statuses, .. } = observed;
    shapes.sort_by_key(|shape| std::cmp::Reverse(shape.compared));
    let names = |shape: &ShapeTally| -> Vec<String> {
        let lists = shape.shape.split_whitespace().filter_map(|word| word.strip_prefix('?'));
        lists.flat_map(|list| list.split(',')).map(str::to_owned).collect()
    };
    let seen: std::collections::BTreeSet<_> = shapes.iter().flat_map(names).collect();
    let query = declaration.parameters.iter().filter(|parameter| parameter.place == "query");
    let parameters =
        query.filter(|query| !seen.contains(&query.name)).map(|query| format!("?{}", query.name));
    // `200` is one status, `4XX` a class; `default` says nothing of which.
    let is_seen = |declared: &str| match declared.parse::<u16>() {
        Ok(declared) => statuses.iter().any(|(status, _)| *status == declared),
        Err(_) => declared
            .chars()
            .next()
            .and_then(|class| class.to_digit(10))
            .is_none_or(|class| statuses.iter().any(|(status, _)| u32::from(*status) / 100 == class)),
    };
    let statuses = declaration
        .statuses
        .iter()
        .filter(|status| !is_seen(status))
        .map(|status| format!("status {status}"));
    let not_seen = parameters.chain(statuses).collect();
    let left_out = shapes.len().saturating_sub(SHAPES);
    let row = |shape: ShapeTally| ShapeRow {
        shape: shape.shape,
        compared: Count(shape.compared),
        mismatched: Count(shape.mismatched),
    };
    Coverage {
        not_seen,
        shapes: shapes.into_iter().take(SHAPES).map(row).collect(),
        shapes_left_out: Count(left_out as u64),
    }
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
    let shown = |undeclared: diff_harness::store::Undeclared| NearbyTraffic {
        proposed: undeclared.proposed.to_string(),
        count: Count(undeclared.count),
        examples: undeclared.examples,
    };
    Ok(near.take(NEARBY).map(shown).collect())
}
