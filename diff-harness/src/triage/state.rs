//! Where a group stands, derived from what was decided and from what was seen since.

use std::fmt;

use crate::endpoint::EndpointId;
use crate::exchange::UnixMillis;
use crate::store::Group;

use super::decision::{Call, Decided, Decision};
use super::part::Part;

/// Where a group stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Nobody has decided yet.
    New,
    Bug,
    Expected,
    Noise,
    /// Said to be fixed; not enough was compared since to see it.
    Fixed,
    /// Fixed, and enough was compared since without it.
    Verified,
    /// Fixed or verified once, or noise that was learned, and seen again in that epoch or a later one.
    Regressed,
    /// Its waiver ended.
    Expired,
}

impl State {
    pub const ALL: [Self; 8] = [
        Self::New,
        Self::Bug,
        Self::Expected,
        Self::Noise,
        Self::Fixed,
        Self::Verified,
        Self::Regressed,
        Self::Expired,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Bug => "bug",
            Self::Expected => "expected",
            Self::Noise => "noise",
            Self::Fixed => "fixed",
            Self::Verified => "verified",
            Self::Regressed => "regressed",
            Self::Expired => "expired",
        }
    }

    /// Whether a group in this state, seen in the epoch being judged, keeps its endpoint from moving.
    pub fn is_open(self) -> bool {
        !matches!(self, Self::Expected | Self::Noise | Self::Verified)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What has been seen of a group since the latest decision on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sightings {
    /// The newest time it was seen after the decision, in the decision's epoch or a later one.
    pub last_since: Option<UnixMillis>,
    /// Comparisons of its endpoint after the decision, in the decision's epoch or a later one.
    pub compared_since: u64,
}

/// Derives where a group stands. `enough` is the number of comparisons without it that verify a fix.
pub fn state(decision: Option<&Decision>, since: Sightings, enough: u64, now: UnixMillis) -> State {
    let Some(decision) = decision else { return State::New };
    match decision.call {
        Call::Reopen => State::New,
        Call::Bug => State::Bug,
        Call::Noise if decision.is_learned() && since.last_since.is_some() => State::Regressed,
        Call::Noise if decision.is_learned() => State::Noise,
        Call::Expected | Call::Noise if decision.expires.is_none_or(|end| end <= now) => State::Expired,
        Call::Expected => State::Expected,
        Call::Noise => State::Noise,
        Call::Fixed if since.last_since.is_some() => State::Regressed,
        Call::Fixed if since.compared_since >= enough => State::Verified,
        Call::Fixed => State::Fixed,
    }
}

/// A group with all that its state follows from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Triaged {
    pub group: Group,
    /// The decision that counts.
    pub decided: Option<Decided>,
    pub since: Sightings,
    /// Of which group it is a part, and which.
    pub part: Option<Part>,
    /// The newest line of the log about it, 0 for none.
    pub newest_entry: u64,
}

impl Triaged {
    /// See [`state`].
    pub fn state(&self, enough: u64, now: UnixMillis) -> State {
        state(self.decided.as_ref().map(|decided| &decided.decision), self.since, enough, now)
    }
}

/// The groups of an endpoint or an epoch, by whether they keep it from moving.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Weighed {
    /// Those that nobody let pass, or whose waiver ended.
    pub open: Vec<(Triaged, State)>,
    /// Those that a waiver lets pass until it ends, and those that were noise before it was learned.
    pub waived: Vec<(Triaged, State)>,
}

/// Tells what is open from what is waived. Groups that were fixed and verified are neither. `enough` is the number of
/// comparisons that verify a fix of an endpoint.
pub fn weigh(groups: Vec<Triaged>, enough: impl Fn(&EndpointId) -> u64, now: UnixMillis) -> Weighed {
    let mut weighed = Weighed::default();
    for triaged in groups {
        let state = triaged.state(enough(&triaged.group.endpoint), now);
        match state {
            State::Expected | State::Noise => weighed.waived.push((triaged, state)),
            _ if state.is_open() => weighed.open.push((triaged, state)),
            _ => {}
        }
    }
    weighed
}
