//! Which deployments were current, over a restart.

use diff_harness::store::{Epoch, Store, StoreError};

const CANDIDATE: &str = "epoch.candidate";
const CONTROL: &str = "epoch.control";

/// The deployments that were current when the store was last written.
pub(super) fn kept_epoch(store: &dyn Store) -> Result<Epoch, StoreError> {
    Ok(Epoch {
        candidate: store.setting(CANDIDATE)?.unwrap_or_default(),
        control: store.setting(CONTROL)?.unwrap_or_default(),
        // The rules are what they are now, not what they were.
        rules: String::new(),
    })
}

pub(crate) fn keep_epoch(store: &dyn Store, epoch: &Epoch) -> Result<(), StoreError> {
    store.set_setting(CANDIDATE, &epoch.candidate)?;
    store.set_setting(CONTROL, &epoch.control)
}
