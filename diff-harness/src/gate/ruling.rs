//! What the gate answers.

use std::fmt;

use serde_json::{Value, json};

use super::correctness::Correctness;
use super::coverage::Coverage;
use super::latency::Latency;
use super::reason::{Code, Meter, Reason, Unit};
use crate::store::NegativeControl;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GateAnswer {
    Pass,
    Fail,
    /// Never passes.
    Inconclusive,
}

impl GateAnswer {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Inconclusive => "inconclusive",
        }
    }

    pub fn passed(self) -> bool {
        self == Self::Pass
    }
}

/// The answer, and on what it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Ruling {
    pub answer: GateAnswer,
    /// Why it is not pass: what fails first, then what is missing.
    pub reasons: Vec<Reason>,
    /// What a reader must know beside the answer: shares with their denominators, waivers.
    pub stated: Vec<String>,
    /// The name of what the endpoint is held to.
    pub tier: String,
    /// Without evidence, where the candidate would answer no client.
    pub evidence: Option<Weighed>,
    pub open_groups: usize,
    pub open_exposures: usize,
}

/// The evidence as it was weighed.
#[derive(Clone, Debug, PartialEq)]
pub struct Weighed {
    pub correctness: Correctness,
    pub coverage: Coverage,
    pub latency: Latency,
    pub negative_control: Option<NegativeControl>,
    pub both_failed: u64,
    pub racing: u64,
}

impl Ruling {
    pub(super) fn new(tier: &str, mut reasons: Vec<Reason>) -> Self {
        reasons.sort_by_key(|reason| !reason.code.fails());
        let answer = match reasons.first() {
            None => GateAnswer::Pass,
            Some(first) if first.code.fails() => GateAnswer::Fail,
            Some(_) => GateAnswer::Inconclusive,
        };
        Self {
            answer,
            reasons,
            stated: Vec::new(),
            tier: tier.to_owned(),
            evidence: None,
            open_groups: 0,
            open_exposures: 0,
        }
    }

    /// The sentences, for one message.
    pub fn sentences(&self) -> String {
        self.reasons.iter().map(|reason| reason.sentence.as_str()).collect::<Vec<_>>().join("; ")
    }

    /// Why `--force` does not help; empty where it does.
    pub fn unforceable(&self) -> impl Iterator<Item = &Reason> {
        self.reasons.iter().filter(|reason| reason.code.is_unforceable())
    }

    /// Why the evidence has turned against the candidate, so that one that answers clients must stop.
    pub fn rejection(&self) -> Option<&Reason> {
        self.reasons.iter().find(|reason| reason.code.rejects())
    }

    pub fn has(&self, code: Code) -> bool {
        self.reasons.iter().any(|reason| reason.code == code)
    }

    /// What can be counted, whether or not it is enough.
    pub fn meters(&self) -> Vec<Meter> {
        let mut meters = Vec::new();
        if let Some(Weighed { correctness, coverage, .. }) = &self.evidence {
            let (have, need) = (correctness.strata.compared, correctness.needed);
            meters.push(Meter { have, need, unit: Unit::Comparisons });
            for (seen, unit) in
                [(&coverage.parameters, Unit::Parameters), (&coverage.statuses, Unit::Statuses)]
            {
                if !seen.is_empty() {
                    let have = seen.iter().filter(|(_, seen)| *seen).count() as u64;
                    meters.push(Meter { have, need: seen.len() as u64, unit });
                }
            }
        }
        let quiet = self.reasons.iter().find(|reason| reason.code == Code::NotQuiet);
        meters.extend(quiet.and_then(|reason| reason.meter));
        meters
    }

    /// Comparisons that count.
    pub fn compared(&self) -> u64 {
        self.evidence.as_ref().map_or(0, |weighed| weighed.correctness.strata.compared)
    }

    /// Mismatches that count.
    pub fn mismatched(&self) -> u64 {
        self.evidence.as_ref().map_or(0, |weighed| weighed.correctness.strata.mismatched)
    }

    /// What the transition keeps as its evidence.
    pub fn to_json(&self) -> Value {
        let reasons: Vec<_> = self
            .reasons
            .iter()
            .map(|reason| json!({ "code": reason.code.as_str(), "sentence": reason.sentence }))
            .collect();
        let sentences: Vec<_> = self.reasons.iter().map(|reason| &reason.sentence).collect();
        json!({
            "answer": self.answer.as_str(),
            "tier": self.tier,
            "reasons": sentences,
            "details": reasons,
            "stated": self.stated,
            "compared": self.compared(),
            "mismatched": self.mismatched(),
            "needed": self.evidence.as_ref().map(|weighed| weighed.correctness.needed),
            "test": self.evidence.as_ref().map(|weighed| weighed.correctness.sprt.to_string()),
            "open_groups": self.open_groups,
            "open_exposures": self.open_exposures,
        })
    }
}

/// One screen for a person. The first word is the answer.
impl fmt::Display for Ruling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.answer {
            GateAnswer::Pass => writeln!(f, "pass")?,
            GateAnswer::Fail => writeln!(f, "fail: it must not move")?,
            GateAnswer::Inconclusive => {
                writeln!(f, "inconclusive: not enough is known, so it must not move")?;
            }
        }
        for reason in &self.reasons {
            writeln!(f, "  - {}", reason.sentence)?;
        }
        for stated in &self.stated {
            writeln!(f, "  {stated}")?;
        }
        if self.unforceable().next().is_some() {
            writeln!(f, "  --force does not override this")?;
        }
        Ok(())
    }
}
