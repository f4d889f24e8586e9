//! Keeps unsafe requests that were carried out, with what was answered.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::PoisonError;

use diff_harness::exchange::{Exchange, Observation, Outcome, TransportFailure};
use diff_harness::size;
use diff_harness::store::Recorded;

use super::draft::RECORDED_MAX;
use super::remember::{Recording, id_of};
use crate::shadow::ShadowedRequest;

/// Of one endpoint between two writes: what comes after them is much like them.
const PER_ENDPOINT_MAX: usize = 20;

impl Recording {
    /// Redacts it and keeps it for the next write, if there is room. Never panics, whatever the redactor does.
    pub(super) fn keep(&self, request: &ShadowedRequest, control: Observation) {
        let endpoint = &request.route.endpoint;
        let has_room = {
            let recorded = self.recorded.lock().unwrap_or_else(PoisonError::into_inner);
            recorded.len() < RECORDED_MAX
                && recorded.iter().filter(|one| one.endpoint() == endpoint).count() < PER_ENDPOINT_MAX
        };
        if !has_room {
            return;
        }
        let exchange = Exchange {
            id: id_of(request).to_owned(),
            at: request.at,
            endpoint: endpoint.clone(),
            request: request.request.clone(),
            control,
            // Nobody asked it; `Recorded` shows nothing of it.
            candidate: Observation {
                outcome: Outcome::Failure(TransportFailure::Connect),
                latency: std::time::Duration::ZERO,
            },
        };
        let redacted =
            catch_unwind(AssertUnwindSafe(|| self.redactor.begin(&exchange).exchange(exchange.clone()).0));
        match redacted {
            Ok(exchange) => {
                let one = Recorded::new(exchange);
                if self.waiting.take_recorded(size::of_recorded(&one)) {
                    self.recorded.lock().unwrap_or_else(PoisonError::into_inner).push(one);
                }
            }
            Err(_) => tracing::error!(
                id = id_of(request),
                "redacting this request failed: a bug in Strangler; it is not kept"
            ),
        }
    }

    pub(super) fn take_recorded(&self) -> Vec<Recorded> {
        std::mem::take(&mut *self.recorded.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
