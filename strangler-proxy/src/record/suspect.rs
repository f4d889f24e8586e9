//! A pair that mismatched, on its way to be asked again.

use std::fmt;
use std::sync::Arc;

use diff_harness::comparison::Comparison;
use diff_harness::exchange::Observation;
use diff_harness::store::Epoch;

use super::Judge;
use crate::shadow::{Pair, ShadowedRequest};

/// Asks both sides again about a pair that mismatched, off every client's path.
///
/// Whoever takes a suspect hands it back with [`CompareHandle::asked_again`](super::CompareHandle::asked_again), or with
/// [`CompareHandle::not_asked_again`](super::CompareHandle::not_asked_again) where it could not be asked. A suspect that
/// is dropped is counted as dropped by a shutdown.
pub trait AskAgain: Send + Sync + 'static {
    /// Takes the suspect, or gives it back where it is not to be asked again: the method is unsafe, too many are on
    /// their way, the proxy is draining. It is remembered at once then, and counts as a mismatch. Must not block.
    fn ask_again(&self, suspect: Box<Suspect>) -> Result<(), Box<Suspect>>;

    /// Every pair that is compared, whatever came of it: of some of them control is asked once more. Must not block.
    fn compared(&self, _pair: &Pair) {}
}

/// A pair that mismatched, with what was found in the first round.
pub struct Suspect {
    pub(super) pair: Pair,
    pub(super) comparison: Comparison,
    pub(super) epoch: Arc<Epoch>,
    /// Judged by the same rules in the second round, whatever was reloaded meanwhile.
    pub(super) judge: Arc<Box<dyn Judge>>,
    /// Control turned out not to agree with itself wherever the candidate differs.
    pub(super) unsteady: bool,
}

/// What both sides said when they were asked again.
#[derive(Debug)]
pub struct SecondRound {
    pub control: Observation,
    pub candidate: Observation,
}

impl Suspect {
    pub fn request(&self) -> &ShadowedRequest {
        self.pair.request()
    }

    /// What the first round found.
    pub fn comparison(&self) -> &Comparison {
        &self.comparison
    }
}

impl fmt::Debug for Suspect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Suspect")
            .field("pair", &self.pair)
            .field("comparison", &self.comparison)
            .finish_non_exhaustive()
    }
}
