//! An unsafe request on its way to be recorded, until its answer is there.

use diff_harness::exchange::{CapturedBody, Observation, Request, Side};

use super::{Answered, Reservation, ShadowedRequest, Unmarked};
use crate::record::CompareHandle;

/// Takes control's answer. Dropped without a word, the client has gone or the response broke off: nothing is kept.
#[derive(Debug)]
pub struct RecordSlot {
    compare: CompareHandle,
    request: ShadowedRequest,
}

impl RecordSlot {
    pub(super) fn new(compare: CompareHandle, request: ShadowedRequest) -> Self {
        Self { compare, request }
    }

    /// The answer has ended. Never waits.
    pub fn complete(self, observation: Observation, held: Option<Reservation>) {
        self.compare.keep(self.request, Answered { observation, held, read: 0 });
    }
}

impl From<Unmarked> for ShadowedRequest {
    fn from(request: Unmarked) -> Self {
        let Unmarked { id, at, route, method, target, headers, body } = request;
        let body = CapturedBody::Whole(body);
        let request = Request { method, target: target.to_string(), headers, body };
        Self { id, at, route, target, request, to: Side::Candidate, dry_run: None, deployment: 0, held: None }
    }
}
