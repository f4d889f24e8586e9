//! The states of all groups that somebody decided on, and what follows from them for lists and sums.

use diff_harness::fingerprint::Fingerprint;
use diff_harness::store::StoreError;
use diff_harness::triage::{Call, Sightings, State, state};

use super::Control;

/// The state of every group that somebody decided on; all others are new.
#[derive(Clone, Debug, Default)]
pub struct States(Vec<(Fingerprint, State)>);

impl Control {
    pub fn states(&self) -> Result<States, StoreError> {
        let now = self.now();
        let of = |decided: diff_harness::triage::Decided| -> Result<(Fingerprint, State), StoreError> {
            let decision = decided.decision;
            // Only for a fix it counts what was seen since; without a sighting of its own it stays as it was said.
            let state = match decision.call {
                Call::Fixed => self.triaged_group(&decision.group)?.map_or(State::Fixed, |(_, state)| state),
                _ => state(Some(&decision), Sightings::default(), 0, now),
            };
            Ok((decision.group, state))
        };
        self.store.in_force()?.into_iter().map(of).collect::<Result<_, _>>().map(States)
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
