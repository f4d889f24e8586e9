//! Connections of HTTP/2, which many requests share (RFC 9113), to one address.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::Notify;

use super::h2_head;
use super::lending::{Lent, TakeBack, lend};
use super::{BodyError, SendError, SendFailure};
use crate::data_plane::upstream::Stream;

/// What one stream may have on its way without having been read, and with it what a slow client can hold of memory.
const STREAM_WINDOW: u32 = 128 << 10;
/// A connection on which nothing comes although requests wait for it is asked whether it lives.
const PING_AFTER: Duration = Duration::from_secs(10);
const PING_PATIENCE: Duration = Duration::from_secs(10);

/// All of a lane.
pub(super) struct Connections<B: Body + 'static> {
    all: RefCell<Vec<Rc<Shared<B>>>>,
    /// The one that is being made. Whoever needs one meanwhile waits for it.
    making: RefCell<Option<Rc<Making>>>,
}

/// One connection. A task of its own works on it.
struct Shared<B: Body + 'static> {
    sender: http2::SendRequest<Lent<B>>,
    work: Rc<dyn Limited>,
    streams: Cell<usize>,
    served: Cell<bool>,
    idle_since: Cell<Instant>,
}

/// What works on it; `None` when it has ended.
struct Work<C>(RefCell<Option<C>>);

type Http2<B> = http2::Connection<TokioIo<Stream>, Lent<B>, Local>;

/// Says how many streams the other end takes at once, as it has said last.
trait Limited {
    fn streams_max(&self) -> usize;
}

/// The right to one stream of a connection.
pub(super) struct SharedStream<B: Body + 'static>(Rc<Shared<B>>);

#[derive(Default)]
struct Making {
    done: Notify,
    failure: RefCell<Option<(io::ErrorKind, String)>>,
}

/// Whoever makes a connection for others too. Dropped, somebody else does.
pub(super) struct Maker<'a, B: Body + 'static> {
    connections: &'a Connections<B>,
    making: Rc<Making>,
}

/// Tasks of a connection stay on its thread.
#[derive(Clone, Copy, Debug)]
pub(in crate::data_plane) struct Local;

impl<F> hyper::rt::Executor<F> for Local
where
    F: Future<Output: 'static> + 'static,
{
    fn execute(&self, task: F) {
        tokio::task::spawn_local(task);
    }
}

impl<B> Connections<B>
where
    B: Body<Data = Bytes> + Unpin + 'static,
    B::Error: Into<BodyError>,
{
    /// A stream of a connection that has one left.
    pub(super) fn stream(&self, streams_max: usize) -> Option<SharedStream<B>> {
        let all = self.all.borrow();
        let free = all.iter().find(|shared| shared.streams.get() < shared.max(streams_max))?;
        Some(SharedStream::new(free))
    }

    /// Either nobody makes a connection, and the caller may; or it has waited for one that is made or failed.
    pub(super) async fn maker(&self) -> io::Result<Option<Maker<'_, B>>> {
        let under_way = self.making.borrow().clone();
        let Some(making) = under_way else {
            let making = Rc::new(Making::default());
            self.making.replace(Some(Rc::clone(&making)));
            return Ok(Some(Maker { connections: self, making }));
        };
        making.done.notified().await;
        match &*making.failure.borrow() {
            Some((kind, text)) => Err(io::Error::new(*kind, text.clone())),
            None => Ok(None),
        }
    }

    /// Speaks HTTP/2 on a stream from here on.
    pub(super) async fn begin(
        &self,
        stream: Stream,
        head_bytes_max: usize,
        streams_max: usize,
    ) -> io::Result<SharedStream<B>> {
        let window = u32::try_from(streams_max).unwrap_or(u32::MAX).saturating_mul(STREAM_WINDOW);
        let (sender, connection) = http2::Builder::new(Local)
            .timer(TokioTimer::new())
            .initial_stream_window_size(STREAM_WINDOW)
            // Streams that nobody reads must not stop the others: each has its window whatever the others have.
            .initial_connection_window_size(window.min(i32::MAX as u32))
            .max_header_list_size(u32::try_from(head_bytes_max).unwrap_or(u32::MAX))
            .keep_alive_interval(PING_AFTER)
            .keep_alive_timeout(PING_PATIENCE)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|error| io::Error::other(error.to_string()))?;
        let work = Rc::new(Work(RefCell::new(Some(connection))));
        tokio::task::spawn_local(Rc::clone(&work).run());
        let shared = Rc::new(Shared {
            sender,
            work,
            streams: Cell::new(0),
            served: Cell::new(false),
            idle_since: Cell::new(Instant::now()),
        });
        let stream = SharedStream::new(&shared);
        self.all.borrow_mut().push(shared);
        Ok(stream)
    }

    /// Lets go of connections that have ended, and of those without a request for too long.
    pub(super) fn sweep(&self, now: Instant, idle_timeout: Duration) {
        self.all.borrow_mut().retain(|shared| {
            let is_idle = shared.streams.get() == 0;
            let idle_for = now.saturating_duration_since(shared.idle_since.get());
            let is_done = shared.sender.is_closed() || (is_idle && idle_for >= idle_timeout);
            !is_done
        });
    }
}

