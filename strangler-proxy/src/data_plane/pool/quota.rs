//! How many connections to an upstream there may be, over all threads, and who has them.
//!
//! A thread takes a few at once and gives back what it does not need at its next sweep, so that an exchange costs nothing
//! that other cores would notice. Where there are no more, a thread that waits says so, and the others give back at once
//! what they have and do not use; those that have more than an even share also give what they have just used.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::futures::Notified;
use tokio::sync::{Notify, Semaphore};

/// Shared by the pools of all threads to one upstream.
#[derive(Debug)]
pub struct Quota {
    free: Semaphore,
    max: usize,
    waiting_max: usize,
    threads: usize,
    /// Requests that wait for a connection, on all threads.
    waiting: AtomicUsize,
    told: Notify,
}

/// A request that waits, for as long as it does.
pub(super) struct Waiting(Arc<Quota>);

impl Quota {
    /// At least one for each thread, and so many requests that wait for one on all of them together.
    pub fn new(max: usize, waiting_max: usize, threads: usize) -> Arc<Self> {
        let max = max.clamp(threads, Semaphore::MAX_PERMITS);
        let (free, told) = (Semaphore::new(max), Notify::new());
        Arc::new(Self { free, max, waiting_max, threads, waiting: AtomicUsize::new(0), told })
    }

    /// What a thread may have when all others want as much.
    pub(super) fn share(&self) -> usize {
        self.max / self.threads
    }

    /// How many a thread takes at once, and keeps for what comes next.
    pub(super) fn step(&self) -> usize {
        (self.share() / 8).max(1)
    }

    /// Up to so many, as far as there are any.
    pub(super) fn take(&self, most: usize) -> usize {
        let most = most.min(self.free.available_permits()).max(1);
        [most, 1].into_iter().find(|n| self.take_all(*n)).unwrap_or(0)
    }

    /// One, when somebody gives it back; first come first served, over all threads.
    pub(super) async fn next(&self) {
        self.free.acquire().await.expect("it is never closed").forget();
    }

    pub(super) fn give(&self, n: usize) {
        if n > 0 {
            self.free.add_permits(n);
        }
    }

    /// Says that a request waits here, if one more may.
    pub(super) fn wait(self: &Arc<Self>) -> Option<Waiting> {
        let one_more = |waiting| (waiting < self.waiting_max).then_some(waiting + 1);
        self.waiting.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more).ok()?;
        self.told.notify_waiters();
        Some(Waiting(Arc::clone(self)))
    }

    pub(super) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Ends when somewhere a request begins to wait.
    pub(super) fn told(&self) -> Notified<'_> {
        self.told.notified()
    }

    /// Whether half of them are taken, be it for later.
    pub(super) fn is_half_taken(&self) -> bool {
        self.free.available_permits() * 2 <= self.max
    }

    fn take_all(&self, n: usize) -> bool {
        let taken = u32::try_from(n).ok().and_then(|n| self.free.try_acquire_many(n).ok());
        taken.map(tokio::sync::SemaphorePermit::forget).is_some()
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}
