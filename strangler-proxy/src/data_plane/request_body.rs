//! The body of a request on its way to an upstream.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use super::config::Limits;
use super::pool::TakeBack;
use super::watch::{Due, Waiting, Watch};
use super::witness::BodyCopy;

/// A closed set of bodies.
pub(super) enum RequestBody {
    /// Nothing, or bytes that are all there: can be sent again from a copy.
    Whole(Option<Bytes>),
    /// Comes from the client while it is sent: sent once. Boxed: a request is moved a dozen times on its way, and most have
    /// no body.
    Streamed(Box<Streamed>),
}

pub(super) struct Streamed {
    /// What was read already, in the hope that it would be all.
    read: Option<Bytes>,
    trailers: Option<Box<HeaderMap>>,
    /// Nothing more comes.
    ended: bool,
    incoming: Incoming,
    watch: Arc<Watch>,
    /// Bytes that the client may still send.
    left: u64,
    /// Bytes for which it is given time once more.
    progress_min: u64,
    /// Bytes that came since.
    came: u64,
    due: Option<Due>,
    length: Option<u64>,
    /// How long the upstream may take over each piece.
    upstream_limit: Duration,
    gate: Option<Arc<Gate>>,
    copy: Option<Arc<BodyCopy>>,
}

/// Why the body of a request came to no good end.
#[derive(Debug, thiserror::Error)]
pub(super) enum RequestBodyError {
    #[error("the request body is over the limit")]
    TooLarge,
    #[error("the request body ends in something else than trailers")]
    Trailers,
    #[error("the client did not send the whole body: {0}")]
    Client(#[source] hyper::Error),
}

/// Holds a body back until the upstream asks for it (RFC 9110 §10.1.1).
#[derive(Debug, Default)]
pub(super) struct Gate {
    open: AtomicBool,
    waiting: Mutex<Option<Waker>>,
}

impl RequestBody {
    pub(super) const EMPTY: Self = Self::Whole(None);

    pub(super) fn whole(bytes: Bytes) -> Self {
        Self::Whole(Some(bytes).filter(|bytes| !bytes.is_empty()))
    }

    /// Names the limit of the upstream that it is about to be sent to.
    pub(super) fn is_sent_under(&mut self, limit: Duration) {
        if let Self::Streamed(body) = self {
            body.upstream_limit = limit;
        }
    }
}

impl Streamed {
    pub(super) fn new(incoming: Incoming, watch: Arc<Watch>, limits: &Limits) -> Box<Self> {
        let length = incoming.size_hint().exact();
        let upstream_limit = Duration::MAX;
        Box::new(Self {
            read: None,
            trailers: None,
            ended: false,
            incoming,
            watch,
            left: limits.body_bytes_max,
            progress_min: limits.body_progress_min,
            came: 0,
            due: None,
            length,
            upstream_limit,
            gate: None,
            copy: None,
        })
    }

    /// Keeps what passes.
    pub(super) fn copied_to(&mut self, copy: Arc<BodyCopy>) {
        self.copy = Some(copy);
    }

    pub(super) fn hold_back(&mut self, gate: Arc<Gate>) {
        self.gate = Some(gate);
    }

    /// Reads up to `limit` bytes ahead. Gives them when that was all; else they come first again. `None` too when
    /// the body has trailers, which bytes cannot hold.
    pub(super) async fn read_ahead(&mut self, limit: usize) -> Result<Option<Bytes>, RequestBodyError> {
        if !self.read_whole(limit).await? || self.trailers.is_some() {
            return Ok(None);
        }
        Ok(Some(self.read.take().unwrap_or_default()))
    }

    /// Reads up to `limit` bytes ahead; they come first again, and trailers last. Whether that was all.
    pub(super) async fn read_whole(&mut self, limit: usize) -> Result<bool, RequestBodyError> {
        if self.length.is_none_or(|length| length <= limit as u64) {
            self.gather(limit).await?;
        }
        Ok(self.ended)
    }

