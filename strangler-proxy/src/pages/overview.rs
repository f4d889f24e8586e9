//! All endpoints, and what needs a person now.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use diff_harness::divergence::Severity;
use diff_harness::endpoint::EndpointId;
use diff_harness::exchange::{Side, UnixMillis};
use diff_harness::lifecycle::{Hold, Route, Stage, Transition};
use diff_harness::pages::{
    Choice, Count, EndpointRow, Here, Meter, Need, Overview, Paging, StageDay, Totals, burn_down, link, span,
};
use diff_harness::store::{EpochFilter, Tally};
use diff_harness::triage::State as Triage;
use http::{StatusCode, Uri};
use serde::Deserialize;

use super::endpoint::{meter, quantiles, share};
use super::guard::{Guest, query};
use super::reply::{Failed, Page, html};
use super::site::{Site, page};
use super::standing::Decided;

const ROWS: usize = 50;
const NEEDS_MAX: usize = 8;
const DAY_MS: u64 = 86_400_000;
/// More points than that are not told apart.
const DAYS_MAX: u64 = 120;
/// Transitions that the burn-down looks back over.
const TRANSITIONS_MAX: usize = 5_000;

const STAGES: [(&str, &str); 9] = [
    ("", "all"),
    ("legacy", "legacy"),
    ("shadow", "shadow"),
    ("record", "record"),
    ("verify", "verify"),
    ("canary", "canary"),
    ("live", "live"),
    ("soak", "soak"),
    ("retired", "retired"),
];
const SHOW: [(&str, &str); 4] =
    [("", "all"), ("groups", "with open groups"), ("held", "held"), ("ready", "evidence complete")];
const SORT: [(&str, &str); 5] = [
    ("", "what needs a person"),
    ("path", "path"),
    ("seen", "requests"),
    ("evidence", "evidence"),
    ("since", "time in stage"),
];

#[derive(Clone, Deserialize)]
struct Asked {
    #[serde(default)]
    search: String,
    #[serde(default)]
    stage: String,
    #[serde(default)]
    show: String,
    #[serde(default)]
    sort: String,
    #[serde(default)]
    page: usize,
}

/// One endpoint with what its row is made from.
struct Line {
    route: Route,
    tally: Tally,
    meter: Meter,
    groups: Vec<(Severity, u64)>,
}

pub(super) async fn show(
    State(site): State<Arc<Site>>,
    Extension(guest): Extension<Guest>,
    uri: Uri,
) -> Page {
    let asked: Asked = query(&uri)?;
    page(site, guest, move |site, guest| Ok(html(StatusCode::OK, &view(site, guest, &asked)?))).await
}

fn view(site: &Site, guest: &Guest, asked: &Asked) -> Result<Overview, Failed> {
    let now = site.api.control.now();
    let decided = Decided::read(site)?;
    let lines = lines(site, &decided)?;
    let transitions = site.api.control.transitions(None, TRANSITIONS_MAX)?;
    let days = days(&lines, &transitions, now);
    let (needs, totals) = (needs(site, &lines, &decided), totals(&lines));

    let mut wanted: Vec<_> = lines.into_iter().filter(|line| is_wanted(line, asked)).collect();
    sort(&mut wanted, &asked.sort);
    let to = |page: usize| {
        link(
            "/",
            &[
                ("search", asked.search.as_str()),
                ("stage", &asked.stage),
                ("show", &asked.show),
                ("sort", &asked.sort),
                ("page", &page.to_string()),
            ],
        )
    };
    let paging = Paging::new(asked.page, ROWS, wanted.len() as u64, to);
    let rows =
        wanted.iter().skip(asked.page.saturating_mul(ROWS)).take(ROWS).map(|line| row(site, line, now));
    Ok(Overview {
        frame: site.frame(guest, "Overview", Here::Overview),
        needs,
        totals,
        burn_down: burn_down(&days),
        search: asked.search.clone(),
        stage: Choice::of(&STAGES, &asked.stage),
        attention: Choice::of(&SHOW, &asked.show),
        sort: Choice::of(&SORT, &asked.sort),
        rows: rows.collect(),
        paging,
    })
}

