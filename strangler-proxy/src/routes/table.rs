//! The route table: which endpoint a request is for, and where that endpoint stands.

use std::sync::Arc;

use diff_harness::endpoint::{EndpointId, SafeMethod};
use diff_harness::lifecycle::Standing;

use crate::counters::EndpointCounters;

/// An endpoint as the data plane knows it while its table is the current one.
#[derive(Debug)]
pub struct ActiveRoute {
    pub endpoint: EndpointId,
    /// What the endpoint's own method is; a HEAD request on a GET endpoint is judged by itself.
    pub safe: Option<SafeMethod>,
    pub standing: Standing,
    pub revision: u64,
    /// The same counters over all swaps of the table.
    pub counters: Arc<EndpointCounters>,
}
