//! Counters in the text format that Prometheus scrapes (version 0.0.4).

use std::fmt::Write;
use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use diff_harness::endpoint::EndpointId;
use diff_harness::exchange::Side;
use http::header::CONTENT_TYPE;

use super::api::Api;
use crate::counters::{EndpointCounters, LatencySnapshot};
use crate::data_plane::Present;
use crate::data_plane::upstream::{Address, AddressTally, Use};
use crate::shadow::Waits;

const QUANTILES: [f64; 3] = [0.5, 0.95, 0.99];

/// Reads atomics only: a scrape waits for no store and no lock of the data plane.
pub(super) async fn scrape(State(api): State<Arc<Api>>) -> Response {
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], exposition(&api)).into_response()
}

fn exposition(api: &Api) -> String {
    let mut page = Page::default();
    let all: Vec<_> = api
        .registry
        .all()
        .into_iter()
        .map(|(endpoint, counters)| (endpoint_label(endpoint.as_ref()), counters))
        .collect();

    page.family("strangler_build_info", "gauge", "The version that runs.");
    page.sample("strangler_build_info", &[("version", env!("CARGO_PKG_VERSION"))], 1);
    requests(&mut page, &all);
    again(&mut page, &all);
    latencies(&mut page, &all);
    waits(&mut page, api.shadow.waits());

    page.family("strangler_endpoint_info", "gauge", "Where each endpoint stands.");
    for route in api.control.routes() {
        let (endpoint, stage) = (route.endpoint.to_string(), route.standing.stage.to_string());
        let labels = [("endpoint", &*endpoint), ("stage", &stage), ("hold", route.standing.hold.as_str())];
        page.sample("strangler_endpoint_info", &labels, 1);
    }

    page.family("strangler_refusals_total", "counter", "Requests that the proxy answered itself, by why.");
    for (reason, n) in api.refusals.by_reason() {
        page.sample("strangler_refusals_total", &[("reason", reason)], n);
    }

    let name = "strangler_connections_accepted_total";
    page.family(name, "counter", "Client connections that were accepted.");
    page.sample(name, &[], api.counts.connections_accepted());
    let name = "strangler_connections_turned_away_total";
    page.family(name, "counter", "Client connections that were closed for what they are, by why.");
    for (why, n) in api.counts.turned_away() {
        page.sample(name, &[("reason", why.reason())], n);
    }
    upstreams(&mut page, api);
    certificates(&mut page, api);

    let name = "strangler_responses_broken_off_total";
    page.family(name, "counter", "Responses of which the client got a part.");
    page.sample(name, &[], api.refusals.broken_off());
    let name = "strangler_clients_left_total";
    page.family(name, "counter", "Requests whose client left before it had its response.");
    page.sample(name, &[], api.refusals.clients_left());
    present(&mut page, &api.counts.present());
    threads(&mut page, &api.counts.present_by_thread());

    let health = api.recorder.health();
    page.family("strangler_store_failing", "gauge", "1 while the store refuses what is written.");
    page.sample("strangler_store_failing", &[], u64::from(health.failing.is_some()));
    page.family("strangler_record_waiting", "gauge", "Comparisons whose details wait for the store.");
    page.sample("strangler_record_waiting", &[], health.waiting as u64);
    page.family("strangler_record_waiting_bytes", "gauge", "Bytes of what waits for the store.");
    page.sample("strangler_record_waiting_bytes", &[], health.waiting_bytes as u64);
    page.family("strangler_unrecorded_total", "counter", "Comparisons whose details were given up.");
    page.sample("strangler_unrecorded_total", &[], health.unrecorded);
    page.text
}

