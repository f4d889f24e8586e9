//! Plots as inline SVG. Every line has its name beside it and a form of its own, so that none needs a colour to be
//! read; what a plot shows is told in its title and, where a number matters, in a table.

use crate::exchange::UnixMillis;
use crate::report::grouped;
use crate::report::html::page::{Page, put};
use crate::report::latency::{Latency, shown};
use crate::store::LatencyPair;

use super::days::StageDay;
use super::words::day;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 160.0;
/// Room for the names at the right and the scale at the bottom.
const RIGHT: f64 = 96.0;
const LEFT: f64 = 44.0;
const BOTTOM: f64 = 22.0;

/// What happened within one minute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Minute {
    pub at: UnixMillis,
    pub seen: u64,
    pub mismatched: u64,
}

/// What is left to move, day by day. Empty for fewer than two days.
pub fn burn_down(days: &[StageDay]) -> String {
    let (Some(first), Some(last)) = (days.first(), days.last()) else { return String::new() };
    if days.len() < 2 {
        return String::new();
    }
    let most = days.iter().map(|day| day.staying + day.moving + day.moved).max().unwrap_or(0).max(1);
    let x = |at: usize| LEFT + (WIDTH - LEFT - RIGHT) * at as f64 / (days.len() - 1) as f64;
    let y = |n: u64| 6.0 + (HEIGHT - BOTTOM - 6.0) * (1.0 - n as f64 / most as f64);
    let mut page = Page::default();
    put!(
        page,
        "<figure class=\"plot\"><figcaption>Endpoints that are left to move, and those that moved</figcaption>\
         <svg viewBox=\"0 0 {} {}\" role=\"img\"><title>From {} to {}: {} of {} endpoints are left to move, {} moved.</title>",
        WIDTH,
        HEIGHT,
        day(first.at),
        day(last.at),
        last.staying + last.moving,
        most,
        last.moved
    );
    axis(&mut page, most, &day(first.at), &day(last.at));
    for (name, class, of) in [
        ("left to move", "one", (|day| day.staying + day.moving) as fn(&StageDay) -> u64),
        ("moved", "two", |day| day.moved),
    ] {
        let points: Vec<_> = days.iter().enumerate().map(|(at, day)| (x(at), y(of(day)))).collect();
        steps(&mut page, class, &points);
        name_of(&mut page, class, name, &points, of(last));
    }
    put!(page, "</svg></figure>\n");
    page.finish()
}

/// How many of the newest pairs each side answered within a time, on a logarithmic scale.
pub fn latencies(pairs: &[LatencyPair]) -> String {
    let mut page = Page::default();
    let Some(latency) = Latency::of(pairs) else {
        put!(page, "<p class=\"empty\">No pair was measured in this epoch.</p>");
        return page.finish();
    };
    let mut sides = [
        ("control", "one", pairs.iter().map(|pair| pair.control_us).collect::<Vec<_>>()),
        ("candidate", "two", pairs.iter().map(|pair| pair.candidate_us).collect::<Vec<_>>()),
    ];
    for (_, _, micros) in &mut sides {
        micros.sort_unstable();
    }
    let all = || sides.iter().flat_map(|(_, _, micros)| micros.iter().copied());
    let least = f64::from(all().min().unwrap_or(1).max(1)).ln();
    let most = f64::from(all().max().unwrap_or(1).max(2)).ln().max(least + 0.1);
    let x = |micros: u32| {
        LEFT + (WIDTH - LEFT - RIGHT) * (f64::from(micros.max(1)).ln() - least) / (most - least)
    };
    let time = |micros: f64| shown(std::time::Duration::from_micros(micros.exp().round() as u64));
    put!(
        page,
        "<figure class=\"plot\"><figcaption>Share of the newest {} pairs that was answered within a time</figcaption>\
         <svg viewBox=\"0 0 {} {}\" role=\"img\"><title>Latency of both sides. Half of the answers took control up to {} and the candidate up to {}.</title>",
        grouped(pairs.len() as u64),
        WIDTH,
        HEIGHT,
        shown(latency.control.p50),
        shown(latency.candidate.p50)
    );
    axis(&mut page, 100, &time(least), &time(most));
    for (name, class, micros) in &sides {
        const POINTS: usize = 100;
        let points: Vec<_> = (0..=POINTS)
            .map(|at| {
                let rank = (micros.len() - 1) * at / POINTS;
                let share = at as f64 / POINTS as f64;
                (x(micros[rank]), 6.0 + (HEIGHT - BOTTOM - 6.0) * (1.0 - share))
            })
            .collect();
        line(&mut page, class, &points);
        // Named where the lines are apart: the candidate above, control below.
        let at = if *name == "control" { 30 } else { 80 };
        let (x, y) = points[at];
        put!(
            page,
            "<text class=\"{}\" x=\"{}\" y=\"{}\">{}</text>",
            class,
            format_args!("{:.0}", x + 6.0),
            format_args!("{:.0}", y + 4.0),
            name
        );
    }
    put!(
        page,
        "</svg></figure>\n<table class=\"small\"><thead><tr><th scope=\"col\">side</th><th scope=\"col\" class=\"n\">p50</th><th scope=\"col\" class=\"n\">p95</th><th scope=\"col\" class=\"n\">p99</th></tr></thead><tbody>"
    );
    for (name, side) in [("control", latency.control), ("candidate", latency.candidate)] {
        put!(
            page,
            "<tr><th scope=\"row\">{}</th><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td></tr>",
            name,
            shown(side.p50),
            shown(side.p95),
            shown(side.p99)
        );
    }
    put!(page, "</tbody></table>\n");
    page.finish()
}

