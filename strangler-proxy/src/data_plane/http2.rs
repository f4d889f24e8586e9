//! One client connection that speaks HTTP/2 (RFC 9113).
//!
//! Each stream is one request with a [`Watch`] of its own, since each waits for something else. The connection has one,
//! too: it waits for its next stream, or for a client that takes nothing.

use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use http::header::CONNECTION;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::rt::Executor;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::AsyncWriteExt;

use super::TurnedAway;
use super::config::Http2;
use super::connection::{self, End};
use super::door::Door;
use super::exchange::Client;
use super::http2_frames::{FrameHead, be_calm};
use super::http2_io::Http2Io;
use super::peer::Peer;
use super::pieces::Pieces;
use super::request_id::X_REQUEST_ID;
use super::stream::Stream;
use super::watch::{Waiting, Watch};
use super::worker::{Counted, Worker};

/// What a client of HTTP/2 says first (§3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Fewer could be the beginning of something else.
const TELLING: usize = 4;
/// How long a client may take to hear why its connection ends.
const TELLING_MAX: Duration = Duration::from_secs(1);

/// Frames with nothing of a request in them that a client may send on top of `idle_frames_max`: for each request, for each DATA frame
/// that it got (two windows are updated for it, by some clients in several steps), and for each second.
const IDLE_FRAMES_A_REQUEST: u64 = 100;
const IDLE_FRAMES_A_DATA_FRAME: u64 = 10;
const IDLE_FRAMES_A_SECOND: u64 = 10;

/// What the streams of a connection share.
#[derive(Clone)]
pub(super) struct Streams(Rc<Inner>);

struct Inner {
    /// Of the connection.
    watch: Arc<Watch>,
    open: Cell<usize>,
    /// The client takes nothing of what is written.
    stalled: Cell<bool>,
    /// Of the stream that was begun last, until it has a task.
    begun: RefCell<Option<(Arc<Watch>, Open)>>,
    total: Cell<u64>,
    /// Requests that the client took back before they were answered.
    taken_back: Cell<u64>,
    /// Frames with nothing of a request in them, and of the responses' bodies those that went to the client.
    idle_frames: Cell<u64>,
    data_frames: Cell<u64>,
    since: Instant,
    last_stream: Cell<u32>,
    /// What was given back with the socket: whether what was written ends with a frame.
    between_frames: Cell<bool>,
    taken_back_max: u64,
    idle_frames_max: u64,
}

/// A stream, from its request to its last byte.
struct Open {
    inner: Rc<Inner>,
    /// A drain waits for it, and counts it as cut when it has waited for too long.
    _counted: Counted,
}

/// A request that has no answer yet.
struct Unanswered {
    inner: Rc<Inner>,
    answered: bool,
}

/// Whether these first bytes of a connection are of HTTP/2.
pub(super) fn is_preface(bytes: &[u8]) -> bool {
    let length = bytes.len().min(PREFACE.len());
    length >= TELLING && bytes[..length] == PREFACE[..length]
}

/// Serves a connection of which `begun` was read already.
pub(super) async fn serve(
    worker: Rc<Worker>,
    door: Rc<Door>,
    socket: Stream,
    begun: Vec<u8>,
    peer: Rc<Peer>,
    watch: Arc<Watch>,
) {
    let config = &worker.config.http2;
    let limits = &worker.config.limits;
    let streams = Streams::new(Arc::clone(&watch), config);
    // A field counts for 32 bytes more than it has (RFC 9113 §6.5.2): what is over this is over our own limit too.
    let head_max = limits.head_bytes_max.saturating_add(32 * limits.fields_max);
    let mut http = http2::Builder::new(streams.clone());
    http.timer(TokioTimer::new())
        .max_concurrent_streams(config.streams_max)
        .max_header_list_size(u32::try_from(head_max).unwrap_or(u32::MAX))
        .initial_stream_window_size(config.stream_window)
        .initial_connection_window_size(config.connection_window)
        .max_send_buf_size(config.send_buffer_max)
        .keep_alive_interval(config.ping_interval)
        .keep_alive_timeout(config.ping_timeout)
        .max_pending_accept_reset_streams(config.resets_pending_max)
        .max_local_error_reset_streams(config.resets_local_max);
    let service = {
        let (worker, streams) = (Rc::clone(&worker), streams.clone());
        service_fn(move |request| streams.begin(&worker, &door, &peer, request))
    };
    let io = TokioIo::new(Http2Io::new(socket, begun, streams.clone()));
    let end = run(&worker, &watch, &streams, http.serve_connection(io, service)).await;
    let Some(mut socket) = watch.take_socket() else { return };
    match end {
        Err(flood) => {
            worker.counts.turn_away(flood);
            if streams.0.between_frames.get() {
                let last_word = be_calm(streams.0.last_stream.get());
                // Whoever takes nothing is not told.
                let _ = tokio::time::timeout(TELLING_MAX, socket.write_all(&last_word)).await;
            }
            connection::linger(socket, true).await;
        }
        Ok(End::Expired(Waiting::Stalled)) => socket.reset(),
        // What the client sends until it has heard of the end must not make the kernel reset the connection.
        Ok(end) => {
            if is_calming(&end) {
                worker.counts.turn_away(TurnedAway::Http2Flood);
            }
            connection::linger(socket, true).await;
        }
    }
}

