//! Requests that match no endpoint, on their way to the inventory.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use diff_harness::store::Undeclared;
use http::Method;

/// Takes undeclared requests and proposes endpoints for them.
pub trait Discover: Send + 'static {
    fn seen(&mut self, method: &Method, path: &str);

    /// What was seen since the last call.
    fn take(&mut self) -> Vec<Undeclared>;
}

/// What the data plane holds. Cheap to clone; every call returns at once.
#[derive(Clone, Debug)]
pub struct UndeclaredHandle(SyncSender<Sighting>);

#[derive(Debug)]
pub(super) struct Sighting {
    pub(super) method: Method,
    pub(super) path: String,
}

/// Paths that wait for the next write. What comes on top is counted as unmatched like all others, and not proposed
/// this time.
const WAITING_MAX: usize = 1024;
/// A longer path says nothing of an endpoint.
const PATH_MAX: usize = 1024;

impl UndeclaredHandle {
    pub(super) fn new() -> (Self, Receiver<Sighting>) {
        let (sender, receiver) = sync_channel(WAITING_MAX);
        (Self(sender), receiver)
    }

    /// Reports a request by its method and its path without the query.
    pub fn seen(&self, method: &Method, path: &str) {
        if path.len() <= PATH_MAX {
            // Full: its like will come again. Gone: the proxy is shutting down.
            let _ = self.0.try_send(Sighting { method: method.clone(), path: path.to_owned() });
        }
    }
}