fn upstreams(page: &mut Page, api: &Api) {
    let all: Vec<_> = api
        .upstreams
        .all()
        .flat_map(|upstream| {
            let addresses = upstream.addresses();
            let named = |address: &Arc<Address>| (upstream, address.socket.to_string(), Arc::clone(address));
            addresses.iter().map(named).collect::<Vec<_>>()
        })
        .collect();
    let name = "strangler_upstream_address_state";
    page.family(name, "gauge", "1 for the state in which each address is: used, ejected or unhealthy.");
    for (upstream, socket, address) in &all {
        for (role, of) in [("answer", Use::Clients), ("shadow", Use::Shadows)] {
            let state = upstream.state(address, of).as_str();
            let labels =
                [("side", upstream.side.as_str()), ("address", socket), ("role", role), ("state", state)];
            page.sample(name, &labels, 1);
        }
    }
    let name = "strangler_upstream_ejections_total";
    page.family(name, "counter", "How often an address failed too often in a row and was left alone.");
    for (upstream, socket, address) in &all {
        for (role, of) in [("answer", Use::Clients), ("shadow", Use::Shadows)] {
            let labels = [("side", upstream.side.as_str()), ("address", socket), ("role", role)];
            page.sample(name, &labels, address.ejections(of));
        }
    }
    type Figure = fn(&AddressTally) -> u64;
    let figures: [(&str, &str, Figure); 6] = [
        ("strangler_upstream_requests_total", "Requests that were sent to an address.", |tally| {
            tally.requests
        }),
        ("strangler_upstream_connects_total", "Connections that were begun to an address.", |tally| {
            tally.connects
        }),
        ("strangler_upstream_connects_failed_total", "Connections that could not be made.", |tally| {
            tally.connects_failed
        }),
        (
            "strangler_upstream_closed_on_reuse_total",
            "Requests that met a close on a connection that had served before.",
            |tally| tally.races,
        ),
        (
            "strangler_upstream_probes_total",
            "How often an address that was left alone was asked how it is.",
            |tally| tally.probes,
        ),
        (
            "strangler_upstream_probes_failed_total",
            "How often an address that was left alone was not well when it was asked.",
            |tally| tally.probes_failed,
        ),
    ];
    for (name, help, figure) in figures {
        page.family(name, "counter", help);
        for (upstream, socket, address) in &all {
            let labels = [("side", upstream.side.as_str()), ("address", socket.as_str())];
            page.sample(name, &labels, figure(&address.counts.tally()));
        }
    }
    let name = "strangler_upstream_resolutions_total";
    page.family(name, "counter", "How often the names of an upstream were resolved.");
    for upstream in api.upstreams.all() {
        let tally = upstream.resolve_tally();
        for (result, n) in [("resolved", tally.resolved), ("failed", tally.failed)] {
            page.sample(name, &[("side", upstream.side.as_str()), ("result", result)], n);
        }
    }
}

fn certificates(page: &mut Page, api: &Api) {
    let name = "strangler_certificate_not_after_seconds";
    page.family(name, "gauge", "When each certificate in force ends, in seconds since 1970.");
    for (used_by, certificate) in api.certificates.all() {
        let file = certificate.file.display().to_string();
        let labels = [
            ("used_by", used_by.as_str()),
            ("purpose", certificate.purpose.as_str()),
            ("file", &file),
            ("for", certificate.called()),
            ("serial", &certificate.serial),
        ];
        page.sample(name, &labels, u64::try_from(certificate.not_after).unwrap_or(0));
    }
    let name = "strangler_certificates_refused";
    page.family(
        name,
        "gauge",
        "1 while the files of TLS cannot be used as they are, and older ones are in force.",
    );
    let problems = api.certificates.problems();
    for user in api.certificates.users() {
        let refused = problems.iter().any(|(used_by, _)| used_by == user);
        page.sample(name, &[("used_by", user)], u64::from(refused));
    }
}

fn present(page: &mut Page, present: &Present) {
    page.family("strangler_present", "gauge", "What the data plane has open at this moment.");
    for (what, n) in [
        ("connections", present.connections),
        ("resting", present.resting),
        ("requests", present.requests),
        ("tunnels", present.tunnels),
        ("upstream_busy", present.upstream_busy),
        ("upstream_idle", present.upstream_idle),
        ("tasks", present.tasks),
    ] {
        page.sample("strangler_present", &[("what", what)], n as u64);
    }
}

