//! Moves endpoints: the store first, then the route table, then the answer.
//!
//! A flip that was acknowledged is durable and takes effect on the next request. Everything here blocks on the
//! store; callers keep it off the threads that answer clients.

mod effects;
mod gate;
mod latch;
mod moves;
mod moving;
mod no_return;
mod noise;
mod outlook;
mod pen;
mod refusal;
mod states;
mod triage;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use diff_harness::endpoint::EndpointId;
use diff_harness::exchange::UnixMillis;
use diff_harness::gate::Policy;
use diff_harness::lifecycle::{Declaration, Flip, Hold, Route, Standing, Transition};
use diff_harness::store::{Declared, Store, StoreError};

pub use diff_harness::lifecycle::ladder::{Direction, direction, is_forward, next};
pub use effects::{Effects, Publish};

pub use moves::{Moved, Plan, Promote, Rollback, SetHold};
pub use no_return::PointOfNoReturn;
pub use outlook::{Outlook, Outlooks};
use pen::Pen;
pub use pen::{Forward, Unwritten};
pub use refusal::Refusal;
pub use states::States;
pub use triage::{Decide, Regroup, Triage};

/// Who is named in the audit log for what the proxy did by itself.
pub const ITSELF: &str = "strangler";

/// Where every endpoint stands, and the only way to change it.
pub struct Control {
    store: Arc<dyn Store>,
    policy: Policy,
    /// When this process began to serve.
    started: UnixMillis,
    effects: Effects,
    points: Vec<PointOfNoReturn>,
    /// What the store holds, so that reading it needs no store, and a flip that became durable is applied even
    /// if the store fails on the next call. Locked while a flip is written, so that tables are published in
    /// the order of the audit log.
    routes: Mutex<BTreeMap<EndpointId, Route>>,
    /// Fallbacks that hold and that the store has not taken yet. Locked after `routes`, and never for long.
    unwritten: Mutex<BTreeMap<EndpointId, Unwritten>>,
    pen: Pen,
    outlooks: outlook::Kept,
    settled: noise::Settled,
}

impl Control {
    /// Reads where everything stands, and publishes the first route table.
    pub fn open(store: Arc<dyn Store>, policy: Policy, effects: Effects) -> Result<Self, StoreError> {
        let routes = store.routes()?;
        (effects.publish)(&routes);
        let routes = routes.into_iter().map(|route| (route.endpoint.clone(), route)).collect();
        let started = (effects.now)();
        Ok(Self {
            store,
            policy,
            started,
            effects,
            points: Vec::new(),
            routes: Mutex::new(routes),
            unwritten: Mutex::default(),
            pen: Pen::default(),
            outlooks: outlook::Kept::default(),
            settled: noise::Settled::default(),
        })
    }

    /// With declared points of no return.
    #[must_use]
    pub fn with_points(mut self, points: Vec<PointOfNoReturn>) -> Self {
        self.points = points;
        self
    }

    pub fn routes(&self) -> Vec<Route> {
        self.lock().values().cloned().collect()
    }

    pub fn route(&self, endpoint: &EndpointId) -> Result<Route, StoreError> {
        let routes = self.lock();
        routes.get(endpoint).cloned().ok_or_else(|| StoreError::UnknownEndpoint(endpoint.clone()))
    }

    /// Adds endpoints at stage `legacy`, and brings the declarations of known ones up to date.
    pub fn declare(&self, endpoints: &[(EndpointId, Declaration)]) -> Result<Declared, StoreError> {
        let now = (self.effects.now)();
        let mut routes = self.lock();
        self.pen.is_ours()?;
        let declared = self.store.declare(endpoints, now)?;
        for (endpoint, declaration) in endpoints {
            routes
                .entry(endpoint.clone())
                .and_modify(|route| route.declaration = declaration.clone())
                .or_insert_with(|| Route {
                    endpoint: endpoint.clone(),
                    standing: Standing::default(),
                    revision: 0,
                    since: now,
                    declaration: declaration.clone(),
                });
        }
        // What the store made of it is what counts, where it can say so.
        if let Ok(stored) = self.store.routes() {
            self.set(&mut routes, stored);
        }
        self.publish(&routes);
        Ok(declared)
    }

