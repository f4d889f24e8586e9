//! One exchange with the shadowed side, under every limit.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use diff_harness::comparison::DropReason;
use diff_harness::endpoint::SafeMethod;
use diff_harness::exchange::{Observation, Outcome, Response, Side, TransportFailure};
use diff_harness::{owned, size};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderValue, Request, Uri};
use http_body::Body;
use http_body_util::{BodyExt, Full};

use super::deadlines::{Late, OnTheWay};
use super::handle::Shared;
use super::{Answered, Capture, SHADOW_HEADER, ShadowConfig, ShadowedRequest};
use crate::data_plane::pool::{
    Attempt, Freshness, Pool, PoolConfig, Quota, SendError, SendFailure, UpstreamBody,
};
use crate::data_plane::strip_response;
use crate::data_plane::upstream::{Upstream, Upstreams, Use};

type ShadowPool = Pool<Full<Bytes>>;

/// Connections to both sides that no client's request ever uses. They live on the shadow thread.
pub(super) struct Pools {
    control: ShadowPool,
    candidate: Option<ShadowPool>,
}

impl Pools {
    pub(super) fn new(upstreams: &Upstreams, config: &ShadowConfig) -> Self {
        let pool = |upstream: &Arc<Upstream>| {
            let limits = PoolConfig {
                of: Use::Shadows,
                wait_max: config.wait_max,
                idle_max: config.concurrency_max,
                idle_timeout: upstream.config.idle_timeout,
                // Short of the deadline of the exchange, so that the one is never taken for the other.
                connect_timeout: config.connect_max.min(config.exchange_max / 2),
                head_bytes_max: upstream.config.head_bytes_max,
                fields_max: upstream.config.fields_max,
            };
            let most = config.concurrency_max + config.again_concurrency() + config.first_max();
            // Never more requests are on the way than there are connections: none waits.
            Pool::new(Arc::clone(upstream), limits, Quota::new(most, 0, 1))
        };
        Self { control: pool(&upstreams.control), candidate: upstreams.candidate.as_ref().map(pool) }
    }

    /// Closes connections that have been idle for too long.
    pub(super) fn sweep(&self, now: Instant) {
        self.control.sweep(now);
        if let Some(candidate) = &self.candidate {
            candidate.sweep(now);
        }
    }

    fn of(&self, side: Side) -> Option<&ShadowPool> {
        match side {
            Side::Control => Some(&self.control),
            Side::Candidate => self.candidate.as_ref(),
        }
    }
}

/// Why a request made no observation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotObserved {
    Dropped(DropReason),
    /// A response came, and does not say that nothing was committed.
    Unacknowledged,
}

impl From<DropReason> for NotObserved {
    fn from(reason: DropReason) -> Self {
        Self::Dropped(reason)
    }
}

/// Asks the other side.
pub(super) async fn ask(
    pools: &Pools,
    shared: &Shared,
    request: &ShadowedRequest,
    on_the_way: &OnTheWay,
) -> Result<Answered, NotObserved> {
    let begun = Instant::now();
    let attempt = Attempt::default();
    match on_the_way.in_time(exchange(pools, shared, request, request.to, &attempt)).await {
        Ok(result) => result,
        Err(Late) => {
            if let Some(pool) = pools.of(request.to) {
                pool.timed_out(&attempt);
            }
            Ok(failure(TransportFailure::Timeout, begun.elapsed()))
        }
    }
}

/// Asks the candidate what it would do, while a client waits: for so long and no longer.
pub(super) async fn ask_first(
    pools: &Pools,
    shared: &Shared,
    request: &ShadowedRequest,
    wait_max: Duration,
) -> Result<Answered, NotObserved> {
    let attempt = Attempt::default();
    let asked = exchange(pools, shared, request, request.to, &attempt);
    tokio::time::timeout(wait_max, asked).await.unwrap_or(Err(DropReason::DryRunLate.into()))
}

/// Asks both sides once more, at the same time: the less time is between them, the fewer edits are. `None` where that
/// makes no two observations.
pub(super) async fn ask_both(
    pools: &Pools,
    shared: &Shared,
    request: &ShadowedRequest,
    on_the_way: &OnTheWay,
) -> Option<(Answered, Answered)> {
    let attempts = (Attempt::default(), Attempt::default());
    let control = exchange(pools, shared, request, Side::Control, &attempts.0);
    let candidate = exchange(pools, shared, request, Side::Candidate, &attempts.1);
    let both = on_the_way.in_time(futures_util::future::join(control, candidate));
    match both.await {
        Ok((Ok(control), Ok(candidate))) => Some((control, candidate)),
        _ => None,
    }
}

/// Asks control once more.
pub(super) async fn ask_control(
    pools: &Pools,
    shared: &Shared,
    request: &ShadowedRequest,
    on_the_way: &OnTheWay,
) -> Option<Answered> {
    let attempt = Attempt::default();
    on_the_way.in_time(exchange(pools, shared, request, Side::Control, &attempt)).await.ok()?.ok()
}

