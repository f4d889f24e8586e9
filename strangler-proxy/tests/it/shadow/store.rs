//! A store that keeps what it is given, and refuses it when a test says so.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use diff_harness::audit::{AuditListing, Audited, Change};
use diff_harness::endpoint::EndpointId;
use diff_harness::exchange::UnixMillis;
use diff_harness::fingerprint::Fingerprint;
use diff_harness::lifecycle::{Declaration, Flip, Route, Transition};
use diff_harness::noise::book::EndpointNoise;
use diff_harness::store::{
    Batch, DecisionsOf, Declared, Epoch, EpochFilter, EpochSpan, Group, GroupEpoch, GroupFilter,
    GroupListing, GroupShape, GroupSum, LatencyPair, Listed, Neighbours, Observed, Recorded, RuleTally,
    Sample, Store, StoreError, Swept, Tally, Took, Undeclared,
};
use diff_harness::triage::{Decided, Entry, Part, Triaged, Wish};

#[derive(Default)]
pub(crate) struct MemoryStore {
    batches: Mutex<Vec<Batch>>,
    refuses: AtomicBool,
    refuses_details: AtomicBool,
    refused: AtomicUsize,
    routes: Mutex<Vec<Route>>,
    flips: Mutex<Vec<Flip>>,
}

impl MemoryStore {
    pub(crate) fn knowing(route: Route) -> Self {
        Self { routes: Mutex::new(vec![route]), ..Self::default() }
    }

    pub(crate) fn flips(&self) -> Vec<Flip> {
        self.flips.lock().unwrap().clone()
    }

    pub(crate) fn refuse(&self, refuses: bool) {
        self.refuses.store(refuses, Ordering::SeqCst);
    }

    /// Refuses batches with a comparison in them, and takes the others.
    pub(super) fn refuse_details(&self) {
        self.refuses_details.store(true, Ordering::SeqCst);
    }

    /// How many batches were refused.
    pub(crate) fn refused(&self) -> usize {
        self.refused.load(Ordering::SeqCst)
    }

    pub(crate) fn batches(&self) -> Vec<Batch> {
        self.batches.lock().unwrap().clone()
    }

    /// The sum of all recorded tallies.
    pub(crate) fn total(&self) -> Tally {
        let mut total = Tally::default();
        for batch in self.batches.lock().unwrap().iter() {
            for (_, tally) in &batch.tallies {
                total.add(tally);
            }
        }
        total
    }
}

fn not_here<T>() -> Result<T, StoreError> {
    Err(StoreError::Unusable("this store only takes what is recorded".to_owned()))
}

impl Store for MemoryStore {
    fn record(&self, batch: &Batch) -> Result<(), StoreError> {
        let refuses_details = self.refuses_details.load(Ordering::SeqCst) && !batch.comparisons.is_empty();
        if self.refuses.load(Ordering::SeqCst) || refuses_details {
            self.refused.fetch_add(1, Ordering::SeqCst);
            return Err(StoreError::Unusable("the disk is full".to_owned()));
        }
        self.batches.lock().unwrap().push(batch.clone());
        Ok(())
    }

    fn routes(&self) -> Result<Vec<Route>, StoreError> {
        Ok(self.routes.lock().unwrap().clone())
    }

    fn declare(&self, _: &[(EndpointId, Declaration)], _: UnixMillis) -> Result<Declared, StoreError> {
        Ok(Declared::default())
    }

    fn flip(&self, flip: &Flip) -> Result<Transition, StoreError> {
        if self.refuses.load(Ordering::SeqCst) {
            self.refused.fetch_add(1, Ordering::SeqCst);
            return Err(StoreError::Unusable("the disk is full".to_owned()));
        }
        let mut routes = self.routes.lock().unwrap();
        let route = routes.iter_mut().find(|route| route.endpoint == flip.endpoint).unwrap();
        if route.revision != flip.expected_revision {
            let (endpoint, expected) = (flip.endpoint.clone(), flip.expected_revision);
            return Err(StoreError::Conflict { endpoint, expected, current: route.revision });
        }
        let from = std::mem::replace(&mut route.standing, flip.to);
        route.revision += 1;
        let mut flips = self.flips.lock().unwrap();
        flips.push(flip.clone());
        Ok(Transition { sequence: flips.len() as u64, from, revision: route.revision, flip: flip.clone() })
    }

