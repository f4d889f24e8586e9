//! What comparisons of one endpoint say while clients are on its candidate.

use std::collections::HashSet;
use std::sync::Arc;

use diff_harness::comparison::Comparison;
use diff_harness::divergence::{Divergence, Kind, Severity};
use diff_harness::evidence::drift::{Drift, Run};
use diff_harness::evidence::sprt::Sprt;
use diff_harness::lifecycle::Stage;
use diff_harness::noise::confirm::Confirmation;
use diff_harness::store::Epoch;

/// Places that are remembered as confirmed. What is beyond counts when it is asked again itself.
const PLACES_MAX: usize = 256;

/// The drift of one endpoint, in one epoch and at one stage: another deployment, other rules or another stage begins anew.
#[derive(Debug, Default)]
pub(super) struct Watched {
    of: Option<(Arc<Epoch>, Stage)>,
    drift: Drift,
    /// Where mismatches were confirmed.
    confirmed: HashSet<(Kind, String)>,
}

/// A mismatch, and what asking again said of it.
#[derive(Clone, Copy, Debug)]
pub struct Found<'a> {
    pub comparison: &'a Comparison,
    pub again: Again,
    pub exchange: &'a str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// Both sides were asked again.
    Asked(Confirmation),
    /// They were, and control does not agree with itself where the candidate differs: noise that is still to be learned.
    Unsteady,
    /// There was no room to ask.
    Unasked,
    /// Nothing of its kind is ever asked again.
    Never,
}

impl Watched {
    pub(super) fn add(
        &mut self,
        sprt: &Sprt,
        epoch: &Arc<Epoch>,
        stage: Stage,
        mismatched: bool,
    ) -> Option<Run> {
        self.begin(epoch, stage);
        self.drift.add(sprt, mismatched)
    }

    /// Whether a mismatch speaks against the candidate. One that could not be asked again does where one like it was
    /// confirmed.
    pub(super) fn counts(&mut self, epoch: &Arc<Epoch>, stage: Stage, found: &Found<'_>) -> bool {
        self.begin(epoch, stage);
        let mut places = found.comparison.divergences.iter().map(place);
        match found.again {
            Again::Asked(Confirmation::Racing) | Again::Unsteady => false,
            Again::Never => true,
            Again::Unasked => places.any(|place| self.confirmed.contains(&place)),
            Again::Asked(Confirmation::Confirmed | Confirmation::Nondeterministic) => {
                let room = PLACES_MAX.saturating_sub(self.confirmed.len());
                self.confirmed.extend(places.take(room));
                true
            }
        }
    }

    fn begin(&mut self, epoch: &Arc<Epoch>, stage: Stage) {
        let same = self
            .of
            .as_ref()
            .is_some_and(|(known, at)| *at == stage && (Arc::ptr_eq(known, epoch) || **known == **epoch));
        if !same {
            *self = Self { of: Some((Arc::clone(epoch), stage)), ..Self::default() };
        }
    }
}

/// Whether control does not agree with itself wherever the candidate differs, and nothing worse than a value differs.
pub fn is_unsteady(found: &Comparison, control_with_itself: &Comparison) -> bool {
    let differs = |divergence: &Divergence| {
        let place = divergence.location.generalized();
        control_with_itself.divergences.iter().any(|own| own.location.generalized() == place)
    };
    !found.divergences.is_empty()
        && found.divergences.iter().all(|found| found.severity < Severity::Breaking && differs(found))
}

fn place(divergence: &Divergence) -> (Kind, String) {
    (divergence.kind, divergence.location.generalized().to_string())
}

#[cfg(test)]
mod tests {
    use diff_harness::compare::Comparator;

    use super::*;

    fn epoch(candidate: &str) -> Arc<Epoch> {
        Arc::new(Epoch { candidate: candidate.to_owned(), ..Epoch::default() })
    }

    fn compared(control: &str, candidate: &str) -> Comparison {
        let endpoint = "GET /a".parse().unwrap();
        Comparator::default().compare_contents(&endpoint, None, control.as_bytes(), candidate.as_bytes())
    }

    #[test]
    fn another_deployment_or_stage_begins_anew() {
        let needed = |change: &dyn Fn(usize) -> (Arc<Epoch>, Stage)| {
            let mut watched = Watched::default();
            (1..50).find(|n| {
                let (epoch, stage) = change(*n);
                watched.add(&Sprt::default(), &epoch, stage, true).is_some()
            })
        };
        assert_eq!(needed(&|_| (epoch("a"), Stage::Live)), Some(2));
        assert_eq!(needed(&|n| (epoch(&n.to_string()), Stage::Live)), None);
        assert_eq!(needed(&|n| (epoch("a"), if n % 2 == 0 { Stage::Live } else { Stage::Soak })), None);
    }

    #[test]
    fn what_could_not_be_asked_again_counts_where_its_like_was_confirmed() {
        let (mut watched, epoch) = (Watched::default(), epoch("a"));
        let (title, other) = (compared(r#"{"t":1}"#, r#"{"t":2}"#), compared(r#"{"n":1}"#, r#"{"n":2}"#));
        let mut counts = |comparison, again| {
            watched.counts(&epoch, Stage::Live, &Found { comparison, again, exchange: "r" })
        };
        assert!(!counts(&title, Again::Unasked), "nothing is known of it");
        assert!(!counts(&title, Again::Asked(Confirmation::Racing)));
        assert!(!counts(&title, Again::Unsteady));
        assert!(!counts(&title, Again::Unasked), "an edit confirms nothing");
        assert!(counts(&title, Again::Asked(Confirmation::Confirmed)));
        assert!(counts(&title, Again::Unasked));
        assert!(!counts(&other, Again::Unasked), "another place");
        assert!(counts(&other, Again::Never), "where nothing is asked again, all counts");
    }

    #[test]
    fn where_control_does_not_agree_with_itself_a_value_is_no_mismatch_and_a_type_is() {
        let itself = compared(r#"{"at":"x1"}"#, r#"{"at":"x2"}"#);
        assert!(is_unsteady(&compared(r#"{"at":"x1"}"#, r#"{"at":"y"}"#), &itself));
        assert!(!is_unsteady(&compared(r#"{"at":"x1"}"#, r#"{"at":null}"#), &itself));
        assert!(!is_unsteady(&compared(r#"{"at":"x1","n":1}"#, r#"{"at":"y","n":2}"#), &itself));
        assert!(!is_unsteady(&compared("{}", "{}"), &itself));
    }
}
