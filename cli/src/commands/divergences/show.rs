//! `strangler divergences show`.

use std::fmt::Write;

use diff_harness::fingerprint::Fingerprint;
use strangler_proxy::admin::wire::{ExchangeView, GroupDetail, ObservationView};

use crate::args::Context;
use crate::console::Outcome;
use crate::exit::Failure;
use crate::unified::unified;
use crate::words::{count, cut, entry, state};

#[derive(Debug, clap::Args)]
pub(super) struct Show {
    /// As `strangler divergences list` prints it
    id: Fingerprint,
    /// How many of the kept exchanges
    #[arg(long, value_name = "N", default_value_t = 1)]
    samples: usize,
}

impl Show {
    pub(super) fn run(self, context: &Context) -> Result<Outcome, Failure> {
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
    let _ = writeln!(text, "  state       {}", state(group));
    if let Some(part) = &group.part {
        let _ = writeln!(text, "  part of     {}: {}", part.of, part.words);
    }
    for part in &detail.parts {
        let _ = writeln!(text, "  has part    {}: {}", part.id, part.words);
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
    if !detail.shapes.is_empty() {
        let _ = writeln!(text, "\n  in this epoch, of {}:", count(detail.compared, "comparison"));
        for shape in &detail.shapes {
            let _ = writeln!(text, "    {:>8}  {}", shape.exchanges, shape.shape);
        }
    }
    if !detail.decisions.is_empty() {
        text.push_str("\n  decided:\n");
        for decided in &detail.decisions {
            let _ = writeln!(text, "    {}", entry(decided));
        }
    }
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
