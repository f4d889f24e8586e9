//! Cases: their names, their set-ups, their personas.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde_saphyr::Spanned;

use super::request::StepParts;
use super::{Loader, TIMEOUT_DEFAULT};
use crate::hint::did_you_mean;
use crate::suite::document::{CaseEntry, Document};
use crate::suite::{Case, Step};

pub(super) type ByName<'d> = BTreeMap<&'d str, &'d Spanned<CaseEntry>>;

impl Loader<'_> {
    pub(super) fn cases_by_name<'d>(&mut self, document: &'d Document) -> ByName<'d> {
        let mut by_name = ByName::new();
        for entry in &document.cases {
            let name = &entry.value.name;
            if let Some(first) = by_name.insert(&name.value, entry) {
                let line = first.value.name.referenced.line();
                let message = format!(
                    "the case `{}` was named before, on line {line}: a name is given once",
                    name.value
                );
                self.error(name.referenced, message);
            }
        }
        by_name
    }

    pub(super) fn case(
        &mut self,
        entry: &Spanned<CaseEntry>,
        document: &Document,
        by_name: &ByName<'_>,
    ) -> Arc<Case> {
        let case = &entry.value;
        let mut steps = Vec::new();
        let mut bound = BTreeSet::new();
        self.setup_steps(entry, by_name, &mut vec![&case.name.value], &mut bound, &mut steps);
        self.own_steps(entry, false, &mut bound, &mut steps);
        let personas = case.personas.as_ref().or(document.defaults.personas.as_ref());
        Arc::new(Case {
            name: case.name.value.clone(),
            line: case.name.referenced.line(),
            tags: case.tags.clone(),
            personas: self.personas(personas.map(Vec::as_slice).unwrap_or_default(), document),
            steps,
            timeout: self.timeout(case.timeout_ms.as_ref().or(document.defaults.timeout_ms.as_ref())),
        })
    }

    /// The steps of the cases that this one names as its set-up, theirs before them.
    fn setup_steps<'d>(
        &mut self,
        entry: &'d Spanned<CaseEntry>,
        by_name: &ByName<'d>,
        chain: &mut Vec<&'d str>,
        bound: &mut BTreeSet<String>,
        steps: &mut Vec<Step>,
    ) {
        for setup in &entry.value.setup {
            let Some(other) = by_name.get(setup.value.as_str()) else {
                let hint = did_you_mean(&setup.value, by_name.keys().copied());
                self.error(setup.referenced, format!("no case is named `{}`{hint}", setup.value));
                continue;
            };
            if chain.contains(&setup.value.as_str()) {
                let circle = [chain.as_slice(), &[&setup.value]].concat().join("` → `");
                self.error(setup.referenced, format!("the set-up goes in a circle: `{circle}`"));
                continue;
            }
            chain.push(&other.value.name.value);
            self.setup_steps(other, by_name, chain, bound, steps);
            self.own_steps(other, true, bound, steps);
            chain.pop();
        }
    }

    fn own_steps(
        &mut self,
        entry: &Spanned<CaseEntry>,
        setup: bool,
        bound: &mut BTreeSet<String>,
        steps: &mut Vec<Step>,
    ) {
        let case = &entry.value;
        match (&case.request, &case.steps) {
            (Some(request), None) => {
                let name = case.name.value.clone();
                let parts = StepParts { name, capture: &case.capture, expect: case.expect.as_ref(), setup };
                steps.extend(self.step(request, parts, bound));
            }
            (None, Some(entries)) if !entries.is_empty() => {
                for (index, step) in entries.iter().enumerate() {
                    let own = step.value.name.clone().unwrap_or_else(|| format!("step {}", index + 1));
                    let name = format!("{} / {own}", case.name.value);
                    let expect = step.value.expect.as_ref();
                    let parts = StepParts { name, capture: &step.value.capture, expect, setup };
                    steps.extend(self.step(&step.value.request, parts, bound));
                }
                if !case.capture.is_empty() || case.expect.is_some() {
                    let message = format!(
                        "the case `{}` has steps: `capture` and `expect` belong to one of them",
                        case.name.value
                    );
                    self.error(case.name.referenced, message);
                }
            }
            _ => self.error(
                case.name.referenced,
                format!("the case `{}` needs either one `request` or a list of `steps`", case.name.value),
            ),
        }
    }

    pub(super) fn personas(&mut self, names: &[Spanned<String>], document: &Document) -> Vec<Arc<str>> {
        let mut personas: Vec<Arc<str>> = Vec::new();
        for name in names {
            if name.value == "all" {
                personas.extend(document.personas.keys().map(|name| Arc::from(name.as_str())));
            } else if document.personas.contains_key(&name.value) {
                personas.push(Arc::from(name.value.as_str()));
            } else {
                let hint = did_you_mean(&name.value, document.personas.keys().map(String::as_str));
                self.error(name.referenced, format!("no persona is named `{}`{hint}", name.value));
            }
        }
        let mut seen = BTreeSet::new();
        personas.retain(|name| seen.insert(name.clone()));
        personas
    }

    pub(super) fn timeout(&mut self, given: Option<&Spanned<u64>>) -> Duration {
        let Some(given) = given else { return TIMEOUT_DEFAULT };
        if given.value == 0 {
            self.error(given.referenced, "a timeout of 0 ms lets no request finish".to_owned());
        }
        Duration::from_millis(given.value)
    }
}
