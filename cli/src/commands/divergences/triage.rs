//! `strangler divergences triage`, `split` and `join`: what a person says of a group.

use clap::builder::PossibleValuesParser;
use diff_harness::fingerprint::Fingerprint;
use diff_harness::triage::Call;
use strangler_proxy::admin::wire::{
    DecideRequest, DecisionsView, EntryView, RegroupRequest, SplitRequest, TriageView,
};

use crate::args::Context;
use crate::client::Admin;
use crate::console::Outcome;
use crate::exit::Failure;
use crate::words::{quoted, state};

#[derive(Debug, clap::Args)]
pub(super) struct Triage {
    /// As `strangler divergences list` prints it
    id: Fingerprint,
    /// What it is: bug, or expected or noise (waivers, which end), fixed, or reopen for new again
    #[arg(
        long = "as", value_name = "DECISION", required_unless_present = "undo",
        value_parser = PossibleValuesParser::new(Call::ALL.map(Call::as_str))
    )]
    call: Option<String>,
    /// Takes the latest decision back; the one before it counts again
    #[arg(long, conflicts_with_all = ["call", "owner", "expires", "epoch"])]
    undo: bool,
    /// Why, for the log of decisions
    #[arg(long, value_name = "TEXT", required_unless_present = "undo")]
    reason: Option<String>,
    /// Who answers for a waiver
    #[arg(long, value_name = "NAME")]
    owner: Option<String>,
    /// When a waiver ends: 2027-01-31, 2027-01-31T12:00:00Z, 14d
    #[arg(long, value_name = "WHEN")]
    expires: Option<String>,
    /// For `fixed`: the deployment of the candidate that has the fix [default: the current one]
    #[arg(long = "in", value_name = "EPOCH")]
    epoch: Option<String>,
    #[command(flatten)]
    seen: Seen,
}

#[derive(Debug, clap::Args)]
pub(super) struct Split {
    /// As `strangler divergences list` prints it
    id: Fingerprint,
    /// Requests with all of these words in their shape: 'auth ?limit', '!?limit' for without
    #[arg(long, value_name = "WORDS", required_unless_present = "at")]
    shape: Option<String>,
    /// Divergences at this place, with an index instead of a star: '$.tracks[0].id'
    #[arg(long, value_name = "PLACE")]
    at: Option<String>,
    /// Why, for the log of decisions
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    #[command(flatten)]
    seen: Seen,
}

#[derive(Debug, clap::Args)]
pub(super) struct Join {
    /// The part
    id: Fingerprint,
    /// Why, for the log of decisions
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    #[command(flatten)]
    seen: Seen,
}

/// What the one who decides has seen.
#[derive(Debug, clap::Args)]
struct Seen {
    /// Decides only if this is still the newest entry about the group, as `divergences show` prints it; 0 for none
    #[arg(long, value_name = "N")]
    entry: Option<u64>,
}

impl Triage {
    pub(super) fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let admin = context.admin()?;
        let (reason, expected) = (self.reason.unwrap_or_default(), self.seen.entry);
        let made: TriageView = if self.undo {
            admin.post(&path(&self.id, "undo"), &RegroupRequest { reason, expected })?
        } else {
            let request = DecideRequest {
                call: self.call.unwrap_or_default(),
                reason,
                owner: self.owner.unwrap_or_default(),
                expires: self.expires,
                epoch: self.epoch,
                expected,
            };
            admin.post(&path(&self.id, "decide"), &request)?
        };
        told(context, &admin, &made)
    }
}

impl Split {
    pub(super) fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let admin = context.admin()?;
        let request = SplitRequest {
            shape: self.shape,
            at: self.at,
            reason: self.reason.unwrap_or_default(),
            expected: self.seen.entry,
        };
        told(context, &admin, &admin.post(&path(&self.id, "split"), &request)?)
    }
}

impl Join {
    pub(super) fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let admin = context.admin()?;
        let request = RegroupRequest { reason: self.reason.unwrap_or_default(), expected: self.seen.entry };
        told(context, &admin, &admin.post(&path(&self.id, "join"), &request)?)
    }
}

fn path(id: &Fingerprint, what: &str) -> String {
    format!("/api/v1/groups/{id}/{what}")
}

/// What came of it, and the command that takes it back.
fn told(context: &Context, admin: &Admin, made: &TriageView) -> Result<Outcome, Failure> {
    let entry = &made.entry;
    let now = made.group.as_ref().map(state);
    let text = match (entry.act.as_str(), &made.group, &entry.part) {
        ("split", _, Some(part)) => {
            format!("{} split off {}: {}", part.id, entry.group, part.words)
        }
        ("join", Some(whole), _) => format!("{} joined to {} ({})", entry.group, whole.id, state(whole)),
        _ => format!("{} is {}", entry.group, now.unwrap_or_else(|| "decided".to_owned())),
    };
    let mut outcome = Outcome::new(made, text);
    if let Some(undo) = undo_of(admin, entry)? {
        let undo = context.command(&undo);
        outcome.data["undo"] = undo.clone().into();
        outcome = outcome.note(format!("take it back: {undo}"));
    }
    Ok(outcome)
}

/// The words of the command that takes an entry of the log back.
fn undo_of(admin: &Admin, entry: &EntryView) -> Result<Option<String>, Failure> {
    let group = &entry.group;
    match (entry.act.as_str(), &entry.part, entry.takes_back) {
        ("split", Some(part), _) => Ok(Some(format!("divergences join {}", part.id))),
        ("undo" | "join", _, Some(before)) => {
            let query = [("group", group.as_str()), ("limit", "1000")];
            let log: DecisionsView = admin.get("/api/v1/decisions", &query)?;
            Ok(log.decisions.iter().find(|entry| entry.sequence == before).map(redo))
        }
        ("undo" | "join" | "split", ..) => Ok(None),
        _ => Ok(Some(format!("divergences triage {group} --undo"))),
    }
}

/// The words of the command that makes this entry again.
fn redo(entry: &EntryView) -> String {
    let mut words = match &entry.part {
        Some(part) => {
            let mut words = format!("divergences split {}", entry.group);
            for (flag, text) in [("--shape", &part.shape), ("--at", &part.at)] {
                words.extend(text.iter().map(|text| format!(" {flag} {}", quoted(text))));
            }
            words
        }
        None => format!("divergences triage {} --as {}", entry.group, entry.act),
    };
    let owner = entry.owner.as_ref().filter(|owner| !owner.is_empty());
    let epoch = entry.epoch.as_ref().filter(|epoch| !epoch.is_empty() && entry.act == "fixed");
    let reason = Some(&entry.reason).filter(|reason| !reason.is_empty());
    for (flag, text) in
        [("--reason", reason), ("--owner", owner), ("--expires", entry.expires.as_ref()), ("--in", epoch)]
    {
        words.extend(text.iter().map(|text| format!(" {flag} {}", quoted(text))));
    }
    words
}
