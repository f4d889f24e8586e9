//! Divergences that do not fail a run: those of a baseline, and those that a person waived.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::divergence::{Location, Severity};
use crate::exchange::UnixMillis;
use crate::fingerprint::Fingerprint;
use crate::report::time;
use crate::suite::outcome::Accepted;
use crate::suite::report::{Group, RunReport};
use crate::triage::waivers::check_head;
use crate::triage::{Part, Waiver, Waivers, part_of};

const BASELINE: &str = "strangler-baseline";
const VERSION: u32 = 1;

/// What is accepted, by group.
#[derive(Clone, Debug, Default)]
pub struct Acceptance {
    baseline: BTreeSet<Fingerprint>,
    waivers: BTreeMap<Fingerprint, (String, String)>,
    parts: Vec<(Fingerprint, Part)>,
}

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{file}: {message}")]
pub struct AcceptanceError {
    pub file: String,
    pub message: String,
}

#[derive(Serialize, Deserialize)]
struct Baseline {
    format: String,
    version: u32,
    groups: Vec<BaselineGroup>,
}

/// Only `group` is read; the rest is for the person who reviews the file.
#[derive(Serialize, Deserialize)]
struct BaselineGroup {
    group: String,
    severity: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    endpoint: String,
    #[serde(default)]
    location: String,
}

impl Acceptance {
    /// Adds a baseline file. Returns what a person should know of it.
    pub fn add_baseline(&mut self, text: &str, file: &str) -> Result<Vec<String>, AcceptanceError> {
        let wrong = |message: String| AcceptanceError { file: file.to_owned(), message };
        let baseline: Baseline = serde_json::from_str(text).map_err(|error| {
            wrong(format!("it is not a baseline: {error}; `--write-baseline` writes one"))
        })?;
        check_head(&baseline.format, baseline.version, BASELINE, VERSION).map_err(wrong)?;
        let mut notes = Vec::new();
        for group in baseline.groups {
            let fingerprint: Fingerprint = group.group.parse().map_err(|error| wrong(format!("{error}")))?;
            if group.severity == Severity::Exposure.as_str() {
                notes.push(format!(
                    "{file}: {fingerprint} is an exposure, which no baseline accepts; a person can waive it"
                ));
            } else {
                self.baseline.insert(fingerprint);
            }
        }
        Ok(notes)
    }

    /// Adds a file of waivers. Those that have ended count no more, and are told of.
    pub fn add_waivers(
        &mut self,
        text: &str,
        file: &str,
        now: UnixMillis,
    ) -> Result<Vec<String>, AcceptanceError> {
        let wrong = |message: String| AcceptanceError { file: file.to_owned(), message };
        let read = Waivers::read(text).map_err(wrong)?;
        self.parts.extend(read.parts);
        let mut notes = Vec::new();
        for waiver in read.waivers {
            let Waiver { group, owner, reason, expires, .. } = waiver;
            if expires <= now {
                notes.push(format!("{file}: the waiver of {group} ended at {}", time(expires)));
            } else {
                self.waivers.insert(group, (owner, reason));
            }
        }
        Ok(notes)
    }

    /// The group, or the part of it, that holds such a divergence of a request of this shape.
    pub fn group(&self, group: Fingerprint, shape: &str, location: &Location) -> Fingerprint {
        if self.parts.is_empty() { group } else { part_of(&self.parts, &group, shape, location) }
    }

    /// Whether shapes have to be known to tell groups apart.
    pub fn has_parts(&self) -> bool {
        !self.parts.is_empty()
    }

    pub fn of(&self, fingerprint: &Fingerprint, severity: Severity) -> Option<Accepted> {
        if let Some((owner, reason)) = self.waivers.get(fingerprint) {
            return Some(Accepted::Waiver { owner: owner.clone(), reason: reason.clone() });
        }
        (severity < Severity::Exposure && self.baseline.contains(fingerprint)).then_some(Accepted::Baseline)
    }
}

