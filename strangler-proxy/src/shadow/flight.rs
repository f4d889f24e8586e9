//! One shadowed request between its two observations. Whichever comes second makes the pair.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use diff_harness::comparison::{Disposition, DropReason, SkipReason};
use diff_harness::exchange::{
    CapturedBody, Observation, Outcome, Request, Side, TransportFailure, UnixMillis,
};
use diff_harness::{owned, size};
use http::HeaderValue;
use http::uri::PathAndQuery;

use super::ask::is_event_stream;
use super::{DryRunHeader, DryRunRequest, Reservation, ShadowRequest};
use crate::record::CompareHandle;
use crate::routes::table::ActiveRoute;

/// What both ends of a shadowed request share.
#[derive(Debug)]
pub(super) struct Flight {
    pub(super) request: ShadowedRequest,
    compare: CompareHandle,
    state: Mutex<State>,
}

#[derive(Debug)]
enum State {
    /// Neither side is there yet.
    Open,
    Answered(Answered),
    Shadowed(Answered),
    /// Handed on to be compared, skipped or dropped: the request has its disposition.
    Over,
}

/// A request that was taken for its shadow. It was made of a [`ShadowRequest`], so that its method is safe, or of a
/// [`DryRunRequest`], so that it is marked.
#[derive(Debug)]
pub struct ShadowedRequest {
    /// The request id.
    pub id: HeaderValue,
    pub at: UnixMillis,
    pub route: Arc<ActiveRoute>,
    /// Path and query in the form that is sent.
    pub target: PathAndQuery,
    /// The same request as the comparison sees it.
    pub request: Request,
    pub to: Side,
    /// The header of a dry run; an unsafe request has one.
    pub(super) dry_run: Option<Arc<DryRunHeader>>,
    /// The deployment of the candidate when a dry run of it began; 0 where it is none.
    pub(super) deployment: u64,
    /// The memory that it takes, once it is kept.
    pub(super) held: Option<Reservation>,
}

/// An observation with the memory that it takes.
#[derive(Debug)]
pub struct Answered {
    pub observation: Observation,
    pub held: Option<Reservation>,
    /// Bytes of the body that were read, kept or not.
    pub read: u64,
}

/// Both observations of one request, ready to be compared. Dropped without being settled, the proxy is shutting
/// down.
#[derive(Debug)]
pub struct Pair {
    pub ending: Ending,
    pub control: Answered,
    pub candidate: Answered,
}

/// The duty to say what became of a request.
#[derive(Debug)]
pub struct Ending {
    flight: Arc<Flight>,
    is_settled: bool,
}

impl ShadowedRequest {
    /// The same in memory of its own: it may wait for long, and its fields are pieces of the buffer in which they came.
    pub(super) fn own(mut self, held: Reservation) -> Self {
        self.held = Some(held);
        self.id = owned::value(&self.id);
        let target = Bytes::copy_from_slice(self.target.as_str().as_bytes());
        self.target = PathAndQuery::from_maybe_shared(target).unwrap_or(self.target);
        owned::headers(&mut self.request.headers);
        self
    }

    /// What it takes of memory, in bytes.
    pub(super) fn size(&self) -> usize {
        size_of::<Flight>()
            + size::of_headers(&self.request.headers)
            + 2 * self.target.as_str().len()
            + self.request.body.kept().len()
    }

    /// The header that says that nothing is to be committed, where it is a dry run.
    pub fn dry_run(&self) -> Option<&DryRunHeader> {
        self.dry_run.as_deref()
    }
}

impl Pair {
    /// Accounts for what is kept beside the pair; `false` where there is no room for it.
    #[must_use = "without the bytes nothing more may be kept"]
    pub(crate) fn hold(&mut self, bytes: usize) -> bool {
        let held = [&mut self.control.held, &mut self.candidate.held].into_iter().find_map(Option::as_mut);
        // Where neither side has a body there is next to nothing to keep.
        held.is_none_or(|held| held.grow(bytes))
    }

