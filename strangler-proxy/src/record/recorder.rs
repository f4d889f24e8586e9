//! Starts and stops what compares and what writes.

use std::collections::BTreeMap;
use std::io;
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use diff_harness::endpoint::EndpointId;
use diff_harness::exchange::UnixMillis;
use diff_harness::noise::book::EndpointNoise;
use diff_harness::redact::Redactor;
use diff_harness::store::{Epoch, Store};

use super::noise::Noise;
use super::remember::Recording;
use super::storage::Storage;
use super::trial::Trials;
use super::written::Sums;
use super::{
    CompareHandle, Discover, Epochs, FlushError, Judge, RecordConfig, RecordHealth, UndeclaredHandle, compare,
};
use crate::behind::stand_behind;
use crate::counters::CounterRegistry;
use crate::fallback::FallbackHandle;

/// What recording works with and does not make itself.
pub struct Effects {
    pub judge: Box<dyn Judge>,
    pub redactor: Redactor,
    pub store: Arc<dyn Store>,
    pub registry: Arc<CounterRegistry>,
    pub discover: Box<dyn Discover>,
    /// What the store knows of how control differs from itself.
    pub noise: Vec<(EndpointId, EndpointNoise)>,
    /// Told what comparisons say of endpoints that clients are on.
    pub fallback: FallbackHandle,
    pub clock: fn() -> UnixMillis,
}

/// The comparison threads and the storage thread, and what may be asked of them.
pub struct Recorder {
    recording: Arc<Recording>,
    compare: CompareHandle,
    undeclared: UndeclaredHandle,
    /// Told by every comparison thread when it has stopped.
    ended: Mutex<Receiver<()>>,
}

impl Recorder {
    /// Starts the threads. `epoch` is what is known of the two deployments; its rules are those of the judge.
    ///
    /// # Errors
    /// When a thread cannot be started.
    pub fn start(config: RecordConfig, epoch: Epoch, effects: Effects) -> io::Result<Self> {
        let Effects { judge, redactor, store, registry, discover, noise, fallback, clock } = effects;
        let epoch = Epoch { rules: judge.rules().to_owned(), ..epoch };
        let current = epoch.clone();
        let epochs =
            Epochs::new(epoch, config.candidate_epoch_header.clone(), config.control_epoch_header.clone());
        let noise = Noise::new(current.control.clone(), noise);
        let recording = Arc::new(Recording::new(config, judge, epochs, noise, fallback, redactor));
        let (ending, ended) = sync_channel(recording.config.threads.max(1));
        let compare = compare::start(&recording, &ending)?;
        let (undeclared, sightings) = UndeclaredHandle::new();
        let storage = Storage {
            recording: Arc::clone(&recording),
            registry,
            store,
            discover,
            sightings,
            clock,
            drafts: BTreeMap::new(),
            trials: Trials::default(),
            compare: compare.clone(),
            refusals: 0,
        };
        thread::Builder::new().name("storage".to_owned()).spawn(move || {
            stand_behind(storage.recording.config.niceness);
            storage.run();
        })?;
        Ok(Self { recording, compare, undeclared, ended: Mutex::new(ended) })
    }

    /// The way in for pairs, for [`ShadowWorker::start`](crate::shadow::ShadowWorker::start).
    pub fn compare(&self) -> CompareHandle {
        self.compare.clone()
    }

    /// The way in for requests that match no endpoint.
    pub fn undeclared(&self) -> UndeclaredHandle {
        self.undeclared.clone()
    }

    pub fn epochs(&self) -> &Epochs {
        &self.recording.epochs
    }

    /// Compares by other rules from the next pair on: a new epoch.
    pub fn set_judge(&self, judge: Box<dyn Judge>) {
        let rules = judge.rules().to_owned();
        self.recording.judge.store(Arc::new(judge));
        self.recording.epochs.set_rules(&rules);
    }

    pub fn health(&self) -> RecordHealth {
        RecordHealth {
            waiting: self.recording.waiting.records(),
            waiting_bytes: self.recording.waiting.bytes(),
            unrecorded: self.recording.waiting.unrecorded(),
            ..self.recording.signals.health()
        }
    }

    /// Writes nothing more of what it learns of noise: another process goes on from what is in the store, and what is
    /// written replaces what was there. For the last seconds of a process that is taken over.
    pub fn keep_noise_to_itself(&self, is_kept: bool) {
        self.recording.noise.keep_to_itself(is_kept);
    }

    /// Looks at the store while nothing is written to it from here, with the sums of all that was.
    pub(crate) fn with_written<T>(&self, look: impl FnOnce(&Sums) -> T) -> T {
        look(&self.recording.written.lock())
    }

    /// Writes all that was counted and compared before the call. Blocks for at most `patience`; requests that are
    /// still pending are not waited for.
    ///
    /// # Errors
    /// When the store refused it or was not done in time. Nothing is lost by it.
    pub fn flush(&self, patience: Duration) -> Result<(), FlushError> {
        self.recording.signals.flush(patience)
    }

    /// Compares what is in the queue, writes everything, and stops the threads; for when the shadow thread has
    /// drained. Blocks for at most `patience`: pairs that are not compared by then are dropped as `shutdown`.
    ///
    /// # Errors
    /// When the store refused the last write or was not done in time.
    pub fn drain(&self, patience: Duration) -> Result<(), FlushError> {
        let deadline = Instant::now() + patience;
        let threads = self.recording.config.threads.max(1);
        let compare = self.compare.clone();
        // Its own thread, since a full queue behind a hung comparison would block it.
        thread::spawn(move || compare.stop(threads));
        // A part of the time is kept for the store, and for giving up in order.
        if !self.threads_end(threads, Instant::now() + patience / 2) {
            tracing::warn!("not everything could be compared before the end; the rest is counted as dropped");
            self.compare.abandon();
            self.threads_end(threads, Instant::now() + patience / 4);
        }
        let flushed = self.recording.signals.flush(deadline.saturating_duration_since(Instant::now()));
        self.recording.signals.stop();
        flushed
    }

    fn threads_end(&self, threads: usize, deadline: Instant) -> bool {
        let left = || deadline.saturating_duration_since(Instant::now());
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        (0..threads).all(|_| ended.recv_timeout(left()).is_ok())
    }
}

/// Without a drain there is no last word; the storage thread still writes what it has, and ends.
impl Drop for Recorder {
    fn drop(&mut self) {
        self.recording.signals.stop();
    }
}
