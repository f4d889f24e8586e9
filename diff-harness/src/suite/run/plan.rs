//! Which cases a run has, in the order of the suite.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::suite::Case;

/// One case as one persona.
#[derive(Clone, Debug)]
pub struct Planned {
    /// Its place among all that the suite asks for, from 0, whatever is selected.
    pub index: u64,
    pub case: Arc<Case>,
    pub persona: Option<Arc<str>>,
}

/// What is run of a suite.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Parts of names; a case needs one of them. Empty: every case.
    pub names: Vec<String>,
    /// A case needs one of them. Empty: every case.
    pub tags: Vec<String>,
    pub shard: Option<Shard>,
}

/// One of several machines that share a suite: `2/5`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// From 1.
    number: u64,
    of: u64,
}

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is not a shard: expected `2/5` for the second of five")]
pub struct ShardError(String);

impl FromStr for Shard {
    type Err = ShardError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refuse = || ShardError(text.to_owned());
        let (number, of) = text.split_once('/').ok_or_else(refuse)?;
        let (number, of) = (number.parse().map_err(|_| refuse())?, of.parse().map_err(|_| refuse())?);
        if number == 0 || number > of { Err(refuse()) } else { Ok(Self { number, of }) }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

impl Selection {
    fn takes(&self, case: &Case) -> bool {
        (self.names.is_empty() || self.names.iter().any(|part| case.name.contains(part.as_str())))
            && (self.tags.is_empty() || self.tags.iter().any(|tag| case.tags.contains(tag)))
    }

    fn takes_index(&self, index: u64) -> bool {
        self.shard.is_none_or(|shard| index % shard.of == shard.number - 1)
    }

    pub fn is_everything(&self) -> bool {
        self.names.is_empty() && self.tags.is_empty() && self.shard.is_none()
    }

    /// The cases of a suite that are run, as each of their personas. One that cannot be read is passed on.
    pub fn plan<E>(
        &self,
        cases: impl Iterator<Item = Result<Arc<Case>, E>>,
    ) -> impl Iterator<Item = Result<Planned, E>> {
        let mut next = 0;
        cases.flat_map(move |case| {
            let (planned, failed) = match case {
                Ok(case) => {
                    let first = next;
                    next += case.personas.len().max(1) as u64;
                    let range = if self.takes(&case) { first..next } else { 0..0 };
                    let planned = range.filter(|index| self.takes_index(*index)).map(move |index| Planned {
                        index,
                        persona: case.personas.get((index - first) as usize).cloned(),
                        case: Arc::clone(&case),
                    });
                    (Some(planned), None)
                }
                Err(error) => (None, Some(Err(error))),
            };
            planned.into_iter().flatten().map(Ok).chain(failed)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suite::load::load;

    const SUITE: &str = "
suite: x
personas: { a: {}, b: {} }
cases:
- { name: one, tags: [read], personas: [a, b], request: { path: / } }
- { name: two, tags: [write], request: { path: / } }
- { name: three, tags: [read, slow], personas: [b], request: { path: / } }
";

    fn planned(selection: &Selection) -> Vec<(u64, String)> {
        let suite = load(SUITE, "s.yaml", |_| None).unwrap();
        let plan = selection.plan(suite.cases.into_iter().map(Ok::<_, ()>));
        plan.map(|planned| {
            let planned = planned.unwrap();
            (planned.index, format!("{} {}", planned.case.name, planned.persona.as_deref().unwrap_or("-")))
        })
        .collect()
    }

    #[test]
    fn a_case_is_run_as_each_of_its_personas() {
        let all = planned(&Selection::default());
        let names: Vec<_> = all.iter().map(|(_, name)| name.as_str()).collect();
        assert_eq!(names, ["one a", "one b", "two -", "three b"]);
        assert_eq!(all.iter().map(|(index, _)| *index).collect::<Vec<_>>(), [0, 1, 2, 3]);
    }

    #[test]
    fn what_is_selected_keeps_its_place() {
        let by_name = Selection { names: vec!["t".into()], ..Selection::default() };
        assert_eq!(planned(&by_name), [(2, "two -".to_owned()), (3, "three b".to_owned())]);
        let by_tag = Selection { tags: vec!["slow".into(), "write".into()], ..Selection::default() };
        assert_eq!(planned(&by_tag).len(), 2);
        let nothing = Selection { names: vec!["zzz".into()], ..Selection::default() };
        assert!(planned(&nothing).is_empty());
    }

    #[test]
    fn the_shards_together_are_the_whole_and_share_nothing() {
        let mut all = Vec::new();
        for number in 1..=3 {
            let shard = Some(Shard { number, of: 3 });
            all.extend(planned(&Selection { shard, ..Selection::default() }));
        }
        all.sort();
        assert_eq!(all, planned(&Selection::default()));
    }

    #[test]
    fn what_is_no_shard_is_refused() {
        for text in ["", "1", "0/3", "4/3", "a/b", "1/0", "-1/2"] {
            assert!(text.parse::<Shard>().is_err(), "{text:?} was taken");
        }
        assert_eq!("2/5".parse::<Shard>().unwrap().to_string(), "2/5");
    }
}
