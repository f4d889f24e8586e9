//! What the data plane holds of shadowing.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use bytes::Bytes;
use diff_harness::comparison::{Disposition, DropReason, SkipReason};
use diff_harness::endpoint::SafeMethod;
use diff_harness::exchange::{Side, UnixMillis};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};

use super::again::{Asker, Errand};
use super::first::{FirstJob, Patience};
use super::flight::{Flight, ShadowSlot};
use super::{
    Ahead, AnswerSlot, Capture, Circuit, DryRunRequest, MemoryBudget, ReadBackRequest, RecordSlot,
    ShadowConfig, ShadowedRequest, Unmarked, Waits,
};
use crate::record::CompareHandle;
use crate::routes::table::ActiveRoute;

/// The way into the shadow queue. Cheap to clone; every call returns at once.
#[derive(Clone, Debug)]
pub struct ShadowHandle {
    shared: Arc<Shared>,
    queue: mpsc::Sender<Job>,
    errands: mpsc::Sender<Errand>,
    firsts: mpsc::Sender<FirstJob>,
}

/// The shadow thread's ends of all queues.
pub(super) struct Queues {
    pub(super) jobs: mpsc::Receiver<Job>,
    pub(super) errands: mpsc::Receiver<Errand>,
    pub(super) firsts: mpsc::Receiver<FirstJob>,
}

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) config: ShadowConfig,
    pub(super) budget: MemoryBudget,
    pub(super) control: Circuit,
    pub(super) candidate: Circuit,
    pub(super) compare: CompareHandle,
    patience: Option<Arc<Patience>>,
    sampled: AtomicU64,
}

/// A request on its way to the shadow thread.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) slot: ShadowSlot,
    pub(super) queued: Instant,
}

/// What is asked of the other side.
///
/// The method is a [`SafeMethod`] and the body is whole: an unsafe or half-read request cannot be shadowed.
#[derive(Debug)]
pub struct ShadowRequest {
    /// The request id, as the client and both sides see it.
    pub id: HeaderValue,
    pub at: UnixMillis,
    pub route: Arc<ActiveRoute>,
    pub method: SafeMethod,
    /// Path and query as they were on the wire, undecoded.
    pub target: PathAndQuery,
    /// As forwarded to the answering side, without the fields of that connection.
    pub headers: HeaderMap,
    pub body: Bytes,
    /// The side to ask: the one that does not answer the client.
    pub to: Side,
}

/// A place in the shadow queue. Dropped unused, the place is free again.
#[derive(Debug)]
pub struct Ticket {
    shared: Arc<Shared>,
    place: mpsc::OwnedPermit<Job>,
}

impl ShadowHandle {
    pub(super) fn new(
        config: ShadowConfig,
        compare: CompareHandle,
        start: Instant,
    ) -> (Self, Arc<Shared>, Queues) {
        let (queue, jobs) = mpsc::channel(config.queue_max.max(1));
        let (errands, errands_in) = mpsc::channel(config.again_queue_max.max(1));
        // Never more are in it than wait.
        let (firsts, firsts_in) = mpsc::channel(config.first_max().max(1));
        let circuit = || Circuit::new(config.circuit_failures.max(1), config.circuit_probe_every, start);
        let shared = Arc::new(Shared {
            budget: MemoryBudget::new(config.memory_max),
            control: circuit(),
            candidate: circuit(),
            compare,
            patience: config.first.map(|first| Patience::new(first, start)),
            sampled: AtomicU64::new(0),
            config,
        });
        if shared.config.asks_again() {
            shared.compare.ask_again_by(Asker::new(Arc::clone(&shared), errands.clone()));
        }
        let queues = Queues { jobs, errands: errands_in, firsts: firsts_in };
        (Self { shared: Arc::clone(&shared), queue, errands, firsts }, shared, queues)
    }

    /// Asks for a place, before anything is copied for the shadow.
    ///
    /// # Errors
    /// The disposition to count for the request: it was sampled out, the queue is full, the side is known to be
    /// unreachable, or the proxy is draining.
    pub fn admit(&self, to: Side) -> Result<Ticket, Disposition> {
        if !self.shared.takes_a_sample() {
            return Err(Disposition::Skipped(SkipReason::Sampled));
        }
        if self.shared.circuit(to).is_open(Instant::now()) {
            return Err(Disposition::Dropped(DropReason::Unreachable));
        }
        match self.queue.clone().try_reserve_owned() {
            Ok(place) => Ok(Ticket { shared: Arc::clone(&self.shared), place }),
            Err(TrySendError::Full(_)) => Err(Disposition::Dropped(DropReason::ShadowQueueFull)),
            Err(TrySendError::Closed(_)) => Err(Disposition::Dropped(DropReason::Shutdown)),
        }
    }

    /// [`admit`](Self::admit) and [`Ticket::submit`] in one.
    ///
    /// # Errors
    /// The disposition to count for the request.
    pub fn submit(&self, request: ShadowRequest) -> Result<AnswerSlot, Disposition> {
        self.admit(request.to)?.submit(request).map_err(Disposition::Dropped)
    }

    /// Hands in a dry run.
    ///
    /// # Errors
    /// The disposition to count for the request, as for a shadow; and `unacknowledged` while the first dry run of its
    /// endpoint is on its way.
    pub fn submit_dry_run(&self, request: DryRunRequest) -> Result<AnswerSlot, Disposition> {
        let (guard, waits) = (Arc::clone(&request.route.counters), request.mark.confirm.is_some());
        let ticket = self.admit(Side::Candidate)?;
        let deployment = self.shared.compare.deployment();
        if waits && !guard.guard().begins_dry_run(deployment) {
            return Err(Disposition::Skipped(SkipReason::Unacknowledged));
        }
        let request = ShadowedRequest { deployment, ..request.into() };
        ticket.submit_any(request).map_err(|reason| {
            guard.guard().dry_run_ended();
            Disposition::Dropped(reason)
        })
    }

