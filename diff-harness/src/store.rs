//! The one interface to what is remembered: routes, transitions and evidence.
//!
//! Small on purpose, so that a store for several replicas can take the place of the SQLite ledger without
//! touching its callers. Calls block; the callers keep them off the threads that answer clients.

mod batch;
mod epoch;
mod evidence;
mod group;
mod spread;

pub use batch::{Batch, ComparisonRecord, LatencyPair, NegativeControl, PlainTally, Recorded, Undeclared};
pub use epoch::{Epoch, EpochFilter, EpochSpan};
pub use evidence::{MismatchTally, Moments, Observed, RuleTally, Sample, ShapeTally, Swept, Tally};
pub use group::{
    Among, DecisionsOf, Group, GroupEpoch, GroupFilter, GroupListing, GroupShape, GroupSum, Listed,
    Neighbours, Took,
};
pub use spread::Spread;

use std::collections::BTreeMap;

use crate::audit::{AuditListing, Audited, Change};
use crate::endpoint::EndpointId;
use crate::exchange::UnixMillis;
use crate::fingerprint::Fingerprint;
use crate::lifecycle::{Declaration, Flip, Route, Transition};
use crate::noise::book::EndpointNoise;
use crate::triage::{self, Decided, Entry, Part, Triaged, Wish};

