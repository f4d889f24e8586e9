//! What is shown at the end: every endpoint and its stage, what was caught, and what the monolith still serves.

use std::path::Path;

use serde::Deserialize;
use serde_json::{Value, json};
use strangler_proxy::admin::wire::{GroupView, StatusView};

use super::climb::{Answer, Climb};
use super::outage::Outage;
use super::pair::Rehearsal;
use super::proof::Handlers;
use super::traffic::Traffic;
use crate::client::Admin;
use crate::console::Outcome;
use crate::exit::{Exit, Failure};
use crate::table::Rows;
use crate::words::{count, cut};

/// Why the rounds ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// Every endpoint is where it was to go.
    Arrived,
    /// Whatever is not there was refused.
    Caught,
    OutOfTime,
    Interrupted,
}

pub(super) struct Ending {
    exit: Exit,
    text: String,
    data: Value,
}

#[derive(Deserialize)]
struct Groups {
    groups: Vec<GroupView>,
}

#[derive(Deserialize)]
struct Page {
    html: String,
}

const REASON_CHARS: usize = 200;
const LOCATION_CHARS: usize = 70;
/// Of one endpoint.
const GROUPS_SHOWN: usize = 3;

impl Ending {
    pub(super) fn tell(
        admin: &Admin,
        how: How,
        climb: &Climb<'_>,
        traffic: &Traffic,
        handlers: Option<&Handlers>,
        outage: Option<&Outage>,
        rehearsal: &Rehearsal,
    ) -> Result<Self, Failure> {
        let status: StatusView = admin.get("/api/v1/status", &[])?;
        let Groups { groups } = admin.get("/api/v1/groups", &[])?;
        let refused = climb.places().iter().filter(|place| place.is_refused()).count();
        let broken = handlers.is_some_and(|handlers| !handlers.called.is_empty())
            || outage.is_some_and(|outage| !outage.is_as_promised());
        let exit = match how {
            _ if !groups.is_empty() || refused > 0 || broken => Exit::Refused,
            How::Arrived => Exit::Pass,
            How::Caught => Exit::Refused,
            How::OutOfTime | How::Interrupted => Exit::Inconclusive,
        };
        let live = climb.places().iter().filter(|place| place.is_live()).count();
        let writes = climb.places().iter().filter(|place| !place.is_safe).count();
        let live_writes = climb.places().iter().filter(|place| place.is_live() && !place.is_safe).count();
        let mut text = endpoints(&status, climb);
        text.push_str(&format!(
            "\n{live} of {} playlist endpoints are live or further: {} of {} that read, {live_writes} of {writes} that write.\n",
            climb.places().len(),
            live - live_writes,
            climb.places().len() - writes,
        ));
        text.push_str(&caught(climb, &groups));
        text.push_str(&missing(climb));
        text.push('\n');
        text.push_str(&clients(traffic, &status));
        text.push_str(&rehearsed(rehearsal));
        text.push_str(&handlers.map(monolith).unwrap_or_default());
        text.push_str(&outage.map(Outage::told).unwrap_or_default());
        text.push_str(match (how, exit) {
            (How::OutOfTime, Exit::Inconclusive) => {
                "\ninconclusive: the time was over before everything had moved\n"
            }
            (How::Interrupted, Exit::Inconclusive) => "\ninconclusive: interrupted\n",
            (_, Exit::Pass) => "\npass: everything moved, and nothing differed\n",
            _ => "\nrefused: something is not as it should be, and clients were kept from it\n",
        });
        let places = climb.places().iter().map(|place| {
            json!({
                "endpoint": place.endpoint,
                "stage": place.stage.to_string(),
                "refused": match &place.answer { Answer::Refused(why) => Some(why), _ => None },
                "missing": match &place.answer { Answer::Inconclusive(what) => Some(what), _ => None },
            })
        });
        let data = json!({
            "outcome": match exit { Exit::Pass => "arrived", Exit::Refused => "caught", _ => "inconclusive" },
            "live": live,
            "live_writes": live_writes,
            "writes": writes,
            "suite": rehearsal,
            "endpoints": places.collect::<Vec<_>>(),
            "groups": groups,
            "requests": traffic.requests,
            "failed": traffic.failed,
            "failures": traffic.failures,
            "traffic": status.total,
            "handlers": handlers,
            "outage": outage,
        });
        Ok(Self { exit, text, data })
    }

    pub(super) fn into_outcome(self) -> Outcome {
        Outcome::new(&self.data, self.text).exit(self.exit)
    }
}

