//! `strangler epoch`: which deployments evidence counts for.

use clap::Subcommand;
use strangler_proxy::admin::wire::{EpochRequest, EpochView};

use crate::args::Context;
use crate::console::Outcome;
use crate::exit::Failure;

/// Shows and names the deployments that evidence counts for
#[derive(Debug, clap::Args)]
pub(crate) struct Epoch {
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Names a new deployment: evidence begins anew
    Name(Name),
    /// Shows the current epoch
    Show,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = true)]
struct Name {
    /// The deployment of the candidate, such as a version or a commit
    #[arg(long, value_name = "NAME")]
    candidate: Option<String>,
    /// The deployment of control
    #[arg(long, value_name = "NAME")]
    control: Option<String>,
}

impl Epoch {
    pub(crate) fn name(&self) -> &'static str {
        match self.what {
            None | Some(What::Show) => "epoch show",
            Some(What::Name(_)) => "epoch name",
        }
    }

    pub(crate) fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let admin = context.admin()?;
        let before: EpochView = admin.get("/api/v1/epochs", &[])?;
        let Some(What::Name(Name { candidate, control })) = self.what else {
            return Ok(Outcome::new(&before, told(&before)));
        };
        let now: EpochView = admin.post("/api/v1/epochs", &EpochRequest { candidate, control })?;
        let mut outcome = Outcome::new(&now, told(&now));
        // An epoch that had no name cannot be named again.
        let sides =
            [("candidate", &before.candidate, &now.candidate), ("control", &before.control, &now.control)];
        let back: String = sides
            .iter()
            .filter(|(_, before, now)| before != now && !before.is_empty())
            .map(|(side, before, _)| format!(" --{side} {}", crate::words::quoted(before)))
            .collect();
        if !back.is_empty() {
            let undo = context.command(&format!("epoch name{back}"));
            outcome.data["undo"] = undo.clone().into();
            outcome = outcome.note(format!("take it back: {undo}"));
        }
        Ok(outcome)
    }
}

fn told(epoch: &EpochView) -> String {
    let named = |name: &String| if name.is_empty() { "not named".to_owned() } else { name.clone() };
    format!(
        "candidate {}, control {}, rules {}",
        named(&epoch.candidate),
        named(&epoch.control),
        named(&epoch.rules)
    )
}
