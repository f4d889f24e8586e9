//! Everything but the groups: sums, endpoints, undeclared traffic, rules, the audit log.

use super::page::{Page, put};
use crate::divergence::Severity;
use crate::lifecycle::Hold;
use crate::report::latency::{Quantiles, shown};
use crate::report::{EndpointReport, Report, grouped, percent, time};
use crate::store::Tally;

pub(super) fn summary(page: &mut Page, report: &Report) {
    let total = &report.total;
    let (seen, compared) = (total.seen(), total.compared());
    put!(page, "<section class=\"summary\">\n");
    alerts(page, report);
    put!(page, "<div class=\"tiles\">\n");
    tile(page, "", "requests seen", seen, None);
    tile(page, "", "compared", compared, Some((seen, "seen")));
    tile(page, "match", "match", total.matched, Some((compared, "compared")));
    tile(page, "tolerated", "tolerated by rules", total.tolerated, Some((compared, "compared")));
    tile(page, "mismatch", "mismatch", total.mismatched, Some((compared, "compared")));
    tile(page, "skipped", "skipped", total.skipped_total(), Some((seen, "seen")));
    tile(page, "dropped", "dropped", total.dropped_total(), Some((seen, "seen")));
    put!(page, "</div>\n");
    bar(page, total, "bar wide");
    put!(page, "<dl class=\"reasons\">");
    for (reason, n) in &total.skipped {
        put!(page, "<div><dt>skipped, {}</dt><dd>{}</dd></div>", words(reason.as_str()), grouped(*n));
    }
    for (reason, n) in &total.dropped {
        put!(page, "<div><dt>dropped, {}</dt><dd>{}</dd></div>", words(reason.as_str()), grouped(*n));
    }
    if total.both_failed > 0 {
        put!(
            page,
            "<div><dt>compared, equal 5xx on both sides: no evidence of parity</dt><dd>{}</dd></div>",
            grouped(total.both_failed)
        );
    }
    if total.fallbacks > 0 {
        put!(
            page,
            "<div><dt>the candidate failed and control answered</dt><dd>{}</dd></div>",
            grouped(total.fallbacks)
        );
    }
    put!(page, "</dl></section>\n");
}

fn alerts(page: &mut Page, report: &Report) {
    let exposures = report.groups.iter().filter(|group| group.group.severity == Severity::Exposure);
    let (groups, times) =
        exposures.fold((0_u64, 0), |(groups, times), group| (groups + 1, times + group.group.count));
    if groups > 0 {
        put!(
            page,
            "<p class=\"alert exposure\"><strong>Exposure.</strong> The candidate shows what control withheld: \
             {} {}, seen {} times. <a href=\"#groups\">Look at them first.</a></p>\n",
            groups,
            if groups == 1 { "group" } else { "groups" },
            grouped(times)
        );
    }
    for endpoint in report.endpoints.iter().filter(|e| e.route.standing.hold == Hold::Fallback) {
        put!(
            page,
            "<p class=\"alert fallback\"><strong>Fallback.</strong> <code>{}</code> went back to control by itself \
             and waits for a person.</p>\n",
            endpoint.route.endpoint
        );
    }
}

fn tile(page: &mut Page, class: &str, name: &str, n: u64, of: Option<(u64, &str)>) {
    put!(page, "<div class=\"tile {}\"><b>{}</b><span>{}</span>", class, grouped(n), name);
    if let Some((whole, of)) = of {
        put!(page, "<small>{} of {}</small>", percent(n, whole), of);
    }
    put!(page, "</div>\n");
}

