//! One request, from its head to the head of its response: admit, match, decide, forward, shadow.

use std::convert::Infallible;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use diff_harness::comparison::{Disposition, DropReason, SkipReason};
use diff_harness::endpoint::SafeMethod;
use diff_harness::exchange::{Side, UnixMillis};
use diff_harness::{owned, size};
use http::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING, UPGRADE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Version};
use http_body::Body;
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;

use super::account::Account;
use super::asking::Answered;
use super::door::Door;
use super::head;
use super::hop_by_hop::{self, Wishes};
use super::left::UntilAnswered;
use super::outgoing::{OneShot, Outgoing, Replayable};
use super::peer::Peer;
use super::pool::UpstreamBody;
use super::refusal::Refusal;
use super::request_body::{RequestBody, Streamed};
use super::request_id::X_REQUEST_ID;
use super::response_body::{Answer, ResponseBody, Sink, Tee, ToReadBack};
use super::room::Place;
use super::tunnel;
use super::watch::{Waiting, Watch};
use super::witness::{BodyCopy, DryRun, Witnessed};
use super::worker::{InProgress, Worker};
use crate::routes::PathView;
use crate::routes::cohort::Cohort;
use crate::routes::decide::{Plan, Shadow, Witness, decide};
use crate::routes::table::{ActiveRoute, RouteTable};
use crate::shadow::{DryRunRequest, ReadBackRequest, ShadowRequest};

/// A client connection, as each of its requests sees it.
pub(super) struct Client {
    pub(super) worker: Rc<Worker>,
    pub(super) door: Rc<Door>,
    pub(super) watch: Arc<Watch>,
    pub(super) peer: Rc<Peer>,
}

/// A request that was admitted, with all that was decided for it. Boxed: what is passed down a chain of futures is
/// moved at every step.
pub(super) struct Exchange {
    pub(super) id: HeaderValue,
    pub(super) version: Version,
    pub(super) route: Option<Arc<ActiveRoute>>,
    pub(super) plan: Plan,
    pub(super) wishes: Wishes,
    witness: Option<Witness>,
    pub(super) witnessed: Option<Box<Witnessed>>,
    on_upgrade: Option<OnUpgrade>,
    /// Held for a tunnel, where one is asked for.
    place: Option<Place>,
    pub(super) account: Account,
}

impl Exchange {
    /// The endpoint, where the candidate is to answer and control stands behind it: then its failures are counted.
    pub(super) fn watched(&self) -> Option<&Arc<ActiveRoute>> {
        self.route.as_ref().filter(|_| self.plan.fallback)
    }
}

impl Client {
    /// Always gives a response: what goes wrong is one, too. As the library wants it, so that there is no other future
    /// around this one: each would have room for it twice.
    pub(super) fn handle(
        self: &Rc<Self>,
        request: Request<Incoming>,
    ) -> impl Future<Output = Result<Response<ResponseBody>, Infallible>> + use<> {
        self.watch.request_begins(!request.body().is_end_stream());
        let in_progress = self.worker.request_begins(self.door.requests.as_ref());
        let begun = self.begin(request, in_progress.is_one_too_many);
        let client = Rc::clone(self);
        async move {
            let response = match begun {
                Ok((mut outgoing, mut exchange)) => {
                    let waited_for = UntilAnswered::new(&client.worker, exchange.id.clone());
                    let read = if client.goes_first(&exchange) {
                        Box::pin(client.dry_run_first(&mut outgoing, &mut exchange)).await
                    } else {
                        Ok(())
                    };
                    let answered = match read {
                        Ok(()) => client.answer(outgoing, &exchange).await,
                        Err(refusal) => Err(refusal),
                    };
                    waited_for.answered();
                    match answered {
                        Ok(answered) => client.hand_over(answered, *exchange, in_progress),
                        Err(refusal) => client.give_up(refusal, *exchange),
                    }
                }
                Err((refusal, id)) => client.refuse(refusal, id),
            };
            client.watch.response_begins();
            Ok(response)
        }
    }

