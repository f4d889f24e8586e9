//! Who is asked for the response to a request, how often, and for how long.

use std::sync::Arc;
use std::task::Poll;
use std::time::Instant;

use diff_harness::exchange::Side;
use http::header::{CONNECTION, CONTENT_LENGTH, TE, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderValue, Request, StatusCode, Version};

use super::exchange::{Client, Exchange};
use super::interim;
use super::names::Spelling;
use super::outgoing::{OneShot, Outgoing, ReadAhead, Replayable, UpstreamResponse};
use super::pool::{Attempt, Freshness, SendFailure, SentAtOnce};
use super::refusal::Refusal;
use super::request_body::{Gate, RequestBody, RequestBodyError};
use super::watch::Waiting;
use super::worker::Backed;

/// The response that goes to the client, and the request as it may be shown to the other side.
pub(super) struct Answered {
    pub(super) side: Side,
    pub(super) asked: Instant,
    pub(super) response: UpstreamResponse,
    pub(super) request: Option<Box<Replayable>>,
}

/// Why a side gave no response.
enum Failure {
    Send(SendFailure),
    /// The proxy gave up on it.
    GivenUp(Refusal),
}

impl Client {
    /// Asks the side that is to answer, and control when that is a candidate that failed.
    pub(super) async fn answer(
        &self,
        mut outgoing: Outgoing,
        exchange: &Exchange,
    ) -> Result<Answered, Refusal> {
        if let Outgoing::ReadAhead(request) = outgoing {
            outgoing = Box::pin(self.read_ahead(request)).await?;
        }
        let plan = exchange.plan;
        if let (Outgoing::OneShot(request), Some(upstream)) =
            (&mut outgoing, self.worker.upstream(plan.answer))
            && upstream.is_half_taken()
        {
            Box::pin(self.gather(request, exchange)).await?;
        }
        let asked = Instant::now();
        let (refusal, unanswered) = match self.worker.upstream(plan.answer) {
            Some(upstream) => match self.ask(upstream, outgoing, exchange).await {
                Ok((response, request)) => {
                    self.note_head(exchange, response.status(), asked);
                    match request {
                        Some(request) if plan.fallback && has_failed(&response) => {
                            self.worker.discard(response.into_body());
                            (Refusal::UpstreamClosed, Some(Outgoing::Replayable(request)))
                        }
                        request => return Ok(Answered { side: plan.answer, asked, response, request }),
                    }
                }
                Err(failed) => {
                    self.note_failure(exchange, failed.0, asked);
                    failed
                }
            },
            None => {
                self.note_failure(exchange, Refusal::NoCandidate, asked);
                (Refusal::NoCandidate, Some(outgoing))
            }
        };
        match unanswered {
            Some(outgoing) if plan.fallback && refusal.is_of_upstream() => {
                Box::pin(self.fall_back(outgoing, exchange)).await
            }
            _ => Err(refusal),
        }
    }

    /// The candidate gave the head of a response, and control stands behind it.
    fn note_head(&self, exchange: &Exchange, status: StatusCode, asked: Instant) {
        let Some(route) = exchange.watched() else { return };
        let fallback = &self.worker.outlets.fallback;
        if status.is_server_error() {
            let what = status.canonical_reason().unwrap_or("5xx");
            fallback.failed(route, &exchange.id, what, asked, Instant::now());
        } else {
            fallback.answered(route, asked);
        }
    }

    /// The candidate gave no response. What the client did wrong is not counted against it.
    fn note_failure(&self, exchange: &Exchange, refusal: Refusal, asked: Instant) {
        if let (true, Some(route)) = (refusal.is_of_upstream(), exchange.watched()) {
            let fallback = &self.worker.outlets.fallback;
            fallback.failed(route, &exchange.id, refusal.reason(), asked, Instant::now());
        }
    }

    /// Control answers for the candidate.
    async fn fall_back(&self, outgoing: Outgoing, exchange: &Exchange) -> Result<Answered, Refusal> {
        let control = self.worker.upstream(Side::Control).ok_or(Refusal::Unreachable)?;
        let asked = Instant::now();
        let (response, request) =
            self.ask(control, outgoing, exchange).await.map_err(|(refusal, _)| refusal)?;
        if let Some(route) = &exchange.route {
            route.counters.fallback();
        }
        Ok(Answered { side: Side::Control, asked, response, request })
    }

