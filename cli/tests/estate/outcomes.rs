//! What a run found.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use diff_harness::{
    comparison::Comparison,
    divergence::Severity,
    exchange::{Observation, Outcome},
};
use http::header;

use estate_traffic::{ask::Ask, estate::DRY_RUN, persona::Persona};

/// One request that differed.
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    pub(crate) chapter: u64,
    /// Of the chapter, from 1.
    pub(crate) step: u64,
    /// Comparisons in the chapter up to this one.
    pub(crate) after: u64,
    pub(crate) ask: Ask,
    pub(crate) comparison: Comparison,
    /// Header names that only one side sent and that no comparison looks at.
    pub(crate) headers: Vec<String>,
}

/// What a busy machine cannot make look slower than it is: the fastest of several answers.
#[derive(Debug)]
struct Fastest {
    pairs: u32,
    control: Duration,
    candidate: Duration,
}

#[derive(Debug)]
pub(crate) struct Slow {
    pub(crate) endpoint: usize,
    pub(crate) after: u64,
    pub(crate) control: Duration,
    pub(crate) candidate: Duration,
}

#[derive(Debug, Default)]
pub(crate) struct Outcomes {
    pub(crate) compared: u64,
    pub(crate) skipped: u64,
    pub(crate) both_failed: u64,
    /// By endpoint and persona: sent, and diverged.
    pub(crate) pairs: BTreeMap<(usize, Persona), (u64, u64)>,
    /// By endpoint: how often control answered with each status.
    pub(crate) statuses: BTreeMap<usize, BTreeMap<u16, u64>>,
    pub(crate) applied: BTreeSet<String>,
    pub(crate) findings: Vec<Finding>,
    /// By endpoint, of answers with success.
    latencies: BTreeMap<usize, Fastest>,
    /// The first endpoint that was slower, whatever else differed.
    pub(crate) slow: Option<Slow>,
    /// Chapters after which the two databases told of different changes.
    pub(crate) other_events: Vec<String>,
}

/// An endpoint is slower if of so many answers the fastest took so much longer than control's fastest.
const SLOW_PAIRS: u32 = 5;
const SLOW: Duration = Duration::from_millis(250);

impl Outcomes {
    /// Both clocks ran at once, on one machine.
    pub(crate) fn time(&mut self, endpoint: usize, control: Duration, candidate: Duration) {
        let fastest = self.latencies.entry(endpoint).or_insert(Fastest { pairs: 0, control, candidate });
        fastest.pairs += 1;
        fastest.control = fastest.control.min(control);
        fastest.candidate = fastest.candidate.min(candidate);
        let Fastest { pairs, control, candidate } = *fastest;
        if self.slow.is_none() && pairs >= SLOW_PAIRS && candidate > control + SLOW {
            self.slow = Some(Slow { endpoint, after: self.compared, control, candidate });
        }
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.compared += other.compared;
        self.skipped += other.skipped;
        self.both_failed += other.both_failed;
        for (pair, (sent, diverged)) in other.pairs {
            let sum = self.pairs.entry(pair).or_default();
            *sum = (sum.0 + sent, sum.1 + diverged);
        }
        for (endpoint, statuses) in other.statuses {
            let sums = self.statuses.entry(endpoint).or_default();
            for (status, count) in statuses {
                *sums.entry(status).or_default() += count;
            }
        }
        self.applied.extend(other.applied);
        self.findings.extend(other.findings);
        self.slow = self.slow.take().or(other.slow);
        self.other_events.extend(other.other_events);
    }

    pub(crate) fn worst(&self) -> Option<Severity> {
        self.findings.iter().filter_map(|finding| finding.comparison.severity()).max()
    }
}

/// Of names that no comparison looks at: whether only one side has them.
pub(crate) fn one_sided_headers(control: &Observation, candidate: &Observation) -> Vec<String> {
    let (Outcome::Response(control), Outcome::Response(candidate)) = (&control.outcome, &candidate.outcome)
    else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for (side, ours, theirs) in [
        ("control", &control.headers, &candidate.headers),
        ("candidate", &candidate.headers, &control.headers),
    ] {
        for name in ours.keys().filter(|name| !theirs.contains_key(*name)) {
            // The service says of a dry run that it was one. Connection is between neighbours (RFC 9110 §7.6.1): a server
            // that refused before it had read a large body may close, or not.
            if *name != DRY_RUN && *name != header::CONNECTION {
                found.push(format!("{name}, on {side} only"));
            }
        }
    }
    found
}
