//! The one interface to what is remembered: routes, transitions and evidence.
//!
//! Small on purpose, so that a store for several replicas can take the place of the SQLite ledger without
//! touching its callers. Calls block; the callers keep them off the threads that answer clients.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::comparison::{DropReason, SkipReason, Verdict};
use crate::divergence::{Divergence, Kind, Severity};
use crate::endpoint::EndpointId;
use crate::exchange::{Exchange, Observation, Request, Side, UnixMillis};
use crate::fingerprint::Fingerprint;
use crate::lifecycle::{Declaration, Flip, Route, Transition};
use crate::noise::book::EndpointNoise;
use crate::noise::confirm::Confirmation;
use crate::redact::Redacted;
use crate::triage::{self, Call, Decided, Entry, Part, Triaged, Wish};

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

    /// One page of the groups of one epoch, worst severity first, then by count.
    fn list_groups(&self, listing: &GroupListing<'_>) -> Result<Listed, StoreError>;

    /// The groups before and after this one in such a list.
    fn neighbours(&self, listing: &GroupListing<'_>, of: &Fingerprint) -> Result<Neighbours, StoreError>;

    /// How many groups of each endpoint and severity an epoch has, without `except`.
    fn group_sums(
        &self,
        epoch: &Epoch,
        except: &[Fingerprint],
    ) -> Result<Vec<(EndpointId, Severity, u64)>, StoreError>;

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
    pub recorded: Vec<Recorded>,
    /// Endpoints of which noise was learned or hid something: the whole of it, under this epoch's control.
    pub noise: Vec<(EndpointId, EndpointNoise)>,
    /// Known divergences that were put into the comparison path since the last batch.
    pub negative_controls: Vec<(EndpointId, NegativeControl)>,
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
    /// How many of the mismatched were edits that came between the two requests: no evidence either way.
    pub racing: u64,
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
        self.racing += other.racing;
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
    /// What asking both sides again said of a mismatch: it is there again, or the candidate does not agree with itself.
    /// `None` where they were not asked again; it counts all the same. One that was an edit in between is no record but
    /// a [`PlainTally`].
    pub confirmation: Option<Confirmation>,
    pub both_failed: bool,
    /// What kind of request it was: status class, whether authenticated, which optional parameters, body shape.
    pub shape: String,
    /// Which of [`Spread::PLACES`] the request falls in.
    pub place: u8,
    /// Control's status; `None` where it gave no response.
    pub status: Option<u16>,
    pub divergences: Vec<(Fingerprint, Redacted<Divergence>)>,
    /// Rules that hid something, with how much.
    pub tolerated: Vec<(String, u64)>,
    /// Rules that found a place to apply.
    pub applied: Vec<String>,
    pub notes: Vec<String>,
    /// `None` where a side failed: a failure is no fast answer.
    pub latencies: Option<LatencyPair>,
    /// The exchange with its bodies; kept for divergent ones and for a sample of matches.
    pub exchange: Option<Redacted<Exchange>>,
}

/// Comparisons of one endpoint, one shape, one status and one verdict of which only the count is kept: they found no
/// divergence beyond the rules, or what they found was an edit that came between the two requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlainTally {
    pub endpoint: EndpointId,
    pub shape: String,
    /// Control's status; `None` where it gave no response.
    pub status: Option<u16>,
    /// `Mismatch` says that all of them were racing; every other mismatch is remembered by itself.
    pub verdict: Verdict,
    pub both_failed: bool,
    pub count: u64,
    /// How many different requests they were.
    pub spread: Spread,
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
    /// Which of the two the client waited for; the other one was asked as the shadow.
    pub answered_by: Side,
}

impl LatencyPair {
    pub fn new(control: Duration, candidate: Duration, answered_by: Side) -> Self {
        let micros = |latency: Duration| u32::try_from(latency.as_micros()).unwrap_or(u32::MAX);
        Self { control_us: micros(control), candidate_us: micros(candidate), answered_by }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShapeTally {
    pub shape: String,
    pub compared: u64,
    pub mismatched: u64,
    /// Of the compared: equal 5xx on both sides.
    pub both_failed: u64,
    /// Of the mismatched: edits that came between the two requests.
    pub racing: u64,
    /// How the ones that count (neither of the two above) spread over different requests.
    pub spread: Spread,
}

/// All that was observed of one endpoint in one epoch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observed {
    pub tally: Tally,
    pub shapes: Vec<ShapeTally>,
    /// Mismatches by shape and by the groups that they belong to. Racing ones are not among them.
    pub mismatches: Vec<MismatchTally>,
    /// What control answered, with how often.
    pub statuses: Vec<(u16, u64)>,
    /// The newest ones, oldest first.
    pub latencies: Vec<LatencyPair>,
    pub moments: Moments,
    pub negative_control: Option<NegativeControl>,
}

/// Mismatches of one shape that belong to the same groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MismatchTally {
    pub shape: String,
    /// Empty where there were too many combinations to tell them apart.
    pub groups: Vec<Fingerprint>,
    pub count: u64,
    /// How many of them were there again when both sides were asked again.
    pub confirmed: u64,
}

