//! Threads that stand behind the clients: the scheduler gives them the cores when no client needs them.

/// The highest niceness there is (setpriority(2)).
pub(crate) const NICENESS_MAX: u8 = 19;

/// Gives the calling thread a niceness, from 0 (as clients are served) to [`NICENESS_MAX`].
///
/// On Linux niceness is of the thread and raising it takes no privilege; a system that refuses it, or has it of the whole
/// process (POSIX), is left as it is, since nothing that is answered depends on it.
pub(crate) fn stand_behind(niceness: u8) {
    #[cfg(target_os = "linux")]
    if niceness > 0 {
        let thread = rustix::thread::gettid();
        let niceness = i32::from(niceness.min(NICENESS_MAX));
        if let Err(error) = rustix::process::setpriority_process(Some(thread), niceness) {
            tracing::warn!(%error, "a thread that works behind the clients has their priority");
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = niceness;
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    /// Of the calling thread.
    fn niceness() -> i32 {
        rustix::process::getpriority_process(Some(rustix::thread::gettid())).expect("it is there")
    }

    #[test]
    fn only_the_thread_that_asks_stands_behind() {
        let before = niceness();
        let wanted = (before + 1).max(11);
        let behind = std::thread::spawn(move || {
            stand_behind(u8::try_from(wanted).expect("at most 20"));
            niceness()
        });
        assert_eq!(behind.join().expect("it does not panic"), wanted.min(NICENESS_MAX.into()));
        assert_eq!(niceness(), before);
    }
}
