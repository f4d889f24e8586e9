//! `strangler divergences list`.

use clap::builder::PossibleValuesParser;
use diff_harness::divergence::Severity;
use serde::{Deserialize, Serialize};
use strangler_proxy::admin::wire::{EpochView, GroupView};

use crate::args::{Context, MaybeEndpointArgs};
use crate::console::Outcome;
use crate::exit::Failure;
use crate::table::Rows;
use crate::words::{count, cut};

#[derive(Debug, clap::Args)]
pub(super) struct List {
    #[command(flatten)]
    endpoint: MaybeEndpointArgs,
    /// The least that is listed
    #[arg(long, value_parser = PossibleValuesParser::new(Severity::ALL.map(Severity::as_str)))]
    severity: Option<String>,
    /// Only in these states: `open`, or new, bug, expected, noise, fixed, verified, regressed, expired, with commas between
    #[arg(long, value_name = "STATES")]
    state: Option<String>,
    /// Of all epochs, not only of the current one
    #[arg(long)]
    all_epochs: bool,
    /// How many
    #[arg(long, value_name = "N", default_value_t = LIMIT)]
    limit: usize,
}

/// What the admin API answers.
#[derive(Serialize, Deserialize)]
pub(crate) struct Groups {
    pub(crate) epoch: EpochView,
    pub(crate) groups: Vec<GroupView>,
}

const LIMIT: usize = 1_000;
/// A longer value is for `divergences show`.
const VALUE_CHARS: usize = 30;

impl Default for List {
    fn default() -> Self {
        Self {
            endpoint: MaybeEndpointArgs::default(),
            severity: None,
            state: None,
            all_epochs: false,
            limit: LIMIT,
        }
    }
}

impl List {
    pub(super) fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let of = self.endpoint.id()?.map(|id| id.to_string());
        let limit = self.limit.to_string();
        let mut query = vec![("limit", limit.as_str())];
        query.extend(of.as_deref().map(|endpoint| ("endpoint", endpoint)));
        query.extend(self.severity.as_deref().map(|severity| ("severity", severity)));
        query.extend(self.state.as_deref().map(|state| ("state", state)));
        if self.all_epochs {
            query.push(("epoch", "all"));
        }
        let found: Groups = context.admin()?.get("/api/v1/groups", &query)?;
        let where_asked = if self.all_epochs { "in any epoch" } else { "in this epoch" };
        let asked = self.state.is_some() || self.severity.is_some();
        let nothing = if asked { "nothing that was asked for" } else { "no divergences" };
        Ok(listed(&found, &format!("{nothing} {where_asked}")))
    }
}

fn listed(found: &Groups, nothing: &str) -> Outcome {
    if found.groups.is_empty() {
        return Outcome::new(found, nothing);
    }
    let columns = ["id", "state", "severity", "kind", "endpoint", "where", "count#", "control", "candidate"];
    let mut rows = Rows::new(&columns);
    for group in &found.groups {
        let value =
            |side: &Option<String>| side.as_deref().map_or("-".to_owned(), |text| cut(text, VALUE_CHARS));
        rows.add([
            group.id.clone(),
            group.state.clone(),
            group.severity.clone(),
            group.kind.clone(),
            group.endpoint.clone(),
            place(group),
            group.count.to_string(),
            value(&group.control),
            value(&group.candidate),
        ]);
    }
    Outcome::new(found, rows.to_string())
        .note(format!("{}; strangler divergences show ID", count(found.groups.len() as u64, "group")))
}

/// Where a group is, with what sets it apart.
fn place(group: &GroupView) -> String {
    let detail = group.detail.iter().map(String::as_str);
    let part = group.part.iter().map(|part| part.words.as_str());
    let apart: Vec<_> = detail.chain(part).collect();
    if apart.is_empty() {
        group.location.clone()
    } else {
        format!("{} ({})", group.location, apart.join("; "))
    }
}
