//! `strangler promote`: towards the candidate, on evidence or by force.

mod all;

use diff_harness::endpoint::EndpointId;
use diff_harness::lifecycle::Stage;
use strangler_proxy::admin::command_words;
use strangler_proxy::admin::wire::{MovedView, PromoteRequest};

use crate::args::{Context, MaybeEndpointArgs};
use crate::console::Outcome;
use crate::exit::Failure;

/// Moves an endpoint towards the candidate, if the evidence allows it; or a whole set, each by its own gate
#[derive(Debug, clap::Args)]
pub(crate) struct Promote {
    #[command(flatten)]
    endpoint: MaybeEndpointArgs,
    /// All endpoints that pass their own gates, instead of one
    #[arg(long, conflicts_with_all = ["method", "path", "force", "revision", "past_no_return"])]
    all_passing: bool,
    /// With --all-passing: each to its own next stage, which is what it does without --to
    #[arg(long, conflicts_with = "to")]
    to_next: bool,
    /// With --all-passing: only endpoints whose path is this or below it
    #[arg(long, value_name = "PATH")]
    prefix: Option<String>,
    /// With --all-passing: only endpoints whose declaration came from a source that has this in its name
    #[arg(long, value_name = "TEXT")]
    source: Option<String>,
    /// With --all-passing: says what would move, and moves nothing
    #[arg(long)]
    dry_run: bool,
    /// The stage to move to: shadow, canary:5%, live, soak, retired; record and verify for unsafe methods
    /// [default: the next one]
    #[arg(long, value_name = "STAGE")]
    to: Option<Stage>,
    /// Overrides the gate; never an open exposure group or a hold
    #[arg(long, requires = "reason")]
    force: bool,
    /// Why, for the audit log
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// The endpoint's name ('POST /charges'), for a move that cannot be undone: past a declared point of no return, or to
    /// retired
    #[arg(long, value_name = "ENDPOINT")]
    past_no_return: Option<String>,
    /// Moves only if the endpoint is still at this revision
    #[arg(long, value_name = "N")]
    revision: Option<u64>,
}

impl Promote {
    pub(crate) fn run(self, context: &Context) -> Result<Outcome, Failure> {
        if self.all_passing {
            let set = all::Set {
                to: self.to,
                prefix: self.prefix,
                source: self.source,
                dry_run: self.dry_run,
                reason: self.reason.unwrap_or_default(),
            };
            return set.run(context);
        }
        // Not left to the parser, which waives this as soon as an endpoint is named.
        if self.dry_run || self.to_next || self.prefix.is_some() || self.source.is_some() {
            return Err(Failure::usage("--to-next, --prefix, --source and --dry-run are for --all-passing")
                .hint("for one endpoint: strangler plan METHOD PATH"));
        }
        let missing = || {
            Failure::usage("which endpoint is to move?")
                .hint("name one: GET '/playlists/{id}'; or all that pass: --all-passing")
        };
        let id = self.endpoint.id()?.ok_or_else(missing)?;
        let moved: MovedView = context.admin()?.post(
            "/api/v1/promote",
            &PromoteRequest {
                endpoint: id.to_string(),
                to: self.to.map(|stage| stage.to_string()),
                expected_revision: self.revision,
                force: self.force,
                reason: self.reason.unwrap_or_default(),
                acknowledge: self.past_no_return,
            },
        )?;
        Ok(told(context, &id, &moved))
    }
}

/// What a move did, and the command that takes it back.
pub(super) fn told(context: &Context, id: &EndpointId, moved: &MovedView) -> Outcome {
    if !moved.changed {
        return Outcome::new(moved, format!("{id} stands at {} already; nothing changed", at(moved, false)));
    }
    let forced = if moved.forced { ", against the gate" } else { "" };
    let text =
        format!("{id}: {} -> {}{forced} (revision {})", at(moved, true), at(moved, false), moved.revision);
    let mut outcome = Outcome::new(moved, text);
    outcome.data["undo"] = context.command(&undo(id, moved)).into();
    let undo = outcome.data["undo"].as_str().unwrap_or_default().to_owned();
    outcome.note(format!("take it back: {undo}"))
}

fn at(moved: &MovedView, before: bool) -> String {
    let standing = if before { &moved.from } else { &moved.to };
    match standing.hold.as_str() {
        "none" => standing.stage.clone(),
        hold => format!("{} (held: {hold})", standing.stage),
    }
}

pub(super) fn undo(id: &EndpointId, moved: &MovedView) -> String {
    let words = command_words(id);
    let stage = |view: &str| view.parse::<Stage>().unwrap_or_default();
    let (from, to) = (stage(&moved.from.stage), stage(&moved.to.stage));
    match (moved.from.hold.as_str(), moved.to.hold.as_str()) {
        ("none", "paused") => format!("resume {words} --reason TEXT"),
        ("paused" | "fallback", "none") => format!("hold {words} --reason TEXT"),
        _ if strangler_proxy::control::is_forward(from, to) && from == Stage::Legacy => {
            format!("rollback {words}")
        }
        _ if strangler_proxy::control::is_forward(from, to) => format!("rollback {words} --to {from}"),
        _ => format!("promote {words} --to {from}"),
    }
}
