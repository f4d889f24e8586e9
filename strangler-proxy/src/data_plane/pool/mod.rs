//! Connections to one upstream, for one thread.
//!
//! Each address has a [`lane`] of its own; [`balance`] says to which the next request goes. Within a lane the
//! connection last used is used next (LIFO), so that as few as possible are kept warm. A connection has no task of its
//! own: whoever waits for its response, or reads the body of it, drives it. That saves a wake-up and a switch on every
//! step of an exchange, and a response that nobody wants any more closes its connection at once.

mod balance;
mod body;
pub(super) mod h2_head;
mod lane;
mod last_word;
mod lending;
mod link;
mod reach;
mod quota;
mod send_error;
mod shared;
mod slots;

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{Request, Response, StatusCode};
use http_body::Body;

use super::names::Spelling;
use super::upstream::{Protocol, Upstream, Use};
use balance::{Random, choose};
pub use body::UpstreamBody;
pub use h2_head::SentAtOnce;
use lane::{Held, IdleRoom, Lane};
pub use last_word::LastWord;
pub use lending::TakeBack;
use link::Link;
pub use quota::Quota;
pub use send_error::{SendError, SendFailure};
pub(super) use shared::Local;
use shared::SharedStream;
use slots::{NoSlot, Slots};

/// Failures of a request's own body come back as this.
pub type BodyError = Box<dyn std::error::Error + Send + Sync>;

/// Addresses to which a connection is tried for one request, one after the other.
const CONNECTS_MAX: usize = 3;

/// What a thread may ask of one upstream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolConfig {
    /// For whom: an address that fails them is left alone by them.
    pub of: Use,
    /// How long a request waits for a connection.
    pub wait_max: Duration,
    /// Over all addresses.
    pub idle_max: usize,
    pub idle_timeout: Duration,
    pub connect_timeout: Duration,
    pub head_bytes_max: usize,
    pub fields_max: usize,
}

/// A handle to the pool; clones share it. Lives on the thread that made it.
pub struct Pool<B: Body + 'static>(Rc<Inner<B>>);

struct Inner<B: Body + 'static> {
    upstream: Arc<Upstream>,
    config: PoolConfig,
    /// Nothing but HTTP/1.1 is ever spoken.
    is_http1: bool,
    slots: Slots,
    idle: Rc<IdleRoom>,
    lanes: RefCell<Vec<Rc<Lane<B>>>>,
    /// Of the addresses that the lanes are for; `None` before the first look.
    generation: Cell<Option<u64>>,
    random: Random,
}

/// What a request goes out on.
enum Line<B: Body + 'static> {
    /// A connection of HTTP/1.1, for as long as the exchange takes.
    Own(Box<Link<B>>),
    /// A stream of HTTP/2.
    Shared(SharedStream<B>),
}

/// Where a request was sent last: for whoever sends it again, or gives up on it.
pub struct Attempt<B: Body + 'static>(Cell<Option<Rc<Lane<B>>>>);

/// Whether a connection that has served before may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    Any,
    /// For a second try: one that cannot have been closed for being idle, to another address if there is one.
    New,
}