/// Requests of each minute, and those of them that diverged.
pub fn rates(minutes: &[Minute]) -> String {
    let mut page = Page::default();
    let (Some(first), Some(last)) = (minutes.first(), minutes.last()) else {
        put!(
            page,
            "<p class=\"empty\">Counted by the minute since the proxy started; there is no whole minute yet.</p>"
        );
        return page.finish();
    };
    let most = minutes.iter().map(|minute| minute.seen).max().unwrap_or(0).max(1);
    let (seen, mismatched) = minutes
        .iter()
        .fold((0, 0), |(seen, mismatched), minute| (seen + minute.seen, mismatched + minute.mismatched));
    put!(
        page,
        "<figure class=\"plot\"><figcaption>Requests of each minute; the hatched part diverged</figcaption>\
         <svg viewBox=\"0 0 {} {}\" role=\"img\"><title>{} requests in {} minutes, of which {} diverged.</title>\
         <defs><pattern id=\"hatch\" width=\"4\" height=\"4\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\">\
         <rect width=\"4\" height=\"4\" class=\"hatch-ground\"/><path d=\"M0 0v4\" class=\"hatch-line\"/></pattern></defs>",
        WIDTH,
        HEIGHT,
        grouped(seen),
        minutes.len(),
        grouped(mismatched)
    );
    axis(&mut page, most, &clock(first.at), &clock(last.at));
    let width = (WIDTH - LEFT - RIGHT) / minutes.len().max(12) as f64;
    for (at, minute) in minutes.iter().enumerate() {
        let column = |page: &mut Page, class: &str, n: u64| {
            let height = (HEIGHT - BOTTOM - 6.0) * n as f64 / most as f64;
            put!(
                page,
                "<rect class=\"{}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>",
                class,
                format_args!("{:.1}", LEFT + width * at as f64),
                format_args!("{:.1}", HEIGHT - BOTTOM - height),
                format_args!("{:.1}", (width - 1.0).max(1.0)),
                format_args!("{height:.1}")
            );
        };
        if minute.seen > 0 {
            column(&mut page, "column", minute.seen);
        }
        if minute.mismatched > 0 {
            column(&mut page, "column diverged", minute.mismatched.min(minute.seen));
        }
    }
    put!(page, "</svg></figure>\n");
    page.finish()
}

fn clock(at: UnixMillis) -> String {
    super::words::moment(at).split_off(11)
}

/// The scale: 0 and the most at the left, the two ends at the bottom.
fn axis(page: &mut Page, most: u64, from: &str, to: &str) {
    let floor = HEIGHT - BOTTOM;
    put!(page, "<path class=\"axis\" d=\"M{} 6V{}H{}\"/>", LEFT, floor, WIDTH - RIGHT);
    for (y, text) in [(10.0, grouped(most)), (floor, "0".to_owned())] {
        put!(page, "<text class=\"scale end\" x=\"{}\" y=\"{}\">{}</text>", LEFT - 5.0, y, text);
    }
    put!(page, "<text class=\"scale\" x=\"{}\" y=\"{}\">{}</text>", LEFT, HEIGHT - 6.0, from);
    put!(page, "<text class=\"scale end\" x=\"{}\" y=\"{}\">{}</text>", WIDTH - RIGHT, HEIGHT - 6.0, to);
}

fn line(page: &mut Page, class: &str, points: &[(f64, f64)]) {
    path(
        page,
        class,
        points
            .iter()
            .enumerate()
            .map(|(at, (x, y))| format!("{}{x:.1} {y:.1}", if at == 0 { 'M' } else { 'L' })),
    );
}

/// What is counted changes at once and not in between.
fn steps(page: &mut Page, class: &str, points: &[(f64, f64)]) {
    path(
        page,
        class,
        points
            .iter()
            .enumerate()
            .map(|(at, (x, y))| if at == 0 { format!("M{x:.1} {y:.1}") } else { format!("H{x:.1}V{y:.1}") }),
    );
}

fn path(page: &mut Page, class: &str, moves: impl Iterator<Item = String>) {
    put!(page, "<path class=\"line {}\" d=\"{}\"/>", class, moves.collect::<String>());
}

fn name_of(page: &mut Page, class: &str, name: &str, points: &[(f64, f64)], n: u64) {
    let Some((x, y)) = points.last() else { return };
    put!(
        page,
        "<text class=\"{}\" x=\"{}\" y=\"{}\">{} {}</text>",
        class,
        format_args!("{:.0}", x + 5.0),
        format_args!("{:.0}", y + 4.0),
        grouped(n),
        name
    );
}
