//! What says whether two observations agree.

use diff_harness::comparison::Judgement;
use diff_harness::endpoint::EndpointId;
use diff_harness::exchange::Observation;

/// The comparator under one set of rules. Pure: the same pair gets the same judgement, on any thread.
pub trait Judge: Send + Sync + 'static {
    fn judge(&self, endpoint: &EndpointId, control: &Observation, candidate: &Observation) -> Judgement;

    /// Names the rules: evidence under other rules is other evidence.
    fn rules(&self) -> &str;
}
