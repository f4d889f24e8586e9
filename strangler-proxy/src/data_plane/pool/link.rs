//! One connection to an upstream, driven by whoever waits for it.

use std::future::Future;
use std::pin::pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use hyper::client::conn::http1::{Connection, Parts, SendRequest};
use hyper_util::rt::TokioIo;

use super::{BodyError, LastWord, SendError, SendFailure};
use crate::data_plane::names::{Names, Spelling};
use crate::data_plane::upstream::{Ear, Stream};

/// Both halves of an HTTP/1.1 connection: the one that takes requests and the one that does the work.
pub(super) struct Link<B: Body + 'static> {
    sender: SendRequest<B>,
    work: Work<B>,
    bell: Arc<Bell>,
    waker: Waker,
    served: bool,
    ear: Rc<Ear>,
    /// How long the upstream keeps it while it is idle, if it has said so.
    pub(super) idle_max: Option<Duration>,
    is_last: bool,
}

struct Work<B: Body + 'static> {
    /// `None` when it has come to its end and nothing more can be had of it.
    connection: Option<Connection<LastWord<TokioIo<Stream>>, B>>,
    /// It has come to its end: closed, or switched to another protocol.
    ended: bool,
}

/// Passes wake-ups on to the task that drives the connection, but for those that arise while it is driving: what
/// one half tells the other is looked at in the same turn.
struct Bell {
    task: Mutex<Waker>,
    driving: AtomicBool,
    rung: AtomicBool,
}

impl<B> Link<B>
where
    B: Body<Data = Bytes> + 'static,
    B::Error: Into<BodyError>,
{
    pub(super) fn new(
        sender: SendRequest<B>,
        connection: Connection<LastWord<TokioIo<Stream>>, B>,
        ear: Rc<Ear>,
    ) -> Self {
        let bell = Arc::new(Bell {
            task: Mutex::new(Waker::noop().clone()),
            driving: AtomicBool::new(false),
            rung: AtomicBool::new(false),
        });
        let waker = Waker::from(Arc::clone(&bell));
        let work = Work { connection: Some(connection), ended: false };
        Self { sender, work, bell, waker, served: false, ear, idle_max: None, is_last: false }
    }

    /// Sends one request. The connection is only good for another one when [`is_ready`](Self::is_ready) says so.
    ///
    /// The connection looks before it writes: a close that is known by then gives the request back unsent.
    pub(super) async fn send(
        &mut self,
        request: Box<Request<B>>,
        spelling: Option<&dyn Spelling>,
    ) -> Result<Response<Incoming>, SendError<B>> {
        let reused = std::mem::replace(&mut self.served, true);
        if reused && !request.method().is_safe() {
            // It cannot be sent again, so that a look at the kernel is worth its price.
            self.ear.look_before_writing();
        }
        if let Some(spelling) = spelling {
            self.ear.asks(spelling);
        }
        // It is driven right after this, whoever it tells of the request.
        let response = self.bell.unheard(|| self.sender.try_send_request(*request));
        let mut response = pin!(response);
        let (work, bell, waker, ear) = (&mut self.work, &self.bell, &self.waker, &self.ear);
        let result = std::future::poll_fn(|cx| {
            // Only here can there be more than what is wanted: a body is taken as it comes.
            ear.reads_at_most(Some(TURN_BYTES));
            drive(work, bell, waker, cx, |cx| response.as_mut().poll(cx))
        })
        .await;
        self.ear.reads_at_most(None);
        if let Ok(response) = &result {
            self.idle_max = idle_max(response.headers());
        }
        result.map_err(|mut error| {
            let unsent = error.take_message().map(Box::new);
            let source = error.into_error();
            let reason = if source.is_user() {
                SendFailure::RequestBody(source)
            } else if source.is_parse() {
                SendFailure::Protocol(source)
            } else {
                SendFailure::Closed { reused, source }
            };
            SendError { reason, unsent }
        })
    }

    /// Looks for `wanted`, and lets the connection work until it is there or neither gets any further.
    pub(super) fn drive<T>(
        &mut self,
        cx: &mut Context<'_>,
        mut wanted: impl FnMut(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        // What has come already needs no work. That there is room for more of it need not wake whoever looks: it asks
        // for more itself, when it has done with this.
        match self.bell.unheard(|| wanted(&mut Context::from_waker(&self.waker))) {
            Poll::Ready(there) => Poll::Ready(there),
            Poll::Pending => drive(&mut self.work, &self.bell, &self.waker, cx, wanted),
        }
    }

    /// Lets the connection work, without waiting for anything.
    pub(super) fn turn(&mut self, cx: &mut Context<'_>) {
        let nothing = |_: &mut Context<'_>| Poll::<()>::Pending;
        drive(&mut self.work, &self.bell, &self.waker, cx, nothing).is_ready();
    }

    /// How the names of the response were written, where that was asked for.
    pub(super) fn names(&self) -> Names {
        self.ear.heard()
    }

    /// Takes no other request when this one is answered.
    pub(super) fn never_again(&mut self) {
        self.is_last = true;
    }

    /// Whether nothing more can be had of it.
    pub(super) fn is_over(&self) -> bool {
        self.work.ended
    }

    /// Whether it can take another request: the last exchange is over in both directions.
    pub(super) fn is_ready(&self) -> bool {
        !self.work.ended && !self.is_last && self.sender.is_ready()
    }

    /// Whether an idle connection is still good, as far as is known without asking the upstream.
    pub(super) fn is_alive(&mut self) -> bool {
        let mut cx = Context::from_waker(&self.waker);
        self.work.poll(&mut cx);
        self.is_ready()
    }

    /// The bare connection, after the upstream has switched protocols on it.
    pub(super) fn into_parts(self) -> Option<Parts<LastWord<TokioIo<Stream>>>> {
        self.work.connection.map(Connection::into_parts)
    }
}

/// What is read of heads before others have a turn.
const TURN_BYTES: usize = 16 << 10;

/// What `Keep-Alive: timeout=N` leaves for us, in a response of which the upstream closes the connection N seconds after
/// (RFC 2068 §19.7.1.1, which servers still go by). The way to it and back takes time too.
fn idle_max(headers: &HeaderMap) -> Option<Duration> {
    const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
    const MARGIN: Duration = Duration::from_secs(1);
    let value = headers.get(KEEP_ALIVE)?.to_str().ok()?;
    let seconds = value.split(',').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let is_timeout = name.trim().eq_ignore_ascii_case("timeout");
        is_timeout.then(|| value.trim().trim_matches('"').parse::<u32>().ok()).flatten()
    })?;
    let theirs = Duration::from_secs(u64::from(seconds));
    Some(theirs.saturating_sub(MARGIN).max(theirs / 2))
}

