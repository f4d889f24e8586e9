//! `strangler plan`: what the gate would say, and what would happen.

use std::path::PathBuf;

use diff_harness::lifecycle::Stage;
use strangler_proxy::admin::command_words;
use strangler_proxy::admin::wire::{Code, GateView, PlanRequest, PlanView};
use strangler_proxy::config::parse_policy;

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
    /// Tries another policy on the evidence that is there: a TOML file with a `[policy]`, as in strangler.toml. It is
    /// not enforced
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
}

impl Plan {
    pub(crate) fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let id = self.endpoint.id()?;
        let endpoint = id.to_string();
        let to = self.to.map(|stage| stage.to_string());
        let plan: PlanView = match &self.policy {
            Some(path) => {
                let text = std::fs::read_to_string(path).map_err(|error| {
                    Failure::usage(format!("the policy {} cannot be read: {error}", path.display()))
                })?;
                // Here, where the file's name is known; the proxy checks it again.
                parse_policy(path, &text).map_err(|error| Failure::usage(error.to_string()))?;
                let asked = PlanRequest { endpoint, to, policy: Some(text) };
                context.admin()?.post("/api/v1/plan", &asked)?
            }
            None => {
                let mut query = vec![("endpoint", endpoint.as_str())];
                query.extend(to.as_deref().map(|to| ("to", to)));
                context.admin()?.get("/api/v1/plan", &query)?
            }
        };
        let exit = match plan.refusal.as_ref().map(|refusal| refusal.code) {
            None => Exit::Pass,
            Some(Code::GateInconclusive) => Exit::Inconclusive,
            Some(Code::NotAMove) => Exit::Usage,
            Some(_) => Exit::Refused,
        };
        let mut outcome = Outcome::new(&plan, text(&plan)).exit(exit);
        match &plan.refusal {
            None if plan.from.stage == plan.to.stage => {}
            None if plan.tried => {
                outcome = outcome.note("this policy was tried, and is not in force".to_owned());
            }
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

/// One screen: the answer, what is missing, the evidence, what would happen, how to take it back.
fn text(plan: &PlanView) -> String {
    let mut lines = vec![format!(
        "{}: {} -> {} (revision {})",
        plan.endpoint, plan.from.stage, plan.to.stage, plan.revision
    )];
    if plan.from.stage == plan.to.stage {
        lines.push("it stands there already".to_owned());
    }
    if let Some(view) = &plan.gate {
        lines.extend(gate(view, plan.tried));
    }
    lines.extend(plan.remarks.iter().map(|remark| format!("look at this: {remark}")));
    let held = plan.refusal.as_ref().filter(|refusal| refusal.code == Code::Held || plan.gate.is_none());
    lines.extend(held.map(|refusal| format!("it would be refused: {}", refusal.message)));
    lines.push("what would happen:".to_owned());
    lines.extend(plan.effects.iter().map(|effect| format!("  {effect}")));
    lines.extend(plan.no_return.iter().map(|passed| format!("  ! {passed}")));
    lines.extend(plan.undo.iter().map(|undo| format!("take it back: {undo}")));
    lines.join("\n")
}

fn gate(gate: &GateView, tried: bool) -> Vec<String> {
    let policy = match (tried, gate.tier.as_str()) {
        (true, tier) => format!(" (policy tried, tier {tier})"),
        (false, "default" | "") => String::new(),
        (false, tier) => format!(" (tier {tier})"),
    };
    let mut lines = vec![format!("gate: {}{policy}", gate.answer)];
    lines.extend(gate.reasons.iter().map(|reason| format!("  - {reason}")));
    if !gate.unforceable.is_empty() {
        lines.push("  --force does not override this".to_owned());
    }
    if !gate.meters.is_empty() {
        lines.push("evidence:".to_owned());
        let width = gate.meters.iter().map(|meter| meter.text.chars().count()).max().unwrap_or(0);
        lines.extend(gate.meters.iter().map(|meter| {
            let text = &meter.text;
            let gap = " ".repeat(width - text.chars().count());
            format!("  {text}{gap}  {}", bar(meter.have, meter.need))
        }));
        if !gate.test.is_empty() {
            lines.push(format!("  test: {}", gate.test));
        }
    }
    lines.extend(gate.stated.iter().map(|stated| format!("  {stated}")));
    lines.extend(gate.latency.answers.iter().map(|answers| {
        format!(
            "  p{} of what clients waited for: candidate {} to {} µs, control {} to {} µs",
            answers.percent,
            answers.candidate.low_us,
            answers.candidate.high_us,
            answers.control.low_us,
            answers.control.high_us
        )
    }));
    lines
}

/// `[######....]`
fn bar(have: u64, need: u64) -> String {
    const WIDTH: u64 = 20;
    let done = (have.min(need) * WIDTH).checked_div(need).unwrap_or(WIDTH);
    format!("[{}{}]", "#".repeat(done as usize), ".".repeat((WIDTH - done) as usize))
}
