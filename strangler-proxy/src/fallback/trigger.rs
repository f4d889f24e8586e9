//! Why an endpoint fell back, and on what evidence.

use std::fmt;
use std::time::Duration;

use diff_harness::endpoint::EndpointId;
use diff_harness::evidence::drift::Run;
use diff_harness::evidence::sprt::Sprt;
use diff_harness::fingerprint::Fingerprint;
use diff_harness::noise::confirm::Confirmation;
use serde_json::{Value, json};

use super::window::Recent;

/// An endpoint that has just fallen back.
#[derive(Clone, Debug, PartialEq)]
pub struct Alarm {
    pub endpoint: EndpointId,
    pub trigger: Trigger,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Trigger {
    /// Too many failures of the candidate in a short time.
    Failures {
        recent: Recent,
        window: Duration,
        /// What the last of them was, and whose.
        last: &'static str,
        exchange: String,
    },
    /// The candidate showed what control withheld, and asking both again did not explain it by an edit.
    Exposure {
        fingerprint: Fingerprint,
        /// Generalized, as text.
        location: String,
        confirmation: Confirmation,
        exchange: String,
    },
    /// The candidate answered a dry run without saying that it committed nothing.
    Unacknowledged { header: String, exchange: String },
    /// The sequential test rejects the candidate.
    Rejected { run: Run, sprt: Sprt, exchange: String },
}

impl Trigger {
    /// Whether it is about answers that clients get, so that it says nothing once they get them from control.
    pub(crate) fn is_of_answers(&self) -> bool {
        !matches!(self, Self::Unacknowledged { .. })
    }

    /// For the audit log: the counts and where to look further.
    pub fn evidence(&self) -> Value {
        match self {
            Self::Failures { recent, window, last, exchange } => json!({
                "trigger": "failures",
                "failed": recent.failed,
                "asked": recent.asked,
                "window_seconds": window.as_secs_f64(),
                "last_failure": last,
                "exchange": exchange,
            }),
            Self::Exposure { fingerprint, location, confirmation, exchange } => json!({
                "trigger": "exposure",
                "group": fingerprint.as_str(),
                "location": location,
                "confirmation": confirmation.as_str(),
                "exchange": exchange,
            }),
            Self::Unacknowledged { header, exchange } => json!({
                "trigger": "unacknowledged",
                "missing_header": header,
                "exchange": exchange,
            }),
            Self::Rejected { run, sprt, exchange } => json!({
                "trigger": "rejected",
                "compared": run.compared,
                "mismatched": run.mismatched,
                "test": sprt.to_string(),
                "exchange": exchange,
            }),
        }
    }
}

/// One sentence for a person.
impl fmt::Display for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failures { recent: Recent { asked, failed }, window, last, exchange } => write!(
                f,
                "the candidate failed {failed} of {asked} requests within {} s, at last exchange {exchange} ({last})",
                window.as_secs_f64()
            ),
            Self::Exposure { fingerprint, location, confirmation, exchange } => write!(
                f,
                "the candidate showed what control withheld at {location} (exposure {fingerprint}, {}), in exchange \
                 {exchange}",
                confirmation.as_str()
            ),
            Self::Unacknowledged { header, exchange } => write!(
                f,
                "the candidate answered the dry run of exchange {exchange} without `{header}`: it may have carried it out"
            ),
            Self::Rejected { run, sprt, exchange } => write!(
                f,
                "{} of the last {} comparisons differed: the test rejects ({sprt}), at last exchange {exchange}",
                run.mismatched, run.compared
            ),
        }
    }
}
