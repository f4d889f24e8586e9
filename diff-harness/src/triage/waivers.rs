//! The file of waivers: what was decided in one place, for another.
//!
//! It is committed beside the suites. CI reads it, and a proxy writes it and takes it in, so that a waiver given in one
//! place counts in the other.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::decision::{Call, Decided};
use super::part::{Part, Predicate};
use crate::divergence::Location;
use crate::exchange::UnixMillis;
use crate::fingerprint::Fingerprint;

const FORMAT: &str = "strangler-waivers";
const VERSION: u32 = 1;

/// What stands in the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Waivers {
    /// The oldest split of a group first.
    pub parts: Vec<(Fingerprint, Part)>,
    /// One for each group at most.
    pub waivers: Vec<Waiver>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiver {
    pub group: Fingerprint,
    /// `expected` or `noise`.
    pub call: Call,
    pub owner: String,
    pub reason: String,
    pub expires: UnixMillis,
    /// Who decided; empty where the file does not say.
    pub actor: String,
}

impl Waivers {
    /// The waivers among the decisions that count, and all parts: also one that is not waived is told apart from a group
    /// that is. Those that have ended are left out.
    pub fn of(
        in_force: impl IntoIterator<Item = Decided>,
        parts: Vec<(Fingerprint, Part)>,
        now: UnixMillis,
    ) -> Self {
        let waiver = |Decided { decision, .. }: Decided| {
            let expires = decision.expires.filter(|end| *end > now)?;
            decision.call.is_waiver().then_some(Waiver {
                group: decision.group,
                call: decision.call,
                owner: decision.owner,
                reason: decision.reason,
                expires,
                actor: decision.actor,
            })
        };
        let mut waivers: Vec<_> = in_force.into_iter().filter_map(waiver).collect();
        waivers.sort_by(|a, b| a.group.cmp(&b.group));
        Self { parts, waivers }
    }

    /// What is wrong with the text, in words, without the name of the file.
    pub fn read(text: &str) -> Result<Self, String> {
        let file: File =
            serde_json::from_str(text).map_err(|error| format!("it is not a file of waivers: {error}"))?;
        check_head(&file.format, file.version, FORMAT, VERSION)?;
        let mut read = Self::default();
        for row in file.parts {
            let id: Fingerprint = row.id.parse().map_err(|error| format!("{error}"))?;
            let of: Fingerprint = row.of.parse().map_err(|error| format!("{error}"))?;
            let predicate = Predicate::new(row.shape.as_deref(), row.at.as_deref())
                .map_err(|error| format!("the part {id}: {error}"))?;
            if predicate.part_of(&of) != id {
                let expected = predicate.part_of(&of);
                return Err(format!("the part {id} is not what it says: that part of {of} is {expected}"));
            }
            read.parts.push((id, Part { of, predicate }));
        }
        let mut known = BTreeMap::new();
        for row in file.waivers {
            let Some(waiver) = row.read()? else { continue };
            if let Some(before) = known.insert(waiver.group.clone(), waiver.call) {
                return Err(format!("{} is in it twice ({before}, {})", waiver.group, waiver.call));
            }
            read.waivers.push(waiver);
        }
        Ok(read)
    }

    /// The same text for the same waivers.
    pub fn write(&self) -> String {
        let parts = self.parts.iter().map(|(id, part)| PartRow {
            id: id.to_string(),
            of: part.of.to_string(),
            shape: part.predicate.shape(),
            at: part.predicate.place(),
        });
        let waivers = self.waivers.iter().map(|waiver| WaiverRow {
            group: waiver.group.to_string(),
            call: waiver.call.as_str().to_owned(),
            owner: waiver.owner.clone(),
            reason: waiver.reason.clone(),
            expires: time(waiver.expires),
            actor: waiver.actor.clone(),
        });
        let file = File {
            format: FORMAT.to_owned(),
            version: VERSION,
            parts: parts.collect(),
            waivers: waivers.collect(),
        };
        serde_json::to_string_pretty(&file).expect("plain data is serializable") + "\n"
    }
}

/// The group itself, or the part of it (or the part of that part) that holds such a divergence; the first that fits.
pub fn part_of(
    parts: &[(Fingerprint, Part)],
    group: &Fingerprint,
    shape: &str,
    location: &Location,
) -> Fingerprint {
    let mut group = group;
    // It ends: the id of a part is a hash over the group's, so that no part holds itself.
    while let Some((part, _)) =
        parts.iter().find(|(_, part)| part.of == *group && part.predicate.holds(shape, location))
    {
        group = part;
    }
    group.clone()
}

/// Whether a file is what it is taken for.
pub(crate) fn check_head(format: &str, version: u32, expected: &str, known: u32) -> Result<(), String> {
    if format != expected {
        return Err(format!("its format is `{format}`, expected `{expected}`"));
    }
    if version != known {
        return Err(format!("it is of version {version}, and this program reads version {known}"));
    }
    Ok(())
}

