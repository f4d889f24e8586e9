//! Which groups were decided on, and what follows from it for lists and sums.

use diff_harness::fingerprint::Fingerprint;
use diff_harness::triage::{Call, Sightings, State};

use super::reply::Failed;
use super::site::Site;

/// The state of every group that somebody decided on; all others are new.
#[derive(Debug, Default)]
pub(super) struct Decided(Vec<(Fingerprint, State)>);

impl Decided {
    pub(super) fn read(site: &Site) -> Result<Self, Failed> {
        let now = site.api.control.now();
        let state = |decided: diff_harness::triage::Decided| -> Result<(Fingerprint, State), Failed> {
            let decision = decided.decision;
            // Only for a fix it counts what was seen since; without a sighting of its own it stays as it was said.
            let state = match decision.call {
                Call::Fixed => {
                    site.api.control.triaged_group(&decision.group)?.map_or(State::Fixed, |(_, state)| state)
                }
                _ => diff_harness::triage::state(Some(&decision), Sightings::default(), 0, now),
            };
            Ok((decision.group, state))
        };
        site.api.store.in_force()?.into_iter().map(state).collect::<Result<_, _>>().map(Self)
    }

    /// Those whose state is like that.
    pub(super) fn that(&self, is: impl Fn(State) -> bool) -> Vec<Fingerprint> {
        self.0.iter().filter(|(_, state)| is(*state)).map(|(group, _)| group.clone()).collect()
    }

    /// Those that keep nothing from moving.
    pub(super) fn passing(&self) -> Vec<Fingerprint> {
        self.that(|state| !state.is_open())
    }
}

/// Whether somebody has to say what it is: nobody did, or what was said does not hold any more.
pub(super) fn is_undecided(state: State) -> bool {
    matches!(state, State::New | State::Expired | State::Regressed)
}
