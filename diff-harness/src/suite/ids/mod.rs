//! Identifiers that the two sides generate differently: learned, enforced, and taken out of the way of the comparison.
//!
//! - [`bijection`]: the one-to-one relation of names.
//! - [`token`]: the names in a text, and whether two of them have one format.
//! - [`place`]: where identifiers stand, and what they name.
//! - [`align`]: elements of two arrays that are the same thing under two names.
//! - [`translate`]: the candidate's response in control's names.
//!
//! Pure: no I/O, no clock. One [`Names`] belongs to one case.

pub mod bijection;
mod token;
mod place;
mod align;
mod translate;
mod shared;

use std::collections::HashSet;

use crate::compare::Limits;
use crate::divergence::Location;
use crate::suite::Learn;

pub use bijection::{Bijection, Meeting};
pub use translate::{Asked, Translated};

use token::is_distinctive;

/// What is known of the names of both sides, as far as a case has come.
#[derive(Clone, Debug)]
pub struct Names {
    learn: Learn,
    /// Host and port of each side, as they stand in its links; `None` where both are asked under one name.
    origins: Option<(String, String)>,
    ids: Bijection,
    /// The pairs of all spaces together: one place may call a thing by another word than the one where it was learned.
    pairs: HashSet<(String, String)>,
    /// Whether any thing has two names.
    differ: bool,
    /// How large a body may become by decoding, in bytes.
    pub(in crate::suite) decoded_bytes_max: usize,
}

/// Two identifiers at one place that cannot both be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    pub location: Location,
    pub control: String,
    pub candidate: String,
    /// What the candidate calls control's identifier, where that is known.
    pub expected: Option<String>,
}

impl Names {
    pub fn new(learn: Learn, control_origin: &str, candidate_origin: &str) -> Self {
        let origins = (control_origin != candidate_origin)
            .then(|| (control_origin.to_owned(), candidate_origin.to_owned()));
        let (ids, pairs) = (Bijection::default(), HashSet::new());
        let decoded_bytes_max = Limits::DECODED_BYTES_MAX;
        Self { learn, origins, ids, pairs, differ: false, decoded_bytes_max }
    }

    /// Bodies that grow beyond this when they are decoded are left as they are.
    #[must_use]
    pub fn decoding_up_to(self, bytes: usize) -> Self {
        Self { decoded_bytes_max: bytes, ..self }
    }

    /// How many pairs are bound.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Binds the values that both sides captured under one variable at the same place. Says whether that was new: two
    /// names for one thing.
    pub fn captured(
        &mut self,
        endpoint: &str,
        location: &Location,
        control: &str,
        candidate: &str,
    ) -> Result<bool, Violation> {
        let space = place::space_of(location, endpoint);
        match self.meet(&space, control, candidate, true) {
            Meeting::Known => Ok(false),
            Meeting::Learned => Ok(control != candidate),
            Meeting::Violation { control_means, .. } => Err(Violation {
                location: location.clone(),
                control: control.to_owned(),
                candidate: candidate.to_owned(),
                expected: control_means,
            }),
        }
    }

    /// The thing that both call by these names is gone: its names may be given again.
    pub fn forget(&mut self, control: &str, candidate: &str) {
        self.ids.forget(control, candidate);
        self.pairs.remove(&(control.to_owned(), candidate.to_owned()));
    }

    /// Two identifiers met. They are bound to each other only where that is to be `learned`; otherwise a pair that is
    /// new to both is `Known` if it is one name, and a violation of nothing.
    fn meet(&mut self, space: &str, control: &str, candidate: &str, learn: bool) -> Meeting {
        let space = if is_distinctive(control) && is_distinctive(candidate) { "" } else { space };
        let key = (control.to_owned(), candidate.to_owned());
        match self.ids.check(space, control, candidate) {
            Some(Meeting::Violation { .. }) if control != candidate && self.pairs.contains(&key) => {
                Meeting::Known
            }
            Some(meeting) => meeting,
            None if control != candidate && self.pairs.contains(&key) => Meeting::Known,
            None if learn => {
                self.differ |= control != candidate;
                self.pairs.insert(key);
                self.ids.meet(space, control, candidate)
            }
            None if control == candidate => Meeting::Known,
            None => Meeting::Violation { control_means: None, candidate_means: None },
        }
    }
}
