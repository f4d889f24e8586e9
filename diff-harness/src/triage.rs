//! What people decided about groups, and what became of it since.
//!
//! A decision never changes what was observed. The state of a group is derived, at any time, from the latest decision,
//! from where the group was seen, and from the clock that the caller passes in; nothing has to run for a waiver to
//! expire or for a group to regress.

use std::fmt;
use std::str::FromStr;

use crate::divergence::Severity;
use crate::exchange::UnixMillis;
use crate::fingerprint::Fingerprint;

/// What a person says a group is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    /// The candidate is wrong. Blocks until it is fixed.
    Bug,
    /// The candidate may differ here. A waiver: it expires.
    Expected,
    /// The two sides differ by nature here. A waiver: it expires. Never of an `exposure`.
    Noise,
    /// Fixed in the candidate epoch that the decision names.
    Fixed,
    /// Takes the last decision back: the group is new again.
    Reopen,
}

impl Call {
    pub const ALL: [Self; 5] = [Self::Bug, Self::Expected, Self::Noise, Self::Fixed, Self::Reopen];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bug => "bug",
            Self::Expected => "expected",
            Self::Noise => "noise",
            Self::Fixed => "fixed",
            Self::Reopen => "reopen",
        }
    }

    /// Whether it lets the group pass for a while.
    pub fn is_waiver(self) -> bool {
        matches!(self, Self::Expected | Self::Noise)
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Call {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|call| call.as_str() == text).ok_or_else(|| {
            format!("`{text}` is not a decision: expected bug, expected, noise, fixed or reopen")
        })
    }
}

/// One decision on one group, as it was made. Append-only; the newest counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    pub group: Fingerprint,
    pub call: Call,
    /// Who made it.
    pub actor: String,
    /// Who answers for it.
    pub owner: String,
    pub reason: String,
    /// When a waiver ends.
    pub expires: Option<UnixMillis>,
    /// The candidate epoch that it was made in; for [`Call::Fixed`], the one that has the fix.
    pub epoch: String,
    pub at: UnixMillis,
}

/// Why a decision is not taken.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Refusal {
    #[error("a decision needs a reason: say it with --reason")]
    NoReason,
    #[error("a waiver needs an owner who answers for it: name one with --owner")]
    NoOwner,
    #[error("a waiver needs a day on which it ends: give one with --expires")]
    NoExpiry,
    #[error("the waiver would have ended already: --expires must lie in the future")]
    Past,
    #[error(
        "an exposure is never noise: decide `bug`, or `expected` with an owner who answers for what is shown"
    )]
    ExposureAsNoise,
    #[error(
        "{0} overrode the gate for this endpoint and cannot approve what was overridden: somebody else must"
    )]
    OwnOverride(String),
}

/// Checks a decision before it is stored.
///
/// `overridden_by` are the people who forced this endpoint through the gate: none of them may waive its groups.
pub fn check(
    decision: &Decision,
    severity: Severity,
    overridden_by: &[String],
    now: UnixMillis,
) -> Result<(), Refusal> {
    if decision.reason.trim().is_empty() {
        return Err(Refusal::NoReason);
    }
    if !decision.call.is_waiver() {
        return Ok(());
    }
    if decision.call == Call::Noise && severity == Severity::Exposure {
        return Err(Refusal::ExposureAsNoise);
    }
    if decision.owner.trim().is_empty() {
        return Err(Refusal::NoOwner);
    }
    match decision.expires {
        None => return Err(Refusal::NoExpiry),
        Some(end) if end <= now => return Err(Refusal::Past),
        Some(_) => {}
    }
    if overridden_by.contains(&decision.actor) {
        return Err(Refusal::OwnOverride(decision.actor.clone()));
    }
    Ok(())
}

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
    /// Fixed or verified once, and seen again in that epoch or a later one.
    Regressed,
    /// Its waiver ended.
    Expired,
}

