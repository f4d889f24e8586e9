//! What was compared since the last write, counted and kept in memory.

use std::collections::HashMap;
use std::sync::Arc;

use diff_harness::comparison::{Comparison, Verdict};
use diff_harness::endpoint::EndpointId;
use diff_harness::fingerprint::Fingerprint;
use diff_harness::noise::confirm::Confirmation;
use diff_harness::store::{ComparisonRecord, Epoch, LatencyPair, Spread, Tally};

use crate::counters::EndpointCounters;
use crate::routes::table::ActiveRoute;

/// Epochs at once. An epoch header that names another deployment in every response is a mistake, and must not
/// take memory without end.
const EPOCHS_MAX: usize = 32;
/// Shapes of one endpoint between two writes; what comes after them is counted as another one.
pub(super) const SHAPES_MAX: usize = 256;
pub(super) const OTHER: &str = "other";
/// Paired latencies of one shape between two writes; further ones are only counted.
pub(super) const LATENCIES_MAX: usize = 256;

#[derive(Debug, Default)]
pub(super) struct Gathered {
    epochs: Vec<EpochGathered>,
    /// Exchanges kept by group, to keep only a few of each.
    kept: HashMap<Fingerprint, u32>,
}

#[derive(Debug)]
pub(super) struct EpochGathered {
    pub(super) epoch: Arc<Epoch>,
    /// By the address of the endpoint's counters, which stays the same over swaps of the route table.
    endpoints: HashMap<usize, EndpointGathered>,
    pub(super) records: Vec<ComparisonRecord>,
}

#[derive(Debug)]
pub(super) struct EndpointGathered {
    pub(super) endpoint: EndpointId,
    /// Held so that the address stays taken.
    _counters: Arc<EndpointCounters>,
    pub(super) verdicts: Tally,
    pub(super) shapes: Vec<(Box<str>, Vec<Plain>)>,
    /// Where a shape is in them.
    places: HashMap<Box<str>, usize>,
}

/// What sets comparisons of one shape apart of which only the count is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Sort {
    /// A mismatch was an edit in between.
    pub(super) verdict: Verdict,
    pub(super) both_failed: bool,
    /// Control's.
    pub(super) status: Option<u16>,
}

/// Comparisons of one shape and one sort.
#[derive(Debug)]
pub(super) struct Plain {
    pub(super) sort: Sort,
    pub(super) count: u64,
    pub(super) spread: Spread,
    pub(super) tolerated: Vec<(String, u64)>,
    pub(super) applied: Vec<(String, u64)>,
    pub(super) latencies: Vec<LatencyPair>,
}

/// What is remembered of a comparison besides its verdict.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    /// What asking again said of a mismatch.
    pub(super) confirmation: Option<Confirmation>,
    /// Where the request falls among different ones.
    pub(super) place: u8,
    /// Control's.
    pub(super) status: Option<u16>,
    /// `None` where a side failed.
    pub(super) latencies: Option<LatencyPair>,
}

impl Gathered {
    pub(super) fn into_epochs(self) -> Vec<EpochGathered> {
        self.epochs
    }

    /// Counts a verdict of which a record is made.
    pub(super) fn count(
        &mut self,
        epoch: &Arc<Epoch>,
        route: &ActiveRoute,
        verdict: Verdict,
        both_failed: bool,
    ) {
        self.endpoint(epoch, route).count(verdict, both_failed);
    }

    /// Counts a comparison of which nothing else is kept, and remembers it by its shape. A mismatch among them was an
    /// edit in between.
    pub(super) fn add_plain(
        &mut self,
        epoch: &Arc<Epoch>,
        route: &ActiveRoute,
        shape: &str,
        comparison: &Comparison,
        seen: Seen,
    ) {
        let verdict = comparison.verdict();
        let endpoint = self.endpoint(epoch, route);
        endpoint.count(verdict, comparison.both_failed);
        endpoint.verdicts.racing += u64::from(verdict == Verdict::Mismatch);
        let sort = Sort { verdict, both_failed: comparison.both_failed, status: seen.status };
        let plains = endpoint.shape(shape);
        let known = plains.iter().position(|plain| plain.sort == sort);
        let place = known.unwrap_or_else(|| {
            plains.push(Plain::new(sort));
            plains.len() - 1
        });
        plains[place].add(comparison, seen);
    }

