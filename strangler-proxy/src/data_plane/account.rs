//! What becomes of one request, counted.

use std::sync::Arc;

use diff_harness::comparison::{Disposition, SkipReason};
use diff_harness::exchange::Side;

use crate::counters::EndpointCounters;

/// Counts one request, from its head to its one disposition.
pub(super) struct Account {
    counters: Arc<EndpointCounters>,
    is_open: bool,
}

impl Account {
    pub(super) fn open(counters: Arc<EndpointCounters>) -> Self {
        counters.started();
        Self { counters, is_open: true }
    }

    pub(super) fn answered(&self, side: Side) {
        self.counters.answered(side);
    }

    pub(super) fn skipped(&mut self, reason: SkipReason) {
        self.end(Disposition::Skipped(reason));
    }

    /// The proxy answered by itself.
    pub(super) fn refused(&mut self, reason: SkipReason) {
        self.counters.answered_by_proxy();
        self.skipped(reason);
    }

    /// The shadow side counts it from here on.
    pub(super) fn handed_over(&mut self) {
        self.is_open = false;
    }

    pub(super) fn end(&mut self, disposition: Disposition) {
        if std::mem::replace(&mut self.is_open, false) {
            self.counters.count(disposition);
        }
    }

    /// For what is counted after the request has its end: how long the answer took.
    pub(super) fn into_counters(self) -> Arc<EndpointCounters> {
        Arc::clone(&self.counters)
    }
}

/// Dropped before the response was there, the client has gone.
impl Drop for Account {
    fn drop(&mut self) {
        self.end(Disposition::Skipped(SkipReason::ClientGone));
    }
}