    fn transitions(&self, _: Option<&EndpointId>, _: usize) -> Result<Vec<Transition>, StoreError> {
        Ok(Vec::new())
    }

    fn tallies(&self, _: EpochFilter<'_>) -> Result<Vec<(Option<EndpointId>, Tally)>, StoreError> {
        not_here()
    }

    fn observed(&self, _: &EndpointId, _: &Epoch) -> Result<Observed, StoreError> {
        not_here()
    }

    fn noise(&self, _: &str) -> Result<Vec<(EndpointId, EndpointNoise)>, StoreError> {
        not_here()
    }

    fn epochs(&self) -> Result<Vec<EpochSpan>, StoreError> {
        not_here()
    }

    fn latencies(&self, _: &EndpointId, _: &Epoch) -> Result<Vec<LatencyPair>, StoreError> {
        not_here()
    }

    fn group(&self, _: &Fingerprint) -> Result<Option<Group>, StoreError> {
        not_here()
    }

    fn groups(&self, _: &GroupFilter<'_>) -> Result<Vec<Group>, StoreError> {
        not_here()
    }

    fn triaged(&self, _: &GroupFilter<'_>) -> Result<Vec<Triaged>, StoreError> {
        not_here()
    }

    fn triaged_group(&self, _: &Fingerprint) -> Result<Option<Triaged>, StoreError> {
        not_here()
    }

    fn decide(&self, _: &Wish) -> Result<Entry, StoreError> {
        not_here()
    }

    fn import(&self, _: &[Wish], _: &[Wish]) -> Result<Vec<Took>, StoreError> {
        not_here()
    }

    fn decisions(&self, _: DecisionsOf<'_>, _: usize) -> Result<Vec<Entry>, StoreError> {
        not_here()
    }

    fn in_force(&self) -> Result<Vec<Decided>, StoreError> {
        not_here()
    }

    fn parts(&self) -> Result<Vec<(Fingerprint, Part)>, StoreError> {
        not_here()
    }

    fn group_epochs(&self, _: &Fingerprint) -> Result<Vec<GroupEpoch>, StoreError> {
        not_here()
    }

    fn audit(&self, _: &AuditListing<'_>) -> Result<Audited, StoreError> {
        not_here()
    }

    fn note(&self, _: &Change) -> Result<(), StoreError> {
        not_here()
    }

    fn list_groups(&self, _: &GroupListing<'_>) -> Result<Listed, StoreError> {
        not_here()
    }

    fn neighbours(&self, _: &GroupListing<'_>, _: &Fingerprint) -> Result<Neighbours, StoreError> {
        not_here()
    }

    fn group_sums(&self, _: &Epoch, _: &[Fingerprint]) -> Result<Vec<GroupSum>, StoreError> {
        not_here()
    }

    fn views(&self, _: &str, _: &[Fingerprint]) -> Result<BTreeMap<Fingerprint, String>, StoreError> {
        not_here()
    }

    fn keep_view(&self, _: &str, _: &Fingerprint, _: &str, _: UnixMillis) -> Result<(), StoreError> {
        not_here()
    }

    fn group_shapes(&self, _: &Fingerprint, _: EpochFilter<'_>) -> Result<Vec<GroupShape>, StoreError> {
        not_here()
    }

    fn samples(&self, _: &Fingerprint, _: usize) -> Result<Vec<Sample>, StoreError> {
        not_here()
    }

    fn recorded(&self, _: &EndpointId, _: usize) -> Result<Vec<Recorded>, StoreError> {
        not_here()
    }

    fn exchange(&self, _: &str) -> Result<Option<Sample>, StoreError> {
        not_here()
    }

    fn rules(&self, _: &Epoch) -> Result<Vec<RuleTally>, StoreError> {
        not_here()
    }

    fn undeclared(&self, _: usize) -> Result<Vec<Undeclared>, StoreError> {
        not_here()
    }

    fn sweep(&self, _: UnixMillis) -> Result<Swept, StoreError> {
        not_here()
    }

    fn setting(&self, _: &str) -> Result<Option<String>, StoreError> {
        not_here()
    }

    fn set_setting(&self, _: &str, _: &str) -> Result<(), StoreError> {
        not_here()
    }
}
