//! What the gate says, and on what.

use diff_harness::evidence::quantile::Interval;
use diff_harness::evidence::strata::Stratum;
use diff_harness::gate::{Latency, Meter, Reason, Ruling};
use diff_harness::store::NegativeControl;
use serde::{Deserialize, Serialize};

use super::time;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateView {
    /// `pass`, `fail` or `inconclusive`.
    pub answer: String,
    /// Why it is not `pass`, in sentences: what fails first, then what is missing.
    pub reasons: Vec<String>,
    /// The same, with codes for programs and meters where something can be counted.
    #[serde(default)]
    pub details: Vec<ReasonView>,
    /// What it stands on: shares with their denominators.
    pub stated: Vec<String>,
    /// Why no force helps; empty where it does.
    pub unforceable: Vec<String>,
    /// The name of the tier that the endpoint is held to.
    #[serde(default)]
    pub tier: String,
    /// The hypotheses and errors of the sequential test, in words.
    #[serde(default)]
    pub test: String,
    /// What can be counted, whether or not it is enough.
    #[serde(default)]
    pub meters: Vec<MeterView>,
    /// Comparisons that count.
    pub compared: u64,
    pub mismatched: u64,
    /// Comparisons that it takes when no further mismatch comes.
    #[serde(default)]
    pub needed: u64,
    /// Of the mismatched, how many were there again when both sides were asked again.
    #[serde(default)]
    pub confirmed: u64,
    /// Not counted: equal 5xx on both sides.
    pub both_failed: u64,
    /// Not counted: edits between the two requests.
    #[serde(default)]
    pub racing: u64,
    /// Counted as the same: mismatches that a waiver lets pass.
    #[serde(default)]
    pub waived: u64,
    /// Not counted: mismatches of what was fixed and verified since.
    #[serde(default)]
    pub fixed: u64,
    /// Not counted: repeats of one request.
    #[serde(default)]
    pub left_out: u64,
    /// Kinds of requests that are wrong by themselves, or look so.
    #[serde(default)]
    pub variants: Vec<VariantView>,
    #[serde(default)]
    pub coverage: CoverageView,
    #[serde(default)]
    pub latency: LatencyView,
    #[serde(default)]
    pub negative_control: Option<NegativeControlView>,
    pub open_groups: u64,
    pub open_exposures: u64,
}

/// One reason of the gate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReasonView {
    pub code: String,
    /// Whether it fails; else something is missing.
    pub fails: bool,
    pub sentence: String,
    pub meter: Option<MeterView>,
}

/// How much of what is needed is there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeterView {
    pub have: u64,
    pub need: u64,
    /// `comparisons`, `parameters`, `statuses`, `pairs` or `seconds`.
    pub unit: String,
    /// `1,240 of 2,995 comparisons`.
    pub text: String,
}

/// One kind of request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VariantView {
    pub shape: String,
    pub compared: u64,
    pub mismatched: u64,
    /// Whether the test rejects it; else too little is known of it.
    pub rejected: bool,
}

/// What was seen of what is declared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoverageView {
    pub parameters: Vec<SeenView>,
    pub statuses: Vec<SeenView>,
    pub callers: Vec<SeenView>,
    /// Declared header and cookie parameters, of which nothing is known.
    pub unobserved: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenView {
    pub name: String,
    pub seen: bool,
}

/// Latencies in microseconds, with 95 % intervals.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LatencyView {
    pub pairs: u64,
    /// The median of candidate minus control, exchange by exchange; `null` with too few pairs.
    pub difference: Option<IntervalView>,
    pub allowed_us: i64,
    /// In a canary: quantiles of what clients waited for.
    pub answers: Vec<AnswersView>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntervalView {
    pub low_us: i64,
    pub estimate_us: i64,
    pub high_us: i64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswersView {
    pub percent: u8,
    pub control: IntervalView,
    pub candidate: IntervalView,
    pub worse: bool,
}

/// A known divergence that was put into the comparison path.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NegativeControlView {
    pub tried: String,
    /// When everything was last found.
    pub found: Option<String>,
    /// What the last trial did not find.
    pub missed: Vec<String>,
}

