//! The route table: which endpoint a request is for, and where that endpoint stands.

use std::sync::Arc;

use arc_swap::ArcSwap;
use diff_harness::endpoint::{EndpointId, SafeMethod};
use diff_harness::lifecycle::{Hold, Route, Stage, Standing};
use http::Method;

use super::cohort::Cohorts;
use super::matcher::{MatchPolicy, Matcher, Tie};
use super::path_view::PathView;
use super::template::{Template, TemplateError};
use crate::counters::{CounterRegistry, EndpointCounters};

/// An endpoint as the data plane knows it while its table is the current one.
#[derive(Debug)]
pub struct ActiveRoute {
    pub endpoint: EndpointId,
    /// What the endpoint's own method is; a HEAD request on a GET endpoint is judged by itself.
    pub safe: Option<SafeMethod>,
    pub standing: Standing,
    pub revision: u64,
    /// Of its resource: what a canary's cohort is drawn with.
    pub salt: Arc<str>,
    /// The same counters over all swaps of the table.
    pub counters: Arc<EndpointCounters>,
}

/// All endpoints at one moment. Never changed: a flip makes a new one and swaps the pointer to it.
#[derive(Debug)]
pub struct RouteTable {
    matcher: Matcher<Arc<ActiveRoute>>,
    unmatched: Arc<EndpointCounters>,
    unmatchable: Vec<Unmatchable>,
}

/// The current table. Whoever handles a request loads it once, so that one request sees one table.
pub type SharedTable = Arc<ArcSwap<RouteTable>>;

/// An endpoint that no request can ever match; its traffic goes where the rest of the table sends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unmatchable {
    Template(TemplateError),
    /// Another endpoint matches the same requests and comes first.
    Tie(Tie),
}

impl RouteTable {
    pub fn build(
        routes: &[Route],
        counters: &CounterRegistry,
        policy: MatchPolicy,
        cohorts: &Cohorts,
    ) -> Self {
        let mut unmatchable = Vec::new();
        let mut matchable = Vec::with_capacity(routes.len());
        for route in routes {
            let method = route.endpoint.method().clone();
            match Template::parse(route.endpoint.template()) {
                Ok(template) => matchable.push((method, template, ActiveRoute::of(route, counters, cohorts))),
                Err(problem) => unmatchable.push(Unmatchable::Template(problem)),
            }
        }
        let (matcher, ties) = Matcher::build(matchable, policy);
        unmatchable.extend(ties.into_iter().map(Unmatchable::Tie));
        Self { matcher, unmatched: counters.unmatched(), unmatchable }
    }

    /// Allocates nothing.
    pub fn find(&self, method: &Method, path: &PathView<'_>) -> Option<&Arc<ActiveRoute>> {
        self.matcher.find(method, path)
    }

    /// Where requests are counted that match nothing.
    pub fn unmatched(&self) -> &Arc<EndpointCounters> {
        &self.unmatched
    }

    /// What an operator must be told of.
    pub fn unmatchable(&self) -> &[Unmatchable] {
        &self.unmatchable
    }

    pub fn into_shared(self) -> SharedTable {
        Arc::new(ArcSwap::from_pointee(self))
    }
}

impl ActiveRoute {
    /// Where it stands for the next request. A fallback holds from the moment of its trigger, before this table was
    /// swapped for the one that says so.
    pub fn standing_now(&self) -> Standing {
        if self.counters.guard().is_closed() && self.standing.stage != Stage::Retired {
            return Standing { hold: Hold::Fallback, ..self.standing };
        }
        self.standing
    }

    fn of(route: &Route, counters: &CounterRegistry, cohorts: &Cohorts) -> Arc<Self> {
        Arc::new(Self {
            endpoint: route.endpoint.clone(),
            safe: SafeMethod::of(route.endpoint.method()),
            standing: route.standing,
            revision: route.revision,
            salt: cohorts.salt_of(route.endpoint.template()),
            counters: counters.get(&route.endpoint),
        })
    }
}

#[cfg(test)]
mod tests {
    use diff_harness::comparison::{Disposition, SkipReason};
    use diff_harness::exchange::UnixMillis;
    use diff_harness::lifecycle::Declaration;

    use std::time::{Duration, Instant};

    use super::*;
    use crate::fallback::{FallbackConfig, FallbackHandle, Recent, Trigger};
    use crate::routes::PathPolicy;

