//! Whether the shadow is alive, and whether what it compares is all that it should.

use super::correctness::{Correctness, percent};
use super::reason::{Code, Reason, thousands};
use super::{Demands, Evidence, changed, time};
use crate::comparison::DropReason;
use crate::lifecycle::Stage;

/// Reasons to drop a comparison that mean: more traffic than the proxy may spend on comparing.
const OVERLOAD: [DropReason; 5] = [
    DropReason::ShadowQueueFull,
    DropReason::CompareQueueFull,
    DropReason::MemoryLimit,
    DropReason::Expired,
    DropReason::Overload,
];

/// What keeps the evidence from being evidence.
pub(super) fn missing(demands: &Demands, evidence: &Evidence<'_>, correctness: &Correctness) -> Vec<Reason> {
    let mut reasons = Vec::new();
    reasons.extend(nothing(evidence, correctness));
    reasons.extend(dead(evidence));
    reasons.extend(dropped(demands, evidence));
    if !correctness.is_enough() {
        reasons.extend(new_epoch(evidence));
    }
    reasons
}

fn nothing(evidence: &Evidence<'_>, correctness: &Correctness) -> Option<Reason> {
    let tally = &evidence.observed.tally;
    if tally.seen() == 0 {
        return Some(Reason::new(Code::NoData, "no request was seen in this epoch"));
    }
    if tally.compared() == 0 {
        return Some(Reason::new(
            Code::NothingCompared,
            format!("none of {} requests seen was compared{}", thousands(tally.seen()), reasons(evidence)),
        ));
    }
    (correctness.compared == 0 && correctness.fixed == 0 && tally.both_failed > 0).then(|| {
        Reason::new(
            Code::BothFailed,
            format!(
                "both sides answered the same 5xx in {} of {} comparisons: two equal failures are no evidence of parity",
                thousands(tally.both_failed),
                thousands(tally.compared())
            ),
        )
    })
}

/// Why requests were skipped and dropped, to stand behind a sentence.
fn reasons(evidence: &Evidence<'_>) -> String {
    let tally = &evidence.observed.tally;
    let skipped = tally.skipped.iter().map(|(reason, n)| (reason.as_str(), n));
    let dropped = tally.dropped.iter().map(|(reason, n)| (reason.as_str(), n));
    let named: Vec<_> =
        skipped.chain(dropped).map(|(reason, n)| format!("{reason} {}", thousands(*n))).collect();
    if named.is_empty() { String::new() } else { format!(" ({})", named.join(", ")) }
}

/// The shadow asks nobody, or nobody answers it.
fn dead(evidence: &Evidence<'_>) -> Option<Reason> {
    let is_shadowed = evidence.endpoint.is_safe()
        && matches!(evidence.standing.stage, Stage::Shadow | Stage::Canary(_) | Stage::Live);
    if let Err(why) = evidence.candidate {
        return Some(Reason::new(
            Code::DeadShadow,
            format!("the candidate cannot be reached ({why}): nothing is compared now"),
        ));
    }
    let moments = evidence.observed.moments;
    let unreachable = evidence.observed.tally.dropped.get(&DropReason::Unreachable).copied().unwrap_or(0);
    let dropped = moments.dropped.filter(|dropped| Some(*dropped) > moments.compared)?;
    (is_shadowed && unreachable > 0).then(|| {
        let since = match moments.compared {
            Some(compared) => format!("nothing was compared since {}", time(compared)),
            None => "nothing was compared in this epoch".to_owned(),
        };
        Reason::new(
            Code::DeadShadow,
            format!(
                "the shadow is dead: {since}, and {} requests were dropped because a side could not be reached, the last \
                 at {}",
                thousands(unreachable),
                time(dropped)
            ),
        )
    })
}

fn dropped(demands: &Demands, evidence: &Evidence<'_>) -> Option<Reason> {
    let tally = &evidence.observed.tally;
    // A restart drops what is on its way, and says nothing of the traffic.
    let ours: Vec<_> = tally.dropped.iter().filter(|(reason, _)| **reason != DropReason::Shutdown).collect();
    let dropped: u64 = ours.iter().map(|(_, n)| **n).sum();
    let all = dropped + tally.compared();
    if all == 0 || dropped as f64 <= demands.dropped_max * all as f64 {
        return None;
    }
    let overload: u64 = ours.iter().filter(|(reason, _)| OVERLOAD.contains(reason)).map(|(_, n)| **n).sum();
    let (code, why) = if overload * 2 >= dropped {
        (Code::QueueFull, "the queue was full")
    } else {
        (Code::Dropped, "too much was dropped")
    };
    let named: Vec<_> =
        ours.iter().map(|(reason, n)| format!("{} {}", reason.as_str(), thousands(**n))).collect();
    Some(Reason::new(
        code,
        format!(
            "{why}: {} of {} requests that should have been compared were not ({}), and at most {} may be: what was not \
             compared may be what differs",
            thousands(dropped),
            thousands(all),
            named.join(", "),
            percent(demands.dropped_max),
        ),
    ))
}

fn new_epoch(evidence: &Evidence<'_>) -> Option<Reason> {
    let before = evidence.before.as_ref()?;
    let began = evidence.observed.moments.began.map(|at| format!(" at {}", time(at))).unwrap_or_default();
    Some(Reason::new(
        Code::NewEpoch,
        format!(
            "a new epoch began{began} ({}): evidence begins anew; {} comparisons of the epoch before, the last at {}, stay \
             readable and do not count",
            changed(&before.epoch, evidence.epoch),
            thousands(before.compared),
            time(before.last),
        ),
    ))
}
