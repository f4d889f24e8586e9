//! What a run of a suite found, in bounded memory however many cases it had.
//!
//! Every case is counted; groups and the matrix are over all of them. Listed one by one are the first of those that
//! have something to say, and the first of those that do not. Adding results in another order makes the same report,
//! so that neither the scheduling of a run nor the merging of its shards can be seen in it.

mod totals;
mod group;
mod listing;
mod verdict;

pub use group::{Group, Place};
pub use totals::Totals;
pub use verdict::RunVerdict;

use std::collections::BTreeMap;

use self::listing::Listing;
use crate::divergence::Severity;
use crate::fingerprint::Fingerprint;
use crate::suite::matrix::Matrix;
use crate::suite::outcome::{Accepted, CaseResult, Compared, FailOn, Found, StepOutcome, StepResult};

/// A server that makes up member names could make a group of each.
const GROUPS_MAX: usize = 20_000;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunReport {
    pub suite: String,
    /// The suite file as it was named on the command line.
    pub file: String,
    /// How many cases the run was to have, each persona counted.
    pub planned: u64,
    pub totals: Totals,
    pub matrix: Matrix,
    /// What a reader must know of the run as a whole.
    pub notes: Vec<String>,
    groups: BTreeMap<Fingerprint, Group>,
    /// Divergences whose group has no place in `groups` any more.
    ungrouped: u64,
    /// Divergences that nobody accepted, by severity.
    open: [u64; Severity::ALL.len()],
    telling: Listing,
    plain: Listing,
}

impl RunReport {
    pub fn new(suite: impl Into<String>, file: impl Into<String>, planned: u64) -> Self {
        Self { suite: suite.into(), file: file.into(), planned, ..Self::default() }
    }

    /// Adds one case. The order in which cases are added changes nothing.
    pub fn add(&mut self, result: CaseResult) {
        self.totals.cases += 1;
        for (number, step) in result.steps.iter().enumerate() {
            self.totals.count(&step.outcome);
            self.count_access(&result, step);
            if let StepOutcome::Compared(compared) = &step.outcome {
                for (at, finding) in compared.findings.iter().enumerate() {
                    let place = (result.index, number as u32, at as u32);
                    self.add_to_group(Group::first(&result, number, finding, place));
                    if finding.accepted.is_none() {
                        self.open[finding.divergence.get().severity as usize] += 1;
                    }
                }
            }
        }
        self.list(result);
    }

    /// What was asked as somebody, and answered by both.
    fn count_access(&mut self, result: &CaseResult, step: &StepResult) {
        let was_asked = matches!(step.outcome, StepOutcome::Compared(_) | StepOutcome::Skipped(_));
        if let (true, Some(persona), Some(control), Some(candidate)) =
            (was_asked, &result.persona, step.control, step.candidate)
        {
            self.matrix.count(persona, &step.endpoint, control, candidate);
        }
    }

    /// Adds what another part of the same suite found.
    pub fn merge(&mut self, other: Self) {
        self.planned += other.planned;
        self.totals.add(&other.totals);
        for (endpoint, persona, cell) in other.matrix.iter() {
            self.matrix.add(persona, endpoint, cell);
        }
        for note in other.notes {
            if !self.notes.contains(&note) {
                self.notes.push(note);
            }
        }
        other.groups.into_values().for_each(|group| self.add_to_group(group));
        self.ungrouped += other.ungrouped;
        self.open.iter_mut().zip(other.open).for_each(|(own, more)| *own += more);
        for (own, more) in [(&mut self.telling, other.telling), (&mut self.plain, other.plain)] {
            own.cut(more.cut_at);
            more.kept.into_values().for_each(|result| own.add(result));
        }
    }

