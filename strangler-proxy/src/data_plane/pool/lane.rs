//! The connections of one thread to one address of an upstream.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body::Body;

use super::BodyError;
use super::link::Link;
use super::shared::Connections;
use crate::data_plane::upstream::Address;

pub(super) struct Lane<B: Body + 'static> {
    pub(super) address: Arc<Address>,
    room: Rc<IdleRoom>,
    /// The one that was used last is used next.
    idle: RefCell<Vec<Idle<B>>>,
    /// Those of HTTP/2.
    pub(super) shared: Connections<B>,
    /// Where the upstream chooses what is spoken: it chose HTTP/1.1 the last time.
    pub(super) chose_http1: Cell<bool>,
    in_flight: Cell<usize>,
    /// Sent and not yet in the counts of the address.
    requests: Cell<u64>,
    /// The upstream has this address no more: connections are closed when they are free.
    gone: Cell<bool>,
}

struct Idle<B: Body + 'static> {
    link: Box<Link<B>>,
    until: Instant,
}

/// What all lanes of a pool may keep of unused connections.
pub(super) struct IdleRoom {
    pub(super) max: usize,
    pub(super) timeout: Duration,
    kept: Cell<usize>,
}

/// A request that is with an address. What comes next is sent where there are the fewest.
pub(super) struct Held<B: Body + 'static>(Rc<Lane<B>>);

impl IdleRoom {
    pub(super) fn new(max: usize, timeout: Duration) -> Rc<Self> {
        Rc::new(Self { max, timeout, kept: Cell::new(0) })
    }

    /// Unused connections, to all addresses.
    pub(super) fn kept(&self) -> usize {
        self.kept.get()
    }
}

impl<B> Lane<B>
where
    B: Body<Data = Bytes> + Unpin + 'static,
    B::Error: Into<BodyError>,
{
    /// Closes connections that were idle for too long, or that the upstream has closed.
    pub(super) fn sweep(&self, now: Instant) {
        // Nothing comes back meanwhile: this thread is here.
        self.change(|idle| idle.retain_mut(|idle| now < idle.until && idle.link.is_alive()));
        self.shared.sweep(now, self.room.timeout);
        self.address.counts.requests(self.requests.take());
    }
}

impl<B: Body + 'static> Lane<B> {
    pub(super) fn new(address: Arc<Address>, room: Rc<IdleRoom>) -> Self {
        Self {
            address,
            room,
            idle: RefCell::default(),
            shared: Connections::new(),
            chose_http1: Cell::new(false),
            in_flight: Cell::new(0),
            requests: Cell::new(0),
            gone: Cell::new(false),
        }
    }

    /// The idle connection that was used last, if it may still be used.
    pub(super) fn take_idle(&self) -> Option<Box<Link<B>>> {
        self.change(|all| {
            let Idle { link, until } = all.pop()?;
            let now = Instant::now();
            if now < until {
                return Some(link);
            }
            // Those below it were not used for longer, but the upstream may have given them more time.
            all.retain(|idle| now < idle.until);
            all.pop().map(|idle| idle.link)
        })
    }

    /// Takes back a connection that is ready for another request.
    pub(super) fn keep(&self, link: Box<Link<B>>) {
        let kept_for = link.idle_max.map_or(self.room.timeout, |theirs| theirs.min(self.room.timeout));
        if !self.gone.get() && !kept_for.is_zero() && self.room.kept() < self.room.max {
            self.change(|all| all.push(Idle { link, until: Instant::now() + kept_for }));
        }
    }

    /// Closes the idle connection that has not been used for longest, if there is one.
    pub(super) fn close_oldest(&self) {
        self.change(|all| {
            if !all.is_empty() {
                all.remove(0);
            }
        });
    }

    pub(super) fn close_idle(&self) {
        self.change(Vec::clear);
        self.shared.close();
    }

    /// The address is no more: what is on its way comes to its end.
    pub(super) fn retire(&self) {
        self.gone.set(true);
        self.close_idle();
        self.address.counts.requests(self.requests.take());
    }

    pub(super) fn idle(&self) -> usize {
        self.idle.borrow().len()
    }

    pub(super) fn in_flight(&self) -> usize {
        self.in_flight.get()
    }

    fn change<T>(&self, change: impl FnOnce(&mut Vec<Idle<B>>) -> T) -> T {
        let mut idle = self.idle.borrow_mut();
        let before = idle.len();
        let changed = change(&mut idle);
        self.room.kept.set(self.room.kept.get() + idle.len() - before);
        changed
    }
}

impl<B: Body + 'static> Held<B> {
    pub(super) fn new(lane: Rc<Lane<B>>) -> Self {
        lane.in_flight.set(lane.in_flight.get() + 1);
        lane.requests.set(lane.requests.get() + 1);
        Self(lane)
    }

    pub(super) fn lane(&self) -> &Rc<Lane<B>> {
        &self.0
    }
}

impl<B: Body + 'static> Drop for Held<B> {
    fn drop(&mut self) {
        self.0.in_flight.set(self.0.in_flight.get() - 1);
    }
}
