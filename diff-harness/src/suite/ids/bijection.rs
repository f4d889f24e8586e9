//! Identifiers that the two sides generate differently, matched one to one.
//!
//! After `POST /playlists` control says 17 and the candidate says 9004: two names of one thing. From then on the same
//! control identifier must always meet the same candidate identifier, in every later path, body, header and link, and
//! the reverse. That is stricter than ignoring the field: a candidate that answers with somebody else's playlist is
//! found, although both values are well-formed identifiers.

use std::collections::HashMap;

/// A one-to-one relation between the identifiers of the two sides, per space of identifiers (playlists, users), learned
/// as it goes.
#[derive(Clone, Debug, Default)]
pub struct Bijection {
    to_candidate: HashMap<String, HashMap<String, String>>,
    to_control: HashMap<String, HashMap<String, String>>,
}

/// What a pair of identifiers at one place says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meeting {
    /// They were bound to each other before.
    Known,
    /// Neither was bound; now they are bound to each other.
    Learned,
    /// At least one of them is bound to another identifier. Nothing was changed.
    Violation { control_means: Option<String>, candidate_means: Option<String> },
}

impl Bijection {
    /// Two identifiers met at the same place.
    pub fn meet(&mut self, space: &str, control: &str, candidate: &str) -> Meeting {
        match self.check(space, control, candidate) {
            Some(meeting) => meeting,
            None => {
                let bind = |map: &mut HashMap<String, HashMap<String, String>>, from: &str, to: &str| {
                    map.entry(space.to_owned()).or_default().insert(from.to_owned(), to.to_owned());
                };
                bind(&mut self.to_candidate, control, candidate);
                bind(&mut self.to_control, candidate, control);
                Meeting::Learned
            }
        }
    }

    /// What the pair says, without learning from it; `None` where neither is bound yet.
    pub fn check(&self, space: &str, control: &str, candidate: &str) -> Option<Meeting> {
        let control_means = self.candidate_of(space, control);
        let candidate_means = self.control_of(space, candidate);
        match (control_means, candidate_means) {
            (None, None) => None,
            (Some(means), Some(_)) if means == candidate => Some(Meeting::Known),
            _ => Some(Meeting::Violation {
                control_means: control_means.map(str::to_owned),
                candidate_means: candidate_means.map(str::to_owned),
            }),
        }
    }

    /// Unbinds the pair wherever it is bound.
    pub fn forget(&mut self, control: &str, candidate: &str) {
        for (space, map) in &mut self.to_candidate {
            if map.get(control).is_some_and(|bound| bound == candidate) {
                map.remove(control);
                if let Some(back) = self.to_control.get_mut(space) {
                    back.remove(candidate);
                }
            }
        }
    }

    /// What the candidate calls the thing that control calls by this name.
    pub fn candidate_of(&self, space: &str, control: &str) -> Option<&str> {
        self.to_candidate.get(space)?.get(control).map(String::as_str)
    }

    pub fn control_of(&self, space: &str, candidate: &str) -> Option<&str> {
        self.to_control.get(space)?.get(candidate).map(String::as_str)
    }

    /// How many pairs are bound, over all spaces.
    pub fn len(&self) -> usize {
        self.to_candidate.values().map(HashMap::len).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_is_learned_once_and_known_after() {
        let mut ids = Bijection::default();
        assert_eq!(ids.meet("playlist", "17", "9004"), Meeting::Learned);
        assert_eq!(ids.meet("playlist", "17", "9004"), Meeting::Known);
        assert_eq!((ids.len(), ids.candidate_of("playlist", "17")), (1, Some("9004")));
    }

    #[test]
    fn somebody_elses_identifier_is_a_violation_on_either_side() {
        let mut ids = Bijection::default();
        ids.meet("playlist", "17", "9004");
        ids.meet("playlist", "18", "9005");
        for (control, candidate) in [("17", "9005"), ("18", "9004"), ("17", "1"), ("1", "9004")] {
            let meeting = ids.meet("playlist", control, candidate);
            assert!(matches!(meeting, Meeting::Violation { .. }), "{control} met {candidate}: {meeting:?}");
        }
        assert_eq!(ids.len(), 2, "a violation teaches nothing");
    }

    #[test]
    fn the_same_number_may_name_a_user_and_a_playlist() {
        let mut ids = Bijection::default();
        assert_eq!(ids.meet("playlist", "17", "9004"), Meeting::Learned);
        assert_eq!(ids.meet("user", "17", "17"), Meeting::Learned);
    }

    #[test]
    fn a_name_that_was_given_up_may_be_given_again() {
        let mut ids = Bijection::default();
        ids.meet("playlist", "17", "9004");
        ids.forget("17", "9005");
        assert_eq!(ids.len(), 1, "only the pair as it is bound");
        ids.forget("17", "9004");
        assert_eq!(ids.meet("playlist", "17", "9005"), Meeting::Learned);
    }

    /// Whatever meets in whatever order, what was learned is one to one.
    #[test]
    fn what_is_learned_stays_one_to_one() {
        let seed = 3;
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut ids = Bijection::default();
        for _ in 0..5_000 {
            ids.meet("x", &rng.u8(..40).to_string(), &rng.u8(..40).to_string());
        }
        for control in 0..40_u8 {
            if let Some(candidate) = ids.candidate_of("x", &control.to_string()) {
                let back = ids.control_of("x", candidate).map(str::to_owned);
                assert_eq!(back, Some(control.to_string()), "seed {seed}");
            }
        }
    }
}
