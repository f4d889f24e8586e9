//! What an RFC demands of whoever receives a message, and whether what became of it is that.

use serde::Deserialize;

/// Judged on the first message of an entry; what stands behind it is judged by what the entry expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Demand {
    /// Read and passed on: it is valid.
    MustTake,
    ShouldTake,
    #[serde(rename = "must-answer-400")]
    MustAnswer400,
    #[serde(rename = "must-answer-400-and-close")]
    MustAnswer400AndClose,
    /// Refused, or what is invalid is taken out before it is passed on.
    MustRefuseOrRepair,
    #[serde(rename = "should-answer-400")]
    ShouldAnswer400,
    #[serde(rename = "should-answer-400-and-close")]
    ShouldAnswer400AndClose,
    #[serde(rename = "should-answer-501")]
    ShouldAnswer501,
    ShouldRefuse,
    /// Either way; the entry says why it is the one.
    MayRefuse,
    /// Either way, and nothing is read behind it.
    MayRefuseMustClose,
    /// Of a response: discarded, and its connection closed.
    #[serde(rename = "must-answer-502-and-close")]
    MustAnswer502AndClose,
    /// Of a response: what it lacks is not hidden, and its connection is closed.
    MustNotLookWhole,
    /// Of a response: taken for what it says, and what comes behind it is no answer to anything.
    MustTakeAndClose,
}

impl Demand {
    /// Whether these answers to a request are what is demanded.
    pub(super) fn is_kept_by(self, answers: &[String]) -> bool {
        let (status, is_last) = (&answers[0][..3], answers.len() == 1);
        let is_taken = status == "200";
        match self {
            Self::MustTake | Self::ShouldTake => is_taken,
            Self::MustAnswer400 | Self::ShouldAnswer400 => status == "400",
            Self::MustAnswer400AndClose | Self::ShouldAnswer400AndClose => status == "400" && is_last,
            // What is passed on unrepaired is refused by the upstream of these tests.
            Self::MustRefuseOrRepair => status == "400" || is_taken,
            Self::ShouldAnswer501 => status == "501",
            Self::ShouldRefuse => !is_taken,
            Self::MayRefuse => true,
            Self::MayRefuseMustClose => is_last,
            Self::MustAnswer502AndClose | Self::MustNotLookWhole | Self::MustTakeAndClose => {
                panic!("{self:?} is demanded of responses")
            }
        }
    }

    /// Whether this is what a client may get of a response, and its connection be used again.
    pub(super) fn is_kept_by_response(self, client: &str, reused: bool) -> bool {
        let (is_refused, is_cut) = (client.starts_with("502"), client.contains(" cut"));
        match self {
            Self::MustTake | Self::ShouldTake => !is_refused && !is_cut,
            Self::MustTakeAndClose => !is_refused && !is_cut && !reused,
            Self::MustAnswer502AndClose => is_refused && !reused,
            Self::MustNotLookWhole => (is_refused || is_cut) && !reused,
            Self::ShouldRefuse => is_refused || is_cut,
            Self::MustRefuseOrRepair | Self::MayRefuse => true,
            Self::MayRefuseMustClose => !reused,
            _ => panic!("{self:?} is demanded of requests"),
        }
    }

    pub(super) fn is_a_must(self) -> bool {
        !matches!(
            self,
            Self::ShouldTake
                | Self::ShouldAnswer400
                | Self::ShouldAnswer400AndClose
                | Self::ShouldAnswer501
                | Self::ShouldRefuse
                | Self::MayRefuse
        )
    }

    fn leaves_a_choice(self) -> bool {
        matches!(self, Self::MayRefuse | Self::MayRefuseMustClose)
    }
}

/// What an entry says of itself.
pub(super) struct Judged<'a> {
    pub(super) name: &'a str,
    pub(super) source: &'a str,
    pub(super) demand: Demand,
    pub(super) why: Option<&'a str>,
    pub(super) departs: Option<&'a str>,
    /// What is expected is what is demanded.
    pub(super) is_kept: bool,
}

/// Names the entries that depart from a MUST; what departs from less has to say so as well.
pub(super) fn departures<'a>(entries: impl IntoIterator<Item = Judged<'a>>) -> Vec<&'a str> {
    let mut departing = Vec::new();
    for entry in entries {
        let Judged { name, source, demand, why, departs, is_kept } = entry;
        assert!(source.starts_with("RFC ") && source.contains('§'), "{name}: {source} names no section");
        assert_eq!(is_kept, departs.is_none(), "{name}: {demand:?}; departs: {departs:?}");
        assert_eq!(demand.leaves_a_choice(), why.is_some(), "{name}: {demand:?}; why: {why:?}");
        if !is_kept && demand.is_a_must() {
            departing.push(name);
        }
    }
    departing
}
