//! How much of what an endpoint declares was seen.

use std::collections::BTreeSet;

use super::reason::{Code, Reason, Unit};
use super::{Demand, Demands, Evidence};

/// A shape keeps this many characters of a parameter's name.
const NAME_MAX: usize = 40;

/// What was seen of what is declared, in this epoch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Declared query parameters, with whether a comparison had them.
    pub parameters: Vec<(String, bool)>,
    /// Declared parameters of headers and cookies: nothing is known of them.
    pub unobserved: Vec<String>,
    /// Documented statuses but 5xx and `default`, with whether control answered with them.
    pub statuses: Vec<(String, bool)>,
    /// `anon`, `auth` (Authorization) and `cookie`, with whether a comparison was of one.
    pub callers: [(&'static str, bool); 3],
}

impl Coverage {
    pub(super) fn of(evidence: &Evidence<'_>) -> Self {
        let declared = evidence.declaration;
        let mut names = BTreeSet::new();
        let mut callers = [("anon", false), ("auth", false), ("cookie", false)];
        for shape in &evidence.observed.shapes {
            for word in shape.shape.split(' ') {
                if let Some(query) = word.strip_prefix('?') {
                    names.extend(query.split(',').map(decoded));
                }
                if let Some((_, seen)) = callers.iter_mut().find(|(caller, _)| *caller == word) {
                    *seen = true;
                }
            }
        }
        let query = declared.parameters.iter().filter(|parameter| parameter.place == "query");
        let parameters = query.map(|parameter| (parameter.name.clone(), is_seen(&names, &parameter.name)));
        let unobserved = declared
            .parameters
            .iter()
            .filter(|parameter| matches!(parameter.place.as_str(), "header" | "cookie"));
        let demanded = declared.statuses.iter().filter(|status| {
            !status.starts_with('5') && status.bytes().next().is_some_and(|b| b.is_ascii_digit())
        });
        let answered = |documented: &str| {
            evidence.observed.statuses.iter().any(|(status, _)| covers(documented, *status))
        };
        Self {
            parameters: parameters.collect(),
            unobserved: unobserved.map(|parameter| parameter.name.clone()).collect(),
            statuses: demanded.map(|status| (status.clone(), answered(status))).collect(),
            callers,
        }
    }

    /// What is required and was never seen.
    pub(super) fn missing(&self, demands: &Demands) -> Vec<Reason> {
        let of = |demand, sentence: Option<String>, code, seen: &[(String, bool)], unit| {
            sentence.filter(|_| demand == Demand::Require).map(|sentence| {
                let have = seen.iter().filter(|(_, seen)| *seen).count() as u64;
                Reason::new(code, sentence).with(have, seen.len() as u64, unit)
            })
        };
        let callers = (demands.callers == Demand::Require).then(|| self.unseen_callers()).flatten();
        [
            of(
                demands.parameters,
                self.unseen_parameters(),
                Code::Parameters,
                &self.parameters,
                Unit::Parameters,
            ),
            of(demands.statuses, self.unseen_statuses(), Code::Statuses, &self.statuses, Unit::Statuses),
            callers.map(|sentence| Reason::new(Code::Callers, sentence)),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// What is not required and is said all the same.
    pub(super) fn stated(&self, demands: &Demands) -> Vec<String> {
        let mut stated = Vec::new();
        let state = |demand| demand == Demand::State;
        stated.extend(self.unseen_parameters().filter(|_| state(demands.parameters)));
        stated.extend(self.unseen_statuses().filter(|_| state(demands.statuses)));
        stated.extend(self.unseen_callers().filter(|_| state(demands.callers)));
        if !self.unobserved.is_empty() {
            let names = quoted(self.unobserved.iter());
            stated.push(format!(
                "not known whether they were seen: the declared header and cookie parameters {names}"
            ));
        }
        stated
    }

    fn unseen_parameters(&self) -> Option<String> {
        let names = unseen(&self.parameters)?;
        Some(format!("never compared with the declared query parameters {names}"))
    }

    fn unseen_statuses(&self) -> Option<String> {
        let names = unseen(&self.statuses)?;
        Some(format!("control never answered with the documented statuses {names}"))
    }

    fn unseen_callers(&self) -> Option<String> {
        let [(_, anon), (_, auth), (_, cookie)] = self.callers;
        match (anon, auth || cookie) {
            (true, false) => {
                Some("every comparison was anonymous: none had an Authorization or a Cookie".to_owned())
            }
            (false, true) => {
                Some("no comparison was anonymous: all had an Authorization or a Cookie".to_owned())
            }
            _ => None,
        }
    }
}

fn unseen(declared: &[(String, bool)]) -> Option<String> {
    let names: Vec<_> = declared.iter().filter(|(_, seen)| !seen).map(|(name, _)| name).collect();
    (!names.is_empty()).then(|| quoted(names.into_iter()))
}

fn quoted<'a>(names: impl Iterator<Item = &'a String>) -> String {
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// A name in a shape is as it was on the wire and cut; `ids[]` and `filter[x]` belong to `ids` and `filter` as well.
fn is_seen(names: &BTreeSet<String>, declared: &str) -> bool {
    let declared: String = declared.chars().take(NAME_MAX).collect();
    let bare = declared.strip_suffix("[]").unwrap_or(&declared);
    names.iter().any(|name| {
        *name == declared
            || name.strip_prefix(bare).is_some_and(|rest| rest.is_empty() || rest.starts_with('['))
    })
}

fn decoded(name: &str) -> String {
    percent_encoding::percent_decode_str(name).decode_utf8_lossy().into_owned()
}

/// OpenAPI 3.1 §4.8.16: a status, or a class of them with `XX`.
fn covers(documented: &str, status: u16) -> bool {
    let (documented, status) = (documented.as_bytes(), status.to_string());
    documented.len() == 3
        && documented.iter().zip(status.bytes()).all(|(d, s)| *d == s || d.eq_ignore_ascii_case(&b'x'))
}
