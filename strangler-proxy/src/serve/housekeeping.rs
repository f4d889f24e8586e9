//! What has to be done from time to time: remember the epoch, keep the store within its limits, let groups pass that turned
//! out to be noise, read the files of TLS again that have changed.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use diff_harness::exchange::UnixMillis;
use diff_harness::store::Store;

use super::epoch::keep_epoch;
use crate::control::Control;
use crate::data_plane::Certificates;
use crate::record::Recorder;

const EPOCH_EVERY: Duration = Duration::from_secs(1);
const NOISE_EVERY: Duration = Duration::from_secs(5);
const SWEEP_EVERY: Duration = Duration::from_secs(60);

/// The thread that does it.
pub(super) struct Housekeeping {
    stop: Sender<()>,
    thread: JoinHandle<()>,
}

impl Housekeeping {
    pub(super) fn start(
        store: Arc<dyn Store>,
        control: Arc<Control>,
        recorder: Arc<Recorder>,
        certificates: Arc<Certificates>,
        clock: fn() -> UnixMillis,
    ) -> io::Result<Self> {
        let (stop, stopped) = channel();
        let work = move || {
            let mut kept = recorder.epochs().current();
            let (mut swept, mut settled) = (Instant::now(), Instant::now());
            loop {
                let last = stopped.recv_timeout(EPOCH_EVERY) != Err(RecvTimeoutError::Timeout);
                let epoch = recorder.epochs().current();
                if epoch != kept {
                    match keep_epoch(store.as_ref(), &epoch) {
                        Ok(()) => kept = epoch,
                        Err(error) => tracing::warn!(%error, "the current epoch could not be remembered"),
                    }
                }
                if last {
                    return;
                }
                certificates.look();
                if settled.elapsed() >= NOISE_EVERY {
                    if let Err(error) = control.settle_noise() {
                        tracing::warn!(%error, "groups that may be noise could not be looked through");
                    }
                    settled = Instant::now();
                }
                if swept.elapsed() >= SWEEP_EVERY {
                    swept = Instant::now();
                    match store.sweep(clock()) {
                        Ok(done) if done.exchanges > 0 => {
                            tracing::info!(
                                exchanges = done.exchanges,
                                bytes = done.bytes,
                                "old exchanges deleted"
                            );
                        }
                        Ok(_) => {}
                        Err(error) => tracing::warn!(%error, "the store could not be swept"),
                    }
                }
            }
        };
        let thread = std::thread::Builder::new().name("housekeeping".to_owned()).spawn(work)?;
        Ok(Self { stop, thread })
    }

    pub(super) fn stop(self) {
        drop(self.stop);
        if self.thread.join().is_err() {
            tracing::error!("the housekeeping thread panicked: a bug in Strangler");
        }
    }
}
