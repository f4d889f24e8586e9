//! The way in for pairs, and the threads that compare the heavy ones.

use std::fmt;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use diff_harness::comparison::{Disposition, DropReason};
use diff_harness::endpoint::EndpointId;
use diff_harness::exchange::{CapturedBody, Observation, Outcome, Request, Response};
use http::header::CONTENT_ENCODING;

use super::remember::Recording;
use super::trial::Trial;
use super::{AskAgain, SecondRound, Suspect};
use crate::behind::stand_behind;
use crate::shadow::{Answered, Pair, ShadowedRequest, Twice};

/// The way to be compared. Cheap to clone.
#[derive(Clone)]
pub struct CompareHandle(Arc<Comparing>);

struct Comparing {
    recording: Arc<Recording>,
    queue: SyncSender<Work>,
    work: Arc<Mutex<Receiver<Work>>>,
    draining: AtomicBool,
    abandoned: Arc<AtomicBool>,
}

/// What the threads take from the queue.
enum Work {
    Pair(Box<Pair>),
    /// A suspect, and what both sides said again.
    Again(Box<(Suspect, Answered, Answered)>),
    /// A request of which control was asked twice, and its second answer.
    Twice(Box<(Twice, Answered)>),
    Trial(Trial),
    /// An unsafe request that was carried out, with control's answer.
    Keep(Box<(ShadowedRequest, Answered)>),
    /// What both sides show after a write, once or twice.
    ReadBack(Box<ReadBackRound>),
    /// One thread has nothing more to do.
    Stop,
}

/// A read after a write, with what both sides showed, and showed again where they differed.
struct ReadBackRound {
    request: ShadowedRequest,
    first: (Answered, Answered),
    second: Option<(Answered, Answered)>,
}

impl CompareHandle {
    /// Compares the pair here when that is quick, else on a thread of its own. For the shadow thread.
    pub(crate) fn compare(&self, mut pair: Pair) {
        let (control, candidate) = (&pair.control.observation, &mut pair.candidate.observation);
        if is_light(control, candidate, self.0.recording.config.inline_max) {
            self.0.recording.judge(pair);
        } else {
            self.enqueue(pair);
        }
    }

    /// Has the pair compared on a thread of its own. Returns at once; for the threads that answer clients.
    pub(crate) fn enqueue(&self, pair: Pair) {
        if self.0.draining.load(Ordering::Acquire) {
            return pair.ending.settle(Disposition::Dropped(DropReason::Shutdown));
        }
        let (refused, reason) = match self.0.queue.try_send(Work::Pair(Box::new(pair))) {
            Ok(()) => return,
            Err(TrySendError::Full(work)) => (work, DropReason::CompareQueueFull),
            Err(TrySendError::Disconnected(work)) => (work, DropReason::Shutdown),
        };
        if let Work::Pair(pair) = refused {
            pair.ending.settle(Disposition::Dropped(reason));
        }
    }

    /// Puts known divergences into the queue; whether it took them. Returns at once.
    pub(super) fn enqueue_trial(&self, trial: Trial) -> bool {
        !self.0.draining.load(Ordering::Acquire) && self.0.queue.try_send(Work::Trial(trial)).is_ok()
    }

    /// Another number for each deployment of the candidate.
    pub(crate) fn deployment(&self) -> u64 {
        self.0.recording.epochs.deployment()
    }

    /// From here on, pairs that mismatched are asked again by this. Only the first one that is given counts.
    pub fn ask_again_by(&self, asker: impl AskAgain) {
        self.0.recording.ask_again_by(Box::new(asker));
    }

    /// [`asked_again`](Self::asked_again), here when that is quick, else on a thread of its own.
    pub(crate) fn compare_again(&self, suspect: Box<Suspect>, control: Answered, mut candidate: Answered) {
        let recording = &self.0.recording;
        if is_light(&control.observation, &mut candidate.observation, recording.config.inline_max) {
            let second = SecondRound { control: control.observation, candidate: candidate.observation };
            return recording.asked_again(*suspect, &second);
        }
        if let Some(Work::Again(again)) = self.try_send(Work::Again(Box::new((*suspect, control, candidate))))
        {
            recording.remember_suspect(again.0, None);
        }
    }

