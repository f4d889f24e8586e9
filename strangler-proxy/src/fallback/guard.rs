//! One endpoint's latch.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::drift::Watched;
use super::window::Window;

/// Open while the candidate may be asked to answer. Once closed, the next request of every thread goes to control,
/// before the route table was swapped. Only a person's resume opens it again.
#[derive(Debug, Default)]
pub struct Guard {
    closed: AtomicBool,
    /// Milliseconds, on the clock of the handle, at which it was last opened. What was asked before that is over.
    opened_ms: AtomicU64,
    pub(super) window: Window,
    /// Locked behind the clients' path only.
    drift: Mutex<Watched>,
}

impl Guard {
    /// Whether the endpoint has fallen back. One load.
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Whether this call closed it: of all triggers that come at once, one is the reason.
    pub(super) fn close(&self) -> bool {
        !self.closed.swap(true, Ordering::AcqRel)
    }

    /// Begins anew: what was counted before does not count any more.
    pub(super) fn open(&self, now_ms: u64) {
        self.opened_ms.store(now_ms, Ordering::Release);
        self.window.clear();
        *self.drift() = Watched::default();
        self.closed.store(false, Ordering::Release);
    }

    pub(super) fn drift(&self) -> MutexGuard<'_, Watched> {
        // What panicked there left a score that is whole.
        self.drift.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a request that was asked then belongs to the time since it was opened.
    pub(super) fn is_of_now(&self, asked_ms: u64) -> bool {
        asked_ms >= self.opened_ms.load(Ordering::Acquire)
    }
}
