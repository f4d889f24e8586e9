//! `strangler status`: how everything stands.

use std::io::IsTerminal;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use strangler_proxy::admin::wire::{RouteView, StatusView, StreamView, Traffic};
use tokio::signal::unix::{SignalKind, signal};

use crate::args::Context;
use crate::client::Admin;
use crate::console::{self, Format, Outcome};
use crate::exit::Failure;
use crate::table::Rows;
use crate::words::{age, count};

/// Shows how far the estate is, what stalls, and stages, holds, traffic and evidence of all endpoints
#[derive(Debug, clap::Args)]
pub(crate) struct Status {
    /// Shows it again every second until Ctrl-C; where the output is no terminal, a line each time; with
    /// `--format json`, one envelope a line
    #[arg(long)]
    watch: bool,
}

const WATCH_EVERY: Duration = Duration::from_secs(1);
/// Clears the screen and goes to its first line.
const CLEAR: &str = "\x1b[2J\x1b[H";
/// Endpoints that are listed as stalling; the rest is a number.
const STALLS_MAX: usize = 10;

impl Status {
    pub(crate) fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let admin = context.admin()?;
        if !self.watch {
            return Look::at(&admin).map(|look| look.outcome());
        }
        // Before the first look, so that no Ctrl-C is missed.
        let interrupted = Interrupted::listen()?;
        let redraws = context.format == Format::Table && std::io::stdout().is_terminal();
        loop {
            let look = Look::at(&admin)?;
            if redraws {
                console::print_data(CLEAR);
                console::finish("status", context.format, Ok(look.outcome()));
            } else if context.format == Format::Table {
                console::print_data(&look.line());
            } else {
                console::finish("status", context.format, Ok(look.outcome()));
            }
            if interrupted.within(WATCH_EVERY) {
                return Ok(Outcome::silent());
            }
        }
    }
}

/// Ctrl-C, waited for with a limit.
struct Interrupted {
    told: Receiver<()>,
}

impl Interrupted {
    fn listen() -> Result<Self, Failure> {
        let failed = |error: std::io::Error| Failure::error(format!("signals cannot be handled: {error}"));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let mut interrupt = {
            let _inside = runtime.enter();
            signal(SignalKind::interrupt()).map_err(failed)?
        };
        let (tell, told) = channel();
        std::thread::spawn(move || {
            runtime.block_on(interrupt.recv());
            // Nobody waits any more when the command has ended.
            let _ = tell.send(());
        });
        Ok(Self { told })
    }

    fn within(&self, limit: Duration) -> bool {
        self.told.recv_timeout(limit).is_ok()
    }
}

/// What is asked for at one time.
#[derive(serde::Serialize)]
struct Look {
    #[serde(flatten)]
    status: StatusView,
    value_stream: StreamView,
}

impl Look {
    fn at(admin: &Admin) -> Result<Self, Failure> {
        Ok(Self {
            status: admin.get("/api/v1/status", &[])?,
            value_stream: admin.get("/api/v1/stream", &[])?,
        })
    }

    fn outcome(&self) -> Outcome {
        Outcome::new(self, text(&self.status, &self.value_stream))
    }

    /// All of it in one line, for a log.
    fn line(&self) -> String {
        let stages: Vec<_> = self.status.stages.iter().map(|(stage, n)| format!("{n} {stage}")).collect();
        let stages = if stages.is_empty() { "no endpoints".to_owned() } else { stages.join(", ") };
        let open: u64 = self.status.endpoints.iter().map(|endpoint| endpoint.open_groups).sum();
        format!(
            "{stages}; {}; {}; {}",
            monolith(&self.value_stream),
            count(open, "open group"),
            sums("all requests", &self.status.total, self.status.pending)
        )
    }
}

fn text(status: &StatusView, stream: &StreamView) -> String {
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
        text.push_str(&format!("{}\n{}\n", burn_down(stream), monolith(stream)));
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
    text.push_str(&stalls(stream));
    for warning in &status.warnings {
        text.push_str(&format!("\nwarning: {warning}\n"));
    }
    text
}

/// `[####....] 12 of 54 endpoints moved (3 retired), 20 on the way, 22 not begun`.
fn burn_down(stream: &StreamView) -> String {
    const CELLS: u64 = 30;
    let sum = &stream.burn_down;
    let done = sum.moved + sum.retired;
    // All cells are for all endpoints, and none for none: rounding must not say either too early.
    let cells = |n: u64| if n == 0 { 0 } else { (n * CELLS / sum.endpoints.max(1)).max(1) };
    let full = if done == sum.endpoints { CELLS } else { cells(done).min(CELLS - 1) };
    let half = cells(sum.on_the_way).min(CELLS - full);
    let bar = format!(
        "{}{}{}",
        "#".repeat(full as usize),
        "+".repeat(half as usize),
        ".".repeat((CELLS - full - half) as usize)
    );
    let mut text = format!(
        "[{bar}] {done} of {} moved ({} retired), {} on the way, {} not begun",
        count(sum.endpoints, "endpoint"),
        sum.retired,
        sum.on_the_way,
        sum.not_begun
    );
    if sum.held > 0 {
        text.push_str(&format!(", {} held", sum.held));
    }
    if sum.exposed > 0 {
        text.push_str(&format!(", {} with an open exposure", sum.exposed));
    }
    text
}

/// How much of the traffic the monolith still answers.
fn monolith(stream: &StreamView) -> String {
    let all = stream.answered_control + stream.answered_candidate;
    match stream.monolith_share {
        None => "nothing was answered yet".to_owned(),
        Some(share) => format!(
            "control answered {:.1} % of {} ({})",
            share * 100.0,
            count(all, "request"),
            stream.answered_control
        ),
    }
}

/// What waits, the longest first, and how many days were worked on it.
fn stalls(stream: &StreamView) -> String {
    let mut waiting: Vec<_> = stream
        .endpoints
        .iter()
        .filter(|endpoint| endpoint.waits_for.is_some() && endpoint.stage != "legacy")
        .collect();
    if waiting.is_empty() {
        return String::new();
    }
    waiting.sort_by_key(|endpoint| std::cmp::Reverse(endpoint.waits_seconds));
    let mut rows = Rows::new(&["endpoint", "waits for", "for", "working days#", "waiting days#"]);
    for endpoint in waiting.iter().take(STALLS_MAX) {
        rows.add([
            endpoint.endpoint.clone(),
            endpoint.waits_for.clone().unwrap_or_default(),
            age(endpoint.waits_seconds.unwrap_or(0)),
            endpoint.working_days.to_string(),
            endpoint.waiting_days.to_string(),
        ]);
    }
    let more = waiting.len().saturating_sub(STALLS_MAX);
    let more =
        if more > 0 { format!("and {}\n", count(more as u64, "more endpoint")) } else { String::new() };
    format!(
        "\n{rows}{more}worked on {}, waited {}\n",
        count(stream.working_days, "day"),
        count(stream.waiting_days, "day")
    )
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