    /// Comparisons of a clean endpoint that the gate takes, and as many that verify a fix.
    pub fn enough(&self, endpoint: &EndpointId) -> u64 {
        self.policy.of(endpoint).1.clean_needed()
    }

    /// Newest first.
    pub fn transitions(
        &self,
        endpoint: Option<&EndpointId>,
        limit: usize,
    ) -> Result<Vec<Transition>, StoreError> {
        self.store.transitions(endpoint, limit)
    }

    pub fn now(&self) -> UnixMillis {
        (self.effects.now)()
    }

    /// One flip whose target follows from where the endpoint stands, with no one else in between.
    fn change(
        &self,
        endpoint: &EndpointId,
        expected_revision: Option<u64>,
        actor: &str,
        reason: &str,
        target: impl Fn(&Route) -> Result<Option<Standing>, Refusal>,
    ) -> Result<Moved, Refusal> {
        let mut routes = self.lock();
        let unknown = || StoreError::UnknownEndpoint(endpoint.clone());
        let route = routes.get(endpoint).cloned().ok_or_else(unknown)?;
        let Some(to) = target(&route)? else { return Ok(Moved::stayed(&route)) };
        let flip = Flip {
            endpoint: endpoint.clone(),
            expected_revision: expected_revision.unwrap_or(route.revision),
            to,
            actor: actor.to_owned(),
            reason: reason.to_owned(),
            forced: false,
            evidence: "null".to_owned(),
            at: (self.effects.now)(),
        };
        let transition = self.flip_locked(&mut routes, &flip)?;
        Ok(Moved::made(&transition, None))
    }

    fn flip(&self, flip: &Flip) -> Result<Transition, StoreError> {
        self.flip_locked(&mut self.lock(), flip)
    }

    fn flip_locked(
        &self,
        routes: &mut BTreeMap<EndpointId, Route>,
        flip: &Flip,
    ) -> Result<Transition, StoreError> {
        self.pen.is_ours()?;
        let before = routes.get(&flip.endpoint).map(|route| route.standing.hold);
        let flip = &match self.write_fallback(routes, &flip.endpoint)? {
            // Whoever saw the endpoint before its fallback was written saw that it had fallen back.
            Some(written) if written.revision == flip.expected_revision + 1 => {
                Flip { expected_revision: written.revision, ..flip.clone() }
            }
            _ => flip.clone(),
        };
        let transition = self.store.flip(flip)?;
        if before == Some(Hold::Fallback) && flip.to.hold != Hold::Fallback {
            (self.effects.resumed)(&flip.endpoint);
        }
        if let Some(route) = routes.get_mut(&flip.endpoint) {
            if route.standing.stage != flip.to.stage {
                route.since = flip.at;
            }
            route.standing = flip.to;
            route.revision = transition.revision;
        }
        self.publish(routes);
        tracing::info!(
            endpoint = %flip.endpoint, stage = %flip.to.stage, hold = %flip.to.hold, revision = transition.revision,
            actor = flip.actor, reason = flip.reason, forced = flip.forced, "flipped",
        );
        Ok(transition)
    }

    /// Where everything stands by the store, with the fallbacks that it does not have.
    fn set(&self, routes: &mut BTreeMap<EndpointId, Route>, stored: Vec<Route>) {
        *routes = stored.into_iter().map(|route| (route.endpoint.clone(), route)).collect();
        for Unwritten { flip, .. } in self.unwritten().values() {
            if let Some(route) = routes.get_mut(&flip.endpoint) {
                route.standing.hold = flip.to.hold;
            }
        }
    }

    fn publish(&self, routes: &BTreeMap<EndpointId, Route>) {
        let routes: Vec<_> = routes.values().cloned().collect();
        (self.effects.publish)(&routes);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<EndpointId, Route>> {
        // A panic while it was locked cannot have left it half-written: entries are replaced whole.
        self.routes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
