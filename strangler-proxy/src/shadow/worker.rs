//! The thread that asks the other side.

use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use diff_harness::comparison::DropReason;
use tokio::runtime::{Builder, LocalOptions};
use tokio::sync::{mpsc, oneshot};

use super::ask::{Pools, ask};
use super::deadlines::Deadlines;
use super::handle::{Job, Shared};
use super::{ShadowConfig, ShadowHandle};
use crate::data_plane::UpstreamConfig;
use crate::record::CompareHandle;

/// How often connections are looked through for those that were idle for too long.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

/// The running shadow thread.
#[derive(Debug)]
pub struct ShadowWorker {
    thread: JoinHandle<()>,
    stop: oneshot::Sender<Duration>,
}

impl ShadowWorker {
    /// Starts the thread. It has connections of its own to both sides; without a candidate, what is to be shadowed
    /// to it is dropped as `unreachable`.
    ///
    /// # Errors
    /// When the thread or its runtime cannot be started.
    pub fn start(
        config: ShadowConfig,
        compare: CompareHandle,
        control: UpstreamConfig,
        candidate: Option<UpstreamConfig>,
    ) -> io::Result<(ShadowHandle, Self)> {
        let (handle, shared, jobs) = ShadowHandle::new(config, compare, Instant::now());
        let (stop, stopped) = oneshot::channel();
        let (begun, begins) = std::sync::mpsc::sync_channel(1);
        let thread = thread::Builder::new().name("shadow".to_owned()).spawn(move || {
            let runtime = Builder::new_current_thread().enable_all().build_local(LocalOptions::default());
            let (runtime, result) = match runtime {
                Ok(runtime) => (Some(runtime), Ok(())),
                Err(error) => (None, Err(error)),
            };
            // Whoever starts the thread waits for this.
            let _ = begun.send(result);
            let Some(runtime) = runtime else { return };
            let pools = Rc::new(Pools::new(&control, candidate.as_ref(), &shared.config));
            let places = shared.config.concurrency_max.max(1);
            let deadlines = Deadlines::new(places, shared.config.exchange_max);
            let worker = Worker { pools, shared, deadlines };
            runtime.block_on(worker.run(jobs, stopped));
            // What is still on the way is dropped with its task, and counted as dropped by a shutdown.
        })?;
        begins.recv().map_err(io::Error::other)??;
        Ok((handle, Self { thread, stop }))
    }

    /// Takes no request any more, finishes those that wait and those that are on the way for at most `patience`, and
    /// drops the rest as `shutdown`. Blocks until the thread has ended.
    pub fn drain(self, patience: Duration) {
        // The thread has ended already when nobody listens.
        let _ = self.stop.send(patience);
        if self.thread.join().is_err() {
            tracing::error!("the shadow thread panicked: a bug in Strangler");
        }
    }
}

struct Worker {
    pools: Rc<Pools>,
    shared: Arc<Shared>,
    deadlines: Rc<Deadlines>,
}

impl Worker {
    async fn run(self, mut jobs: mpsc::Receiver<Job>, mut stop: oneshot::Receiver<Duration>) {
        let patience = tokio::select! {
            () = self.finish(&mut jobs) => return,
            () = self.sweep() => return,
            patience = &mut stop => patience.unwrap_or_default(),
        };
        jobs.close();
        tokio::select! {
            () = self.finish(&mut jobs) => {}
            () = self.sweep() => {}
            // Out of time: what is left is dropped with the tasks and the queue.
            () = tokio::time::sleep(patience) => {}
        }
    }

    /// Works until the queue is closed and nothing is on the way.
    async fn finish(&self, jobs: &mut mpsc::Receiver<Job>) {
        self.serve(jobs).await;
        while !self.deadlines.is_idle() {
            self.deadlines.freed.notified().await;
        }
    }

    /// Sends requests until the queue is closed and empty.
    async fn serve(&self, jobs: &mut mpsc::Receiver<Job>) {
        let mut batch = Vec::new();
        loop {
            let room = self.deadlines.room();
            if room == 0 {
                self.deadlines.freed.notified().await;
                continue;
            }
            if jobs.recv_many(&mut batch, room).await == 0 {
                return;
            }
            for job in batch.drain(..) {
                self.begin(job);
            }
            // Not listening for a moment lets requests gather: the threads that answer clients then wake this one
            // once for many.
            if !self.shared.config.gather.is_zero() && !jobs.is_closed() {
                tokio::time::sleep(self.shared.config.gather).await;
            }
        }
    }

    /// Looks after deadlines and idle connections, for ever.
    async fn sweep(&self) {
        let mut swept = Instant::now();
        loop {
            tokio::time::sleep(self.deadlines.tick()).await;
            let now = Instant::now();
            self.deadlines.check(now);
            if now.saturating_duration_since(swept) >= SWEEP_EVERY {
                self.pools.sweep(now);
                swept = now;
            }
        }
    }

    fn begin(&self, job: Job) {
        let Job { slot, queued } = job;
        let now = Instant::now();
        if slot.is_over() {
            return;
        }
        if now.saturating_duration_since(queued) > self.shared.config.wait_max {
            return slot.fail(DropReason::Expired);
        }
        if !self.shared.circuit(slot.request().to).admits(now) {
            return slot.fail(DropReason::Unreachable);
        }
        let Some(on_the_way) = self.deadlines.begin(now) else {
            // Never more are taken from the queue than there is room for.
            return slot.fail(DropReason::ShadowQueueFull);
        };
        let (pools, shared) = (Rc::clone(&self.pools), Arc::clone(&self.shared));
        // Boxed: a task is moved several times on its way in and out.
        tokio::task::spawn_local(Box::pin(async move {
            match ask(&pools, &shared, slot.request(), &on_the_way).await {
                Ok(answered) => slot.complete(answered),
                Err(reason) => slot.fail(reason),
            }
        }));
    }
}
