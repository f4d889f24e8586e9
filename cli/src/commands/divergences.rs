//! `strangler divergences`: what was found, group by group.

use std::fmt::Write;

use clap::Subcommand;
use clap::builder::PossibleValuesParser;
use diff_harness::divergence::Severity;
use diff_harness::fingerprint::Fingerprint;
use serde::{Deserialize, Serialize};
use strangler_proxy::admin::wire::{EpochView, ExchangeView, GroupDetail, GroupView, ObservationView};

use crate::args::{Context, MaybeEndpointArgs};
use crate::console::Outcome;
use crate::exit::Failure;
use crate::table::Rows;
use crate::unified::unified;
use crate::words::{count, cut};

/// Lists and shows what diverged
#[derive(Debug, clap::Args)]
pub(crate) struct Divergences {
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Lists groups, the worst first
    List(List),
    /// Shows a group with its exchanges, and command lines that repeat them
    Show(Show),
}

#[derive(Debug, clap::Args)]
struct List {
    #[command(flatten)]
    endpoint: MaybeEndpointArgs,
    /// The least that is listed
    #[arg(long, value_parser = PossibleValuesParser::new(Severity::ALL.map(Severity::as_str)))]
    severity: Option<String>,
    /// Of all epochs, not only of the current one
    #[arg(long)]
    all_epochs: bool,
    /// How many
    #[arg(long, value_name = "N", default_value_t = 1000)]
    limit: usize,
}

#[derive(Debug, clap::Args)]
struct Show {
    /// As `strangler divergences list` prints it
    id: Fingerprint,
    /// How many of the kept exchanges
    #[arg(long, value_name = "N", default_value_t = 1)]
    samples: usize,
}

#[derive(Serialize, Deserialize)]
struct Groups {
    epoch: EpochView,
    groups: Vec<GroupView>,
}

/// A longer value is for `divergences show`.
const VALUE_CHARS: usize = 30;

impl Divergences {
    pub(crate) fn name(&self) -> &'static str {
        match self.what {
            None | Some(What::List(_)) => "divergences list",
            Some(What::Show(_)) => "divergences show",
        }
    }

    pub(crate) fn run(self, context: &Context) -> Result<Outcome, Failure> {
        match self.what {
            Some(What::Show(show)) => show.run(context),
            Some(What::List(list)) => list.run(context),
            None => {
                let query = [("limit", "1000")];
                Ok(listed(&context.admin()?.get("/api/v1/groups", &query)?))
            }
        }
    }
}

impl List {
    fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let of = self.endpoint.id()?.map(|id| id.to_string());
        let limit = self.limit.to_string();
        let mut query = vec![("limit", limit.as_str())];
        query.extend(of.as_deref().map(|endpoint| ("endpoint", endpoint)));
        query.extend(self.severity.as_deref().map(|severity| ("severity", severity)));
        if self.all_epochs {
            query.push(("epoch", "all"));
        }
        Ok(listed(&context.admin()?.get("/api/v1/groups", &query)?))
    }
}

fn listed(found: &Groups) -> Outcome {
    if found.groups.is_empty() {
        return Outcome::new(found, "no divergences in this epoch");
    }
    let mut rows =
        Rows::new(&["id", "severity", "kind", "endpoint", "where", "count#", "control", "candidate"]);
    for group in &found.groups {
        let value =
            |side: &Option<String>| side.as_deref().map_or("-".to_owned(), |text| cut(text, VALUE_CHARS));
        let place = match &group.detail {
            Some(detail) => format!("{} ({detail})", group.location),
            None => group.location.clone(),
        };
        rows.add([
            group.id.clone(),
            group.severity.clone(),
            group.kind.clone(),
            group.endpoint.clone(),
            place,
            group.count.to_string(),
            value(&group.control),
            value(&group.candidate),
        ]);
    }
    Outcome::new(found, rows.to_string())
        .note(format!("{}; strangler divergences show ID", count(found.groups.len() as u64, "group")))
}