/// The page that `strangler report --html` writes.
pub(super) fn write_report(admin: &Admin, file: &Path) -> Result<(), Failure> {
    let page: Page = admin.get("/api/v1/report", &[("epoch", "current"), ("also", "html")])?;
    std::fs::write(file, page.html)
        .map_err(|error| Failure::error(format!("{} cannot be written: {error}", file.display())))
}

fn endpoints(status: &StatusView, climb: &Climb<'_>) -> String {
    let mut rows = Rows::new(&["endpoint", "stage", "seen#", "compared#", "by candidate#", "mismatch#"]);
    for route in &status.endpoints {
        if !climb.places().iter().any(|place| place.endpoint == route.endpoint) && route.traffic.seen == 0 {
            continue;
        }
        let stage = match route.hold.as_str() {
            "none" => route.stage.clone(),
            hold => format!("{} ({hold})", route.stage),
        };
        let traffic = &route.traffic;
        rows.add([
            route.endpoint.clone(),
            stage,
            traffic.seen.to_string(),
            traffic.compared.to_string(),
            traffic.answered_candidate.to_string(),
            traffic.mismatched.to_string(),
        ]);
    }
    rows.to_string()
}

/// By endpoint, in the order of the groups, which is the worst first.
fn caught(climb: &Climb<'_>, groups: &[GroupView]) -> String {
    let mut endpoints: Vec<&str> = Vec::new();
    let refused = climb.places().iter().filter(|place| place.is_refused()).map(|place| &place.endpoint);
    for endpoint in groups.iter().map(|group| &group.endpoint).chain(refused) {
        if !endpoints.contains(&endpoint.as_str()) {
            endpoints.push(endpoint);
        }
    }
    if endpoints.is_empty() {
        return String::new();
    }
    let mut text = format!("\nCaught, at {}:\n", count(endpoints.len() as u64, "endpoint"));
    for endpoint in endpoints {
        let place = climb.places().iter().find(|place| place.endpoint == endpoint);
        let stage = place.map_or_else(|| "legacy".to_owned(), |place| place.stage.to_string());
        text.push_str(&format!("  {endpoint} stays at {stage}\n"));
        let found: Vec<_> = groups.iter().filter(|group| group.endpoint == endpoint).collect();
        for group in found.iter().take(GROUPS_SHOWN) {
            let GroupView { severity, kind, location, id, .. } = group;
            let times = count(group.count, "time");
            text.push_str(&format!(
                "    {severity:<9} {kind} at {}, {times}, {id}\n",
                cut(location, LOCATION_CHARS)
            ));
        }
        if found.len() > GROUPS_SHOWN {
            let more = count((found.len() - GROUPS_SHOWN) as u64, "more group");
            text.push_str(&format!("    {more}\n"));
        }
        if let (true, Some(Answer::Refused(why))) = (found.is_empty(), place.map(|place| &place.answer)) {
            text.extend(why.iter().take(GROUPS_SHOWN).map(|why| format!("    {}\n", cut(why, REASON_CHARS))));
        }
    }
    text
}

/// What could not be decided.
fn missing(climb: &Climb<'_>) -> String {
    let mut text = String::new();
    for place in climb.places() {
        if let Answer::Inconclusive(what) = &place.answer {
            text.push_str(&format!(
                "  {} waits at {}: {}\n",
                place.endpoint,
                place.stage,
                cut(&what.join("; "), REASON_CHARS)
            ));
        }
    }
    if text.is_empty() { text } else { format!("\nNot enough was seen:\n{text}") }
}

fn rehearsed(rehearsal: &Rehearsal) -> String {
    let Rehearsal { cases, compared, mismatched, .. } = rehearsal;
    format!(
        "On an isolated pair, {} of the suite of writes compared {} steps before: {mismatched} differed.\n",
        count(*cases, "case"),
        compared,
    )
}

fn clients(traffic: &Traffic, status: &StatusView) -> String {
    let total = &status.total;
    format!(
        "Clients sent {} requests; {} failed for them. {} were compared: {} matched, {} tolerated by rules, {} mismatched.\n{}",
        traffic.requests,
        traffic.failed,
        total.compared,
        total.matched,
        total.tolerated,
        total.mismatched,
        traffic.failures.iter().map(|failure| format!("  {failure}\n")).collect::<String>()
    )
}

fn monolith(handlers: &Handlers) -> String {
    let Handlers { sent, left_alone, left_alone_writes, called, others } = handlers;
    let mut text = format!(
        "In the last round the monolith's handlers of {} at soak or retired, {left_alone_writes} of which write, got {} of \
         {sent} requests by its own counters; those of the others {others}.\n",
        count(*left_alone as u64, "endpoint"),
        called.values().sum::<u64>(),
    );
    for (endpoint, calls) in called {
        text.push_str(&format!("  {endpoint} was called {calls} times\n"));
    }
    text
}
