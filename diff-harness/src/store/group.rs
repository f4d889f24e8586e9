//! Groups of divergences: one, a page of them, and what was decided of them.

use super::{Epoch, EpochFilter, EpochSpan};
use crate::divergence::{Divergence, Kind, Severity};
use crate::endpoint::EndpointId;
use crate::exchange::UnixMillis;
use crate::fingerprint::Fingerprint;
use crate::redact::Redacted;
use crate::search::Search;
use crate::triage::{Call, Entry, Triaged};

/// All divergences with one fingerprint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    pub fingerprint: Fingerprint,
    pub endpoint: EndpointId,
    pub kind: Kind,
    pub severity: Severity,
    /// The generalized location, as text.
    pub location: String,
    pub detail: Option<String>,
    /// Divergences of this group, over the epochs that were asked for.
    pub count: u64,
    /// Exchanges that had at least one.
    pub exchanges: u64,
    pub first_seen: UnixMillis,
    pub last_seen: UnixMillis,
    /// Values of its newest divergence.
    pub example: Redacted<Divergence>,
}

#[derive(Clone, Copy, Debug)]
pub struct GroupFilter<'a> {
    pub endpoint: Option<&'a EndpointId>,
    pub epoch: EpochFilter<'a>,
    pub least_severity: Option<Severity>,
    pub limit: usize,
}

/// Whose decisions are listed.
#[derive(Clone, Copy, Debug)]
pub enum DecisionsOf<'a> {
    All,
    Group(&'a Fingerprint),
    Endpoint(&'a EndpointId),
}

/// What came of a waiver that was decided elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Took {
    Added(Box<Entry>),
    /// It is in the log already.
    Known,
    /// Somebody here called the group something else.
    DecidedHere(Call),
}

/// How often a group was found in exchanges of one shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupShape {
    pub shape: String,
    pub count: u64,
    pub exchanges: u64,
}

/// How often a group was found in one epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupEpoch {
    /// When it was first and last seen in it.
    pub seen: EpochSpan,
    pub count: u64,
    pub exchanges: u64,
}

/// Groups of one endpoint and severity in one epoch, counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupSum {
    pub endpoint: EndpointId,
    pub severity: Severity,
    pub groups: u64,
    /// When the oldest of them was first seen in the epoch.
    pub oldest: UnixMillis,
}

/// Which groups of one epoch are listed, and which page of them.
#[derive(Clone, Copy, Debug)]
pub struct GroupListing<'a> {
    pub epoch: &'a Epoch,
    pub endpoint: Option<&'a EndpointId>,
    /// Of this severity only.
    pub severity: Option<Severity>,
    /// Words that must all stand in the endpoint, the kind or the location, in any case, or be the fingerprint.
    pub search: &'a Search,
    pub among: Among<'a>,
    pub offset: usize,
    pub limit: usize,
}

impl<'a> GroupListing<'a> {
    /// The first of them in one epoch, whatever their endpoint and severity.
    pub fn first(limit: usize, among: Among<'a>, epoch: &'a Epoch) -> Self {
        Self { epoch, endpoint: None, severity: None, search: Search::nothing(), among, offset: 0, limit }
    }

    /// These groups, where the epoch has them.
    pub fn only(groups: &'a [Fingerprint], epoch: &'a Epoch) -> Self {
        Self::first(groups.len(), Among::Only(groups), epoch)
    }
}

#[derive(Clone, Copy, Debug)]
pub enum Among<'a> {
    All,
    Only(&'a [Fingerprint]),
    Except(&'a [Fingerprint]),
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listed {
    pub groups: Vec<Triaged>,
    /// On all pages together.
    pub found: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Neighbours {
    pub before: Option<Fingerprint>,
    pub after: Option<Fingerprint>,
}
