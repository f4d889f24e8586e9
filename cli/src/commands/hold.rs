//! `strangler hold` and `strangler resume`.

use strangler_proxy::admin::wire::{HoldRequest, MovedView};

use super::promote::told;
use crate::args::{Context, EndpointArgs};
use crate::console::Outcome;
use crate::exit::Failure;

/// Keeps an endpoint where it is: nothing promotes it until it is resumed
#[derive(Debug, clap::Args)]
pub(crate) struct Hold {
    #[command(flatten)]
    change: Change,
}

/// Lets a held endpoint move again; after a fallback, the candidate answers again as the stage says
#[derive(Debug, clap::Args)]
pub(crate) struct Resume {
    #[command(flatten)]
    change: Change,
}

#[derive(Debug, clap::Args)]
struct Change {
    #[command(flatten)]
    endpoint: EndpointArgs,
    /// Why, for the audit log
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Changes it only if the endpoint is still at this revision
    #[arg(long, value_name = "N")]
    revision: Option<u64>,
}

impl Hold {
    pub(crate) fn run(self, context: &Context) -> Result<Outcome, Failure> {
        self.change.ask(context, "/api/v1/hold")
    }
}

impl Resume {
    pub(crate) fn run(self, context: &Context) -> Result<Outcome, Failure> {
        self.change.ask(context, "/api/v1/resume")
    }
}

impl Change {
    fn ask(self, context: &Context, path: &str) -> Result<Outcome, Failure> {
        let id = self.endpoint.id()?;
        let asked =
            HoldRequest { endpoint: id.to_string(), reason: self.reason, expected_revision: self.revision };
        let moved: MovedView = context.admin()?.post(path, &asked)?;
        Ok(told(context, &id, &moved))
    }
}
