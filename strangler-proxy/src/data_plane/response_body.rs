//! The body of a response on its way to the client.

use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use diff_harness::exchange::{Observation, Outcome, Response, Side, TransportFailure};
use http::{HeaderMap, HeaderValue, StatusCode};
use http_body::{Body, Frame, SizeHint};

use super::left::left;
use super::pool::UpstreamBody;
use super::request_body::RequestBody;
use super::watch::{Waiting, Watch};
use super::worker::{InProgress, Worker};
use crate::counters::EndpointCounters;
use crate::routes::table::ActiveRoute;
use crate::shadow::{AnswerSlot, Capture, ReadBackRequest, RecordSlot};

/// A closed set of bodies.
pub(super) enum ResponseBody {
    /// Made by the proxy.
    Whole(Option<Bytes>),
    /// Boxed: a response is moved a dozen times on its way through the library, which costs more than an allocation.
    Forwarded(Box<Forwarded>),
}

/// A body that passes from an upstream to the client, and what is noted of it on the way.
pub(super) struct Forwarded {
    body: UpstreamBody<RequestBody>,
    watch: Arc<Watch>,
    limit: Duration,
    answer: Answer,
    tee: Option<Box<Tee>>,
    ended: bool,
    /// Why there will be no more, told when the client has been sent what there was.
    broken: Option<ResponseBodyError>,
    /// Only the end of the connection tells the client where the body ends (RFC 9112 §6.3, rule 8).
    is_unframed: bool,
    /// There is no body, and a length all the same: of what a 304 stands for (RFC 9110 §8.6). The library writes it only where
    /// there seems to be a body, of which it takes nothing then.
    announced: Option<u64>,
}

/// Which side gave the answer, and since when it was asked.
pub(super) struct Answer {
    pub(super) side: Side,
    pub(super) asked: Instant,
    pub(super) counters: Arc<EndpointCounters>,
    /// The endpoint, where it is told that a candidate broke off in the body of its answer.
    pub(super) watched: Option<Arc<ActiveRoute>>,
    pub(super) id: HeaderValue,
    /// The client speaks HTTP/1.0, which has no chunks.
    pub(super) unframed: bool,
    /// To be read when the response has ended: then what was written is written.
    pub(super) read_back: Option<ToReadBack>,
    pub(super) in_progress: InProgress,
}

/// Keeps what passes by for the comparison.
pub(super) struct Tee {
    pub(super) sink: Sink,
    pub(super) capture: Capture,
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
}

/// A read that waits for the end of the response.
pub(super) struct ToReadBack {
    pub(super) worker: Rc<Worker>,
    pub(super) request: Box<ReadBackRequest>,
}

/// Where the whole response goes.
pub(super) enum Sink {
    Compare(AnswerSlot),
    Record(Box<RecordSlot>),
}

#[derive(Debug, thiserror::Error)]
pub(super) enum ResponseBodyError {
    #[error("it did not send the whole body: {0}")]
    Upstream(#[source] hyper::Error),
    #[error("it paused for too long in the body")]
    Timeout,
}

impl ResponseBody {
    pub(super) const EMPTY: Self = Self::Whole(None);

    pub(super) fn forwarded(
        body: UpstreamBody<RequestBody>,
        watch: Arc<Watch>,
        limit: Duration,
        answer: Answer,
        tee: Option<Box<Tee>>,
    ) -> Self {
        watch.wait(Waiting::UpstreamBody, limit);
        let is_unframed = answer.unframed && body.size_hint().exact().is_none();
        let mut forwarded = Box::new(Forwarded {
            body,
            watch,
            limit,
            answer,
            tee,
            ended: false,
            broken: None,
            is_unframed,
            announced: None,
        });
        if forwarded.body.is_end_stream() {
            forwarded.end();
        }
        Self::Forwarded(forwarded)
    }

