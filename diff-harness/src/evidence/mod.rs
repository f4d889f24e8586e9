//! The statistics behind the gate: pure, without a clock.
//!
//! - [`sprt`]: how many comparisons are enough, and when it is time to say no.
//! - [`drift`]: when an endpoint that was good has turned bad.
//! - [`strata`]: samples counted by shape, so that one URL polled 10,000 times is one shape.
//! - [`quantile`]: intervals for latency quantiles that assume no distribution.

pub mod sprt;
pub mod drift;
pub mod strata;
pub mod quantile;