impl<B> Work<B>
where
    B: Body<Data = Bytes> + 'static,
    B::Error: Into<BodyError>,
{
    fn poll(&mut self, cx: &mut Context<'_>) {
        if let (Some(connection), false) = (&mut self.connection, self.ended) {
            self.ended = connection.poll_without_shutdown(cx).is_ready();
        }
    }
}

fn drive<B, T>(
    work: &mut Work<B>,
    bell: &Bell,
    waker: &Waker,
    cx: &mut Context<'_>,
    mut wanted: impl FnMut(&mut Context<'_>) -> Poll<T>,
) -> Poll<T>
where
    B: Body<Data = Bytes> + 'static,
    B::Error: Into<BodyError>,
{
    /// A connection that always finds something to do lets others have a turn.
    const TURNS_MAX: usize = 8;

    bell.answer_to(cx.waker());
    bell.driving.store(true, Ordering::SeqCst);
    let mut own = Context::from_waker(waker);
    let mut result = Poll::Pending;
    for _ in 0..TURNS_MAX {
        bell.rung.store(false, Ordering::SeqCst);
        work.poll(&mut own);
        result = wanted(&mut own);
        if result.is_pending() && work.ended && work.connection.take().is_some() {
            // What still waits for the connection learns that there is nothing more when it is gone.
            result = wanted(&mut own);
        }
        if result.is_ready() || !bell.rung.load(Ordering::SeqCst) {
            break;
        }
    }
    bell.driving.store(false, Ordering::SeqCst);
    if result.is_pending() && bell.rung.swap(false, Ordering::SeqCst) {
        cx.waker().wake_by_ref();
    }
    result
}

impl Bell {
    fn answer_to(&self, task: &Waker) {
        let mut current = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        if !current.will_wake(task) {
            current.clone_from(task);
        }
    }

    /// Does something to the connection of which nobody has to be told.
    fn unheard<T>(&self, what: impl FnOnce() -> T) -> T {
        self.driving.store(true, Ordering::SeqCst);
        let done = what();
        self.driving.store(false, Ordering::SeqCst);
        done
    }

    fn ring(&self) {
        if self.driving.load(Ordering::SeqCst) {
            self.rung.store(true, Ordering::SeqCst);
        } else {
            self.task.lock().unwrap_or_else(PoisonError::into_inner).wake_by_ref();
        }
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.ring();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.ring();
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::pin::Pin;
    use std::sync::atomic::AtomicUsize;

    use bytes::Bytes;
    use futures_util::FutureExt;
    use http::HeaderValue;
    use http_body_util::Empty;
    use hyper::client::conn::http1::handshake;

    use super::*;

    /// As much as the kernel keeps, of which a thread must not see the end before anybody else has a turn.
    #[tokio::test(flavor = "current_thread")]
    async fn interim_responses_without_end_leave_others_a_turn() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let near = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut far, _) = listener.accept().unwrap();
        socket2::SockRef::from(&near).set_recv_buffer_size(16 * TURN_BYTES).unwrap();
        let mut rest = near.try_clone().unwrap();
        near.set_nonblocking(true).unwrap();
        far.set_nonblocking(true).unwrap();
        let hints = "HTTP/1.1 102 Processing\r\n\r\n".repeat(1000);
        let mut sent = 0;
        while let Ok(more) = far.write(hints.as_bytes()) {
            sent += more;
        }
        assert!(sent > 3 * TURN_BYTES, "the kernel takes too little for this test: {sent}");
        let stream = Stream::tcp(tokio::net::TcpStream::from_std(near).unwrap());
        let ear = stream.ear();
        let mut client = hyper::client::conn::http1::Builder::new();
        client.max_buf_size(TURN_BYTES);
        let (sender, connection) = client.handshake(LastWord::new(TokioIo::new(stream))).await.unwrap();
        let mut link = Link::new(sender, connection, ear);
        let request = Box::new(Request::get("/").body(Empty::<Bytes>::new()).unwrap());
        let mut response = Box::pin(link.send(request, None));
        // The runtime learns of what came when it is asked first.
        assert!(response.as_mut().now_or_never().is_none());
        tokio::task::yield_now().await;
        assert!(response.as_mut().now_or_never().is_none());
        far.shutdown(std::net::Shutdown::Write).unwrap();
        rest.set_nonblocking(false).unwrap();
        let mut left = Vec::new();
        rest.read_to_end(&mut left).unwrap();
        let read = sent - left.len();
        // The last read may have been of more than what was left of the turn.
        assert!(read > 0 && read <= 2 * TURN_BYTES, "{read} of {sent}");
    }

    /// How often a task was woken.
    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// A task that wakes itself looks at everything once more for nothing.
    #[tokio::test]
    async fn whoever_sends_a_request_and_reads_the_response_is_woken_by_the_upstream_alone() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let near = tokio::net::TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        near.writable().await.unwrap();
        let (mut far, _) = listener.accept().unwrap();
        let stream = Stream::tcp(near);
        let ear = stream.ear();
        let (sender, connection) = handshake(LastWord::new(TokioIo::new(stream))).await.unwrap();
        let mut link = Link::<Empty<Bytes>>::new(sender, connection, ear);
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(Arc::clone(&woken));
        let mut cx = Context::from_waker(&waker);

        let mut sending = Box::pin(link.send(Box::default(), None));
        assert!(sending.as_mut().poll(&mut cx).is_pending());
        assert_eq!(woken.0.load(Ordering::SeqCst), 0, "by what it sent");
        assert!(far.read(&mut [0; 1024]).unwrap() > 0);
        far.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nthere").unwrap();
        while woken.0.swap(0, Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        let Poll::Ready(Ok(response)) = sending.as_mut().poll(&mut cx) else {
            panic!("there is no response")
        };
        drop(sending);
        let mut body = response.into_body();
        let frame = link.drive(&mut cx, |cx| Pin::new(&mut body).poll_frame(cx));
        let Poll::Ready(Some(Ok(frame))) = frame else { panic!("there is no body") };
        assert_eq!(frame.into_data().unwrap(), "there");
        assert_eq!(woken.0.load(Ordering::SeqCst), 0, "by what it read");
    }

    #[test]
    fn the_time_that_an_upstream_names_is_kept_short_of() {
        let of = |value: &'static str| {
            idle_max(&HeaderMap::from_iter([(
                HeaderName::from_static("keep-alive"),
                HeaderValue::from_static(value),
            )]))
        };
        let seconds = |seconds| Some(Duration::from_secs_f64(seconds));
        assert_eq!(of("timeout=5"), seconds(4.0));
        assert_eq!(of("max=100, Timeout = \"10\""), seconds(9.0));
        assert_eq!(of("timeout=1"), seconds(0.5));
        assert_eq!(of("timeout=0"), seconds(0.0));
        for value in ["max=100", "timeout=x", "timeout", ""] {
            assert_eq!(of(value), None, "{value}");
        }
        assert_eq!(idle_max(&HeaderMap::new()), None);
    }
}