    /// Reads a body, or the beginning of a large one, before it takes a connection: slow uploads never take them all.
    async fn gather(&self, request: &mut OneShot, exchange: &Exchange) -> Result<(), Refusal> {
        let request = request.request_mut();
        // The upstream is to say first whether it wants it, or what it speaks.
        if exchange.wishes.expect || exchange.wishes.upgrade.is_some() {
            return Ok(());
        }
        let RequestBody::Streamed(body) = request.body_mut() else { return Ok(()) };
        let limit = self.worker.config.limits.gather_bytes;
        self.unless_expired(body.gather(limit)).await?.map_err(|error| error.refusal())
    }

    /// Reads the body of a safe request, so that it can be sent again. One that is too large is sent once.
    async fn read_ahead(&self, request: Box<ReadAhead>) -> Result<Outgoing, Refusal> {
        let ReadAhead { method, mut head, mut body } = *request;
        let limit = self.worker.config.limits.replay_bytes_max;
        let read = self.unless_expired(body.read_ahead(limit)).await?;
        Ok(match read.map_err(|error| error.refusal())? {
            Some(bytes) => {
                if head.headers.remove(TRANSFER_ENCODING).is_some() && !bytes.is_empty() {
                    head.headers.insert(CONTENT_LENGTH, HeaderValue::from(bytes.len()));
                }
                Outgoing::Replayable(Replayable::new(method, head, bytes))
            }
            None => Outgoing::OneShot(OneShot::new(head, RequestBody::Streamed(body))),
        })
    }

    /// Sends a request to one side. What is replayable comes back with the response, or with the refusal as what
    /// is as unsent as before does.
    async fn ask(
        &self,
        upstream: &Backed,
        outgoing: Outgoing,
        exchange: &Exchange,
    ) -> Result<(UpstreamResponse, Option<Box<Replayable>>), (Refusal, Option<Outgoing>)> {
        let (request, replayable) = match outgoing {
            Outgoing::Replayable(request) => (request.copy(), Some(request)),
            Outgoing::OneShot(request) => (request, None),
            Outgoing::ReadAhead(request) => (request.unread(), None),
        };
        let attempt = Attempt::default();
        let mut sent = self.send(upstream, request, Freshness::Any, exchange, &attempt).await;
        if let Err((Failure::Send(failure), unsent)) = &mut sent
            && upstream.pool.is_worth_another(failure, &attempt)
            && let Some(again) = replayable.as_ref().map(|request| request.copy()).or_else(|| unsent.take())
        {
            sent = Box::pin(self.send(upstream, again, Freshness::New, exchange, &attempt)).await;
        }
        match (sent, replayable) {
            (Ok(response), replayable) => Ok((response, replayable)),
            (Err((failure, _)), Some(request)) => {
                Err((failure.refusal(), Some(Outgoing::Replayable(request))))
            }
            (Err((failure, unsent)), None) => Err((failure.refusal(), unsent.map(Outgoing::OneShot))),
        }
    }

    async fn send(
        &self,
        upstream: &Backed,
        mut request: OneShot,
        freshness: Freshness,
        exchange: &Exchange,
        attempt: &Attempt<RequestBody>,
    ) -> Result<UpstreamResponse, (Failure, Option<OneShot>)> {
        let gate = self.prepare(request.request_mut(), upstream, exchange);
        self.watch.wait(Waiting::UpstreamHead, upstream.config().head_timeout);
        let is_spelled = self.worker.config.forwarding.preserve_header_case && self.watch.is_of_http_1();
        let spelling = is_spelled.then_some(&*self.watch as &dyn Spelling);
        let sending = request.send(&upstream.pool, freshness, attempt, spelling);
        let sent = match gate {
            None => self.unless_expired(sending).await,
            Some(gate) => {
                let expect = self.worker.config.timeouts.expect;
                Box::pin(self.unless_expired(gate.open_after(expect, sending))).await
            }
        };
        match sent {
            // What is coded in another way cannot be passed on: the coding is for one connection, and not known here.
            Ok(Ok(response)) if is_coded(&response) || upstream.pool.has_too_many_fields(&response) => {
                Err((Failure::GivenUp(Refusal::UpstreamProtocol), None))
            }
            Ok(Ok(response)) => Ok(response),
            Ok(Err((SendFailure::RequestBody(_), _))) if self.watch.is_body_too_large() => {
                Err((Failure::GivenUp(Refusal::BodyTooLarge), None))
            }
            Ok(Err((failure, unsent))) => Err((Failure::Send(failure), unsent)),
            Err(refusal) => {
                if refusal == Refusal::UpstreamTimeout {
                    upstream.pool.timed_out(attempt);
                }
                self.watch.forgive();
                Err((Failure::GivenUp(refusal), None))
            }
        }
    }