async fn exchange(
    pools: &Pools,
    shared: &Shared,
    request: &ShadowedRequest,
    to: Side,
    attempt: &Attempt<Full<Bytes>>,
) -> Result<Answered, NotObserved> {
    let pool = pools.of(to).ok_or(DropReason::Unreachable)?;
    let circuit = shared.circuit(to);
    let sent = Instant::now();
    let response = match send(pool, request, attempt).await {
        Ok(response) => response,
        Err(SendFailure::Connect(error)) => {
            if circuit.failed(Instant::now()) {
                tracing::warn!(side = %to, %error, "no connection for the shadow; it is tried from time to time");
            }
            return Err(DropReason::Unreachable.into());
        }
        Err(SendFailure::Busy) => return Err(DropReason::Unreachable.into()),
        Err(SendFailure::Protocol(_) | SendFailure::RequestBody(_) | SendFailure::Host) => {
            circuit.succeeded();
            return Ok(failure(TransportFailure::Protocol, sent.elapsed()));
        }
        Err(SendFailure::Closed { .. } | SendFailure::Refused(_)) => {
            circuit.succeeded();
            return Ok(failure(TransportFailure::Closed, sent.elapsed()));
        }
    };
    circuit.succeeded();
    if pool.has_too_many_fields(&response) {
        return Ok(failure(TransportFailure::Protocol, sent.elapsed()));
    }
    let (mut head, body) = response.into_parts();
    if let Some(mark) = &request.dry_run {
        if !mark.is_acknowledged_by(&head.headers) {
            return Err(NotObserved::Unacknowledged);
        }
        request.route.counters.guard().dry_run_acknowledged(request.deployment);
    }
    // As the other response lost those of its own connection.
    strip_response(&mut head.headers);
    owned::headers(&mut head.headers);
    let mut capture = Capture::new(shared.config.body_kept_max, &shared.budget);
    capture.hold(size::of_headers(&head.headers));
    // An event stream has no end to wait for; its head can be compared.
    let ended = if is_event_stream(&head.headers) {
        Ok(End::Cut)
    } else {
        read(body, &mut capture, shared.config.body_read_max).await
    };
    let captured = match ended {
        Ok(End::Whole) => capture.finish()?,
        Ok(End::Cut) => capture.cut()?,
        Err(error) if error.is_parse() => return Ok(failure(TransportFailure::Protocol, sent.elapsed())),
        Err(_) => return Ok(failure(TransportFailure::Closed, sent.elapsed())),
    };
    let (latency, read) = (sent.elapsed(), captured.length);
    let response = Response { status: head.status, headers: head.headers, body: captured.body };
    let observation = Observation { outcome: Outcome::Response(response), latency };
    Ok(Answered { observation, held: Some(captured.held), read })
}

/// Sends a request; a dry run once, on a new connection, which is not closed for being idle. A shadow that met a
/// connection which was closed for being idle, or an address that failed while there is another, is sent again on a new
/// one: the method is safe, and neither says anything of the side.
async fn send(
    pool: &ShadowPool,
    request: &ShadowedRequest,
    attempt: &Attempt<Full<Bytes>>,
) -> Result<http::Response<UpstreamBody<Full<Bytes>>>, SendFailure> {
    let is_safe = SafeMethod::of(&request.request.method).is_some();
    let freshness = if is_safe { Freshness::Any } else { Freshness::New };
    match pool.send(Box::new(shadow_request(request)), freshness, attempt, None).await {
        Err(SendError { reason, .. }) if is_safe && pool.is_worth_another(&reason, attempt) => {
            let again = pool.send(Box::new(shadow_request(request)), Freshness::New, attempt, None).await;
            again.map_err(|error| error.reason)
        }
        result => result.map_err(|error| error.reason),
    }
}

enum End {
    Whole,
    /// More than anybody wants to read.
    Cut,
}

async fn read(
    mut body: impl Body<Data = Bytes, Error = hyper::Error> + Unpin,
    capture: &mut Capture,
    read_max: u64,
) -> Result<End, hyper::Error> {
    if let Some(length) = body.size_hint().exact() {
        capture.announce(length);
    }
    while capture.length() <= read_max {
        match body.frame().await.transpose()? {
            None => return Ok(End::Whole),
            Some(frame) => {
                if let Some(chunk) = frame.data_ref() {
                    capture.push(chunk);
                }
            }
        }
    }
    Ok(End::Cut)
}

/// The request as it is forwarded to the answering side, and marked.
fn shadow_request(request: &ShadowedRequest) -> Request<Full<Bytes>> {
    let mut shadow = Request::new(Full::new(request.request.body.kept().clone()));
    *shadow.method_mut() = request.request.method.clone();
    *shadow.uri_mut() = Uri::from(request.target.clone());
    let headers = shadow.headers_mut();
    headers.clone_from(&request.request.headers);
    headers.insert(SHADOW_HEADER, HeaderValue::from_static("1"));
    // The body is whole now, however it came: its length is set by what it is.
    headers.remove(TRANSFER_ENCODING);
    headers.remove(CONTENT_LENGTH);
    shadow
}

fn failure(reason: TransportFailure, latency: Duration) -> Answered {
    Answered { observation: Observation { outcome: Outcome::Failure(reason), latency }, held: None, read: 0 }
}

pub(super) fn is_event_stream(headers: &HeaderMap) -> bool {
    let media = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    media.is_some_and(|media| media.trim_start().to_ascii_lowercase().starts_with("text/event-stream"))
}