    /// [`control_twice`](Self::control_twice), here when that is quick, else on a thread of its own. Under load it is
    /// left out: another one will be sampled.
    pub(crate) fn compare_twice(&self, twice: Box<Twice>, mut second: Answered) {
        let recording = &self.0.recording;
        if is_light(&twice.first, &mut second.observation, recording.config.inline_max) {
            return recording.learn(&twice, &second);
        }
        self.try_send(Work::Twice(Box::new((*twice, second))));
    }

    /// Keeps an unsafe request that control carried out. Returns at once; under load it is left out, for others like it
    /// will come.
    pub(crate) fn keep(&self, request: ShadowedRequest, control: Answered) {
        self.try_send(Work::Keep(Box::new((request, control))));
    }

    /// Whether two sides show something else after a write. Compares here; for the shadow thread.
    pub(crate) fn differs(&self, request: &ShadowedRequest, both: &(Answered, Answered)) -> bool {
        self.0.recording.differs(request, &both.0.observation, &both.1.observation)
    }

    /// What came of reading back. Returns at once; under load it is left out.
    pub(crate) fn read_back(
        &self,
        request: ShadowedRequest,
        first: (Answered, Answered),
        second: Option<(Answered, Answered)>,
    ) {
        self.try_send(Work::ReadBack(Box::new(ReadBackRound { request, first, second })));
    }

    /// The candidate answered a dry run without saying that it committed nothing: its endpoint gets no other one.
    pub(crate) fn unacknowledged(&self, request: &ShadowedRequest) {
        self.0.recording.unacknowledged(request);
    }

    /// Gives the work back where there is no place for it.
    fn try_send(&self, work: Work) -> Option<Work> {
        if self.0.draining.load(Ordering::Acquire) {
            return Some(work);
        }
        match self.0.queue.try_send(work) {
            Ok(()) => None,
            Err(TrySendError::Full(work) | TrySendError::Disconnected(work)) => Some(work),
        }
    }

    /// Both sides were asked again: settles what the suspect is, remembers and counts it. Compares two small rounds;
    /// for a thread behind the clients' path.
    pub fn asked_again(&self, suspect: Box<Suspect>, second: &SecondRound) {
        self.0.recording.asked_again(*suspect, second);
    }

    /// The suspect could not be asked again: it counts as it is.
    pub fn not_asked_again(&self, suspect: Box<Suspect>) {
        self.0.recording.remember_suspect(*suspect, None);
    }

    /// Control was asked the same thing twice: learns in what it differs from itself. Counts no request.
    pub fn control_twice(
        &self,
        endpoint: &EndpointId,
        request: &Request,
        first: &Observation,
        second: &Observation,
    ) {
        self.0.recording.control_twice(endpoint, request, first, second);
    }

    /// Lets no pair in any more, and has every thread stop after what is in the queue. Blocks while it is full.
    pub(super) fn stop(&self, threads: usize) {
        self.0.draining.store(true, Ordering::Release);
        for _ in 0..threads {
            // Fails only when all threads have gone already.
            if self.0.queue.send(Work::Stop).is_err() {
                return;
            }
        }
    }

    /// Drops what is in the queue, and has every thread stop after the pair that it is at.
    pub(super) fn abandon(&self) {
        self.0.abandoned.store(true, Ordering::Release);
        // Locked: a thread waits in there, so that there is nothing to drop.
        let Ok(work) = self.0.work.try_lock() else { return };
        for left in work.try_iter() {
            // A suspect that is dropped says so by itself.
            if let Work::Pair(pair) = left {
                pair.ending.settle(Disposition::Dropped(DropReason::Shutdown));
            }
        }
    }
}

impl fmt::Debug for CompareHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CompareHandle").finish_non_exhaustive()
    }
}