fn time(at: UnixMillis) -> String {
    let millis = i64::try_from(at.0).unwrap_or(i64::MAX);
    Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX).to_string()
}

#[derive(Serialize, Deserialize)]
struct File {
    format: String,
    version: u32,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    parts: Vec<PartRow>,
    waivers: Vec<WaiverRow>,
}

#[derive(Serialize, Deserialize)]
struct PartRow {
    id: String,
    of: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    shape: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    at: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct WaiverRow {
    group: String,
    call: String,
    owner: String,
    reason: String,
    /// RFC 3339.
    expires: String,
    #[serde(default)]
    actor: String,
}

impl WaiverRow {
    /// `None` for a decision that is no waiver.
    fn read(self) -> Result<Option<Waiver>, String> {
        let group: Fingerprint = self.group.parse().map_err(|error| format!("{error}"))?;
        let call: Call = self.call.parse()?;
        if !call.is_waiver() {
            return Ok(None);
        }
        if self.owner.trim().is_empty() || self.reason.trim().is_empty() {
            return Err(format!("the waiver of {group} needs an owner and a reason"));
        }
        let expires = self.expires.parse::<Timestamp>().ok();
        let expires = expires.and_then(|end| u64::try_from(end.as_millisecond()).ok());
        let expires = expires.ok_or_else(|| {
            format!(
                "the waiver of {group} ends at `{}`, which is not a time such as 2027-01-31T00:00:00Z",
                self.expires
            )
        })?;
        Ok(Some(Waiver {
            group,
            call,
            owner: self.owner,
            reason: self.reason,
            expires: UnixMillis(expires),
            actor: self.actor,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::triage::Decision;

    const GROUP: &str = "v1-0123456789abcdef";
    const NOW: UnixMillis = UnixMillis(1_800_000_000_000);

    fn decided(call: Call, expires: u64) -> Decided {
        let decision = Decision {
            group: GROUP.parse().unwrap(),
            call,
            actor: "ada".into(),
            owner: "grace".into(),
            reason: "agreed".into(),
            expires: Some(UnixMillis(expires)),
            epoch: "e".into(),
            at: UnixMillis(1),
        };
        Decided { sequence: 1, decision }
    }

    fn with_part() -> Waivers {
        let of: Fingerprint = GROUP.parse().unwrap();
        let predicate = Predicate::new(Some("auth !?limit"), Some("$.a[0]")).unwrap();
        let part = (predicate.part_of(&of), Part { of, predicate });
        Waivers::of([decided(Call::Expected, NOW.0 + 1)], vec![part], NOW)
    }

    #[test]
    fn what_is_written_is_read_back() {
        let waivers = with_part();
        assert_eq!((waivers.waivers.len(), waivers.parts.len()), (1, 1));
        assert_eq!(Waivers::read(&waivers.write()), Ok(waivers));
    }

    #[test]
    fn only_waivers_that_hold_are_written() {
        let ended = decided(Call::Expected, NOW.0);
        let bug = decided(Call::Bug, NOW.0 + 1);
        assert_eq!(Waivers::of([ended, bug], vec![], NOW), Waivers::default());
    }

    #[test]
    fn a_divergence_is_in_the_first_part_that_holds_it() {
        let parts = with_part().parts;
        let (part, of) = (&parts[0].0, &parts[0].1.of);
        let first = "$.a[0]".parse().unwrap();
        assert_eq!(part_of(&parts, of, "2xx auth", &first), *part);
        assert_eq!(part_of(&parts, of, "2xx anon", &first), *of);
        assert_eq!(part_of(&parts, part, "2xx auth", &first), *part);
    }

    #[test]
    fn what_cannot_be_meant_is_refused_in_words() {
        let good = with_part().write();
        for (wrong, said) in [
            (String::new(), "not a file of waivers"),
            (good.replace("strangler-waivers", "other"), "its format is `other`"),
            (good.replace("\"version\": 1", "\"version\": 2"), "of version 2"),
            (good.replace("!?limit", "!?offset"), "is not what it says"),
            (good.replace("\"grace\"", "\" \""), "needs an owner"),
            (good.replace("\"expected\"", "\"maybe\""), "`maybe` is not a decision"),
            (good.replace("\"2027", "\"soon 2027"), "which is not a time"),
        ] {
            assert_ne!(wrong, good);
            let refused = Waivers::read(&wrong).unwrap_err();
            assert!(refused.contains(said), "{said}: {refused}");
        }
        let row = r#"{"group":"v1-0123456789abcdef","call":"noise","owner":"o","reason":"r","expires":"2027-01-31T00:00:00Z"}"#;
        let twice = format!(r#"{{"format":"strangler-waivers","version":1,"waivers":[{row},{row}]}}"#);
        assert!(Waivers::read(&twice).unwrap_err().contains("twice"));
    }
}
