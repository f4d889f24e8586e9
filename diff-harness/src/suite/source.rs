//! Where the cases of a run come from: a written suite, or recorded cases.

use std::path::Path;
use std::sync::Arc;

use crate::suite::load::{SuiteErrors, load};
use crate::suite::recorded::Recorded;
use crate::suite::run::Selection;
use crate::suite::{Case, Suite};

/// A suite file, checked whole.
#[derive(Debug)]
pub enum Source {
    Written(Suite),
    Recorded(Recorded),
}

impl Source {
    /// Opens a suite: YAML, or recorded cases where the name ends in `.ndjson` or `.jsonl`.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it, each with its line.
    pub fn open(path: &Path, environment: impl Fn(&str) -> Option<String>) -> Result<Self, SuiteErrors> {
        let file = path.display().to_string();
        let is_recorded = path.extension().is_some_and(|end| end == "ndjson" || end == "jsonl");
        if is_recorded {
            return Recorded::open(path, &file, environment).map(Self::Recorded);
        }
        let text = std::fs::read_to_string(path)
            .map_err(|error| SuiteErrors::one(&file, 1, 1, format!("cannot be read: {error}")))?;
        load(&text, &file, environment).map(Self::Written)
    }

    /// Everything but the cases of a recorded suite.
    pub fn suite(&self) -> &Suite {
        match self {
            Self::Written(suite) => suite,
            Self::Recorded(recorded) => recorded.head(),
        }
    }

    /// The cases in the order of the file.
    pub fn cases(&self) -> Box<dyn Iterator<Item = Result<Arc<Case>, String>> + Send + '_> {
        match self {
            Self::Written(suite) => Box::new(suite.cases.iter().cloned().map(Ok)),
            Self::Recorded(recorded) => Box::new(recorded.cases()),
        }
    }

    /// How many cases a selection has, each persona counted.
    pub fn count(&self, selection: &Selection) -> Result<u64, String> {
        match self {
            // Known since the file was checked; counting again would read it again.
            Self::Recorded(recorded) if selection.is_everything() => Ok(recorded.runs()),
            _ => selection.plan(self.cases()).try_fold(0, |count, planned| planned.map(|_| count + 1)),
        }
    }
}
