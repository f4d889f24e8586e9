//! The limits of shadowing.

use std::time::Duration;

use diff_harness::compare::Limits;

use super::FirstConfig;

/// What shadowing may cost. Every limit that is reached is counted under a reason of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShadowConfig {
    /// How many of 10,000 requests are shadowed where the stage asks for it; the others are skipped as `sampled`.
    pub share: u16,
    /// Requests that wait for the shadow thread; one more is dropped as `shadow_queue_full`.
    pub queue_max: usize,
    /// Shadow requests on the way at once.
    pub concurrency_max: usize,
    /// How long a request may wait before it is sent; longer and it is dropped as `expired`.
    pub wait_max: Duration,
    /// How long a whole exchange with the shadowed side may take once it is sent; longer is a `timeout`.
    pub exchange_max: Duration,
    /// How long the making of a connection may take; longer is `unreachable`.
    pub connect_max: Duration,
    /// Bytes of one body that are kept for comparison; a longer one is hashed.
    pub body_kept_max: usize,
    /// Bytes that such a body may become when its content coding is undone; a larger one is compared by its bytes.
    pub body_decoded_max: usize,
    /// Bytes of one shadowed body that are read at all; a longer one is cut.
    pub body_read_max: u64,
    /// Bytes kept for comparison over all requests; over it they are dropped as `memory_limit`.
    pub memory_max: usize,
    /// Failures to connect in a row after which the side is only probed.
    pub circuit_failures: u32,
    /// How often it is probed then.
    pub circuit_probe_every: Duration,
    /// Of how many of 10,000 compared requests control is asked once more, to learn in what it differs from itself.
    pub twice_share: u16,
    /// Requests that are asked again in a second: mismatches, and those of which control is asked twice. 0: none.
    pub again_per_second: u32,
    /// Requests that wait to be asked again; one more is not.
    pub again_queue_max: usize,
    /// How long the shadow thread lets requests gather before it looks again: fewer wake-ups for a little patience.
    pub gather: Duration,
    /// Niceness of the shadow thread, 0 to 19, unless clients wait for its dry runs.
    pub niceness: u8,
    /// Where dry runs are sent before control is asked. `None`: after it, and no client waits for one.
    pub first: Option<FirstConfig>,
}

impl Default for ShadowConfig {
    fn default() -> Self {
        Self {
            share: Self::WHOLE,
            queue_max: 1024,
            concurrency_max: 64,
            wait_max: Duration::from_secs(5),
            exchange_max: Duration::from_secs(30),
            connect_max: Duration::from_secs(2),
            body_kept_max: 1 << 20,
            body_decoded_max: Limits::DECODED_BYTES_MAX,
            body_read_max: 128 << 20,
            memory_max: 256 << 20,
            circuit_failures: 5,
            circuit_probe_every: Duration::from_secs(1),
            twice_share: 100,
            again_per_second: 50,
            again_queue_max: 256,
            gather: Duration::from_millis(1),
            niceness: 10,
            first: None,
        }
    }
}

impl ShadowConfig {
    /// The share that means every request.
    pub const WHOLE: u16 = 10_000;

    /// What comparing may cost.
    pub fn comparing(&self) -> Limits {
        Limits { decoded_bytes_max: self.body_decoded_max, ..Limits::default() }
    }
}
