//! Runs a suite: its cases in parallel, within bounds; what is reported does not depend on their order.
//!
//! - [`target`]: where a side is asked; [`client`]: asks it.
//! - [`plan`]: which cases, in which order; [`done`]: which of them are done.
//! - [`message`]: what goes out; [`demand`], [`capture`]: what is asked and what is taken of what comes back.
//! - [`judge`]: two answers become an outcome.
//! - [`case`]: one case from its first step to its last.
//!
//! A worker has one connection to each side and runs one case at a time; a thread has several workers on a runtime of
//! its own, so that nothing waits for another thread but for the next case and for its place in the report.

pub mod target;
mod body;
mod client;
mod message;
mod capture;
mod demand;
mod pace;
mod plan;
mod done;
mod judge;
mod case;
mod reset;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use crate::exchange::Side;
use crate::suite::Suite;
use crate::suite::report::RunReport;

pub use done::Done;
pub use judge::Judge;
pub use plan::{Planned, Selection, Shard, ShardError};
pub use reset::ResetError;
pub use target::{Target, TargetError};

use case::Worker;
use pace::Pace;

/// How often the caller is told how far the run is.
const TICK: Duration = Duration::from_millis(100);

/// What is run, against what, and by whose judgement.
#[derive(Debug)]
pub struct Run<'r> {
    pub suite: &'r Suite,
    pub judge: &'r Judge,
    pub settings: &'r Settings,
}

#[derive(Clone, Debug)]
pub struct Settings {
    pub control: Target,
    pub candidate: Target,
    /// Cases that are run at the same time.
    pub jobs: usize,
    /// At most so many steps a second.
    pub rate: Option<f64>,
    /// Bytes of a body that are kept; a longer one is compared by its hash.
    pub body_bytes_max: usize,
    /// Whether a mismatch of a safe step is asked for a second time.
    pub confirm: bool,
}

impl Settings {
    pub fn new(control: Target, candidate: Target) -> Self {
        Self { control, candidate, jobs: 8, rate: None, body_bytes_max: 1 << 20, confirm: true }
    }
}

/// How far a run is.
#[derive(Debug)]
pub struct Progress<'p> {
    pub report: &'p RunReport,
    pub done: &'p Done,
    pub elapsed: Duration,
}

#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error(transparent)]
    Reset(#[from] ResetError),
    /// The cases could not be read to their end.
    #[error("{0}")]
    Cases(String),
    #[error("the run could not be started: {0}")]
    Start(#[source] std::io::Error),
}

/// What the workers share.
struct Shared<P> {
    plan: Mutex<P>,
    found: Mutex<Found>,
    changed: Condvar,
}

struct Found {
    report: RunReport,
    done: Done,
    threads: usize,
    error: Option<RunError>,
}

impl Run<'_> {
    /// Resets both sides and runs what is planned and not `done` yet, adding to `report`. Stops before the next case
    /// once `stop` is set. Blocks; `tick` is called now and then from the calling thread.
    ///
    /// # Errors
    ///
    /// A reset that failed, before anything is sent; cases that cannot be read.
    pub fn run(
        &self,
        plan: impl Iterator<Item = Result<Planned, String>> + Send,
        report: RunReport,
        done: Done,
        stop: &AtomicBool,
        tick: &mut dyn FnMut(&Progress<'_>),
    ) -> Result<(RunReport, Done), RunError> {
        runtime()?.block_on(self.reset())?;
        let started = Instant::now();
        let jobs = self.settings.jobs.max(1);
        let threads = std::thread::available_parallelism().map_or(1, usize::from).min(jobs);
        let pace = self.settings.rate.map(Pace::new);
        let shared = Shared {
            plan: Mutex::new(plan),
            found: Mutex::new(Found { report, done, threads, error: None }),
            changed: Condvar::new(),
        };
        std::thread::scope(|scope| {
            for number in 0..threads {
                let workers = jobs / threads + usize::from(number < jobs % threads);
                let (shared, pace) = (&shared, pace.as_ref());
                scope.spawn(move || {
                    let ended =
                        runtime().map(|runtime| runtime.block_on(self.work(workers, shared, pace, stop)));
                    let mut found = lock(&shared.found);
                    found.threads -= 1;
                    if let Err(error) = ended {
                        found.error.get_or_insert(error);
                    }
                    drop(found);
                    shared.changed.notify_all();
                });
            }
            let mut found = lock(&shared.found);
            while found.threads > 0 {
                (found, _) = shared.changed.wait_timeout(found, TICK).unwrap_or_else(PoisonError::into_inner);
                tick(&Progress { report: &found.report, done: &found.done, elapsed: started.elapsed() });
            }
        });
        let Found { report, done, error, .. } =
            shared.found.into_inner().unwrap_or_else(PoisonError::into_inner);
        match error {
            Some(error) => Err(error),
            None => Ok((report, done)),
        }
    }

    async fn reset(&self) -> Result<(), ResetError> {
        let (hooks, settings) = (&self.suite.reset, self.settings);
        for (side, hook, target) in [
            (Side::Control, &hooks.control, &settings.control),
            (Side::Candidate, &hooks.candidate, &settings.candidate),
        ] {
            if let Some(hook) = hook {
                reset::reset(side, hook, target).await?;
            }
        }
        Ok(())
    }

    /// The workers of one thread.
    async fn work<P>(&self, workers: usize, shared: &Shared<P>, pace: Option<&Pace>, stop: &AtomicBool)
    where
        P: Iterator<Item = Result<Planned, String>>,
    {
        let mut running: FuturesUnordered<_> = (0..workers)
            .map(|_| async move {
                let mut worker = Worker::new(self, pace);
                while let Some(planned) = next(shared, stop) {
                    let result = worker.case(&planned).await;
                    let mut found = lock(&shared.found);
                    found.done.add(planned.index);
                    found.report.add(result);
                }
            })
            .collect();
        while running.next().await.is_some() {}
    }
}

fn next<P>(shared: &Shared<P>, stop: &AtomicBool) -> Option<Planned>
where
    P: Iterator<Item = Result<Planned, String>>,
{
    if stop.load(Ordering::Relaxed) {
        return None;
    }
    let next = lock(&shared.plan).next()?;
    match next {
        Ok(planned) => Some(planned),
        Err(why) => {
            stop.store(true, Ordering::Relaxed);
            lock(&shared.found).error.get_or_insert(RunError::Cases(why));
            None
        }
    }
}

fn runtime() -> Result<tokio::runtime::Runtime, RunError> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(RunError::Start)
}

/// A panic elsewhere leaves counts that are right as far as they go.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
