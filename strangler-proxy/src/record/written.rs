//! What this process has written of its counts, so that what others have written can be told from it.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use diff_harness::endpoint::EndpointId;
use diff_harness::store::{Batch, Tally};

/// Sums of all batches that the store has taken.
#[derive(Debug, Default)]
pub(super) struct Written(Mutex<Sums>);

/// By endpoint; `None` for requests that matched none.
pub(crate) type Sums = BTreeMap<Option<EndpointId>, Tally>;

impl Written {
    /// Held while a batch is written, so that whoever holds it finds the store and these sums in agreement.
    pub(super) fn lock(&self) -> MutexGuard<'_, Sums> {
        // A panic in the store comes before the sums are touched.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn add(sums: &mut Sums, batch: &Batch) {
    for (endpoint, tally) in &batch.tallies {
        sums.entry(endpoint.clone()).or_default().add(tally);
    }
}
