//! Whether enough was compared, and how much of it was wrong.

use std::collections::BTreeMap;

use super::reason::{Code, Reason, Unit, thousands};
use super::{Demands, Evidence};
use crate::evidence::sprt::{Decision, Sprt};
use crate::evidence::strata::{Strata, Stratum, weigh};
use crate::fingerprint::Fingerprint;
use crate::store::ShapeTally;
use crate::triage::State;

/// The comparisons of an endpoint, as the sequential test sees them.
#[derive(Clone, Debug, PartialEq)]
pub struct Correctness {
    pub sprt: Sprt,
    /// What counts after the cap on one request, by shape.
    pub strata: Strata,
    /// Comparisons that are evidence, before the cap.
    pub compared: u64,
    /// Mismatches that a waiver lets pass: evidence that all the rest was the same.
    pub waived: u64,
    /// Mismatches of what was fixed and verified since: no evidence.
    pub fixed: u64,
    /// Mismatches that were there again when both sides were asked again.
    pub confirmed: u64,
    /// Comparisons that it takes in all, when no further mismatch comes.
    pub needed: u64,
    /// How many comparisons of one request count; `None` where the endpoint has but one.
    pub same_request_max: Option<u64>,
    /// Different requests, as far as they are told apart.
    pub different: usize,
    pub decision: Decision,
}

impl Correctness {
    pub(super) fn of(demands: &Demands, evidence: &Evidence<'_>) -> Self {
        let observed = evidence.observed;
        let state = |group: &Fingerprint| {
            let known = evidence.groups.iter().find(|known| known.group.fingerprint == *group);
            known.map_or(State::New, |known| known.state)
        };
        let (mut wrong, mut fixed) = (BTreeMap::<&str, u64>::new(), BTreeMap::<&str, u64>::new());
        let (mut waived, mut confirmed) = (0, 0);
        for mismatch in &observed.mismatches {
            let states: Vec<_> = mismatch.groups.iter().map(state).collect();
            if states.is_empty() || states.iter().any(|state| state.is_open()) {
                *wrong.entry(&mismatch.shape).or_default() += mismatch.count;
                confirmed += mismatch.confirmed;
            } else if states.iter().all(|state| *state == State::Verified) {
                *fixed.entry(&mismatch.shape).or_default() += mismatch.count;
            } else {
                waived += mismatch.count;
            }
        }
        let cap = has_many_requests(evidence).then(|| demands.same_request_max());
        let strata: Vec<_> = observed
            .shapes
            .iter()
            .map(|shape| {
                let of =
                    |counts: &BTreeMap<&str, u64>| counts.get(shape.shape.as_str()).copied().unwrap_or(0);
                Stratum {
                    shape: shape.shape.clone(),
                    compared: evidence_of(shape).saturating_sub(of(&fixed)),
                    mismatched: of(&wrong),
                    allowed: cap.map_or(u64::MAX, |cap| shape.spread.capped(cap)),
                }
            })
            .collect();
        // Mismatches whose shape was no longer told apart still count.
        let known: u64 = strata.iter().map(|stratum| stratum.mismatched).sum();
        let stray = wrong.values().sum::<u64>().saturating_sub(known);
        let mut weighed = weigh(&strata, &demands.sprt);
        weighed.mismatched += stray;
        weighed.compared = weighed.compared.max(weighed.mismatched);
        let (n, k) = (weighed.compared, weighed.mismatched);
        let decision = demands.sprt.decide(n, k);
        Self {
            sprt: demands.sprt,
            compared: strata.iter().map(|stratum| stratum.compared).sum(),
            waived,
            fixed: fixed.values().sum(),
            confirmed,
            needed: (n + demands.sprt.clean_needed(n, k)).max(demands.min_comparisons),
            same_request_max: cap,
            different: observed.shapes.iter().map(|shape| shape.spread.distinct()).sum(),
            strata: weighed,
            decision,
        }
    }

    /// Whether as much was compared as it takes.
    pub(super) fn is_enough(&self) -> bool {
        self.decision == Decision::Promote && self.strata.compared >= self.needed
    }

    /// What is wrong, worst first.
    pub(super) fn wrong(&self) -> Vec<Reason> {
        let mut reasons = Vec::new();
        let Strata { compared, mismatched, .. } = self.strata;
        if self.decision == Decision::Reject {
            reasons.push(Reason::new(
                Code::Rejected,
                format!(
                    "{} of {} comparisons differ: that is {} or more, with a chance of error of at most about {}",
                    thousands(mismatched),
                    thousands(compared),
                    percent(self.sprt.p1()),
                    percent(self.sprt.alpha()),
                ),
            ));
        }
        reasons.extend(self.strata.wrong.iter().map(|variant| {
            Reason::new(
                Code::VariantRejected,
                format!(
                    "the variant `{}` is wrong: {} of its {} comparisons differ",
                    variant.shape,
                    thousands(variant.mismatched),
                    thousands(variant.compared)
                ),
            )
        }));
        reasons
    }

    /// What is not known yet. Empty where enough was compared.
    pub(super) fn missing(&self) -> Vec<Reason> {
        let mut reasons = Vec::new();
        if !self.is_enough() && self.decision != Decision::Reject {
            reasons.push(self.too_few());
        }
        reasons.extend(self.strata.suspect.iter().map(|variant| {
            Reason::new(
                Code::VariantSuspect,
                format!(
                    "too little is known of the variant `{}`: {} of its {} comparisons differ",
                    variant.shape,
                    thousands(variant.mismatched),
                    thousands(variant.compared)
                ),
            )
        }));
        reasons
    }

    fn too_few(&self) -> Reason {
        let Strata { compared, left_out, .. } = self.strata;
        let (have, need) = (thousands(compared), thousands(self.needed));
        match self.same_request_max {
            Some(cap) if left_out > 0 && self.compared >= self.needed => Reason::new(
                Code::OneRequest,
                format!(
                    "{} comparisons repeat {}: at most {} of one and the same request count, so that {have} of the \
                     {need} that it takes are there; it must be asked for something else",
                    thousands(self.compared),
                    if self.different == 1 { "one request".to_owned() } else { format!("{} requests", self.different) },
                    thousands(cap),
                ),
            ),
            _ => Reason::new(Code::Comparisons, format!("comparisons: {have} of the {need} that it takes")),
        }
        .with(compared, self.needed, Unit::Comparisons)
    }
}

/// Comparisons of a shape that are evidence: equal 5xx on both sides and edits in between are none.
fn evidence_of(shape: &ShapeTally) -> u64 {
    shape.compared.saturating_sub(shape.both_failed).saturating_sub(shape.racing)
}

/// Whether the endpoint can be asked for more than one thing: its path has a parameter, or it declares one in the query.
fn has_many_requests(evidence: &Evidence<'_>) -> bool {
    evidence.endpoint.template().contains('{')
        || evidence.declaration.parameters.iter().any(|parameter| parameter.place == "query")
}

/// `0.1 %`, without the dust of binary fractions.
pub(super) fn percent(share: f64) -> String {
    format!("{} %", (share * 1e6).round() / 1e4)
}
