//! What a store holds, as one piece of plain data, and the views of it: for a terminal, as JSON, and as one HTML file.
//!
//! Everything that a server said is taken for hostile by every view.

pub mod curl;
pub mod latency;
pub mod lines;
pub mod side_by_side;
pub mod text;
pub mod json;
pub mod html;
mod waivers;

#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::audit::{AuditListing, Deed, Of};
use crate::divergence::{Kind, Severity};
use crate::exchange::UnixMillis;
use crate::lifecycle::{Hold, Route, Transition};
use crate::search::Search;
use crate::store::{
    DecisionsOf, Epoch, EpochFilter, Group, GroupEpoch, GroupFilter, GroupShape, LatencyPair, Observed,
    RuleTally, Sample, Store, StoreError, Tally, Undeclared,
};
use crate::suite::published::Published;
use crate::triage::{Entry, Triaged};

use latency::Latency;
pub use waivers::{WaiverRemark, WaiverReport, waivers};

/// What goes into a report.
#[derive(Clone, Debug)]
pub struct Scope<'a> {
    pub at: UnixMillis,
    /// The epoch to report, or everything that was ever recorded.
    pub epoch: EpochFilter<'a>,
    /// The rules that are declared, so that one that never applied can be named.
    pub rules: &'a [String],
    /// Where the two sides can be reached, for command lines that repeat a request.
    pub upstreams: Upstreams,
    pub samples_per_group: usize,
    pub groups_max: usize,
    pub transitions_max: usize,
    pub undeclared_max: usize,
}

impl Scope<'_> {
    pub fn new(at: UnixMillis) -> Self {
        Self {
            at,
            epoch: EpochFilter::All,
            rules: &[],
            upstreams: Upstreams::default(),
            samples_per_group: 1,
            groups_max: 500,
            transitions_max: 100,
            undeclared_max: 100,
        }
    }
}

/// Base URLs of the two sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upstreams {
    pub control: String,
    pub candidate: String,
}

impl Default for Upstreams {
    fn default() -> Self {
        Self { control: "http://CONTROL".to_owned(), candidate: "http://CANDIDATE".to_owned() }
    }
}

/// The report.
#[derive(Clone, Debug)]
pub struct Report {
    pub made_at: UnixMillis,
    /// `None`: over all epochs.
    pub epoch: Option<Epoch>,
    pub upstreams: Upstreams,
    pub total: Tally,
    /// Requests that matched no endpoint.
    pub unmatched: Tally,
    /// Those that need somebody first: a fallback, then by their worst group; the others by path.
    pub endpoints: Vec<EndpointReport>,
    /// Worst first, over all endpoints.
    pub groups: Vec<GroupReport>,
    /// Groups that are in the store and not in this report.
    pub groups_left_out: usize,
    pub rules: Vec<RuleReport>,
    /// The waivers that count.
    pub waivers: Vec<WaiverReport>,
    pub undeclared: Vec<Undeclared>,
    /// Newest first.
    pub transitions: Vec<Transition>,
    /// All that was done, newest first, and how much of it is not in the report.
    pub deeds: Vec<Deed>,
    pub deeds_left_out: u64,
    /// The last matrix that a suite published.
    pub matrix: Option<Published>,
}

#[derive(Clone, Debug)]
pub struct EndpointReport {
    pub route: Route,
    pub tally: Tally,
    pub latency: Option<Latency>,
    /// Groups by severity; a severity without one is left out.
    pub groups: BTreeMap<Severity, u64>,
    /// What was observed in the epoch of the report; nothing for a report over all epochs.
    pub observed: Option<Observed>,
}

impl EndpointReport {
    pub fn worst(&self) -> Option<Severity> {
        self.groups.keys().next_back().copied()
    }
}

#[derive(Clone, Debug)]
pub struct GroupReport {
    pub group: Group,
    /// Newest first.
    pub samples: Vec<Sample>,
    pub triage: Triage,
}

/// What people said of a group, and where it was found.
#[derive(Clone, Debug, Default)]
pub struct Triage {
    /// What its state follows from; `None` where nothing of that is known.
    pub triaged: Option<Triaged>,
    /// Newest first.
    pub decisions: Vec<Entry>,
    pub epochs: Vec<GroupEpoch>,
    pub shapes: Vec<GroupShape>,
}

impl GroupReport {
    /// Of which only the exchanges are known.
    pub fn new(group: Group, samples: Vec<Sample>) -> Self {
        Self { group, samples, triage: Triage::default() }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleReport {
    pub tally: RuleTally,
    pub remark: Option<RuleRemark>,
}

/// Why a person should look at a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleRemark {
    /// It found no place to apply, although there were comparisons.
    NeverApplied,
    /// It hid at least as many divergences as it found places.
    HidEverywhere,
}

impl RuleRemark {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NeverApplied => "never applied",
            Self::HidEverywhere => "hid something wherever it applied",
        }
    }
}

