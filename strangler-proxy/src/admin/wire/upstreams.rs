//! Upstreams and their addresses.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpstreamView {
    /// `control` or `candidate`.
    pub side: String,
    pub addresses: Vec<AddressView>,
    /// How often its names were resolved, and how often one of them could not be.
    pub resolved: u64,
    pub resolve_failed: u64,
    /// The last time a name was not found; its old addresses are used.
    pub resolve_failing: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressView {
    /// Host and port as they were declared.
    pub authority: String,
    pub address: String,
    /// For the requests of clients: `used`, `ejected` (failed too often, left alone until it is found to be well), `unhealthy` (by the
    /// active check).
    pub state: String,
    /// The same for shadows, which are told apart.
    pub shadow_state: String,
    pub ejections: u64,
    pub shadow_ejections: u64,
    pub requests: u64,
    pub connects: u64,
    pub connects_failed: u64,
    /// Requests that met a close on a connection that had served before.
    pub closed_on_reuse: u64,
    /// How often it was asked how it is, while it was left alone, and how often it was not well.
    #[serde(default)]
    pub probes: u64,
    #[serde(default)]
    pub probes_failed: u64,
}
