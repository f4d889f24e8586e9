//! One request, from its head to the head of its response: admit, match, decide, forward, shadow.

use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use diff_harness::comparison::{Disposition, SkipReason};
use diff_harness::endpoint::SafeMethod;
use diff_harness::exchange::{Side, UnixMillis};
use http::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, EXPECT, TE, TRANSFER_ENCODING, UPGRADE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Version};
use http_body::Body;
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;

use super::head;
use super::hop_by_hop::{self, Wishes};
use super::interim;
use super::outgoing::{OneShot, Outgoing, Replayable, UpstreamResponse};
use super::peer::Peer;
use super::pool::{Freshness, SendFailure};
use super::refusal::Refusal;
use super::request_body::{Gate, RequestBody, RequestBodyError, Streamed};
use super::request_id::X_REQUEST_ID;
use super::response_body::{Answer, ResponseBody, Tee};
use super::tunnel;
use super::watch::{Waiting, Watch};
use super::worker::{Upstream, Worker};
use crate::counters::EndpointCounters;
use crate::routes::PathView;
use crate::routes::decide::{Cohort, Plan, Shadow, decide};
use crate::routes::table::{ActiveRoute, RouteTable};
use crate::shadow::{SHADOW_HEADER, ShadowRequest};

/// A client connection, as each of its requests sees it.
pub(super) struct Client {
    pub(super) worker: Rc<Worker>,
    pub(super) watch: Arc<Watch>,
    pub(super) peer: Peer,
}

/// Counts one request, from its head to its one disposition.
struct Account {
    counters: Arc<EndpointCounters>,
    open: bool,
}

/// A request that was admitted, with all that was decided for it.
struct Admitted {
    id: HeaderValue,
    version: Version,
    route: Option<Arc<ActiveRoute>>,
    plan: Plan,
    wishes: Wishes,
    on_upgrade: Option<OnUpgrade>,
}

/// The response that goes to the client, and the request as it may be shown to the other side.
struct Answered {
    side: Side,
    asked: Instant,
    response: UpstreamResponse,
    request: Option<Box<Replayable>>,
}

impl Client {
    /// Always gives a response: what goes wrong is one, too.
    pub(super) async fn handle(self: Rc<Self>, request: Request<Incoming>) -> Response<ResponseBody> {
        self.watch.request_begins(!request.body().is_end_stream());
        let (mut head, body) = request.into_parts();
        let id = self.peer.request_id(&head.headers);
        let table = self.worker.table.load();
        let response = match self.admit(&mut head, &table, id.clone()) {
            Ok((admitted, mut account)) => {
                drop(table);
                match self.answer(head, body, &admitted).await {
                    Ok(answered) => self.hand_over(answered, admitted, account),
                    Err(refusal) => {
                        account.refused(SkipReason::AnswerFailed);
                        self.refuse(refusal, id)
                    }
                }
            }
            Err(refusal) => {
                Account::open(Arc::clone(table.unmatched())).refused(SkipReason::Refused);
                self.refuse(refusal, id)
            }
        };
        self.watch.response_begins();
        response
    }

