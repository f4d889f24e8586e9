//! What a comparison found so far: divergences, masks and notes, each under its limit.

use crate::comparison::{Comparison, Tolerated};
use crate::divergence::{Divergence, Kind, Location, Severity};
use crate::rules::Rule;

use super::Limits;

pub(super) struct Findings<'r> {
    /// The rules in scope, in the order of the file.
    rules: Vec<&'r Rule>,
    applied: Vec<bool>,
    comparison: Comparison,
    pub(super) limits: &'r Limits,
    /// Divergences per severity, listed or not.
    found: [usize; Severity::ALL.len()],
    tolerated: usize,
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
        let found = [0; Severity::ALL.len()];
        Self { rules, applied, comparison: Comparison::default(), limits, found, tolerated: 0 }
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
        *count += 1;
        if *count > self.limits.divergences_max {
            return mask.is_some();
        }
        let (location, control, candidate) = place();
        let divergence = Divergence { kind, severity, location, detail, control, candidate };
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
        let most = self.limits.divergences_max;
        for severity in Severity::ALL {
            let found = self.found[severity as usize];
            if found > most {
                self.note(format!(
                    "{found} divergences of severity {}, {most} of them listed",
                    severity.as_str()
                ));
            }
        }
        if self.tolerated > most {
            self.note(format!("{} tolerated divergences, {most} of them listed", self.tolerated));
        }
        let applied = self.rules.iter().zip(&self.applied).filter(|(_, applied)| **applied);
        self.comparison.applied = applied.map(|(rule, _)| rule.id.clone()).collect();
        self.comparison
    }
}
