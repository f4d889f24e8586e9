//! `strangler audit`: who moved what, why, on what evidence.

use std::path::PathBuf;

use diff_harness::ledger::Ledger;
use diff_harness::store::Store;
use serde::{Deserialize, Serialize};
use strangler_proxy::admin::wire::TransitionView;

use crate::args::{Context, MaybeEndpointArgs};
use crate::console::Outcome;
use crate::exit::Failure;
use crate::table::Rows;

/// Lists transitions, newest first: who, when, why, on what evidence
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

#[derive(Serialize, Deserialize)]
struct Transitions {
    transitions: Vec<TransitionView>,
}

impl Audit {
    pub(crate) fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let of = self.endpoint.id()?;
        let found = if let Some(path) = &self.store {
            let store = Ledger::open_read_only(path).map_err(Failure::error)?;
            let transitions = store.transitions(of.as_ref(), self.limit).map_err(Failure::error)?;
            Transitions { transitions: transitions.iter().map(TransitionView::from).collect() }
        } else {
            let (limit, of) = (self.limit.to_string(), of.map(|id| id.to_string()));
            let mut query = vec![("limit", limit.as_str())];
            query.extend(of.as_deref().map(|endpoint| ("endpoint", endpoint)));
            context.admin()?.get("/api/v1/transitions", &query)?
        };
        let text =
            if found.transitions.is_empty() { "no transitions yet\n".to_owned() } else { table(&found) };
        Ok(Outcome::new(&found, text))
    }
}

fn table(found: &Transitions) -> String {
    let mut rows = Rows::new(&["no#", "when", "endpoint", "from", "to", "who", "gate", "why"]);
    for transition in &found.transitions {
        let gate = match transition.evidence["answer"].as_str() {
            Some(answer) if transition.forced => format!("{answer}, forced"),
            Some(answer) => answer.to_owned(),
            None => "-".to_owned(),
        };
        let standing = |view: &strangler_proxy::admin::wire::StandingView| match view.hold.as_str() {
            "none" => view.stage.clone(),
            hold => format!("{} ({hold})", view.stage),
        };
        rows.add([
            transition.sequence.to_string(),
            // To the second: `2026-11-22T00:10:30Z`.
            transition.at.split('.').next().unwrap_or_default().replace('T', " "),
            transition.endpoint.clone(),
            standing(&transition.from),
            standing(&transition.to),
            transition.actor.clone(),
            gate,
            transition.reason.clone(),
        ]);
    }
    rows.to_string()
}
