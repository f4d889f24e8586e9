//! `strangler audit`: who moved, decided and changed what, why, on what evidence.

use std::path::{Path, PathBuf};

use diff_harness::endpoint::EndpointId;
use diff_harness::ledger::Ledger;
use diff_harness::store::{DecisionsOf, Store};
use serde::{Deserialize, Serialize};
use strangler_proxy::admin::wire::{ChangeView, DecisionsView, EntryView, StandingView, TransitionView};

use crate::args::{Context, MaybeEndpointArgs};
use crate::console::Outcome;
use crate::exit::Failure;
use crate::table::Rows;
use crate::words::second;

/// Lists transitions, decisions, and changes of rules, deployments and matrices, newest first: who, when, why, on what
/// evidence
#[derive(Debug, clap::Args)]
pub(crate) struct Audit {
    #[command(flatten)]
    endpoint: MaybeEndpointArgs,
    /// How many
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: usize,
    /// Reads a store file instead of asking a proxy; it may be running or not
    #[arg(long, value_name = "FILE")]
    store: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Transitions {
    transitions: Vec<TransitionView>,
}

#[derive(Deserialize)]
struct Changes {
    changes: Vec<ChangeView>,
}

/// Each newest first.
#[derive(Serialize)]
struct Found {
    transitions: Vec<TransitionView>,
    decisions: Vec<EntryView>,
    /// Of all endpoints, and so none where one was asked for.
    changes: Vec<ChangeView>,
}

/// One of them.
enum Line<'a> {
    Move(&'a TransitionView),
    Decision(&'a EntryView),
    Change(&'a ChangeView),
}

impl Audit {
    pub(crate) fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let of = self.endpoint.id()?;
        let found = match &self.store {
            Some(path) => self.stored(path, of.as_ref())?,
            None => self.asked(context, of.as_ref())?,
        };
        let lines = found.lines(self.limit);
        let text = if lines.is_empty() { "nothing was done yet\n".to_owned() } else { table(&lines) };
        Ok(Outcome::new(&found, text))
    }

    fn stored(&self, path: &Path, of: Option<&EndpointId>) -> Result<Found, Failure> {
        let store = Ledger::open_read_only(path).map_err(Failure::error)?;
        let transitions = store.transitions(of, self.limit).map_err(Failure::error)?;
        let decisions = of.map_or(DecisionsOf::All, DecisionsOf::Endpoint);
        let decisions = store.decisions(decisions, self.limit).map_err(Failure::error)?;
        let changes = match of {
            Some(_) => Vec::new(),
            None => ChangeView::newest(&store, self.limit).map_err(Failure::error)?,
        };
        Ok(Found {
            transitions: transitions.iter().map(TransitionView::from).collect(),
            decisions: decisions.iter().map(EntryView::from).collect(),
            changes,
        })
    }

    fn asked(&self, context: &Context, of: Option<&EndpointId>) -> Result<Found, Failure> {
        let (limit, of) = (self.limit.to_string(), of.map(ToString::to_string));
        let mut query = vec![("limit", limit.as_str())];
        query.extend(of.as_deref().map(|endpoint| ("endpoint", endpoint)));
        let admin = context.admin()?;
        let moved: Transitions = admin.get("/api/v1/transitions", &query)?;
        let decided: DecisionsView = admin.get("/api/v1/decisions", &query)?;
        let changes = match of {
            Some(_) => Vec::new(),
            None => admin.get::<Changes>("/api/v1/changes", &[("limit", &limit)])?.changes,
        };
        Ok(Found { transitions: moved.transitions, decisions: decided.decisions, changes })
    }
}

impl Found {
    /// All, one beside the other, newest first. What was done in one millisecond keeps its order within each.
    fn lines(&self, limit: usize) -> Vec<Line<'_>> {
        let mut lines: Vec<_> = self.transitions.iter().map(Line::Move).collect();
        lines.extend(self.decisions.iter().map(Line::Decision));
        lines.extend(self.changes.iter().map(Line::Change));
        // Times of one form, so that the text is in their order.
        lines.sort_by(|a, b| b.at().cmp(a.at()));
        lines.truncate(limit);
        lines
    }
}

impl Line<'_> {
    fn at(&self) -> &str {
        match self {
            Self::Move(transition) => &transition.at,
            Self::Decision(entry) => &entry.at,
            Self::Change(change) => &change.at,
        }
    }
}

fn table(lines: &[Line<'_>]) -> String {
    let mut rows = Rows::new(&["no", "when", "endpoint", "from", "to", "who", "gate", "why"]);
    for line in lines {
        rows.add(match line {
            Line::Move(transition) => moved(transition),
            Line::Decision(entry) => decided(entry),
            Line::Change(change) => changed(change),
        });
    }
    rows.to_string()
}

fn moved(transition: &TransitionView) -> [String; 8] {
    let gate = match transition.evidence["answer"].as_str() {
        Some(answer) if transition.forced => format!("{answer}, forced"),
        Some(answer) => answer.to_owned(),
        None => "-".to_owned(),
    };
    let standing = |view: &StandingView| match view.hold.as_str() {
        "none" => view.stage.clone(),
        hold => format!("{} ({hold})", view.stage),
    };
    [
        transition.sequence.to_string(),
        second(&transition.at),
        transition.endpoint.clone(),
        standing(&transition.from),
        standing(&transition.to),
        transition.actor.clone(),
        gate,
        transition.reason.clone(),
    ]
}

/// `d7` is the seventh entry of the log of decisions, and no transition.
fn decided(entry: &EntryView) -> [String; 8] {
    [
        format!("d{}", entry.sequence),
        second(&entry.at),
        entry.endpoint.clone().unwrap_or_else(|| "-".to_owned()),
        entry.group.clone(),
        crate::words::act(entry),
        entry.actor.clone(),
        "-".to_owned(),
        entry.reason.clone(),
    ]
}

/// Of no single endpoint and no single group.
fn changed(change: &ChangeView) -> [String; 8] {
    let none = || "-".to_owned();
    [
        none(),
        second(&change.at),
        none(),
        none(),
        change.what.clone(),
        change.actor.clone(),
        none(),
        change.detail.clone(),
    ]
}
