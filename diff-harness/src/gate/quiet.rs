//! Time that an endpoint must have been left alone, and how often control had to step in.

use std::time::Duration;

use super::correctness::percent;
use super::reason::{Code, Reason, Unit, long, thousands};
use super::{Demands, Evidence};
use crate::lifecycle::Stage;

/// How often control answered what the candidate should have.
pub(super) fn fallbacks(demands: &Demands, evidence: &Evidence<'_>) -> Option<Reason> {
    let answers_clients = matches!(evidence.standing.stage, Stage::Canary(_) | Stage::Live | Stage::Soak);
    let tally = &evidence.observed.tally;
    let asked = tally.fallbacks + tally.answered_candidate;
    let over = tally.fallbacks as f64 > demands.fallback_max * asked as f64;
    (answers_clients && asked > 0 && over).then(|| {
        Reason::new(
            Code::Fallbacks,
            format!(
                "control answered {} of {} requests that the candidate should have answered, and at most {} may be",
                thousands(tally.fallbacks),
                thousands(asked),
                percent(demands.fallback_max),
            ),
        )
    })
}

/// What is left of a quiet period, where the move takes one.
pub(super) fn period(demands: &Demands, evidence: &Evidence<'_>) -> Option<Reason> {
    let (at, need) = match evidence.to {
        Stage::Soak => (Stage::Live, demands.quiet_live),
        Stage::Retired => (Stage::Soak, demands.quiet_soak),
        _ => return None,
    };
    if need == Duration::ZERO {
        return None;
    }
    let stage = evidence.standing.stage;
    if stage != at {
        let sentence = format!(
            "it stands at {stage}: it may move to {} after {} at {at} without a fallback",
            evidence.to,
            long(need.as_secs())
        );
        return Some(Reason::new(Code::NotQuiet, sentence).with(0, need.as_secs(), Unit::Seconds));
    }
    let since = evidence.last_fallback.map_or(evidence.since, |fallback| fallback.max(evidence.since));
    let quiet = Duration::from_millis(evidence.now.0.saturating_sub(since.0));
    (quiet < need).then(|| {
        let after = if since > evidence.since { " since its last fallback" } else { "" };
        // A part of a second does not read as the whole.
        Reason::new(
            Code::NotQuiet,
            format!(
                "quiet for {}{after} at {at}, of the {} that it takes",
                long(quiet.as_secs()),
                long(need.as_secs())
            ),
        )
        .with(quiet.as_secs(), need.as_secs(), Unit::Seconds)
    })
}
