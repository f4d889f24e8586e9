//! `strangler suite`: committed cases, sent to both sides.

mod run;
mod outputs;
mod progress;
mod merge;
mod publish;
mod import;
mod add;

use clap::Subcommand;
use diff_harness::suite::report::RunVerdict;
use diff_harness::suite::schema;

use crate::args::Context;
use crate::console::Outcome;
use crate::exit::{Exit, Failure};

/// Runs committed cases against both sides, and makes them
#[derive(Debug, clap::Args)]
pub(crate) struct Suite {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Sends every case to both sides and compares what they answer
    Run(Box<run::Run>),
    /// Makes one report of those of several shards
    Merge(merge::Merge),
    /// Shows a run's matrix on the review page
    Publish(publish::Publish),
    /// Makes a suite from recorded traffic, a HAR file or an OpenAPI document
    Import(import::Import),
    /// Makes a case of a divergence that the proxy found
    Add(add::Add),
    /// Prints the JSON Schema of suite files, for editors
    Schema(Schema),
}

#[derive(Debug, clap::Args)]
struct Schema {
    /// That of the JSON report of a run instead
    #[arg(long)]
    report: bool,
}

impl Suite {
    pub(crate) fn name(&self) -> &'static str {
        match self.what {
            What::Run(_) => "suite run",
            What::Merge(_) => "suite merge",
            What::Publish(_) => "suite publish",
            What::Import(_) => "suite import",
            What::Add(_) => "suite add",
            What::Schema(_) => "suite schema",
        }
    }

    pub(crate) fn run(self, context: &Context) -> Result<Outcome, Failure> {
        match self.what {
            What::Run(run) => run.run(context),
            What::Merge(merge) => merge.run(context),
            What::Publish(publish) => publish.run(context),
            What::Import(import) => import.run(),
            What::Add(add) => add.run(context),
            What::Schema(schema) => Ok(schema.run()),
        }
    }
}

impl Schema {
    fn run(&self) -> Outcome {
        let text = if self.report { schema::RUN } else { schema::SUITE };
        let value: serde_json::Value = serde_json::from_str(text).expect("the schemas are JSON");
        Outcome::new(&value, text)
    }
}

fn exit_of(verdict: RunVerdict) -> Exit {
    match verdict {
        RunVerdict::Pass => Exit::Pass,
        RunVerdict::Failed => Exit::Error,
        RunVerdict::Diverged => Exit::Refused,
        RunVerdict::Interrupted | RunVerdict::Nothing => Exit::Inconclusive,
    }
}
