//! The thread that asks the other side.

use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use diff_harness::comparison::{Disposition, DropReason, SkipReason};
use diff_harness::exchange::Side;
use tokio::runtime::{Builder, LocalOptions};
use tokio::sync::{mpsc, oneshot};

use super::again::{self, Errand};
use super::ask::{NotObserved, Pools, ask, ask_both, ask_control, ask_first};
use super::deadlines::Deadlines;
use super::first::{FirstJob, WaitEnd};
use super::flight::ShadowSlot;
use super::handle::{Job, Queues, Shared};
use super::{Answered, FirstConfig, ReadBackRequest, ShadowConfig, ShadowHandle};
use crate::behind::stand_behind;
use crate::data_plane::Upstreams;
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
        upstreams: Arc<Upstreams>,
    ) -> io::Result<(ShadowHandle, Self)> {
        let (handle, shared, queues) = ShadowHandle::new(config, compare, Instant::now());
        let (stop, stopped) = oneshot::channel();
        let (begun, begins) = std::sync::mpsc::sync_channel(1);
        let thread = thread::Builder::new().name("shadow".to_owned()).spawn(move || {
            if shared.config.first.is_none() {
                stand_behind(shared.config.niceness);
            }
            let runtime = Builder::new_current_thread().enable_all().build_local(LocalOptions::default());
            let (runtime, result) = match runtime {
                Ok(runtime) => (Some(runtime), Ok(())),
                Err(error) => (None, Err(error)),
            };
            // Whoever starts the thread waits for this.
            let _ = begun.send(result);
            let Some(runtime) = runtime else { return };
            let pools = Rc::new(Pools::new(&upstreams, &shared.config));
            let places = shared.config.concurrency_max.max(1);
            let deadlines = Deadlines::new(places, shared.config.exchange_max);
            let again = Deadlines::new(shared.config.again_concurrency(), shared.config.exchange_max);
            let first = Deadlines::new(shared.config.first_max(), FirstConfig::WAIT_LONGEST);
            let worker = Worker { pools, shared, deadlines, again, first };
            runtime.block_on(worker.run(queues, stopped));
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
    /// Of what is asked again. It has places of its own, so that it never takes those of a shadow.
    again: Rc<Deadlines>,
    /// Of dry runs that clients wait for: places of their own, so that no shadow makes a client wait.
    first: Rc<Deadlines>,
}

impl Worker {
    async fn run(self, queues: Queues, mut stop: oneshot::Receiver<Duration>) {
        let Queues { mut jobs, mut errands, mut firsts } = queues;
        let patience = tokio::select! {
            () = self.finish(&mut jobs) => return,
            () = self.sweep() => return,
            () = self.run_errands(&mut errands) => return,
            () = self.run_firsts(&mut firsts) => return,
            patience = &mut stop => patience.unwrap_or_default(),
        };
        jobs.close();
        // Nobody waits any more: the clients were answered before.
        drop(firsts);
        // What still waits to be asked again counts as it is.
        errands.close();
        while let Ok(errand) = errands.try_recv() {
            self.give_up(errand);
        }
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
        for deadlines in [&self.deadlines, &self.again, &self.first] {
            while !deadlines.is_idle() {
                deadlines.freed.notified().await;
            }
        }
    }

    /// Sends dry runs that clients wait for, for ever.
    async fn run_firsts(&self, firsts: &mut mpsc::Receiver<FirstJob>) {
        loop {
            match firsts.recv().await {
                Some(job) => self.begin_first(job),
                None => std::future::pending().await,
            }
        }
    }

    fn begin_first(&self, FirstJob { slot, over, _place }: FirstJob) {
        if slot.is_over() {
            return;
        }
        let now = Instant::now();
        if !self.shared.circuit(slot.request().to).admits(now) {
            return slot.fail(DropReason::Unreachable);
        }
        let (Some(first), Some(on_the_way)) = (self.shared.config.first, self.first.begin(now)) else {
            // There are as many places here as there are to wait in.
            return slot.fail(DropReason::ShadowQueueFull);
        };
        let (pools, shared) = (Rc::clone(&self.pools), Arc::clone(&self.shared));
        tokio::task::spawn_local(Box::pin(async move {
            let asked = ask_first(&pools, &shared, slot.request(), first.wait_max).await;
            // In this order: whoever is told finds the slot used, and then the place free.
            let end = match &asked {
                Ok(_) => WaitEnd::Answered,
                Err(NotObserved::Dropped(DropReason::DryRunLate)) => WaitEnd::Late,
                Err(_) => WaitEnd::Failed,
            };
            settle(&shared, slot, asked);
            let _ = over.send(end);
            drop((on_the_way, _place));
        }));
    }

    /// Asks again, for ever.
    async fn run_errands(&self, errands: &mut mpsc::Receiver<Errand>) {
        loop {
            // Room first: an errand that was taken from the queue is on its way at once.
            if self.again.room() == 0 {
                while self.again.room() == 0 {
                    self.again.freed.notified().await;
                }
                // Whoever waits for the end of all of them is told as well.
                self.again.freed.notify_one();
            }
            match errands.recv().await {
                Some(errand) => self.go(errand),
                None => std::future::pending().await,
            }
        }
    }

    fn go(&self, errand: Errand) {
        let now = Instant::now();
        let sides = match &errand {
            Errand::Suspect(_) | Errand::ReadBack(_) => &[Side::Control, Side::Candidate][..],
            Errand::Twice(_) => &[Side::Control][..],
        };
        if sides.iter().any(|side| self.shared.circuit(*side).is_open(now)) {
            return self.give_up(errand);
        }
        let Some(on_the_way) = self.again.begin(now) else { return self.give_up(errand) };
        let (pools, shared) = (Rc::clone(&self.pools), Arc::clone(&self.shared));
        again::count(&errand);
        tokio::task::spawn_local(Box::pin(async move {
            match errand {
                Errand::Suspect(suspect) => {
                    match ask_both(&pools, &shared, suspect.request(), &on_the_way).await {
                        Some((control, candidate)) => {
                            shared.compare.compare_again(suspect, control, candidate);
                        }
                        None => shared.compare.not_asked_again(suspect),
                    }
                }
                Errand::ReadBack(read_back) => {
                    let ReadBackRequest { request, after } = *read_back;
                    tokio::time::sleep(after).await;
                    let ask = || ask_both(&pools, &shared, &request, &on_the_way);
                    let Some(first) = ask().await else { return };
                    let second = if shared.compare.differs(&request, &first) {
                        // Once more, as of every mismatch: a write may still be on its way to the other side.
                        tokio::time::sleep(after).await;
                        match ask().await {
                            Some(second) => Some(second),
                            None => return,
                        }
                    } else {
                        None
                    };
                    shared.compare.read_back(request, first, second);
                }
                Errand::Twice(twice) => {
                    if let Some(second) = ask_control(&pools, &shared, twice.request(), &on_the_way).await {
                        shared.compare.compare_twice(twice, second);
                    }
                }
            }
        }));
    }

    /// It is not asked again.
    fn give_up(&self, errand: Errand) {
        match errand {
            Errand::Suspect(suspect) => {
                suspect.request().route.counters.not_asked_again();
                self.shared.compare.not_asked_again(suspect);
            }
            // Another one will be sampled.
            Errand::Twice(_) | Errand::ReadBack(_) => {}
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
            self.again.check(now);
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
            let asked = ask(&pools, &shared, slot.request(), &on_the_way).await;
            settle(&shared, slot, asked);
        }));
    }
}

fn settle(shared: &Shared, slot: ShadowSlot, asked: Result<Answered, NotObserved>) {
    match asked {
        Ok(answered) => slot.complete(answered),
        Err(NotObserved::Dropped(reason)) => slot.fail(reason),
        Err(NotObserved::Unacknowledged) => {
            shared.compare.unacknowledged(slot.request());
            slot.end(Disposition::Skipped(SkipReason::Unacknowledged));
        }
    }
}
