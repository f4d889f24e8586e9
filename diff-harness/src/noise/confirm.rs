//! What asking both sides again says of a mismatch.
//!
//! Two requests are never sent at the same moment, so a mismatch may be an edit that came between them, or a server that
//! does not agree with itself. Both sides are asked a second time (safe methods only), and each divergence of the first
//! round is one of three things.

use std::str::FromStr;

use crate::comparison::Comparison;
use crate::divergence::{Divergence, Severity};

/// What a divergence of the first round turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Confirmation {
    /// It is there again: evidence.
    Confirmed,
    /// It is gone, and control itself changed there in between: an edit.
    Racing,
    /// It is gone, and control said the same both times: the candidate does not agree with itself.
    Nondeterministic,
}

impl Confirmation {
    pub const ALL: [Self; 3] = [Self::Confirmed, Self::Racing, Self::Nondeterministic];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Racing => "racing",
            Self::Nondeterministic => "nondeterministic",
        }
    }

    /// Whether it counts as a mismatch. A candidate that is wrong now and then is wrong.
    pub fn counts(self) -> bool {
        !matches!(self, Self::Racing)
    }
}

impl FromStr for Confirmation {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|known| known.as_str() == text);
        known.ok_or_else(|| format!("`{text}` is not what asking again can say"))
    }
}

/// Judges a whole comparison of the first round by the second, and by control compared with itself over both rounds.
///
/// Divergences that were edits in between are taken out and noted, so that they open no group. Where all of them were,
/// they stay and the answer is [`Confirmation::Racing`]: what was not the same is never called a match.
pub fn sift(
    mut first: Comparison,
    second_round: &Comparison,
    control_with_itself: &Comparison,
) -> (Comparison, Confirmation) {
    let judged: Vec<_> = first
        .divergences
        .iter()
        .map(|divergence| confirm(divergence, second_round, control_with_itself))
        .collect();
    let Some(worst) =
        judged.iter().copied().filter(|judged| judged.counts()).min_by_key(|judged| *judged as u8)
    else {
        return (first, Confirmation::Racing);
    };
    let mut edits = Vec::new();
    let mut kept = Vec::with_capacity(first.divergences.len());
    for (divergence, judged) in std::mem::take(&mut first.divergences).into_iter().zip(judged) {
        if judged.counts() {
            kept.push(divergence);
        } else {
            edits.push(divergence.location.to_string());
        }
    }
    first.divergences = kept;
    if !edits.is_empty() {
        first
            .notes
            .push(format!("edited between the two requests, and so not counted: {}", edits.join(", ")));
    }
    (first, worst)
}

/// Judges one divergence of the first round by the second round, and by control of the first round compared with control
/// of the second.
///
/// An exposure counts when it was seen at all: what was shown once was shown.
pub fn confirm(
    first: &Divergence,
    second_round: &Comparison,
    control_with_itself: &Comparison,
) -> Confirmation {
    let place = first.location.generalized();
    let at_place = |divergence: &&Divergence| divergence.location.generalized() == place;
    let again = second_round.divergences.iter().any(|divergence| {
        divergence.kind == first.kind && divergence.severity >= first.severity && at_place(&divergence)
    });
    if again {
        Confirmation::Confirmed
    } else if first.severity < Severity::Exposure
        && control_with_itself.divergences.iter().any(|d| at_place(&d))
    {
        Confirmation::Racing
    } else {
        Confirmation::Nondeterministic
    }
}

