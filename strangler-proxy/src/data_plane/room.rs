//! How many of something a thread may have at once: connections, requests of one listener, tunnels.

use std::rc::Rc;

use tokio::sync::Semaphore;

use super::config::DataPlaneConfig;

/// How many connections a thread may have: of all listeners, and of one of them.
#[derive(Clone)]
pub(super) struct Room {
    pub(super) listener: usize,
    pub(super) all: Rc<Semaphore>,
    pub(super) own: Option<Rc<Semaphore>>,
}

/// A place among each of these, for as long as the connection lives.
pub(super) struct Places {
    _own: Option<Place>,
    _all: Place,
}

/// One of so many, until it is dropped.
pub(super) struct Place(Rc<Semaphore>);

impl Room {
    /// This one, when it is its own limit that keeps it from taking connections.
    pub(super) fn listener_that_is_full(&self) -> Option<usize> {
        self.own.as_ref().filter(|own| own.available_permits() == 0).map(|_| self.listener)
    }

    pub(super) fn try_take(&self) -> Option<Places> {
        let own = match &self.own {
            Some(own) => Some(Place::try_take(own)?),
            None => None,
        };
        Some(Places { _own: own, _all: Place::try_take(&self.all)? })
    }

    /// A listener that is full takes no place from the others.
    pub(super) async fn take(&self) -> Places {
        let own = match &self.own {
            Some(own) => Some(Place::take(own).await),
            None => None,
        };
        Places { _own: own, _all: Place::take(&self.all).await }
    }
}

impl Place {
    pub(super) fn try_take(room: &Rc<Semaphore>) -> Option<Self> {
        room.try_acquire().ok()?.forget();
        Some(Self(Rc::clone(room)))
    }

    async fn take(room: &Rc<Semaphore>) -> Self {
        room.acquire().await.expect("it is never closed").forget();
        Self(Rc::clone(room))
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