    /// Judges the head, finds the endpoint, and brings the head into the form in which it is forwarded.
    fn admit(
        &self,
        head: &mut Parts,
        table: &RouteTable,
        id: HeaderValue,
    ) -> Result<(Admitted, Account), Refusal> {
        let config = &self.worker.config;
        let method = head.method.clone();
        let raw = || self.watch.with_raw_head(|raw| head::has_content_length(raw, &method));
        head::admit(head, &config.limits, &self.worker.default_host, raw)?;

        let safe = SafeMethod::of(&head.method);
        // Only OPTIONS may ask for `*`, which is the server as a whole: no endpoint.
        let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
        let route = if target == "*" && head.method == Method::OPTIONS {
            None
        } else {
            let path = PathView::of(target, &config.paths).map_err(Refusal::Path)?;
            let route = table.find(&head.method, &path).cloned();
            if route.is_none() {
                self.worker.outlets.undeclared.seen(&head.method, path.as_str());
            }
            route
        };
        let account =
            Account::open(Arc::clone(route.as_ref().map_or(table.unmatched(), |route| &route.counters)));
        let plan = route.as_ref().map_or(Plan::UNMATCHED, |route| {
            decide(route.standing, safe, || {
                let trusted = &config.forwarding.trusted;
                let key = self.peer.cohort_key(&head.headers, &config.cohort.key, trusted);
                Cohort::of(&config.cohort.salt, key.as_ref().map(AsRef::as_ref))
            })
        });

        let wishes = hop_by_hop::strip_request(&mut head.headers);
        head.headers.remove(SHADOW_HEADER);
        self.peer.introduce(&mut head.headers, head.version, &self.worker.via, &id);
        let on_upgrade = head.extensions.remove::<OnUpgrade>();
        let version = std::mem::replace(&mut head.version, Version::HTTP_11);
        Ok((Admitted { id, version, route, plan, wishes, on_upgrade }, account))
    }

    /// Asks the side that is to answer, and control when that is a candidate that failed.
    async fn answer(&self, head: Parts, body: Incoming, admitted: &Admitted) -> Result<Answered, Refusal> {
        let outgoing = self.outgoing(head, body, admitted).await?;
        let plan = admitted.plan;
        let asked = Instant::now();
        let (refusal, unanswered) = match self.worker.upstream(plan.answer) {
            Some(upstream) => match self.ask(upstream, outgoing, admitted).await {
                Ok((response, Some(request))) if plan.fallback && has_failed(&response) => {
                    self.worker.discard(response.into_body());
                    (Refusal::UpstreamClosed, Some(Outgoing::Replayable(request)))
                }
                Ok((response, request)) => {
                    return Ok(Answered { side: plan.answer, asked, response, request });
                }
                Err(failed) => failed,
            },
            None => (Refusal::NoCandidate, Some(outgoing)),
        };
        let (Some(outgoing), Some(control)) = (unanswered, self.worker.upstream(Side::Control)) else {
            return Err(refusal);
        };
        if !plan.fallback || !refusal.is_of_upstream() {
            return Err(refusal);
        }
        let asked = Instant::now();
        let (response, request) =
            self.ask(control, outgoing, admitted).await.map_err(|(refusal, _)| refusal)?;
        if let Some(route) = &admitted.route {
            route.counters.fallback();
        }
        Ok(Answered { side: Side::Control, asked, response, request })
    }

    /// A safe request is read whole, so that it can be sent again; others pass as they come.
    async fn outgoing(
        &self,
        mut head: Parts,
        body: Incoming,
        admitted: &Admitted,
    ) -> Result<Outgoing, Refusal> {
        let limits = &self.worker.config.limits;
        let safe = SafeMethod::of(&head.method).filter(|_| admitted.wishes.upgrade.is_none());
        let is_chunked = head.headers.remove(TRANSFER_ENCODING).is_some();
        if body.is_end_stream() {
            return Ok(match safe {
                Some(method) => Outgoing::replayable(method, head, bytes::Bytes::new()),
                None => Outgoing::OneShot(OneShot::new(head, RequestBody::EMPTY)),
            });
        }
        if body.size_hint().lower() > limits.body_bytes_max {
            return Err(Refusal::BodyTooLarge);
        }
        let wants_go_ahead = head.headers.contains_key(EXPECT);
        let mut streamed = Streamed::new(body, Arc::clone(&self.watch), limits.body_bytes_max);
        if let (Some(method), false) = (safe, wants_go_ahead) {
            let read = self.unless_expired(streamed.read_ahead(limits.replay_bytes_max)).await?;
            if let Some(bytes) = read.map_err(|error| error.refusal())? {
                if is_chunked && !bytes.is_empty() {
                    head.headers.insert(CONTENT_LENGTH, HeaderValue::from(bytes.len()));
                }
                return Ok(Outgoing::replayable(method, head, bytes));
            }
        }
        if is_chunked {
            // Said outright, since the library takes a GET without a length to be without a body.
            head.headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
        }
        Ok(Outgoing::OneShot(OneShot::new(head, RequestBody::Streamed(streamed))))
    }