    /// Takes everything but exposures, and what a person waived, for accepted by a baseline: it was just written to one.
    pub fn accept_baseline(&mut self) {
        let takes = |severity: Severity, accepted: &Option<Accepted>| {
            severity < Severity::Exposure && accepted.is_none()
        };
        for group in self.groups.values_mut() {
            if takes(group.severity(), &group.accepted) {
                group.accepted = Some(Accepted::Baseline);
            }
        }
        for result in self.telling.kept.values_mut() {
            for step in &mut result.steps {
                let StepOutcome::Compared(compared) = &mut step.outcome else { continue };
                let is_open = |compared: &Compared| compared.findings.iter().any(|f| f.accepted.is_none());
                let was_open = is_open(compared);
                for finding in &mut compared.findings {
                    if takes(finding.divergence.get().severity, &finding.accepted) {
                        finding.accepted = Some(Accepted::Baseline);
                    }
                }
                self.totals.accepted += u64::from(was_open && !is_open(compared));
            }
        }
        for severity in Severity::ALL.into_iter().filter(|severity| *severity < Severity::Exposure) {
            self.open[severity as usize] = 0;
        }
    }

    pub(in crate::suite) fn add_to_group(&mut self, group: Group) {
        if let Some(known) = self.groups.get_mut(&group.fingerprint) {
            let count = known.count + group.count;
            if group.first < known.first {
                *known = group;
            }
            known.count = count;
        } else if self.groups.len() < GROUPS_MAX {
            self.groups.insert(group.fingerprint.clone(), group);
        } else {
            self.ungrouped += group.count;
        }
    }

    pub(in crate::suite) fn list(&mut self, result: CaseResult) {
        if result.is_plain() { self.plain.add(result) } else { self.telling.add(result) }
    }

    pub(in crate::suite) fn open(&self) -> [u64; Severity::ALL.len()] {
        self.open
    }

    pub(in crate::suite) fn set_open(&mut self, open: [u64; Severity::ALL.len()]) {
        self.open = open;
    }

    pub(in crate::suite) fn ungrouped(&self) -> u64 {
        self.ungrouped
    }

    pub(in crate::suite) fn set_ungrouped(&mut self, ungrouped: u64) {
        self.ungrouped = ungrouped;
    }

    pub(in crate::suite) fn cuts(&self) -> [Option<u64>; 2] {
        [self.telling.cut_at, self.plain.cut_at]
    }

    pub(in crate::suite) fn set_cuts(&mut self, [telling, plain]: [Option<u64>; 2]) {
        self.telling.cut(telling);
        self.plain.cut(plain);
    }

    /// A divergence that nobody accepted outweighs a failure, because it is the more certain of the two.
    pub fn verdict(&self, fail_on: FailOn) -> RunVerdict {
        if self.failing(fail_on) > 0 {
            RunVerdict::Diverged
        } else if self.totals.failed > 0 {
            RunVerdict::Failed
        } else if self.totals.cases < self.planned {
            RunVerdict::Interrupted
        } else if self.totals.compared() == self.totals.both_failed {
            RunVerdict::Nothing
        } else {
            RunVerdict::Pass
        }
    }

    /// How many divergences fail the run.
    pub fn failing(&self, fail_on: FailOn) -> u64 {
        let failing = Severity::ALL.into_iter().filter(|severity| *severity >= fail_on.least());
        failing.map(|severity| self.open[severity as usize]).sum()
    }

    /// The cases that are listed, in the order of the suite.
    pub fn results(&self) -> Vec<&CaseResult> {
        let mut results: Vec<_> = self.telling.kept.values().chain(self.plain.kept.values()).collect();
        results.sort_by_key(|result| result.index);
        results
    }

    /// How many cases were run and are counted only.
    pub fn unlisted(&self) -> u64 {
        self.totals.cases - (self.telling.kept.len() + self.plain.kept.len()) as u64
    }

