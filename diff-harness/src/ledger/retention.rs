//! How much is kept, and for how long.

use std::time::Duration;

/// What is kept of exchanges, and for how long. Counts, groups and the audit log are kept for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Kept exchanges, compressed, together.
    pub exchange_bytes_max: u64,
    pub exchange_age_max: Duration,
    /// Exchanges kept of one group in one epoch.
    pub samples_per_group: u32,
    /// Exchanges without a divergence kept of one endpoint in one epoch.
    pub matches_per_endpoint: u32,
    /// Groups that are told apart in one endpoint; what is beyond counts in one group per severity.
    pub groups_per_endpoint: u32,
    /// Unsafe requests kept of one endpoint at stage `record`.
    pub recorded_per_endpoint: u32,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            exchange_bytes_max: 1 << 30,
            exchange_age_max: Duration::from_secs(30 * 24 * 3600),
            samples_per_group: 20,
            matches_per_endpoint: 10,
            groups_per_endpoint: 1000,
            recorded_per_endpoint: 100,
        }
    }
}