impl Report {
    pub fn build(store: &dyn Store, scope: &Scope<'_>) -> Result<Self, StoreError> {
        let mut tallies: BTreeMap<_, _> = store.tallies(scope.epoch)?.into_iter().collect();
        let unmatched = tallies.remove(&None).unwrap_or_default();
        let filter =
            GroupFilter { endpoint: None, epoch: scope.epoch, least_severity: None, limit: usize::MAX };
        let mut groups = store.triaged(&filter)?;

        let mut total = unmatched.clone();
        let mut endpoints = Vec::new();
        for route in store.routes()? {
            let tally = tallies.remove(&Some(route.endpoint.clone())).unwrap_or_default();
            total.add(&tally);
            let mut by_severity = BTreeMap::new();
            for triaged in groups.iter().filter(|triaged| triaged.group.endpoint == route.endpoint) {
                *by_severity.entry(triaged.group.severity).or_default() += 1;
            }
            let observed = match scope.epoch {
                EpochFilter::Only(epoch) => Some(store.observed(&route.endpoint, epoch)?),
                EpochFilter::All => None,
            };
            let pairs: &[LatencyPair] = observed.as_ref().map_or(&[], |observed| &observed.latencies);
            endpoints.push(EndpointReport {
                tally,
                latency: Latency::of(pairs),
                groups: by_severity,
                observed,
                route,
            });
        }
        endpoints.sort_by_key(|endpoint| {
            let is_fallback = endpoint.route.standing.hold == Hold::Fallback;
            (std::cmp::Reverse((is_fallback, endpoint.worst())), endpoint.route.endpoint.clone())
        });

        let groups_left_out = groups.len().saturating_sub(scope.groups_max);
        groups.truncate(scope.groups_max);
        let with_samples = |triaged: Triaged| {
            let id = &triaged.group.fingerprint;
            let samples = store.samples(id, scope.samples_per_group)?;
            let decisions = store.decisions(DecisionsOf::Group(id), DECISIONS_MAX)?;
            let (epochs, shapes) = (store.group_epochs(id)?, store.group_shapes(id, scope.epoch)?);
            let group = triaged.group.clone();
            let triage = Triage { triaged: Some(triaged), decisions, epochs, shapes };
            Ok(GroupReport { group, samples, triage })
        };
        let search = Search::default();
        let deeds = store.audit(&AuditListing {
            of: Of::All,
            search: &search,
            offset: 0,
            limit: scope.transitions_max,
        })?;
        Ok(Self {
            made_at: scope.at,
            epoch: match scope.epoch {
                EpochFilter::All => None,
                EpochFilter::Only(epoch) => Some(epoch.clone()),
            },
            upstreams: scope.upstreams.clone(),
            rules: rules(store, scope.epoch, scope.rules, total.compared())?,
            total,
            unmatched,
            endpoints,
            groups: groups.into_iter().map(with_samples).collect::<Result<_, StoreError>>()?,
            groups_left_out,
            waivers: waivers(store, scope.epoch, scope.at)?,
            deeds_left_out: deeds.found - deeds.deeds.len() as u64,
            deeds: deeds.deeds,
            matrix: Published::last(store)?,
            undeclared: store.undeclared(scope.undeclared_max)?,
            transitions: store.transitions(None, scope.transitions_max)?,
        })
    }
}

/// Lines of the log of one group.
const DECISIONS_MAX: usize = 20;

/// What each rule did in these epochs; those that are declared and did nothing are among them.
pub fn rules(
    store: &dyn Store,
    epoch: EpochFilter<'_>,
    declared: &[String],
    compared: u64,
) -> Result<Vec<RuleReport>, StoreError> {
    let mut tallies: BTreeMap<String, RuleTally> = BTreeMap::new();
    let all;
    let epochs = match epoch {
        EpochFilter::Only(epoch) => std::slice::from_ref(epoch),
        EpochFilter::All => {
            all = store.epochs()?.into_iter().map(|span| span.epoch).collect::<Vec<_>>();
            &all
        }
    };
    for epoch in epochs {
        for tally in store.rules(epoch)? {
            let sum = tallies.entry(tally.rule.clone()).or_insert(RuleTally {
                applied: 0,
                hidden: 0,
                ..tally.clone()
            });
            sum.applied += tally.applied;
            sum.hidden += tally.hidden;
        }
    }
    for rule in declared {
        tallies.entry(rule.clone()).or_insert(RuleTally { rule: rule.clone(), applied: 0, hidden: 0 });
    }
    let remark = |tally: &RuleTally| match tally {
        RuleTally { applied: 0, .. } if compared > 0 => Some(RuleRemark::NeverApplied),
        RuleTally { applied, hidden, .. } if *applied > 0 && hidden >= applied => {
            Some(RuleRemark::HidEverywhere)
        }
        _ => None,
    };
    Ok(tallies.into_values().map(|tally| RuleReport { remark: remark(&tally), tally }).collect())
}

/// RFC 3339 in UTC, to the second.
pub(crate) fn time(at: UnixMillis) -> String {
    let millis = i64::try_from(at.0).unwrap_or(i64::MAX);
    jiff::Timestamp::from_millisecond(millis).map_or_else(|_| format!("{millis} ms"), |at| format!("{at:.0}"))
}

/// A location without the word of the kind before it: `header vary` of a header divergence is `vary`.
pub(crate) fn without_kind(kind: Kind, location: &str) -> &str {
    location.strip_prefix(kind.as_str()).map_or(location, str::trim_start)
}

/// A share for a person; `–` without a denominator.
pub(crate) fn percent(part: u64, whole: u64) -> String {
    match whole {
        0 => "–".to_owned(),
        // Rounding must not turn nearly all into all, nor nearly none into none.
        _ if part == whole => "100 %".to_owned(),
        _ if part == 0 => "0 %".to_owned(),
        _ => {
            let share = part as f64 * 100.0 / whole as f64;
            format!("{:.1} %", share.clamp(0.1, 99.9))
        }
    }
}

/// Thousands apart by a narrow space.
pub(crate) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}