    /// Judges the head, finds the endpoint, and brings the request into the form in which it is forwarded.
    fn begin(
        &self,
        request: Request<Incoming>,
        is_one_too_many: bool,
    ) -> Result<(Outgoing, Box<Exchange>), (Refusal, HeaderValue)> {
        let (mut head, body) = request.into_parts();
        if head.version == Version::HTTP_2 {
            head::join_cookies(&mut head.headers);
            one_length(&mut head.headers, &body);
        }
        let id = self.peer.request_id(&head.headers);
        let table = self.worker.table.load();
        let admitted = match is_one_too_many {
            true => Err(Refusal::Overloaded),
            false => self.admit(&mut head, &table, &id),
        };
        let mut exchange = match admitted {
            Ok(exchange) => exchange,
            Err(refusal) => {
                Account::open(Arc::clone(table.unmatched())).refused(SkipReason::Refused);
                return Err((refusal, id));
            }
        };
        let placed = self.place_for_a_tunnel(&mut exchange);
        match placed.and_then(|()| self.outgoing(head, body, &mut exchange)) {
            Ok(outgoing) => Ok((outgoing, exchange)),
            Err(refusal) => {
                exchange.account.refused(SkipReason::Refused);
                Err((refusal, id))
            }
        }
    }

    fn admit(
        &self,
        head: &mut Parts,
        table: &RouteTable,
        id: &HeaderValue,
    ) -> Result<Box<Exchange>, Refusal> {
        let config = &self.worker.config;
        let method = &head.method.clone();
        head::admit(head, &config.limits, &self.worker.default_host, &*self.watch)?;

        let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
        // Only OPTIONS may ask for `*`, which is the server as a whole: no endpoint.
        let route = if target == "*" && *method == Method::OPTIONS {
            None
        } else {
            let path = PathView::of(target, &config.paths).map_err(Refusal::Path)?;
            let route = table.find(method, &path).cloned();
            if route.is_none() {
                self.worker.outlets.undeclared.seen(method, path.as_str());
            }
            route
        };
        let account =
            Account::open(Arc::clone(route.as_ref().map_or(table.unmatched(), |route| &route.counters)));
        let mut witness = None;
        let plan = route.as_ref().map_or(Plan::UNMATCHED, |route| {
            let read_back = config.read_backs.get(&route.endpoint).is_some();
            witness = Witness::of(route.standing_now(), SafeMethod::of(method), read_back);
            decide(route.standing_now(), SafeMethod::of(method), || {
                let trusted = &config.forwarding.trusted;
                let key = self.peer.cohort_key(&head.headers, &config.cohort, trusted);
                Cohort::of(&route.salt, key.as_ref().map(AsRef::as_ref))
            })
        });

        let mut wishes = hop_by_hop::strip_request(&mut head.headers);
        // A frame says that it is the last one; HTTP/1.1 has chunks for a body without a length.
        wishes.chunked |= head.version == Version::HTTP_2 && !head.headers.contains_key(CONTENT_LENGTH);
        self.peer.introduce(&mut head.headers, head.version, &self.worker.via, id);
        let on_upgrade = head.extensions.remove::<OnUpgrade>();
        let version = std::mem::replace(&mut head.version, Version::HTTP_11);
        Ok(Box::new(Exchange {
            id: id.clone(),
            version,
            route,
            plan,
            wishes,
            witness,
            witnessed: None,
            on_upgrade,
            place: None,
            account,
        }))
    }

    /// An upgrade that the upstream agrees to cannot be taken back, so that its place is taken before it is asked. Without
    /// its Upgrade the request would be another one: what the upstream says to that looks final, and 503 is not.
    fn place_for_a_tunnel(&self, exchange: &mut Exchange) -> Result<(), Refusal> {
        if exchange.wishes.upgrade.is_some() && exchange.on_upgrade.is_some() {
            exchange.place = Some(self.worker.place_for_a_tunnel().ok_or(Refusal::Tunnels)?);
        }
        Ok(())
    }

