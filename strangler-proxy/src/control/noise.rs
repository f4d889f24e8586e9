//! Lets groups pass that were opened before their noise was learned.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use diff_harness::endpoint::EndpointId;
use diff_harness::fingerprint::Fingerprint;
use diff_harness::noise::book::{EndpointNoise, Maturity, Place};
use diff_harness::noise::hindsight::explains;
use diff_harness::store::{Epoch, EpochFilter, GroupFilter, StoreError};
use diff_harness::triage::{Act, Call, State, Triaged, Wish};

use super::{Control, ITSELF};

/// Kept exchanges of one group that are looked through. One that has more has not just been opened.
const SAMPLES_MAX: usize = 100;

/// The noise of which the groups were looked through: of a deployment of control, by endpoint.
#[derive(Debug, Default)]
pub(super) struct Settled(Mutex<(String, BTreeMap<EndpointId, BTreeSet<Place>>)>);

impl Control {
    /// Calls those groups of the current epoch noise of which all that was ever seen is hidden by noise that was learned
    /// since, in the name of the proxy: like any decision it is in the audit log and can be taken back, and is not made
    /// again then. What is seen of such a group later opens it. Returns the groups; asks little where nothing was learned.
    pub fn settle_noise(&self) -> Result<Vec<Fingerprint>, StoreError> {
        if self.pen.is_ours().is_err() {
            // Another process does.
            return Ok(Vec::new());
        }
        let epoch = (self.effects.epoch)();
        let learned = self.newly_learned(&epoch)?;
        if learned.is_empty() {
            return Ok(Vec::new());
        }
        // What was seen before it was learned may not be written yet.
        (self.effects.flush)();
        let mut settled = Vec::new();
        for (endpoint, noise) in &learned {
            let groups = self.store.triaged(&GroupFilter {
                endpoint: Some(endpoint),
                epoch: EpochFilter::Only(&epoch),
                least_severity: None,
                limit: usize::MAX,
            })?;
            for triaged in groups.into_iter().filter(|triaged| self.is_left_to_the_proxy(triaged)) {
                let group = triaged.group.fingerprint.clone();
                if let Some((exchanges, reason)) = self.explanation(&triaged, noise)?
                    && self.call_noise(triaged, exchanges, reason, &epoch)?
                {
                    settled.push(group);
                }
            }
        }
        let mut known = self.settled.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.1.extend(learned.into_iter().map(|(endpoint, noise)| (endpoint, places(&noise))));
        Ok(settled)
    }

    /// Endpoints with places that were no noise when this was last asked.
    fn newly_learned(&self, epoch: &Epoch) -> Result<Vec<(EndpointId, EndpointNoise)>, StoreError> {
        let mut noise = self.store.noise(&epoch.control)?;
        let mut known = self.settled.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.0 != epoch.control {
            *known = (epoch.control.clone(), BTreeMap::new());
        }
        let nothing = BTreeSet::new();
        noise.retain(|(endpoint, noise)| {
            let before = known.1.get(endpoint).unwrap_or(&nothing);
            noise.mature(Maturity::default()).any(|(place, _)| !before.contains(place))
        });
        Ok(noise)
    }

    /// Nobody has ever said anything of it; or the proxy did, of the noise of another deployment of control.
    fn is_left_to_the_proxy(&self, triaged: &Triaged) -> bool {
        match &triaged.decided {
            None => triaged.newest_entry == 0 && triaged.part.is_none(),
            Some(decided) => {
                decided.sequence == triaged.newest_entry
                    && decided.decision.actor == ITSELF
                    && decided.decision.is_learned()
                    && triaged.state(self.enough(&triaged.group.endpoint), self.now()) == State::Regressed
            }
        }
    }

    /// Why it is nothing but noise, if it is, and how many exchanges that was seen of.
    fn explanation(
        &self,
        triaged: &Triaged,
        noise: &EndpointNoise,
    ) -> Result<Option<(u64, String)>, StoreError> {
        let fingerprint = &triaged.group.fingerprint;
        // Over all epochs, as the samples are.
        let Some(group) = self.store.group(fingerprint)? else { return Ok(None) };
        let samples = self.store.samples(fingerprint, SAMPLES_MAX)?;
        let explained = explains(noise, Maturity::default(), &group, &samples);
        Ok(explained.map(|(place, learned)| {
            let reason = format!(
                "control differs from itself at {} as well, {} of {} times that it was asked twice; all that was seen here \
                 came before that was known, and had its type and format",
                place.location, learned.sightings, noise.asked_twice,
            );
            (group.exchanges, reason)
        }))
    }

    /// `false` where somebody else decided meanwhile, or it was seen again.
    fn call_noise(
        &self,
        triaged: Triaged,
        exchanges: u64,
        reason: String,
        epoch: &Epoch,
    ) -> Result<bool, StoreError> {
        let group = triaged.group.fingerprint;
        let decided = self.store.decide(&Wish {
            group: group.clone(),
            act: Act::Decide {
                call: Call::Noise,
                owner: ITSELF.to_owned(),
                expires: None,
                epoch: epoch.candidate.clone(),
            },
            actor: ITSELF.to_owned(),
            reason,
            at: self.now(),
            expected: Some(triaged.newest_entry),
        });
        match decided {
            Ok(entry) => {
                // What was written between the look and the decision was not looked at.
                if self.store.group(&group)?.is_none_or(|group| group.exchanges != exchanges) {
                    self.unsay_noise(&group, entry.sequence)?;
                    return Ok(false);
                }
                tracing::info!(%group, reason = entry.wish.reason, sequence = entry.sequence, "called noise");
                Ok(true)
            }
            Err(StoreError::Triage(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn unsay_noise(&self, group: &Fingerprint, sequence: u64) -> Result<(), StoreError> {
        let undone = self.store.decide(&Wish {
            group: group.clone(),
            act: Act::Undo,
            actor: ITSELF.to_owned(),
            reason: "it was seen again while this was decided".to_owned(),
            at: self.now(),
            expected: Some(sequence),
        });
        match undone {
            // Whoever decided meanwhile has the last word.
            Ok(_) | Err(StoreError::Triage(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

fn places(noise: &EndpointNoise) -> BTreeSet<Place> {
    noise.mature(Maturity::default()).map(|(place, _)| place.clone()).collect()
}
