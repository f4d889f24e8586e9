//! The first gate: whether the evidence of an endpoint lets it move towards the candidate. Pure.
//!
//! The answer is pass, fail or inconclusive, and inconclusive never passes. A move back is not the gate's business:
//! rollback is always allowed.

use std::fmt;

use serde_json::{Value, json};

use crate::divergence::Severity;
use crate::lifecycle::{Hold, Stage, Standing};
use crate::store::{Group, Tally};

/// What the gate wants to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Comparisons in the current epoch. Those in which both sides answered the same 5xx do not count.
    pub min_comparisons: u64,
}

impl Default for Policy {
    /// As many clean comparisons as the sequential test asks for, with its defaults, before it says that fewer than
    /// one request in a hundred differ.
    fn default() -> Self {
        Self { min_comparisons: crate::evidence::sprt::Sprt::default().clean_needed(0, 0) }
    }
}

/// What is known of the endpoint in the current epoch.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    pub standing: Standing,
    /// Where it is to go, further towards the candidate than it stands.
    pub to: Stage,
    pub tally: &'a Tally,
    /// Groups of this epoch that nobody has let pass.
    pub open: &'a [Group],
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GateAnswer {
    Pass,
    /// Why not, the worst first.
    Fail(Vec<String>),
    /// What is missing. Never passes.
    Inconclusive(Vec<String>),
}

impl GateAnswer {
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail(_) => "fail",
            Self::Inconclusive(_) => "inconclusive",
        }
    }

    pub fn passed(&self) -> bool {
        matches!(self, Self::Pass)
    }

    pub fn reasons(&self) -> &[String] {
        match self {
            Self::Pass => &[],
            Self::Fail(reasons) | Self::Inconclusive(reasons) => reasons,
        }
    }
}

/// The answer, and on what it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ruling {
    pub answer: GateAnswer,
    /// What a reader must know beside the answer: shares with their denominators.
    pub stated: Vec<String>,
    /// Why `--force` does not help; empty where it does.
    pub unforceable: Vec<String>,
    /// Comparisons that count.
    pub compared: u64,
    pub mismatched: u64,
    pub both_failed: u64,
    pub open_groups: usize,
    pub open_exposures: usize,
}

/// Judges one move by its evidence.
pub fn judge(policy: &Policy, evidence: &Evidence<'_>) -> Ruling {
    let Evidence { standing, to, tally, open } = *evidence;
    let exposures = open.iter().filter(|group| group.severity == Severity::Exposure).count();
    let counted = tally.compared().saturating_sub(tally.both_failed);
    let mut reasons = Vec::new();
    let mut unforceable = Vec::new();

    if standing.hold == Hold::Fallback {
        unforceable.push(
            "the proxy took it back to control by itself (hold = fallback); a person resumes it first, with a reason"
                .to_owned(),
        );
    }
    let judged = is_judged(to);
    if judged && exposures > 0 {
        let worst = named(open, |severity| severity == Severity::Exposure);
        unforceable.push(format!(
            "{} open: the candidate shows what control withheld: {worst}",
            groups(exposures, "exposure group")
        ));
    }
    reasons.extend(unforceable.iter().cloned());
    if standing.hold == Hold::Paused {
        reasons.push("a person paused it (hold = paused)".to_owned());
    }
    if judged {
        let others = open.len() - exposures;
        if others > 0 {
            let worst = named(open, |severity| severity != Severity::Exposure);
            reasons.push(format!("{} open: {worst}", groups(others, "group")));
        }
        if tally.fallbacks > 0 && matches!(standing.stage, Stage::Canary(_) | Stage::Live | Stage::Soak) {
            reasons.push(format!(
                "control answered {} of {} requests that the candidate should have answered",
                tally.fallbacks,
                tally.fallbacks + tally.answered_candidate
            ));
        }
    }
    let answer = if !reasons.is_empty() {
        GateAnswer::Fail(reasons)
    } else if judged && counted < policy.min_comparisons {
        GateAnswer::Inconclusive(missing(policy, tally, counted))
    } else {
        GateAnswer::Pass
    };
    Ruling {
        answer,
        stated: if judged {
            stated(tally, counted)
        } else {
            vec![format!("at {to} the candidate answers no client")]
        },
        unforceable,
        compared: counted,
        mismatched: tally.mismatched,
        both_failed: tally.both_failed,
        open_groups: open.len(),
        open_exposures: exposures,
    }
}

/// Whether clients would get the candidate's answers there.
fn is_judged(to: Stage) -> bool {
    match to {
        Stage::Legacy | Stage::Shadow | Stage::Record | Stage::Verify => false,
        Stage::Canary(_) | Stage::Live | Stage::Soak | Stage::Retired => true,
    }
}