    /// Sends a request to one side. What is replayable comes back with the response, or with the refusal as what
    /// is as unsent as before does.
    async fn ask(
        &self,
        upstream: &Upstream,
        outgoing: Outgoing,
        admitted: &Admitted,
    ) -> Result<(UpstreamResponse, Option<Box<Replayable>>), (Refusal, Option<Outgoing>)> {
        match outgoing {
            Outgoing::OneShot(request) => {
                match self.send(upstream, request, Freshness::Any, admitted).await {
                    Ok(response) => Ok((response, None)),
                    Err((failure, unsent)) => Err((failure.refusal(), unsent.map(Outgoing::OneShot))),
                }
            }
            Outgoing::Replayable(request) => {
                let mut sent = self.send(upstream, request.copy(), Freshness::Any, admitted).await;
                if let Err((Failure::Send(SendFailure::Closed { reused: true, .. }), _)) = &sent {
                    // The upstream closed a connection for being idle just as the request was written to it.
                    sent = self.send(upstream, request.copy(), Freshness::New, admitted).await;
                }
                match sent {
                    Ok(response) => Ok((response, Some(request))),
                    Err((failure, _)) => Err((failure.refusal(), Some(Outgoing::Replayable(request)))),
                }
            }
        }
    }

    async fn send(
        &self,
        upstream: &Upstream,
        mut request: OneShot,
        freshness: Freshness,
        admitted: &Admitted,
    ) -> Result<UpstreamResponse, (Failure, Option<OneShot>)> {
        let go_ahead = self.prepare(request.request_mut(), upstream, admitted);
        self.watch.wait(Waiting::UpstreamHead, upstream.config.head_timeout);
        let sending = request.send(&upstream.pool, freshness);
        let sent = match go_ahead {
            None => self.unless_expired(sending).await,
            Some(gate) => {
                let expect = self.worker.config.timeouts.expect;
                self.unless_expired(gate.open_after(expect, sending)).await
            }
        };
        match sent {
            Ok(Ok(response)) => Ok(response),
            Ok(Err((failure, unsent))) => Err((Failure::Send(failure), unsent)),
            Err(refusal) => {
                self.watch.forgive();
                Err((Failure::Expired(refusal), None))
            }
        }
    }

    /// Adds what is for the connection to this upstream only.
    fn prepare(
        &self,
        request: &mut Request<RequestBody>,
        upstream: &Upstream,
        admitted: &Admitted,
    ) -> Option<Arc<Gate>> {
        request.body_mut().is_sent_under(upstream.config.head_timeout);
        let headers = request.headers_mut();
        if admitted.wishes.trailers {
            headers.insert(TE, HeaderValue::from_static("trailers"));
            headers.insert(CONNECTION, HeaderValue::from_static("te"));
        }
        if let Some(to) = &admitted.wishes.upgrade {
            headers.insert(UPGRADE, to.clone());
            headers.append(CONNECTION, HeaderValue::from_static("upgrade"));
        }
        let gate = headers.contains_key(EXPECT).then(Arc::<Gate>::default);
        if let (Some(gate), RequestBody::Streamed(body)) = (&gate, request.body_mut()) {
            body.hold_back(Arc::clone(gate));
        }
        let passes_on = self.worker.config.forwarding.informational && admitted.version == Version::HTTP_11;
        if passes_on || gate.is_some() {
            interim::listen(request, passes_on.then(|| Arc::clone(&self.watch)), gate.clone());
        }
        gate
    }

