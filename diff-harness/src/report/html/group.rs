//! Pieces of a group's page: the newest values, and the exchanges that show it.

use http::HeaderMap;

use super::bodies::{self, Budget};
use super::page::{Page, put};
use crate::divergence::{Divergence, Location};
use crate::exchange::{Observation, Outcome};
use crate::report::curl::curl_line;
use crate::report::json::outcome_line;
use crate::report::side_by_side;
use crate::report::{Upstreams, grouped, time};
use crate::store::Sample;

/// Both values of the newest divergence.
pub(crate) fn values(page: &mut Page, divergence: &Divergence) {
    put!(page, "<p class=\"at\">newest at <code>{}</code></p><div class=\"values\">", divergence.location);
    for (side, value) in [("control", &divergence.control), ("candidate", &divergence.candidate)] {
        match value {
            Some(value) => put!(page, "<div><h3>{}</h3><pre>{}</pre></div>", side, value),
            None => put!(page, "<div><h3>{}</h3><p class=\"nothing\">nothing</p></div>", side),
        }
    }
    put!(page, "</div>\n");
}

pub(super) fn sample(page: &mut Page, sample: &Sample, upstreams: &Upstreams, budget: &mut Budget) {
    let exchange = sample.exchange.get();
    put!(
        page,
        "<section class=\"sample\"><h3><span class=\"method\">{}</span> <code>{}</code></h3>\
         <p class=\"facts\">request <code>{}</code> at {} · control {} · candidate {}</p>\n",
        exchange.request.method,
        exchange.request.target,
        exchange.id,
        time(exchange.at),
        outcome_line(&exchange.control),
        outcome_line(&exchange.candidate)
    );
    for note in &sample.notes {
        put!(page, "<p class=\"note\">{}</p>\n", note);
    }
    let divergences: Vec<&Divergence> = sample.divergences.iter().map(|(_, found)| found.get()).collect();
    bodies::write(page, &side_by_side::bodies(exchange, &divergences), budget);
    put!(page, "<details class=\"more\"><summary>status and headers</summary><div class=\"values\">");
    for (side, observation) in [("control", &exchange.control), ("candidate", &exchange.candidate)] {
        put!(page, "<div><h4>{}</h4>", side);
        head(page, observation, &divergences);
        put!(page, "</div>");
    }
    put!(
        page,
        "</div></details>\n<details class=\"more\"><summary>the request, and how to repeat it</summary>"
    );
    put!(page, "<table class=\"headers\">");
    headers(page, &exchange.request.headers, &[]);
    put!(page, "</table>");
    for (side, base) in [("control", &upstreams.control), ("candidate", &upstreams.candidate)] {
        put!(
            page,
            "<div class=\"curl\"><h4>{}</h4><pre>{}</pre><button type=\"button\" data-copy>Copy</button></div>",
            side,
            curl_line(&sample.exchange, base)
        );
    }
    put!(page, "</details></section>\n");
}

fn head(page: &mut Page, observation: &Observation, divergences: &[&Divergence]) {
    match &observation.outcome {
        Outcome::Failure(failure) => put!(page, "<p class=\"nothing\">no response: {}</p>", failure.as_str()),
        Outcome::Response(response) => {
            let differs = divergences.iter().any(|divergence| divergence.location == Location::Status);
            put!(
                page,
                "<p class=\"status {}\">{}</p><table class=\"headers\">",
                if differs { "differs" } else { "" },
                response.status
            );
            headers(page, &response.headers, divergences);
            put!(page, "</table>");
        }
    }
}

fn headers(page: &mut Page, headers: &HeaderMap, divergences: &[&Divergence]) {
    for (name, value) in headers {
        let differs = divergences.iter().any(
            |divergence| matches!(&divergence.location, Location::Header { name: known, .. } if known == name.as_str()),
        );
        put!(
            page,
            "<tr class=\"{}\"><th>{}</th><td>{}</td></tr>",
            if differs { "differs" } else { "" },
            name,
            cut(&String::from_utf8_lossy(value.as_bytes()))
        );
    }
}

/// A value that is longer than anybody reads is cut, and says so.
fn cut(value: &str) -> String {
    const BYTES_MAX: usize = 2_000;
    match value.len() {
        0..=BYTES_MAX => value.to_owned(),
        bytes => {
            let end = value.floor_char_boundary(BYTES_MAX);
            format!("{} … {} more bytes", &value[..end], grouped((bytes - end) as u64))
        }
    }
}
