//! The thread that writes to the store, and what is known of its health.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use diff_harness::exchange::UnixMillis;
use diff_harness::size;
use diff_harness::store::{Batch, ComparisonRecord, Epoch, Recorded, Store};

use super::draft::Draft;
use super::remember::Recording;
use super::trial::Trials;
use super::undeclared::Sighting;
use super::{CompareHandle, Discover, written};
use crate::counters::CounterRegistry;

/// Whether what is observed reaches the store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordHealth {
    /// Set while the store refuses what is written. Serving goes on.
    pub failing: Option<Failing>,
    /// When something was last written.
    pub written: Option<UnixMillis>,
    /// Comparisons whose details wait for the store. Counts wait beside them and are never lost.
    pub waiting: usize,
    /// Bytes of all that waits, as `record.waiting_bytes` bounds them.
    pub waiting_bytes: usize,
    /// Comparisons whose details were given up. Their counts were not.
    pub unrecorded: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failing {
    pub since: UnixMillis,
    /// What the store said last, in words for a person.
    pub error: String,
}

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum FlushError {
    #[error(
        "what was observed is not in the store yet: {0}; it is kept in memory and tried again every second"
    )]
    Refused(String),
    #[error("the store did not take what was observed within {0:?}; it goes on trying")]
    Timeout(Duration),
}

/// How the storage thread is woken, and what it answers.
#[derive(Default)]
pub(super) struct Signals {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Writes that were asked for, and those that were done.
    wanted: u64,
    done: u64,
    /// Enough has gathered to write before the time.
    soon: bool,
    stop: bool,
    stopped: bool,
    health: RecordHealth,
}

impl Signals {
    pub(super) fn write_soon(&self) {
        self.state().soon = true;
        self.changed.notify_all();
    }

    pub(super) fn stop(&self) {
        self.state().stop = true;
        self.changed.notify_all();
    }

    pub(super) fn health(&self) -> RecordHealth {
        self.state().health.clone()
    }

