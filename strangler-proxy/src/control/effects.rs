//! What control does to the rest of the proxy, passed in.

use std::sync::Arc;

use diff_harness::endpoint::EndpointId;
use diff_harness::exchange::UnixMillis;
use diff_harness::lifecycle::Route;
use diff_harness::store::Epoch;

pub type Publish = Box<dyn Fn(&[Route]) + Send + Sync>;

pub struct Effects {
    /// Makes these the routes that the next request is matched with.
    pub publish: Publish,
    /// Whether the candidate takes connections; if not, why not. Returns within seconds.
    pub reach_candidate: Box<dyn Fn() -> Result<(), String> + Send + Sync>,
    /// Has everything that was compared so far written to the store, so that the gate judges by it.
    pub flush: Box<dyn Fn() + Send + Sync>,
    /// The epoch that evidence counts for now.
    pub epoch: Box<dyn Fn() -> Arc<Epoch> + Send + Sync>,
    /// A person resumed the endpoint after a fallback: its guard is opened and counts anew. Called before the route
    /// table that lets the candidate answer again is published.
    pub resumed: Box<dyn Fn(&EndpointId) + Send + Sync>,
    pub now: fn() -> UnixMillis,
}
