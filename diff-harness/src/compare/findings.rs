//! What a comparison found so far: divergences, masks and notes, each under its limit.

use crate::comparison::{Comparison, Tolerated};
use crate::divergence::{Divergence, Kind, Location, Severity};
use crate::rules::Rule;
use crate::size;

use super::Limits;

pub(super) struct Findings<'r> {
    /// The rules in scope, in the order of the file.
    rules: Vec<&'r Rule>,
    applied: Vec<bool>,
    comparison: Comparison,
    pub(super) limits: &'r Limits,
    /// Divergences per severity, listed or not.
    found: [Found; Severity::ALL.len()],
    tolerated: Found,
    /// Bytes of those that are listed.
    listed_bytes: usize,
}

/// How many there are, and how many of them are listed.
#[derive(Clone, Copy, Default)]
struct Found {
    all: usize,
    listed: usize,
}

/// A rule by its place among those in scope.
pub(super) type RuleIndex = usize;

/// A divergence before its values are made into text.
pub(super) struct Finding {
    pub(super) kind: Kind,
    pub(super) severity: Severity,
    pub(super) detail: Option<String>,
}

impl Finding {
    pub(super) fn new(kind: Kind, severity: Severity) -> Self {
        Self { kind, severity, detail: None }
    }

    pub(super) fn detail(self, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..self }
    }
}

impl<'r> Findings<'r> {
    pub(super) fn new(rules: Vec<&'r Rule>, limits: &'r Limits) -> Self {
        let applied = vec![false; rules.len()];
        let found = [Found::default(); Severity::ALL.len()];
        let (comparison, tolerated) = (Comparison::default(), Found::default());
        Self { rules, applied, comparison, limits, found, tolerated, listed_bytes: 0 }
    }

    pub(super) fn rules(&self) -> &[&'r Rule] {
        &self.rules
    }

    /// Whether no rule hides something of what was found.
    pub(super) fn has_divergences(&self) -> bool {
        !self.comparison.divergences.is_empty()
    }

    pub(super) fn apply(&mut self, rule: RuleIndex) {
        self.applied[rule] = true;
    }

    pub(super) fn has_applied(&self, rule: RuleIndex) -> bool {
        self.applied[rule]
    }

    /// Notes say nothing of the values: they are kept as they are.
    pub(super) fn note(&mut self, note: impl Into<String>) {
        let note = note.into();
        if !self.comparison.notes.contains(&note) {
            self.comparison.notes.push(note);
        }
    }

    pub(super) fn both_failed(&mut self) {
        self.comparison.both_failed = true;
    }

    /// Reports a difference that any of these rules may hide. A rule hides an exposure only if it says so itself.
    /// Values are made only for what is listed. Says whether it was hidden.
    pub(super) fn report(
        &mut self,
        finding: Finding,
        masks: &[RuleIndex],
        place: impl FnOnce() -> (Location, Option<String>, Option<String>),
    ) -> bool {
        let Finding { kind, severity, detail } = finding;
        let may_hide = |rule: &&RuleIndex| severity < Severity::Exposure || self.rules[**rule].allow_exposure;
        let mask = masks.iter().rev().find(may_hide).copied();
        let count = if mask.is_some() { &mut self.tolerated } else { &mut self.found[severity as usize] };
        count.all += 1;
        if count.all > self.limits.divergences_max {
            return mask.is_some();
        }
        let (location, control, candidate) = place();
        let divergence = Divergence { kind, severity, location, detail, control, candidate };
        let bytes = size::of_divergence(&divergence);
        // The first one says that there are any.
        if count.all > 1 && self.listed_bytes + bytes > self.limits.listed_bytes_max {
            return mask.is_some();
        }
        count.listed += 1;
        self.listed_bytes += bytes;
        match mask {
            Some(rule) => {
                let rule = self.rules[rule].id.clone();
                self.comparison.tolerated.push(Tolerated { rule, divergence });
            }
            None => self.comparison.divergences.push(divergence),
        }
        mask.is_some()
    }

    pub(super) fn finish(mut self) -> Comparison {
        for severity in Severity::ALL {
            let Found { all, listed } = self.found[severity as usize];
            if all > listed {
                let severity = severity.as_str();
                self.note(format!("{all} divergences of severity {severity}, {listed} of them listed"));
            }
        }
        let Found { all, listed } = self.tolerated;
        if all > listed {
            self.note(format!("{all} tolerated divergences, {listed} of them listed"));
        }
        let applied = self.rules.iter().zip(&self.applied).filter(|(_, applied)| **applied);
        self.comparison.applied = applied.map(|(rule, _)| rule.id.clone()).collect();
        self.comparison
    }
}