/// An exposure that no edit explains: it is there again, or it is gone while control said the same there both times. One
/// such is enough to take the candidate away from clients. The worst first.
pub fn certain_exposure<'a>(
    first: &'a Comparison,
    second_round: &Comparison,
    control_with_itself: &Comparison,
) -> Option<(&'a Divergence, Confirmation)> {
    let exposures = first.divergences.iter().filter(|divergence| divergence.severity == Severity::Exposure);
    let judged = exposures.map(|exposure| (exposure, confirm(exposure, second_round, control_with_itself)));
    let certain = judged.filter(|(exposure, judged)| {
        let place = exposure.location.generalized();
        *judged == Confirmation::Confirmed
            || !control_with_itself.divergences.iter().any(|d| d.location.generalized() == place)
    });
    certain.min_by_key(|(_, judged)| *judged as u8)
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::*;
    use crate::compare::Comparator;
    use crate::endpoint::EndpointId;

    /// Control and candidate, each in the first and the second round.
    fn check(control: [&str; 2], candidate: [&str; 2]) -> Confirmation {
        let endpoint = EndpointId::new(Method::GET, "/a");
        let compare = |a: &str, b: &str| {
            Comparator::default().compare_contents(&endpoint, None, a.as_bytes(), b.as_bytes())
        };
        let first = compare(control[0], candidate[0]);
        confirm(&first.divergences[0], &compare(control[1], candidate[1]), &compare(control[0], control[1]))
    }

    /// What is left of a comparison of `{"n", "m"}` bodies once both sides were asked again.
    fn sifted(control: [&str; 2], candidate: [&str; 2]) -> (Vec<String>, Confirmation, usize) {
        let endpoint = EndpointId::new(Method::GET, "/a");
        let compare = |a: &str, b: &str| {
            Comparator::default().compare_contents(&endpoint, None, a.as_bytes(), b.as_bytes())
        };
        let (left, confirmation) = sift(
            compare(control[0], candidate[0]),
            &compare(control[1], candidate[1]),
            &compare(control[0], control[1]),
        );
        let places = left.divergences.iter().map(|divergence| divergence.location.to_string()).collect();
        (places, confirmation, left.notes.iter().filter(|note| note.starts_with("edited between")).count())
    }

    #[test]
    fn an_edit_beside_a_real_difference_is_taken_out_and_noted() {
        let control = [r#"{"n":1,"m":1}"#, r#"{"n":1,"m":2}"#];
        let (places, confirmation, notes) = sifted(control, [r#"{"n":9,"m":2}"#; 2]);
        assert_eq!((places, confirmation, notes), (vec!["$.n".to_owned()], Confirmation::Confirmed, 1));
    }

    #[test]
    fn what_was_an_edit_altogether_is_racing_and_no_match() {
        let (places, confirmation, _) = sifted([r#"{"n":1}"#, r#"{"n":2}"#], [r#"{"n":2}"#; 2]);
        assert_eq!((places, confirmation), (vec!["$.n".to_owned()], Confirmation::Racing));
    }

    #[test]
    fn one_confirmed_divergence_confirms_the_whole() {
        let (places, confirmation, _) =
            sifted([r#"{"n":1,"m":1}"#; 2], [r#"{"n":9,"m":9}"#, r#"{"n":9,"m":1}"#]);
        assert_eq!((places.len(), confirmation), (2, Confirmation::Confirmed));
    }

    #[test]
    fn what_is_there_again_is_confirmed() {
        assert_eq!(check([r#"{"n":1}"#; 2], [r#"{"n":2}"#; 2]), Confirmation::Confirmed);
    }

    #[test]
    fn what_control_changed_in_between_is_an_edit() {
        let edited = check([r#"{"n":1}"#, r#"{"n":2}"#], [r#"{"n":2}"#; 2]);
        assert_eq!(edited, Confirmation::Racing);
        assert!(!edited.counts());
    }

    #[test]
    fn a_candidate_that_is_wrong_now_and_then_is_wrong() {
        let flaky = check([r#"{"n":1}"#; 2], [r#"{"n":2}"#, r#"{"n":1}"#]);
        assert_eq!(flaky, Confirmation::Nondeterministic);
        assert!(flaky.counts());
    }

    #[test]
    fn an_exposure_counts_although_it_is_gone_and_control_moved() {
        let shown = check([r#"{"t":[]}"#, r#"{"t":[1]}"#], [r#"{"t":[1]}"#; 2]);
        assert_eq!(shown, Confirmation::Nondeterministic);
        assert!(shown.counts(), "what was shown once was shown");
    }

    /// Whether the first round's exposure of `{"t"}` bodies is beyond doubt.
    fn certain(control: [&str; 2], candidate: [&str; 2]) -> Option<Confirmation> {
        let endpoint = EndpointId::new(Method::GET, "/a");
        let compare = |a: &str, b: &str| {
            Comparator::default().compare_contents(&endpoint, None, a.as_bytes(), b.as_bytes())
        };
        let first = compare(control[0], candidate[0]);
        certain_exposure(&first, &compare(control[1], candidate[1]), &compare(control[0], control[1]))
            .map(|(_, judged)| judged)
    }

    #[test]
    fn an_exposure_is_certain_unless_control_changed_there() {
        const NONE: &str = r#"{"t":[]}"#;
        const ONE: &str = r#"{"t":[1]}"#;
        assert_eq!(certain([NONE; 2], [ONE; 2]), Some(Confirmation::Confirmed));
        assert_eq!(certain([NONE; 2], [ONE, NONE]), Some(Confirmation::Nondeterministic));
        assert_eq!(certain([NONE, ONE], [ONE; 2]), None, "someone added it in between");
        assert_eq!(certain([r#"{"n":1}"#; 2], [r#"{"n":2}"#; 2]), None, "no exposure at all");
    }
}