    pub fn request(&self) -> &ShadowedRequest {
        self.ending.request()
    }
}

impl Ending {
    pub fn request(&self) -> &ShadowedRequest {
        &self.flight.request
    }

    /// The request itself, for whoever asks it again, without the duty.
    pub(super) fn flight(&self) -> Arc<Flight> {
        Arc::clone(&self.flight)
    }

    /// Counts the one disposition of the request.
    pub fn settle(mut self, disposition: Disposition) {
        self.is_settled = true;
        self.flight.request.route.counters.count(disposition);
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        if !self.is_settled {
            self.flight.request.route.counters.count(Disposition::Dropped(DropReason::Shutdown));
        }
    }
}

impl From<ShadowRequest> for ShadowedRequest {
    fn from(request: ShadowRequest) -> Self {
        let ShadowRequest { id, at, route, method, target, headers, body, to } = request;
        // A copy: it is a piece of a buffer that may be larger.
        let body = CapturedBody::Whole(Bytes::copy_from_slice(&body));
        let request = Request { method: method.into(), target: target.to_string(), headers, body };
        Self { id, at, route, target, request, to, dry_run: None, deployment: 0, held: None }
    }
}

impl From<DryRunRequest> for ShadowedRequest {
    fn from(request: DryRunRequest) -> Self {
        let DryRunRequest { id, at, route, method, target, headers, body, mark } = request;
        let body = CapturedBody::Whole(body);
        let request = Request { method, target: target.to_string(), headers, body };
        let (to, dry_run) = (Side::Candidate, Some(mark));
        Self { id, at, route, target, request, to, dry_run, deployment: 0, held: None }
    }
}

impl Flight {
    /// The two ends of one request.
    pub(super) fn begin(request: ShadowedRequest, compare: CompareHandle) -> (AnswerSlot, ShadowSlot) {
        let flight = Arc::new(Self { request, compare, state: Mutex::new(State::Open) });
        (AnswerSlot(Some(Arc::clone(&flight))), ShadowSlot(Some(flight)))
    }

    /// Ends it before there was a pair, unless the other end has done so.
    fn end(&self, disposition: Disposition) {
        let before = std::mem::replace(&mut *self.state(), State::Over);
        if !matches!(before, State::Over) {
            self.request.route.counters.count(disposition);
        }
    }

    /// Locked for a move only, so that no end ever waits for the other one.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts one observation down; gives the pair when the other one is there.
    fn meet(self: Arc<Self>, mine: Answered, from: End) -> Option<Pair> {
        let mut state = self.state();
        let (answered, shadowed) = match (std::mem::replace(&mut *state, State::Over), from) {
            (State::Open, End::Answer) => {
                *state = State::Answered(mine);
                return None;
            }
            (State::Open, End::Shadow) => {
                *state = State::Shadowed(mine);
                return None;
            }
            (State::Answered(answered), End::Shadow) => (answered, mine),
            (State::Shadowed(shadowed), End::Answer) => (mine, shadowed),
            (State::Over, _) | (State::Answered(_), End::Answer) | (State::Shadowed(_), End::Shadow) => {
                return None;
            }
        };
        drop(state);
        let shadowed = shadowed.against(&answered);
        let (control, candidate) = match self.request.to {
            Side::Control => (shadowed, answered),
            Side::Candidate => (answered, shadowed),
        };
        Some(Pair { ending: Ending { flight: self, is_settled: false }, control, candidate })
    }
}

