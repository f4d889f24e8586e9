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

    /// Control compared with itself: without rules, for what a rule hides may be noise as well.
    fn judge_itself(
        &self,
        endpoint: &EndpointId,
        request: &Request,
        first: &Observation,
        second: &Observation,
    ) -> Judgement {
        self.judge(endpoint, request, first, second)
    }

    /// Names the rules: evidence under other rules is other evidence.
    fn rules(&self) -> &str;
}

/// Judges by declared rules.
#[derive(Debug)]
pub struct RulesJudge {
    comparator: Comparator,
    /// Without rules.
    plain: Comparator,
    rules: String,
}

impl RulesJudge {
    pub fn new(rules: Rules, limits: Limits) -> Self {
        let hash = rules.hash();
        let plain = Comparator::new(Rules::default(), limits.clone());
        Self { comparator: Comparator::new(rules, limits), plain, rules: hash }
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

    fn judge_itself(
        &self,
        endpoint: &EndpointId,
        request: &Request,
        first: &Observation,
        second: &Observation,
    ) -> Judgement {
        self.plain.compare(endpoint, request, first, second)
    }

    fn rules(&self) -> &str {
        &self.rules
    }
}
