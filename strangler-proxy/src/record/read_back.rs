//! What both sides show after a write.

use std::sync::Arc;

use diff_harness::comparison::{Comparison, Judgement, Verdict};
use diff_harness::exchange::Observation;
use diff_harness::noise::confirm::{Confirmation, certain_exposure, sift};
use diff_harness::shape::write_shape;

use super::remember::{Recording, id_of, seen};
use crate::fallback::{Again, Found, is_unsteady};
use crate::shadow::{Answered, ShadowedRequest};

impl Recording {
    /// Whether the two sides show something else.
    pub(super) fn differs(
        &self,
        request: &ShadowedRequest,
        control: &Observation,
        candidate: &Observation,
    ) -> bool {
        let judge = self.judge.load();
        let endpoint = &request.route.endpoint;
        match self.judged(&judge, endpoint, &request.request, control, candidate) {
            Some(Judgement::Compared(mut comparison)) => {
                let epoch = self.epochs.of(control, candidate, judge.rules());
                self.noise.quiet(&epoch.control, endpoint, &mut comparison);
                comparison.verdict() == Verdict::Mismatch
            }
            _ => false,
        }
    }

    /// Both sides were asked what a write has left behind, twice where they differed the first time. What is still there
    /// becomes a divergence of the endpoint that wrote. No request of a client is counted by it.
    pub(super) fn read_back(
        &self,
        request: &ShadowedRequest,
        first: (Answered, Answered),
        second: Option<(Answered, Answered)>,
    ) {
        let route = &request.route;
        let Some((again_control, again_candidate)) = second else {
            route.counters.read_back(false);
            let (control, candidate) = (&first.0.observation, &first.1.observation);
            let epoch = self.epochs.of(control, candidate, self.judge.load().rules());
            return self.fallback.matched(route, &epoch);
        };
        let judge = self.judge.load();
        let (endpoint, asked) = (&route.endpoint, &request.request);
        let (control, candidate) = first;
        let compare = |control: &Observation, candidate: &Observation| -> Option<Comparison> {
            match self.judged(&judge, endpoint, asked, control, candidate)? {
                Judgement::Compared(comparison) => Some(comparison),
                Judgement::Skipped(_) => None,
            }
        };
        let found = compare(&control.observation, &candidate.observation);
        let again = compare(&again_control.observation, &again_candidate.observation);
        let itself = compare(&control.observation, &again_control.observation);
        let (Some(mut found), Some(mut again), Some(itself)) = (found, again, itself) else { return };
        let epoch = self.epochs.of(&control.observation, &candidate.observation, judge.rules());
        for comparison in [&mut found, &mut again] {
            self.noise.quiet(&epoch.control, endpoint, comparison);
        }
        if let Some((shown, certain)) = certain_exposure(&found, &again, &itself) {
            self.fallback.exposed(route, shown, certain, id_of(request));
        }
        let unsteady = is_unsteady(&found, &itself);
        let (mut found, confirmation) = sift(found, &again, &itself);
        // What is gone by then was on its way to the candidate: it reads what control wrote, a moment later.
        if confirmation != Confirmation::Confirmed {
            return route.counters.read_back(false);
        }
        route.counters.read_back(true);
        let told = if unsteady { Again::Unsteady } else { Again::Asked(confirmation) };
        self.fallback.mismatched(
            route,
            &epoch,
            &Found { comparison: &found, again: told, exchange: id_of(request) },
        );
        found.notes.push("read back after the write".to_owned());
        self.keep_read_back(request, &epoch, confirmation, control, candidate, found);
    }

    fn keep_read_back(
        &self,
        request: &ShadowedRequest,
        epoch: &Arc<diff_harness::store::Epoch>,
        confirmation: Confirmation,
        control: Answered,
        candidate: Answered,
        found: Comparison,
    ) {
        let mut shape = String::new();
        write_shape(&mut shape, &request.request, &control.observation);
        shape.insert_str(0, "read back ");
        let seen = super::gathered::Seen {
            confirmation: Some(confirmation),
            ..seen(request, &control.observation, &candidate.observation)
        };
        if let Some(record) = self.record(request, &shape, seen, control, candidate, found) {
            self.gathered().add_record(epoch, record);
        }
    }
}
