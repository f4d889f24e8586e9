//! The thread that writes fallbacks down.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::RecvTimeoutError;
use std::thread::JoinHandle;
use std::time::Duration;

use super::FallbackHandle;
use super::handle::{Alarms, Message};
use crate::control::{Control, Refusal};

/// How often a fallback that the store refused is tried again.
const RETRY_EVERY: Duration = Duration::from_secs(1);

pub struct FallbackThread {
    handle: FallbackHandle,
    thread: JoinHandle<()>,
}

impl FallbackThread {
    /// # Errors
    /// When the thread cannot be started.
    pub fn start(handle: FallbackHandle, alarms: Alarms, control: Arc<Control>) -> io::Result<Self> {
        let work = move || run(&alarms, &control);
        let thread = std::thread::Builder::new().name("fallback".to_owned()).spawn(work)?;
        Ok(Self { handle, thread })
    }

    /// Writes down what is still to be written, once, and ends.
    pub fn stop(self) {
        self.handle.stop();
        if self.thread.join().is_err() {
            tracing::error!("the fallback thread panicked: a bug in Strangler");
        }
    }
}

fn run(alarms: &Alarms, control: &Control) {
    loop {
        let message = if control.unwritten().is_empty() {
            alarms.0.recv().map_err(|_| RecvTimeoutError::Disconnected)
        } else {
            alarms.0.recv_timeout(RETRY_EVERY)
        };
        match message {
            Ok(Message::Alarm(alarm)) => {
                let endpoint = &alarm.endpoint;
                match control.fall_back(&alarm) {
                    Ok(_) => tracing::warn!(%endpoint, reason = %alarm.trigger, "fell back to control"),
                    Err(Refusal::Store(error)) => tracing::error!(
                        %endpoint, reason = %alarm.trigger, %error,
                        "fell back to control; the store does not take it yet: it is tried again every second, and a \
                         restart before it succeeds forgets it"
                    ),
                    Err(refusal) => tracing::error!(%endpoint, %refusal, "a fallback could not be made"),
                }
            }
            Ok(Message::Look) | Err(RecvTimeoutError::Timeout) => control.write_unwritten(),
            Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => {
                control.write_unwritten();
                return;
            }
        }
    }
}
