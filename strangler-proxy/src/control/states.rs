//! The states of all groups that somebody decided on, and what follows from them for lists and sums.

use std::collections::BTreeMap;

use diff_harness::endpoint::EndpointId;
use diff_harness::fingerprint::Fingerprint;
use diff_harness::store::{GroupListing, StoreError};
use diff_harness::stream::OpenGroups;
use diff_harness::triage::{Sightings, State, state};

use super::Control;

/// The state of every group that somebody decided on; all others are new.
#[derive(Clone, Debug, Default)]
pub struct States(Vec<(Fingerprint, State)>);

impl Control {
    pub fn states(&self) -> Result<States, StoreError> {
        let now = self.now();
        let of = |decided: diff_harness::triage::Decided| -> Result<(Fingerprint, State), StoreError> {
            let decision = decided.decision;
            let said = || state(Some(&decision), Sightings::default(), u64::MAX, now);
            // Only for these it counts what was seen since; without a sighting of its own it stays as it was said.
            let state = if decision.covers_the_past_only() {
                self.triaged_group(&decision.group)?.map_or_else(said, |(_, state)| state)
            } else {
                said()
            };
            Ok((decision.group, state))
        };
        self.store.in_force()?.into_iter().map(of).collect::<Result<_, _>>().map(States)
    }
}

impl Control {
    /// The open groups of the current epoch by endpoint: counted where nobody has decided on them, and read where
    /// somebody has.
    pub fn open_groups(&self) -> Result<BTreeMap<EndpointId, OpenGroups>, StoreError> {
        let (epoch, now) = ((self.effects.epoch)(), self.now());
        let decided: Vec<_> =
            self.store.in_force()?.into_iter().map(|decided| decided.decision.group).collect();
        let mut open: BTreeMap<EndpointId, OpenGroups> = BTreeMap::new();
        for sum in self.store.group_sums(&epoch, &decided)? {
            open.entry(sum.endpoint.clone()).or_default().add_new(&sum);
        }
        if !decided.is_empty() {
            for triaged in self.store.list_groups(&GroupListing::only(&decided, &epoch))?.groups {
                let state = triaged.state(self.enough(&triaged.group.endpoint), now);
                open.entry(triaged.group.endpoint.clone()).or_default().add(&triaged, state);
            }
        }
        Ok(open)
    }
}

impl States {
    /// Those whose state is like that.
    pub fn that(&self, is: impl Fn(State) -> bool) -> Vec<Fingerprint> {
        self.0.iter().filter(|(_, state)| is(*state)).map(|(group, _)| group.clone()).collect()
    }

    /// Those that keep nothing from moving.
    pub fn passing(&self) -> Vec<Fingerprint> {
        self.that(|state| !state.is_open())
    }

    /// Those that a waiver lets pass until it ends.
    pub fn waived(&self) -> Vec<Fingerprint> {
        self.that(|state| matches!(state, State::Expected | State::Noise))
    }
}
