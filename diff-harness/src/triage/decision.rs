//! What a person may say of a group, and the log of what was said.

use std::fmt;
use std::str::FromStr;

use crate::divergence::Severity;
use crate::endpoint::EndpointId;
use crate::exchange::UnixMillis;
use crate::fingerprint::Fingerprint;

use super::part::Predicate;

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

/// One decision on one group, as it was made. The newest that was not taken back counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    pub group: Fingerprint,
    pub call: Call,
    /// Who made it.
    pub actor: String,
    /// Who answers for it.
    pub owner: String,
    pub reason: String,
    /// When a waiver ends. One of noise that has no end covers what came before it only: see [`Decision::is_learned`].
    pub expires: Option<UnixMillis>,
    /// The candidate epoch that it was made in; for [`Call::Fixed`], the one that has the fix.
    pub epoch: String,
    pub at: UnixMillis,
}

impl Decision {
    /// Whether the proxy itself called it noise, since all that had been seen of it was noise that was learned after it.
    /// Covers nothing that is seen later: what the noise hides comes to no group, and what it does not hide is no noise.
    pub fn is_learned(&self) -> bool {
        self.call == Call::Noise && self.expires.is_none()
    }

    /// Whether what is seen after it opens the group again.
    pub fn covers_the_past_only(&self) -> bool {
        self.call == Call::Fixed || self.is_learned()
    }
}

/// A decision with its place in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    pub sequence: u64,
    pub decision: Decision,
}

/// What is asked of the log: one more line, on one group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    pub group: Fingerprint,
    pub act: Act,
    pub actor: String,
    pub reason: String,
    pub at: UnixMillis,
    /// The newest line about the group that the one who asks has seen, 0 for none. The wish conflicts when there is a
    /// newer one.
    pub expected: Option<u64>,
}

/// What is done with a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    Decide {
        call: Call,
        owner: String,
        expires: Option<UnixMillis>,
        /// See [`Decision::epoch`].
        epoch: String,
    },
    /// Takes the decision that counts back; the one before it counts again.
    Undo,
    /// Makes a part of the group a group of its own.
    Split(Predicate),
    /// Takes a split back: of the group that is such a part.
    Join,
}

impl Act {
    /// The word in the log and on the command line.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Decide { call, .. } => call.as_str(),
            Self::Undo => "undo",
            Self::Split(_) => "split",
            Self::Join => "join",
        }
    }
}

/// One line of the log. Append-only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its place in the log, from 1.
    pub sequence: u64,
    /// `None` for a waiver that was imported for a group that was never seen here.
    pub endpoint: Option<EndpointId>,
    /// The wish that it fulfilled.
    pub wish: Wish,
    /// The line that an undo or a join takes back.
    pub takes_back: Option<u64>,
    /// The part that a split made, or a join took back.
    pub part: Option<Fingerprint>,
}

impl Entry {
    /// The decision that it is, if it is one.
    pub fn decision(&self) -> Option<Decision> {
        let Wish { group, act, actor, reason, at, .. } = &self.wish;
        let Act::Decide { call, owner, expires, epoch } = act else { return None };
        Some(Decision {
            group: group.clone(),
            call: *call,
            actor: actor.clone(),
            owner: owner.clone(),
            reason: reason.clone(),
            expires: *expires,
            epoch: epoch.clone(),
            at: *at,
        })
    }
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
    #[error("only a waiver ends by itself: `{0}` takes no --expires")]
    NeedlessExpiry(Call),
    #[error(
        "an exposure is never noise: decide `bug`, or `expected` with an owner who answers for what is shown"
    )]
    ExposureAsNoise,
    #[error(
        "{0} overrode the gate for this endpoint and cannot approve what was overridden: somebody else must"
    )]
    OwnOverride(String),
    #[error("there is no group {0}")]
    UnknownGroup(Fingerprint),
    #[error("nothing was decided on {0} that could be taken back")]
    NothingToUndo(Fingerprint),
    #[error("{0} is not a part of another group, so there is nothing to join")]
    NotAPart(Fingerprint),
    #[error("{0} has parts of its own: join those first")]
    HasParts(Fingerprint),
    #[error("{part} is that part of {of} already")]
    SplitAlready { of: Fingerprint, part: Fingerprint },
    #[error("nothing that is known of {0} is such a part of it")]
    NothingInPart(Fingerprint),
    #[error(
        "{group} was decided on meanwhile: its newest entry is number {current}, you saw {expected}; look again and repeat"
    )]
    Conflict { group: Fingerprint, expected: u64, current: u64 },
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
        return match decision.expires {
            None => Ok(()),
            Some(_) => Err(Refusal::NeedlessExpiry(decision.call)),
        };
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