    /// Has everything written that was observed before the call, and waits for it.
    pub(super) fn flush(&self, patience: Duration) -> Result<(), FlushError> {
        let deadline = Instant::now() + patience;
        let mut state = self.state();
        state.wanted += 1;
        let mine = state.wanted;
        self.changed.notify_all();
        while state.done < mine && !state.stopped {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(FlushError::Timeout(patience));
            }
            let woken = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner);
            state = woken.0;
        }
        match &state.health.failing {
            Some(failing) => Err(FlushError::Refused(failing.error.clone())),
            None => Ok(()),
        }
    }

    /// Waits until it is time to write. Gives the number of the write, and whether it is the last one.
    fn wait(&self, every: Duration) -> (u64, bool) {
        let mut state = self.state();
        let deadline = Instant::now() + every;
        while state.wanted == state.done && !state.soon && !state.stop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            let woken = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner);
            state = woken.0;
        }
        state.soon = false;
        (state.wanted, state.stop)
    }

    fn wrote(&self, number: u64, at: UnixMillis, result: Result<bool, String>) {
        let mut state = self.state();
        match result {
            Ok(something) => {
                if state.health.failing.take().is_some() {
                    tracing::info!("the store takes what is observed again");
                }
                if something {
                    state.health.written = Some(at);
                }
            }
            Err(error) => match &mut state.health.failing {
                Some(failing) => failing.error = error,
                None => {
                    tracing::error!(
                        error,
                        "the store does not take what is observed; serving goes on, counts are kept in memory"
                    );
                    state.health.failing = Some(Failing { since: at, error });
                }
            },
        }
        state.done = number;
        self.changed.notify_all();
    }

    fn stopped(&self) {
        self.state().stopped = true;
        self.changed.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Everything the storage thread works with.
pub(super) struct Storage {
    pub(super) recording: Arc<Recording>,
    pub(super) registry: Arc<CounterRegistry>,
    pub(super) store: Arc<dyn Store>,
    pub(super) discover: Box<dyn Discover>,
    pub(super) sightings: Receiver<Sighting>,
    pub(super) clock: fn() -> UnixMillis,
    /// What the store has not taken yet.
    pub(super) drafts: BTreeMap<Epoch, Draft>,
    pub(super) trials: Trials,
    pub(super) compare: CompareHandle,
    /// How often in a row the store refused the first of them.
    pub(super) refusals: u32,
}

/// Epochs that wait for the store; the evidence of further ones is counted with the last of them.
const DRAFTS_MAX: usize = 64;
/// Refusals in a row after which the counts are tried without the details. What is wrong may be in one of these, and
/// must not keep all that comes after it out of the store.
const REFUSALS_MAX: u32 = 30;

impl Storage {
    /// Writes until it is told to stop, and once more then.
    pub(super) fn run(mut self) {
        let recording = Arc::clone(&self.recording);
        loop {
            let (number, last) = recording.signals.wait(recording.config.write_every);
            let at = (self.clock)();
            let result = self.write(at);
            recording.signals.wrote(number, at, result);
            if last {
                return recording.signals.stopped();
            }
        }
    }

    /// Whether there was something to write, or why the store did not take it.
    fn write(&mut self, at: UnixMillis) -> Result<bool, String> {
        self.try_known_divergences(at);
        self.collect();
        let mut something = false;
        while let Some((epoch, draft)) = self.drafts.pop_first() {
            if draft.is_empty() {
                continue;
            }
            let mut batch = draft.into_batch(&epoch, at);
            if let Err(error) = self.record(&batch) {
                self.refusals += 1;
                if self.refusals < REFUSALS_MAX || !self.record_counts(&mut batch, &error) {
                    self.drafts.insert(epoch, Draft::from_batch(batch));
                    return Err(error);
                }
            }
            self.refusals = 0;
            something = true;
            self.forget(&batch.comparisons, &batch.recorded);
        }
        Ok(something)
    }

    /// Tries the counts of a batch without its details. If the store takes these, the details are given up.
    fn record_counts(&self, batch: &mut Batch, error: &str) -> bool {
        let details = std::mem::take(&mut batch.comparisons);
        if self.record(batch).is_err() {
            batch.comparisons = details;
            return false;
        }
        tracing::error!(
            error,
            comparisons = details.len(),
            "the store takes counts and refuses these details; they are given up"
        );
        self.recording.waiting.gave_up(details.len());
        self.forget(&details, &[]);
        true
    }

    /// These do not wait any more.
    fn forget(&self, comparisons: &[ComparisonRecord], recorded: &[Recorded]) {
        let bytes =
            comparisons.iter().map(size::of_record).chain(recorded.iter().map(size::of_recorded)).sum();
        self.recording.waiting.give_back(comparisons.len(), bytes);
    }

    fn record(&self, batch: &Batch) -> Result<(), String> {
        let mut sums = self.recording.written.lock();
        match catch_unwind(AssertUnwindSafe(|| self.store.record(batch))) {
            Ok(Ok(())) => {
                written::add(&mut sums, batch);
                Ok(())
            }
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err("the store panicked: a bug in it".to_owned()),
        }
    }

    /// Puts known divergences into the comparison path of the endpoints that are due.
    fn try_known_divergences(&mut self, at: UnixMillis) {
        let endpoints: Vec<_> =
            self.registry.all().into_iter().filter_map(|(endpoint, _)| endpoint).collect();
        if let Some(tried) = self.trials.run(&self.recording, &self.compare, endpoints, at) {
            self.draft(&tried.epoch).add_negative_controls(tried.endpoints);
        }
    }

    /// Moves what was observed into the drafts.
    fn collect(&mut self) {
        let deltas: Vec<_> = self
            .registry
            .all()
            .into_iter()
            .filter_map(|(endpoint, counters)| Some((endpoint, counters.take_delta()?)))
            .collect();
        for sighting in self.sightings.try_iter() {
            self.discover.seen(&sighting.method, &sighting.path);
        }
        let undeclared = self.discover.take();
        let recorded = self.recording.take_recorded();
        let current = self.recording.epochs.current();
        let draft = self.draft(&current);
        for (endpoint, delta) in deltas {
            draft.count(endpoint, &delta);
        }
        draft.add_undeclared(undeclared);
        let given_up = draft.add_recorded(recorded);
        self.forget(&[], &given_up);
        for mut gathered in self.recording.take_gathered().into_epochs() {
            let draft = self.draft(&gathered.epoch);
            for endpoint in gathered.take_endpoints() {
                draft.add_endpoint(endpoint);
            }
            draft.add_records(gathered.records);
        }
        for (control, noise) in self.recording.noise.take_changed() {
            let known = self.drafts.keys().find(|epoch| epoch.control == control).cloned();
            let epoch = known.unwrap_or_else(|| Epoch { control, ..Epoch::clone(&current) });
            self.draft(&epoch).add_noise(noise);
        }
    }

    fn draft(&mut self, epoch: &Epoch) -> &mut Draft {
        let is_full = self.drafts.len() >= DRAFTS_MAX && !self.drafts.contains_key(epoch);
        let last = if is_full { self.drafts.keys().next_back().cloned() } else { None };
        self.drafts.entry(last.unwrap_or_else(|| epoch.clone())).or_default()
    }
}
