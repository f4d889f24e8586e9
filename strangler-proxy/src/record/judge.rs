//! What says whether two observations agree.

use diff_harness::compare::{Comparator, Limits};
use diff_harness::comparison::Judgement;
use diff_harness::endpoint::EndpointId;
use diff_harness::exchange::{Observation, Request};
use diff_harness::rules::Rules;

/// A comparator under one set of rules. Pure: the same pair gets the same judgement, on any thread.
pub trait Judge: Send + Sync + 'static {
    /// The method is the request's own: it may be HEAD on an endpoint of GET.
    fn judge(
        &self,
        endpoint: &EndpointId,
        request: &Request,
        control: &Observation,
        candidate: &Observation,
    ) -> Judgement;

    /// Names the rules: evidence under other rules is other evidence.
    fn rules(&self) -> &str;
}

/// Judges by declared rules.
#[derive(Debug)]
pub struct RulesJudge {
    comparator: Comparator,
    rules: String,
}

impl RulesJudge {
    pub fn new(rules: Rules) -> Self {
        let hash = rules.hash();
        Self { comparator: Comparator::new(rules, Limits::default()), rules: hash }
    }
}

impl Judge for RulesJudge {
    fn judge(
        &self,
        endpoint: &EndpointId,
        request: &Request,
        control: &Observation,
        candidate: &Observation,
    ) -> Judgement {
        self.comparator.compare(endpoint, request, control, candidate)
    }

    fn rules(&self) -> &str {
        &self.rules
    }
}