    /// A safe request without a body can be sent again as it is; one with a body is read first.
    fn outgoing(
        &self,
        mut head: Parts,
        body: Incoming,
        exchange: &mut Exchange,
    ) -> Result<Outgoing, Refusal> {
        let limits = &self.worker.config.limits;
        // An upgraded connection cannot be had twice.
        let safe = SafeMethod::of(&head.method).filter(|_| exchange.wishes.upgrade.is_none());
        if body.is_end_stream() {
            exchange.witnessed = exchange.witness.map(|witness| Witnessed::new(witness, &head, None));
            return Ok(match safe {
                Some(method) => Outgoing::Replayable(Replayable::new(method, head, Bytes::new())),
                None => Outgoing::OneShot(OneShot::new(head, RequestBody::EMPTY)),
            });
        }
        if body.size_hint().lower() > limits.body_bytes_max {
            return Err(Refusal::BodyTooLarge);
        }
        if exchange.wishes.chunked {
            // Said outright, since the library takes a GET without a length to be without a body.
            head.headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
        }
        let mut body = Streamed::new(body, Arc::clone(&self.watch), limits);
        if exchange.witness == Some(Witness::ReadBack) {
            exchange.witnessed = Some(Witnessed::new(Witness::ReadBack, &head, None));
        } else if let Some(witness) = exchange.witness {
            let copy = BodyCopy::new(self.worker.outlets.shadow.capture());
            body.copied_to(Arc::clone(&copy));
            exchange.witnessed = Some(Witnessed::new(witness, &head, Some(copy)));
        }
        Ok(Outgoing::of_stream(safe, head, body))
    }

    /// No side answered.
    fn give_up(&self, refusal: Refusal, mut exchange: Exchange) -> Response<ResponseBody> {
        if let Some(witnessed) = exchange.witnessed.take() {
            witnessed.unanswered(SkipReason::AnswerFailed);
        }
        exchange.account.refused(SkipReason::AnswerFailed);
        self.refuse(refusal, exchange.id)
    }

