//! Why an endpoint fell back, and on what evidence.

use std::fmt;
use std::time::Duration;

use diff_harness::endpoint::EndpointId;
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
}

impl Trigger {
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
        }
    }
}