/// Starts the threads. `ended` is told once by each of them when it has stopped.
pub(super) fn start(recording: &Arc<Recording>, ended: &SyncSender<()>) -> io::Result<CompareHandle> {
    let (queue, work) = sync_channel(recording.config.queue_max.max(1));
    let work = Arc::new(Mutex::new(work));
    let abandoned = Arc::new(AtomicBool::new(false));
    for number in 0..recording.config.threads.max(1) {
        let (recording, work, ended) = (Arc::clone(recording), Arc::clone(&work), ended.clone());
        let abandoned = Arc::clone(&abandoned);
        thread::Builder::new().name(format!("compare-{number}")).spawn(move || {
            stand_behind(recording.config.niceness);
            compare(&recording, &work, &abandoned);
            // Nobody waits for it when the drain has run out of time.
            let _ = ended.send(());
        })?;
    }
    let (recording, draining) = (Arc::clone(recording), AtomicBool::new(false));
    Ok(CompareHandle(Arc::new(Comparing { recording, queue, work, draining, abandoned })))
}

fn compare(recording: &Recording, work: &Mutex<Receiver<Work>>, abandoned: &AtomicBool) {
    while !abandoned.load(Ordering::Acquire) {
        // The lock is held while one thread waits; the others wait for the lock instead.
        let next = work.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match next {
            Ok(Work::Pair(pair)) => recording.judge(*pair),
            Ok(Work::Again(again)) => {
                let (suspect, control, candidate) = *again;
                let second = SecondRound { control: control.observation, candidate: candidate.observation };
                recording.asked_again(suspect, &second);
            }
            Ok(Work::Keep(kept)) => recording.keep(&kept.0, kept.1.observation),
            Ok(Work::ReadBack(round)) => recording.read_back(&round.request, round.first, round.second),
            Ok(Work::Twice(twice)) => recording.learn(&twice.0, &twice.1),
            Ok(Work::Trial(trial)) => trial.run(recording),
            Ok(Work::Stop) | Err(_) => return,
        }
    }
}

/// Whether comparing costs less than handing over: a failure, equal bytes, or small bodies that are not encoded
/// (a small encoded one may be a large one). Of equal bytes one is left for both: nobody has to look at them again.
fn is_light(control: &Observation, candidate: &mut Observation, inline_max: usize) -> bool {
    let (Outcome::Response(control), Outcome::Response(candidate)) =
        (&control.outcome, &mut candidate.outcome)
    else {
        return true;
    };
    if control.status == candidate.status && control.body == candidate.body {
        candidate.body = control.body.clone();
        return true;
    }
    let is_small = |response: &Response| {
        matches!(&response.body, CapturedBody::Whole(body) if body.len() <= inline_max)
            && !response.headers.contains_key(CONTENT_ENCODING)
    };
    is_small(control) && is_small(candidate)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;
    use http::{HeaderMap, StatusCode};

    use super::*;

    fn observed(status: StatusCode, body: &str) -> Observation {
        let body = CapturedBody::Whole(Bytes::copy_from_slice(body.as_bytes()));
        let response = Response { status, headers: HeaderMap::new(), body };
        Observation { outcome: Outcome::Response(response), latency: Duration::ZERO }
    }

    fn body(observation: &Observation) -> &[u8] {
        let Outcome::Response(response) = &observation.outcome else { panic!("it is a response") };
        response.body.kept()
    }

    #[test]
    fn of_two_equal_bodies_one_is_left() {
        let (large, other) = ("x".repeat(100), "y".repeat(100));
        let control = observed(StatusCode::OK, &large);
        let mut equal = observed(StatusCode::OK, &large);
        assert!(is_light(&control, &mut equal, 10));
        assert_eq!(body(&equal), large.as_bytes());
        assert!(std::ptr::eq(body(&control), body(&equal)));
        for (status, text, light) in [
            (StatusCode::OK, &other, false),
            (StatusCode::CREATED, &large, false),
            (StatusCode::OK, &"few".to_owned(), false),
        ] {
            let mut differs = observed(status, text);
            assert_eq!(is_light(&control, &mut differs, 10), light);
            assert_eq!(body(&differs), text.as_bytes());
        }
        assert!(is_light(&control, &mut observed(StatusCode::OK, "few"), 100));
    }
}
