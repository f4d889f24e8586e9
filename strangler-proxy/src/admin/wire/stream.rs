//! Where the time of endpoints goes, and how far the estate is.

use std::collections::BTreeMap;

use diff_harness::stream::BurnDown;
use serde::{Deserialize, Serialize};

/// `GET /api/v1/stream`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct StreamView {
    pub burn_down: BurnDownView,
    /// Requests that control and the candidate answered since the beginning, those of no endpoint among them.
    pub answered_control: u64,
    pub answered_candidate: u64,
    /// The share of the two that control answered, from 0 to 1; `None` before the first.
    pub monolith_share: Option<f64>,
    /// Days of all endpoints together.
    pub working_days: u64,
    pub waiting_days: u64,
    pub endpoints: Vec<EndpointStreamView>,
}

/// Endpoints by how far they are. The first is the sum of the four after it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BurnDownView {
    pub endpoints: u64,
    pub not_begun: u64,
    pub on_the_way: u64,
    pub moved: u64,
    pub retired: u64,
    pub held: u64,
    pub exposed: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointStreamView {
    pub endpoint: String,
    pub stage: String,
    pub hold: String,
    /// By the word of the stage, from its first move on.
    pub in_stage_seconds: BTreeMap<String, u64>,
    pub working_days: u64,
    pub waiting_days: u64,
    pub last_work: Option<String>,
    /// In words; `None` once it is retired.
    pub waits_for: Option<String>,
    pub waits_since: Option<String>,
    pub waits_seconds: Option<u64>,
}

impl From<BurnDown> for BurnDownView {
    fn from(sum: BurnDown) -> Self {
        let BurnDown { endpoints, not_begun, on_the_way, moved, retired, held, exposed } = sum;
        Self { endpoints, not_begun, on_the_way, moved, retired, held, exposed }
    }
}
