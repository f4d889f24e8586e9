//! What a run found, for a person.

use std::{
    collections::BTreeMap,
    fmt::{self, Write as _},
};

use diff_harness::fingerprint::Fingerprint;

use estate_traffic::endpoint::Endpoint;

use crate::outcomes::{Finding, Outcomes};
use crate::run::Plan;

/// So many groups and values are shown.
const GROUPS_SHOWN: usize = 40;
const CHARS_SHOWN: usize = 300;

pub(crate) struct Report<'r> {
    pub(crate) plan: &'r Plan,
    pub(crate) outcomes: &'r Outcomes,
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { plan, outcomes } = self;
        let endpoints = Endpoint::all();
        let diverged: u64 = outcomes.pairs.values().map(|(_, diverged)| diverged).sum();
        let asked: std::collections::BTreeSet<usize> =
            outcomes.pairs.keys().map(|(endpoint, _)| *endpoint).collect();
        let personas: std::collections::BTreeSet<_> =
            outcomes.pairs.keys().map(|(_, persona)| *persona).collect();
        writeln!(
            f,
            "seed {}: {} compared, {} skipped, {} where both failed; {} endpoints, {} personas; {} diverged",
            plan.seed,
            outcomes.compared,
            outcomes.skipped,
            outcomes.both_failed,
            asked.len(),
            personas.len(),
            diverged,
        )?;
        for said in &outcomes.other_events {
            writeln!(f, "events differ: {said}")?;
        }
        if diverged == 0 {
            return Ok(());
        }
        writeln!(f, "\nendpoint × persona: diverged of sent")?;
        for ((endpoint, persona), (sent, diverged)) in &outcomes.pairs {
            if *diverged > 0 {
                let (id, name) = (&endpoints[*endpoint].id, persona.name());
                writeln!(f, "  {id:<60} {name:<20} {diverged:>4} of {sent}")?;
            }
        }
        self.write_groups(f, &endpoints)
    }
}

impl Report<'_> {
    fn write_groups(&self, f: &mut fmt::Formatter<'_>, endpoints: &[Endpoint]) -> fmt::Result {
        let mut groups: BTreeMap<String, (u64, &Finding, String)> = BTreeMap::new();
        for finding in &self.outcomes.findings {
            let id = &endpoints[finding.ask.endpoint].id;
            for divergence in &finding.comparison.divergences {
                let key = Fingerprint::of(id, divergence).to_string();
                let shown = |value: &Option<String>| {
                    value.as_deref().map_or("-".to_owned(), |text| text.chars().take(CHARS_SHOWN).collect())
                };
                let mut said = String::new();
                write!(
                    said,
                    "{} {} {}\n    control   {}\n    candidate {}",
                    divergence.severity.as_str(),
                    divergence.kind.as_str(),
                    divergence.location,
                    shown(&divergence.control),
                    shown(&divergence.candidate),
                )?;
                groups.entry(key).or_insert((0, finding, said)).0 += 1;
            }
            for name in &finding.headers {
                let said = format!("header {name}");
                groups.entry(format!("{id} {name}")).or_insert((0, finding, said)).0 += 1;
            }
        }
        writeln!(f, "\n{} groups", groups.len())?;
        let mut groups: Vec<_> = groups.into_values().collect();
        groups.sort_by_key(|(count, ..)| std::cmp::Reverse(*count));
        for (count, finding, said) in groups.iter().take(GROUPS_SHOWN) {
            let (id, persona) = (&endpoints[finding.ask.endpoint].id, finding.ask.persona.name());
            writeln!(f, "\n{count} × {id} as {persona}: {said}")?;
            writeln!(f, "    {}", finding.ask.curl())?;
            writeln!(
                f,
                "    step {} of PARITY_SEED={} PARITY_CHAPTER={}",
                finding.step, self.plan.seed, finding.chapter
            )?;
        }
        Ok(())
    }
}