    fn route(endpoint: &str, stage: Stage) -> Route {
        Route {
            endpoint: endpoint.parse().unwrap(),
            standing: Standing { stage, hold: Hold::None },
            revision: 7,
            since: UnixMillis(0),
            declaration: Declaration::default(),
        }
    }

    fn stage_of(table: &RouteTable, method: Method, path: &str) -> Option<Stage> {
        let path = PathView::of(path, &PathPolicy::default()).unwrap();
        table.find(&method, &path).map(|route| route.standing.stage)
    }

    #[test]
    fn a_request_finds_where_its_endpoint_stands() {
        let routes = [route("GET /playlists/{id}", Stage::Live), route("GET /playlists/mine", Stage::Shadow)];
        let table =
            RouteTable::build(&routes, &CounterRegistry::new(), MatchPolicy::default(), &Cohorts::default());
        assert_eq!(stage_of(&table, Method::GET, "/playlists/7?x=1"), Some(Stage::Live));
        assert_eq!(stage_of(&table, Method::GET, "/playlists/mine"), Some(Stage::Shadow));
        assert_eq!(stage_of(&table, Method::HEAD, "/playlists/7"), Some(Stage::Live));
        assert_eq!(stage_of(&table, Method::DELETE, "/playlists/7"), None);
        assert!(table.unmatchable().is_empty());
    }

    #[test]
    fn what_was_counted_survives_a_swap_of_the_table() {
        let counters = CounterRegistry::new();
        let build = |stage| {
            RouteTable::build(
                &[route("GET /a", stage)],
                &counters,
                MatchPolicy::default(),
                &Cohorts::default(),
            )
        };
        let path = PathView::of("/a", &PathPolicy::default()).unwrap();
        let shared = build(Stage::Legacy).into_shared();
        let count = || {
            let table = shared.load();
            let route = table.find(&Method::GET, &path).unwrap();
            route.counters.count(Disposition::Skipped(SkipReason::Stage));
            route.counters.snapshot().tally.seen()
        };
        assert_eq!(count(), 1);
        shared.store(Arc::new(build(Stage::Shadow)));
        assert_eq!(count(), 2);
    }

    #[test]
    fn a_fallback_holds_before_the_table_is_swapped_and_in_every_table() {
        let counters = CounterRegistry::new();
        let path = PathView::of("/a", &PathPolicy::default()).unwrap();
        let hold = |stage| {
            let table = RouteTable::build(
                &[route("GET /a", stage)],
                &counters,
                MatchPolicy::default(),
                &Cohorts::default(),
            );
            let standing = table.find(&Method::GET, &path).unwrap().standing_now();
            assert_eq!(standing.stage, stage);
            standing.hold
        };
        let (fallback, _alarms) = FallbackHandle::new(FallbackConfig::default(), Instant::now());
        assert_eq!(hold(Stage::Live), Hold::None);
        let table = RouteTable::build(
            &[route("GET /a", Stage::Live)],
            &counters,
            MatchPolicy::default(),
            &Cohorts::default(),
        );
        let trigger = Trigger::Failures {
            recent: Recent::default(),
            window: Duration::from_secs(1),
            last: "timeout",
            exchange: String::new(),
        };
        assert!(fallback.trip(table.find(&Method::GET, &path).unwrap(), trigger));
        assert_eq!(table.find(&Method::GET, &path).unwrap().standing_now().hold, Hold::Fallback);
        assert_eq!(hold(Stage::Soak), Hold::Fallback);
        assert_eq!(hold(Stage::Retired), Hold::None, "there is nothing to fall back to");
        fallback.open(counters.get(&"GET /a".parse().unwrap()).guard(), Instant::now());
        assert_eq!(hold(Stage::Live), Hold::None);
    }

    #[test]
    fn an_endpoint_that_cannot_be_matched_is_named() {
        let routes = [route("GET /a/{x}", Stage::Legacy), route("GET /a/{y}", Stage::Live)];
        let table =
            RouteTable::build(&routes, &CounterRegistry::new(), MatchPolicy::default(), &Cohorts::default());
        let [Unmatchable::Tie(tie)] = table.unmatchable() else { panic!("{:?}", table.unmatchable()) };
        assert_eq!(tie.loser.to_string(), "/a/{y}");
        assert_eq!(stage_of(&table, Method::GET, "/a/1"), Some(Stage::Legacy));
    }
}