impl<B> Pool<B>
where
    B: TakeBack + Unpin + 'static,
    B::Error: Into<BodyError>,
{
    /// `quota` is for the pools of all threads together.
    pub fn new(upstream: Arc<Upstream>, config: PoolConfig, quota: Arc<Quota>) -> Self {
        let slots = Slots::new(quota);
        let idle = IdleRoom::new(config.idle_max, config.idle_timeout);
        let is_http1 = match upstream.config.protocol {
            Protocol::Http1 => true,
            Protocol::Http2 => false,
            Protocol::Auto => upstream.config.tls.is_none(),
        };
        Self(Rc::new(Inner {
            upstream,
            is_http1,
            config,
            slots,
            idle,
            lanes: RefCell::default(),
            generation: Cell::new(None),
            random: Random::new(),
        }))
    }

    /// Sends a request and waits for the head of its response. The request is sent on one connection at most;
    /// another is tried, to this address or another one, only while the last one gave it back unsent. Its names are
    /// written as `spelling` has them, and then those of the response are noted ([`UpstreamBody::take_names`]).
    ///
    /// # Errors
    /// With the request in it, when it was not sent, or not processed as the upstream says. There is no deadline but those of the connection: the caller
    /// drops the future, which closes the connection.
    pub async fn send(
        &self,
        mut request: Box<Request<B>>,
        freshness: Freshness,
        attempt: &Attempt<B>,
        spelling: Option<&dyn Spelling>,
    ) -> Result<Response<UpstreamBody<B>>, SendError<B>> {
        // What is rare is boxed, so that what is common is small: a future is moved as a whole.
        let slot = match self.0.slots.try_take() {
            Some(slot) => slot,
            None => match Box::pin(self.0.slots.wait(self.0.config.wait_max)).await {
                Ok(slot) => slot,
                Err(NoSlot) => return Err(SendError { reason: SendFailure::Busy, unsent: Some(request) }),
            },
        };
        // No memory is asked for until there is a failure to note.
        let mut tried = Vec::new();
        if freshness == Freshness::New && self.has_other(attempt) {
            tried.extend(attempt.0.take());
        }
        let mut failed = None;
        loop {
            let Some(lane) = self.choose(&tried) else {
                let none = || io::Error::new(io::ErrorKind::NotFound, "none of its names has an address");
                let reason = SendFailure::Connect(failed.unwrap_or_else(none));
                return Err(SendError { reason, unsent: Some(request) });
            };
            attempt.0.set(Some(Rc::clone(&lane)));
            let held = Held::new(lane);
            let lane = held.lane();
            let idle = if freshness == Freshness::Any && self.0.is_http1 { lane.take_idle() } else { None };
            let line = match idle {
                Some(link) => Line::Own(link),
                None => match Box::pin(self.reach(lane, freshness, &request)).await {
                    Ok(line) => line,
                    Err(error) => {
                        lane.address.counts.connect_failed();
                        self.failed(lane, &error);
                        tried.push(Rc::clone(lane));
                        if tried.len() >= CONNECTS_MAX {
                            let reason = SendFailure::Connect(error);
                            return Err(SendError { reason, unsent: Some(request) });
                        }
                        failed = Some(error);
                        continue;
                    }
                },
            };
            let (sent, line) = match line {
                Line::Own(mut link) => (link.send(request, spelling).await, Line::Own(link)),
                Line::Shared(stream) => {
                    let is_tls = self.0.upstream.config.tls.is_some();
                    (Box::pin(stream.send(request, is_tls)).await, Line::Shared(stream))
                }
            };
            match sent {
                Ok(response) => {
                    self.answered(lane, response.status());
                    // RFC 9112 §6.3: one that sends both may mean something else by what follows.
                    let headers = response.headers();
                    let mut line = line;
                    if let Line::Own(link) = &mut line
                        && headers.contains_key(TRANSFER_ENCODING)
                        && headers.contains_key(CONTENT_LENGTH)
                    {
                        link.never_again();
                    }
                    return Ok(response.map(|incoming| UpstreamBody::new(incoming, line, held, slot)));
                }
                Err(SendError { reason, unsent }) => {
                    match &reason {
                        SendFailure::Closed { reused: true, .. } => lane.address.counts.race(),
                        SendFailure::Closed { .. } | SendFailure::Protocol(_) => self.failed(lane, &reason),
                        // The address has no part in it, or has said that it is about to close or has enough to do.
                        SendFailure::Connect(_)
                        | SendFailure::Busy
                        | SendFailure::Refused(_)
                        | SendFailure::Host
                        | SendFailure::RequestBody(_) => {}
                    }
                    match (reason, unsent) {
                        // Closed while it was idle. There are only so many idle ones, and a new one is the last.
                        (SendFailure::Closed { reused: true, .. }, Some(again)) => request = again,
                        (reason, unsent) => return Err(SendError { reason, unsent }),
                    }
                }
            }
        }
    }

    /// No response came in time, and nobody waits for it any more.
    pub fn timed_out(&self, attempt: &Attempt<B>) {
        if let Some(lane) = attempt.0.take() {
            self.failed(&lane, &"no response in time");
        }
    }

    /// Whether a request that failed, and may be sent again, may fare better on a new connection: one was closed for being
    /// idle just as the request was written to it, the upstream has not processed it, or an address failed and there is
    /// another.
    pub fn is_worth_another(&self, failure: &SendFailure, attempt: &Attempt<B>) -> bool {
        match failure {
            SendFailure::Closed { reused: true, .. } | SendFailure::Refused(_) => true,
            SendFailure::Closed { reused: false, .. } => self.has_other(attempt),
            _ => false,
        }
    }

    /// Whether a response has more fields than it may.
    pub fn has_too_many_fields<T>(&self, response: &Response<T>) -> bool {
        response.headers().len() > self.0.config.fields_max
    }

    /// Whether there is an address in use besides the one that a request was sent to.
    fn has_other(&self, attempt: &Attempt<B>) -> bool {
        let Some(last) = attempt.0.take() else { return false };
        let pool = &self.0;
        let other =
            pool.lanes.borrow().iter().any(|lane| {
                !Rc::ptr_eq(lane, &last) && pool.upstream.is_usable(&lane.address, pool.config.of)
            });
        attempt.0.set(Some(last));
        other
    }

    /// Closes connections that were idle for too long, or that the upstream has closed, and those to addresses that
    /// it has no more.
    pub fn sweep(&self, now: Instant) {
        self.refresh();
        for lane in self.0.lanes.borrow().iter() {
            lane.sweep(now);
        }
        self.0.feed();
    }

    /// Gives other threads what they wait for and is not used here, whenever they do.
    pub async fn feed_for_ever(&self) {
        let quota = Arc::clone(self.0.slots.quota());
        loop {
            // Who begins to wait from here on is heard.
            let mut told = std::pin::pin!(quota.told());
            told.as_mut().enable();
            self.0.feed();
            tokio::select! {
                () = told => {}
                () = self.0.slots.freed() => {}
            }
        }
    }

    /// Whether half of what the upstream takes is in use, of what all threads have and of an even share of it.
    pub fn is_half_taken(&self) -> bool {
        let quota = self.0.slots.quota();
        self.0.slots.in_use() * 2 >= quota.share() && quota.is_half_taken()
    }

    /// Closes all connections that are not in use.
    pub fn close_idle(&self) {
        for lane in self.0.lanes.borrow().iter() {
            lane.close_idle();
        }
    }

    pub fn idle(&self) -> usize {
        self.0.idle.kept()
    }

    pub fn in_use(&self) -> usize {
        self.0.slots.in_use()
    }

    /// Whether requests wait for a connection.
    pub fn is_waited_for(&self) -> bool {
        self.0.slots.is_waited_for()
    }

    fn choose(&self, tried: &[Rc<Lane<B>>]) -> Option<Rc<Lane<B>>> {
        self.refresh();
        let Inner { upstream, config, lanes, random, .. } = &*self.0;
        choose(&lanes.borrow(), upstream, config.of, tried, random)
    }

    /// Takes over what has changed of the addresses.
    fn refresh(&self) {
        let generation = Some(self.0.upstream.generation());
        if self.0.generation.replace(generation) == generation {
            return;
        }
        let addresses = self.0.upstream.addresses();
        let mut old = self.0.lanes.take();
        let lanes = addresses.iter().map(|address| {
            match old.iter().position(|lane| Arc::ptr_eq(&lane.address, address)) {
                Some(place) => old.swap_remove(place),
                None => Rc::new(Lane::new(Arc::clone(address), Rc::clone(&self.0.idle))),
            }
        });
        let lanes = lanes.collect();
        self.0.lanes.replace(lanes);
        for lane in old {
            lane.retire();
        }
    }

    fn answered(&self, lane: &Lane<B>, status: StatusCode) {
        if status.is_server_error() && self.0.upstream.config.health.count_5xx {
            self.failed(lane, &status);
        } else {
            self.0.upstream.succeeded(&lane.address, self.0.config.of);
        }
    }

    fn failed(&self, lane: &Lane<B>, why: &dyn std::fmt::Display) {
        self.0.upstream.failed(&lane.address, self.0.config.of, why);
    }
}

impl<B: Body + 'static> Inner<B> {
    /// Closes an idle connection to another address where a new one would be one too many.
    fn make_room(&self) {
        if !self.slots.have_room(self.idle.kept()) && !self.slots.grow() {
            self.close_an_idle_one();
        }
    }

    /// Gives back what is not used; what is idle, too, while requests wait on other threads. A connection that a request of
    /// this thread is about to use stays: to close it would free nothing.
    fn feed(&self) {
        let mut wanted = self.slots.give_back(self.idle.kept());
        while wanted > 0 && self.slots.can_spare(self.idle.kept()) && self.close_an_idle_one() {
            wanted = self.slots.give_back(self.idle.kept()).min(wanted - 1);
        }
    }

    /// Of the address that has most of them. Whether there was one.
    fn close_an_idle_one(&self) -> bool {
        let lanes = self.lanes.borrow();
        let lane = lanes.iter().max_by_key(|lane| lane.idle()).filter(|lane| lane.idle() > 0);
        lane.inspect(|lane| lane.close_oldest()).is_some()
    }
}

impl<B: Body + 'static> Clone for Pool<B> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

impl<B: Body + 'static> Default for Attempt<B> {
    fn default() -> Self {
        Self(Cell::new(None))
    }
}