/// Where all requests went, to scale. Drawn, because a style attribute would need a weaker policy.
pub(crate) fn bar(page: &mut Page, tally: &Tally, class: &str) {
    let parts = [
        ("match", tally.matched),
        ("tolerated", tally.tolerated),
        ("mismatch", tally.mismatched),
        ("skipped", tally.skipped_total()),
        ("dropped", tally.dropped_total()),
    ];
    let seen = tally.seen().max(1);
    put!(
        page,
        "<svg class=\"{}\" viewBox=\"0 0 1000 10\" preserveAspectRatio=\"none\" role=\"img\"><title>",
        class
    );
    for (name, n) in parts.iter().filter(|(_, n)| *n > 0) {
        put!(page, "{} {} ({})  ", name, grouped(*n), percent(*n, seen));
    }
    put!(page, "</title>");
    let mut from = 0.0;
    for (name, n) in parts.iter().filter(|(_, n)| *n > 0) {
        let width = *n as f64 * 1000.0 / seen as f64;
        // A single mismatch among a million must still be seen.
        let drawn = width.max(4.0).min(1000.0 - from);
        put!(
            page,
            "<rect class=\"{}\" x=\"{}\" width=\"{}\" height=\"10\"/>",
            name,
            format_args!("{from:.1}"),
            format_args!("{drawn:.1}")
        );
        from += drawn;
    }
    put!(page, "</svg>\n");
}

pub(super) fn endpoints(page: &mut Page, report: &Report) {
    put!(page, "<section id=\"endpoints\"><h2>Endpoints</h2>\n");
    if report.endpoints.is_empty() {
        put!(page, "<p class=\"empty\">No endpoint is declared: everything goes to control.</p></section>\n");
        return;
    }
    put!(
        page,
        "<p class=\"tools\"><input type=\"search\" data-filter=\"endpoint\" placeholder=\"Filter endpoints\" \
         aria-label=\"Filter endpoints\"></p>\n\
         <div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"Endpoints\"><table class=\"endpoints\"><thead><tr><th>endpoint</th><th>stage</th>\
         <th class=\"n\">seen</th><th class=\"n\">compared</th><th>where they went</th><th class=\"n\">mismatch</th>\
         <th>groups</th><th class=\"n\">p50 / p95, control</th><th class=\"n\">candidate</th></tr></thead><tbody>\n"
    );
    for endpoint in &report.endpoints {
        row(page, endpoint);
    }
    let unmatched = &report.unmatched;
    if unmatched.seen() > 0 {
        put!(
            page,
            "<tr class=\"quiet\"><td>no endpoint matched</td><td></td><td class=\"n\">{}</td><td class=\"n\">0</td><td>",
            grouped(unmatched.seen())
        );
        bar(page, unmatched, "bar");
        put!(page, "</td><td class=\"n\">–</td><td></td><td></td><td></td></tr>\n");
    }
    put!(page, "</tbody></table></div></section>\n");
}

fn row(page: &mut Page, endpoint: &EndpointReport) {
    let EndpointReport { route, tally, latency, groups } = endpoint;
    let (method, template) = (route.endpoint.method(), route.endpoint.template());
    let quiet = if tally.seen() == 0 { "quiet" } else { "" };
    put!(
        page,
        "<tr class=\"endpoint {}\" data-text=\"{}\"><td><span class=\"method\">{}</span> <code>{}</code></td><td>",
        quiet,
        route.endpoint,
        method,
        template
    );
    put!(page, "<span class=\"stage {}\">{}</span>", route.standing.stage.as_str(), route.standing.stage);
    if route.standing.hold != Hold::None {
        put!(page, " <span class=\"hold\">{}</span>", route.standing.hold);
    }
    put!(
        page,
        "</td><td class=\"n\">{}</td><td class=\"n\">{}",
        grouped(tally.seen()),
        grouped(tally.compared())
    );
    put!(page, "<small>{}</small></td><td>", percent(tally.compared(), tally.seen()));
    if tally.seen() > 0 {
        bar(page, tally, "bar");
    }
    put!(page, "</td><td class=\"n\">");
    match tally.compared() {
        0 => put!(page, "–"),
        compared => {
            put!(page, "{}<small>{}</small>", grouped(tally.mismatched), percent(tally.mismatched, compared));
        }
    }
    put!(page, "</td><td>");
    for (severity, n) in groups.iter().rev() {
        put!(page, "<span class=\"pill {}\">{} {}</span> ", severity.as_str(), n, severity.as_str());
    }
    put!(page, "</td>");
    let quantiles = |page: &mut Page, quantiles: Quantiles| {
        put!(page, "<td class=\"n\">{}<small>{}</small></td>", shown(quantiles.p50), shown(quantiles.p95));
    };
    match latency {
        Some(latency) => {
            quantiles(page, latency.control);
            quantiles(page, latency.candidate);
        }
        None => put!(page, "<td class=\"n\">–</td><td class=\"n\">–</td>"),
    }
    put!(page, "</tr>\n");
}