impl State {
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
        Call::Expected | Call::Noise if decision.expires.is_none_or(|end| end <= now) => State::Expired,
        Call::Expected => State::Expected,
        Call::Noise => State::Noise,
        Call::Fixed if since.last_since.is_some() => State::Regressed,
        Call::Fixed if since.compared_since >= enough => State::Verified,
        Call::Fixed => State::Fixed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 86_400_000;

    fn decision(call: Call) -> Decision {
        Decision {
            group: "v1-0123456789abcdef".parse().unwrap(),
            call,
            actor: "ada".into(),
            owner: "grace".into(),
            reason: "agreed with mobile".into(),
            expires: call.is_waiver().then_some(UnixMillis(10 * DAY)),
            epoch: "e1".into(),
            at: UnixMillis(DAY),
        }
    }

    fn state_of(call: Call, last_since: Option<u64>, compared_since: u64, now: u64) -> State {
        let since = Sightings { last_since: last_since.map(UnixMillis), compared_since };
        state(Some(&decision(call)), since, 100, UnixMillis(now))
    }

    #[test]
    fn a_group_nobody_decided_on_is_new_and_open() {
        let state = state(None, Sightings { last_since: None, compared_since: 0 }, 100, UnixMillis(0));
        assert_eq!(state, State::New);
        assert!(state.is_open());
    }

    #[test]
    fn a_waiver_ends_by_itself_and_blocks_again() {
        assert_eq!(state_of(Call::Expected, Some(2 * DAY), 5, 10 * DAY - 1), State::Expected);
        assert_eq!(state_of(Call::Expected, Some(2 * DAY), 5, 10 * DAY), State::Expired);
        assert!(State::Expired.is_open() && !State::Expected.is_open());
    }

    #[test]
    fn a_fix_is_verified_by_comparisons_and_not_by_silence() {
        assert_eq!(state_of(Call::Fixed, None, 99, 2 * DAY), State::Fixed);
        assert!(State::Fixed.is_open(), "an unproven fix lets nothing through");
        assert_eq!(state_of(Call::Fixed, None, 100, 2 * DAY), State::Verified);
    }

    #[test]
    fn a_group_that_comes_back_is_regressed_however_much_matched() {
        assert_eq!(state_of(Call::Fixed, Some(3 * DAY), 1_000_000, 4 * DAY), State::Regressed);
        assert!(State::Regressed.is_open());
    }

    #[test]
    fn a_bug_blocks_and_a_reopened_group_is_new() {
        assert!(state_of(Call::Bug, None, 1_000, DAY).is_open());
        assert_eq!(state_of(Call::Reopen, None, 1_000, DAY), State::New);
    }

    #[test]
    fn a_decision_without_what_it_needs_is_refused() {
        let now = UnixMillis(2 * DAY);
        let refused = |change: fn(&mut Decision), severity| {
            let mut decision = decision(Call::Expected);
            change(&mut decision);
            check(&decision, severity, &["eve".to_owned()], now)
        };
        assert_eq!(refused(|_| {}, Severity::Exposure), Ok(()));
        assert_eq!(refused(|d| d.reason = "  ".into(), Severity::Changed), Err(Refusal::NoReason));
        assert_eq!(refused(|d| d.owner.clear(), Severity::Changed), Err(Refusal::NoOwner));
        assert_eq!(refused(|d| d.expires = None, Severity::Changed), Err(Refusal::NoExpiry));
        assert_eq!(refused(|d| d.expires = Some(UnixMillis(2 * DAY)), Severity::Changed), Err(Refusal::Past));
        assert_eq!(refused(|d| d.call = Call::Noise, Severity::Exposure), Err(Refusal::ExposureAsNoise));
        assert_eq!(
            refused(|d| d.actor = "eve".into(), Severity::Changed),
            Err(Refusal::OwnOverride("eve".into()))
        );
    }

    #[test]
    fn a_bug_needs_neither_owner_nor_end() {
        let mut bug = decision(Call::Bug);
        bug.owner.clear();
        assert_eq!(check(&bug, Severity::Exposure, &[], UnixMillis(0)), Ok(()));
    }
}
