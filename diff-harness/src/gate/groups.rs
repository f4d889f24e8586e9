//! Open groups, and those that a waiver lets pass.

use super::reason::{Code, Reason, thousands};
use super::{Demands, Evidence, GroupState, time};
use crate::divergence::Severity;
use crate::triage::State;

/// Groups that a sentence names.
const NAMED_MAX: usize = 3;

pub(super) fn is_exposure(group: &&GroupState) -> bool {
    group.group.severity == Severity::Exposure && group.state.is_open()
}

/// Groups that keep the endpoint from moving, exposures first.
pub(super) fn open(demands: &Demands, evidence: &Evidence<'_>) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let exposures: Vec<_> = evidence.groups.iter().filter(is_exposure).collect();
    if !exposures.is_empty() {
        reasons.push(Reason::new(
            Code::OpenExposure,
            format!(
                "{} open: the candidate shows what control withheld: {}",
                counted(exposures.len(), "exposure group"),
                named(&exposures)
            ),
        ));
    }
    let others: Vec<_> = evidence
        .groups
        .iter()
        .filter(|group| group.state.is_open() && !is_exposure(group))
        .filter(|group| group.group.severity >= demands.blocking)
        .collect();
    if !others.is_empty() {
        reasons.push(Reason::new(
            Code::OpenGroup,
            format!("{} open: {}", counted(others.len(), "group"), named(&others)),
        ));
    }
    reasons
}

/// Waivers count against a move: there may be only so many of them.
pub(super) fn too_many_waived(demands: &Demands, evidence: &Evidence<'_>) -> Option<Reason> {
    // Nobody has to answer for what was learned.
    let waived = evidence.groups.iter().filter(|group| is_waived(group) && !is_learned(group)).count() as u64;
    (waived > demands.waivers_max).then(|| {
        Reason::new(
            Code::Waived,
            format!(
                "{waived} groups pass by waivers alone, and at most {} may: more is waived than a person can answer for",
                demands.waivers_max,
            ),
        )
    })
}

fn is_waived(group: &GroupState) -> bool {
    matches!(group.state, State::Expected | State::Noise)
}

fn is_learned(group: &GroupState) -> bool {
    let endless = group.waiver.as_ref().is_some_and(|waiver| waiver.expires.is_none());
    group.state == State::Noise && endless
}

/// One line for each waiver: it is always said what passes only because somebody lets it.
pub(super) fn waived(evidence: &Evidence<'_>) -> Vec<String> {
    let waived = evidence.groups.iter().filter(|group| is_waived(group));
    waived
        .map(|group| {
            if is_learned(group) {
                return format!("noise that was learned after it: {}", name(group));
            }
            let (owner, until) = match &group.waiver {
                Some(waiver) => (
                    format!(" by {}", waiver.owner),
                    waiver.expires.map(|at| format!(" until {}", time(at))).unwrap_or_default(),
                ),
                None => (String::new(), String::new()),
            };
            format!("waived as {}{owner}{until}: {}", group.state, name(group))
        })
        .collect()
}

fn counted(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

/// The first of them, as a person finds them again.
fn named(groups: &[&GroupState]) -> String {
    let mut names: Vec<_> = groups.iter().take(NAMED_MAX).map(|group| name(group)).collect();
    if groups.len() > NAMED_MAX {
        names.push(format!("{} more", groups.len() - NAMED_MAX));
    }
    names.join(", ")
}

fn name(GroupState { group, state, .. }: &GroupState) -> String {
    let state = match state {
        State::New => String::new(),
        state => format!(", {state}"),
    };
    format!(
        "{} ({} at {}, {} times{state})",
        group.fingerprint,
        group.kind.as_str(),
        group.location,
        thousands(group.count)
    )
}
