//! Counts of a run.

use crate::comparison::Verdict;
use crate::suite::outcome::StepOutcome;

/// Counts of a run. `steps` is the sum of `matched`, `tolerated`, `mismatched`, `skipped`, `prepared`, `failed` and
/// `not_run`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    pub cases: u64,
    pub steps: u64,
    pub matched: u64,
    pub tolerated: u64,
    pub mismatched: u64,
    /// Of the mismatched: those whose every divergence was accepted.
    pub accepted: u64,
    /// Of the compared: both sides answered the same server error, which is no evidence of parity.
    pub both_failed: u64,
    /// Of the compared: something differed once, and not when both sides were asked again.
    pub unconfirmed: u64,
    pub skipped: u64,
    pub prepared: u64,
    pub failed: u64,
    pub not_run: u64,
}

impl Totals {
    pub fn compared(&self) -> u64 {
        self.matched + self.tolerated + self.mismatched
    }

    pub fn add(&mut self, other: &Self) {
        self.cases += other.cases;
        self.steps += other.steps;
        self.matched += other.matched;
        self.tolerated += other.tolerated;
        self.mismatched += other.mismatched;
        self.accepted += other.accepted;
        self.both_failed += other.both_failed;
        self.unconfirmed += other.unconfirmed;
        self.skipped += other.skipped;
        self.prepared += other.prepared;
        self.failed += other.failed;
        self.not_run += other.not_run;
    }

    pub(super) fn count(&mut self, outcome: &StepOutcome) {
        self.steps += 1;
        match outcome {
            StepOutcome::Compared(compared) => {
                match compared.verdict {
                    Verdict::Match => self.matched += 1,
                    Verdict::Tolerated => self.tolerated += 1,
                    Verdict::Mismatch => {
                        self.mismatched += 1;
                        let all = compared.findings.iter().all(|finding| finding.accepted.is_some());
                        self.accepted += u64::from(all);
                    }
                }
                self.both_failed += u64::from(compared.both_failed);
                self.unconfirmed += u64::from(compared.unconfirmed);
            }
            StepOutcome::Skipped(_) => self.skipped += 1,
            StepOutcome::Prepared => self.prepared += 1,
            StepOutcome::Failed(_) => self.failed += 1,
            StepOutcome::NotRun => self.not_run += 1,
        }
    }
}