    /// Whether dry runs are sent before control is asked.
    pub fn goes_first(&self) -> bool {
        self.shared.patience.is_some()
    }

    /// Hands in a dry run that is to be answered before control is asked.
    ///
    /// # Errors
    /// The disposition to count for the request, which waits for nothing then.
    pub fn submit_first(&self, request: DryRunRequest) -> Result<Ahead, Disposition> {
        let Some(patience) = &self.shared.patience else {
            return Err(Disposition::Skipped(SkipReason::UnsafeMethod));
        };
        if !self.shared.takes_a_sample() {
            return Err(Disposition::Skipped(SkipReason::Sampled));
        }
        let (guard, waits) = (Arc::clone(&request.route.counters), request.mark.confirm.is_some());
        let deployment = self.shared.compare.deployment();
        if waits && !guard.guard().begins_dry_run(deployment) {
            return Err(Disposition::Skipped(SkipReason::Unacknowledged));
        }
        let request = ShadowedRequest { deployment, ..request.into() };
        self.send_first(request, patience).inspect_err(|_| guard.guard().dry_run_ended())
    }

    fn send_first(&self, request: ShadowedRequest, patience: &Arc<Patience>) -> Result<Ahead, Disposition> {
        let place = patience.begin(Instant::now())?;
        let way = self.firsts.try_reserve().map_err(|full| {
            Disposition::Dropped(match full {
                TrySendError::Full(()) => DropReason::ShadowQueueFull,
                TrySendError::Closed(()) => DropReason::Shutdown,
            })
        })?;
        let (answer, slot) = self.shared.begin(request).map_err(Disposition::Dropped)?;
        let (over, is_over) = oneshot::channel();
        way.send(FirstJob { slot, over, _place: place });
        Ok(Ahead { patience: Arc::clone(patience), answer, over: is_over })
    }

    /// How clients waited for dry runs; `None` where they never do.
    pub fn waits(&self) -> Option<Waits> {
        self.shared.patience.as_ref().map(|patience| patience.waits())
    }

    /// For an unsafe request that is only recorded: nobody is asked. `None` where there is no room for it.
    pub fn record(&self, request: Unmarked) -> Option<RecordSlot> {
        let request = self.shared.kept(request.into())?;
        Some(RecordSlot::new(self.shared.compare.clone(), request))
    }

    /// Has both sides asked what a write has left behind. Returns at once; what finds no place is left out.
    pub fn read_back(&self, request: ReadBackRequest) {
        let ReadBackRequest { request, after } = request;
        let Some(request) = self.shared.kept(request) else { return };
        // Full, or draining: another write will be read back.
        let _ = self.errands.try_send(Errand::ReadBack(Box::new(ReadBackRequest { request, after })));
    }

    /// Keeps a body of a request or an answer under the limits of shadowing.
    pub fn capture(&self) -> Capture {
        Capture::new(self.shared.config.body_kept_max, &self.shared.budget)
    }

    /// The bytes that are kept for comparison, over all requests.
    pub fn memory(&self) -> &MemoryBudget {
        &self.shared.budget
    }

    /// How many requests wait for the shadow thread.
    pub fn queued(&self) -> usize {
        self.queue.max_capacity() - self.queue.capacity()
    }
}

impl Ticket {
    /// Sends the request off. From here on the shadow side counts what becomes of it.
    ///
    /// # Errors
    /// `MemoryLimit` when the request itself has no room; then the caller counts it.
    pub fn submit(self, request: ShadowRequest) -> Result<AnswerSlot, DropReason> {
        self.submit_any(request.into())
    }

    fn submit_any(self, request: ShadowedRequest) -> Result<AnswerSlot, DropReason> {
        let (answer, slot) = self.shared.begin(request)?;
        self.place.send(Job { slot, queued: Instant::now() });
        Ok(answer)
    }
}

impl Shared {
    pub(super) fn circuit(&self, side: Side) -> &Circuit {
        match side {
            Side::Control => &self.control,
            Side::Candidate => &self.candidate,
        }
    }

    /// Both ends of a request, if there is room for it.
    fn begin(&self, request: ShadowedRequest) -> Result<(AnswerSlot, ShadowSlot), DropReason> {
        let request = self.kept(request).ok_or(DropReason::MemoryLimit)?;
        Ok(Flight::begin(request, self.compare.clone()))
    }

    /// A request that is kept until it is asked and compared, if there is room for it.
    fn kept(&self, request: ShadowedRequest) -> Option<ShadowedRequest> {
        let mut held = self.budget.nothing();
        held.grow(request.size()).then(|| request.own(held))
    }

    fn takes_a_sample(&self) -> bool {
        takes(self.config.share, &self.sampled)
    }
}

/// Whether the next one is among so many of 10,000. Spreads them evenly, whatever rhythm the traffic has: multiples of the
/// golden ratio never fall into step with anything.
pub(super) fn takes(share: u16, sampled: &AtomicU64) -> bool {
    const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
    if share >= ShadowConfig::WHOLE {
        return true;
    }
    let place = sampled.fetch_add(1, Ordering::Relaxed).wrapping_mul(GOLDEN) >> 32;
    (place * u64::from(ShadowConfig::WHOLE)) >> 32 < u64::from(share)
}
