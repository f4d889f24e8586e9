//! Endpoints that fall back by themselves, and which process writes that down.

use std::collections::BTreeMap;
use std::sync::{MutexGuard, PoisonError};

use diff_harness::endpoint::EndpointId;
use diff_harness::lifecycle::ladder::answers_clients;
use diff_harness::lifecycle::{Flip, Hold, Route, Stage, Standing, Transition};
use diff_harness::store::StoreError;

use super::pen::{self, Forward, Holder};
use super::{Control, ITSELF, Moved, Refusal, Unwritten};
use crate::fallback::Alarm;
use crate::handover::FellBack;

impl Control {
    /// Takes an endpoint back to control by itself, latched until a person resumes it. The table goes before the
    /// store: a store that fails keeps nobody at a candidate that does. Then the error says so, and
    /// [`write_unwritten`](Self::write_unwritten) tries again.
    pub fn fall_back(&self, alarm: &Alarm) -> Result<Moved, Refusal> {
        let trigger = &alarm.trigger;
        let evidence = trigger.evidence().to_string();
        self.latch(&alarm.endpoint, trigger.is_of_answers(), &trigger.to_string(), &evidence)
    }

    fn latch(
        &self,
        endpoint: &EndpointId,
        is_of_answers: bool,
        reason: &str,
        evidence: &str,
    ) -> Result<Moved, Refusal> {
        let mut routes = self.lock();
        let unknown = || StoreError::UnknownEndpoint(endpoint.clone());
        let route = routes.get_mut(endpoint).ok_or_else(unknown)?;
        if route.standing.stage == Stage::Retired {
            // Its guard would outlast a rollback to a stage that nothing is wrong with.
            (self.effects.resumed)(endpoint);
            return Err(Refusal::NothingBehind(endpoint.clone()));
        }
        if is_of_answers && !answers_clients(route.standing.stage) {
            // Somebody took it back before this could.
            (self.effects.resumed)(endpoint);
            return Ok(Moved::stayed(route));
        }
        let latched = Standing { hold: Hold::Fallback, ..route.standing };
        if route.standing == latched {
            return Ok(Moved::stayed(route));
        }
        route.standing = latched;
        let flip = Flip {
            endpoint: endpoint.clone(),
            expected_revision: route.revision,
            to: latched,
            actor: ITSELF.to_owned(),
            reason: reason.to_owned(),
            forced: false,
            evidence: evidence.to_owned(),
            at: (self.effects.now)(),
        };
        self.publish(&routes);
        self.unwritten().insert(endpoint.clone(), Unwritten { flip, is_of_answers });
        let written = self.write_fallback(&mut routes, endpoint)?;
        Ok(written
            .map_or_else(|| Moved::stayed(&routes[endpoint]), |transition| Moved::made(&transition, None)))
    }

    /// Fallbacks that hold and that a restart would forget, because the store did not take them yet.
    pub fn unwritten(&self) -> MutexGuard<'_, BTreeMap<EndpointId, Unwritten>> {
        self.unwritten.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tries again what the store refused.
    pub fn write_unwritten(&self) {
        let endpoints: Vec<_> = self.unwritten().keys().cloned().collect();
        for endpoint in endpoints {
            match self.write_fallback(&mut self.lock(), &endpoint) {
                Ok(_) => tracing::info!(%endpoint, "the store has taken its fallback"),
                Err(error) => tracing::error!(%endpoint, %error, "the store does not take its fallback yet"),
            }
        }
    }

    /// Stops writing transitions, for a new process that reads the store: what was acknowledged is in it. A fallback holds
    /// here all the same, and waits for [`hand_over_to`](Self::hand_over_to) or [`take_back`](Self::take_back).
    pub fn hand_over(&self) {
        // Whoever writes one has the routes until it is written.
        let _routes = self.lock();
        *self.pen.lock() = Holder::Nobody;
    }

    /// From now on the other process writes what falls back here.
    pub fn hand_over_to(&self, forward: Forward) {
        let _routes = self.lock();
        *self.pen.lock() = Holder::Successor(forward);
    }

    /// The new process did not come about, or has gone. What it has written is read; then this one writes again.
    pub fn take_back(&self) {
        let mut routes = self.lock();
        if matches!(*self.pen.lock(), Holder::Us) {
            return;
        }
        match self.store.routes() {
            Ok(stored) => self.set(&mut routes, stored),
            Err(error) => tracing::error!(
                %error, "whether another process has moved endpoints could not be read; they stand here as they stood"
            ),
        }
        *self.pen.lock() = Holder::Us;
        self.publish(&routes);
    }

    /// An endpoint fell back in the process before this one.
    pub fn fell_back_before(&self, what: &FellBack) -> Result<Moved, Refusal> {
        let endpoint: EndpointId = what.endpoint.parse().map_err(|_| {
            StoreError::Unusable(format!("`{}` is no endpoint: it cannot fall back", what.endpoint))
        })?;
        self.latch(&endpoint, what.is_of_answers, &what.reason, &what.evidence)
    }

    /// Writes the fallback of an endpoint that the store has not taken yet, if there is one.
    pub(super) fn write_fallback(
        &self,
        routes: &mut BTreeMap<EndpointId, Route>,
        endpoint: &EndpointId,
    ) -> Result<Option<Transition>, StoreError> {
        let Some(unwritten) = self.unwritten().get(endpoint).cloned() else { return Ok(None) };
        match &mut *self.pen.lock() {
            Holder::Us => {}
            Holder::Nobody => return Err(pen::handed_over()),
            Holder::Successor(forward) => match forward(FellBack::from(&unwritten)) {
                Ok(()) => {
                    self.unwritten().remove(endpoint);
                    return Ok(None);
                }
                Err(error) => {
                    tracing::warn!(%endpoint, %error, "the process that took over does not take a fallback; it is written here");
                }
            },
        }
        let mut flip = unwritten.flip;
        let transition = match self.store.flip(&flip) {
            // Someone else moved it in the store. What it falls back from matters less than that it does.
            Err(StoreError::Conflict { current, .. }) => {
                flip.expected_revision = current;
                self.store.flip(&flip)?
            }
            written => written?,
        };
        self.unwritten().remove(endpoint);
        if let Some(route) = routes.get_mut(endpoint) {
            route.revision = transition.revision;
        }
        self.publish(routes);
        Ok(Some(transition))
    }
}