impl Show {
    fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let (path, samples) = (format!("/api/v1/groups/{}", self.id), self.samples.to_string());
        let detail: GroupDetail = context.admin()?.get(&path, &[("samples", &samples)])?;
        let text = shown(&detail);
        Ok(Outcome::new(&detail, text))
    }
}

fn shown(detail: &GroupDetail) -> String {
    let group = &detail.group;
    let mut text = String::new();
    let or_nothing = |side: &Option<String>| side.clone().unwrap_or_else(|| "(nothing)".to_owned());
    let _ = writeln!(text, "{}  {} {} of {}", group.id, group.severity, group.kind, group.endpoint);
    let _ = writeln!(text, "  where       {}", group.location);
    if let Some(what) = &group.detail {
        let _ = writeln!(text, "  what        {what}");
    }
    let _ = writeln!(
        text,
        "  how often   {}, in {}",
        count(group.count, "time"),
        count(group.exchanges, "exchange")
    );
    let _ = writeln!(text, "  seen        {} to {}", group.first_seen, group.last_seen);
    let _ = writeln!(text, "  control     {}", or_nothing(&group.control));
    let _ = writeln!(text, "  candidate   {}", or_nothing(&group.candidate));
    if detail.samples.is_empty() {
        text.push_str("\nno exchange of this group is kept any more\n");
    }
    for sample in &detail.samples {
        exchange(&mut text, sample);
    }
    text
}

fn exchange(text: &mut String, sample: &ExchangeView) {
    let _ = writeln!(text, "\n{} {}  ({}, {})", sample.method, sample.target, sample.at, sample.id);
    for divergence in &sample.divergences {
        let value = |side: &Option<String>| side.clone().unwrap_or_else(|| "(nothing)".to_owned());
        let _ = writeln!(
            text,
            "  {} {} at {}: {} | {}",
            divergence.severity,
            divergence.kind,
            divergence.location,
            value(&divergence.control),
            value(&divergence.candidate)
        );
    }
    for note in &sample.notes {
        let _ = writeln!(text, "  note: {note}");
    }
    head(text, "control", &sample.control);
    head(text, "candidate", &sample.candidate);
    bodies(text, &sample.control, &sample.candidate);
    let _ = writeln!(text, "\n  # control, without its secrets\n  {}", sample.curl_control);
    let _ = writeln!(text, "  # candidate\n  {}", sample.curl_candidate);
}

fn head(text: &mut String, side: &str, observation: &ObservationView) {
    let status = match (&observation.failure, observation.status) {
        (Some(failure), _) => format!("failed: {failure}"),
        (None, Some(status)) => status.to_string(),
        (None, None) => "-".to_owned(),
    };
    let _ = writeln!(text, "\n  {side}: {status} in {:.1} ms", observation.latency_ms);
    for (name, value) in &observation.headers {
        let _ = writeln!(text, "    {name}: {value}");
    }
}

/// Where both sides sent a body, what differs in it; else the one that there is.
fn bodies(text: &mut String, control: &ObservationView, candidate: &ObservationView) {
    let (left, right) = (&control.body, &candidate.body);
    match unified(&left.text, &right.text) {
        Some(diff) if !left.text.is_empty() && !right.text.is_empty() => lines(text, &diff),
        Some(_) => lines(text, if left.text.is_empty() { &right.text } else { &left.text }),
        None => lines(text, &left.text),
    }
    for (side, body) in [("control", left), ("candidate", right)] {
        if !body.whole {
            let _ = writeln!(text, "    … the rest of the body of {side} was not kept");
        }
    }
}

fn lines(text: &mut String, shown: &str) {
    const LINES_MAX: usize = 80;
    text.push('\n');
    let mut lines = shown.lines();
    for line in lines.by_ref().take(LINES_MAX) {
        let _ = writeln!(text, "    {}", cut(line, 2_000));
    }
    let hidden = lines.count();
    if hidden > 0 {
        let _ = writeln!(text, "    … {hidden} more lines (--format json has both bodies)");
    }
}