    /// Counts the answer, shows the request to the other side, and starts the body on its way.
    fn hand_over(
        &self,
        answered: Answered,
        admitted: Admitted,
        mut account: Account,
    ) -> Response<ResponseBody> {
        let Answered { side, asked, response, request } = answered;
        let (mut head, body) = response.into_parts();
        let switches_to = hop_by_hop::strip_response(&mut head.headers);
        account.counters.answered(side);

        if head.status == StatusCode::SWITCHING_PROTOCOLS {
            account.skipped(SkipReason::Upgrade);
            return self.switch(head, switches_to, body, admitted);
        }
        let is_stream = is_event_stream(&head.headers);
        let shadow = match admitted.plan.shadow {
            Ok(_) if is_stream => Err(SkipReason::Stream),
            Ok(_) if request.is_none() => Err(SkipReason::RequestTooLarge),
            shadow => shadow,
        };
        let tee = match (shadow, request, admitted.route) {
            (Ok(shadow), Some(request), Some(route)) => {
                let shadow = Shadow { to: side.other(), ..shadow };
                self.show(shadow, *request, route, admitted.id.clone(), &head, &body, &mut account)
            }
            (Err(reason), _, _) => {
                account.skipped(reason);
                None
            }
            (Ok(_), _, _) => {
                account.skipped(SkipReason::Unmatched);
                None
            }
        };
        one_length(&mut head.headers, &body);
        head.headers.insert(X_REQUEST_ID, admitted.id);
        head.version = Version::HTTP_11;

        let limit =
            if is_stream { self.worker.config.timeouts.tunnel } else { self.worker.body_timeout(side) };
        let answer = Answer { side, asked, counters: Arc::clone(&account.counters) };
        let body = ResponseBody::forwarded(body, Arc::clone(&self.watch), limit, answer, tee);
        Response::from_parts(head, body)
    }

    /// Puts the request into the shadow queue. From then on the shadow side counts what becomes of it.
    #[allow(clippy::too_many_arguments, reason = "the parts of one request, used here for the last time")]
    fn show(
        &self,
        shadow: Shadow,
        request: Replayable,
        route: Arc<ActiveRoute>,
        id: HeaderValue,
        head: &http::response::Parts,
        body: &super::pool::UpstreamBody<RequestBody>,
        account: &mut Account,
    ) -> Option<Box<Tee>> {
        let handle = &self.worker.outlets.shadow;
        let target = request.target();
        let submitted = handle.submit(ShadowRequest {
            id,
            at: now(),
            route,
            method: shadow.method,
            target,
            headers: request.headers,
            body: request.body,
            to: shadow.to,
        });
        match submitted {
            Ok(slot) => {
                account.handed_over();
                let mut capture = handle.capture();
                if let Some(length) = body.size_hint().exact() {
                    capture.announce(length);
                }
                Some(Box::new(Tee { slot, capture, status: head.status, headers: head.headers.clone() }))
            }
            Err(disposition) => {
                account.end(disposition);
                None
            }
        }
    }

    /// 101: the connection becomes something else, which passes through as bytes.
    fn switch(
        &self,
        mut head: http::response::Parts,
        switches_to: Option<HeaderValue>,
        body: super::pool::UpstreamBody<RequestBody>,
        admitted: Admitted,
    ) -> Response<ResponseBody> {
        // RFC 9110 §7.8: only to what was asked for.
        let to = switches_to.filter(|to| admitted.wishes.wants(to));
        let (Some(to), Some(on_upgrade), Some(parts)) = (to, admitted.on_upgrade, body.into_connection())
        else {
            return self.refuse(Refusal::UpstreamProtocol, admitted.id);
        };
        tunnel::open(&self.worker, on_upgrade, parts);
        head.headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        head.headers.insert(UPGRADE, to);
        head.headers.insert(X_REQUEST_ID, admitted.id);
        self.watch.wait_for(Waiting::LastWrite);
        let (mut response, ()) = Response::new(()).into_parts();
        response.status = head.status;
        response.headers = head.headers;
        response.extensions = head.extensions;
        Response::from_parts(response, ResponseBody::EMPTY)
    }

