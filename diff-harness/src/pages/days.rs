//! How far the estate was, day by day.

use std::collections::BTreeMap;

use super::standing::is_moved;
use crate::endpoint::EndpointId;
use crate::exchange::UnixMillis;
use crate::lifecycle::{Stage, Transition};

const DAY_MS: u64 = 86_400_000;
/// More points than that are not told apart.
const DAYS_MAX: u64 = 120;

/// How many endpoints stood where at the end of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StageDay {
    pub at: UnixMillis,
    /// No client is answered by the candidate, and nothing is compared.
    pub staying: u64,
    /// Being proven, up to a canary.
    pub moving: u64,
    /// The candidate answers all clients.
    pub moved: u64,
}

impl StageDay {
    /// From where the endpoints stand now, back to the first of these transitions.
    pub fn since<'a>(
        now_at: impl IntoIterator<Item = (&'a EndpointId, Stage)>,
        newest_first: &'a [Transition],
        now: UnixMillis,
    ) -> Vec<Self> {
        let Some(first) = newest_first.last() else { return Vec::new() };
        let mut stages: BTreeMap<&EndpointId, Stage> = now_at.into_iter().collect();
        for transition in newest_first {
            stages.insert(&transition.flip.endpoint, transition.from.stage);
        }
        let from = first.flip.at.0 / DAY_MS;
        let to = now.0 / DAY_MS;
        let step = (to.saturating_sub(from) / DAYS_MAX).max(1);
        // The evening before the first.
        let mut days = vec![Self::of(&stages, (from * DAY_MS).saturating_sub(1))];
        let mut rest = newest_first.iter().rev().peekable();
        let mut day = from;
        loop {
            let end = ((day + step) * DAY_MS).min(now.0.saturating_add(1));
            while let Some(transition) = rest.next_if(|transition| transition.flip.at.0 < end) {
                stages.insert(&transition.flip.endpoint, transition.flip.to.stage);
            }
            days.push(Self::of(&stages, end.saturating_sub(1)));
            day += step;
            if day > to {
                return days;
            }
        }
    }

    fn of(stages: &BTreeMap<&EndpointId, Stage>, at: u64) -> Self {
        let count = |is: &dyn Fn(Stage) -> bool| stages.values().filter(|stage| is(**stage)).count() as u64;
        Self {
            at: UnixMillis(at),
            staying: count(&|stage| stage == Stage::Legacy),
            moving: count(&|stage| stage != Stage::Legacy && !is_moved(stage)),
            moved: count(&is_moved),
        }
    }
}
