//! What an interrupted run leaves, to be gone on with: which cases are done, and what was found in them.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::suite::outcome::FailOn;
use crate::suite::output::json;
use crate::suite::report::RunReport;
use crate::suite::run::Done;

const FORMAT: &str = "strangler-suite-checkpoint";
const VERSION: u32 = 1;

#[derive(Debug)]
pub struct Checkpoint {
    pub report: RunReport,
    pub done: Done,
}

#[derive(Serialize, Deserialize)]
struct File {
    format: String,
    version: u32,
    /// Says of which suite and which selection it is.
    of: String,
    done: Vec<(u64, u64)>,
    report: Box<RawValue>,
}

/// Names a run: a checkpoint is gone on with only by the run that it is of.
pub fn name(suite: &[u8], selection: &str) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&(suite.len() as u64).to_le_bytes()).update(suite).update(selection.as_bytes());
    hasher.finalize().to_hex()[..16].to_owned()
}

pub fn write(of: &str, report: &RunReport, done: &Done) -> String {
    let report = RawValue::from_string(json::render(report, FailOn::Any)).expect("a report is JSON");
    let file = File {
        format: FORMAT.to_owned(),
        version: VERSION,
        of: of.to_owned(),
        done: done.ranges().collect(),
        report,
    };
    serde_json::to_string(&file).expect("plain data is serializable")
}

/// # Errors
///
/// Why it cannot be gone on with, as the end of a sentence about the file.
pub fn read(text: &str, of: &str) -> Result<Checkpoint, String> {
    let file: File =
        serde_json::from_str(text).map_err(|error| format!("is not a checkpoint of a run: {error}"))?;
    if file.format != FORMAT || file.version != VERSION {
        return Err(format!("is not a checkpoint of version {VERSION}"));
    }
    if file.of != of {
        return Err("is of another suite, another selection of cases, or the suite was changed since: delete it to begin anew".to_owned());
    }
    let report =
        json::parse(file.report.get()).map_err(|why| format!("has a report that cannot be used: {why}"))?;
    Ok(Checkpoint { report, done: file.done.into_iter().collect() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suite::output::fixture;

    #[test]
    fn a_checkpoint_reads_back_for_its_own_run_only() {
        let done: Done = [(0, 3), (7, 8)].into_iter().collect();
        let of = name(b"suite: x", "");
        let text = write(&of, &fixture::report(), &done);
        let back = read(&text, &of).unwrap();
        assert!(back.done == done && back.report == fixture::report());
        assert!(read(&text, &name(b"suite: y", "")).unwrap_err().contains("was changed since"));
        assert!(read(&text, &name(b"suite: x", "tag")).is_err());
        assert!(read("{}", &of).unwrap_err().starts_with("is not a checkpoint"));
    }
}