impl Answered {
    /// A body that was cut because it would not end has not come in time, when the other one is known to be
    /// shorter than what was read of it. When both are that long, nothing is known.
    fn against(self, answered: &Self) -> Self {
        let (Outcome::Response(mine), Outcome::Response(theirs)) =
            (&self.observation.outcome, &answered.observation.outcome)
        else {
            return self;
        };
        let is_longer = match (&mine.body, &theirs.body) {
            (CapturedBody::Cut { .. }, CapturedBody::Whole(body)) => self.read > body.len() as u64,
            (CapturedBody::Cut { .. }, CapturedBody::Hashed { length, .. }) => self.read > *length,
            _ => false,
        };
        if !is_longer || is_event_stream(&mine.headers) {
            return self;
        }
        let outcome = Outcome::Failure(TransportFailure::Timeout);
        Self { observation: Observation { outcome, ..self.observation }, held: None, read: self.read }
    }
}

#[derive(Clone, Copy)]
enum End {
    Answer,
    Shadow,
}

/// The data plane's end: takes what the answering side did. Dropped without a word, the client has gone.
#[must_use = "dropping it says that the client has gone"]
#[derive(Debug)]
pub struct AnswerSlot(Option<Arc<Flight>>);

impl AnswerSlot {
    /// The answer has ended: whole, cut by its own limit, or with a failure of the side that gave it. Never waits.
    pub fn complete(mut self, observation: Observation, held: Option<Reservation>) {
        let flight = self.0.take().expect("only the methods that consume the slot empty it");
        let compare = flight.compare.clone();
        if let Some(pair) = flight.meet(Answered { observation, held, read: 0 }, End::Answer) {
            compare.enqueue(pair);
        }
    }

    /// There will be no answer to compare, and nothing went wrong.
    pub fn skip(self, reason: SkipReason) {
        self.end(Disposition::Skipped(reason));
    }

    /// There will be no answer to compare, although there should be: its body was over the memory limit.
    pub fn fail(self, reason: DropReason) {
        self.end(Disposition::Dropped(reason));
    }

    fn end(mut self, disposition: Disposition) {
        let flight = self.0.take().expect("only the methods that consume the slot empty it");
        flight.end(disposition);
    }
}

impl Drop for AnswerSlot {
    fn drop(&mut self) {
        if let Some(flight) = self.0.take() {
            flight.end(Disposition::Skipped(SkipReason::ClientGone));
        }
    }
}

/// The shadow thread's end. Dropped without a word, the proxy is shutting down.
#[derive(Debug)]
pub(super) struct ShadowSlot(Option<Arc<Flight>>);

impl ShadowSlot {
    pub(super) fn request(&self) -> &ShadowedRequest {
        &self.0.as_ref().expect("only the methods that consume the slot empty it").request
    }

    /// Whether the request has its disposition already: the client left before it was sent.
    pub(super) fn is_over(&self) -> bool {
        let flight = self.0.as_ref().expect("only the methods that consume the slot empty it");
        matches!(*flight.state(), State::Over)
    }

    pub(super) fn complete(mut self, answered: Answered) {
        let flight = self.take().expect("only the methods that consume the slot empty it");
        flight.request.route.counters.shadow_latency(flight.request.to, answered.observation.latency);
        let compare = flight.compare.clone();
        if let Some(pair) = flight.meet(answered, End::Shadow) {
            compare.compare(pair);
        }
    }

    pub(super) fn fail(self, reason: DropReason) {
        self.end(Disposition::Dropped(reason));
    }

    pub(super) fn end(mut self, disposition: Disposition) {
        let flight = self.take().expect("only the methods that consume the slot empty it");
        flight.end(disposition);
    }

    /// The first dry run of an endpoint makes room for another one, unless it was acknowledged.
    fn take(&mut self) -> Option<Arc<Flight>> {
        let flight = self.0.take()?;
        if flight.request.dry_run.is_some() {
            flight.request.route.counters.guard().dry_run_ended();
        }
        Some(flight)
    }
}

impl Drop for ShadowSlot {
    fn drop(&mut self) {
        if let Some(flight) = self.take() {
            flight.end(Disposition::Dropped(DropReason::Shutdown));
        }
    }
}
