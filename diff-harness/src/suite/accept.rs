//! Divergences that do not fail a run: those of a baseline, and those that a person waived.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::divergence::Severity;
use crate::exchange::UnixMillis;
use crate::fingerprint::Fingerprint;
use crate::suite::outcome::Accepted;
use crate::suite::report::{Group, RunReport};
use crate::triage::{Call, Decision};

const BASELINE: &str = "strangler-baseline";
const WAIVERS: &str = "strangler-waivers";
const VERSION: u32 = 1;

/// What is accepted, by group.
#[derive(Clone, Debug, Default)]
pub struct Acceptance {
    baseline: BTreeSet<Fingerprint>,
    waivers: BTreeMap<Fingerprint, (String, String)>,
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

#[derive(Serialize, Deserialize)]
struct Waivers {
    format: String,
    version: u32,
    waivers: Vec<Waiver>,
}

#[derive(Serialize, Deserialize)]
struct Waiver {
    group: String,
    /// `expected` or `noise`.
    call: String,
    owner: String,
    reason: String,
    /// RFC 3339.
    expires: String,
    #[serde(default)]
    actor: String,
}

impl Acceptance {
    /// Adds a baseline file. Returns what a person should know of it.
    pub fn add_baseline(&mut self, text: &str, file: &str) -> Result<Vec<String>, AcceptanceError> {
        let wrong = |message: String| AcceptanceError { file: file.to_owned(), message };
        let baseline: Baseline = serde_json::from_str(text).map_err(|error| {
            wrong(format!("it is not a baseline: {error}; `--write-baseline` writes one"))
        })?;
        check_head(&baseline.format, baseline.version, BASELINE).map_err(wrong)?;
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
        let waivers: Waivers = serde_json::from_str(text)
            .map_err(|error| wrong(format!("it is not a file of waivers: {error}")))?;
        check_head(&waivers.format, waivers.version, WAIVERS).map_err(wrong)?;
        let mut notes = Vec::new();
        for waiver in waivers.waivers {
            let fingerprint: Fingerprint = waiver.group.parse().map_err(|error| wrong(format!("{error}")))?;
            let call: Call = waiver.call.parse().map_err(&wrong)?;
            if !call.is_waiver() {
                continue;
            }
            if waiver.owner.trim().is_empty() || waiver.reason.trim().is_empty() {
                return Err(wrong(format!("the waiver of {fingerprint} needs an owner and a reason")));
            }
            let expires: Timestamp = waiver.expires.parse().map_err(|_| {
                wrong(format!(
                    "the waiver of {fingerprint} ends at `{}`, which is not a time such as 2027-01-31T00:00:00Z",
                    waiver.expires
                ))
            })?;
            if expires.as_millisecond() <= i64::try_from(now.0).unwrap_or(i64::MAX) {
                notes.push(format!("{file}: the waiver of {fingerprint} ended at {expires}"));
            } else {
                self.waivers.insert(fingerprint, (waiver.owner, waiver.reason));
            }
        }
        Ok(notes)
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

/// The file of waivers that CI reads, from decisions that were made elsewhere: the newest of each group.
pub fn write_waivers<'d>(decisions: impl IntoIterator<Item = &'d Decision>) -> String {
    let time = |at: UnixMillis| {
        let millis = i64::try_from(at.0).unwrap_or(i64::MAX);
        Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX).to_string()
    };
    let mut newest: BTreeMap<&Fingerprint, &Decision> = BTreeMap::new();
    for decision in decisions {
        let known = newest.entry(&decision.group).or_insert(decision);
        if decision.at >= known.at {
            *known = decision;
        }
    }
    let waivers = newest.into_values().filter(|decision| decision.call.is_waiver()).map(|decision| Waiver {
        group: decision.group.to_string(),
        call: decision.call.as_str().to_owned(),
        owner: decision.owner.clone(),
        reason: decision.reason.clone(),
        expires: time(decision.expires.unwrap_or_default()),
        actor: decision.actor.clone(),
    });
    let file = Waivers { format: WAIVERS.to_owned(), version: VERSION, waivers: waivers.collect() };
    serde_json::to_string_pretty(&file).expect("plain data is serializable") + "\n"
}

fn check_head(format: &str, version: u32, expected: &str) -> Result<(), String> {
    if format != expected {
        return Err(format!("its format is `{format}`, expected `{expected}`"));
    }
    if version != VERSION {
        return Err(format!("it is of version {version}, and this program reads version {VERSION}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suite::output::fixture;

    const NOW: UnixMillis = UnixMillis(1_800_000_000_000);

    fn decision(call: Call, at: u64, expires: u64) -> Decision {
        Decision {
            group: "v1-0123456789abcdef".parse().unwrap(),
            call,
            actor: "ada".into(),
            owner: "grace".into(),
            reason: "agreed".into(),
            expires: Some(UnixMillis(expires)),
            epoch: "e".into(),
            at: UnixMillis(at),
        }
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
        let notes = acceptance.add_baseline(&text.replace("\"changed\"", "\"exposure\""), "b.json").unwrap();
        assert!(notes[0].contains("which no baseline accepts"), "{notes:?}");
    }

    #[test]
    fn a_waiver_counts_until_it_ends() {
        let later = write_waivers([&decision(Call::Expected, 1, NOW.0 + 1000)]);
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
    fn the_newest_decision_on_a_group_is_exported() {
        let taken_back = [decision(Call::Expected, 1, NOW.0 + 9), decision(Call::Reopen, 2, 0)];
        assert!(!write_waivers(&taken_back).contains("v1-"));
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
