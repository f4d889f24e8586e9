//! Equal reads that are under way at once are one call.
//!
//! Whoever asks after a change must not get an answer from before it: a read joins only reads of its own generation, and
//! every change that this service makes or hears of starts a new one.

use std::{
    collections::HashMap,
    future::Future,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use futures_util::{
    FutureExt,
    future::{BoxFuture, Shared},
};

use crate::foundation::FoundationError;

type Answer = Result<Bytes, FoundationError>;

#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    generation: u64,
    path: &'static str,
    body: Bytes,
}

#[derive(Default)]
pub(super) struct Coalescing {
    generation: AtomicU64,
    /// As many as there are calls under way.
    flights: Arc<Mutex<HashMap<Key, Shared<BoxFuture<'static, Answer>>>>>,
}

impl Coalescing {
    /// From now on nobody joins a read that is under way already.
    pub(super) fn start_generation(&self) {
        self.generation.fetch_add(1, Ordering::SeqCst);
    }

    /// The call runs to its end even if everyone who waits for it goes away: it has its own deadline.
    pub(super) async fn join(
        &self,
        path: &'static str,
        body: Bytes,
        call: impl Future<Output = Answer> + Send + 'static,
    ) -> Answer {
        let generation = self.generation.load(Ordering::SeqCst);
        let key = Key { generation, path, body };
        let flight = {
            let mut flights = self.flights.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(under_way) = flights.get(&key) {
                under_way.clone()
            } else {
                let landed = Landed { flights: Arc::clone(&self.flights), key: key.clone() };
                let task = tokio::spawn(async move {
                    let _landed = landed;
                    call.await
                });
                let flight = task
                    .map(|ended| {
                        let broken =
                            |error| FoundationError::Unreadable(format!("the call broke off: {error}"));
                        ended.unwrap_or_else(|error| Err(broken(error)))
                    })
                    .boxed()
                    .shared();
                flights.insert(key, flight.clone());
                flight
            }
        };
        flight.await
    }
}

/// Takes the call out of the table however it ends.
struct Landed {
    flights: Arc<Mutex<HashMap<Key, Shared<BoxFuture<'static, Answer>>>>>,
    key: Key,
}

impl Drop for Landed {
    fn drop(&mut self) {
        self.flights.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use tokio::sync::Notify;

    use super::*;

    #[tokio::test]
    async fn equal_reads_under_way_are_one_call_and_a_change_parts_them() {
        let coalescing = Arc::new(Coalescing::default());
        let (calls, go) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
        let ask = || {
            let (calls, go) = (Arc::clone(&calls), Arc::clone(&go));
            let coalescing = Arc::clone(&coalescing);
            let mut asking = Box::pin(async move {
                let call = async move {
                    calls.fetch_add(1, Ordering::SeqCst);
                    go.notified().await;
                    Ok(Bytes::from_static(b"answer"))
                };
                coalescing.join("/x", Bytes::from_static(b"{}"), call).await
            });
            // Polled once: it has joined or started its call.
            assert!((&mut asking).now_or_never().is_none());
            asking
        };
        let (first, second) = (ask(), ask());
        coalescing.start_generation();
        let third = ask();
        tokio::task::yield_now().await;
        assert_eq!(calls.load(Ordering::SeqCst), 2);
        go.notify_waiters();
        for asking in [first, second, third] {
            assert_eq!(asking.await, Ok(Bytes::from_static(b"answer")));
        }
        assert!(coalescing.flights.lock().unwrap().is_empty());
    }
}