    /// The divergences of the cases that are listed, in the order of the suite.
    pub fn found(&self) -> impl Iterator<Item = Found<'_>> {
        self.results().into_iter().flat_map(CaseResult::found)
    }

    /// All groups, worst first.
    pub fn groups(&self) -> Vec<&Group> {
        let mut groups: Vec<_> = self.groups.values().collect();
        groups.sort_by_key(|group| {
            (std::cmp::Reverse(group.severity()), std::cmp::Reverse(group.count), &group.fingerprint)
        });
        groups
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::comparison::SkipReason;
    use crate::suite::output::fixture;

    #[test]
    fn the_verdict_follows_the_bar() {
        let report = fixture::report();
        assert_eq!(report.verdict(FailOn::Exposure), RunVerdict::Diverged);
        let without =
            fixture::of(fixture::cases().into_iter().filter(|case| &*case.case != "read | a <playlist>"));
        assert_eq!(without.verdict(FailOn::Any), RunVerdict::Failed, "a step that failed is no pass");
        assert_eq!(fixture::healthy().verdict(FailOn::Any), RunVerdict::Pass);
    }

    #[test]
    fn a_baseline_that_was_just_written_accepts_everything_but_exposures() {
        let mut case = fixture::cases().remove(2);
        let changed = fixture::divergence(crate::divergence::Kind::Value, Severity::Changed, Some("1"), None);
        let StepOutcome::Compared(compared) = &mut case.steps[1].outcome else { panic!("it was compared") };
        compared.findings = vec![fixture::finding(changed, None)];
        let mut report = fixture::of([fixture::cases().remove(1), case]);
        report.accept_baseline();
        let groups = report.groups();
        let accepted: Vec<_> =
            groups.iter().map(|group| (group.severity(), group.accepted.clone())).collect();
        assert!(accepted.contains(&(Severity::Exposure, None)), "{accepted:?}");
        assert!(accepted.contains(&(Severity::Changed, Some(Accepted::Baseline))), "{accepted:?}");
        let open_exposures = report.telling.kept.values().flat_map(|result| &result.steps);
        let open_exposures = open_exposures.filter(|step| {
            let StepOutcome::Compared(compared) = &step.outcome else { return false };
            let is_exposure = |severity| severity == Severity::Exposure;
            compared.findings.iter().any(|f| is_exposure(f.divergence.get().severity) && f.accepted.is_none())
        });
        assert_eq!(open_exposures.count(), 1);
        assert_eq!(report.verdict(FailOn::Exposure), RunVerdict::Diverged);
    }

    #[test]
    fn a_run_that_compared_nothing_is_no_pass() {
        let mut case = fixture::cases().remove(0);
        case.steps[0].outcome = StepOutcome::Skipped(SkipReason::Stream);
        assert_eq!(fixture::of([case.clone()]).verdict(FailOn::Any), RunVerdict::Nothing);
        assert_eq!(fixture::of([]).verdict(FailOn::Any).exit_code(), 4);
        let mut broken = fixture::cases().remove(0);
        let StepOutcome::Compared(compared) = &mut broken.steps[0].outcome else { panic!("compared") };
        compared.both_failed = true;
        let report = fixture::of([broken]);
        assert_eq!(report.verdict(FailOn::Any), RunVerdict::Nothing, "two equal server errors prove nothing");
    }

    #[test]
    fn what_was_accepted_fails_nothing() {
        let report = fixture::of(fixture::cases().into_iter().filter(|case| &*case.case == "life"));
        assert_eq!(report.failing(FailOn::Any), 0);
        assert_eq!((report.totals.mismatched, report.totals.accepted), (1, 1));
    }

    #[test]
    fn a_run_that_was_stopped_is_no_pass() {
        let mut report = fixture::healthy();
        report.planned += 1;
        assert_eq!(report.verdict(FailOn::Any), RunVerdict::Interrupted);
    }

    /// Many cases of several sizes, in seeded orders and in seeded shards.
    #[test]
    fn neither_order_nor_shards_can_be_seen_in_a_report() {
        let seed = 11;
        let mut rng = fastrand::Rng::with_seed(seed);
        let long = "x".repeat(listing::LISTED_BYTES_MAX / 40);
        let mut cases = Vec::new();
        for index in 0..200_u64 {
            let mut case = fixture::cases().remove(rng.usize(..3));
            case.index = index;
            if rng.u8(..4) == 0 {
                case.steps[0].outcome = StepOutcome::Failed(long.clone());
            }
            cases.push(case);
        }
        let expected = fixture::of(cases.clone());
        assert!(expected.unlisted() > 0, "something has to be cut for this to mean anything");
        for _ in 0..5 {
            rng.shuffle(&mut cases);
            assert!(fixture::of(cases.clone()) == expected, "another order, seed {seed}");
            let mut shards = [fixture::of([]), fixture::of([]), fixture::of([])];
            for case in cases.clone() {
                let shard = &mut shards[(case.index % 3) as usize];
                shard.planned += 1;
                shard.add(case);
            }
            let mut merged = fixture::of([]);
            shards.into_iter().for_each(|shard| merged.merge(shard));
            assert!(merged == expected, "merged shards, seed {seed}");
        }
    }
}
