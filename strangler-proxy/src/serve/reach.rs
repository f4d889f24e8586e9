//! Whether an upstream can be reached, for those who block.

use crate::data_plane::upstream::Upstream;

/// Blocks for as long as it takes to make a connection to each of its addresses, if none takes one; why it failed, in words.
pub(super) fn reach(upstream: &Upstream) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("it cannot be asked: {error}"))?;
    runtime.block_on(upstream.reach())
}
