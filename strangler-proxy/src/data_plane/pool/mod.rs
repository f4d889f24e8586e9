//! Connections to one upstream, for one thread.
//!
//! The connection last used is used next (LIFO), so that as few as possible are kept warm. A connection has no
//! task of its own: whoever waits for its response, or reads the body of it, drives it. That saves a wake-up and
//! a switch on every step of an exchange, and a response that nobody wants any more closes its connection at once.

mod body;
mod last_word;
mod link;
mod slots;

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

pub use body::UpstreamBody;
pub use last_word::LastWord;
use link::Link;
use slots::{NoSlot, Slots};

/// Failures of a request's own body come back as this.
pub type BodyError = Box<dyn std::error::Error + Send + Sync>;

/// What a thread may ask of one upstream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolConfig {
    /// Host and port to connect to.
    pub authority: String,
    pub connections_max: usize,
    /// Requests that wait for a connection.
    pub waiting_max: usize,
    pub wait_max: Duration,
    pub idle_max: usize,
    pub idle_timeout: Duration,
    pub connect_timeout: Duration,
    pub head_bytes_max: usize,
    pub preserve_header_case: bool,
}

/// A handle to the pool; clones share it. Lives on the thread that made it.
pub struct Pool<B: Body + 'static>(Rc<Inner<B>>);

struct Inner<B: Body + 'static> {
    config: PoolConfig,
    slots: Slots,
    idle: RefCell<Vec<Idle<B>>>,
    counts: Cell<PoolCounts>,
}

struct Idle<B: Body + 'static> {
    link: Box<Link<B>>,
    since: Instant,
}

/// What a pool has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PoolCounts {
    pub connects: u64,
    pub connects_failed: u64,
    pub reuses: u64,
}

/// Why there is no response.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub struct SendError<B> {
    pub reason: SendFailure,
    /// The request, when not a byte of it can have reached the upstream.
    pub unsent: Option<Box<Request<B>>>,
}

#[derive(Debug, thiserror::Error)]
pub enum SendFailure {
    #[error("no connection: {0}")]
    Connect(#[source] io::Error),
    #[error("all connections are in use")]
    Busy,
    /// The connection was closed or reset before the head was whole; `reused` if it had served before, so that
    /// the upstream may have closed it for being idle.
    #[error("the connection was closed: {source}")]
    Closed {
        reused: bool,
        #[source]
        source: hyper::Error,
    },
    #[error("the response is not HTTP: {0}")]
    Protocol(#[source] hyper::Error),
    /// The request's own body failed: its sender left, or broke a rule.
    #[error("the request body failed: {0}")]
    RequestBody(#[source] hyper::Error),
}

/// Whether a connection that has served before may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    Any,
    /// For a second try: one that cannot have been closed for being idle.
    New,
}

impl<B> Pool<B>
where
    B: Body<Data = Bytes> + 'static,
    B::Error: Into<BodyError>,
{
    pub fn new(config: PoolConfig) -> Self {
        let slots = Slots::new(config.connections_max.max(1), config.waiting_max);
        Self(Rc::new(Inner { config, slots, idle: RefCell::default(), counts: Cell::default() }))
    }

    /// Sends a request and waits for the head of its response. The request is sent on one connection at most;
    /// another is tried only while the last one gave it back unsent.
    ///
    /// # Errors
    /// With the request in it, when it was not sent. There is no deadline but those of the connection: the caller
    /// drops the future, which closes the connection.
    pub async fn send(
        &self,
        mut request: Box<Request<B>>,
        freshness: Freshness,
    ) -> Result<Response<UpstreamBody<B>>, SendError<B>> {
        // What is rare is boxed, so that what is common is small: a future is moved as a whole.
        let slot = match self.0.slots.try_take() {
            Some(slot) => slot,
            None => match Box::pin(self.0.slots.wait(self.0.config.wait_max)).await {
                Ok(slot) => slot,
                Err(NoSlot) => return Err(SendError { reason: SendFailure::Busy, unsent: Some(request) }),
            },
        };
        loop {
            let idle = if freshness == Freshness::Any { self.take_idle() } else { None };
            let mut link = match idle {
                Some(link) => link,
                None => match Box::pin(self.connect()).await {
                    Ok(link) => link,
                    Err(error) => {
                        self.count(|counts| counts.connects_failed += 1);
                        let reason = SendFailure::Connect(error);
                        return Err(SendError { reason, unsent: Some(request) });
                    }
                },
            };
            match link.send(request).await {
                Ok(response) => {
                    let pool = Rc::clone(&self.0);
                    return Ok(response.map(|incoming| UpstreamBody::new(incoming, link, slot, pool)));
                }
                // Closed while it was idle. There are only so many idle ones, and a new one is the last.
                Err(SendError { unsent: Some(again), reason: SendFailure::Closed { reused: true, .. } }) => {
                    request = again;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Closes connections that were idle for too long, or that the upstream has closed.
    pub fn sweep(&self, now: Instant) {
        let timeout = self.0.config.idle_timeout;
        let kept = |idle: &mut Idle<B>| now.duration_since(idle.since) < timeout && idle.link.is_alive();
        let mut idle = self.0.idle.take();
        idle.retain_mut(kept);
        // Nothing comes back to the pool meanwhile: this thread is here.
        self.0.idle.replace(idle);
    }

    /// Closes all connections that are not in use.
    pub fn close_idle(&self) {
        self.0.idle.take();
    }

    pub fn idle(&self) -> usize {
        self.0.idle.borrow().len()
    }

    pub fn in_use(&self) -> usize {
        self.0.slots.in_use()
    }

    pub fn counts(&self) -> PoolCounts {
        self.0.counts.get()
    }

    fn take_idle(&self) -> Option<Box<Link<B>>> {
        let link = self.0.idle.borrow_mut().pop()?.link;
        self.count(|counts| counts.reuses += 1);
        Some(link)
    }

    async fn connect(&self) -> io::Result<Box<Link<B>>> {
        let config = &self.0.config;
        self.count(|counts| counts.connects += 1);
        let connecting = TcpStream::connect(&config.authority);
        let stream = match tokio::time::timeout(config.connect_timeout, connecting).await {
            Ok(stream) => stream?,
            Err(_) => return Err(io::ErrorKind::TimedOut.into()),
        };
        // A request is written whole before its response is waited for; delaying its last segment only costs.
        stream.set_nodelay(true)?;
        let mut client = hyper::client::conn::http1::Builder::new();
        client
            .preserve_header_case(config.preserve_header_case)
            .max_buf_size(config.head_bytes_max.max(8192));
        let (sender, connection) = client
            .handshake(LastWord::new(TokioIo::new(stream)))
            .await
            .map_err(|error| io::Error::other(error.to_string()))?;
        Ok(Box::new(Link::new(sender, connection)))
    }

    fn count(&self, change: impl FnOnce(&mut PoolCounts)) {
        let mut counts = self.0.counts.get();
        change(&mut counts);
        self.0.counts.set(counts);
    }
}

impl<B: Body + 'static> Inner<B> {
    /// Takes back a connection that is ready for another request.
    fn keep(&self, link: Box<Link<B>>) {
        let mut idle = self.idle.borrow_mut();
        if idle.len() < self.config.idle_max {
            idle.push(Idle { link, since: Instant::now() });
        }
    }
}

impl<B: Body + 'static> Clone for Pool<B> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}
