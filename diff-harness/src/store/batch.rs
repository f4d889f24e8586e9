//! What goes into the store: what was observed since it was last written to.

use std::time::Duration;

use super::{Epoch, Spread, Tally};
use crate::comparison::Verdict;
use crate::divergence::Divergence;
use crate::endpoint::EndpointId;
use crate::exchange::{Exchange, Observation, Request, Side, UnixMillis};
use crate::fingerprint::Fingerprint;
use crate::noise::book::EndpointNoise;
use crate::noise::confirm::Confirmation;
use crate::redact::Redacted;

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
