//! `strangler status`: how everything stands.

use std::io::IsTerminal;
use std::time::Duration;

use strangler_proxy::admin::wire::{RouteView, StatusView, Traffic};

use crate::args::Context;
use crate::console::{self, Format, Outcome};
use crate::exit::Failure;
use crate::table::Rows;
use crate::words::{age, count};

/// Shows stages, holds, traffic and evidence of all endpoints
#[derive(Debug, clap::Args)]
pub(crate) struct Status {
    /// Shows it again every second until it is interrupted; with `--format json`, one envelope a line
    #[arg(long)]
    watch: bool,
}

const WATCH_EVERY: Duration = Duration::from_secs(1);
/// Clears the screen and goes to its first line.
const CLEAR: &str = "\x1b[2J\x1b[H";

impl Status {
    pub(crate) fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let admin = context.admin()?;
        loop {
            let status: StatusView = admin.get("/api/v1/status", &[])?;
            let outcome = Outcome::new(&status, text(&status));
            if !self.watch {
                return Ok(outcome);
            }
            if context.format == Format::Table && std::io::stdout().is_terminal() {
                console::print_data(CLEAR);
            }
            console::finish("status", context.format, Ok(outcome));
            std::thread::sleep(WATCH_EVERY);
        }
    }
}

fn text(status: &StatusView) -> String {
    let mut text = format!(
        "{}  up {}  {} -> control {}, candidate {}\n",
        status.product,
        age(status.uptime_seconds),
        status.listening.join(", "),
        status.control,
        status.candidate,
    );
    let stages: Vec<_> = status.stages.iter().map(|(stage, n)| format!("{n} {stage}")).collect();
    let endpoints = count(status.endpoints.len() as u64, "endpoint");
    if stages.is_empty() {
        text.push_str("no endpoints yet: strangler routes add GET /path, or strangler routes import\n");
    } else {
        text.push_str(&format!("{endpoints}: {}\n", stages.join(", ")));
    }
    text.push_str(&format!("{}\n", sums("all requests", &status.total, status.pending)));
    if status.unmatched.seen > 0 {
        text.push_str(&format!(
            "{} matched no endpoint and went to control: strangler routes discover\n",
            count(status.unmatched.seen, "request")
        ));
    }
    if !status.endpoints.is_empty() {
        text.push('\n');
        text.push_str(&endpoints_table(&status.endpoints));
    }
    for warning in &status.warnings {
        text.push_str(&format!("\nwarning: {warning}\n"));
    }
    text
}

/// Endpoints with their stage, what was compared of what was seen, and what was found.
pub(super) fn endpoints_table(endpoints: &[RouteView]) -> String {
    let mut rows = Rows::new(&[
        "endpoint",
        "stage",
        "for",
        "seen#",
        "compared#",
        "mismatch#",
        "groups",
        "fallbacks#",
        "dropped#",
    ]);
    for endpoint in endpoints {
        let traffic = &endpoint.traffic;
        let stage = match endpoint.hold.as_str() {
            "none" => endpoint.stage.clone(),
            hold => format!("{} ({hold})", endpoint.stage),
        };
        let groups = match &endpoint.worst {
            Some(worst) => format!("{} ({worst})", endpoint.open_groups),
            None => "-".to_owned(),
        };
        rows.add([
            endpoint.endpoint.clone(),
            stage,
            age(endpoint.since_seconds),
            traffic.seen.to_string(),
            traffic.compared.to_string(),
            traffic.mismatched.to_string(),
            groups,
            traffic.fallbacks.to_string(),
            traffic.dropped.to_string(),
        ]);
    }
    rows.to_string()
}

/// What became of requests, with its denominator.
pub(super) fn sums(what: &str, traffic: &Traffic, pending: u64) -> String {
    let pending = if pending > 0 { format!(", {pending} pending") } else { String::new() };
    format!(
        "{what}: {} seen = {} compared + {} skipped + {} dropped{pending}",
        traffic.seen, traffic.compared, traffic.skipped, traffic.dropped
    )
}
