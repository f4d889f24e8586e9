//! Which process writes transitions: at a handover to a new one, exactly one does at every moment.

use std::sync::{Mutex, MutexGuard, PoisonError};

use diff_harness::lifecycle::Flip;
use diff_harness::store::StoreError;

use crate::handover::{FellBack, HandoverError};

/// Has an endpoint fall back in the process that took over.
pub type Forward = Box<dyn FnMut(FellBack) -> Result<(), HandoverError> + Send>;

/// Locked after the routes.
#[derive(Default)]
pub(super) struct Pen(Mutex<Holder>);

#[derive(Default)]
pub(super) enum Holder {
    #[default]
    Us,
    /// A new process is reading the store.
    Nobody,
    Successor(Forward),
}

/// A fallback that holds and that no store has taken yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Unwritten {
    pub flip: Flip,
    /// Whether it is about answers that clients get from the candidate.
    pub is_of_answers: bool,
}

impl Pen {
    pub(super) fn lock(&self) -> MutexGuard<'_, Holder> {
        // A holder is replaced whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a person asks for is for the new process, once there is one.
    pub(super) fn is_ours(&self) -> Result<(), StoreError> {
        match *self.lock() {
            Holder::Us => Ok(()),
            Holder::Nobody | Holder::Successor(_) => Err(handed_over()),
        }
    }
}

pub(super) fn handed_over() -> StoreError {
    StoreError::Unusable("another process takes this proxy over at this moment; ask again".to_owned())
}

impl From<&Unwritten> for FellBack {
    fn from(unwritten: &Unwritten) -> Self {
        Self {
            endpoint: unwritten.flip.endpoint.to_string(),
            is_of_answers: unwritten.is_of_answers,
            reason: unwritten.flip.reason.clone(),
            evidence: unwritten.flip.evidence.clone(),
        }
    }
}