fn threads(page: &mut Page, threads: &[Present]) {
    let name = "strangler_thread_present";
    page.family(name, "gauge", "What each thread of the data plane has open at this moment.");
    for (index, present) in threads.iter().enumerate() {
        let index = index.to_string();
        for (what, n) in [
            ("connections", present.connections),
            ("requests", present.requests),
            ("tunnels", present.tunnels),
        ] {
            page.sample(name, &[("thread", &index), ("what", what)], n as u64);
        }
    }
}

type Counted = [(String, Arc<EndpointCounters>)];

/// Ends before starts (see [`EndpointCounters::count`]), so that a scrape never shows more ends than starts.
fn requests(page: &mut Page, all: &Counted) {
    let all: Vec<_> =
        all.iter().map(|(endpoint, counters)| (endpoint.as_str(), counters.snapshot())).collect();

    let name = "strangler_requests_total";
    page.family(name, "counter", "Requests that ended, by what became of their comparison.");
    for (endpoint, snapshot) in &all {
        let tally = &snapshot.tally;
        let verdicts =
            [("match", tally.matched), ("tolerated", tally.tolerated), ("mismatch", tally.mismatched)];
        let compared = verdicts.map(|(reason, n)| ("compared", reason, n));
        let skipped = tally.skipped.iter().map(|(reason, n)| ("skipped", reason.as_str(), *n));
        let dropped = tally.dropped.iter().map(|(reason, n)| ("dropped", reason.as_str(), *n));
        for (disposition, reason, n) in compared.into_iter().chain(skipped).chain(dropped) {
            let labels = [("endpoint", *endpoint), ("disposition", disposition), ("reason", reason)];
            page.sample(name, &labels, n);
        }
    }
    let name = "strangler_requests_started_total";
    page.family(name, "counter", "Requests whose head was read.");
    for (endpoint, snapshot) in &all {
        page.sample(name, &[("endpoint", endpoint)], snapshot.started);
    }
    let name = "strangler_requests_pending";
    page.family(name, "gauge", "Requests that began and did not end.");
    for (endpoint, snapshot) in &all {
        page.sample(name, &[("endpoint", endpoint)], snapshot.pending());
    }
    let name = "strangler_answers_total";
    page.family(name, "counter", "Requests by who answered the client.");
    for (endpoint, snapshot) in &all {
        let tally = &snapshot.tally;
        for (by, n) in [
            ("control", tally.answered_control),
            ("candidate", tally.answered_candidate),
            ("proxy", tally.answered_proxy),
        ] {
            page.sample(name, &[("endpoint", endpoint), ("by", by)], n);
        }
    }
    let name = "strangler_fallbacks_total";
    page.family(name, "counter", "Requests that control answered because the candidate failed.");
    for (endpoint, snapshot) in &all {
        page.sample(name, &[("endpoint", endpoint)], snapshot.tally.fallbacks);
    }
    let name = "strangler_both_failed_total";
    page.family(name, "counter", "Comparisons of equal 5xx, which are no evidence.");
    for (endpoint, snapshot) in &all {
        page.sample(name, &[("endpoint", endpoint)], snapshot.tally.both_failed);
    }
}

fn again(page: &mut Page, all: &Counted) {
    let name = "strangler_asked_again_total";
    page.family(
        name,
        "counter",
        "What was asked again, off the clients' path, and mismatches that could not be.",
    );
    for (endpoint, counters) in all {
        let again = counters.again();
        for (what, n) in [
            ("mismatch", again.mismatches),
            ("mismatch_not_asked", again.not_asked),
            ("control_twice", again.control_twice),
            ("read_back", again.read_backs),
            ("read_back_mismatched", again.read_backs_mismatched),
        ] {
            page.sample(name, &[("endpoint", endpoint), ("what", what)], n);
        }
    }
}

