//! The one interface to what is remembered: routes, transitions and evidence.
//!
//! Small on purpose, so that a store for several replicas can take the place of the SQLite ledger without
//! touching its callers. Calls block; the callers keep them off the threads that answer clients.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::comparison::{DropReason, SkipReason, Verdict};
use crate::divergence::{Divergence, Kind, Severity};
use crate::endpoint::EndpointId;
use crate::exchange::{Exchange, UnixMillis};
use crate::fingerprint::Fingerprint;
use crate::lifecycle::{Declaration, Flip, Route, Transition};
use crate::redact::Redacted;

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

    /// Comparisons by shape for one endpoint in one epoch.
    fn shapes(&self, endpoint: &EndpointId, epoch: &Epoch) -> Result<Vec<ShapeTally>, StoreError>;

    /// The newest paired latencies of one endpoint in one epoch, oldest first: a sample, not all of them.
    fn latencies(&self, endpoint: &EndpointId, epoch: &Epoch) -> Result<Vec<LatencyPair>, StoreError>;

    /// Groups, worst severity first, then by count.
    fn groups(&self, filter: &GroupFilter<'_>) -> Result<Vec<Group>, StoreError>;

    /// One group, over all epochs.
    fn group(&self, fingerprint: &Fingerprint) -> Result<Option<Group>, StoreError>;

    /// Kept exchanges of a group, newest first.
    fn samples(&self, group: &Fingerprint, limit: usize) -> Result<Vec<Sample>, StoreError>;

    /// One kept exchange by the request id.
    fn exchange(&self, id: &str) -> Result<Option<Sample>, StoreError>;

    /// How often each rule applied and hid something in an epoch.
    fn rules(&self, epoch: &Epoch) -> Result<Vec<RuleTally>, StoreError>;

    /// Traffic that matched no endpoint, by what was proposed for it.
    fn undeclared(&self, limit: usize) -> Result<Vec<Undeclared>, StoreError>;

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

/// One deployment of both sides under one set of rules. Evidence belongs to exactly one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Epoch {
    pub candidate: String,
    pub control: String,
    pub rules: String,
}

/// When an epoch was first and last recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EpochSpan {
    pub epoch: Epoch,
    pub first: UnixMillis,
    pub last: UnixMillis,
}

#[derive(Clone, Copy, Debug)]
pub enum EpochFilter<'a> {
    /// Everything that was ever recorded.
    All,
    Only(&'a Epoch),
}

/// What was observed since the last batch.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    pub at: UnixMillis,
    pub epoch: Epoch,
    /// Counted since the last batch, verdicts too; `None` for requests that matched no endpoint. What follows says
    /// more of the same requests and adds nothing to these counts.
    pub tallies: Vec<(Option<EndpointId>, Tally)>,
    /// Comparisons that are remembered one by one: all mismatches, and those of which the exchange is kept.
    pub comparisons: Vec<ComparisonRecord>,
    /// All other comparisons, counted by shape: a match costs no row of its own.
    pub plain: Vec<PlainTally>,
    pub undeclared: Vec<Undeclared>,
}

/// What became of requests. `seen` is the sum of all that ended, and every one of them ended in exactly one of
/// compared, skipped and dropped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub matched: u64,
    pub tolerated: u64,
    pub mismatched: u64,
    /// How many of the compared had equal 5xx on both sides: no evidence of parity.
    pub both_failed: u64,
    pub skipped: BTreeMap<SkipReason, u64>,
    pub dropped: BTreeMap<DropReason, u64>,
    /// Requests that were answered by control and by the candidate.
    pub answered_control: u64,
    pub answered_candidate: u64,
    /// Of `answered_control`: safe requests that the candidate should have answered and failed.
    pub fallbacks: u64,
    /// Requests that the proxy answered itself, with an error.
    pub answered_proxy: u64,
}

impl Tally {
    pub fn compared(&self) -> u64 {
        self.matched + self.tolerated + self.mismatched
    }

