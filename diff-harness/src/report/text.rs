//! For a terminal, 80 columns wide, without colour.

use std::fmt::{self, Write};

use super::curl::is_deceptive;
use super::latency::shown;
use super::{EndpointReport, GroupReport, Report, percent, time};
use crate::divergence::{Kind, Severity};
use crate::lifecycle::Hold;
use crate::store::Tally;

const WIDTH: usize = 80;
const ENDPOINT_WIDTH: usize = 29;
const STAGE_WIDTH: usize = 13;
/// Groups that are listed in full.
const GROUPS_MAX: usize = 50;

pub fn render(report: &Report) -> String {
    let mut out = String::new();
    write(&mut out, report).expect("a string takes everything");
    out
}

fn write(out: &mut String, report: &Report) -> fmt::Result {
    writeln!(out, "Strangler report, {}", time(report.made_at))?;
    match &report.epoch {
        None => writeln!(out, "over all epochs")?,
        Some(epoch) => {
            let name = |text: &str| if text.is_empty() { "unnamed".to_owned() } else { printable(text, 24) };
            writeln!(
                out,
                "epoch: candidate {}, control {}, rules {}",
                name(&epoch.candidate),
                name(&epoch.control),
                name(&epoch.rules)
            )?;
        }
    }
    writeln!(out)?;
    totals(out, &report.total)?;
    urgent(out, report)?;
    endpoints(out, report)?;
    groups(out, report)?;
    rest(out, report)
}

fn totals(out: &mut String, total: &Tally) -> fmt::Result {
    let (seen, compared) = (total.seen(), total.compared());
    let line = |out: &mut String, name: &str, n: u64, whole: u64, of: &str| {
        writeln!(out, "  {name:<12}{n:>10}   {} of {of}", percent(n, whole))
    };
    writeln!(out, "  {:<12}{seen:>10}   requests", "seen")?;
    line(out, "compared", compared, seen, "seen")?;
    line(out, "  match", total.matched, compared, "compared")?;
    line(out, "  tolerated", total.tolerated, compared, "compared")?;
    line(out, "  mismatch", total.mismatched, compared, "compared")?;
    line(out, "skipped", total.skipped_total(), seen, "seen")?;
    for (reason, n) in &total.skipped {
        writeln!(out, "    {:<20}{n:>10}", reason.as_str())?;
    }
    line(out, "dropped", total.dropped_total(), seen, "seen")?;
    for (reason, n) in &total.dropped {
        writeln!(out, "    {:<20}{n:>10}", reason.as_str())?;
    }
    if total.both_failed > 0 {
        writeln!(
            out,
            "  {} of the compared were equal 5xx on both sides: no evidence of parity",
            total.both_failed
        )?;
    }
    Ok(())
}

fn urgent(out: &mut String, report: &Report) -> fmt::Result {
    let exposures = report.groups.iter().filter(|group| group.group.severity == Severity::Exposure).count();
    if exposures > 0 {
        writeln!(out, "\n! {exposures} exposure group(s): the candidate shows what control withheld")?;
    }
    for endpoint in report.endpoints.iter().filter(|e| e.route.standing.hold == Hold::Fallback) {
        writeln!(out, "! {} fell back to control and waits for a person", printable_endpoint(endpoint, 50))?;
    }
    Ok(())
}

fn endpoints(out: &mut String, report: &Report) -> fmt::Result {
    writeln!(
        out,
        "\n{:<ENDPOINT_WIDTH$} {:<STAGE_WIDTH$} {:>7} {:>8} {:>8}  GROUPS",
        "ENDPOINT", "STAGE", "SEEN", "COMPARED", "MISMATCH"
    )?;
    for endpoint in &report.endpoints {
        let tally = &endpoint.tally;
        let standing = endpoint.route.standing;
        let stage = match standing.hold {
            Hold::None => standing.stage.to_string(),
            hold => format!("{}!{hold}", standing.stage),
        };
        let line = format!(
            "{:<ENDPOINT_WIDTH$} {stage:<STAGE_WIDTH$} {:>7} {:>8} {:>8}  {}",
            printable_endpoint(endpoint, ENDPOINT_WIDTH),
            short(tally.seen()),
            short(tally.compared()),
            if tally.compared() == 0 { "–".to_owned() } else { short(tally.mismatched) },
            letters(endpoint)
        );
        writeln!(out, "{}", line.trim_end())?;
        if let Some(latency) = endpoint.latency {
            writeln!(
                out,
                "  p50/p95 of {} pairs: control {}/{}, candidate {}/{}",
                latency.pairs,
                shown(latency.control.p50),
                shown(latency.control.p95),
                shown(latency.candidate.p50),
                shown(latency.candidate.p95)
            )?;
        }
    }
    writeln!(out, "E exposure, B breaking, C changed, c cosmetic groups; – nothing compared; ! held")
}

