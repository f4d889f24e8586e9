//! The one writer: a thread that owns the only writing connection and runs commands in the order they arrive.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::{mpsc, oneshot, watch};

use crate::{
    command::{self, Command, CommandError, Mode, Outcome},
    domain::Viewer,
    store::{Reader, StoreError},
};

/// Commands that may wait; senders past it wait for room.
const QUEUE: usize = 1024;

pub(crate) struct Writer {
    jobs: mpsc::Sender<Job>,
    last_event: watch::Receiver<i64>,
}

struct Job {
    command: Command,
    viewer: Viewer,
    mode: Mode,
    answer: oneshot::Sender<Result<Outcome, CommandError>>,
}

impl Writer {
    /// The thread ends when the last sender is gone.
    pub(crate) fn start(mut conn: Connection, seed: u64) -> Result<Self, StoreError> {
        conn.set_prepared_statement_cache_capacity(128);
        let (jobs, mut queue) = mpsc::channel::<Job>(QUEUE);
        let (announce, last_event) = watch::channel(Reader::new(&conn).last_sequence()?);
        let run = move || {
            while let Some(job) = queue.blocking_recv() {
                // A bug in one command must not take the writer down; unwinding rolls its transaction back, and
                // dropping `answer` tells the caller.
                let _ = catch_unwind(AssertUnwindSafe(|| {
                    let outcome = execute(&mut conn, seed, job.command, &job.viewer, job.mode);
                    if let (Ok(outcome), Mode::Commit) = (&outcome, job.mode)
                        && let Some(event) = outcome.events.last()
                    {
                        announce.send_replace(event.sequence);
                    }
                    // The caller may have gone; what was committed stays committed.
                    let _ = job.answer.send(outcome);
                }));
            }
        };
        std::thread::Builder::new().name("store-writer".to_owned()).spawn(run).map_err(StoreError::Thread)?;
        Ok(Self { jobs, last_event })
    }

    pub(crate) async fn execute(
        &self,
        command: Command,
        viewer: Viewer,
        mode: Mode,
    ) -> Result<Outcome, CommandError> {
        let (answer, outcome) = oneshot::channel();
        let job = Job { command, viewer, mode, answer };
        self.jobs.send(job).await.map_err(|_| StoreError::Closed)?;
        outcome.await.map_err(|_| StoreError::Closed)?
    }

    pub(crate) fn last_event(&self) -> watch::Receiver<i64> {
        self.last_event.clone()
    }
}

fn execute(
    conn: &mut Connection,
    seed: u64,
    command: Command,
    viewer: &Viewer,
    mode: Mode,
) -> Result<Outcome, CommandError> {
    // IMMEDIATE: the write lock is taken before the first read, so what was read is still true when it is written.
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(StoreError::from)?;
    let outcome = command::run(&tx, seed, command, viewer)?;
    match mode {
        Mode::Commit => tx.commit(),
        Mode::DryRun => tx.rollback(),
    }
    .map_err(StoreError::from)?;
    Ok(outcome)
}
