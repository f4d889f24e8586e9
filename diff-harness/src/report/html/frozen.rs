//! From a report to the pages that it shows.

use std::collections::{BTreeMap, BTreeSet};

use super::bodies::Budget;
use super::page::Page;
use super::{Judged, group as pieces};
use crate::divergence::Severity;
use crate::endpoint::EndpointId;
use crate::exchange::UnixMillis;
use crate::fingerprint::Fingerprint;
use crate::lifecycle::{Hold, Route, Stage};
use crate::pages::{
    Audit, AuditRow, Count, Coverage, DecisionShown, EndpointPage, EndpointRow, Frame, Frozen, FrozenPage,
    GroupEpochRow, GroupPage, GroupRow, GroupsPage, Here, LadderStep, Links, MatrixPage, Meter,
    NearbyTraffic, Need, Overview, Paging, Quantity, RuleRow, RulesPage, StageDay, Totals, WaiverRow, bar,
    burn_down, endpoint_anchor, group_anchor, held, latencies, moment, share, span,
};
use crate::report::latency::{Quantiles, shown};
use crate::report::{EndpointReport, GroupReport, Report, Upstreams, time, without_kind};
use crate::store::Epoch;
use crate::triage::Triaged;

const LINKS: Links = Links::Frozen;

type Gate<'a> = &'a dyn Fn(&Route) -> Option<Judged>;

pub(super) fn of(report: &Report, gate: Gate<'_>) -> Frozen {
    let judged: BTreeMap<&EndpointId, Judged> = report
        .endpoints
        .iter()
        .filter_map(|endpoint| Some((&endpoint.route.endpoint, gate(&endpoint.route)?)))
        .collect();
    let enough = |endpoint: &EndpointId| judged.get(endpoint).map_or(u64::MAX, |judged| judged.enough);
    let rows: BTreeMap<&Fingerprint, GroupRow> = report
        .groups
        .iter()
        .map(|group| (&group.group.fingerprint, row(group, enough(&group.group.endpoint), report.made_at)))
        .collect();
    let mut pages = vec![
        overview(report, &judged, &rows),
        groups(report, &rows),
        matrix(report),
        rules(report),
        audit(report),
    ];
    for endpoint in &report.endpoints {
        pages.push(self::endpoint(report, endpoint, judged.get(&endpoint.route.endpoint), &rows));
    }
    let mut budget = Budget::whole_page();
    for group in &report.groups {
        let enough = enough(&group.group.endpoint);
        pages.push(self::group(group, &report.upstreams, enough, report.made_at, &mut budget));
    }
    let mut made = vec![format!("made at {}", time(report.made_at))];
    match &report.epoch {
        None => made.push("over all epochs".to_owned()),
        Some(Epoch { candidate, control, rules }) => {
            for (name, value) in [("candidate", candidate), ("control", control), ("rules", rules)] {
                let value = if value.is_empty() { "unnamed" } else { value };
                made.push(format!("{name} {value}"));
            }
        }
    }
    Frozen {
        title: "Strangler report".to_owned(),
        made,
        places: vec![
            ("Overview", "overview"),
            ("Groups", "groups"),
            ("Matrix", "matrix"),
            ("Rules", "rules"),
            ("Audit", "audit"),
        ],
        pages,
    }
}

/// One group with its exchanges.
pub(super) fn group(
    report: &GroupReport,
    upstreams: &Upstreams,
    enough: u64,
    made_at: UnixMillis,
    budget: &mut Budget,
) -> FrozenPage {
    let group = &report.group;
    let row = row(report, enough, made_at);
    let mut shown = Page::default();
    pieces::values(&mut shown, group.example.get());
    for sample in &report.samples {
        pieces::sample(&mut shown, sample, upstreams, budget);
    }
    let endpoint = group.endpoint.to_string();
    let anchor = group_anchor(&row.id);
    let title = format!("{} {}", group.kind.as_str(), without_kind(group.kind, &group.location));
    let triage = &report.triage;
    let view = GroupPage {
        frame: Frame::frozen(anchor, title, Here::Groups),
        endpoint_link: LINKS.endpoint(&endpoint),
        endpoint,
        list_link: LINKS.page("groups"),
        notes: Vec::new(),
        exchanges: Count(group.exchanges),
        first_seen: moment(group.first_seen),
        epochs: triage.epochs.iter().map(GroupEpochRow::from).collect(),
        shapes: triage.shapes.iter().map(|shape| (shape.shape.clone(), Count(shape.exchanges))).collect(),
        split_shapes: Vec::new(),
        place: String::new(),
        part_of: triage
            .triaged
            .as_ref()
            .and_then(|triaged| triaged.part.as_ref())
            .map(|part| (part.of.to_string(), part.predicate.to_string())),
        previous: None,
        next: None,
        then: String::new(),
        expected: 0,
        sample: report.samples.len(),
        samples: report.samples.len(),
        previous_sample: None,
        next_sample: None,
        heading: if report.samples.is_empty() {
            "No exchange of this group is kept any more"
        } else {
            "What both sides said"
        },
        shown: shown.finish(),
        case_link: None,
        decisions: triage.decisions.iter().map(DecisionShown::from).collect(),
        may_undo: false,
        expires: String::new(),
        may_be_noise: false,
        row,
    };
    FrozenPage::new(&view.frame, &view.as_content())
}