    /// Reads until there are more than `limit` bytes, or all of them, which come first when the body is sent.
    pub(super) async fn gather(&mut self, limit: usize) -> Result<(), RequestBodyError> {
        let mut first = self.read.take().unwrap_or_default();
        let mut all = BytesMut::new();
        while !self.ended && first.len().max(all.len()) <= limit {
            let frame = std::future::poll_fn(|cx| self.poll_incoming(cx)).await;
            let Some(frame) = frame.transpose()? else { break };
            match frame.into_data() {
                Ok(data) if first.is_empty() => first = data,
                Ok(data) => {
                    // In one piece, since many small ones hold far more memory than their bytes.
                    if all.is_empty() {
                        all.extend_from_slice(&first);
                    }
                    all.extend_from_slice(&data);
                }
                Err(frame) => self.trailers = frame.into_trailers().ok().map(Box::new),
            }
        }
        let gathered = if all.is_empty() { first } else { all.freeze() };
        if !gathered.is_empty() {
            self.read = Some(gathered);
        }
        Ok(())
    }

    fn poll_incoming(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, RequestBodyError>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let Poll::Ready(frame) = Pin::new(&mut self.incoming).poll_frame(cx) else {
            self.due = self.watch.body_is_due(self.due);
            return Poll::Pending;
        };
        let was_awaited = self.watch.waiting() == Waiting::ClientBody;
        // Whoever takes it is waited for now.
        self.watch.body_came(self.upstream_limit);
        Poll::Ready(match frame {
            Some(Ok(frame)) => {
                let length = frame.data_ref().map_or(0, |data| data.len() as u64);
                let Some(left) = self.left.checked_sub(length) else {
                    self.watch.body_is_too_large();
                    return Poll::Ready(Some(Err(RequestBodyError::TooLarge)));
                };
                self.left = left;
                self.progress(length, was_awaited);
                if let (Some(copy), Some(data)) = (&self.copy, frame.data_ref()) {
                    copy.push(data);
                }
                // A frame of HTTP/2 has an end of its own.
                if let Some(trailers) = frame.trailers_ref().filter(|_| self.watch.is_of_http_1()) {
                    if trailers.is_empty() {
                        return Poll::Ready(Some(Err(RequestBodyError::Trailers)));
                    }
                    // The library says that these are trailers, and not where they end: a line feed alone may have done
                    // it in the middle. What follows is not taken for a request.
                    self.watch.take_no_more();
                }
                if frame.is_trailers() || self.incoming.is_end_stream() {
                    self.was_read();
                }
                Some(Ok(frame))
            }
            Some(Err(error)) => Some(Err(RequestBodyError::Client(error))),
            None => {
                self.was_read();
                None
            }
        })
    }

    /// A client that sends a byte now and then is not given new time for each.
    fn progress(&mut self, length: u64, was_awaited: bool) {
        self.came += length;
        if !was_awaited || self.came >= self.progress_min {
            self.came = 0;
            self.due = None;
        }
    }

    fn was_read(&mut self) {
        self.ended = true;
        self.watch.body_was_read();
        if let Some(copy) = &self.copy {
            copy.ended();
        }
    }
}

impl TakeBack for RequestBody {
    fn take_back(&mut self, data: Bytes, trailers: Option<HeaderMap>) {
        if !data.is_empty() {
            match self {
                Self::Whole(bytes) => *bytes = Some(data),
                Self::Streamed(body) => body.read = Some(data),
            }
        }
        if let (Self::Streamed(body), Some(trailers)) = (self, trailers) {
            body.trailers = Some(Box::new(trailers));
        }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = RequestBodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, RequestBodyError>>> {
        match &mut *self {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Streamed(body) => {
                if let Some(gate) = &body.gate {
                    ready!(gate.poll_open(cx));
                    body.gate = None;
                }
                if let Some(chunk) = body.read.take() {
                    return Poll::Ready(Some(Ok(Frame::data(chunk))));
                }
                if let Some(trailers) = body.trailers.take() {
                    return Poll::Ready(Some(Ok(Frame::trailers(*trailers))));
                }
                body.poll_incoming(cx)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(bytes) => bytes.is_none(),
            Self::Streamed(body) => {
                body.read.is_none()
                    && body.trailers.is_none()
                    && (body.ended || body.incoming.is_end_stream())
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Self::Streamed(body) => body.length.map_or_else(SizeHint::default, SizeHint::with_exact),
        }
    }
}

impl Gate {
    pub(super) fn open(&self) {
        self.open.store(true, Ordering::Release);
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(waker) = waiting {
            waker.wake();
        }
    }

    fn poll_open(&self, cx: &mut Context<'_>) -> Poll<()> {
        *self.waiting.lock().unwrap_or_else(PoisonError::into_inner) = Some(cx.waker().clone());
        if self.open.load(Ordering::Acquire) { Poll::Ready(()) } else { Poll::Pending }
    }
}
