//! The open groups of one endpoint, as far as it waits for them.

use crate::divergence::Severity;
use crate::exchange::UnixMillis;
use crate::store::GroupSum;
use crate::triage::{State, Triaged};

/// Counts, so that nobody has to read a hundred thousand groups to know what an endpoint waits for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpenGroups {
    /// Those that ask for a decision, and since when the oldest does.
    pub(super) undecided: Since,
    /// Those that were decided on and are open still.
    pub(super) decided: Since,
    worst: Option<Severity>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Since {
    pub(super) groups: u64,
    pub(super) oldest: Option<UnixMillis>,
}

impl OpenGroups {
    /// Groups on which nobody has decided.
    pub fn add_new(&mut self, sum: &GroupSum) {
        self.undecided.add(sum.groups, sum.oldest);
        self.worst = self.worst.max(Some(sum.severity));
    }

    /// A group on which somebody has decided, if it is open.
    pub fn add(&mut self, triaged: &Triaged, state: State) {
        if !state.is_open() {
            return;
        }
        let decision = triaged.decided.as_ref().map(|decided| &decided.decision);
        let first_seen = triaged.group.first_seen;
        match (state, decision) {
            (State::Expired, Some(decision)) => {
                self.undecided.add(1, decision.expires.unwrap_or(decision.at));
            }
            (State::Regressed, _) => {
                self.undecided.add(1, triaged.since.last_since.unwrap_or(triaged.group.last_seen));
            }
            (State::New, _) | (_, None) => self.undecided.add(1, first_seen),
            (_, Some(decision)) => self.decided.add(1, decision.at),
        }
        self.worst = self.worst.max(Some(triaged.group.severity));
    }

    pub fn worst(&self) -> Option<Severity> {
        self.worst
    }

    pub fn is_empty(&self) -> bool {
        self.undecided.groups + self.decided.groups == 0
    }
}

impl Since {
    fn add(&mut self, groups: u64, at: UnixMillis) {
        if groups > 0 {
            self.groups += groups;
            self.oldest = Some(self.oldest.map_or(at, |oldest| oldest.min(at)));
        }
    }
}
