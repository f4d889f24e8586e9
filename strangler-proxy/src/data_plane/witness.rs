//! What is kept of an unsafe request while it passes, for stages at which it is recorded or verified.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use diff_harness::comparison::SkipReason;
use diff_harness::exchange::{CapturedBody, UnixMillis};
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Method};

use crate::routes::decide::Witness;
use crate::routes::table::ActiveRoute;
use crate::shadow::{Capture, Reservation, Unmarked};

/// An unsafe request as it was forwarded, with a copy of its body that fills while it is sent.
pub(super) struct Witnessed {
    pub(super) witness: Witness,
    method: Method,
    target: PathAndQuery,
    headers: HeaderMap,
    body: Option<Arc<BodyCopy>>,
}

/// A body that is kept while it passes on to control. Nothing waits for it.
#[derive(Debug)]
pub(super) struct BodyCopy(Mutex<Copying>);

#[derive(Debug)]
struct Copying {
    capture: Option<Capture>,
    is_whole: bool,
}

impl Witnessed {
    /// `body` is `None` where there is none.
    pub(super) fn new(witness: Witness, head: &Parts, body: Option<Arc<BodyCopy>>) -> Box<Self> {
        Box::new(Self {
            witness,
            method: head.method.clone(),
            target: head.uri.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/")),
            headers: head.headers.clone(),
            body,
        })
    }

    /// Its target and its fields, as they were forwarded.
    pub(super) fn head(&self) -> (&PathAndQuery, &HeaderMap) {
        (&self.target, &self.headers)
    }

    /// The request with its whole body, and the memory that this takes.
    ///
    /// # Errors
    /// Why there is no whole body: the response came before its end, or it is over what is kept.
    pub(super) fn into_request(
        self,
        id: HeaderValue,
        at: UnixMillis,
        route: Arc<ActiveRoute>,
    ) -> Result<(Unmarked, Option<Reservation>), SkipReason> {
        let Self { method, target, headers, body, .. } = self;
        let (body, held) = match body {
            None => (Bytes::new(), None),
            Some(copy) => {
                let (body, held) = copy.take()?;
                (body, Some(held))
            }
        };
        Ok((Unmarked { id, at, route, method, target, headers, body }, held))
    }
}

impl BodyCopy {
    pub(super) fn new(capture: Capture) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Copying { capture: Some(capture), is_whole: false })))
    }

    pub(super) fn push(&self, data: &Bytes) {
        if let Some(capture) = &mut self.copying().capture {
            capture.push(data);
        }
    }

    pub(super) fn ended(&self) {
        self.copying().is_whole = true;
    }

    fn take(&self) -> Result<(Bytes, Reservation), SkipReason> {
        let mut copying = self.copying();
        if !copying.is_whole {
            // Control did not wait for it: what the candidate would make of a part says nothing.
            return Err(SkipReason::UnsafeMethod);
        }
        let captured = copying.capture.take().and_then(|capture| capture.finish().ok());
        match captured.map(|captured| (captured.body, captured.held)) {
            Some((CapturedBody::Whole(body), held)) => Ok((body, held)),
            _ => Err(SkipReason::RequestTooLarge),
        }
    }

    fn copying(&self) -> MutexGuard<'_, Copying> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
