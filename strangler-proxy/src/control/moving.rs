//! Granting wishes: what lets an endpoint move, and what refuses it.

use diff_harness::endpoint::EndpointId;
use diff_harness::gate::{Policy, Ruling};
use diff_harness::lifecycle::{Flip, Hold, Route, Stage, Standing};
use diff_harness::store::{Epoch, StoreError};

use super::{
    Control, Direction, Moved, Plan, Promote, Refusal, Rollback, SetHold, direction, gate, next, no_return,
};

impl Control {
    /// Towards the candidate, on evidence or by force.
    pub fn promote(&self, wish: &Promote) -> Result<Moved, Refusal> {
        if wish.force && wish.reason.trim().is_empty() {
            return Err(Refusal::ReasonRequired("a forced promotion"));
        }
        let route = self.route(&wish.endpoint)?;
        let to = target(&route, wish.to)?;
        let gated = match direction(route.standing.stage, to) {
            Direction::Stay => return Ok(Moved::stayed(&route)),
            Direction::Back => return Err(backwards(&route, to)),
            Direction::Forward { gated } => gated,
        };
        self.free_to_move(&route)?;
        if route.standing.stage == Stage::Verify && wish.reason.trim().is_empty() {
            return Err(Refusal::ReasonRequired("leaving verify, which a person approves,"));
        }
        self.acknowledged(wish, &route, to)?;
        let ruling = Box::new(self.ask(&self.policy, &route, to, gated)?);
        if !ruling.answer.passed() && !wish.force {
            return Err(Refusal::of_gate(route.endpoint, to, ruling));
        }
        if ruling.unforceable().next().is_some() {
            return Err(Refusal::Unforceable { endpoint: route.endpoint, to, ruling });
        }
        let transition = self.flip(&Flip {
            endpoint: wish.endpoint.clone(),
            expected_revision: wish.expected_revision.unwrap_or(route.revision),
            to: Standing { stage: to, hold: route.standing.hold },
            actor: wish.actor.clone(),
            reason: wish.reason.clone(),
            // A force that nothing stood against overrode nothing.
            forced: !ruling.answer.passed(),
            evidence: ruling.to_json().to_string(),
            at: (self.effects.now)(),
        })?;
        Ok(Moved::made(&transition, Some(*ruling)))
    }

    /// Back towards control: always allowed, never gated, and it does not lose a race.
    pub fn rollback(&self, wish: &Rollback) -> Result<Moved, Refusal> {
        self.change(&wish.endpoint, None, &wish.actor, &wish.reason, |route| {
            match direction(route.standing.stage, wish.to) {
                Direction::Stay => Ok(None),
                Direction::Back => Ok(Some(Standing { stage: wish.to, hold: route.standing.hold })),
                Direction::Forward { .. } => Err(Refusal::Forwards {
                    endpoint: route.endpoint.clone(),
                    from: route.standing.stage,
                    to: wish.to,
                }),
            }
        })
    }

    /// Keeps an endpoint where it is.
    pub fn hold(&self, wish: &SetHold) -> Result<Moved, Refusal> {
        if wish.reason.trim().is_empty() {
            return Err(Refusal::ReasonRequired("a hold"));
        }
        self.change(&wish.endpoint, wish.expected_revision, &wish.actor, &wish.reason, |route| {
            match route.standing.hold {
                Hold::None => Ok(Some(Standing { hold: Hold::Paused, ..route.standing })),
                Hold::Paused => Ok(None),
                Hold::Fallback => Err(held(route)),
            }
        })
    }

    /// Lets a held endpoint move again. After a fallback the candidate answers again, as its stage says.
    pub fn resume(&self, wish: &SetHold) -> Result<Moved, Refusal> {
        if wish.reason.trim().is_empty() {
            return Err(Refusal::ReasonRequired("a resume"));
        }
        self.change(&wish.endpoint, wish.expected_revision, &wish.actor, &wish.reason, |route| {
            match route.standing.hold {
                Hold::None => Err(Refusal::NotHeld(route.endpoint.clone())),
                Hold::Paused | Hold::Fallback => Ok(Some(Standing { hold: Hold::None, ..route.standing })),
            }
        })
    }

