//! What is to be written for one epoch. Drafts that the store refused take up what came since.

use std::collections::BTreeMap;

use diff_harness::comparison::Verdict;
use diff_harness::endpoint::EndpointId;
use diff_harness::exchange::UnixMillis;
use diff_harness::noise::book::EndpointNoise;
use diff_harness::store::{
    Batch, ComparisonRecord, Epoch, NegativeControl, PlainTally, Recorded, Tally, Undeclared,
};

use super::gathered::{EndpointGathered, LATENCIES_MAX, OTHER, Plain, SHAPES_MAX, Sort, add_rule};

/// Proposals that wait for the store.
const UNDECLARED_MAX: usize = 1000;
/// Unsafe requests that wait for the store.
pub(super) const RECORDED_MAX: usize = 200;

#[derive(Debug, Default)]
pub(super) struct Draft {
    tallies: BTreeMap<Option<EndpointId>, Tally>,
    plain: BTreeMap<PlainKey, PlainTally>,
    comparisons: Vec<ComparisonRecord>,
    undeclared: BTreeMap<EndpointId, Undeclared>,
    noise: BTreeMap<EndpointId, EndpointNoise>,
    negative_controls: BTreeMap<EndpointId, NegativeControl>,
    recorded: Vec<Recorded>,
}

/// Endpoint and shape.
type PlainKey = (EndpointId, String, Sort);

impl Draft {
    pub(super) fn is_empty(&self) -> bool {
        self.tallies.is_empty()
            && self.comparisons.is_empty()
            && self.undeclared.is_empty()
            && self.noise.is_empty()
            && self.negative_controls.is_empty()
            && self.recorded.is_empty()
    }

    pub(super) fn count(&mut self, endpoint: Option<EndpointId>, delta: &Tally) {
        self.tallies.entry(endpoint).or_default().add(delta);
    }

    pub(super) fn add_endpoint(&mut self, gathered: EndpointGathered) {
        let EndpointGathered { endpoint, verdicts, shapes, .. } = gathered;
        for (shape, plains) in shapes {
            for plain in plains {
                self.add_plain(plain_tally(&endpoint, &shape, plain));
            }
        }
        self.count(Some(endpoint), &verdicts);
    }

    pub(super) fn add_records(&mut self, records: Vec<ComparisonRecord>) {
        self.comparisons.extend(records);
    }

    /// While the store refuses them, the newest are given up: those that wait say enough. Gives these back.
    pub(super) fn add_recorded(&mut self, recorded: Vec<Recorded>) -> Vec<Recorded> {
        self.recorded.extend(recorded);
        self.recorded.split_off(self.recorded.len().min(RECORDED_MAX))
    }

    pub(super) fn add_undeclared(&mut self, undeclared: Vec<Undeclared>) {
        for one in undeclared {
            let is_full = self.undeclared.len() >= UNDECLARED_MAX;
            match self.undeclared.get_mut(&one.proposed) {
                Some(known) => {
                    known.count += one.count;
                    known.examples = one.examples;
                }
                // Its requests are counted as unmatched all the same.
                None if is_full => {}
                None => drop(self.undeclared.insert(one.proposed.clone(), one)),
            }
        }
    }

    /// What is known of noise, in the place of what was.
    pub(super) fn add_noise(&mut self, noise: impl IntoIterator<Item = (EndpointId, EndpointNoise)>) {
        self.noise.extend(noise);
    }

    pub(super) fn add_negative_controls(
        &mut self,
        trials: impl IntoIterator<Item = (EndpointId, NegativeControl)>,
    ) {
        for (endpoint, trial) in trials {
            let known = self.negative_controls.entry(endpoint).or_default();
            *known = NegativeControl { found: trial.found.or(known.found), ..trial };
        }
    }

    pub(super) fn into_batch(self, epoch: &Epoch, at: UnixMillis) -> Batch {
        Batch {
            at,
            epoch: epoch.clone(),
            tallies: self.tallies.into_iter().collect(),
            comparisons: self.comparisons,
            plain: self.plain.into_values().collect(),
            undeclared: self.undeclared.into_values().collect(),
            recorded: self.recorded,
            noise: self.noise.into_iter().collect(),
            negative_controls: self.negative_controls.into_iter().collect(),
        }
    }