fn groups(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

/// The first groups of these severities, as a person finds them again.
fn named(open: &[Group], of: impl Fn(Severity) -> bool) -> String {
    const NAMED_MAX: usize = 3;
    let matching: Vec<_> = open.iter().filter(|group| of(group.severity)).collect();
    let mut names: Vec<_> = matching
        .iter()
        .take(NAMED_MAX)
        .map(|group| {
            let Group { fingerprint, kind, location, count, .. } = group;
            format!("{fingerprint} ({} at {location}, {count} times)", kind.as_str())
        })
        .collect();
    if matching.len() > NAMED_MAX {
        names.push(format!("{} more", matching.len() - NAMED_MAX));
    }
    names.join(", ")
}

fn missing(policy: &Policy, tally: &Tally, counted: u64) -> Vec<String> {
    let mut missing = vec![format!("comparisons: {counted} of the {} that it takes", policy.min_comparisons)];
    if tally.both_failed > 0 {
        missing.push(format!(
            "{} of {} comparisons were of equal 5xx on both sides and are no evidence of parity",
            tally.both_failed,
            tally.compared()
        ));
    }
    if counted == 0 && tally.seen() > 0 {
        missing.push(format!("none of {} requests seen was compared", tally.seen()));
    }
    if tally.seen() == 0 {
        missing.push("no request was seen in this epoch".to_owned());
    }
    missing
}

fn stated(tally: &Tally, counted: u64) -> Vec<String> {
    let seen = tally.seen();
    let of = |n: u64| match seen {
        0 => "0 of 0 requests".to_owned(),
        _ => format!("{n} of {seen} requests ({:.1} %)", n as f64 * 100.0 / seen as f64),
    };
    let reasons = |counts: Vec<(&str, u64)>| {
        let named: Vec<_> = counts.iter().map(|(reason, n)| format!("{reason} {n}")).collect();
        if named.is_empty() { String::new() } else { format!(": {}", named.join(", ")) }
    };
    let skipped = tally.skipped.iter().map(|(reason, n)| (reason.as_str(), *n)).collect();
    let dropped = tally.dropped.iter().map(|(reason, n)| (reason.as_str(), *n)).collect();
    vec![
        format!("compared {}", of(tally.compared())),
        format!("skipped {}{}", of(tally.skipped_total()), reasons(skipped)),
        format!("dropped {}{}", of(tally.dropped_total()), reasons(dropped)),
        format!(
            "of {counted} comparisons that count: {} matched, {} tolerated by rules, {} mismatched",
            // An equal 5xx is a match that does not count.
            tally.matched.saturating_sub(tally.both_failed),
            tally.tolerated,
            tally.mismatched
        ),
    ]
}

impl Ruling {
    /// What the transition keeps as its evidence.
    pub fn to_json(&self) -> Value {
        json!({
            "gate": "first",
            "answer": self.answer.as_str(),
            "reasons": self.answer.reasons(),
            "stated": self.stated,
            "unforceable": self.unforceable,
            "compared": self.compared,
            "mismatched": self.mismatched,
            "both_failed": self.both_failed,
            "open_groups": self.open_groups,
            "open_exposures": self.open_exposures,
        })
    }
}

/// One screen for a person. The first word is the answer.
impl fmt::Display for Ruling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.answer {
            GateAnswer::Pass => writeln!(f, "pass")?,
            GateAnswer::Fail(_) => writeln!(f, "fail: it must not move")?,
            GateAnswer::Inconclusive(_) => {
                writeln!(f, "inconclusive: not enough is known, so it must not move")?;
            }
        }
        for reason in self.answer.reasons() {
            writeln!(f, "  - {reason}")?;
        }
        for stated in &self.stated {
            writeln!(f, "  {stated}")?;
        }
        if !self.unforceable.is_empty() {
            writeln!(f, "  --force does not override this")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::comparison::{DropReason, SkipReason};
    use crate::divergence::{Divergence, Kind, Location};
    use crate::endpoint::EndpointId;
    use crate::exchange::UnixMillis;
    use crate::fingerprint::Fingerprint;
    use crate::lifecycle::Weight;
    use crate::redact::Redacted;

    const POLICY: Policy = Policy { min_comparisons: 100 };

    fn group(severity: Severity) -> Group {
        let endpoint: EndpointId = "GET /a".parse().unwrap();
        let divergence = Divergence {
            kind: Kind::Added,
            severity,
            location: Location::Body,
            detail: None,
            control: None,
            candidate: None,
        };
        Group {
            fingerprint: Fingerprint::of(&endpoint, &divergence),
            endpoint,
            kind: Kind::Added,
            severity,
            location: "$.secret".to_owned(),
            detail: None,
            count: 7,
            exchanges: 7,
            first_seen: UnixMillis(1),
            last_seen: UnixMillis(2),
            example: Redacted::stored(divergence),
        }
    }

    fn clean(matched: u64) -> Tally {
        Tally { matched, ..Tally::default() }
    }

    fn ask(hold: Hold, to: Stage, tally: &Tally, open: &[Group]) -> Ruling {
        let standing = Standing { stage: Stage::Shadow, hold };
        judge(&POLICY, &Evidence { standing, to, tally, open })
    }

    #[test]
    fn enough_clean_comparisons_pass() {
        let ruling = ask(Hold::None, Stage::Live, &clean(100), &[]);
        assert_eq!(ruling.answer, GateAnswer::Pass);
        assert!(ruling.unforceable.is_empty());
    }

    #[test]
    fn too_few_are_inconclusive_and_say_how_many_are_missing() {
        let ruling = ask(Hold::None, Stage::Live, &clean(99), &[]);
        assert_eq!(
            ruling.answer,
            GateAnswer::Inconclusive(vec!["comparisons: 99 of the 100 that it takes".to_owned()])
        );
        let none = ask(Hold::None, Stage::Live, &clean(0), &[]);
        assert!(none.answer.reasons()[1].contains("no request was seen"), "{none}");
    }

    #[test]
    fn equal_5xx_are_no_evidence() {
        let tally = Tally { matched: 100, both_failed: 1, ..Tally::default() };
        let ruling = ask(Hold::None, Stage::Live, &tally, &[]);
        assert!(matches!(ruling.answer, GateAnswer::Inconclusive(_)), "{ruling}");
        assert!(ruling.to_string().contains("1 of 100 comparisons were of equal 5xx"), "{ruling}");
    }

    #[test]
    fn an_open_group_fails_however_much_was_compared() {
        for severity in Severity::ALL {
            let ruling = ask(Hold::None, Stage::Live, &clean(1_000_000), &[group(severity)]);
            assert!(matches!(ruling.answer, GateAnswer::Fail(_)), "{severity:?}: {ruling}");
            assert_eq!(ruling.unforceable.is_empty(), severity != Severity::Exposure, "{severity:?}");
        }
    }

    #[test]
    fn an_exposure_is_named_first() {
        let open = [group(Severity::Breaking), group(Severity::Exposure), group(Severity::Changed)];
        let ruling = ask(Hold::None, Stage::Live, &clean(5), &open);
        let GateAnswer::Fail(reasons) = &ruling.answer else { panic!("{ruling}") };
        assert!(reasons[0].starts_with("1 exposure group open"), "{reasons:?}");
        assert!(reasons[0].contains(open[1].fingerprint.as_str()));
        assert!(reasons[1].starts_with("2 groups open"), "{reasons:?}");
    }

    #[test]
    fn no_force_overrides_a_fallback_and_a_pause_only_fails() {
        let fallback = ask(Hold::Fallback, Stage::Live, &clean(1000), &[]);
        assert!(matches!(fallback.answer, GateAnswer::Fail(_)) && fallback.unforceable.len() == 1);
        let shadow = ask(Hold::Fallback, Stage::Shadow, &clean(1000), &[]);
        assert!(!shadow.answer.passed() && !shadow.unforceable.is_empty());
        let paused = ask(Hold::Paused, Stage::Live, &clean(1000), &[]);
        assert!(matches!(paused.answer, GateAnswer::Fail(_)) && paused.unforceable.is_empty());
    }

    #[test]
    fn a_stage_without_candidate_answers_needs_no_evidence() {
        for to in [Stage::Shadow, Stage::Record, Stage::Verify] {
            assert!(ask(Hold::None, to, &clean(0), &[group(Severity::Exposure)]).answer.passed());
        }
        for to in [Stage::Canary(Weight::new(100).unwrap()), Stage::Live, Stage::Soak, Stage::Retired] {
            assert!(!ask(Hold::None, to, &clean(0), &[]).answer.passed(), "{to}");
        }
    }

    #[test]
    fn fallbacks_fail_the_way_out_of_live() {
        let tally = Tally { fallbacks: 3, answered_candidate: 97, ..clean(1000) };
        let standing = Standing { stage: Stage::Live, hold: Hold::None };
        let ruling = judge(&POLICY, &Evidence { standing, to: Stage::Soak, tally: &tally, open: &[] });
        assert!(ruling.answer.reasons()[0].contains("3 of 100 requests"), "{ruling}");
    }

    #[test]
    fn shares_have_their_denominators() {
        let tally = Tally {
            skipped: [(SkipReason::Sampled, 50)].into(),
            dropped: [(DropReason::Expired, 50)].into(),
            ..clean(100)
        };
        let ruling = ask(Hold::None, Stage::Live, &tally, &[]);
        assert_eq!(ruling.stated[0], "compared 100 of 200 requests (50.0 %)");
        assert_eq!(ruling.stated[1], "skipped 50 of 200 requests (25.0 %): sampled 50");
        assert_eq!(ruling.stated[2], "dropped 50 of 200 requests (25.0 %): expired 50");
    }

    #[test]
    fn what_has_not_passed_never_reads_as_if_it_had() {
        for (hold, matched, open) in [
            (Hold::None, 5, vec![]),
            (Hold::None, 500, vec![group(Severity::Cosmetic)]),
            (Hold::Fallback, 500, vec![]),
        ] {
            let ruling = ask(hold, Stage::Live, &clean(matched), &open);
            assert!(!ruling.answer.passed());
            let (text, json) = (ruling.to_string(), ruling.to_json());
            assert!(!text.to_lowercase().contains("pass") && text.contains("must not move"), "{text}");
            assert_ne!(json["answer"], "pass");
            assert!(!json["reasons"].as_array().unwrap().is_empty());
        }
    }

    #[test]
    fn the_default_asks_for_what_the_sequential_test_needs() {
        assert_eq!(Policy::default().min_comparisons, 326);
    }
}
