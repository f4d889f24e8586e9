//! Ctrl-C: the first asks to stop in order, the second ends the process.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::signal::unix::{SignalKind, signal};

use crate::console::say;
use crate::exit::Failure;

/// By convention 128 and the number of SIGINT.
const KILLED: i32 = 130;

/// A flag that is set by SIGINT or SIGTERM from now on. `said` tells then what is waited for.
pub(crate) fn stop_flag(said: &'static str) -> Result<Arc<AtomicBool>, Failure> {
    let failed = |error: std::io::Error| Failure::error(format!("signals cannot be handled: {error}"));
    let flag = Arc::new(AtomicBool::new(false));
    let stop = Arc::clone(&flag);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    let (mut interrupt, mut terminate) = {
        let _inside = runtime.enter();
        let interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
        (interrupt, signal(SignalKind::terminate()).map_err(failed)?)
    };
    std::thread::spawn(move || {
        runtime.block_on(async move {
            loop {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                }
                if stop.swap(true, Ordering::Relaxed) {
                    std::process::exit(KILLED);
                }
                say(said);
            }
        });
    });
    Ok(flag)
}
