//! `strangler plan`: what the gate would say, and what would happen.

use diff_harness::lifecycle::Stage;
use strangler_proxy::admin::command_words;
use strangler_proxy::admin::wire::{Code, GateView, PlanView};

use crate::args::{Context, EndpointArgs};
use crate::console::Outcome;
use crate::exit::{Exit, Failure};

/// Says what the gate would say to a promotion, and what would happen; changes nothing
#[derive(Debug, clap::Args)]
pub(crate) struct Plan {
    #[command(flatten)]
    endpoint: EndpointArgs,
    /// The stage to plan for [default: the next one]
    #[arg(long, value_name = "STAGE")]
    to: Option<Stage>,
}

impl Plan {
    pub(crate) fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let id = self.endpoint.id()?;
        let endpoint = id.to_string();
        let to = self.to.map(|stage| stage.to_string());
        let mut query = vec![("endpoint", endpoint.as_str())];
        query.extend(to.as_deref().map(|to| ("to", to)));
        let plan: PlanView = context.admin()?.get("/api/v1/plan", &query)?;
        let exit = match plan.refusal.as_ref().map(|refusal| refusal.code) {
            None => Exit::Pass,
            Some(Code::GateInconclusive) => Exit::Inconclusive,
            Some(Code::NotAMove) => Exit::Usage,
            Some(_) => Exit::Refused,
        };
        let mut outcome = Outcome::new(&plan, text(&plan)).exit(exit);
        match &plan.refusal {
            None if plan.from.stage == plan.to.stage => {}
            None => {
                let words = command_words(&id);
                outcome = outcome.note(format!(
                    "do it: {}",
                    context.command(&format!("promote {words} --to {}", plan.to.stage))
                ));
            }
            Some(refusal) => outcome.notes.extend(refusal.hint.clone()),
        }
        Ok(outcome)
    }
}

fn text(plan: &PlanView) -> String {
    let mut lines = vec![format!(
        "{}: {} -> {} (revision {})",
        plan.endpoint, plan.from.stage, plan.to.stage, plan.revision
    )];
    lines.extend(plan.effects.iter().map(|effect| format!("  {effect}")));
    lines.extend(plan.no_return.iter().map(|passed| format!("  ! {passed}")));
    if plan.from.stage == plan.to.stage {
        lines.push("it stands there already".to_owned());
    }
    lines.extend(plan.gate.iter().map(gate));
    if let (Some(refusal), false) = (&plan.refusal, plan.gate.is_some()) {
        lines.push(format!("it would be refused: {}", refusal.message));
    } else if let Some(refusal) = plan.refusal.as_ref().filter(|refusal| refusal.code == Code::Held) {
        lines.push(format!("it would be refused: {}", refusal.message));
    }
    lines.join("\n")
}

/// What the gate says, on a few lines.
fn gate(gate: &GateView) -> String {
    let mut lines = vec![format!("gate: {}", gate.answer)];
    lines.extend(gate.reasons.iter().map(|reason| format!("  - {reason}")));
    lines.extend(gate.stated.iter().map(|stated| format!("  {stated}")));
    if !gate.unforceable.is_empty() {
        lines.push("  --force does not override this".to_owned());
    }
    lines.join("\n")
}