impl<B: Body + 'static> Connections<B> {
    pub(super) fn new() -> Self {
        Self { all: RefCell::default(), making: RefCell::default() }
    }

    /// Takes no new requests; those that are on their way go on.
    pub(super) fn close(&self) {
        self.all.take();
    }
}

impl<B> Shared<B>
where
    B: Body<Data = Bytes> + Unpin + 'static,
    B::Error: Into<BodyError>,
{
    /// How many streams it may have at once: as many as the other end takes, and as we like.
    fn max(&self, streams_max: usize) -> usize {
        if self.sender.is_closed() {
            return 0;
        }
        self.work.streams_max().min(streams_max)
    }
}

impl<B> Limited for Work<Http2<B>>
where
    B: Body<Data = Bytes> + Unpin + 'static,
    B::Error: Into<BodyError>,
{
    fn streams_max(&self) -> usize {
        self.0.borrow().as_ref().map_or(0, Http2::current_max_send_streams)
    }
}

impl<C: Future + Unpin> Work<C> {
    async fn run(self: Rc<Self>) {
        std::future::poll_fn(|cx| match &mut *self.0.borrow_mut() {
            // What went wrong is told to the requests that it went wrong for.
            Some(connection) => Pin::new(connection).poll(cx).map(drop),
            None => std::task::Poll::Ready(()),
        })
        .await;
        self.0.take();
    }
}

impl<B> SharedStream<B>
where
    B: TakeBack + Unpin + 'static,
    B::Error: Into<BodyError>,
{
    /// Sends one request. Dropped before its response has come, it resets the stream and nothing else.
    pub(super) async fn send(
        &self,
        request: Box<Request<B>>,
        is_tls: bool,
    ) -> Result<Response<Incoming>, SendError<B>> {
        let reused = self.0.served.get();
        let (head, body) = request.into_parts();
        // Whoever sends a safe request has a copy of it.
        let kept = (!head.method.is_safe()).then(|| head.clone());
        let mut head = Request::from_parts(head, ());
        if let Err(reason) = h2_head::of_request(&mut head, is_tls) {
            return Err(SendError { reason, unsent: Some(Box::new(head.map(|()| body))) });
        }
        let (lent, claim) = lend(body);
        let sent = self.0.sender.clone().try_send_request(head.map(|()| lent)).await;
        match sent {
            Ok(response) => {
                self.0.served.set(true);
                Ok(response)
            }
            Err(mut error) => {
                let unsent = error.take_message();
                let reason = failure(error.into_error(), reused);
                let unsent = match (unsent, &reason, kept) {
                    (Some(unsent), _, _) => claim.take().map(|body| {
                        let mut unsent = unsent.map(|_| body);
                        h2_head::undo(&mut unsent);
                        unsent
                    }),
                    (None, SendFailure::Refused(_), Some(head)) => {
                        claim.take().map(|body| Request::from_parts(head, body))
                    }
                    _ => None,
                };
                Err(SendError { reason, unsent: unsent.map(Box::new) })
            }
        }
    }
}

/// What went wrong, and for whom it is to mend.
fn failure(source: hyper::Error, reused: bool) -> SendFailure {
    let h2 = std::error::Error::source(&source).and_then(|source| source.downcast_ref::<h2::Error>());
    match h2 {
        // RFC 9113 §8.7: the other end says that it has done nothing of it. A GOAWAY reaches only those requests that
        // come after the last one that it has taken (§6.8).
        Some(h2)
            if h2.is_remote() && (h2.is_go_away() || h2.reason() == Some(h2::Reason::REFUSED_STREAM)) =>
        {
            SendFailure::Refused(source)
        }
        // We have reset it, because the body of the request has failed.
        Some(h2) if h2.is_reset() && !h2.is_remote() && !h2.is_library() => SendFailure::RequestBody(source),
        Some(h2) if h2.is_library() => SendFailure::Protocol(source),
        // One request only: the connection lives.
        Some(h2) if h2.is_reset() => SendFailure::Closed { reused: false, source },
        _ => SendFailure::Closed { reused, source },
    }
}

impl<B: Body + 'static> SharedStream<B> {
    fn new(shared: &Rc<Shared<B>>) -> Self {
        shared.streams.set(shared.streams.get() + 1);
        Self(Rc::clone(shared))
    }
}

impl<B: Body + 'static> Drop for SharedStream<B> {
    fn drop(&mut self) {
        self.0.streams.set(self.0.streams.get() - 1);
        self.0.idle_since.set(Instant::now());
    }
}

impl<B: Body + 'static> Maker<'_, B> {
    pub(super) fn failed(self, error: &io::Error) {
        self.making.failure.replace(Some((error.kind(), error.to_string())));
    }
}

impl<B: Body + 'static> Drop for Maker<'_, B> {
    fn drop(&mut self) {
        self.connections.making.take();
        self.making.done.notify_waiters();
    }
}