    /// Whether the exchange of a mismatch is kept: one of its groups has few of them since the last write.
    pub(super) fn keeps(&mut self, groups: &[Fingerprint], per_group: u32) -> bool {
        let mut keeps = false;
        for group in groups {
            let kept = self.kept.entry(group.clone()).or_default();
            keeps |= *kept < per_group;
            *kept = kept.saturating_add(1);
        }
        keeps
    }

    pub(super) fn add_record(&mut self, epoch: &Arc<Epoch>, record: ComparisonRecord) {
        self.epoch(epoch).records.push(record);
    }

    fn endpoint(&mut self, epoch: &Arc<Epoch>, route: &ActiveRoute) -> &mut EndpointGathered {
        let address = Arc::as_ptr(&route.counters).addr();
        self.epoch(epoch).endpoints.entry(address).or_insert_with(|| EndpointGathered {
            endpoint: route.endpoint.clone(),
            _counters: Arc::clone(&route.counters),
            verdicts: Tally::default(),
            shapes: Vec::new(),
            places: HashMap::new(),
        })
    }

    /// The evidence of an epoch; past the limit that of the last one, so that no count is lost.
    fn epoch(&mut self, epoch: &Arc<Epoch>) -> &mut EpochGathered {
        let same = |known: &EpochGathered| Arc::ptr_eq(&known.epoch, epoch) || known.epoch == *epoch;
        let place = match self.epochs.iter().rposition(same) {
            Some(place) => place,
            None if self.epochs.len() >= EPOCHS_MAX => self.epochs.len() - 1,
            None => {
                self.epochs.push(EpochGathered {
                    epoch: Arc::clone(epoch),
                    endpoints: HashMap::new(),
                    records: Vec::new(),
                });
                self.epochs.len() - 1
            }
        };
        &mut self.epochs[place]
    }
}

impl EndpointGathered {
    fn count(&mut self, verdict: Verdict, both_failed: bool) {
        self.verdicts.count(verdict);
        self.verdicts.both_failed += u64::from(both_failed);
    }

    fn shape(&mut self, shape: &str) -> &mut Vec<Plain> {
        let place = match self.places.get(shape) {
            Some(place) => *place,
            None if shape != OTHER && self.shapes.len() >= SHAPES_MAX => return self.shape(OTHER),
            None => {
                self.places.insert(shape.into(), self.shapes.len());
                self.shapes.push((shape.into(), Vec::new()));
                self.shapes.len() - 1
            }
        };
        &mut self.shapes[place].1
    }
}

impl EpochGathered {
    pub(super) fn take_endpoints(&mut self) -> impl Iterator<Item = EndpointGathered> + use<> {
        std::mem::take(&mut self.endpoints).into_values()
    }
}

impl Plain {
    fn new(sort: Sort) -> Self {
        Self {
            sort,
            count: 0,
            spread: Spread::default(),
            tolerated: Vec::new(),
            applied: Vec::new(),
            latencies: Vec::new(),
        }
    }

    fn add(&mut self, comparison: &Comparison, seen: Seen) {
        self.count += 1;
        self.spread.add(seen.place, 1);
        for tolerated in &comparison.tolerated {
            add_rule(&mut self.tolerated, &tolerated.rule, 1);
        }
        for (place, rule) in comparison.applied.iter().enumerate() {
            if !comparison.applied[..place].contains(rule) {
                add_rule(&mut self.applied, rule, 1);
            }
        }
        if self.latencies.len() < LATENCIES_MAX {
            self.latencies.extend(seen.latencies);
        }
    }
}

/// A handful of rules apply to one endpoint: a list is the fastest map.
pub(super) fn add_rule(rules: &mut Vec<(String, u64)>, rule: &str, n: u64) {
    match rules.iter_mut().find(|(known, _)| known == rule) {
        Some((_, count)) => *count += n,
        None => rules.push((rule.to_owned(), n)),
    }
}