    /// What was in a batch that the store refused.
    pub(super) fn from_batch(batch: Batch) -> Self {
        let mut draft = Self { comparisons: batch.comparisons, ..Self::default() };
        draft.tallies = batch.tallies.into_iter().collect();
        draft.add_undeclared(batch.undeclared);
        draft.recorded = batch.recorded;
        for plain in batch.plain {
            draft.add_plain(plain);
        }
        draft.add_noise(batch.noise);
        draft.add_negative_controls(batch.negative_controls);
        draft
    }

    fn add_plain(&mut self, mut plain: PlainTally) {
        let PlainTally { verdict, both_failed, status, .. } = plain;
        let sort = Sort { verdict, both_failed, status };
        let mut key = (plain.endpoint.clone(), plain.shape.clone(), sort);
        // While the store takes nothing, more of them gather than between two writes.
        if !self.plain.contains_key(&key) && !self.has_room_for_a_shape(&key) {
            OTHER.clone_into(&mut plain.shape);
            OTHER.clone_into(&mut key.1);
        }
        let Some(known) = self.plain.get_mut(&key) else {
            self.plain.insert(key, plain);
            return;
        };
        known.count += plain.count;
        known.spread.merge(&plain.spread);
        for (rule, n) in &plain.tolerated {
            add_rule(&mut known.tolerated, rule, *n);
        }
        for (rule, n) in &plain.applied {
            add_rule(&mut known.applied, rule, *n);
        }
        let room = LATENCIES_MAX.saturating_sub(known.latencies.len());
        known.latencies.extend(plain.latencies.into_iter().take(room));
    }
}

impl Draft {
    fn has_room_for_a_shape(&self, (endpoint, shape, _): &PlainKey) -> bool {
        let sort = Sort { verdict: Verdict::Match, both_failed: false, status: None };
        let mut of_endpoint = self.plain.range((endpoint.clone(), String::new(), sort)..);
        let (mut count, mut last) = (0, None);
        while let Some(((of, known, _), _)) = of_endpoint.next()
            && of == endpoint
        {
            if known == shape {
                return true;
            }
            count += usize::from(last != Some(known));
            last = Some(known);
        }
        count < SHAPES_MAX
    }
}

fn plain_tally(endpoint: &EndpointId, shape: &str, plain: Plain) -> PlainTally {
    let Plain { sort: Sort { verdict, both_failed, status }, count, spread, tolerated, applied, latencies } =
        plain;
    PlainTally {
        endpoint: endpoint.clone(),
        shape: shape.to_owned(),
        status,
        verdict,
        both_failed,
        count,
        spread,
        tolerated,
        applied,
        latencies,
    }
}

#[cfg(test)]
mod tests {
    use diff_harness::store::Spread;

    use super::*;

    fn plain(shape: &str, verdict: Verdict) -> PlainTally {
        let sort = Sort { verdict, both_failed: false, status: Some(200) };
        let none = || (Vec::new(), Vec::new(), Vec::new());
        let (tolerated, applied, latencies) = none();
        let one = Plain { sort, count: 1, spread: Spread::default(), tolerated, applied, latencies };
        plain_tally(&"GET /a".parse().unwrap(), shape, one)
    }

    /// However long the store takes nothing: what is counted by shape is counted, and takes no more memory.
    #[test]
    fn shapes_past_the_limit_are_counted_as_another_one() {
        let mut draft = Draft::default();
        for n in 0..3 * SHAPES_MAX {
            for verdict in [Verdict::Match, Verdict::Tolerated, Verdict::Match] {
                draft.add_plain(plain(&format!("s{n}"), verdict));
            }
        }
        let all: Vec<_> = draft.plain.into_values().collect();
        let total: u64 = all.iter().map(|plain| plain.count).sum();
        assert_eq!((total, all.len()), (9 * SHAPES_MAX as u64, 2 * (SHAPES_MAX + 1)));
        let other: u64 = all.iter().filter(|plain| plain.shape == OTHER).map(|plain| plain.count).sum();
        assert_eq!(other, 6 * SHAPES_MAX as u64);
    }
}
