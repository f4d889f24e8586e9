//! What two processes say to each other at a handover.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Both have to speak the same one.
pub(super) const PROTOCOL: u32 = 1;

/// From the new process.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum FromNew {
    Hello { protocol: u32, process: u32, store: PathBuf },
    Ready,
    Serving,
    Taken,
}

/// From the old process.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum FromOld {
    Refused {
        why: String,
    },
    /// With its descriptors. More of the same name may come in another message.
    Sockets {
        name: String,
    },
    /// With one descriptor. The last before the answer is waited for.
    Lock {
        process: u32,
    },
    Go,
    FellBack(FellBack),
    Done,
}

/// An endpoint that fell back in the old process, after that had stopped writing transitions.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
pub struct FellBack {
    /// Method and template.
    pub endpoint: String,
    /// Whether it is about answers that clients get from the candidate.
    pub is_of_answers: bool,
    pub reason: String,
    /// JSON, for the audit log.
    pub evidence: String,
}
