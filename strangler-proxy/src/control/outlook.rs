//! What the gate says to the next move of many endpoints at once. It is asked anew where something changed, and not
//! more often than a page or a command can wait for.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use diff_harness::endpoint::EndpointId;
use diff_harness::exchange::UnixMillis;
use diff_harness::gate::Ruling;
use diff_harness::lifecycle::{Route, Stage};
use diff_harness::store::{DecisionsOf, Epoch, EpochFilter, StoreError, Tally};

use super::{Control, next};

/// What did not change is judged again after that long, for time alone can change an answer: quiet periods and waivers.
const OLD_MS: u64 = 60_000;

/// The gate's answer to the next move of one endpoint.
#[derive(Clone, Debug)]
pub struct Outlook {
    pub to: Stage,
    pub ruling: Ruling,
}

/// The answers that are kept between two looks.
#[derive(Debug, Default)]
pub(super) struct Kept(Mutex<BTreeMap<EndpointId, Known>>);

#[derive(Clone, Debug)]
struct Known {
    of: Basis,
    tally: Tally,
    at: UnixMillis,
    outlook: Arc<Outlook>,
}

/// What an answer may never outlive.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Basis {
    revision: u64,
    epoch: Arc<Epoch>,
    newest_decision: u64,
    is_reachable: bool,
}

/// One look at many endpoints.
pub struct Outlooks<'a> {
    control: &'a Control,
    epoch: Arc<Epoch>,
    candidate: Result<(), String>,
    newest_decision: u64,
    tallies: BTreeMap<EndpointId, Tally>,
    /// How often the gate may still be asked in this look.
    left: Cell<usize>,
}

impl Control {
    /// Asks the gate for at most so many endpoints; of what is beyond, an older answer is given where there is one.
    pub fn look_ahead(&self, asked_max: usize) -> Result<Outlooks<'_>, StoreError> {
        (self.effects.flush)();
        let epoch = (self.effects.epoch)();
        let newest = self.store.decisions(DecisionsOf::All, 1)?;
        let tallies = self.store.tallies(EpochFilter::Only(&epoch))?;
        Ok(Outlooks {
            control: self,
            candidate: (self.effects.reach_candidate)(),
            newest_decision: newest.first().map_or(0, |entry| entry.sequence),
            tallies: tallies.into_iter().filter_map(|(of, tally)| Some((of?, tally))).collect(),
            left: Cell::new(asked_max),
            epoch,
        })
    }
}

impl Outlooks<'_> {
    /// What this endpoint's evidence in the epoch is counted as.
    pub fn tally(&self, endpoint: &EndpointId) -> Tally {
        self.tallies.get(endpoint).cloned().unwrap_or_default()
    }

    /// `None` at the end of the ladder, and where the gate was asked often enough and nothing is known.
    pub fn of(&self, route: &Route) -> Result<Option<Arc<Outlook>>, StoreError> {
        let endpoint = &route.endpoint;
        let Some(to) = next(route.standing.stage, endpoint.is_safe()) else { return Ok(None) };
        let now = self.control.now();
        let of = Basis {
            revision: route.revision,
            epoch: Arc::clone(&self.epoch),
            newest_decision: self.newest_decision,
            is_reachable: self.candidate.is_ok(),
        };
        let tally = self.tallies.get(endpoint).cloned().unwrap_or_default();
        let kept = || self.control.outlooks.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = kept().get(endpoint).filter(|known| known.of == of).cloned();
        if let Some(known) = &known {
            let is_fresh = known.tally == tally && now.0.saturating_sub(known.at.0) < OLD_MS;
            if is_fresh || self.left.get() == 0 {
                return Ok(Some(Arc::clone(&known.outlook)));
            }
        }
        let Some(left) = self.left.get().checked_sub(1) else { return Ok(None) };
        self.left.set(left);
        let control = self.control;
        let question = control.question(&control.policy, &self.epoch, route, to, self.candidate.clone());
        let ruling = super::gate::ask(control.store.as_ref(), &question)?;
        let outlook = Arc::new(Outlook { to, ruling });
        kept().insert(endpoint.clone(), Known { of, tally, at: now, outlook: Arc::clone(&outlook) });
        Ok(Some(outlook))
    }
}
