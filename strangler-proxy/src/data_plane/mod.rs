//! Listeners, forwarding, upstream connections, refusals, drain: the way of a client request.

mod config;
pub mod pool;

pub use config::{
    CohortConfig, CohortKey, DataPlaneConfig, Forwarding, Limits, Network, Timeouts, UpstreamConfig,
};