fn row(report: &GroupReport, enough: u64, made_at: UnixMillis) -> GroupRow {
    match &report.triage.triaged {
        Some(triaged) => GroupRow::new(triaged, enough, made_at, LINKS),
        None => {
            let triaged = Triaged {
                group: report.group.clone(),
                decided: None,
                since: crate::triage::Sightings::default(),
                part: None,
                newest_entry: 0,
            };
            GroupRow::new(&triaged, enough, made_at, LINKS)
        }
    }
}

fn overview(
    report: &Report,
    judged: &BTreeMap<&EndpointId, Judged>,
    groups: &BTreeMap<&Fingerprint, GroupRow>,
) -> FrozenPage {
    let mut totals = Totals::default();
    let mut needs = Vec::new();
    for EndpointReport { route, tally, groups, .. } in &report.endpoints {
        totals.add(route.standing.stage, tally, groups.values().sum());
        if route.standing.hold == Hold::Fallback {
            needs.push(Need::fallback(&route.endpoint, LINKS));
        }
    }
    for EndpointReport { route, .. } in &report.endpoints {
        let is_open = |group: &&GroupReport| {
            group.group.severity == Severity::Exposure
                && group.group.endpoint == route.endpoint
                && groups.get(&group.group.fingerprint).is_some_and(|row| row.is_open)
        };
        let open = report.groups.iter().filter(is_open).count() as u64;
        if open > 0 {
            needs.push(Need::exposure(&route.endpoint, open, LINKS));
        }
    }
    let rows = report.endpoints.iter().map(|endpoint| {
        let EndpointReport { route, tally, latency, groups, .. } = endpoint;
        let name = route.endpoint.to_string();
        let quantiles = |of: Quantiles| (shown(of.p50), shown(of.p95));
        EndpointRow {
            link: LINKS.endpoint(&name),
            method: route.endpoint.method().to_string(),
            template: route.endpoint.template().to_owned(),
            stage_word: route.standing.stage.as_str(),
            stage: route.standing.stage.to_string(),
            hold: held(route.standing.hold),
            share: share(route.standing),
            meter: meter(endpoint, judged.get(&route.endpoint)),
            wants: String::new(),
            seen: Count(tally.seen()),
            compared: Count(tally.compared()),
            mismatched: Count(tally.mismatched),
            groups: groups
                .iter()
                .rev()
                .map(|(severity, n)| (*severity, Count(*n), LINKS.groups_of(&name, Some(*severity))))
                .collect(),
            control_latency: latency.map(|latency| quantiles(latency.control)),
            candidate_latency: latency.map(|latency| quantiles(latency.candidate)),
            since: span(report.made_at.0.saturating_sub(route.since.0)),
            endpoint: name,
        }
    });
    let stages = report.endpoints.iter().map(|e| (&e.route.endpoint, e.route.standing.stage));
    let view = Overview {
        frame: Frame::frozen("overview", "Overview", Here::Overview),
        needs,
        totals: Totals {
            seen: Count(report.total.seen()),
            compared: Count(report.total.compared()),
            mismatched: Count(report.total.mismatched),
            // Of those that are not in the report nobody can see that they are waived.
            open_groups: Count(
                (groups.values().filter(|row| row.is_open).count() + report.groups_left_out) as u64,
            ),
            ..totals
        },
        burn_down: burn_down(&StageDay::since(stages, &report.transitions, report.made_at)),
        bar: bar(&report.total),
        quantities: Quantity::all(&report.total, None),
        search: String::new(),
        stage: Vec::new(),
        attention: Vec::new(),
        sort: Vec::new(),
        rows: rows.collect(),
        paging: Paging::new(0, report.endpoints.len().max(1), report.endpoints.len() as u64, |_| {
            String::new()
        }),
    };
    FrozenPage::new(&view.frame, &view.as_content())
}

fn meter(endpoint: &EndpointReport, judged: Option<&Judged>) -> Meter {
    match judged {
        Some(judged) => judged.meter.clone(),
        None if endpoint.route.standing.stage == Stage::Retired => {
            Meter { text: "the end of the ladder".to_owned(), ..Meter::default() }
        }
        None => Meter::counted(endpoint.tally.compared().saturating_sub(endpoint.tally.both_failed)),
    }
}

