//! How everything stands.

use std::collections::BTreeMap;

use diff_harness::store::Epoch;
use serde::{Deserialize, Serialize};

use super::{RouteView, Traffic, UpstreamView};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StatusView {
    pub product: String,
    pub started: String,
    pub uptime_seconds: u64,
    pub listening: Vec<String>,
    pub control: String,
    pub candidate: String,
    #[serde(default)]
    pub upstreams: Vec<UpstreamView>,
    pub store: String,
    pub epoch: EpochView,
    /// How many endpoints stand at each stage.
    pub stages: BTreeMap<String, u64>,
    pub endpoints: Vec<RouteView>,
    /// Requests that matched no endpoint; control answered them.
    pub unmatched: Traffic,
    pub total: Traffic,
    /// Requests that have begun and not ended.
    pub pending: u64,
    /// What could not be recorded, and other things that a person must look at.
    pub warnings: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EpochView {
    pub candidate: String,
    pub control: String,
    pub rules: String,
}

/// `POST /api/v1/epochs`: what is left out stays.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EpochRequest {
    #[serde(default)]
    pub candidate: Option<String>,
    #[serde(default)]
    pub control: Option<String>,
}

impl From<&Epoch> for EpochView {
    fn from(epoch: &Epoch) -> Self {
        Self {
            candidate: epoch.candidate.clone(),
            control: epoch.control.clone(),
            rules: epoch.rules.clone(),
        }
    }
}
