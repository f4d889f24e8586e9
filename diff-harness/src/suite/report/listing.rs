//! The cases that are listed one by one, in bounded memory.

use std::collections::BTreeMap;

use crate::suite::outcome::{CaseResult, StepOutcome, StepResult};

/// How much of each of the two lists is kept.
const LISTED_MAX: usize = 10_000;
pub(super) const LISTED_BYTES_MAX: usize = 32 << 20;

/// The first results of a kind that fit, by their place in the suite.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Listing {
    pub(super) kept: BTreeMap<u64, CaseResult>,
    bytes: usize,
    /// Nothing from this place on is kept: it did not fit. What comes later and would fit stays out too, or the list
    /// would depend on the order.
    pub(super) cut_at: Option<u64>,
}

impl Listing {
    pub(super) fn add(&mut self, result: CaseResult) {
        if self.cut_at.is_some_and(|cut| result.index >= cut) {
            return;
        }
        self.bytes += weight(&result);
        self.kept.insert(result.index, result);
        while self.kept.len() > LISTED_MAX || self.bytes > LISTED_BYTES_MAX {
            let Some((index, last)) = self.kept.pop_last() else { return };
            self.bytes -= weight(&last);
            self.cut_at = Some(index);
        }
    }

    pub(super) fn cut(&mut self, at: Option<u64>) {
        let Some(at) = at.filter(|at| self.cut_at.is_none_or(|own| *at < own)) else { return };
        self.cut_at = Some(at);
        for result in self.kept.split_off(&at).into_values() {
            self.bytes -= weight(&result);
        }
    }
}

/// About how many bytes a result takes.
fn weight(result: &CaseResult) -> usize {
    let text = |text: &Option<String>| text.as_deref().map_or(0, str::len);
    let step = |step: &StepResult| {
        let outcome = match &step.outcome {
            StepOutcome::Compared(compared) => {
                let findings = compared.findings.iter().map(|finding| {
                    let divergence = finding.divergence.get();
                    256 + text(&divergence.control) + text(&divergence.candidate) + text(&divergence.detail)
                });
                findings.sum::<usize>() + compared.notes.iter().map(|note| 24 + note.len()).sum::<usize>()
            }
            StepOutcome::Failed(why) => why.len(),
            StepOutcome::Skipped(_) | StepOutcome::Prepared | StepOutcome::NotRun => 0,
        };
        128 + step.name.len() + step.endpoint.template().len() + outcome
    };
    128 + result.case.len() + result.steps.iter().map(step).sum::<usize>()
}
