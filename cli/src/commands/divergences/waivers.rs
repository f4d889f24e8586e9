//! `strangler divergences export` and `import`: waivers on their way between the proxy and CI.

use std::path::PathBuf;

use serde_json::Value;
use strangler_proxy::admin::wire::ImportedView;

use crate::args::Context;
use crate::console::Outcome;
use crate::exit::Failure;
use crate::words::count;

#[derive(Debug, clap::Args)]
pub(super) struct Export {
    /// Where to write it; standard output where it is left out
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(super) struct Import {
    /// A file of waivers
    file: PathBuf,
}

impl Export {
    pub(super) fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let file: Value = context.admin()?.get("/api/v1/waivers", &[])?;
        let mut text = serde_json::to_string_pretty(&file).expect("it was JSON");
        text.push('\n');
        let waivers = file["waivers"].as_array().map_or(0, Vec::len) as u64;
        let parts = file["parts"].as_array().map_or(0, Vec::len) as u64;
        let held = format!("{} and {}", count(waivers, "waiver"), count(parts, "part"));
        let Some(path) = self.output else { return Ok(Outcome::new(&file, text).note(held)) };
        write_whole(&path, &text)?;
        Ok(Outcome::new(&file, format!("{}: {held}", path.display()))
            .note(format!("read it in CI: strangler suite run SUITE --waivers {}", path.display())))
    }
}

impl Import {
    pub(super) fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let wrong = |why: String| Failure::usage(format!("{}: {why}", self.file.display()));
        let text = std::fs::read_to_string(&self.file).map_err(|error| wrong(error.to_string()))?;
        let file: Value = serde_json::from_str(&text)
            .map_err(|error| wrong(format!("it is not a file of waivers: {error}")))?;
        let took: ImportedView = context.admin()?.post("/api/v1/waivers", &file)?;
        let mut text = format!("{} taken over", count(took.added.len() as u64, "waiver"));
        for entry in &took.added {
            text.push_str(&format!("\n  {} {}: {}", entry.group, entry.act, entry.reason));
        }
        let mut outcome = Outcome::new(&took, text);
        if took.known > 0 {
            outcome = outcome.note(format!("{} in the log already", count(took.known as u64, "waiver")));
        }
        for left in &took.decided_here {
            outcome = outcome.note(format!("left out: {} is `{}` here", left.group, left.call));
        }
        if took.ended > 0 {
            outcome = outcome.note(format!("left out: {} that ended", count(took.ended as u64, "waiver")));
        }
        for entry in &took.added {
            let undo = context.command(&format!("divergences triage {} --undo", entry.group));
            outcome = outcome.note(format!("take it back: {undo}"));
        }
        Ok(outcome)
    }
}

/// Nobody reads half of it: it is written beside and moved into place.
fn write_whole(path: &std::path::Path, text: &str) -> Result<(), Failure> {
    let failed =
        |error: std::io::Error| Failure::error(format!("{} cannot be written: {error}", path.display()));
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    std::fs::write(&beside, text).map_err(failed)?;
    std::fs::rename(&beside, path).map_err(failed)
}
