//! What the store says of an endpoint: counts, shapes, samples.

use std::collections::BTreeMap;

use super::{LatencyPair, NegativeControl, Spread};
use crate::comparison::{DropReason, SkipReason, Verdict};
use crate::divergence::Divergence;
use crate::exchange::{Exchange, UnixMillis};
use crate::fingerprint::Fingerprint;
use crate::redact::Redacted;

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

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleTally {
    pub rule: String,
    /// Comparisons in which it found a place to apply.
    pub applied: u64,
    /// Divergences that it hid.
    pub hidden: u64,
}

/// A kept exchange with what was found in it.
#[derive(Clone, Debug)]
pub struct Sample {
    pub exchange: Redacted<Exchange>,
    pub divergences: Vec<(Fingerprint, Redacted<Divergence>)>,
    pub notes: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    pub exchanges: u64,
    pub bytes: u64,
}
