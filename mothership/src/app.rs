//! What every handler gets: the store, the clock, the counters.

use tokio::sync::watch;

use crate::{counters::Counters, domain::Clock, store::Store};

/// Cheap to clone.
#[derive(Clone)]
pub struct App {
    pub store: Store,
    pub clock: Clock,
    pub counters: Counters,
    /// What services show to the internal engines.
    pub service_token: String,
    /// Becomes true when the server starts to drain: endless responses (event streams) end then.
    pub draining: watch::Receiver<bool>,
}
