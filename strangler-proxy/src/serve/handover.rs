//! Hands a running proxy over to a new process, and listens to the process before this one.

use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use diff_harness::store::Store;

use super::admin_thread::AdminThread;
use super::housekeeping::Housekeeping;
use super::{Ending, FLUSH_PATIENCE, Proxy};
use crate::admin::Before;
use crate::control::Control;
use crate::fallback::FallbackHandle;
use crate::handover::{self, Door, Giver, HandoverError, NamedSocket, Predecessor, Successor};
use crate::record::Recorder;

/// How long an ending proxy waits for the one before it to end: longer than a drain by default takes.
const BEFORE_PATIENCE: Duration = Duration::from_secs(60);

/// The thread that listens to the process before this one.
pub(super) struct Watching(Mutex<Receiver<()>>);

/// Reads what other processes have counted.
pub(super) struct Reread {
    pub(super) before: Arc<ArcSwap<Before>>,
    pub(super) store: Arc<dyn Store>,
    pub(super) recorder: Arc<Recorder>,
}

impl Proxy {
    /// Waits for a new process to take over, and gives it everything: when this returns, it serves. Those that fail to
    /// start are told in the log, and change nothing.
    pub async fn successor(&mut self) -> Successor {
        let path = Door::beside(&self.store);
        let door = match Door::open(&path) {
            Ok(door) => door,
            Err(error) => {
                tracing::warn!(%error, path = %path.display(), "no other process can take over from this one");
                return std::future::pending().await;
            }
        };
        loop {
            let given = match door.knock().await {
                Ok(stream) => self.give(stream).await,
                Err(error) => Err(error.into()),
            };
            match given {
                Ok(successor) => return successor,
                Err(error) => tracing::warn!(%error, "another process did not take over; this one goes on"),
            }
        }
    }

    async fn give(&mut self, stream: std::os::unix::net::UnixStream) -> Result<Successor, HandoverError> {
        let (configured, admin) = &self.admin_listener;
        let mut sockets = self.data_plane.sockets()?;
        sockets.push(NamedSocket { name: handover::admin(*configured), socket: admin.try_clone()?.into() });
        let (store, lock) = (self.store.clone(), self.lock.try_clone()?);
        let offered = blocking(move || Giver::offer(stream, &store, &sockets, &lock)).await?;
        let process = offered.process();
        tracing::info!(process, "another process is ready to take over");
        let (admin, housekeeping) = (self.admin.take(), self.housekeeping.take());
        let (control, recorder) = (Arc::clone(&self.control), Arc::clone(&self.recorder));
        let given = blocking(move || {
            // Whoever asks from now on is answered by the new process: the socket stays, and keeps them until then.
            if let Some(admin) = admin {
                admin.stop();
            }
            control.hand_over();
            if let Some(housekeeping) = housekeeping {
                housekeeping.stop();
            }
            if let Err(error) = recorder.flush(FLUSH_PATIENCE) {
                tracing::warn!(%error, "the new process starts without what was observed last");
            }
            recorder.keep_noise_to_itself(true);
            offered.go()
        });
        let given = given.await;
        if given.is_err() {
            self.go_on();
        }
        given
    }

    /// As before: nobody has taken over.
    fn go_on(&mut self) {
        self.control.take_back();
        self.alarms.look_again();
        self.recorder.keep_noise_to_itself(false);
        let store = Arc::clone(&self.api.store);
        let housekeeping = Housekeeping::start(
            store,
            Arc::clone(&self.control),
            Arc::clone(&self.recorder),
            self.certificates(),
            self.clock,
        );
        let admin = self.admin_listener.1.try_clone();
        let admin = admin.and_then(|listener| AdminThread::start(listener, Arc::clone(&self.api)));
        for error in [housekeeping.as_ref().err(), admin.as_ref().err()].into_iter().flatten() {
            tracing::error!(%error, "a thread could not be started again: this process serves, and should be replaced");
        }
        (self.housekeeping, self.admin) = (housekeeping.ok(), admin.ok());
    }

    /// Answers what is being answered, while the successor takes what comes, and ends as [`drain`](Self::drain) does.
    pub async fn drain_for(self, successor: Successor) -> usize {
        let successor = Arc::new(Mutex::new(successor));
        let line = Arc::clone(&successor);
        self.control.hand_over_to(Box::new(move |what| lock(&line).fell_back(what)));
        self.alarms.look_again();
        // The new process has a copy; this one must not hold the queue open.
        drop(self.admin_listener);
        let drained = self.data_plane.drain_handed_over(self.drain).await;
        let ending = Ending {
            shadow: self.shadow,
            recorder: self.recorder,
            fallback: self.fallback,
            housekeeping: None,
            admin: None,
            before: self.before,
            control: None,
        };
        let ended = blocking(move || {
            ending.end();
            lock(&successor).done()
        });
        if let Err(error) = ended.await {
            tracing::warn!(%error, "the new process does not hear that this one has ended");
        }
        drained.cut
    }
}

/// Listens to the process before this one until that has ended.
pub(super) fn watch(
    mut before: Predecessor,
    control: Arc<Control>,
    alarms: FallbackHandle,
    reread: Reread,
) -> std::io::Result<Watching> {
    let (ended, ending) = channel();
    std::thread::Builder::new().name("before".to_owned()).spawn(move || {
        let process = before.process();
        while let Some(what) = before.hear() {
            match control.fell_back_before(&what) {
                Ok(_) => {
                    tracing::warn!(endpoint = what.endpoint, reason = what.reason, "fell back to control");
                }
                Err(error) => {
                    tracing::error!(endpoint = what.endpoint, %error, "a fallback could not be made");
                }
            }
            // What the store has not taken holds in memory, and is tried again.
            alarms.look_again();
            before.taken();
        }
        match Before::read_of_others(reread.store.as_ref(), &reread.recorder) {
            Ok(counted) => reread.before.store(Arc::new(counted)),
            Err(error) => tracing::warn!(%error, "what was counted before could not be read again"),
        }
        tracing::info!(process, "the process before this one has ended");
        // Nobody waits for it unless this process ends, too.
        let _ = ended.send(());
    })?;
    Ok(Watching(Mutex::new(ending)))
}

impl Watching {
    /// Waits for the process before this one: what falls back there is written here.
    pub(super) fn end(self) {
        let ended = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        if ended.recv_timeout(BEFORE_PATIENCE) == Err(RecvTimeoutError::Timeout) {
            tracing::warn!("the process before this one has not ended yet; it is not waited for any longer");
        }
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, HandoverError> + Send + 'static,
) -> Result<T, HandoverError> {
    let failed = |_| HandoverError::Unexpected("a panic in this process".to_owned());
    tokio::task::spawn_blocking(work).await.map_err(failed)?
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // A line that broke in the middle of a message says so at the next.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
