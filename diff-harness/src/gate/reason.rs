//! Why the gate does not say pass, one sentence each.

use std::fmt;

/// What stands against a move, or is missing for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    pub code: Code,
    /// Whole, for a person.
    pub sentence: String,
    /// How much of what is needed is there, where it can be counted.
    pub meter: Option<Meter>,
}

/// How much there is of something that is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meter {
    pub have: u64,
    pub need: u64,
    pub unit: Unit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Comparisons,
    /// Declared query parameters that were seen.
    Parameters,
    /// Documented statuses that were seen.
    Statuses,
    /// Paired latencies.
    Pairs,
    /// Of a quiet period.
    Seconds,
}

macro_rules! codes {
    ($($(#[$meta:meta])* $variant:ident => $text:literal,)+) => {
        /// What kind of reason, for programs.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code { $($(#[$meta])* $variant,)+ }

        impl Code {
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }
    };
}

codes! {
    // These fail.
    /// The proxy took it back to control by itself.
    Fallback => "fallback",
    Paused => "paused",
    OpenExposure => "open_exposure",
    OpenGroup => "open_group",
    /// The sequential test rejects the endpoint.
    Rejected => "rejected",
    /// It rejects one variant of it.
    VariantRejected => "variant_rejected",
    Slower => "slower",
    /// Control answered too often for the candidate.
    Fallbacks => "fallbacks",
    // These make it inconclusive.
    NoData => "no_data",
    NothingCompared => "nothing_compared",
    BothFailed => "both_failed",
    Comparisons => "comparisons",
    OneRequest => "one_request",
    VariantSuspect => "variant_suspect",
    NewEpoch => "new_epoch",
    DeadShadow => "dead_shadow",
    QueueFull => "queue_full",
    Dropped => "dropped",
    NegativeControlNever => "negative_control_never",
    NegativeControlFailed => "negative_control_failed",
    NegativeControlOld => "negative_control_old",
    Parameters => "parameters_unseen",
    Statuses => "statuses_unseen",
    Callers => "callers_unseen",
    LatencyUnknown => "latency_unknown",
    Waived => "waived",
    NotQuiet => "not_quiet",
    /// The candidate cannot be reached, so that nothing could be compared.
    Unreachable => "unreachable",
}

impl Code {
    /// Whether it says that the endpoint is wrong, or must not move; else too little is known.
    pub fn fails(self) -> bool {
        matches!(
            self,
            Self::Fallback
                | Self::Paused
                | Self::OpenExposure
                | Self::OpenGroup
                | Self::Rejected
                | Self::VariantRejected
                | Self::Slower
                | Self::Fallbacks
                | Self::Unreachable
        )
    }

    /// Whether no force goes over it.
    pub fn is_unforceable(self) -> bool {
        matches!(self, Self::Fallback | Self::OpenExposure)
    }

    /// Whether the evidence has turned against the candidate, so that one that answers clients must stop.
    pub fn rejects(self) -> bool {
        matches!(self, Self::Rejected | Self::VariantRejected)
    }
}

impl Reason {
    pub fn new(code: Code, sentence: impl Into<String>) -> Self {
        Self { code, sentence: sentence.into(), meter: None }
    }

    pub(super) fn with(mut self, have: u64, need: u64, unit: Unit) -> Self {
        self.meter = Some(Meter { have, need, unit });
        self
    }
}

impl Unit {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Comparisons => "comparisons",
            Self::Parameters => "parameters",
            Self::Statuses => "statuses",
            Self::Pairs => "pairs",
            Self::Seconds => "seconds",
        }
    }
}

/// `1,240 of 2,995 comparisons`.
impl fmt::Display for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.unit {
            Unit::Seconds => write!(f, "{} of {}", long(self.have), long(self.need)),
            unit => write!(f, "{} of {} {}", thousands(self.have), thousands(self.need), unit.as_str()),
        }
    }
}

/// `12,345`.
pub(crate) fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A length of time in its two largest units: `2 d 3 h`, `45 s`.
pub(crate) fn long(seconds: u64) -> String {
    let units = [("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)];
    let first = units.iter().position(|(_, unit)| seconds >= *unit).unwrap_or(units.len() - 1);
    let (name, unit) = units[first];
    let text = format!("{} {name}", seconds / unit);
    match units.get(first + 1).map(|(name, smaller)| (name, seconds % unit / smaller)) {
        Some((name, rest)) if rest > 0 => format!("{text} {rest} {name}"),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_meter_reads_as_a_person_says_it() {
        let meter = |have, need, unit| Meter { have, need, unit }.to_string();
        assert_eq!(meter(1_240, 2_995, Unit::Comparisons), "1,240 of 2,995 comparisons");
        assert_eq!(meter(0, 1_234_567, Unit::Pairs), "0 of 1,234,567 pairs");
        assert_eq!(meter(45, 86_400, Unit::Seconds), "45 s of 1 d");
        assert_eq!(meter(183_600, 604_800, Unit::Seconds), "2 d 3 h of 7 d");
    }

    #[test]
    fn every_code_has_a_word_of_its_own() {
        let words: std::collections::BTreeSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(words.len(), Code::ALL.len());
        assert!(Code::ALL.iter().all(|code| !code.is_unforceable() || code.fails()));
    }
}