pub(super) fn group_filter(page: &mut Page, report: &Report) {
    put!(
        page,
        "<p class=\"tools\"><input type=\"search\" data-filter=\"group\" placeholder=\"Filter groups\" \
         aria-label=\"Filter groups\"> "
    );
    for severity in Severity::ALL.into_iter().rev() {
        let n = report.groups.iter().filter(|group| group.group.severity == severity).count();
        if n > 0 {
            put!(
                page,
                "<label><input type=\"checkbox\" data-severity=\"{}\" checked> {} {}</label> ",
                severity.as_str(),
                severity.as_str(),
                n
            );
        }
    }
    put!(
        page,
        "<button type=\"button\" data-open=\"all\">Open all</button> <button type=\"button\" data-open=\"none\">Close all</button></p>\n"
    );
}

pub(super) fn undeclared(page: &mut Page, report: &Report) {
    if report.undeclared.is_empty() {
        return;
    }
    put!(
        page,
        "<section id=\"undeclared\"><h2>Undeclared traffic</h2>\n<p>It matched no endpoint and went to control. What is \
         proposed here was made up from the paths that were seen.</p>\n<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"Undeclared traffic\"><table><thead><tr>\
         <th>proposed</th><th class=\"n\">requests</th><th>seen as</th></tr></thead><tbody>\n"
    );
    for undeclared in &report.undeclared {
        put!(
            page,
            "<tr><td><span class=\"method\">{}</span> <code>{}</code></td><td class=\"n\">{}</td><td>",
            undeclared.proposed.method(),
            undeclared.proposed.template(),
            grouped(undeclared.count)
        );
        for example in &undeclared.examples {
            put!(page, "<code>{}</code> ", example);
        }
        put!(page, "</td></tr>\n");
    }
    put!(page, "</tbody></table></div></section>\n");
}

pub(super) fn rules(page: &mut Page, report: &Report) {
    if report.rules.is_empty() {
        return;
    }
    put!(
        page,
        "<section id=\"rules\"><h2>Rules</h2>\n<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"Rules\"><table><thead><tr><th>rule</th>\
         <th class=\"n\">applied</th><th class=\"n\">hid</th><th></th></tr></thead><tbody>\n"
    );
    for rule in &report.rules {
        put!(
            page,
            "<tr><td><code>{}</code></td><td class=\"n\">{}</td><td class=\"n\">{}</td><td>",
            rule.tally.rule,
            grouped(rule.tally.applied),
            grouped(rule.tally.hidden)
        );
        if let Some(remark) = rule.remark {
            put!(page, "<span class=\"remark\">{}</span>", remark.as_str());
        }
        put!(page, "</td></tr>\n");
    }
    put!(page, "</tbody></table></div></section>\n");
}

pub(super) fn transitions(page: &mut Page, report: &Report) {
    if report.transitions.is_empty() {
        return;
    }
    put!(
        page,
        "<section id=\"transitions\"><h2>Transitions</h2>\n<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"Transitions\"><table><thead><tr><th>when</th>\
         <th>endpoint</th><th>move</th><th>who and why</th></tr></thead><tbody>\n"
    );
    for transition in &report.transitions {
        let flip = &transition.flip;
        put!(
            page,
            "<tr><td class=\"when\">{}</td><td><span class=\"method\">{}</span> <code>{}</code></td><td>{} → {}",
            time(flip.at),
            flip.endpoint.method(),
            flip.endpoint.template(),
            transition.from.stage,
            flip.to.stage
        );
        if transition.from.hold != flip.to.hold {
            put!(page, " <span class=\"hold\">{} → {}</span>", transition.from.hold, flip.to.hold);
        }
        if flip.forced {
            put!(page, " <span class=\"hold\">forced</span>");
        }
        put!(page, "</td><td><b>{}</b>: {}", flip.actor, flip.reason);
        put!(page, "<details><summary>evidence</summary><pre>{}</pre></details></td></tr>\n", flip.evidence);
    }
    put!(page, "</tbody></table></div></section>\n");
}

/// `request_too_large` as it is read aloud.
fn words(reason: &str) -> String {
    reason.replace('_', " ")
}