/// Whether the library has had enough of the client (§7, ENHANCE_YOUR_CALM), and has told it.
fn is_calming(end: &End) -> bool {
    let End::Failed(error) = end else { return false };
    let h2 = std::error::Error::source(error).and_then(|source| source.downcast_ref::<h2::Error>());
    h2.is_some_and(|h2| !h2.is_remote() && h2.reason() == Some(h2::Reason::ENHANCE_YOUR_CALM))
}

/// Drives the connection until it ends, is done with, or has to be ended.
///
/// # Errors
/// When the client only makes work.
async fn run<C>(worker: &Worker, watch: &Watch, streams: &Streams, connection: C) -> Result<End, TurnedAway>
where
    C: Future<Output = hyper::Result<()>> + Graceful,
{
    let mut connection = pin!(connection);
    // The client was told that it gets no more streams.
    let mut told = false;
    poll_fn(|cx| {
        watch.wake_with(cx.waker());
        if !told && worker.draining().is_some() {
            told = true;
            connection.as_mut().finish_soon();
        }
        if let Poll::Ready(result) = connection.as_mut().poll(cx) {
            return Poll::Ready(Ok(result.map_or_else(End::Failed, |()| End::Closed)));
        }
        if let Some(flood) = streams.flood() {
            return Poll::Ready(Err(flood));
        }
        match watch.expired() {
            None => Poll::Pending,
            // It may be asking for something just now: it is told first, and has as long as for anything to hear it.
            Some(Waiting::Idle) if !told => {
                told = true;
                watch.forgive();
                watch.wait(Waiting::Idle, worker.timeouts.write);
                connection.as_mut().finish_soon();
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            // A stream came just as nothing was waited for any more.
            Some(Waiting::Streams) => {
                watch.forgive();
                Poll::Pending
            }
            Some(waiting) => Poll::Ready(Ok(End::Expired(waiting))),
        }
    })
    .await
}

impl Streams {
    fn new(watch: Arc<Watch>, config: &Http2) -> Self {
        Self(Rc::new(Inner {
            watch,
            open: Cell::new(0),
            stalled: Cell::new(false),
            begun: RefCell::default(),
            total: Cell::new(0),
            taken_back: Cell::new(0),
            idle_frames: Cell::new(0),
            data_frames: Cell::new(0),
            since: Instant::now(),
            last_stream: Cell::new(0),
            between_frames: Cell::new(false),
            taken_back_max: config.resets_max,
            idle_frames_max: config.idle_frames_max,
        }))
    }

    /// Takes a request. Its task is made right after this, by [`Executor::execute`].
    fn begin(
        &self,
        worker: &Rc<Worker>,
        door: &Rc<Door>,
        peer: &Rc<Peer>,
        request: Request<Incoming>,
    ) -> impl Future<Output = Result<Response<Pieces>, Infallible>> + use<> {
        let inner = &self.0;
        inner.total.set(inner.total.get() + 1);
        let watch = worker.stream_watch();
        let open = Open::new(Rc::clone(inner), worker);
        *inner.begun.borrow_mut() = Some((Arc::clone(&watch), open));
        let unanswered = Unanswered { inner: Rc::clone(inner), answered: false };
        let client = Rc::new(Client {
            worker: Rc::clone(worker),
            door: Rc::clone(door),
            watch: Arc::clone(&watch),
            peer: Rc::clone(peer),
        });
        // Boxed: the library moves it several times, and in each of the futures around it there is room for it twice.
        let answer = Box::pin(client.handle(request));
        async move {
            let Ok(mut response) = answer.await;
            unanswered.has_answer();
            // Nothing is to be said of a connection here (§8.2.2), and a stream ends by itself.
            response.headers_mut().remove(CONNECTION);
            // No id comes twice: put into the table of fields, each would push another field out (RFC 7541 §7.1.3).
            if let Some(id) = response.headers_mut().get_mut(X_REQUEST_ID) {
                id.set_sensitive(true);
            }
            Ok(response.map(|body| Pieces::of(body, watch)))
        }
    }

    /// The client has sent all of its preface.
    pub(super) fn has_greeted(&self) {
        self.0.settle();
    }

    /// Bytes were written, or could not be.
    pub(super) fn wrote(&self, stalls: bool) {
        let was = self.0.stalled.replace(stalls);
        if stalls && !was {
            self.0.watch.wait_for(Waiting::Stalled);
        } else if was && !stalls {
            self.0.settle();
        }
    }

    pub(super) fn frame_came(&self, frame: FrameHead) {
        if frame.asks_for_nothing() {
            self.0.idle_frames.set(self.0.idle_frames.get() + 1);
        }
        if let Some(stream) = frame.begun_stream() {
            self.0.last_stream.set(stream.max(self.0.last_stream.get()));
        }
    }

    pub(super) fn frame_went(&self, frame: FrameHead) {
        if frame.is_data() {
            self.0.data_frames.set(self.0.data_frames.get() + 1);
        }
    }

    pub(super) fn put_socket(&self, socket: Stream, between_frames: bool) {
        self.0.between_frames.set(between_frames);
        self.0.watch.put_socket(socket);
    }

    /// Whether the client mostly makes work: takes back what it asks for (CVE-2023-44487), which costs an upstream a
    /// connection each time, or asks for nothing in many frames.
    fn flood(&self) -> Option<TurnedAway> {
        let inner = &self.0;
        let (total, taken_back) = (inner.total.get(), inner.taken_back.get());
        if taken_back > inner.taken_back_max && taken_back > total / 2 {
            return Some(TurnedAway::Http2Resets);
        }
        let idle = inner.idle_frames.get().checked_sub(inner.idle_frames_max)?;
        let accounted_for = total * IDLE_FRAMES_A_REQUEST
            + inner.data_frames.get() * IDLE_FRAMES_A_DATA_FRAME
            + inner.since.elapsed().as_secs() * IDLE_FRAMES_A_SECOND;
        (idle > accounted_for).then_some(TurnedAway::Http2Flood)
    }
}

impl Inner {
    /// Waits for what there is to wait for. Who takes nothing is waited for whatever else goes on.
    fn settle(&self) {
        if self.stalled.get() {
            return;
        }
        match self.open.get() {
            0 => self.watch.wait_for(Waiting::Idle),
            _ => self.watch.wait_for(Waiting::Streams),
        }
    }
}

impl Open {
    fn new(inner: Rc<Inner>, worker: &Rc<Worker>) -> Self {
        inner.open.set(inner.open.get() + 1);
        inner.settle();
        Self { inner, _counted: worker.stream_begins() }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.inner.open.set(self.inner.open.get() - 1);
        self.inner.settle();
    }
}

impl Unanswered {
    fn has_answer(mut self) {
        self.answered = true;
    }
}

impl Drop for Unanswered {
    fn drop(&mut self) {
        if !self.answered {
            self.inner.taken_back.set(self.inner.taken_back.get() + 1);
            self.inner.watch.wake();
        }
    }
}

/// Makes a task of a stream, which the sweep can wake and which ends when its client takes nothing for too long: the
/// library would wait for ever, since it looks at the body no more while the window is closed.
impl<F> Executor<F> for Streams
where
    F: Future<Output: 'static> + 'static,
{
    fn execute(&self, stream: F) {
        let Some((watch, open)) = self.0.begun.take() else {
            tokio::task::spawn_local(stream);
            return;
        };
        tokio::task::spawn_local(async move {
            let mut stream = pin!(stream);
            poll_fn(|cx| {
                watch.wake_with(cx.waker());
                if stream.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(());
                }
                match watch.expired() {
                    Some(Waiting::Write | Waiting::LastWrite) => Poll::Ready(()),
                    _ => Poll::Pending,
                }
            })
            .await;
            drop(open);
        });
    }
}

/// Takes no more streams, and ends when those that are open have ended.
trait Graceful {
    fn finish_soon(self: Pin<&mut Self>);
}

impl<S> Graceful for http2::Connection<TokioIo<Http2Io>, S, Streams>
where
    S: hyper::service::HttpService<Incoming, ResBody = Pieces>,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    S::Future: 'static,
{
    fn finish_soon(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preface_is_known_by_its_first_bytes() {
        assert!(is_preface(PREFACE));
        assert!(is_preface(b"PRI "));
        assert!(is_preface(&[PREFACE, b"\0\0\0\x04\0"].concat()));
        for other in
            [&b""[..], b"PRI", b"PRI * HTTP/1.1\r\n\r\n", b"PRINT / HTTP/1.1\r\n\r\n", b"GET / HTTP/2.0"]
        {
            assert!(!is_preface(other), "{other:?}");
        }
    }
}
