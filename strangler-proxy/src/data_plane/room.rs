//! How many of something there may be at once over all threads: requests, those of one listener, tunnels.
//!
//! Each thread has a stock of places, takes from it and gives back to it. As a rule nobody else touches that, so that a request
//! costs nothing that other cores would notice. Where a thread's own stock is empty it takes from another's: nobody is refused
//! while a place is free anywhere, but for one that comes free just then, and there are never more than all. A place comes back
//! to the stock of whoever had it, so that the stocks follow the work.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::config::DataPlaneConfig;

/// A limit, shared by all threads.
#[derive(Clone, Debug)]
pub(super) struct Room {
    max: usize,
    /// The free places, by thread.
    stocks: Arc<[Stock]>,
}

/// Apart from each other, so that no core waits for what another one writes.
#[derive(Debug)]
#[repr(align(128))]
struct Stock(AtomicUsize);

/// A room as one thread sees it.
#[derive(Debug)]
pub(super) struct Corner {
    room: Room,
    thread: usize,
}

/// One of so many, until it is dropped.
pub(super) struct Place(Rc<Corner>);

/// Those of the data plane.
#[derive(Clone, Debug)]
pub(super) struct Rooms {
    pub(super) requests: Room,
    pub(super) tunnels: Room,
    /// For requests, by listener of the config, where one has a limit of its own.
    pub(super) of_listeners: Vec<Option<Room>>,
}

impl Rooms {
    pub(super) fn of(config: &DataPlaneConfig) -> Self {
        let room = |max| Room::new(max, config.threads.get());
        Self {
            requests: room(config.limits.requests_max),
            tunnels: room(config.limits.tunnels_max),
            of_listeners: config.listeners.iter().map(|listener| listener.requests_max.map(room)).collect(),
        }
    }
}

impl Room {
    fn new(max: usize, threads: usize) -> Self {
        let of = |thread| max / threads + usize::from(thread < max % threads);
        Self { max, stocks: (0..threads).map(|thread| Stock(AtomicUsize::new(of(thread)))).collect() }
    }

    pub(super) fn corner(&self, thread: usize) -> Corner {
        Corner { room: self.clone(), thread }
    }
}

impl Stock {
    fn try_take(&self) -> bool {
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |free| free.checked_sub(1)).is_ok()
    }
}

impl Corner {
    /// Whether there was one. It is to be given back.
    pub(super) fn try_take(&self) -> bool {
        let stocks = &self.room.stocks;
        stocks[self.thread].try_take() || {
            let (before, after) = stocks.split_at(self.thread);
            // Each begins with another one, and none is taken from before its own turn.
            after[1..].iter().chain(before).any(Stock::try_take)
        }
    }

    pub(super) fn give_back(&self) {
        self.room.stocks[self.thread].0.fetch_add(1, Ordering::Relaxed);
    }

    /// How many are taken, over all threads.
    pub(super) fn taken(&self) -> usize {
        let free = self.room.stocks.iter().map(|stock| stock.0.load(Ordering::Relaxed)).sum();
        // While others take and give back, what is read of one and of the next is not of one moment.
        self.room.max.saturating_sub(free)
    }
}

impl Place {
    pub(super) fn try_take(corner: &Rc<Corner>) -> Option<Self> {
        corner.try_take().then(|| Self(Rc::clone(corner)))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.give_back();
    }
}

/// A thread's share of a limit over all threads, where that is shared out.
pub(super) fn share(limit: usize, config: &DataPlaneConfig) -> usize {
    limit.div_ceil(config.threads.get()).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all_of(corner: &Rc<Corner>) -> Vec<Place> {
        std::iter::from_fn(|| Place::try_take(corner)).collect()
    }

    #[test]
    fn one_thread_may_have_all_and_all_together_have_no_more() {
        for (max, threads) in [(10, 3), (1, 4), (4, 1), (0, 2)] {
            let room = Room::new(max, threads);
            let corners: Vec<_> = (0..threads).map(|thread| Rc::new(room.corner(thread))).collect();
            // Wherever they were used before.
            for corner in corners.iter().chain(corners.iter().rev()) {
                let held = all_of(corner);
                assert_eq!((held.len(), corner.taken()), (max, max), "{max} for {threads}");
                assert!(corners.iter().all(|corner| Place::try_take(corner).is_none()));
            }
            assert_eq!(corners[0].taken(), 0);
        }
    }

    #[test]
    fn what_was_used_is_there_for_whoever_used_it() {
        let room = Room::new(4, 2);
        let (one, other) = (Rc::new(room.corner(0)), Rc::new(room.corner(1)));
        drop(all_of(&one));
        assert_eq!(
            room.stocks.iter().map(|stock| stock.0.load(Ordering::Relaxed)).collect::<Vec<_>>(),
            [4, 0]
        );
        let held = all_of(&other);
        assert_eq!(held.len(), 4);
        assert!(Place::try_take(&one).is_none());
    }

    #[test]
    fn threads_that_take_from_each_other_never_have_more_than_all_and_lose_none() {
        const MAX: usize = 5;
        const THREADS: usize = 4;
        let (room, held) = (Room::new(MAX, THREADS), AtomicUsize::new(0));
        let held = &held;
        std::thread::scope(|scope| {
            for thread in 0..THREADS {
                let corner = room.corner(thread);
                scope.spawn(move || {
                    for _ in 0..10_000 {
                        let taken = (0..2).filter(|_| corner.try_take()).count();
                        assert!(held.fetch_add(taken, Ordering::SeqCst) + taken <= MAX);
                        held.fetch_sub(taken, Ordering::SeqCst);
                        (0..taken).for_each(|_| corner.give_back());
                    }
                });
            }
        });
        assert_eq!(all_of(&Rc::new(room.corner(1))).len(), MAX);
    }
}
