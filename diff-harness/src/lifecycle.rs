//! Where an endpoint stands, and what moves it.

pub mod ladder;

use std::fmt;
use std::str::FromStr;

use crate::endpoint::EndpointId;
use crate::exchange::UnixMillis;

/// What we intend with an endpoint. What stops it is its [`Hold`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Control answers, nothing is shadowed. Whatever is unknown stands here.
    #[default]
    Legacy,
    /// Control answers; the candidate is asked after control's head, off the client's path. Safe methods only.
    Shadow,
    /// Unsafe methods: control answers, requests are captured (redacted).
    Record,
    /// Unsafe methods: run against a candidate that commits nothing.
    Verify,
    /// The candidate answers the cohort, control the rest.
    Canary(Weight),
    /// The candidate answers; control is the shadow.
    Live,
    /// The candidate answers without a shadow; control is kept as fallback.
    Soak,
    /// The candidate answers; control's handler may be deleted.
    Retired,
}

/// The share of a cohort, in ten-thousandths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Weight(u16);

impl Weight {
    pub const WHOLE: u16 = 10_000;

    /// `None` unless the weight is between 1 and 10,000 ten-thousandths.
    pub fn new(ten_thousandths: u16) -> Option<Self> {
        (1..=Self::WHOLE).contains(&ten_thousandths).then_some(Self(ten_thousandths))
    }

    pub fn ten_thousandths(self) -> u16 {
        self.0
    }
}

impl fmt::Display for Weight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0 / 100, self.0 % 100) {
            (percent, 0) => write!(f, "{percent}%"),
            (percent, rest) => write!(f, "{percent}.{rest:02}%"),
        }
    }
}

impl Stage {
    /// The word of the stage, without the weight of a canary.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Legacy => "legacy",
            Self::Shadow => "shadow",
            Self::Record => "record",
            Self::Verify => "verify",
            Self::Canary(_) => "canary",
            Self::Live => "live",
            Self::Soak => "soak",
            Self::Retired => "retired",
        }
    }

    /// Whether an endpoint of this kind of method can stand here at all.
    pub fn suits(self, safe: bool) -> bool {
        match self {
            Self::Shadow => safe,
            Self::Record | Self::Verify => !safe,
            Self::Legacy | Self::Canary(_) | Self::Live | Self::Soak | Self::Retired => true,
        }
    }
}

/// `canary:5%` for a canary, the bare word for the others.
impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Canary(weight) => write!(f, "canary:{weight}"),
            other => f.write_str(other.as_str()),
        }
    }
}

/// Reads what [`fmt::Display`] writes.
impl FromStr for Stage {
    type Err = StageError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let weight = |percent: &str| {
            let percent: f64 = percent.strip_suffix('%').unwrap_or(percent).parse().ok()?;
            let share = (percent * 100.0).round();
            // The cast is exact: the range was checked on the line before it is made.
            (1.0..=10_000.0).contains(&share).then(|| Weight::new(share as u16)).flatten()
        };
        match text {
            "legacy" => Ok(Self::Legacy),
            "shadow" => Ok(Self::Shadow),
            "record" => Ok(Self::Record),
            "verify" => Ok(Self::Verify),
            "live" => Ok(Self::Live),
            "soak" => Ok(Self::Soak),
            "retired" => Ok(Self::Retired),
            _ => text
                .strip_prefix("canary:")
                .and_then(weight)
                .map(Self::Canary)
                .ok_or_else(|| StageError(text.to_owned())),
        }
    }
}

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "`{0}` is not a stage: expected legacy, shadow, record, verify, canary:5% (0.01% to 100%), live, soak or retired"
)]
pub struct StageError(String);

/// What stops an endpoint from moving.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Hold {
    #[default]
    None,
    /// A person stopped it. It keeps its stage and its routing.
    Paused,
    /// The proxy took it back to control by itself; latched until a person resumes it.
    Fallback,
}

impl Hold {
    pub const ALL: [Self; 3] = [Self::None, Self::Paused, Self::Fallback];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Paused => "paused",
            Self::Fallback => "fallback",
        }
    }
}

impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Hold {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|hold| hold.as_str() == text)
            .ok_or_else(|| format!("`{text}` is not a hold: expected none, paused or fallback"))
    }
}

/// Stage and hold together: where an endpoint stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Standing {
    pub stage: Stage,
    pub hold: Hold,
}

/// An endpoint as the store knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    pub endpoint: EndpointId,
    pub standing: Standing,
    /// Grows by one with every transition of this endpoint; what a flip is compared and swapped on.
    pub revision: u64,
    /// When it came to its stage.
    pub since: UnixMillis,
    pub declaration: Declaration,
}

/// What is known of an endpoint from where it was declared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Declaration {
    /// The document and pointer, the HAR file, `command line` or `discovered`.
    pub source: String,
    pub parameters: Vec<Parameter>,
    /// Documented statuses as the document writes them: `200`, `4XX`, `default`.
    pub statuses: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    pub name: String,
    /// `path`, `query`, `header` or `cookie`.
    pub place: String,
    pub required: bool,
}

/// A wish to change where an endpoint stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flip {
    pub endpoint: EndpointId,
    /// The revision that the one who asks has seen. The flip conflicts when it is no longer the current one.
    pub expected_revision: u64,
    pub to: Standing,
    /// Who asks: a token's name, or the user of the command line.
    pub actor: String,
    pub reason: String,
    /// Whether the gate was overridden.
    pub forced: bool,
    /// What the gate said, as JSON; `null` where it was not asked.
    pub evidence: String,
    pub at: UnixMillis,
}

/// One stage or hold change, as it was made. Append-only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transition {
    /// Its place in the audit log, from 1.
    pub sequence: u64,
    pub from: Standing,
    /// The route's revision after it.
    pub revision: u64,
    /// The wish that it fulfilled.
    pub flip: Flip,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stage_reads_back_what_it_prints() {
        let canary = |share| Stage::Canary(Weight::new(share).unwrap());
        for stage in [
            Stage::Legacy,
            Stage::Shadow,
            Stage::Record,
            Stage::Verify,
            canary(1),
            canary(500),
            canary(525),
            canary(10_000),
            Stage::Live,
            Stage::Soak,
            Stage::Retired,
        ] {
            assert_eq!(stage.to_string().parse(), Ok(stage));
        }
    }

    #[test]
    fn what_is_not_a_stage_is_refused() {
        for text in ["", "canary", "canary:", "canary:0", "canary:101%", "canary:NaN", "Live", "canary:-1"] {
            assert!(text.parse::<Stage>().is_err(), "{text:?} was taken");
        }
    }

    #[test]
    fn an_unsafe_method_has_no_shadow() {
        assert!(!Stage::Shadow.suits(false));
        assert!(!Stage::Record.suits(true));
    }
}