fn lines(site: &Site, decided: &Decided) -> Result<Vec<Line>, Failed> {
    let api = &site.api;
    api.flush();
    let epoch = api.recorder.epochs().current();
    let mut groups: BTreeMap<EndpointId, Vec<(Severity, u64)>> = BTreeMap::new();
    for (endpoint, severity, n) in api.store.group_sums(&epoch, &decided.passing())? {
        groups.entry(endpoint).or_default().push((severity, n));
    }
    let mut judged: BTreeMap<_, _> = api.store.tallies(EpochFilter::Only(&epoch))?.into_iter().collect();
    let line = |route: Route| {
        let mut groups = groups.remove(&route.endpoint).unwrap_or_default();
        groups.sort_by_key(|(severity, _)| Reverse(*severity));
        let in_epoch = judged.remove(&Some(route.endpoint.clone())).unwrap_or_default();
        let tally = api.tally(Some(&route.endpoint));
        Line { meter: meter(site, &route, &in_epoch), tally, groups, route }
    };
    Ok(api.control.routes().into_iter().map(line).collect())
}

fn is_wanted(line: &Line, asked: &Asked) -> bool {
    let name = line.route.endpoint.to_string().to_lowercase();
    let is_shown = match asked.show.as_str() {
        "groups" => !line.groups.is_empty(),
        "held" => line.route.standing.hold != Hold::None,
        "ready" => is_ready(line),
        _ => true,
    };
    is_shown
        && (asked.stage.is_empty() || line.route.standing.stage.as_str() == asked.stage)
        && asked.search.to_lowercase().split_whitespace().all(|word| name.contains(word))
}

fn sort(lines: &mut [Line], by: &str) {
    match by {
        "path" => {}
        "seen" => lines.sort_by_key(|line| Reverse(line.tally.seen())),
        "evidence" => lines.sort_by_key(|line| {
            let Meter { have, want, .. } = line.meter;
            Reverse(have.min(want) * 1_000 / want.max(1))
        }),
        "since" => lines.sort_by_key(|line| line.route.since),
        _ => lines.sort_by_key(|line| {
            let is_fallback = line.route.standing.hold == Hold::Fallback;
            Reverse((is_fallback, line.groups.first().map(|(severity, _)| *severity), is_ready(line)))
        }),
    }
}

/// Whether nothing but a person keeps it from the next stage.
fn is_ready(line: &Line) -> bool {
    let is_proving =
        matches!(line.route.standing.stage, Stage::Shadow | Stage::Verify | Stage::Canary(_) | Stage::Live);
    is_proving && line.meter.is_full && line.groups.is_empty() && line.route.standing.hold == Hold::None
}

fn row(site: &Site, line: &Line, now: UnixMillis) -> EndpointRow {
    let Line { route, tally, meter, groups } = line;
    let endpoint = &route.endpoint;
    EndpointRow {
        endpoint: endpoint.to_string(),
        method: endpoint.method().to_string(),
        template: endpoint.template().to_owned(),
        stage_word: route.standing.stage.as_str(),
        stage: route.standing.stage.to_string(),
        hold: held(route.standing.hold),
        share: share(route.standing),
        meter: meter.clone(),
        seen: Count(tally.seen()),
        compared: Count(tally.compared()),
        mismatched: Count(tally.mismatched),
        groups: groups.clone(),
        control_latency: quantiles(site, endpoint, Side::Control),
        candidate_latency: quantiles(site, endpoint, Side::Candidate),
        since: span(now.0.saturating_sub(route.since.0)),
    }
}

/// Nothing where nothing holds it.
pub(super) fn held(hold: Hold) -> &'static str {
    match hold {
        Hold::None => "",
        hold => hold.as_str(),
    }
}

