//! A client that leaves before it has its response.

use http::HeaderValue;

use super::worker::Worker;

/// Tells of it, unless the response comes first.
pub(super) struct UntilAnswered<'a> {
    worker: &'a Worker,
    id: HeaderValue,
    is_answered: bool,
}

impl<'a> UntilAnswered<'a> {
    pub(super) fn new(worker: &'a Worker, id: HeaderValue) -> Self {
        Self { worker, id, is_answered: false }
    }

    pub(super) fn answered(mut self) {
        self.is_answered = true;
    }
}

impl Drop for UntilAnswered<'_> {
    fn drop(&mut self) {
        if !self.is_answered {
            left(self.worker, &self.id);
        }
    }
}

/// Who is cut at the end of a drain has not left.
pub(super) fn left(worker: &Worker, id: &HeaderValue) {
    if worker.draining().is_none() {
        worker.refusals.client_left(id);
    }
}
