//! The body of a request on its way to an upstream.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use super::watch::Watch;
use super::witness::BodyCopy;

/// A closed set of bodies, so that none is boxed.
pub(super) enum RequestBody {
    /// Nothing, or bytes that are all there: can be sent again from a copy.
    Whole(Option<Bytes>),
    /// Comes from the client while it is sent: sent once.
    Streamed(Streamed),
}

pub(super) struct Streamed {
    /// What was read already, in the hope that it would be all.
    read: VecDeque<Bytes>,
    /// The trailers, where reading ahead has come to them.
    trailers: Option<HeaderMap>,
    incoming: Incoming,
    watch: Arc<Watch>,
    /// Bytes that the client may still send.
    left: u64,
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
    /// Takes at most `bytes_max` from the client.
    pub(super) fn new(incoming: Incoming, watch: Arc<Watch>, bytes_max: u64) -> Self {
        let length = incoming.size_hint().exact();
        let upstream_limit = Duration::MAX;
        Self {
            read: VecDeque::new(),
            trailers: None,
            incoming,
            watch,
            left: bytes_max,
            length,
            upstream_limit,
            gate: None,
            copy: None,
        }
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
        let mut chunks = std::mem::take(&mut self.read);
        if chunks.len() == 1 {
            return Ok(chunks.pop_front());
        }
        let read = chunks.iter().map(Bytes::len).sum();
        Ok(Some(
            chunks
                .into_iter()
                .fold(Vec::with_capacity(read), |mut all, chunk| {
                    all.extend_from_slice(&chunk);
                    all
                })
                .into(),
        ))
    }

    /// Reads up to `limit` bytes ahead; they come first again, and trailers last. Whether that was all.
    pub(super) async fn read_whole(&mut self, limit: usize) -> Result<bool, RequestBodyError> {
        if self.length.is_some_and(|length| length > limit as u64) {
            return Ok(false);
        }
        let mut read = 0;
        loop {
            let frame = std::future::poll_fn(|cx| self.poll_incoming(cx)).await;
            let Some(frame) = frame.transpose()? else { return Ok(true) };
            match frame.into_data() {
                Ok(data) => {
                    read += data.len();
                    self.read.push_back(data);
                    if read > limit {
                        return Ok(false);
                    }
                }
                Err(frame) => self.trailers = frame.into_trailers().ok(),
            }
        }
    }

    fn poll_incoming(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, RequestBodyError>>> {
        let Poll::Ready(frame) = Pin::new(&mut self.incoming).poll_frame(cx) else {
            self.watch.body_is_due();
            return Poll::Pending;
        };
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
                if let (Some(copy), Some(data)) = (&self.copy, frame.data_ref()) {
                    copy.push(data);
                }
                if self.incoming.is_end_stream() {
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

    fn was_read(&self) {
        self.watch.body_was_read();
        if let Some(copy) = &self.copy {
            copy.ended();
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
                if let Some(chunk) = body.read.pop_front() {
                    return Poll::Ready(Some(Ok(Frame::data(chunk))));
                }
                if let Some(trailers) = body.trailers.take() {
                    return Poll::Ready(Some(Ok(Frame::trailers(trailers))));
                }
                body.poll_incoming(cx)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(bytes) => bytes.is_none(),
            Self::Streamed(body) => {
                body.read.is_empty() && body.trailers.is_none() && body.incoming.is_end_stream()
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
