//! How many of something a thread may have at once: requests of one listener, tunnels.

use std::rc::Rc;

use tokio::sync::Semaphore;

use super::config::DataPlaneConfig;

/// One of so many, until it is dropped.
pub(super) struct Place(Rc<Semaphore>);

impl Place {
    pub(super) fn try_take(room: &Rc<Semaphore>) -> Option<Self> {
        room.try_acquire().ok()?.forget();
        Some(Self(Rc::clone(room)))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.add_permits(1);
    }
}

/// A thread's share of a limit over all threads, as places.
pub(super) fn places(limit: usize, config: &DataPlaneConfig) -> Rc<Semaphore> {
    Rc::new(Semaphore::new(share(limit, config)))
}

/// A thread's share of a limit over all threads.
pub(super) fn share(limit: usize, config: &DataPlaneConfig) -> usize {
    limit.div_ceil(config.threads.get()).clamp(1, Semaphore::MAX_PERMITS)
}
