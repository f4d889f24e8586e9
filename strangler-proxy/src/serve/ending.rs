//! What ends after the last client was answered, and in which order.

use std::sync::Arc;
use std::time::Duration;

use super::admin_thread::AdminThread;
use super::handover::Watching;
use super::housekeeping::Housekeeping;
use crate::control::Control;
use crate::fallback::FallbackThread;
use crate::record::Recorder;
use crate::shadow::ShadowWorker;

/// How long the comparisons that are on their way may take at the end, and the last write.
const RECORD_PATIENCE: Duration = Duration::from_secs(10);

/// What ends after the last client was answered, in this order.
pub(super) struct Ending {
    pub(super) shadow: ShadowWorker,
    pub(super) recorder: Arc<Recorder>,
    pub(super) before: Option<Watching>,
    /// Where no other process writes its transitions.
    pub(super) control: Option<Arc<Control>>,
    pub(super) fallback: FallbackThread,
    pub(super) housekeeping: Option<Housekeeping>,
    pub(super) admin: Option<AdminThread>,
}

impl Ending {
    pub(super) fn end(self) {
        self.shadow.drain(RECORD_PATIENCE);
        if let Err(error) = self.recorder.drain(RECORD_PATIENCE) {
            tracing::error!(%error, "not everything that was observed could be written before the end");
        }
        if let Some(before) = self.before {
            before.end();
        }
        if let Some(control) = self.control {
            control.take_back();
        }
        self.fallback.stop();
        if let Some(housekeeping) = self.housekeeping {
            housekeeping.stop();
        }
        if let Some(admin) = self.admin {
            admin.stop();
        }
    }
}
