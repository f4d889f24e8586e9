//! Judges pairs, in the first round and in the second.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use diff_harness::comparison::{Comparison, Disposition, DropReason, Judgement, Verdict};
use diff_harness::endpoint::EndpointId;
use diff_harness::exchange::{Observation, Request};
use diff_harness::noise::confirm::{Confirmation, certain_exposure, sift};
use diff_harness::size;

use super::remember::{Recording, id_of};
use super::{AskAgain, Judge, SecondRound, Suspect};
use crate::fallback::{Trigger, is_unsteady};
use crate::shadow::{Answered, Pair, ShadowedRequest, Twice};

impl Recording {
    pub(super) fn ask_again_by(&self, asker: Box<dyn AskAgain>) {
        if self.asker.set(asker).is_err() {
            tracing::error!("something asks again already: a bug in Strangler");
        }
    }

    /// Judges a pair, remembers and counts it; or hands it on to be asked again. Never panics, whatever the comparator
    /// does.
    pub(super) fn judge(&self, pair: Pair) {
        let judge = self.judge.load();
        let (control, candidate) = (&pair.control.observation, &pair.candidate.observation);
        let endpoint = &pair.request().route.endpoint;
        match self.judged(&judge, endpoint, &pair.request().request, control, candidate) {
            Some(Judgement::Compared(comparison)) => self.compared(pair, comparison, &judge),
            Some(Judgement::Skipped(reason)) => pair.ending.settle(Disposition::Skipped(reason)),
            None => {
                let request = pair.request();
                tracing::error!(
                    id = id_of(request),
                    endpoint = %request.route.endpoint,
                    "the comparator failed on this exchange: a bug in Strangler; the request is counted as dropped"
                );
                pair.ending.settle(Disposition::Dropped(DropReason::ComparatorFailed));
            }
        }
    }

    /// Remembers a pair by what was found, or hands it on to be asked again.
    fn compared(&self, mut pair: Pair, mut comparison: Comparison, judge: &Arc<Box<dyn Judge>>) {
        let asker = self.asker.get();
        if let Some(asker) = asker {
            asker.compared(&pair);
        }
        let (control, candidate) = (&pair.control.observation, &pair.candidate.observation);
        let endpoint = &pair.request().route.endpoint;
        let epoch = self.epochs.of(control, candidate, judge.rules());
        self.noise.quiet(&epoch.control, endpoint, &mut comparison);
        if comparison.verdict() != Verdict::Mismatch {
            return self.remember(pair, comparison, None, false, &epoch);
        }
        // What was found waits with the pair.
        let asker = asker.filter(|_| {
            let has_room = pair.hold(size_of_comparison(&comparison));
            if !has_room {
                pair.request().route.counters.not_asked_again();
            }
            has_room
        });
        let suspect =
            Box::new(Suspect { pair, comparison, epoch, judge: Arc::clone(judge), unsteady: false });
        let refused = match asker {
            Some(asker) => asker.ask_again(suspect).err(),
            None => Some(suspect),
        };
        if let Some(suspect) = refused {
            self.remember_suspect(*suspect, None);
        }
    }

    /// Settles what a suspect is by what both sides said when they were asked again.
    pub(super) fn asked_again(&self, mut suspect: Suspect, second: &SecondRound) {
        let Suspect { pair, comparison, epoch, judge, .. } = &mut suspect;
        let (request, endpoint) = (&pair.request().request, &pair.request().route.endpoint);
        let (first, rules) = (&pair.control.observation, judge.rules());
        let again = self.judged(judge, endpoint, request, &second.control, &second.candidate);
        let itself = self.judged_itself(judge, endpoint, request, first, &second.control);
        let (Some(Judgement::Compared(mut again)), Some(itself)) = (again, itself) else {
            // Nothing was learned of it: it counts as it is.
            return self.remember_suspect(suspect, None);
        };
        let epoch_again = self.epochs.of(&second.control, &second.candidate, rules);
        if epoch_again != *epoch {
            // Another deployment answered: it says nothing of this one.
            return self.remember_suspect(suspect, None);
        }
        self.noise.quiet(&epoch.control, endpoint, &mut again);
        self.noise.learn(&epoch.control, endpoint, &itself);
        if let Some((found, certain)) = certain_exposure(comparison, &again, &itself) {
            self.fallback.exposed(&pair.request().route, found, certain, id_of(pair.request()));
        }
        suspect.unsteady = is_unsteady(comparison, &itself);
        let comparison = &mut suspect.comparison;
        let (sifted, confirmation) = sift(std::mem::take(comparison), &again, &itself);
        *comparison = sifted;
        self.remember_suspect(suspect, Some(confirmation));
    }

    pub(super) fn unacknowledged(&self, request: &ShadowedRequest) {
        let Some(mark) = request.dry_run() else { return };
        let header = mark.confirm.as_ref().map(ToString::to_string).unwrap_or_default();
        let trigger = Trigger::Unacknowledged { header, exchange: id_of(request).to_owned() };
        self.fallback.trip(&request.route, trigger);
    }

    pub(super) fn remember_suspect(&self, suspect: Suspect, confirmation: Option<Confirmation>) {
        let Suspect { pair, mut comparison, epoch, unsteady, .. } = suspect;
        // Since it was compared, what it differs in may have been learned to be noise, by itself or by another.
        self.noise.quiet_again(&epoch.control, &pair.request().route.endpoint, &mut comparison);
        let confirmation = confirmation.filter(|_| comparison.verdict() == Verdict::Mismatch);
        self.remember(pair, comparison, confirmation, unsteady, &epoch);
    }

    /// [`control_twice`](Self::control_twice), of a request that was sampled.
    pub(super) fn learn(&self, twice: &Twice, second: &Answered) {
        let request = twice.request();
        self.control_twice(&request.route.endpoint, &request.request, &twice.first, &second.observation);
    }

    /// Learns in what control differs from itself.
    pub(super) fn control_twice(
        &self,
        endpoint: &EndpointId,
        request: &Request,
        first: &Observation,
        second: &Observation,
    ) {
        let judge = self.judge.load();
        if let Some(itself) = self.judged_itself(&judge, endpoint, request, first, second) {
            let current = self.epochs.current();
            // Two deployments of control differ for reasons of their own.
            if self.epochs.control_of(first, &current) == self.epochs.control_of(second, &current) {
                self.noise.learn(self.epochs.control_of(first, &current), endpoint, &itself);
            }
        }
    }

    /// `None` where the comparator panicked.
    pub(super) fn judged(
        &self,
        judge: &Arc<Box<dyn Judge>>,
        endpoint: &EndpointId,
        request: &Request,
        control: &Observation,
        candidate: &Observation,
    ) -> Option<Judgement> {
        let judged = || judge.judge(endpoint, request, control, candidate);
        catch_unwind(AssertUnwindSafe(judged)).ok()
    }

    fn judged_itself(
        &self,
        judge: &Arc<Box<dyn Judge>>,
        endpoint: &EndpointId,
        request: &Request,
        first: &Observation,
        second: &Observation,
    ) -> Option<Comparison> {
        let judged = || judge.judge_itself(endpoint, request, first, second);
        match catch_unwind(AssertUnwindSafe(judged)).ok()? {
            Judgement::Compared(comparison) => Some(comparison),
            Judgement::Skipped(_) => None,
        }
    }
}

fn size_of_comparison(comparison: &Comparison) -> usize {
    let tolerated = comparison.tolerated.iter().map(|tolerated| &tolerated.divergence);
    comparison.divergences.iter().chain(tolerated).map(size::of_divergence).sum()
}
