//! The counts of a run.

use serde::{Deserialize, Serialize};

use crate::suite::report::Totals;

#[derive(Serialize, Deserialize)]
pub(super) struct TotalsView {
    cases: u64,
    steps: u64,
    compared: u64,
    matched: u64,
    tolerated: u64,
    mismatched: u64,
    accepted: u64,
    both_failed: u64,
    unconfirmed: u64,
    skipped: u64,
    prepared: u64,
    failed: u64,
    not_run: u64,
}

impl TotalsView {
    pub(super) fn of(totals: &Totals) -> Self {
        Self {
            cases: totals.cases,
            steps: totals.steps,
            compared: totals.compared(),
            matched: totals.matched,
            tolerated: totals.tolerated,
            mismatched: totals.mismatched,
            accepted: totals.accepted,
            both_failed: totals.both_failed,
            unconfirmed: totals.unconfirmed,
            skipped: totals.skipped,
            prepared: totals.prepared,
            failed: totals.failed,
            not_run: totals.not_run,
        }
    }

    pub(super) fn read(&self) -> Totals {
        Totals {
            cases: self.cases,
            steps: self.steps,
            matched: self.matched,
            tolerated: self.tolerated,
            mismatched: self.mismatched,
            accepted: self.accepted,
            both_failed: self.both_failed,
            unconfirmed: self.unconfirmed,
            skipped: self.skipped,
            prepared: self.prepared,
            failed: self.failed,
            not_run: self.not_run,
        }
    }
}
