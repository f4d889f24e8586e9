//! The gate: whether the evidence of an endpoint lets it move towards the candidate. Pure.
//!
//! The answer is pass, fail or inconclusive, and inconclusive never passes. A move back is not the gate's business:
//! rollback is always allowed. `docs/gate.md` has the arithmetic and its sources.
//!
//! - [`policy`]: what the gate wants to see, and of which endpoints.
//! - [`evidence`]: what it is given to judge by.
//! - [`correctness`], [`traffic`], [`groups`], [`coverage`], [`latency`], [`quiet`], [`trial`]: one question each.
//! - [`ruling`], [`reason`]: what it answers.

mod policy;
mod evidence;
mod correctness;
mod traffic;
mod groups;
mod coverage;
mod latency;
mod quiet;
mod trial;
mod ruling;
mod reason;

use crate::exchange::UnixMillis;
use crate::lifecycle::{Hold, Stage};
use crate::store::{Epoch, Tally};

pub use correctness::Correctness;
pub use coverage::Coverage;
pub use evidence::{Before, Evidence, GroupState, Waiver};
pub use latency::{Answers, Latency};
pub use policy::{DEFAULT_TIER, Demand, Demands, Policy, Tier};
pub use reason::{Code, Meter, Reason, Unit};
pub use ruling::{GateAnswer, Ruling, Weighed};

use reason::thousands;

/// Judges one move by its evidence.
pub fn judge(policy: &Policy, evidence: &Evidence<'_>) -> Ruling {
    let (tier, demands) = policy.of(evidence.endpoint);
    let mut reasons = held(evidence);
    if !is_judged(evidence.to) {
        if let Err(why) = evidence.candidate {
            let sentence = format!(
                "the candidate cannot be reached ({why}), so nothing could be compared at {}",
                evidence.to
            );
            reasons.push(Reason::new(Code::Unreachable, sentence));
        }
        let mut ruling = Ruling::new(tier, reasons);
        ruling.stated.push(format!("at {} the candidate answers no client", evidence.to));
        return ruling;
    }
    let correctness = Correctness::of(demands, evidence);
    let coverage = Coverage::of(evidence);
    let latency = Latency::of(demands, evidence);
    reasons.extend(groups::open(demands, evidence));
    reasons.extend(quiet::fallbacks(demands, evidence));
    reasons.extend(correctness.wrong());
    if takes_comparisons(evidence) {
        reasons.extend(traffic::missing(demands, evidence, &correctness));
        reasons.extend(correctness.missing());
        reasons.extend(groups::too_many_waived(demands, evidence));
        reasons.extend(coverage.missing(demands));
        reasons.extend(latency.reasons(demands));
        reasons.extend(trial::missing(demands, evidence));
    }
    reasons.extend(quiet::period(demands, evidence));
    let mut ruling = Ruling::new(tier, reasons);
    ruling.open_groups = evidence.groups.iter().filter(|group| group.state.is_open()).count();
    ruling.open_exposures = evidence.groups.iter().filter(groups::is_exposure).count();
    ruling.stated = stated(&evidence.observed.tally, &correctness);
    ruling.stated.extend(coverage.stated(demands));
    ruling.stated.push(latency.stated());
    ruling.stated.extend(groups::waived(evidence));
    ruling.stated.push(trial::stated(evidence));
    ruling.evidence = Some(Weighed {
        correctness,
        coverage,
        latency,
        negative_control: evidence.observed.negative_control.clone(),
        both_failed: evidence.observed.tally.both_failed,
        racing: evidence.observed.tally.racing,
    });
    ruling
}

/// Whether clients would get the candidate's answers there.
fn is_judged(to: Stage) -> bool {
    match to {
        Stage::Legacy | Stage::Shadow | Stage::Record | Stage::Verify => false,
        Stage::Canary(_) | Stage::Live | Stage::Soak | Stage::Retired => true,
    }
}

/// Whether anything is compared where it stands, so that more could be asked for. In soak there is no shadow, and an
/// unsafe request that the candidate answers is sent once: what counts there is how it behaves.
fn takes_comparisons(evidence: &Evidence<'_>) -> bool {
    match evidence.standing.stage {
        Stage::Soak | Stage::Retired => false,
        Stage::Live => evidence.endpoint.is_safe(),
        Stage::Legacy | Stage::Shadow | Stage::Record | Stage::Verify | Stage::Canary(_) => true,
    }
}

fn held(evidence: &Evidence<'_>) -> Vec<Reason> {
    match evidence.standing.hold {
        Hold::None => vec![],
        Hold::Fallback => vec![Reason::new(
            Code::Fallback,
            "the proxy took it back to control by itself (hold = fallback); a person resumes it first, with a reason",
        )],
        Hold::Paused => vec![Reason::new(Code::Paused, "a person paused it (hold = paused)")],
    }
}

fn stated(tally: &Tally, correctness: &Correctness) -> Vec<String> {
    let seen = tally.seen();
    let of = |n: u64| match seen {
        0 => "0 of 0 requests".to_owned(),
        _ => format!(
            "{} of {} requests ({:.1} %)",
            thousands(n),
            thousands(seen),
            n as f64 * 100.0 / seen as f64
        ),
    };
    let reasons = |counts: Vec<(&str, u64)>| {
        let named: Vec<_> = counts.iter().map(|(reason, n)| format!("{reason} {}", thousands(*n))).collect();
        if named.is_empty() { String::new() } else { format!(": {}", named.join(", ")) }
    };
    let skipped = tally.skipped.iter().map(|(reason, n)| (reason.as_str(), *n)).collect();
    let dropped = tally.dropped.iter().map(|(reason, n)| (reason.as_str(), *n)).collect();
    let mut stated = vec![
        format!("compared {}", of(tally.compared())),
        format!("skipped {}{}", of(tally.skipped_total()), reasons(skipped)),
        format!("dropped {}{}", of(tally.dropped_total()), reasons(dropped)),
        format!(
            "{} comparisons count: {} differ ({} confirmed by asking again), {} pass by waivers, {} by rules or noise",
            thousands(correctness.strata.compared),
            thousands(correctness.strata.mismatched),
            thousands(correctness.confirmed),
            thousands(correctness.waived),
            thousands(tally.tolerated),
        ),
    ];
    let mut apart = Vec::new();
    for (n, what) in [
        (tally.both_failed, "equal 5xx on both sides, no evidence of parity"),
        (tally.racing, "edits between the two requests"),
        (correctness.fixed, "of what was fixed since"),
        (correctness.strata.left_out, "repeats of one request"),
    ] {
        if n > 0 {
            apart.push(format!("{} {what}", thousands(n)));
        }
    }
    if !apart.is_empty() {
        stated.push(format!("not counted: {}", apart.join("; ")));
    }
    stated
}

/// What changed from one epoch to another, in words.
fn changed(before: &Epoch, now: &Epoch) -> String {
    let named = |name: &str| if name.is_empty() { "(unnamed)".to_owned() } else { format!("`{name}`") };
    let parts = [
        ("the candidate", &before.candidate, &now.candidate),
        ("control", &before.control, &now.control),
        ("the rules", &before.rules, &now.rules),
    ];
    let changed = parts.iter().filter(|(_, before, now)| before != now);
    changed
        .map(|(what, before, now)| format!("{what} went from {} to {}", named(before), named(now)))
        .collect::<Vec<_>>()
        .join(", ")
}

/// RFC 3339 in UTC.
fn time(at: UnixMillis) -> String {
    crate::report::time(at)
}

#[cfg(test)]
mod tests;
