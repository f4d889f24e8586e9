//! All endpoints, and what needs a person now.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use diff_harness::divergence::Severity;
use diff_harness::endpoint::EndpointId;
use diff_harness::exchange::{Side, UnixMillis};
use diff_harness::gate::Ruling;
use diff_harness::lifecycle::{Hold, Route, Stage};
use diff_harness::pages::{
    Choice, Count, EndpointRow, Here, Links, Meter, Need, Overview, Paging, Quantity, StageDay, Totals, bar,
    burn_down, held, link, share, span,
};
use diff_harness::search::Search;
use diff_harness::store::{GroupSum, Tally};
use diff_harness::triage::State as Triage;
use http::StatusCode;
use serde::Deserialize;

use super::endpoint::{meter, quantiles};
use super::guard::Guest;
use super::reply::{Failed, Page, html};
use super::site::Site;
use super::visit::Visit;
use crate::control::{Outlook, Outlooks, States};

const ROWS: usize = 50;
const NEEDS_MAX: usize = 8;
/// How often the gate is asked for one page.
const ASKED_MAX: usize = 100;
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
    [("", "all"), ("groups", "with open groups"), ("held", "held"), ("ready", "ready to move")];
const SORT: [(&str, &str); 5] = [
    ("", "what needs a person"),
    ("path", "path"),
    ("seen", "requests"),
    ("evidence", "evidence"),
    ("since", "time in stage"),
];

#[derive(Clone, Deserialize)]
pub(super) struct Asked {
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
    /// What the gate says, where it was asked.
    outlook: Option<Arc<Outlook>>,
}

pub(super) async fn show(visit: Visit<Asked>) -> Page {
    visit.page(|site, guest, asked| Ok(html(StatusCode::OK, &view(site, guest, &asked)?))).await
}

fn view(site: &Site, guest: &Guest, asked: &Asked) -> Result<Overview, Failed> {
    let now = site.api.control.now();
    let states = site.api.control.states()?;
    let outlooks = site.api.control.look_ahead(ASKED_MAX)?;
    let mut lines = lines(site, &states, &outlooks)?;
    for line in lines.iter_mut().filter(|line| may_be_ready(line)) {
        line.outlook = outlooks.of(&line.route)?;
    }
    let transitions = site.api.control.transitions(None, TRANSITIONS_MAX)?;
    let stages = lines.iter().map(|line| (&line.route.endpoint, line.route.standing.stage));
    let days = StageDay::since(stages, &transitions, now);
    let mut totals = Totals::default();
    let mut whole = Tally::default();
    for line in &lines {
        let open = line.groups.iter().map(|(_, n)| n).sum();
        totals.add(line.route.standing.stage, &line.tally, open);
        whole.add(&line.tally);
    }
    whole.add(&site.api.tally(None));
    let needs = needs(site, &lines, &states);

    let search = Search::new(&asked.search);
    let mut wanted: Vec<_> = lines.into_iter().filter(|line| is_wanted(line, asked, &search)).collect();
    sort(&mut wanted, &asked.sort);
    let typed = search.to_string();
    let to = |page: usize| {
        link(
            "/",
            &[
                ("search", typed.as_str()),
                ("stage", &asked.stage),
                ("show", &asked.show),
                ("sort", &asked.sort),
                ("page", &page.to_string()),
            ],
        )
    };
    let paging = Paging::new(asked.page, ROWS, wanted.len() as u64, to);
    let mut rows = Vec::new();
    for line in wanted.iter_mut().skip(asked.page.saturating_mul(ROWS)).take(ROWS) {
        // What an open group stands before is not worth asking for: the group says it.
        if line.outlook.is_none() && line.groups.is_empty() && line.route.standing.stage != Stage::Legacy {
            line.outlook = outlooks.of(&line.route)?;
        }
        rows.push(row(site, line, now));
    }
    Ok(Overview {
        frame: site.frame(guest, "Overview", Here::Overview),
        needs,
        totals,
        burn_down: burn_down(&days),
        bar: bar(&whole),
        quantities: Quantity::all(&whole, None),
        search: typed,
        stage: Choice::of(&STAGES, &asked.stage),
        attention: Choice::of(&SHOW, &asked.show),
        sort: Choice::of(&SORT, &asked.sort),
        rows,
        paging,
    })
}

