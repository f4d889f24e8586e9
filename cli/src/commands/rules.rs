//! `strangler rules`: what the declared rules do, and reading them again.

use clap::Subcommand;
use serde::{Deserialize, Serialize};
use strangler_proxy::admin::wire::EpochView;

use crate::args::Context;
use crate::console::Outcome;
use crate::exit::Failure;
use crate::table::Rows;

/// Shows what the rules did, and has them read again
#[derive(Debug, clap::Args)]
pub(crate) struct Rules {
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// How often each rule applied in this epoch, and what it hid
    List,
    /// Has the proxy read its rules again; where they changed, evidence begins anew
    Reload,
}

#[derive(Serialize, Deserialize)]
struct Listed {
    epoch: EpochView,
    rules: Vec<Rule>,
}

#[derive(Serialize, Deserialize)]
struct Rule {
    rule: String,
    applied: u64,
    hidden: u64,
}

#[derive(Serialize, Deserialize)]
struct Reloaded {
    rules: String,
}

impl Rules {
    pub(crate) fn name(&self) -> &'static str {
        match self.what {
            None | Some(What::List) => "rules list",
            Some(What::Reload) => "rules reload",
        }
    }

    pub(crate) fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let admin = context.admin()?;
        if let Some(What::Reload) = self.what {
            let reloaded: Reloaded = admin.post("/api/v1/rules/reload", &serde_json::json!({}))?;
            let text = format!("the rules in force are {}", reloaded.rules);
            return Ok(Outcome::new(&reloaded, text)
                .note("take it back: put the old file back, then strangler rules reload"));
        }
        let listed: Listed = admin.get("/api/v1/rules", &[])?;
        if listed.rules.is_empty() {
            return Ok(Outcome::new(&listed, "no rule applied in this epoch"));
        }
        let mut rows = Rows::new(&["rule", "applied#", "hidden#"]);
        for rule in &listed.rules {
            rows.add([rule.rule.clone(), rule.applied.to_string(), rule.hidden.to_string()]);
        }
        Ok(Outcome::new(&listed, rows.to_string()))
    }
}