impl From<&Ruling> for GateView {
    fn from(ruling: &Ruling) -> Self {
        let mut view = Self {
            answer: ruling.answer.as_str().to_owned(),
            reasons: ruling.reasons.iter().map(|reason| reason.sentence.clone()).collect(),
            details: ruling.reasons.iter().map(ReasonView::from).collect(),
            stated: ruling.stated.clone(),
            unforceable: ruling.unforceable().map(|reason| reason.sentence.clone()).collect(),
            tier: ruling.tier.clone(),
            meters: ruling.meters().iter().map(MeterView::from).collect(),
            compared: ruling.compared(),
            mismatched: ruling.mismatched(),
            open_groups: ruling.open_groups as u64,
            open_exposures: ruling.open_exposures as u64,
            ..Self::default()
        };
        let Some(weighed) = &ruling.evidence else { return view };
        let correctness = &weighed.correctness;
        view.test = correctness.sprt.to_string();
        view.needed = correctness.needed;
        view.confirmed = correctness.confirmed;
        view.both_failed = weighed.both_failed;
        view.racing = weighed.racing;
        view.waived = correctness.waived;
        view.fixed = correctness.fixed;
        view.left_out = correctness.strata.left_out;
        let variants = |strata: &[Stratum], rejected| -> Vec<_> {
            let variant = |stratum: &Stratum| VariantView {
                shape: stratum.shape.clone(),
                compared: stratum.compared,
                mismatched: stratum.mismatched,
                rejected,
            };
            strata.iter().map(variant).collect()
        };
        view.variants = variants(&correctness.strata.wrong, true);
        view.variants.extend(variants(&correctness.strata.suspect, false));
        let seen = |seen: &[(String, bool)]| -> Vec<_> {
            seen.iter().map(|(name, seen)| SeenView { name: name.clone(), seen: *seen }).collect()
        };
        let coverage = &weighed.coverage;
        view.coverage = CoverageView {
            parameters: seen(&coverage.parameters),
            statuses: seen(&coverage.statuses),
            callers: seen(&coverage.callers.map(|(name, seen)| (name.to_owned(), seen))),
            unobserved: coverage.unobserved.clone(),
        };
        view.latency = LatencyView::from(&weighed.latency);
        view.negative_control = weighed.negative_control.as_ref().map(NegativeControlView::from);
        view
    }
}

impl From<&Reason> for ReasonView {
    fn from(reason: &Reason) -> Self {
        Self {
            code: reason.code.as_str().to_owned(),
            fails: reason.code.fails(),
            sentence: reason.sentence.clone(),
            meter: reason.meter.as_ref().map(MeterView::from),
        }
    }
}

impl From<&Meter> for MeterView {
    fn from(meter: &Meter) -> Self {
        Self {
            have: meter.have,
            need: meter.need,
            unit: meter.unit.as_str().to_owned(),
            text: meter.to_string(),
        }
    }
}

impl From<&Latency> for LatencyView {
    fn from(latency: &Latency) -> Self {
        let answers = latency.answers.iter().map(|answers| AnswersView {
            percent: answers.percent,
            control: interval(answers.control),
            candidate: interval(answers.candidate),
            worse: answers.is_worse,
        });
        Self {
            pairs: latency.pairs,
            difference: latency.difference.map(interval),
            allowed_us: latency.allowed_us,
            answers: answers.collect(),
        }
    }
}

impl From<&NegativeControl> for NegativeControlView {
    fn from(trial: &NegativeControl) -> Self {
        Self { tried: time(trial.tried), found: trial.found.map(time), missed: trial.missed.clone() }
    }
}

fn interval<T: Into<i64>>(interval: Interval<T>) -> IntervalView {
    IntervalView {
        low_us: interval.low.into(),
        estimate_us: interval.estimate.into(),
        high_us: interval.high.into(),
    }
}