    pub fn skipped_total(&self) -> u64 {
        self.skipped.values().sum()
    }

    pub fn dropped_total(&self) -> u64 {
        self.dropped.values().sum()
    }

    /// The denominator of everything else.
    pub fn seen(&self) -> u64 {
        self.compared() + self.skipped_total() + self.dropped_total()
    }

    pub fn count(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::Match => self.matched += 1,
            Verdict::Tolerated => self.tolerated += 1,
            Verdict::Mismatch => self.mismatched += 1,
        }
    }

    pub fn add(&mut self, other: &Self) {
        self.matched += other.matched;
        self.tolerated += other.tolerated;
        self.mismatched += other.mismatched;
        self.both_failed += other.both_failed;
        for (reason, n) in &other.skipped {
            *self.skipped.entry(*reason).or_default() += n;
        }
        for (reason, n) in &other.dropped {
            *self.dropped.entry(*reason).or_default() += n;
        }
        self.answered_control += other.answered_control;
        self.answered_candidate += other.answered_candidate;
        self.fallbacks += other.fallbacks;
        self.answered_proxy += other.answered_proxy;
    }
}

/// One comparison to remember. Everything in it is redacted.
#[derive(Clone, Debug)]
pub struct ComparisonRecord {
    /// The request id.
    pub id: String,
    pub at: UnixMillis,
    pub endpoint: EndpointId,
    pub verdict: Verdict,
    pub both_failed: bool,
    /// What kind of request it was: status class, whether authenticated, which optional parameters, body shape.
    pub shape: String,
    pub divergences: Vec<(Fingerprint, Redacted<Divergence>)>,
    /// Rules that hid something, with how much.
    pub tolerated: Vec<(String, u64)>,
    /// Rules that found a place to apply.
    pub applied: Vec<String>,
    pub notes: Vec<String>,
    pub control_latency: Duration,
    pub candidate_latency: Duration,
    /// The exchange with its bodies; kept for divergent ones and for a sample of matches.
    pub exchange: Option<Redacted<Exchange>>,
}

/// Comparisons of one endpoint, one shape and one verdict that found no divergence beyond the rules and of which
/// no exchange is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlainTally {
    pub endpoint: EndpointId,
    pub shape: String,
    /// `Match` or `Tolerated`; a mismatch is always remembered by itself.
    pub verdict: Verdict,
    pub both_failed: bool,
    pub count: u64,
    /// Rules that hid something in them, with how much.
    pub tolerated: Vec<(String, u64)>,
    /// Rules that found a place to apply, with in how many of them.
    pub applied: Vec<(String, u64)>,
    /// Paired latencies: of all of them, or of as many as were kept.
    pub latencies: Vec<LatencyPair>,
}

/// How long the two sides took over one exchange, in microseconds; over 71 minutes reads as `u32::MAX`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LatencyPair {
    pub control_us: u32,
    pub candidate_us: u32,
}

impl LatencyPair {
    pub fn new(control: Duration, candidate: Duration) -> Self {
        let micros = |latency: Duration| u32::try_from(latency.as_micros()).unwrap_or(u32::MAX);
        Self { control_us: micros(control), candidate_us: micros(candidate) }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShapeTally {
    pub shape: String,
    pub compared: u64,
    pub mismatched: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleTally {
    pub rule: String,
    /// Comparisons in which it found a place to apply.
    pub applied: u64,
    /// Divergences that it hid.
    pub hidden: u64,
}

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

/// A kept exchange with what was found in it.
#[derive(Clone, Debug)]
pub struct Sample {
    pub exchange: Redacted<Exchange>,
    pub divergences: Vec<(Fingerprint, Redacted<Divergence>)>,
    pub notes: Vec<String>,
}

/// Traffic that matched no endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undeclared {
    /// The proposed endpoint: ids became parameters.
    pub proposed: EndpointId,
    pub count: u64,
    /// A few paths that it was seen with, without their queries: its evidence.
    pub examples: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    pub exchanges: u64,
    pub bytes: u64,
}