/// `2E 1C`.
fn letters(endpoint: &EndpointReport) -> String {
    let letter = |severity| match severity {
        Severity::Exposure => 'E',
        Severity::Breaking => 'B',
        Severity::Changed => 'C',
        Severity::Cosmetic => 'c',
    };
    let counts = endpoint.groups.iter().rev().map(|(severity, n)| format!("{n}{}", letter(*severity)));
    counts.collect::<Vec<_>>().join(" ")
}

fn groups(out: &mut String, report: &Report) -> fmt::Result {
    if report.groups.is_empty() {
        return match report.total.compared() {
            0 => writeln!(out, "\nNothing was compared, so nothing is known."),
            _ => writeln!(out, "\nNo group: no divergence beyond the rules was found."),
        };
    }
    writeln!(out, "\nGROUPS, worst first")?;
    for group in report.groups.iter().take(GROUPS_MAX) {
        write_group(out, group)?;
    }
    let more = report.groups.len().saturating_sub(GROUPS_MAX) + report.groups_left_out;
    if more > 0 {
        writeln!(out, "\n{more} more: `strangler divergences list` lists them")?;
    }
    Ok(())
}

/// One group, as it stands in the report and under `divergences list`.
pub fn write_group(out: &mut String, report: &GroupReport) -> fmt::Result {
    let group = &report.group;
    let detail =
        group.detail.as_deref().map(|detail| format!(" ({})", printable(detail, 30))).unwrap_or_default();
    writeln!(out, "\n{:<9} {}", group.severity.as_str(), printable(&group.endpoint.to_string(), WIDTH - 10))?;
    writeln!(
        out,
        "  {}{detail}",
        printable(&placed(group.kind, &group.location), WIDTH - 2 - detail.chars().count())
    )?;
    let example = group.example.get();
    for (side, value) in [("control  ", &example.control), ("candidate", &example.candidate)] {
        let value =
            value.as_deref().map_or_else(|| "(nothing)".to_owned(), |value| printable(value, WIDTH - 13));
        writeln!(out, "  {side}  {value}")?;
    }
    writeln!(
        out,
        "  {} in {} exchange(s), last {}  {}",
        group.count,
        group.exchanges,
        time(group.last_seen),
        group.fingerprint
    )
}

fn rest(out: &mut String, report: &Report) -> fmt::Result {
    let remarkable: Vec<_> = report.rules.iter().filter_map(|rule| Some((rule, rule.remark?))).collect();
    if !remarkable.is_empty() {
        writeln!(out, "\nRULES to look at")?;
        for (rule, remark) in remarkable {
            let tally = &rule.tally;
            writeln!(
                out,
                "  {}: {} (applied {}, hid {})",
                printable(&tally.rule, 40),
                remark.as_str(),
                tally.applied,
                tally.hidden
            )?;
        }
    }
    let remarkable: Vec<_> =
        report.waivers.iter().filter_map(|waiver| Some((waiver, waiver.remark?))).collect();
    if !remarkable.is_empty() {
        writeln!(out, "\nWAIVERS to look at")?;
        for (waiver, remark) in remarkable {
            let (group, owner) = (&waiver.group, printable(&waiver.owner, 20));
            writeln!(out, "  {group} ({owner}): {}", remark.as_str())?;
            writeln!(out, "    found in {} of {} comparisons", waiver.exchanges, waiver.compared)?;
        }
    }
    if !report.undeclared.is_empty() {
        writeln!(out, "\nUNDECLARED traffic: it matched no endpoint and went to control")?;
        for undeclared in &report.undeclared {
            let proposed = printable(&undeclared.proposed.to_string(), 56);
            writeln!(out, "  {:>7}  {proposed}", short(undeclared.count))?;
        }
    }
    if !report.transitions.is_empty() {
        writeln!(out, "\nTRANSITIONS, newest first")?;
        for transition in report.transitions.iter().take(10) {
            let flip = &transition.flip;
            let hold =
                if flip.to.hold == Hold::None { String::new() } else { format!(" ({})", flip.to.hold) };
            writeln!(
                out,
                "  {} {} {} → {}{hold}{}",
                time(flip.at),
                printable(&flip.endpoint.to_string(), 28),
                transition.from.stage,
                flip.to.stage,
                if flip.forced { ", forced" } else { "" }
            )?;
            writeln!(out, "    {}: {}", printable(&flip.actor, 16), printable(&flip.reason, WIDTH - 24))?;
        }
    }
    Ok(())
}

