//! What became of requests, number by number.

use super::words::Count;
use crate::store::Tally;

/// A name and a number with its denominator.
#[derive(Clone, Debug)]
pub struct Quantity {
    pub name: String,
    /// What moves it on the page by itself; empty where nothing does.
    pub live: &'static str,
    pub value: Count,
    pub of: String,
}

impl Quantity {
    /// `in_epoch` is the part of it that counts for the gate, where that is told apart.
    pub fn all(tally: &Tally, in_epoch: Option<&Tally>) -> Vec<Self> {
        let reasons = |all: Vec<(&str, u64)>| {
            all.iter()
                .map(|(reason, n)| format!("{} {}", reason.replace('_', " "), Count(*n)))
                .collect::<Vec<_>>()
                .join(", ")
        };
        let quantity = |name: &str, live, value, of: String| Self {
            name: name.to_owned(),
            live,
            value: Count(value),
            of,
        };
        let share = |n: u64, of: u64, what: &str| format!("{} of {what}", crate::report::percent(n, of));
        let (seen, compared) = (tally.seen(), tally.compared());
        vec![
            quantity("requests seen", "seen", seen, "all that were counted".to_owned()),
            quantity(
                "compared",
                "compared",
                compared,
                in_epoch.map_or_else(
                    || share(compared, seen, "seen"),
                    |judged| format!("{} of them in this epoch", Count(judged.compared())),
                ),
            ),
            quantity("match", "matched", tally.matched, share(tally.matched, compared, "compared")),
            quantity("tolerated by rules", "", tally.tolerated, share(tally.tolerated, compared, "compared")),
            quantity(
                "mismatch",
                "mismatched",
                tally.mismatched,
                in_epoch.map_or_else(
                    || share(tally.mismatched, compared, "compared"),
                    |judged| format!("{} in this epoch", Count(judged.mismatched)),
                ),
            ),
            quantity("equal 5xx", "", tally.both_failed, "no evidence of parity".to_owned()),
            quantity(
                "skipped",
                "skipped",
                tally.skipped_total(),
                reasons(tally.skipped.iter().map(|(reason, n)| (reason.as_str(), *n)).collect()),
            ),
            quantity(
                "dropped",
                "dropped",
                tally.dropped_total(),
                reasons(tally.dropped.iter().map(|(reason, n)| (reason.as_str(), *n)).collect()),
            ),
            quantity(
                "fallbacks",
                "",
                tally.fallbacks,
                "control answered what the candidate failed to".to_owned(),
            ),
        ]
    }
}