fn latencies(page: &mut Page, all: &Counted) {
    let name = "strangler_latency_seconds";
    page.family(name, "summary", "From the first byte sent to an upstream to the end of its body.");
    for (endpoint, counters) in all {
        for side in [Side::Control, Side::Candidate] {
            for (role, latencies) in
                [("answer", counters.latencies(side)), ("shadow", counters.shadow_latencies(side))]
            {
                if latencies.count() > 0 {
                    let labels = [("endpoint", endpoint.as_str()), ("side", side.as_str()), ("role", role)];
                    page.summary(name, &labels, &latencies);
                }
            }
        }
    }
}

/// Only where clients may have to wait.
fn waits(page: &mut Page, waits: Option<Waits>) {
    let Some(Waits { ends, waited }) = waits else { return };
    let name = "strangler_dry_run_first_total";
    page.family(
        name,
        "counter",
        "Dry runs that were to be answered before control was asked, by how that ended.",
    );
    for (end, n) in ends {
        page.sample(name, &[("end", end.as_str())], n);
    }
    let name = "strangler_dry_run_first_wait_seconds";
    page.family(name, "summary", "How long clients waited for dry runs.");
    page.summary(name, &[], &waited);
}

fn endpoint_label(endpoint: Option<&EndpointId>) -> String {
    endpoint.map_or_else(|| "unmatched".to_owned(), EndpointId::to_string)
}

#[derive(Default)]
struct Page {
    text: String,
}

impl Page {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: u64) {
        self.line(name, labels, &value.to_string());
    }

    fn summary(&mut self, name: &str, labels: &[(&str, &str)], latencies: &LatencySnapshot) {
        for quantile in QUANTILES {
            let Some(latency) = latencies.quantile(quantile) else { continue };
            let quantile = quantile.to_string();
            let labels: Vec<_> = labels.iter().copied().chain([("quantile", &*quantile)]).collect();
            self.line(name, &labels, &latency.as_secs_f64().to_string());
        }
        self.line(&format!("{name}_sum"), labels, &latencies.sum().as_secs_f64().to_string());
        self.line(&format!("{name}_count"), labels, &latencies.count().to_string());
    }

    fn line(&mut self, name: &str, labels: &[(&str, &str)], value: &str) {
        self.text.push_str(name);
        for (index, (label, value)) in labels.iter().enumerate() {
            let opening = if index == 0 { '{' } else { ',' };
            let _ = write!(self.text, "{opening}{label}=\"{}\"", escaped(value));
        }
        let closing = if labels.is_empty() { "" } else { "}" };
        let _ = writeln!(self.text, "{closing} {value}");
    }
}

/// The three characters that a label value cannot hold as they are.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::counters::Latencies;

    #[test]
    fn a_sample_is_one_line_whatever_its_labels_hold() {
        let mut page = Page::default();
        page.sample("a_total", &[("endpoint", "GET /a\"b\\c\nd"), ("by", "x")], 7);
        page.sample("b", &[], 0);
        assert_eq!(page.text, "a_total{endpoint=\"GET /a\\\"b\\\\c\\nd\",by=\"x\"} 7\nb 0\n");
    }

    #[test]
    fn a_summary_has_its_quantiles_its_sum_and_its_count() {
        let latencies = Latencies::default();
        latencies.add(Duration::from_millis(5));
        let mut page = Page::default();
        page.summary("l", &[("side", "control")], &latencies.snapshot());
        let lines: Vec<_> = page.text.lines().collect();
        assert_eq!(lines.len(), 5, "{lines:?}");
        assert!(lines[0].starts_with("l{side=\"control\",quantile=\"0.5\"} 0.00"), "{lines:?}");
        assert_eq!(lines[4], "l_count{side=\"control\"} 1");
    }
}