    /// What a move would do and what the gate would say, by another policy where one is to be tried. Changes nothing.
    pub fn plan(
        &self,
        endpoint: &EndpointId,
        to: Option<Stage>,
        tried: Option<&Policy>,
    ) -> Result<Plan, Refusal> {
        let route = self.route(endpoint)?;
        let to = target(&route, to)?;
        let direction = direction(route.standing.stage, to);
        let gate = match direction {
            Direction::Forward { gated } => {
                Some(self.ask(tried.unwrap_or(&self.policy), &route, to, gated)?)
            }
            Direction::Stay | Direction::Back => None,
        };
        let refusal = match (direction, &gate) {
            (Direction::Forward { .. }, Some(ruling)) => self.free_to_move(&route).err().or_else(|| {
                let refused = || Refusal::of_gate(route.endpoint.clone(), to, Box::new(ruling.clone()));
                (!ruling.answer.passed()).then(refused)
            }),
            _ => None,
        };
        let no_return = no_return::passed(&self.points, &route.endpoint, route.standing.stage, to);
        Ok(Plan { route, to, direction, gate, refusal, no_return })
    }

    /// The gate's answer for a move forward.
    fn ask(&self, policy: &Policy, route: &Route, to: Stage, gated: bool) -> Result<Ruling, StoreError> {
        if gated {
            (self.effects.flush)();
        }
        let candidate = (self.effects.reach_candidate)();
        let epoch = (self.effects.epoch)();
        gate::ask(self.store.as_ref(), &self.question(policy, &epoch, route, to, candidate))
    }

    pub(super) fn question<'a>(
        &self,
        policy: &'a Policy,
        epoch: &'a Epoch,
        route: &'a Route,
        to: Stage,
        candidate: Result<(), String>,
    ) -> gate::Question<'a> {
        gate::Question {
            policy,
            epoch,
            route,
            to,
            candidate,
            started: self.started,
            now: (self.effects.now)(),
        }
    }

    /// What cannot be undone was seen by whoever wants it: they say the endpoint's name.
    fn acknowledged(&self, wish: &Promote, route: &Route, to: Stage) -> Result<(), Refusal> {
        let passed = no_return::passed(&self.points, &route.endpoint, route.standing.stage, to);
        let said = wish.acknowledge.as_deref().and_then(|said| said.trim().parse::<EndpointId>().ok());
        if passed.is_empty() || said.as_ref() == Some(&route.endpoint) {
            return Ok(());
        }
        Err(Refusal::NoReturn { endpoint: route.endpoint.clone(), to, passed })
    }

    /// Neither paused nor fallen back.
    fn free_to_move(&self, route: &Route) -> Result<(), Refusal> {
        match route.standing.hold {
            Hold::None => Ok(()),
            Hold::Paused | Hold::Fallback => Err(self.held_because(route)),
        }
    }

    /// With the reason that was given for the hold, where the audit log still has it at hand.
    fn held_because(&self, route: &Route) -> Refusal {
        let transitions = self.store.transitions(Some(&route.endpoint), 20).unwrap_or_default();
        let why = transitions
            .into_iter()
            .find(|transition| transition.from.hold != transition.flip.to.hold)
            .map(|transition| format!("{} said: {}", transition.flip.actor, transition.flip.reason));
        match why {
            Some(why) => Refusal::Held { endpoint: route.endpoint.clone(), hold: route.standing.hold, why },
            None => held(route),
        }
    }
}

/// The stage that was asked for, or the next one.
fn target(route: &Route, to: Option<Stage>) -> Result<Stage, Refusal> {
    let safe = route.endpoint.is_safe();
    let to = match to {
        Some(to) => to,
        None => next(route.standing.stage, safe).ok_or_else(|| Refusal::AtTheEnd(route.endpoint.clone()))?,
    };
    if to.suits(safe) {
        return Ok(to);
    }
    let why = if safe {
        "a safe method is shadowed instead (stage shadow)"
    } else {
        "an unsafe method is sent once, ever, and never shadowed; its stages are record and verify"
    };
    Err(Refusal::Unsuitable { endpoint: route.endpoint.clone(), stage: to, why })
}

fn backwards(route: &Route, to: Stage) -> Refusal {
    Refusal::Backwards { endpoint: route.endpoint.clone(), from: route.standing.stage, to }
}

fn held(route: &Route) -> Refusal {
    let why = match route.standing.hold {
        Hold::Fallback => "the proxy took it back to control",
        Hold::Paused | Hold::None => "a person stopped it",
    };
    Refusal::Held { endpoint: route.endpoint.clone(), hold: route.standing.hold, why: why.to_owned() }
}
