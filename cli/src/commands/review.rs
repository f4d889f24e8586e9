//! `strangler review`: group by group, in the terminal.

use diff_harness::fingerprint::Fingerprint;
use serde_json::json;

use super::divergences::Groups;
use crate::args::{Context, MaybeEndpointArgs};
use crate::console::{Format, Outcome};
use crate::exit::Failure;
use crate::review::machine::Review as Sitting;
use crate::review::run::{has_terminal, sit};
use crate::words::count;

/// Shows group by group in the terminal, a key a decision
#[derive(Debug, clap::Args)]
pub(crate) struct Review {
    #[command(flatten)]
    endpoint: MaybeEndpointArgs,
    /// Which states are shown
    #[arg(long, value_name = "STATES", default_value = "new,regressed,expired")]
    state: String,
    /// The group to begin with, as it is printed when one quits
    #[arg(long, value_name = "ID")]
    from: Option<Fingerprint>,
}

impl Review {
    pub(crate) fn run(self, context: &Context) -> Result<Outcome, Failure> {
        if !has_terminal() || context.format == Format::Json {
            return Err(Failure::usage("a review takes a terminal, for keys and for what is shown").hint(
                format!(
                    "without one: {}; {}; {}",
                    context.command(&format!("divergences list --state {}", self.state)),
                    context.command("divergences show ID"),
                    context.command("divergences triage ID --as bug --reason TEXT")
                ),
            ));
        }
        let admin = context.admin()?;
        let of = self.endpoint.id()?.map(|id| id.to_string());
        let mut query = vec![("state", self.state.as_str())];
        query.extend(of.as_deref().map(|endpoint| ("endpoint", endpoint)));
        let found: Groups = admin.get("/api/v1/groups", &query)?;
        if found.groups.is_empty() {
            return Ok(Outcome::new(&json!({ "decided": 0 }), "nothing to decide on in this epoch"));
        }
        let from = self.from.as_ref().map(Fingerprint::as_str);
        let done = sit(&admin, Sitting::new(found.groups, admin.actor(), from))?;
        let decided = done.made.len() as u64;
        let mut outcome =
            Outcome::new(&json!({ "decided": decided }), format!("{} made", count(decided, "decision")));
        for (at, _) in &done.made {
            let group = &done.groups[*at];
            let undo = context.command(&format!("divergences triage {} --undo", group.id));
            outcome = outcome.note(format!("{} is {}; take it back: {undo}", group.id, group.state));
        }
        if let Some(next) = done.here() {
            let words = [format!("review --from {}", next.id), self.endpoint.words()].join("");
            outcome = outcome.note(format!("go on: {}", context.command(&words)));
        }
        Ok(outcome)
    }
}
