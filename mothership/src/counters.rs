//! How many requests each engine served, by operation: the proof that a migrated handler gets no more traffic.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Router,
    extract::{MatchedPath, Request},
    middleware::{self, Next},
};

#[derive(Debug, Clone, Default)]
pub struct Counters(Arc<Mutex<BTreeMap<Operation, u64>>>);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Operation {
    pub engine: &'static str,
    pub method: String,
    /// The path template with the engine's mount point; [`UNMATCHED`] for requests that no operation took.
    pub path: String,
}

pub const UNMATCHED: &str = "(unmatched)";

impl Counters {
    /// Counts every request to `router` under `engine`.
    pub fn count<S: Clone + Send + Sync + 'static>(
        &self,
        engine: &'static str,
        router: Router<S>,
    ) -> Router<S> {
        let counters = self.clone();
        router.layer(middleware::from_fn(move |request: Request, next: Next| {
            counters.add(engine, &request);
            next.run(request)
        }))
    }

    /// In the order of engine, method and path.
    pub fn snapshot(&self) -> Vec<(Operation, u64)> {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.iter().map(|(operation, count)| (operation.clone(), *count)).collect()
    }

    fn add(&self, engine: &'static str, request: &Request) {
        let path = request.extensions().get::<MatchedPath>().map_or(UNMATCHED, MatchedPath::as_str);
        let operation = Operation { engine, method: method(request), path: path.to_owned() };
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry(operation).or_default() += 1;
    }
}

/// Invented methods are counted together, so that a client cannot grow the table.
fn method(request: &Request) -> String {
    match request.method().as_str() {
        known @ ("GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS") => known.to_owned(),
        _ => "(other)".to_owned(),
    }
}
