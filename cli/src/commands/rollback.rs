//! `strangler rollback`: straight back to control.

use diff_harness::lifecycle::Stage;
use strangler_proxy::admin::wire::{MovedView, RollbackRequest};

use super::promote::told;
use crate::args::{Context, EndpointArgs};
use crate::console::Outcome;
use crate::exit::Failure;

/// Moves an endpoint back to control, at once: always allowed, never gated
#[derive(Debug, clap::Args)]
pub(crate) struct Rollback {
    #[command(flatten)]
    endpoint: EndpointArgs,
    /// An earlier stage to move back to
    #[arg(long, value_name = "STAGE", default_value = "legacy")]
    to: Stage,
    /// Why, for the audit log
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

impl Rollback {
    pub(crate) fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let id = self.endpoint.id()?;
        let moved: MovedView = context.admin()?.post(
            "/api/v1/rollback",
            &RollbackRequest {
                endpoint: id.to_string(),
                to: Some(self.to.to_string()),
                reason: self.reason.unwrap_or_default(),
            },
        )?;
        Ok(told(context, &id, &moved))
    }
}
