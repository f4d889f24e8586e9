//! One HTML file that needs nothing else: no network, no font, no script to be read. It works in a mail and from a
//! disk, in light and dark, and prints.

pub(crate) mod page;
pub(crate) mod overview;
mod group;
mod bodies;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::{GroupReport, Report, Upstreams, time};
use crate::store::Sample;
use bodies::Budget;
use page::{Page, put};

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

pub fn render(report: &Report) -> String {
    let mut page = Page::default();
    head(&mut page, "Strangler report");
    put!(page, "<header><h1>Strangler report</h1><p class=\"when\">made at {}", time(report.made_at));
    match &report.epoch {
        None => put!(page, ", over all epochs"),
        Some(epoch) => {
            for (name, value) in
                [("candidate", &epoch.candidate), ("control", &epoch.control), ("rules", &epoch.rules)]
            {
                let value = if value.is_empty() { "unnamed" } else { value };
                put!(page, " · {} <code>{}</code>", name, value);
            }
        }
    }
    put!(page, "</p></header>\n<main>\n");
    overview::summary(&mut page, report);
    overview::endpoints(&mut page, report);
    groups(&mut page, report);
    overview::undeclared(&mut page, report);
    overview::rules(&mut page, report);
    overview::transitions(&mut page, report);
    put!(page, "</main>\n");
    foot(page)
}

/// One group with its kept exchanges, as a page of its own.
pub fn render_group(group: &GroupReport, upstreams: &Upstreams) -> String {
    let mut page = Page::default();
    head(&mut page, "Strangler group");
    put!(page, "<header><h1>Group <code>{}</code></h1></header>\n<main>\n", group.group.fingerprint);
    group::card(&mut page, group, upstreams, true, &mut Budget::whole_page());
    put!(page, "</main>\n");
    foot(page)
}

/// One kept exchange as a piece of a page, of about so many bytes at most.
pub(crate) fn sample(sample: &Sample, upstreams: &Upstreams, bytes_max: usize) -> String {
    let mut page = Page::default();
    group::sample(&mut page, sample, upstreams, &mut Budget::bytes(bytes_max));
    page.finish()
}

pub(crate) fn head(page: &mut Page, title: &str) {
    let hash = |asset: &str| STANDARD.encode(Sha256::digest(asset.as_bytes()));
    put!(
        page,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-{}'; \
         script-src 'sha256-{}'; base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"referrer\" content=\"no-referrer\">\n\
         <title>{}</title>\n<style>",
        hash(STYLE),
        hash(SCRIPT),
        title
    );
    page.asset(STYLE);
    put!(page, "</style>\n</head>\n<body>\n");
}

pub(crate) fn foot(mut page: Page) -> String {
    put!(
        page,
        "<footer>Secrets were taken out before anything was stored: <code>&lt;redacted:7f3a&gt;</code> stands for one, \
         and equal ones have equal digits.</footer>\n<script>"
    );
    page.asset(SCRIPT);
    put!(page, "</script>\n</body>\n</html>\n");
    page.finish()
}

fn groups(page: &mut Page, report: &Report) {
    put!(page, "<section id=\"groups\"><h2>Groups</h2>\n");
    if report.groups.is_empty() {
        match report.total.compared() {
            0 => put!(page, "<p class=\"empty\">Nothing was compared, so nothing is known.</p>"),
            n => put!(page, "<p class=\"empty\">No divergence beyond the rules in {} comparisons.</p>", n),
        }
    } else {
        overview::group_filter(page, report);
    }
    let mut budget = Budget::whole_page();
    for (at, group) in report.groups.iter().enumerate() {
        group::card(page, group, &report.upstreams, at == 0, &mut budget);
    }
    if report.groups_left_out > 0 {
        put!(
            page,
            "<p class=\"empty\">{} more groups are in the store: <code>strangler divergences list</code></p>",
            report.groups_left_out
        );
    }
    put!(page, "</section>\n");
}