    /// Counts the answer, shows the request to the other side, and starts the body on its way.
    fn hand_over(
        &self,
        answered: Answered,
        exchange: Exchange,
        in_progress: InProgress,
    ) -> Response<ResponseBody> {
        let Answered { side, asked, response, request } = answered;
        let watched = exchange.watched().filter(|_| side == Side::Candidate).cloned();
        let Exchange { id, version, route, plan, wishes, on_upgrade, place, witnessed, mut account, .. } =
            exchange;
        let (mut head, mut body) = response.into_parts();
        let switches_to = hop_by_hop::strip_response(&mut head.headers);
        account.answered(side);
        self.watch.answer_is_spelled(body.take_names());

        if head.status == StatusCode::SWITCHING_PROTOCOLS {
            if let Some(witnessed) = witnessed {
                witnessed.unanswered(SkipReason::Upgrade);
            }
            account.skipped(SkipReason::Upgrade);
            let to = switches_to.filter(|to| wishes.wants(to));
            return self.switch(head, to, body, on_upgrade.zip(place), id);
        }
        let is_stream = is_event_stream(&head.headers);
        let read_back = match (&witnessed, &route) {
            (Some(witnessed), Some(route)) if head.status.is_success() => {
                self.read_back(witnessed, route, &id, &head.headers)
            }
            _ => None,
        };
        let shadow = match plan.shadow {
            Ok(_) if is_stream => Err(SkipReason::Stream),
            Ok(_) if request.is_none() => Err(SkipReason::RequestTooLarge),
            shadow => shadow,
        };
        let tee = match (shadow, request, route) {
            (Ok(shadow), Some(request), Some(route)) => {
                let shadow = Shadow { to: side.other(), ..shadow };
                let id = id.clone();
                self.show(shadow, *request, route, id, &head, &body, &mut account)
            }
            (Err(reason), _, route) => match (witnessed, route) {
                (Some(witnessed), Some(route)) => {
                    self.witness(*witnessed, route, id.clone(), &head, &body, &mut account)
                }
                _ => {
                    account.skipped(reason);
                    None
                }
            },
            (Ok(_), _, _) => {
                account.skipped(SkipReason::Unmatched);
                None
            }
        };
        one_length(&mut head.headers, &body);
        head.headers.insert(X_REQUEST_ID, id.clone());
        head.version = Version::HTTP_11;

        let limit =
            if is_stream { self.worker.config.timeouts.tunnel } else { self.worker.body_timeout(side) };
        if self.watch.is_body_unread() {
            body.drive_apart();
        }
        let unframed = version == Version::HTTP_10;
        let counters = account.into_counters();
        let answer = Answer { side, asked, counters, watched, id, unframed, read_back, in_progress };
        let mut body = ResponseBody::forwarded(body, Arc::clone(&self.watch), limit, answer, tee);
        match head.status {
            StatusCode::NOT_MODIFIED => body.announce(length_said(&head.headers)),
            // RFC 9110 §8.6.
            StatusCode::NO_CONTENT => drop(head.headers.remove(CONTENT_LENGTH)),
            _ => {}
        }
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
        body: &UpstreamBody<RequestBody>,
        account: &mut Account,
    ) -> Option<Box<Tee>> {
        if self.worker.is_loaded() {
            account.end(Disposition::Dropped(DropReason::Overload));
            return None;
        }
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
                Some(self.tee(Sink::Compare(slot), head, body))
            }
            Err(disposition) => {
                account.end(disposition);
                None
            }
        }
    }

    /// Hands on an unsafe request that was carried out: to be kept, or to be asked of the candidate as a dry run.
    fn witness(
        &self,
        witnessed: Witnessed,
        route: Arc<ActiveRoute>,
        id: HeaderValue,
        head: &http::response::Parts,
        body: &UpstreamBody<RequestBody>,
        account: &mut Account,
    ) -> Option<Box<Tee>> {
        match witnessed.dry_run {
            DryRun::NotYet => {}
            DryRun::Answered(slot) => return Some(self.tee(Sink::Compare(slot), head, body)),
            DryRun::Ended => return None,
        }
        let handle = &self.worker.outlets.shadow;
        let witness = witnessed.witness;
        if witness == Witness::ReadBack {
            account.skipped(SkipReason::UnsafeMethod);
            return None;
        }
        let (request, held) = match witnessed.request(id, now(), route) {
            Ok(request) => request,
            Err(reason) => {
                account.skipped(reason);
                return None;
            }
        };
        match (witness, &self.worker.config.dry_run) {
            (Witness::Verify, Some(_)) if self.worker.is_loaded() => {
                account.end(Disposition::Dropped(DropReason::Overload));
                None
            }
            (Witness::Verify, Some(mark)) => {
                let submitted = handle.submit_dry_run(DryRunRequest::new(mark, request));
                // From here on the flight accounts for its own bytes.
                drop(held);
                match submitted {
                    Ok(slot) => {
                        account.handed_over();
                        Some(self.tee(Sink::Compare(slot), head, body))
                    }
                    Err(disposition) => {
                        account.end(disposition);
                        None
                    }
                }
            }
            // Without a header nothing says that the candidate would commit nothing.
            (Witness::Verify | Witness::Record | Witness::ReadBack, _) => {
                account.skipped(SkipReason::UnsafeMethod);
                // What it takes is counted anew.
                drop(held);
                Some(self.tee(Sink::Record(Box::new(handle.record(request)?)), head, body))
            }
        }
    }

    /// What is to be read after a write that succeeded, where that is declared.
    fn read_back(
        &self,
        witnessed: &Witnessed,
        route: &Arc<ActiveRoute>,
        id: &HeaderValue,
        response: &HeaderMap,
    ) -> Option<ToReadBack> {
        if witnessed.witness == Witness::Record || self.worker.is_loaded() {
            return None;
        }
        let read_back = self.worker.config.read_backs.get(&route.endpoint)?;
        let (target, headers) = witnessed.head();
        let route = Arc::clone(route);
        let request =
            ReadBackRequest::new(read_back, id.clone(), now(), route, target, headers.clone(), response)?;
        Some(ToReadBack { worker: Rc::clone(&self.worker), request: Box::new(request) })
    }

    /// Keeps the response for the comparison while it passes.
    fn tee(&self, sink: Sink, head: &http::response::Parts, body: &UpstreamBody<RequestBody>) -> Box<Tee> {
        let mut capture = self.worker.outlets.shadow.capture();
        if let Some(length) = body.size_hint().exact() {
            capture.announce(length);
        }
        let mut headers = head.headers.clone();
        owned::headers(&mut headers);
        capture.hold(size_of::<Tee>() + size::of_headers(&headers));
        Box::new(Tee { sink, capture, status: head.status, headers })
    }

    /// 101: the connection becomes something else, which passes through as bytes.
    fn switch(
        &self,
        mut head: http::response::Parts,
        to: Option<HeaderValue>,
        body: UpstreamBody<RequestBody>,
        tunnel: Option<(OnUpgrade, Place)>,
        id: HeaderValue,
    ) -> Response<ResponseBody> {
        // RFC 9110 §7.8: only to what was asked for.
        let (Some(to), Some((on_upgrade, place)), Some(parts)) = (to, tunnel, body.into_connection()) else {
            return self.refuse(Refusal::UpstreamProtocol, id);
        };
        tunnel::open(&self.worker, place, on_upgrade, parts);
        head.headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        head.headers.insert(UPGRADE, to);
        head.headers.insert(X_REQUEST_ID, id);
        self.watch.wait_for(Waiting::LastWrite);
        head.version = Version::HTTP_11;
        Response::from_parts(head, ResponseBody::EMPTY)
    }

    fn refuse(&self, refusal: Refusal, id: HeaderValue) -> Response<ResponseBody> {
        self.worker.refusals.count(refusal, &id);
        self.watch.forgive();
        self.watch.wait_for(Waiting::LastWrite);
        refusal.response(id)
    }
}

