//! How many connections there may be at once, over all threads: of all listeners, and of one of them.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::config::DataPlaneConfig;

/// What all connections of one listener take their seats from, whichever thread serves them.
#[derive(Clone)]
pub(super) struct Seats {
    pub(super) listener: usize,
    all: Arc<Semaphore>,
    own: Option<Arc<Semaphore>>,
}

/// Taken by one connection for as long as it lives.
#[derive(Debug)]
pub(super) struct Seat {
    _own: Option<OwnedSemaphorePermit>,
    _all: OwnedSemaphorePermit,
}

impl Seats {
    /// For each listener of the config.
    pub(super) fn of(config: &DataPlaneConfig) -> Vec<Self> {
        let semaphore = |max: usize| Arc::new(Semaphore::new(max.clamp(1, Semaphore::MAX_PERMITS)));
        let all = semaphore(config.limits.connections_max);
        let of = |(listener, limit): (usize, Option<usize>)| Self {
            listener,
            all: Arc::clone(&all),
            own: limit.map(semaphore),
        };
        config.listeners.iter().map(|listener| listener.connections_max).enumerate().map(of).collect()
    }

    /// This one, when it is its own limit that keeps it from taking connections.
    pub(super) fn listener_that_is_full(&self) -> Option<usize> {
        self.own.as_ref().filter(|own| own.available_permits() == 0).map(|_| self.listener)
    }

    pub(super) fn try_take(&self) -> Option<Seat> {
        let own = match &self.own {
            Some(own) => Some(Arc::clone(own).try_acquire_owned().ok()?),
            None => None,
        };
        Some(Seat { _own: own, _all: Arc::clone(&self.all).try_acquire_owned().ok()? })
    }

    /// A listener that is full takes no seat from the others.
    pub(super) async fn take(&self) -> Seat {
        const OPEN: &str = "it is never closed";
        let own = match &self.own {
            Some(own) => Some(Arc::clone(own).acquire_owned().await.expect(OPEN)),
            None => None,
        };
        Seat { _own: own, _all: Arc::clone(&self.all).acquire_owned().await.expect(OPEN) }
    }
}