fn lines(site: &Site, states: &States, outlooks: &Outlooks<'_>) -> Result<Vec<Line>, Failed> {
    let api = &site.api;
    let epoch = api.recorder.epochs().current();
    let mut groups: BTreeMap<EndpointId, Vec<(Severity, u64)>> = BTreeMap::new();
    for GroupSum { endpoint, severity, groups: n, .. } in api.store.group_sums(&epoch, &states.passing())? {
        groups.entry(endpoint).or_default().push((severity, n));
    }
    let line = |route: Route| {
        let mut groups = groups.remove(&route.endpoint).unwrap_or_default();
        groups.sort_by_key(|(severity, _)| Reverse(*severity));
        let tally = api.tally(Some(&route.endpoint));
        let meter = meter(site, &route, &outlooks.tally(&route.endpoint));
        Line { meter, tally, groups, route, outlook: None }
    };
    Ok(api.control.routes().into_iter().map(line).collect())
}

fn is_wanted(line: &Line, asked: &Asked, search: &Search) -> bool {
    let name = line.route.endpoint.to_string().to_lowercase();
    let is_shown = match asked.show.as_str() {
        "groups" => !line.groups.is_empty(),
        "held" => line.route.standing.hold != Hold::None,
        "ready" => is_ready(line),
        _ => true,
    };
    is_shown
        && (asked.stage.is_empty() || line.route.standing.stage.as_str() == asked.stage)
        && search.words().all(|word| name.contains(&word.to_lowercase()))
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

/// Whether the gate is worth asking: nothing else keeps it from the next stage.
fn may_be_ready(line: &Line) -> bool {
    let is_proving =
        matches!(line.route.standing.stage, Stage::Shadow | Stage::Verify | Stage::Canary(_) | Stage::Live);
    is_proving && line.meter.is_full && line.groups.is_empty() && line.route.standing.hold == Hold::None
}

/// Whether nothing but a person keeps it from the next stage: the gate says so.
fn is_ready(line: &Line) -> bool {
    may_be_ready(line) && line.outlook.as_ref().is_some_and(|outlook| outlook.ruling.answer.passed())
}

fn row(site: &Site, line: &Line, now: UnixMillis) -> EndpointRow {
    let Line { route, tally, meter, groups, outlook } = line;
    let endpoint = &route.endpoint;
    let name = endpoint.to_string();
    let ruling = outlook.as_ref().map(|outlook| &outlook.ruling);
    EndpointRow {
        link: Links::Live.endpoint(&name),
        method: endpoint.method().to_string(),
        template: endpoint.template().to_owned(),
        stage_word: route.standing.stage.as_str(),
        stage: route.standing.stage.to_string(),
        hold: held(route.standing.hold),
        share: share(route.standing),
        meter: ruling.and_then(Meter::of).unwrap_or_else(|| match groups.is_empty() {
            true => meter.clone(),
            // What the gate wants of it is more than a clean one needs: no bar says it is full.
            false => Meter { want: 0, is_full: false, ..meter.clone() },
        }),
        wants: ruling.map(wants).unwrap_or_default(),
        seen: Count(tally.seen()),
        compared: Count(tally.compared()),
        mismatched: Count(tally.mismatched),
        groups: groups
            .iter()
            .map(|(severity, n)| (*severity, Count(*n), Links::Live.groups_of(&name, Some(*severity))))
            .collect(),
        control_latency: quantiles(site, endpoint, Side::Control),
        candidate_latency: quantiles(site, endpoint, Side::Candidate),
        since: span(now.0.saturating_sub(route.since.0)),
        endpoint: name,
    }
}

/// What the gate wants that no meter shows.
fn wants(ruling: &Ruling) -> String {
    const CHARS_MAX: usize = 110;
    let Some(reason) = ruling.reasons.iter().find(|reason| reason.meter.is_none()) else {
        return String::new();
    };
    match reason.sentence.char_indices().nth(CHARS_MAX) {
        Some((end, _)) => format!("{}…", &reason.sentence[..end]),
        None => reason.sentence.clone(),
    }
}

fn needs(site: &Site, lines: &[Line], states: &States) -> Vec<Need> {
    let mut needs = Vec::new();
    for line in lines.iter().filter(|line| line.route.standing.hold == Hold::Fallback) {
        needs.push(Need::fallback(&line.route.endpoint, Links::Live));
    }
    for line in lines {
        let Some((Severity::Exposure, n)) = line.groups.first() else { continue };
        needs.push(Need::exposure(&line.route.endpoint, *n, Links::Live));
    }
    for (state, what) in [
        (Triage::Regressed, "seen again after they were said to be fixed"),
        (Triage::Expired, "of which the waiver ended"),
    ] {
        let n = states.that(|known| known == state).len();
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
        needs.push(Need {
            mark: "changed",
            word: "warning".to_owned(),
            what: warning,
            link: "/rules".to_owned(),
        });
    }
    for line in lines.iter().filter(|line| is_ready(line)) {
        let Some(outlook) = &line.outlook else { continue };
        needs.push(Need::ready(&line.route.endpoint, outlook.to, Links::Live));
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
