//! Where the counters of all endpoints are found.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use diff_harness::endpoint::EndpointId;

use super::{EndpointCounters, Snapshot};

/// The counters of every endpoint since the proxy started. An endpoint keeps its counters over every swap of the
/// route table. Asked when a table is built and when counts are read, never per request.
#[derive(Debug, Default)]
pub struct CounterRegistry {
    endpoints: Mutex<BTreeMap<EndpointId, Arc<EndpointCounters>>>,
    unmatched: Arc<EndpointCounters>,
}

impl CounterRegistry {
    pub fn new() -> Self {
        Self::default()
    }

    /// The counters of an endpoint: the same ones whenever it is asked.
    pub fn get(&self, endpoint: &EndpointId) -> Arc<EndpointCounters> {
        // A panic elsewhere leaves whole entries: an insertion is the only thing ever done here.
        let mut endpoints = self.endpoints.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(counters) = endpoints.get(endpoint) {
            return Arc::clone(counters);
        }
        Arc::clone(endpoints.entry(endpoint.clone()).or_default())
    }

    /// The counters of requests that match no endpoint.
    pub fn unmatched(&self) -> Arc<EndpointCounters> {
        Arc::clone(&self.unmatched)
    }

    /// All counters in the order of [`EndpointId`], those of requests without an endpoint (`None`) last.
    pub fn all(&self) -> Vec<(Option<EndpointId>, Arc<EndpointCounters>)> {
        let endpoints = self.endpoints.lock().unwrap_or_else(PoisonError::into_inner);
        let known = endpoints.iter().map(|(id, counters)| (Some(id.clone()), Arc::clone(counters)));
        known.chain([(None, self.unmatched())]).collect()
    }

    /// What became of all requests since the proxy started.
    pub fn total(&self) -> Snapshot {
        let mut total = Snapshot::default();
        for (_, counters) in self.all() {
            total.add(&counters.snapshot());
        }
        total
    }
}

#[cfg(test)]
mod tests {
    use diff_harness::comparison::{Disposition, SkipReason};
    use http::Method;

    use super::*;

    #[test]
    fn an_endpoint_keeps_its_counters() {
        let registry = CounterRegistry::new();
        let endpoint = EndpointId::new(Method::GET, "/a/{id}");
        registry.get(&endpoint).started();
        assert_eq!(registry.get(&endpoint).snapshot().started, 1);
    }

    #[test]
    fn requests_without_an_endpoint_are_part_of_the_total() {
        let registry = CounterRegistry::new();
        registry.get(&EndpointId::new(Method::GET, "/a")).started();
        registry.unmatched().started();
        registry.unmatched().count(Disposition::Skipped(SkipReason::Unmatched));
        let total = registry.total();
        assert_eq!((total.started, total.tally.seen(), total.pending()), (2, 1, 1));
    }
}