fn needs(site: &Site, lines: &[Line], decided: &Decided) -> Vec<Need> {
    let of = |endpoint: &EndpointId| link("/endpoint", &[("of", &endpoint.to_string())]);
    let mut needs = Vec::new();
    for line in lines.iter().filter(|line| line.route.standing.hold == Hold::Fallback) {
        needs.push(Need {
            mark: "breaking",
            word: "fallback".to_owned(),
            what: format!("{} went back to control by itself and waits for a person", line.route.endpoint),
            link: of(&line.route.endpoint),
        });
    }
    for line in lines {
        let Some((Severity::Exposure, n)) = line.groups.first() else { continue };
        let groups = if *n == 1 { "1 open group".to_owned() } else { format!("{n} open groups") };
        needs.push(Need {
            mark: "exposure",
            word: "exposure".to_owned(),
            what: format!("{}: the candidate shows what control withheld, {groups}", line.route.endpoint),
            link: link(
                "/groups",
                &[("endpoint", &line.route.endpoint.to_string()), ("severity", Severity::Exposure.as_str())],
            ),
        });
    }
    for (state, what) in [
        (Triage::Regressed, "seen again after they were said to be fixed"),
        (Triage::Expired, "of which the waiver ended"),
    ] {
        let n = decided.that(|known| known == state).len();
        if n > 0 {
            needs.push(Need {
                mark: "changed",
                word: state.as_str().to_owned(),
                what: format!("{n} {} {what}", if n == 1 { "group" } else { "groups" }),
                link: link("/groups", &[("state", state.as_str())]),
            });
        }
    }
    for warning in crate::admin::warnings(&site.api) {
        needs.push(Need { mark: "changed", word: "warning".to_owned(), what: warning, link: "/".to_owned() });
    }
    for line in lines.iter().filter(|line| is_ready(line)) {
        needs.push(Need {
            mark: "match",
            word: "ready".to_owned(),
            what: format!("{} has the comparisons that it takes, and no open group", line.route.endpoint),
            link: of(&line.route.endpoint),
        });
    }
    let left_out = needs.len().saturating_sub(NEEDS_MAX);
    if left_out > 0 {
        needs.truncate(NEEDS_MAX);
        needs.push(Need {
            mark: "",
            word: "more".to_owned(),
            what: format!("{left_out} more: the endpoints below stand in the same order"),
            link: "#endpoints".to_owned(),
        });
    }
    needs
}

fn totals(lines: &[Line]) -> Totals {
    let stand = |is: fn(Stage) -> bool| {
        Count(lines.iter().filter(|line| is(line.route.standing.stage)).count() as u64)
    };
    let sum = |of: fn(&Line) -> u64| Count(lines.iter().map(of).sum());
    Totals {
        endpoints: Count(lines.len() as u64),
        moved: stand(is_moved),
        moving: stand(|stage| !is_moved(stage) && stage != Stage::Legacy),
        staying: stand(|stage| stage == Stage::Legacy),
        seen: sum(|line| line.tally.seen()),
        compared: sum(|line| line.tally.compared()),
        mismatched: sum(|line| line.tally.mismatched),
        open_groups: sum(|line| line.groups.iter().map(|(_, n)| n).sum()),
    }
}

/// Whether the candidate answers all clients there.
fn is_moved(stage: Stage) -> bool {
    matches!(stage, Stage::Live | Stage::Soak | Stage::Retired)
}

/// How many endpoints stood where, day by day, since the first transition that is looked at.
fn days(lines: &[Line], newest_first: &[Transition], now: UnixMillis) -> Vec<StageDay> {
    let Some(first) = newest_first.last() else { return Vec::new() };
    let mut stages: BTreeMap<&EndpointId, Stage> =
        lines.iter().map(|line| (&line.route.endpoint, line.route.standing.stage)).collect();
    for transition in newest_first {
        stages.insert(&transition.flip.endpoint, transition.from.stage);
    }
    let from = first.flip.at.0 / DAY_MS;
    let to = now.0 / DAY_MS;
    let step = (to.saturating_sub(from) / DAYS_MAX).max(1);
    let count = |stages: &BTreeMap<&EndpointId, Stage>, at: u64| StageDay {
        at: UnixMillis(at),
        staying: stages.values().filter(|stage| **stage == Stage::Legacy).count() as u64,
        moving: stages.values().filter(|stage| **stage != Stage::Legacy && !is_moved(**stage)).count() as u64,
        moved: stages.values().filter(|stage| is_moved(**stage)).count() as u64,
    };
    // The evening before the first.
    let mut days = vec![count(&stages, (from * DAY_MS).saturating_sub(1))];
    let mut rest = newest_first.iter().rev().peekable();
    let mut day = from;
    loop {
        let end = ((day + step) * DAY_MS).min(now.0.saturating_add(1));
        while let Some(transition) = rest.next_if(|transition| transition.flip.at.0 < end) {
            stages.insert(&transition.flip.endpoint, transition.flip.to.stage);
        }
        days.push(count(&stages, end.saturating_sub(1)));
        day += step;
        if day > to {
            return days;
        }
    }
}
