//! Whether the candidate is slower.
//!
//! Two questions, both by order statistics that assume no distribution. Of pairs of one request: is the median of candidate
//! minus control within what is allowed? In a canary, of the answers that clients waited for: are p50, p95 or p99 of the
//! candidate shown to be worse than those of control? A failure is in neither: it is an error and no fast answer.

use std::time::Duration;

use super::reason::{Code, Reason, Unit};
use super::{Demand, Demands, Evidence};
use crate::evidence::quantile::{Interval, interval};
use crate::exchange::Side;
use crate::lifecycle::Stage;
use crate::report::latency::shown;
use crate::store::LatencyPair;

const CONFIDENCE: f64 = 0.95;
/// As few as give an interval for a median at 95 %.
const PAIRS_MIN: u64 = 6;

/// What is known of latencies, in microseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Latency {
    pub pairs: u64,
    /// The median of candidate minus control, exchange by exchange.
    pub difference: Option<Interval<i64>>,
    /// What that median may be at most.
    pub allowed_us: i64,
    /// p50, p95 and p99 of what clients waited for, where both sides answered enough of them.
    pub answers: Vec<Answers>,
}

/// One quantile of what clients waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answers {
    pub percent: u8,
    pub control: Interval<u32>,
    pub candidate: Interval<u32>,
    /// Whether the candidate's is shown to be worse by more than is allowed.
    pub is_worse: bool,
}

impl Latency {
    pub(super) fn of(demands: &Demands, evidence: &Evidence<'_>) -> Self {
        let pairs = &evidence.observed.latencies;
        let mut differences: Vec<i64> =
            pairs.iter().map(|pair| i64::from(pair.candidate_us) - i64::from(pair.control_us)).collect();
        differences.sort_unstable();
        let control = sorted(pairs.iter().map(|pair| pair.control_us));
        let median = control.get(control.len() / 2).copied().unwrap_or(0);
        let is_canary = matches!(evidence.standing.stage, Stage::Canary(_));
        Self {
            pairs: pairs.len() as u64,
            difference: interval(&differences, 0.5, CONFIDENCE),
            allowed_us: i64::from(allowed(demands, median) - median),
            answers: if is_canary { answers(demands, pairs) } else { Vec::new() },
        }
    }

    /// What fails, and what is not known yet.
    pub(super) fn reasons(&self, demands: &Demands) -> Vec<Reason> {
        if demands.latency == Demand::State {
            return Vec::new();
        }
        let mut reasons = Vec::new();
        let allowed = signed(self.allowed_us);
        match self.difference {
            None => reasons.push(
                Reason::new(
                    Code::LatencyUnknown,
                    format!(
                        "too few latencies of both sides: {} of the {PAIRS_MIN} pairs that a median takes",
                        self.pairs
                    ),
                )
                .with(self.pairs, PAIRS_MIN, Unit::Pairs),
            ),
            Some(difference) if difference.low > self.allowed_us => reasons.push(Reason::new(
                Code::Slower,
                format!(
                    "the candidate is slower: the median difference of {} pairs lies between {} and {}, and {allowed} is \
                     allowed",
                    self.pairs,
                    signed(difference.low),
                    signed(difference.high)
                ),
            )),
            Some(difference) if difference.high > self.allowed_us => reasons.push(Reason::new(
                Code::LatencyUnknown,
                format!(
                    "not known whether the candidate is slower: the median difference of {} pairs lies between {} and {}, \
                     and {allowed} is allowed",
                    self.pairs,
                    signed(difference.low),
                    signed(difference.high)
                ),
            )),
            Some(_) => {}
        }
        reasons.extend(self.answers.iter().filter(|answers| answers.is_worse).map(|answers| {
            Reason::new(
                Code::Slower,
                format!(
                    "clients wait longer for the candidate: its p{} lies between {} and {}, control's between {} and {}",
                    answers.percent,
                    micros(answers.candidate.low),
                    micros(answers.candidate.high),
                    micros(answers.control.low),
                    micros(answers.control.high)
                ),
            )
        }));
        reasons
    }

    /// One line on what is known.
    pub(super) fn stated(&self) -> String {
        match self.difference {
            None => format!("latency: {} pairs, too few to say anything", self.pairs),
            Some(difference) => format!(
                "latency: candidate minus control, median of {} pairs {} (95 %: {} to {}; {} is allowed)",
                self.pairs,
                signed(difference.estimate),
                signed(difference.low),
                signed(difference.high),
                signed(self.allowed_us)
            ),
        }
    }
}

fn answers(demands: &Demands, pairs: &[LatencyPair]) -> Vec<Answers> {
    let by = |side| pairs.iter().filter(move |pair| pair.answered_by == side);
    let control = sorted(by(Side::Control).map(|pair| pair.control_us));
    let candidate = sorted(by(Side::Candidate).map(|pair| pair.candidate_us));
    let quantile = |percent: u8| {
        let q = f64::from(percent) / 100.0;
        let (control, candidate) = (interval(&control, q, CONFIDENCE)?, interval(&candidate, q, CONFIDENCE)?);
        Some(Answers {
            percent,
            control,
            candidate,
            is_worse: candidate.low > allowed(demands, control.high),
        })
    };
    [50, 95, 99].into_iter().filter_map(quantile).collect()
}

/// The latency that is still not slower than this one of control.
fn allowed(demands: &Demands, control_us: u32) -> u32 {
    let slack = u32::try_from(demands.slower_by.as_micros()).unwrap_or(u32::MAX);
    let share = (f64::from(control_us) * demands.slower_share) as u32;
    control_us.saturating_add(slack.max(share)).min(i32::MAX as u32)
}

fn sorted(micros: impl Iterator<Item = u32>) -> Vec<u32> {
    let mut micros: Vec<_> = micros.collect();
    micros.sort_unstable();
    micros
}

fn micros(us: u32) -> String {
    shown(Duration::from_micros(u64::from(us)))
}

fn signed(us: i64) -> String {
    let sign = if us < 0 { "-" } else { "+" };
    format!("{sign}{}", shown(Duration::from_micros(us.unsigned_abs())))
}