/// A baseline of all that a run found and nobody waived. Exposures are left out: nobody accepts a leak by a file that a
/// machine wrote. Returns how many were.
pub fn write_baseline(report: &RunReport) -> (String, usize) {
    let groups = report.groups();
    let own = groups.iter().filter(|group| !matches!(group.accepted, Some(Accepted::Waiver { .. })));
    let (exposures, others): (Vec<&Group>, Vec<&Group>) =
        own.partition(|group| group.severity() == Severity::Exposure);
    let mut groups: Vec<BaselineGroup> = others
        .into_iter()
        .map(|group| {
            let divergence = group.divergence.get();
            BaselineGroup {
                group: group.fingerprint.to_string(),
                severity: divergence.severity.as_str().to_owned(),
                kind: divergence.kind.as_str().to_owned(),
                endpoint: group.endpoint.to_string(),
                location: divergence.location.generalized().to_string(),
            }
        })
        .collect();
    // One order whatever was found more often, so that the file changes only where the groups do.
    groups.sort_by(|a, b| (&a.endpoint, &a.location, &a.group).cmp(&(&b.endpoint, &b.location, &b.group)));
    let baseline = Baseline { format: BASELINE.to_owned(), version: VERSION, groups };
    let text = serde_json::to_string_pretty(&baseline).expect("plain data is serializable");
    (text + "\n", exposures.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suite::output::fixture;

    const NOW: UnixMillis = UnixMillis(1_800_000_000_000);

    fn waivers(parts: Vec<(Fingerprint, Part)>, group: &str) -> String {
        let waiver = Waiver {
            group: group.parse().unwrap(),
            call: crate::triage::Call::Expected,
            owner: "grace".into(),
            reason: "agreed".into(),
            expires: UnixMillis(NOW.0 + 1000),
            actor: "ada".into(),
        };
        Waivers { parts, waivers: vec![waiver] }.write()
    }

    #[test]
    fn a_baseline_covers_what_was_found_and_never_an_exposure() {
        let mut case = fixture::cases().remove(2);
        let changed = fixture::divergence(crate::divergence::Kind::Value, Severity::Changed, Some("1"), None);
        let finding = fixture::finding(changed, None);
        let crate::suite::outcome::StepOutcome::Compared(compared) = &mut case.steps[1].outcome else {
            panic!()
        };
        compared.findings = vec![finding.clone()];
        let report = fixture::of([fixture::cases().remove(1), case]);
        let (text, exposures) = write_baseline(&report);
        assert_eq!(exposures, 1);
        let mut acceptance = Acceptance::default();
        assert_eq!(acceptance.add_baseline(&text, "b.json"), Ok(vec![]));
        assert_eq!(acceptance.of(&finding.fingerprint, Severity::Changed), Some(Accepted::Baseline));
        assert_eq!(acceptance.baseline.len(), 1);
        // Whatever the file says that it is.
        assert_eq!(acceptance.of(&finding.fingerprint, Severity::Exposure), None);
        let notes = acceptance.add_baseline(&text.replace("\"changed\"", "\"exposure\""), "b.json").unwrap();
        assert!(notes[0].contains("which no baseline accepts"), "{notes:?}");
    }

    #[test]
    fn a_waiver_counts_until_it_ends() {
        let later = waivers(vec![], "v1-0123456789abcdef");
        let mut acceptance = Acceptance::default();
        assert_eq!(acceptance.add_waivers(&later, "w.json", NOW), Ok(vec![]));
        let group = "v1-0123456789abcdef".parse().unwrap();
        let waived = Accepted::Waiver { owner: "grace".into(), reason: "agreed".into() };
        assert_eq!(acceptance.of(&group, Severity::Exposure), Some(waived));
        let mut ended = Acceptance::default();
        let notes = ended.add_waivers(&later, "w.json", UnixMillis(NOW.0 + 1000)).unwrap();
        assert_eq!((notes.len(), ended.of(&group, Severity::Changed)), (1, None));
    }

    #[test]
    fn a_part_of_a_waived_group_is_not_waived_with_it() {
        let of: Fingerprint = "v1-0123456789abcdef".parse().unwrap();
        let predicate = crate::triage::Predicate::new(Some("auth"), None).unwrap();
        let part = (predicate.part_of(&of), Part { of: of.clone(), predicate });
        let mut acceptance = Acceptance::default();
        acceptance.add_waivers(&waivers(vec![part.clone()], of.as_str()), "w.json", NOW).unwrap();
        let accepted = |shape| {
            let group = acceptance.group(of.clone(), shape, &Location::Status);
            acceptance.of(&group, Severity::Changed).is_some()
        };
        assert_eq!((accepted("2xx anon"), accepted("2xx auth")), (true, false));
        assert_eq!(acceptance.group(of.clone(), "2xx auth", &Location::Status), part.0);
    }

    #[test]
    fn what_is_no_such_file_is_refused_by_name() {
        let mut acceptance = Acceptance::default();
        for text in ["", "[]", "{}", r#"{"format":"x","version":1,"groups":[]}"#] {
            assert!(acceptance.add_baseline(text, "b.json").unwrap_err().to_string().starts_with("b.json: "));
        }
        let text = r#"{"format":"strangler-waivers","version":1,"waivers":[{"group":"v1-0123456789abcdef","call":"expected","owner":"o","reason":"r","expires":"soon"}]}"#;
        assert!(acceptance.add_waivers(text, "w.json", NOW).unwrap_err().message.contains("`soon`"));
    }
}