/// `value at $.title`, and `header vary`, whose location says its kind itself.
fn placed(kind: Kind, location: &str) -> String {
    match super::without_kind(kind, location) {
        "" => location.to_owned(),
        rest if rest.len() < location.len() => location.to_owned(),
        _ => format!("{} at {location}", kind.as_str()),
    }
}

pub(crate) fn printable_endpoint(endpoint: &EndpointReport, width: usize) -> String {
    printable(&endpoint.route.endpoint.to_string(), width)
}

/// Whole up to six digits, then in thousands and millions.
fn short(n: u64) -> String {
    match n {
        0..1_000_000 => n.to_string(),
        1_000_000..10_000_000_000 => format!("{:.1}M", n as f64 / 1e6),
        _ => format!("{:.1}G", n as f64 / 1e9),
    }
}

/// At most `width` characters on one line, none of which a terminal acts on.
pub fn printable(text: &str, width: usize) -> String {
    let mut out = String::new();
    for (at, c) in text.chars().enumerate() {
        if at + 1 >= width && text.chars().nth(width).is_some() {
            out.push('…');
            break;
        }
        match c {
            '\n' => out.push('↵'),
            '\t' => out.push(' '),
            c if c.is_control() || is_deceptive(c) => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// One kept exchange for a terminal: what was asked, what came back, what differed, and how to ask again.
pub fn render_sample(sample: &crate::store::Sample, upstreams: &super::Upstreams) -> String {
    let mut out = String::new();
    write_sample(&mut out, sample, upstreams).expect("a string takes everything");
    out
}

fn write_sample(
    out: &mut String,
    sample: &crate::store::Sample,
    upstreams: &super::Upstreams,
) -> fmt::Result {
    let exchange = sample.exchange.get();
    writeln!(out, "exchange {} at {}", printable(&exchange.id, 48), time(exchange.at))?;
    writeln!(out, "  {} {}", exchange.request.method, printable(&exchange.request.target, 400))?;
    for (side, observation) in [("control", &exchange.control), ("candidate", &exchange.candidate)] {
        writeln!(out, "  {side:<9} {}", super::json::outcome_line(observation))?;
    }
    for note in &sample.notes {
        writeln!(out, "  note: {}", printable(note, 200))?;
    }
    for (fingerprint, divergence) in &sample.divergences {
        let divergence = divergence.get();
        writeln!(
            out,
            "\n  {} {}  {fingerprint}",
            divergence.severity.as_str(),
            printable(&placed(divergence.kind, &divergence.location.to_string()), 200)
        )?;
        for (sign, value) in [('-', &divergence.control), ('+', &divergence.candidate)] {
            if let Some(value) = value {
                writeln!(out, "    {sign} {}", printable(value, 400))?;
            }
        }
    }
    writeln!(out, "\n  again, without its secrets:")?;
    for base in [&upstreams.control, &upstreams.candidate] {
        writeln!(out, "    {}", super::curl::curl_line(&sample.exchange, base))?;
    }
    Ok(())
}
