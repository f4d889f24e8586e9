//! One exchange with the shadowed side, under every limit.

use std::time::{Duration, Instant};

use bytes::Bytes;
use diff_harness::comparison::DropReason;
use diff_harness::exchange::{Observation, Outcome, Response, Side, TransportFailure};
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderValue, Method, Request, Uri};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};

use super::handle::{Shared, size_of_headers};
use super::{Answered, Capture, SHADOW_HEADER, ShadowRequest};

/// What sends a request and gives the head of the response. Lives on the shadow thread.
pub trait Asker: 'static {
    /// Held until the body has been read; dropped earlier, the connection is closed.
    type Lease;

    fn ask(
        &self,
        to: Side,
        request: Request<Full<Bytes>>,
    ) -> impl Future<Output = Result<Asked<Self::Lease>, AskFailure>>;
}

/// A response whose head is there.
#[derive(Debug)]
pub struct Asked<L> {
    pub response: http::Response<Incoming>,
    pub lease: L,
    /// When the request was sent: the making of a connection is not part of a latency.
    pub sent: Instant,
}

/// Why there is no response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AskFailure {
    /// No connection could be made, or none was free.
    Unreachable,
    /// The request was sent, and then this.
    Sent(TransportFailure, Instant),
}

/// Asks the other side. An error is a request that made no observation.
pub(super) async fn ask<A: Asker>(
    asker: &A,
    shared: &Shared,
    request: &ShadowRequest,
) -> Result<Answered, DropReason> {
    let begun = Instant::now();
    match tokio::time::timeout(shared.config.exchange_max, exchange(asker, shared, request)).await {
        Ok(result) => result,
        Err(_) => Ok(failure(TransportFailure::Timeout, begun.elapsed())),
    }
}

async fn exchange<A: Asker>(
    asker: &A,
    shared: &Shared,
    request: &ShadowRequest,
) -> Result<Answered, DropReason> {
    let circuit = shared.circuit(request.to);
    let asked = asker.ask(request.to, shadow_request(request)).await;
    let Asked { response, lease, sent } = match asked {
        Ok(asked) => asked,
        Err(AskFailure::Unreachable) => {
            if circuit.failed(Instant::now()) {
                tracing::warn!(side = %request.to, "cannot be connected to; it is probed from time to time");
            }
            return Err(DropReason::Unreachable);
        }
        Err(AskFailure::Sent(reason, sent)) => {
            circuit.succeeded();
            return Ok(failure(reason, sent.elapsed()));
        }
    };
    circuit.succeeded();
    let (head, body) = response.into_parts();
    let mut capture = Capture::new(shared.config.body_kept_max, &shared.budget);
    let captured = match read(body, &mut capture, shared.config.body_read_max).await {
        Ok(End::Whole) => {
            drop(lease);
            capture.finish()?
        }
        Ok(End::Cut) => capture.cut()?,
        Err(error) => return Ok(failure(reason_of(&error), sent.elapsed())),
    };
    let latency = sent.elapsed();
    let mut held = captured.held;
    if !held.grow(size_of_headers(&head.headers)) {
        return Err(DropReason::MemoryLimit);
    }
    let response = Response { status: head.status, headers: head.headers, body: captured.body };
    Ok(Answered {
        observation: Observation { outcome: Outcome::Response(response), latency },
        held: Some(held),
    })
}

enum End {
    Whole,
    /// More than anybody wants to read.
    Cut,
}

async fn read(mut body: Incoming, capture: &mut Capture, read_max: u64) -> Result<End, hyper::Error> {
    if let Some(length) = body.size_hint().exact() {
        capture.announce(length);
    }
    while let Some(frame) = body.frame().await {
        if let Some(chunk) = frame?.data_ref() {
            capture.push(chunk);
        }
        if capture.length() > read_max {
            return Ok(End::Cut);
        }
    }
    Ok(End::Whole)
}

/// The request as it is forwarded to the answering side, and marked.
fn shadow_request(request: &ShadowRequest) -> Request<Full<Bytes>> {
    let mut shadow = Request::new(Full::new(request.body.clone()));
    *shadow.method_mut() = Method::from(request.method);
    *shadow.uri_mut() = Uri::from(request.target.clone());
    let headers = shadow.headers_mut();
    headers.clone_from(&request.headers);
    headers.insert(SHADOW_HEADER, HeaderValue::from_static("1"));
    // The body is whole now, however it came: its length is set by what it is.
    headers.remove(TRANSFER_ENCODING);
    headers.remove(CONTENT_LENGTH);
    shadow
}

fn failure(reason: TransportFailure, latency: Duration) -> Answered {
    Answered { observation: Observation { outcome: Outcome::Failure(reason), latency }, held: None }
}

/// What a failure on the wire means for the comparison.
pub fn reason_of(error: &hyper::Error) -> TransportFailure {
    if error.is_timeout() {
        TransportFailure::Timeout
    } else if error.is_parse() || error.is_user() {
        TransportFailure::Protocol
    } else {
        TransportFailure::Closed
    }
}
