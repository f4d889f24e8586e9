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
use crate::shadow::{AnswerSlot, Capture, Reservation, Unmarked};

/// An unsafe request as it was forwarded, with a copy of its body that fills while it is sent.
pub(super) struct Witnessed {
    pub(super) witness: Witness,
    method: Method,
    target: PathAndQuery,
    headers: HeaderMap,
    body: Option<Arc<BodyCopy>>,
    pub(super) dry_run: DryRun,
}

/// What has become of the dry run before control is asked.
#[derive(Debug, Default)]
pub(super) enum DryRun {
    /// None was sent: it may be when control has answered.
    #[default]
    NotYet,
    /// The candidate has answered; this takes what control does.
    Answered(AnswerSlot),
    /// There is none, and the request has its disposition.
    Ended,
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
            dry_run: DryRun::NotYet,
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
    pub(super) fn request(
        &self,
        id: HeaderValue,
        at: UnixMillis,
        route: Arc<ActiveRoute>,
    ) -> Result<(Unmarked, Option<Reservation>), SkipReason> {
        let (body, held) = match &self.body {
            None => (Bytes::new(), None),
            Some(copy) => {
                let (body, held) = copy.take()?;
                (body, Some(held))
            }
        };
        let (method, target, headers) = (self.method.clone(), self.target.clone(), self.headers.clone());
        Ok((Unmarked { id, at, route, method, target, headers, body }, held))
    }

    /// Control gave no answer that the dry run could be compared with.
    pub(super) fn unanswered(self, reason: SkipReason) {
        if let DryRun::Answered(slot) = self.dry_run {
            slot.skip(reason);
        }
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