/// When something last became of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moments {
    /// The first of anything in the epoch.
    pub began: Option<UnixMillis>,
    pub compared: Option<UnixMillis>,
    /// Should have been compared and was not.
    pub dropped: Option<UnixMillis>,
}

/// A known divergence that was put into the comparison path, to see whether it is found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NegativeControl {
    /// When it was last tried.
    pub tried: UnixMillis,
    /// When everything was last found; kept over later failures.
    pub found: Option<UnixMillis>,
    /// What the last trial did not find; empty where it found everything.
    pub missed: Vec<String>,
}

/// How often each of a few places was met: equal requests fall in one place, so that one request repeated a thousand
/// times is told from a thousand requests. Two requests that share a place count as one: too few, never too many.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spread(Option<Box<[u32; Spread::PLACES]>>);

impl Spread {
    pub const PLACES: usize = 64;

    /// Where a request falls: by what it asks for and who asks. FNV-1a: the same in every version, for it is stored.
    pub fn place<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> u8 {
        let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        let hash = parts.into_iter().fold(0xcbf2_9ce4_8422_2325, |hash, part| {
            // 0xff ends a part: it stands in no UTF-8 text.
            step(part.iter().fold(hash, |hash, byte| step(hash, *byte)), 0xff)
        });
        // The high bits of the product are the well mixed ones.
        (hash.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 58) as u8
    }

    pub fn add(&mut self, place: u8, n: u32) {
        let counts = self.0.get_or_insert_with(|| Box::new([0; Self::PLACES]));
        let count = &mut counts[usize::from(place) % Self::PLACES];
        *count = count.saturating_add(n);
    }

    pub fn merge(&mut self, other: &Self) {
        for (place, n) in other.counts().iter().enumerate().filter(|(_, n)| **n > 0) {
            self.add(place as u8, *n);
        }
    }

    /// All of them, each place counting for at most `cap`.
    pub fn capped(&self, cap: u64) -> u64 {
        self.counts().iter().map(|n| u64::from(*n).min(cap)).sum()
    }

    /// Different requests, as far as they are told apart.
    pub fn distinct(&self) -> usize {
        self.counts().iter().filter(|n| **n > 0).count()
    }

    pub fn counts(&self) -> &[u32] {
        self.0.as_ref().map_or(&[], |counts| &counts[..])
    }
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

/// Which groups of one epoch are listed, and which page of them.
#[derive(Clone, Copy, Debug)]
pub struct GroupListing<'a> {
    pub epoch: &'a Epoch,
    pub endpoint: Option<&'a EndpointId>,
    /// Of this severity only.
    pub severity: Option<Severity>,
    /// Words that must all stand in the endpoint, the kind, the location or the fingerprint, in any case.
    pub search: &'a str,
    pub among: Among<'a>,
    pub offset: usize,
    pub limit: usize,
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

/// A kept exchange with what was found in it.
#[derive(Clone, Debug)]
pub struct Sample {
    pub exchange: Redacted<Exchange>,
    pub divergences: Vec<(Fingerprint, Redacted<Divergence>)>,
    pub notes: Vec<String>,
}

/// An unsafe request that control carried out, with its response. The candidate was not asked, and what an exchange has of it
/// is not shown.
#[derive(Clone, Debug)]
pub struct Recorded(Redacted<Exchange>);

impl Recorded {
    pub fn new(exchange: Redacted<Exchange>) -> Self {
        Self(exchange)
    }

    /// The request id.
    pub fn id(&self) -> &str {
        &self.0.get().id
    }

    pub fn at(&self) -> UnixMillis {
        self.0.get().at
    }

    pub fn endpoint(&self) -> &EndpointId {
        &self.0.get().endpoint
    }

    pub fn request(&self) -> &Request {
        &self.0.get().request
    }

    /// What control answered.
    pub fn control(&self) -> &Observation {
        &self.0.get().control
    }

    pub(crate) fn exchange(&self) -> &Redacted<Exchange> {
        &self.0
    }
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