    fn refuse(&self, refusal: Refusal, id: HeaderValue) -> Response<ResponseBody> {
        self.worker.refusals.count(refusal);
        self.watch.forgive();
        self.watch.wait_for(Waiting::LastWrite);
        refusal.response(id)
    }

    /// Waits for the future, or until the sweep finds that something took too long.
    async fn unless_expired<T>(&self, future: impl Future<Output = T>) -> Result<T, Refusal> {
        let mut future = std::pin::pin!(future);
        std::future::poll_fn(|cx| {
            if let std::task::Poll::Ready(there) = future.as_mut().poll(cx) {
                return std::task::Poll::Ready(Ok(there));
            }
            match self.watch.expired() {
                Some(Waiting::ClientBody) => std::task::Poll::Ready(Err(Refusal::BodyTimeout)),
                Some(_) => std::task::Poll::Ready(Err(Refusal::UpstreamTimeout)),
                None => std::task::Poll::Pending,
            }
        })
        .await
    }
}

/// Why a side gave no response.
enum Failure {
    Send(SendFailure),
    Expired(Refusal),
}

impl Failure {
    fn refusal(&self) -> Refusal {
        match self {
            Self::Expired(refusal) => *refusal,
            Self::Send(SendFailure::Connect(_)) => Refusal::Unreachable,
            Self::Send(SendFailure::Busy) => Refusal::Busy,
            Self::Send(SendFailure::Closed { .. }) => Refusal::UpstreamClosed,
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
    fn refusal(&self) -> Refusal {
        match self {
            Self::TooLarge => Refusal::BodyTooLarge,
            Self::Client(_) => Refusal::BodyBroken,
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

impl Outgoing {
    fn replayable(method: SafeMethod, head: Parts, body: bytes::Bytes) -> Self {
        Self::Replayable(Box::new(Replayable::new(method, head, body)))
    }
}

impl Account {
    fn open(counters: Arc<EndpointCounters>) -> Self {
        counters.started();
        Self { counters, open: true }
    }

    fn skipped(&mut self, reason: SkipReason) {
        self.end(Disposition::Skipped(reason));
    }

    /// The proxy answered by itself.
    fn refused(&mut self, reason: SkipReason) {
        self.counters.answered_by_proxy();
        self.skipped(reason);
    }

    /// The shadow side counts it from here on.
    fn handed_over(&mut self) {
        self.open = false;
    }

    fn end(&mut self, disposition: Disposition) {
        if std::mem::replace(&mut self.open, false) {
            self.counters.count(disposition);
        }
    }
}

/// Dropped before the response was there, the client has gone.
impl Drop for Account {
    fn drop(&mut self) {
        self.end(Disposition::Skipped(SkipReason::ClientGone));
    }
}

/// A candidate that says so itself, or whose own gateway does.
fn has_failed(response: &UpstreamResponse) -> bool {
    matches!(
        response.status(),
        StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT
    )
}

fn is_event_stream(headers: &HeaderMap) -> bool {
    const STREAM: &[u8] = b"text/event-stream";
    headers.get(CONTENT_TYPE).is_some_and(|media| {
        media.as_bytes().get(..STREAM.len()).is_some_and(|start| start.eq_ignore_ascii_case(STREAM))
    })
}

/// RFC 9112 §6.3: equal lengths that were repeated become one.
fn one_length(headers: &mut HeaderMap, body: &impl Body) {
    let mut lengths = headers.get_all(CONTENT_LENGTH).iter();
    let (Some(first), second) = (lengths.next(), lengths.next()) else { return };
    if (second.is_some() || first.as_bytes().contains(&b','))
        && let Some(length) = body.size_hint().exact()
    {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
}

fn now() -> UnixMillis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    UnixMillis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
