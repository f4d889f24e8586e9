//! What the gate wants to see, and of which endpoints.

use std::time::Duration;

use crate::divergence::Severity;
use crate::endpoint::EndpointId;
use crate::evidence::sprt::Sprt;
use crate::rules::Scope;

/// The policy of an installation: what holds for every endpoint, and tiers for those that are held to something else.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Policy {
    pub base: Demands,
    /// The first one that names an endpoint counts.
    pub tiers: Vec<Tier>,
}

/// Endpoints that are held to demands of their own.
#[derive(Clone, Debug, PartialEq)]
pub struct Tier {
    pub name: String,
    pub endpoints: Vec<Scope>,
    pub demands: Demands,
}

/// What is done where something was not seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Demand {
    /// The gate is inconclusive.
    Require,
    /// The answer says so, and no more.
    State,
}

/// What the evidence of one endpoint must show.
#[derive(Clone, Debug, PartialEq)]
pub struct Demands {
    /// The sequential test on mismatches.
    pub sprt: Sprt,
    /// Comparisons that it takes whatever the test says.
    pub min_comparisons: u64,
    /// What share of the comparisons that it takes may repeat one request: the same URL, asked by the same caller.
    pub same_request: f64,
    /// The least severity of an open group that keeps an endpoint from moving. What is below counts as a mismatch all the
    /// same.
    pub blocking: Severity,
    /// Groups that may pass by waivers alone.
    pub waivers_max: u64,
    /// Of what should have been compared, how much may have been dropped, as a share.
    pub dropped_max: f64,
    /// Of what the candidate should have answered, how much control may have answered for it, as a share.
    pub fallback_max: f64,
    /// Declared query parameters.
    pub parameters: Demand,
    /// Documented statuses, but for 5xx and `default`.
    pub statuses: Demand,
    /// Requests with and without credentials.
    pub callers: Demand,
    /// Whether a slower candidate is kept from moving.
    pub latency: Demand,
    /// How much slower than control is still not slower: a share of control's latency, or a time, whichever is more.
    pub slower_share: f64,
    pub slower_by: Duration,
    /// How old the last negative control may be.
    pub negative_control_age: Duration,
    /// How long an endpoint must have been live without a fallback before it may soak, and in soak before it is retired.
    pub quiet_live: Duration,
    pub quiet_soak: Duration,
}

impl Default for Demands {
    fn default() -> Self {
        const HOUR: Duration = Duration::from_secs(3600);
        Self {
            sprt: Sprt::default(),
            min_comparisons: 0,
            same_request: 0.25,
            blocking: Severity::Cosmetic,
            waivers_max: 5,
            dropped_max: 0.05,
            fallback_max: 0.001,
            parameters: Demand::Require,
            statuses: Demand::State,
            callers: Demand::State,
            latency: Demand::Require,
            slower_share: 0.2,
            slower_by: Duration::from_millis(5),
            negative_control_age: Duration::from_secs(600),
            quiet_live: 24 * HOUR,
            quiet_soak: 7 * 24 * HOUR,
        }
    }
}

/// The name of what holds for every endpoint that no tier names.
pub const DEFAULT_TIER: &str = "default";

impl Policy {
    /// What an endpoint is held to, and the name of its tier.
    pub fn of(&self, endpoint: &EndpointId) -> (&str, &Demands) {
        let names = |tier: &&Tier| tier.endpoints.iter().any(|scope| scope.covers(endpoint));
        match self.tiers.iter().find(names) {
            Some(tier) => (&tier.name, &tier.demands),
            None => (DEFAULT_TIER, &self.base),
        }
    }
}

impl Demands {
    /// Comparisons without a mismatch that it takes from the beginning. As many verify that a fix has worked.
    pub fn clean_needed(&self) -> u64 {
        self.sprt.clean_needed(0, 0).max(self.min_comparisons)
    }

    /// How many comparisons may repeat one and the same request.
    pub fn same_request_max(&self) -> u64 {
        ((self.clean_needed() as f64 * self.same_request).ceil() as u64).max(1)
    }
}

impl Demand {
    pub const ALL: [Self; 2] = [Self::Require, Self::State];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Require => "require",
            Self::State => "state",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_tier_that_names_an_endpoint_holds_for_it() {
        let tier = |name: &str, scope: &str, min_comparisons| Tier {
            name: name.to_owned(),
            endpoints: vec![scope.parse().unwrap()],
            demands: Demands { min_comparisons, ..Demands::default() },
        };
        let tiers = vec![tier("high", "GET /playlists/{id}", 5_000), tier("rest", "* /playlists*", 7)];
        let policy = Policy { tiers, ..Policy::default() };
        let of = |endpoint: &str| {
            let endpoint = endpoint.parse().unwrap();
            let (name, demands) = policy.of(&endpoint);
            (name.to_owned(), demands.min_comparisons)
        };
        assert_eq!(of("GET /playlists/{id}"), ("high".to_owned(), 5_000));
        assert_eq!(of("PUT /playlists/{id}"), ("rest".to_owned(), 7));
        assert_eq!(of("GET /tracks"), ("default".to_owned(), 0));
    }

    #[test]
    fn one_request_may_be_a_quarter_of_what_it_takes_by_default() {
        let demands = Demands::default();
        assert_eq!((demands.clean_needed(), demands.same_request_max()), (326, 82));
    }
}
