//! What there is at this moment: connections, requests, tunnels, tasks. After any load it comes back to where it was.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::runtime::RuntimeMetrics;

/// A number that one thread changes and all may read.
#[derive(Debug, Default)]
pub(super) struct Gauge(AtomicUsize);

/// Those of one thread.
#[derive(Debug, Default)]
pub(super) struct Gauges {
    pub(super) connections: Gauge,
    pub(super) resting: Gauge,
    pub(super) requests: Gauge,
    pub(super) tunnels: Gauge,
    /// Requests on connections of HTTP/2.
    pub(super) streams: Gauge,
    /// As of the last sweep, like those that are idle.
    pub(super) upstream_busy: Gauge,
    pub(super) upstream_idle: Gauge,
}

/// What there is over all threads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Present {
    /// Client connections that are open, but for tunnels.
    pub connections: usize,
    /// Those of HTTP/1 among them of which nothing is kept but the socket.
    pub resting: usize,
    /// Requests whose head was read and whose response is not at its end.
    pub requests: usize,
    /// Connections that were upgraded.
    pub tunnels: usize,
    /// Exchanges with upstreams, up to half a second ago.
    pub upstream_busy: usize,
    /// Connections to upstreams that are kept for later, up to half a second ago.
    pub upstream_idle: usize,
    /// Tasks on the runtimes of the data plane, of which each thread has a few that never end.
    pub tasks: usize,
}

impl Gauge {
    pub(super) fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn set(&self, value: usize) {
        self.0.store(value, Ordering::Relaxed);
    }
}

impl Present {
    pub(super) fn add(&mut self, gauges: &Gauges, runtime: &RuntimeMetrics) {
        self.connections += gauges.connections.get();
        self.resting += gauges.resting.get();
        self.requests += gauges.requests.get();
        self.tunnels += gauges.tunnels.get();
        self.upstream_busy += gauges.upstream_busy.get();
        self.upstream_idle += gauges.upstream_idle.get();
        self.tasks += runtime.num_alive_tasks();
    }
}
