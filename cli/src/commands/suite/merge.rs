//! `strangler suite merge`: one report of several shards.

use std::collections::HashMap;
use std::path::PathBuf;

use diff_harness::suite::output::json;
use diff_harness::suite::report::RunReport;

use super::outputs::Outputs;
use super::run::read;
use crate::args::Context;
use crate::console::Outcome;
use crate::exit::{Exit, Failure};

/// Makes one report of those of several shards
///
/// Ends with the exit code that one run of all of them would have had.
#[derive(Debug, clap::Args)]
pub(crate) struct Merge {
    /// What `suite run --json` wrote on each machine
    #[arg(required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    outputs: Outputs,
}

impl Merge {
    pub(crate) fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let mut merged: Option<RunReport> = None;
        let mut cases: HashMap<u64, &PathBuf> = HashMap::new();
        for file in &self.files {
            let bad =
                |why: String| Failure::new(Exit::Usage, "bad_report", format!("{}: {why}", file.display()));
            let report = json::parse(&read(file)?).map_err(bad)?;
            for result in report.results() {
                if let Some(other) = cases.insert(result.index, file) {
                    let why = format!(
                        "the case `{}` is in {} too: these are not the shards of one run",
                        result.case,
                        other.display()
                    );
                    return Err(bad(why));
                }
            }
            match &mut merged {
                None => merged = Some(report),
                Some(whole) if whole.suite != report.suite || whole.file != report.file => {
                    return Err(bad(format!(
                        "it is of {}, and the others are of {}",
                        report.file, whole.file
                    )));
                }
                Some(whole) => whole.merge(report),
            }
        }
        let merged = merged.expect("at least one file was named");
        self.outputs.finish(&merged, context)
    }
}