pub trait Store: Send + Sync + 'static {
    /// All endpoints, in the order of [`EndpointId`].
    fn routes(&self) -> Result<Vec<Route>, StoreError>;

    /// Adds endpoints at stage `legacy`, and brings the declarations of known ones up to date. Never moves one.
    /// All or nothing.
    fn declare(
        &self,
        endpoints: &[(EndpointId, Declaration)],
        at: UnixMillis,
    ) -> Result<Declared, StoreError>;

    /// Makes the flip durable and appends it to the audit log, or changes nothing. When it has returned `Ok` the
    /// transition survives a crash.
    fn flip(&self, flip: &Flip) -> Result<Transition, StoreError>;

    /// The newest transitions first.
    fn transitions(&self, endpoint: Option<&EndpointId>, limit: usize)
    -> Result<Vec<Transition>, StoreError>;

    /// Adds what was observed since the last call. All or nothing; durable within the store's own interval.
    fn record(&self, batch: &Batch) -> Result<(), StoreError>;

    /// The epochs of which something was recorded, the newest first.
    fn epochs(&self) -> Result<Vec<EpochSpan>, StoreError>;

    /// What became of all requests, by endpoint. `None` stands for requests that matched no endpoint.
    fn tallies(&self, epoch: EpochFilter<'_>) -> Result<Vec<(Option<EndpointId>, Tally)>, StoreError>;

    /// All that was observed of one endpoint in one epoch, as it stands at one moment: what the gate judges by.
    fn observed(&self, endpoint: &EndpointId, epoch: &Epoch) -> Result<Observed, StoreError>;

    /// What was learned to differ between control and control, under this deployment of control.
    fn noise(&self, control: &str) -> Result<Vec<(EndpointId, EndpointNoise)>, StoreError>;

    /// The newest paired latencies of one endpoint in one epoch, oldest first: a sample, not all of them.
    fn latencies(&self, endpoint: &EndpointId, epoch: &Epoch) -> Result<Vec<LatencyPair>, StoreError>;

    /// Groups, worst severity first, then by count.
    fn groups(&self, filter: &GroupFilter<'_>) -> Result<Vec<Group>, StoreError>;

    /// One group, over all epochs.
    fn group(&self, fingerprint: &Fingerprint) -> Result<Option<Group>, StoreError>;

    /// Groups as [`Store::groups`] gives them, each with what its triage state follows from.
    fn triaged(&self, filter: &GroupFilter<'_>) -> Result<Vec<Triaged>, StoreError>;

    /// One group, over all epochs, with what its triage state follows from.
    fn triaged_group(&self, fingerprint: &Fingerprint) -> Result<Option<Triaged>, StoreError>;

    /// Appends one line to the log of decisions, or changes nothing. Durable when it has returned `Ok`. It checks what
    /// only the store can know (that the group exists, that there is something to take back, that nobody was faster);
    /// [`triage::check`] is the caller's.
    ///
    /// [`triage::check`]: crate::triage::check
    fn decide(&self, wish: &Wish) -> Result<Entry, StoreError>;

    /// Takes over waivers that were decided elsewhere, for groups that may never have been seen here; what came of each.
    /// What was decided here wins: nothing that is in the log already is added again, whether or not it was taken back,
    /// and no waiver covers what somebody here called a bug. `parts` are told apart from then on. All or nothing.
    fn import(&self, parts: &[Wish], waivers: &[Wish]) -> Result<Vec<Took>, StoreError>;

    /// The log of decisions, newest first.
    fn decisions(&self, of: DecisionsOf<'_>, limit: usize) -> Result<Vec<Entry>, StoreError>;

    /// The decisions that count now, one for each group that has one.
    fn in_force(&self) -> Result<Vec<Decided>, StoreError>;

    /// The splits that count now.
    fn parts(&self) -> Result<Vec<(Fingerprint, Part)>, StoreError>;

    /// In which shapes of requests a group was found, most often first.
    fn group_shapes(
        &self,
        group: &Fingerprint,
        epoch: EpochFilter<'_>,
    ) -> Result<Vec<GroupShape>, StoreError>;

    /// In which epochs a group was found, the newest first.
    fn group_epochs(&self, group: &Fingerprint) -> Result<Vec<GroupEpoch>, StoreError>;

    /// One page of the groups of one epoch, worst severity first, then by count.
    fn list_groups(&self, listing: &GroupListing<'_>) -> Result<Listed, StoreError>;

    /// The groups before and after this one in such a list.
    fn neighbours(&self, listing: &GroupListing<'_>, of: &Fingerprint) -> Result<Neighbours, StoreError>;

    /// How many groups of each endpoint and severity an epoch has, without `except`.
    fn group_sums(&self, epoch: &Epoch, except: &[Fingerprint]) -> Result<Vec<GroupSum>, StoreError>;

    /// What each of these groups was like when this person looked at it last; those never looked at are left out.
    fn views(
        &self,
        person: &str,
        groups: &[Fingerprint],
    ) -> Result<BTreeMap<Fingerprint, String>, StoreError>;

    /// Remembers that this person looked at a group, and what it was like.
    fn keep_view(
        &self,
        person: &str,
        group: &Fingerprint,
        seen_as: &str,
        at: UnixMillis,
    ) -> Result<(), StoreError>;

    /// Kept exchanges of a group, newest first.
    fn samples(&self, group: &Fingerprint, limit: usize) -> Result<Vec<Sample>, StoreError>;

    /// Unsafe requests that were recorded of an endpoint, the newest first.
    fn recorded(&self, endpoint: &EndpointId, limit: usize) -> Result<Vec<Recorded>, StoreError>;

    /// One kept exchange by the request id.
    fn exchange(&self, id: &str) -> Result<Option<Sample>, StoreError>;

    /// How often each rule applied and hid something in an epoch.
    fn rules(&self, epoch: &Epoch) -> Result<Vec<RuleTally>, StoreError>;

    /// Traffic that matched no endpoint, by what was proposed for it.
    fn undeclared(&self, limit: usize) -> Result<Vec<Undeclared>, StoreError>;

    /// One page of all that was done: transitions, decisions, changes, epochs that began.
    fn audit(&self, listing: &AuditListing<'_>) -> Result<Audited, StoreError>;

    /// Appends a change to the audit log. Durable when it has returned `Ok`.
    fn note(&self, change: &Change) -> Result<(), StoreError>;

    /// Deletes what is over the retention limits, oldest first. Counts, groups and the audit log stay.
    fn sweep(&self, now: UnixMillis) -> Result<Swept, StoreError>;

    /// A value kept under a name: the cohort salt, the current epochs.
    fn setting(&self, name: &str) -> Result<Option<String>, StoreError>;

    fn set_setting(&self, name: &str, value: &str) -> Result<(), StoreError>;
}

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error(
        "{0} is not a known endpoint; `strangler routes list` shows the known ones, `strangler routes add` adds one"
    )]
    UnknownEndpoint(EndpointId),
    #[error(
        "{endpoint} changed under you: it is at revision {current}, you saw revision {expected}; look at it again and repeat"
    )]
    Conflict { endpoint: EndpointId, expected: u64, current: u64 },
    /// The endpoint's kind of method cannot stand at that stage.
    #[error("{endpoint} cannot be at stage {stage}: {why}")]
    Unsuitable { endpoint: EndpointId, stage: String, why: &'static str },
    #[error(transparent)]
    Triage(#[from] triage::Refusal),
    /// What is wrong with the file and what to do, in words for a person.
    #[error("{0}")]
    Unusable(String),
    #[error("the store failed: {0}")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Declared {
    pub added: Vec<EndpointId>,
    pub updated: Vec<EndpointId>,
    pub unchanged: usize,
}