fn endpoint(
    report: &Report,
    endpoint: &EndpointReport,
    judged: Option<&Judged>,
    groups: &BTreeMap<&Fingerprint, GroupRow>,
) -> FrozenPage {
    let EndpointReport { route, tally, observed, .. } = endpoint;
    let name = route.endpoint.to_string();
    let rows: Vec<_> = report
        .groups
        .iter()
        .filter(|group| group.group.endpoint == route.endpoint)
        .map(|group| groups[&group.group.fingerprint].clone())
        .collect();
    let first = |template: &str| template.split('/').find(|part| !part.is_empty()).map(str::to_owned);
    let own = first(route.endpoint.template()).filter(|part| !part.contains('{'));
    let nearby = report
        .undeclared
        .iter()
        .filter(|undeclared| own.is_some() && first(undeclared.proposed.template()) == own);
    let history = report.transitions.iter().filter(|transition| transition.flip.endpoint == route.endpoint);
    let view = EndpointPage {
        frame: Frame::frozen(endpoint_anchor(&name), name.clone(), Here::Overview),
        method: route.endpoint.method().to_string(),
        template: route.endpoint.template().to_owned(),
        stage_word: route.standing.stage.as_str(),
        stage: route.standing.stage.to_string(),
        hold: held(route.standing.hold),
        share: share(route.standing),
        since: span(report.made_at.0.saturating_sub(route.since.0)),
        revision: route.revision,
        source: if route.declaration.source.is_empty() {
            "nobody".to_owned()
        } else {
            route.declaration.source.clone()
        },
        ladder: LadderStep::all(route),
        next: judged.map(|judged| judged.next.clone()),
        others: Vec::new(),
        back: Vec::new(),
        meter: meter(endpoint, judged),
        quantities: Quantity::all(tally, None),
        bar: bar(tally),
        coverage: observed
            .as_ref()
            .map(|observed| Coverage::of(&route.declaration, observed))
            .unwrap_or_default(),
        latencies: latencies(observed.as_ref().map_or(&[], |observed| &observed.latencies)),
        // Counted by the minute in a running proxy only.
        rates: String::new(),
        groups_found: Count(endpoint.groups.values().sum()),
        groups: rows,
        nearby: nearby.cloned().map(NearbyTraffic::from).collect(),
        history: history.map(|transition| AuditRow::moved(transition, LINKS)).collect(),
        done: None,
        endpoint: name,
    };
    FrozenPage::new(&view.frame, &view.as_content())
}

fn groups(report: &Report, rows: &BTreeMap<&Fingerprint, GroupRow>) -> FrozenPage {
    let rows: Vec<_> = report.groups.iter().map(|group| rows[&group.group.fingerprint].clone()).collect();
    let view = GroupsPage {
        left_out: Count(report.groups_left_out as u64),
        rest: "more groups are in the store: strangler divergences list",
        ..GroupsPage::frozen(rows, report.total.compared())
    };
    FrozenPage::new(&view.frame, &view.as_content())
}

fn matrix(report: &Report) -> FrozenPage {
    let frame = Frame::frozen("matrix", "Matrix", Here::Matrix);
    let view = match &report.matrix {
        None => MatrixPage::new(frame, &crate::suite::matrix::Matrix::default(), Vec::new(), None),
        Some(published) => {
            let mut source = vec![format!("suite {}", published.suite)];
            if !published.revision.is_empty() {
                source.push(format!("revision {}", published.revision));
            }
            source.push(format!("published by {} at {}", published.actor, moment(published.at())));
            MatrixPage::new(frame, &published.matrix(), source, None)
        }
    };
    FrozenPage::new(&view.frame, &view.as_content())
}

fn rules(report: &Report) -> FrozenPage {
    let shown: BTreeSet<_> = report.groups.iter().map(|group| &group.group.fingerprint).collect();
    let waiver = |waiver| WaiverRow::new(waiver, LINKS, shown.contains(&waiver.group));
    let view = RulesPage {
        frame: Frame::frozen("rules", "Rules", Here::Rules),
        rules: report.rules.iter().map(RuleRow::from).collect(),
        waivers: report.waivers.iter().map(waiver).collect(),
        undeclared: report.undeclared.iter().cloned().map(NearbyTraffic::from).collect(),
    };
    FrozenPage::new(&view.frame, &view.as_content())
}

fn audit(report: &Report) -> FrozenPage {
    let shown: BTreeSet<_> = report.groups.iter().map(|group| group.group.fingerprint.to_string()).collect();
    let row = |deed| {
        let mut row = AuditRow::new(deed, LINKS);
        // A group that is not in the report has no page to go to.
        if row.link.starts_with("#group-") && !shown.contains(&row.of) {
            row.link.clear();
        }
        row
    };
    let rows: Vec<_> = report.deeds.iter().map(row).collect();
    let found = rows.len() as u64 + report.deeds_left_out;
    let view = Audit {
        frame: Frame::frozen("audit", "Audit", Here::Audit),
        search: String::new(),
        of: Vec::new(),
        paging: Paging { after: None, ..Paging::new(0, rows.len().max(1), found, |_| String::new()) },
        rows,
    };
    FrozenPage::new(&view.frame, &view.as_content())
}