    /// Adds what is for the connection to this upstream only.
    fn prepare(
        &self,
        request: &mut Request<RequestBody>,
        upstream: &Backed,
        exchange: &Exchange,
    ) -> Option<Arc<Gate>> {
        request.body_mut().is_sent_under(upstream.config().head_timeout);
        let headers = request.headers_mut();
        if exchange.wishes.trailers {
            headers.insert(TE, HeaderValue::from_static("trailers"));
            headers.insert(CONNECTION, HeaderValue::from_static("te"));
        }
        if let Some(to) = &exchange.wishes.upgrade {
            headers.insert(UPGRADE, to.clone());
            headers.append(CONNECTION, HeaderValue::from_static("upgrade"));
        }
        let gate = exchange.wishes.expect.then(Arc::<Gate>::default);
        if let Some(gate) = &gate {
            if let RequestBody::Streamed(body) = request.body_mut() {
                body.hold_back(Arc::clone(gate));
            }
            let gate = Arc::clone(gate);
            request.extensions_mut().insert(SentAtOnce(Arc::new(move || gate.open())));
        }
        let passes_on = self.worker.config.forwarding.informational && exchange.version == Version::HTTP_11;
        if passes_on || gate.is_some() {
            interim::listen(request, passes_on.then(|| Arc::clone(&self.watch)), gate.clone());
        }
        gate
    }

    /// Waits for the future, or until the sweep finds that something took too long.
    pub(super) async fn unless_expired<T>(&self, future: impl Future<Output = T>) -> Result<T, Refusal> {
        let mut future = std::pin::pin!(future);
        std::future::poll_fn(|cx| {
            if let Poll::Ready(there) = future.as_mut().poll(cx) {
                return Poll::Ready(Ok(there));
            }
            match self.watch.expired() {
                Some(Waiting::ClientBody) => Poll::Ready(Err(Refusal::BodyTimeout)),
                Some(_) => Poll::Ready(Err(Refusal::UpstreamTimeout)),
                None => Poll::Pending,
            }
        })
        .await
    }
}

impl Failure {
    fn refusal(&self) -> Refusal {
        match self {
            Self::GivenUp(refusal) => *refusal,
            Self::Send(SendFailure::Connect(_)) => Refusal::Unreachable,
            Self::Send(SendFailure::Busy) => Refusal::Busy,
            Self::Send(SendFailure::Closed { .. } | SendFailure::Refused(_)) => Refusal::UpstreamClosed,
            Self::Send(SendFailure::Host) => Refusal::HostInvalid,
            Self::Send(SendFailure::Protocol(_)) => Refusal::UpstreamProtocol,
            Self::Send(SendFailure::RequestBody(error)) => {
                let source = std::error::Error::source(error);
                let own = source.and_then(|source| source.downcast_ref::<RequestBodyError>());
                own.map_or(Refusal::BodyBroken, RequestBodyError::refusal)
            }
        }
    }
}

impl RequestBodyError {
    pub(super) fn refusal(&self) -> Refusal {
        match self {
            Self::TooLarge => Refusal::BodyTooLarge,
            Self::Client(_) | Self::Trailers => Refusal::BodyBroken,
        }
    }
}

impl Refusal {
    /// Whether the upstream is to blame, so that another one may do better.
    fn is_of_upstream(self) -> bool {
        matches!(
            self,
            Self::Unreachable
                | Self::Busy
                | Self::UpstreamTimeout
                | Self::UpstreamClosed
                | Self::UpstreamProtocol
                | Self::NoCandidate
        )
    }
}

/// Whether a response has a transfer coding other than chunked (RFC 9112 §6.1).
fn is_coded(response: &UpstreamResponse) -> bool {
    let mut codings = response.headers().get_all(TRANSFER_ENCODING).iter();
    match (codings.next(), codings.next()) {
        (None, _) => false,
        (Some(coding), None) => !coding.as_bytes().eq_ignore_ascii_case(b"chunked"),
        (Some(_), Some(_)) => true,
    }
}

/// A candidate that says so itself, or whose own gateway does. Where control fails at the same request, the client
/// gets control's failure: what it would get without a candidate.
fn has_failed(response: &UpstreamResponse) -> bool {
    response.status().is_server_error()
}
