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
    /// Whether the candidate has acknowledged a dry run: [`NEVER`], [`FIRST`] or [`acknowledged`] by a deployment.
    dry_run: AtomicU64,
    /// Locked behind the clients' path only.
    drift: Mutex<Watched>,
}

/// No dry run was acknowledged, and none is on its way.
const NEVER: u64 = 0;
/// The first one is on its way, alone.
const FIRST: u64 = 1;

/// Acknowledged by this deployment of the candidate. What another one answered says nothing of it.
const fn acknowledged(deployment: u64) -> u64 {
    deployment + 2
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
        self.dry_run.store(NEVER, Ordering::Release);
        self.closed.store(false, Ordering::Release);
    }

    pub(super) fn drift(&self) -> MutexGuard<'_, Watched> {
        // What panicked there left a score that is whole.
        self.drift.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a dry run may be sent. Until this deployment has acknowledged one, one at a time: should the candidate not
    /// know what a dry run is, it has carried out one request and not a hundred.
    pub(crate) fn begins_dry_run(&self, deployment: u64) -> bool {
        let now = self.dry_run.load(Ordering::Acquire);
        if now == acknowledged(deployment) {
            return true;
        }
        if now == FIRST
            || self.dry_run.compare_exchange(now, FIRST, Ordering::AcqRel, Ordering::Acquire).is_err()
        {
            return false;
        }
        // The one before may have ended unacknowledged after this request was routed: it closed the guard before it
        // made room, so that whoever got the room sees it.
        let may = !self.is_closed();
        if !may {
            self.dry_run_ended();
        }
        may
    }

    /// `deployment` is the one of when it began.
    pub(crate) fn dry_run_acknowledged(&self, deployment: u64) {
        self.dry_run.store(acknowledged(deployment), Ordering::Release);
    }

    /// It came to an end, whatever that was.
    pub(crate) fn dry_run_ended(&self) {
        // Fails where it was acknowledged: then there is nothing to make room for.
        let _ = self.dry_run.compare_exchange(FIRST, NEVER, Ordering::AcqRel, Ordering::Acquire);
    }

    /// Whether a request that was asked then belongs to the time since it was opened.
    pub(super) fn is_of_now(&self, asked_ms: u64) -> bool {
        asked_ms >= self.opened_ms.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_that_was_routed_before_the_guard_closed_is_no_second_dry_run() {
        let guard = Guard::default();
        assert!(guard.begins_dry_run(1));
        assert!(!guard.begins_dry_run(1), "the first is on its way");
        guard.close();
        guard.dry_run_ended();
        assert!(!guard.begins_dry_run(1), "the first ended unacknowledged");
        guard.open(0);
        assert!(guard.begins_dry_run(1), "a person resumed it");
    }

    #[test]
    fn once_one_was_acknowledged_they_need_not_wait_for_each_other() {
        let guard = Guard::default();
        assert!(guard.begins_dry_run(1));
        guard.dry_run_acknowledged(1);
        guard.dry_run_ended();
        assert!(guard.begins_dry_run(1) && guard.begins_dry_run(1));
    }

    #[test]
    fn another_deployment_acknowledges_for_itself() {
        let guard = Guard::default();
        assert!(guard.begins_dry_run(1));
        guard.dry_run_acknowledged(1);
        guard.dry_run_ended();
        assert!(guard.begins_dry_run(2));
        assert!(!guard.begins_dry_run(2), "its first is on its way, alone");
        guard.dry_run_acknowledged(2);
        guard.dry_run_ended();
        assert!(guard.begins_dry_run(2) && guard.begins_dry_run(2));
    }
}
