//! When failures are a burst.

use std::time::Duration;

use diff_harness::gate::Policy;

/// Failures of the candidate after which an endpoint goes back to control: so many, and so large a part of what it
/// was asked, within the window.
///
/// A failure is a candidate that cannot be reached, does not answer in time, breaks off, or answers 5xx.
#[derive(Clone, Debug, PartialEq)]
pub struct FallbackConfig {
    pub window: Duration,
    pub failures: u32,
    /// In ten-thousandths of the requests that the candidate was asked to answer.
    pub share: u16,
    /// The gate's: by its tiers, when mismatches of an endpoint that clients are on are too many.
    pub policy: Policy,
}

impl FallbackConfig {
    pub const WHOLE: u16 = 10_000;
}

impl Default for FallbackConfig {
    fn default() -> Self {
        Self { window: Duration::from_secs(10), failures: 10, share: 2_000, policy: Policy::default() }
    }
}
