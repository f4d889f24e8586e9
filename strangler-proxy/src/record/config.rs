//! The limits of comparing and recording.

use std::time::Duration;

use http::HeaderName;

/// What comparing may cost, and how much waits when the store does not take it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordConfig {
    /// Threads that compare.
    pub threads: usize,
    /// Niceness of them and of the storage thread, 0 to 19.
    pub niceness: u8,
    /// Pairs that wait for them; one more is dropped as `compare_queue_full`.
    pub queue_max: usize,
    /// Bodies up to here are compared where they arrive: handing them on would cost more than comparing them.
    pub inline_max: usize,
    /// Of how many matches of an endpoint one is kept with its bodies; 0 keeps none.
    pub keep_match_every: u64,
    /// How many exchanges of one group are kept with their bodies between two writes.
    pub keep_per_group: u32,
    /// How often a known divergence is put into the comparison path of every endpoint, besides once in every epoch.
    pub negative_control_every: Duration,
    /// How often what has gathered is written.
    pub write_every: Duration,
    /// How many records make it write at once.
    pub write_at: usize,
    /// Records that wait for the store; one more is counted as unrecorded.
    pub waiting_max: usize,
    /// Bytes of kept exchanges that wait for the store; over it records come without their exchange.
    pub waiting_bytes_max: usize,
    /// Response header in which the candidate names its deployment.
    pub candidate_epoch_header: Option<HeaderName>,
    /// The same for control.
    pub control_epoch_header: Option<HeaderName>,
}

impl Default for RecordConfig {
    fn default() -> Self {
        Self {
            threads: 1,
            niceness: 10,
            queue_max: 1024,
            inline_max: 8 << 10,
            keep_match_every: 1000,
            keep_per_group: 5,
            negative_control_every: Duration::from_secs(60),
            write_every: Duration::from_secs(1),
            write_at: 1000,
            waiting_max: 20_000,
            waiting_bytes_max: 64 << 20,
            candidate_epoch_header: None,
            control_epoch_header: None,
        }
    }
}