    /// The head says this length, and no body follows. Over HTTP/2 a head goes as it is.
    pub(super) fn announce(&mut self, length: Option<u64>) {
        if let Self::Forwarded(forwarded) = self
            && forwarded.watch.is_of_http_1()
        {
            forwarded.announced = length;
        }
    }
}

impl Forwarded {
    fn end(&mut self) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        let latency = self.answer.asked.elapsed();
        self.answer.counters.latency(self.answer.side, latency);
        if let Some(tee) = self.tee.take() {
            tee.complete(latency);
        }
        if let Some(read_back) = self.answer.read_back.take() {
            read_back.worker.outlets.shadow.read_back(*read_back.request);
        }
    }

    fn fail(&mut self, failure: TransportFailure) {
        self.ended = true;
        let Answer { watched, id, asked, in_progress, .. } = &self.answer;
        if let Some(route) = watched {
            in_progress.worker().outlets.fallback.broke_off(route, id, *asked, Instant::now());
        }
        if let Some(tee) = self.tee.take() {
            let latency = self.answer.asked.elapsed();
            if let Sink::Compare(slot) = tee.sink {
                slot.complete(Observation { outcome: Outcome::Failure(failure), latency }, None);
            }
        }
    }

    /// The library forgets what it was given and has not written when it is told of a failure. So it is told when all
    /// was written: the client sees how far the response came, and that it did not come to its end (RFC 9112 §8).
    fn break_off(
        &mut self,
        error: ResponseBodyError,
    ) -> Poll<Option<Result<Frame<Bytes>, ResponseBodyError>>> {
        let Answer { side, id, in_progress, .. } = &self.answer;
        in_progress.worker().refusals.broke_off(*side, id, &error);
        if self.is_unframed {
            self.watch.reset();
        }
        if self.watch.await_flush() {
            self.watch.wait_for(Waiting::Write);
            self.broken = Some(error);
            return Poll::Pending;
        }
        Poll::Ready(Some(Err(error)))
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, ResponseBodyError>>> {
        if self.broken.is_some() {
            if self.watch.flush_is_awaited() {
                return Poll::Pending;
            }
            return Poll::Ready(self.broken.take().map(Err));
        }
        let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) else {
            if self.watch.expired().is_some() {
                self.watch.forgive();
                self.fail(TransportFailure::Timeout);
                return self.break_off(ResponseBodyError::Timeout);
            }
            if self.watch.waiting() == Waiting::Write {
                self.watch.wait(Waiting::UpstreamBody, self.limit);
            }
            return Poll::Pending;
        };
        Poll::Ready(match frame {
            Some(Ok(frame)) => {
                if let (Some(tee), Some(data)) = (&mut self.tee, frame.data_ref()) {
                    tee.capture.push(data);
                }
                self.watch.wait_for(Waiting::Write);
                if self.body.is_end_stream() {
                    self.end();
                }
                Some(Ok(frame))
            }
            Some(Err(error)) => {
                let failure =
                    if error.is_parse() { TransportFailure::Protocol } else { TransportFailure::Closed };
                self.fail(failure);
                return self.break_off(ResponseBodyError::Upstream(error));
            }
            None => {
                self.end();
                None
            }
        })
    }
}

/// Before its end, the client has gone: an unused slot says so by itself.
impl Drop for Forwarded {
    fn drop(&mut self) {
        if !self.ended {
            left(self.answer.in_progress.worker(), &self.answer.id);
        }
        self.watch.wait_for(Waiting::LastWrite);
    }
}

impl Tee {
    fn complete(self, latency: Duration) {
        match self.capture.finish() {
            Ok(captured) => {
                let response = Response { status: self.status, headers: self.headers, body: captured.body };
                let observation = Observation { outcome: Outcome::Response(response), latency };
                match self.sink {
                    Sink::Compare(slot) => slot.complete(observation, Some(captured.held)),
                    Sink::Record(slot) => slot.complete(observation, Some(captured.held)),
                }
            }
            Err(reason) => {
                if let Sink::Compare(slot) = self.sink {
                    slot.fail(reason);
                }
            }
        }
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = ResponseBodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ResponseBodyError>>> {
        match &mut *self {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Forwarded(body) => body.poll(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(bytes) => bytes.is_none(),
            Self::Forwarded(body) => body.announced.is_none() && body.body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Self::Forwarded(body) => {
                body.announced.map_or_else(|| body.body.size_hint(), SizeHint::with_exact)
            }
        }
    }
}
