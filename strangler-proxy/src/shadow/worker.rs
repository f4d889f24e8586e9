//! The thread that asks the other side.

use std::cell::Cell;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use diff_harness::comparison::DropReason;
use tokio::runtime::{Builder, LocalOptions};
use tokio::sync::{Notify, mpsc, oneshot};

use super::ask::{Pools, ask};
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
            let worker = Worker { pools, shared, active: Rc::default() };
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
    active: Rc<Active>,
}

/// Requests on the way.
#[derive(Debug, Default)]
struct Active {
    count: Cell<usize>,
    fewer: Notify,
}

/// One of them, until it is dropped.
struct OnTheWay(Rc<Active>);

impl Worker {
    async fn run(self, mut jobs: mpsc::Receiver<Job>, mut stop: oneshot::Receiver<Duration>) {
        let patience = tokio::select! {
            () = self.serve(&mut jobs) => return,
            () = self.sweep() => return,
            patience = &mut stop => patience.unwrap_or_default(),
        };
        jobs.close();
        // Out of time: what is left is dropped with the tasks and the queue.
        let _ = tokio::time::timeout(patience, async {
            self.serve(&mut jobs).await;
            while self.active.count.get() > 0 {
                self.active.fewer.notified().await;
            }
        })
        .await;
    }

    /// Sends requests until the queue is closed and empty.
    async fn serve(&self, jobs: &mut mpsc::Receiver<Job>) {
        let mut batch = Vec::new();
        loop {
            let room = self.shared.config.concurrency_max.max(1).saturating_sub(self.active.count.get());
            if room == 0 {
                self.active.fewer.notified().await;
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

    async fn sweep(&self) {
        loop {
            tokio::time::sleep(SWEEP_EVERY).await;
            self.pools.sweep(Instant::now());
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
        let on_the_way = OnTheWay::new(&self.active);
        let (pools, shared) = (Rc::clone(&self.pools), Arc::clone(&self.shared));
        tokio::task::spawn_local(async move {
            match ask(&pools, &shared, slot.request()).await {
                Ok(answered) => slot.complete(answered),
                Err(reason) => slot.fail(reason),
            }
            drop(on_the_way);
        });
    }
}

impl OnTheWay {
    fn new(active: &Rc<Active>) -> Self {
        active.count.set(active.count.get() + 1);
        Self(Rc::clone(active))
    }
}

impl Drop for OnTheWay {
    fn drop(&mut self) {
        self.0.count.set(self.0.count.get() - 1);
        self.0.fewer.notify_one();
    }
}