fn is_event_stream(headers: &HeaderMap) -> bool {
    const STREAM: &[u8] = b"text/event-stream";
    headers.get(CONTENT_TYPE).is_some_and(|media| {
        media.as_bytes().get(..STREAM.len()).is_some_and(|start| start.eq_ignore_ascii_case(STREAM))
    })
}

/// RFC 9112 §6.3: equal lengths that were repeated become one. Where there is no body they are of one that there could have
/// been (RFC 9110 §8.6), and are taken out if they differ.
fn one_length(headers: &mut HeaderMap, body: &impl Body) {
    let mut lengths = headers.get_all(CONTENT_LENGTH).iter();
    let (Some(first), second) = (lengths.next(), lengths.next()) else { return };
    if second.is_none() && !first.as_bytes().contains(&b',') {
        return;
    }
    let length = if body.is_end_stream() { length_said(headers) } else { body.size_hint().exact() };
    match length {
        Some(length) => {
            headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
        }
        None if body.is_end_stream() => {
            headers.remove(CONTENT_LENGTH);
        }
        None => {}
    }
}

/// What Content-Length says, if it says one thing.
fn length_said(headers: &HeaderMap) -> Option<u64> {
    let lines = headers.get_all(CONTENT_LENGTH).iter();
    let mut lengths = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b',')).map(|length| {
        let length = length.trim_ascii();
        let is_number = !length.is_empty() && length.iter().all(u8::is_ascii_digit);
        std::str::from_utf8(length).ok().filter(|_| is_number)?.parse().ok()
    });
    let first: u64 = lengths.next()??;
    lengths.all(|length| length == Some(first)).then_some(first)
}

pub(super) fn now() -> UnixMillis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    UnixMillis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
