mod evidence;
mod groups;
mod coverage;
mod latency;
mod stages;

use std::time::Duration;

use super::*;
use crate::comparison::{DropReason, SkipReason};
use crate::divergence::{Divergence, Kind, Location, Severity};
use crate::endpoint::EndpointId;
use crate::evidence::sprt::Sprt;
use crate::exchange::Side;
use crate::fingerprint::Fingerprint;
use crate::lifecycle::{Declaration, Parameter, Standing, Weight};
use crate::redact::Redacted;
use crate::store::{
    Group, LatencyPair, MismatchTally, Moments, NegativeControl, Observed, ShapeTally, Spread,
};
use crate::triage::State;

const NOW: UnixMillis = UnixMillis(100_000_000);

/// An endpoint in shadow of which enough is known, to be changed in one thing.
struct Case {
    policy: Policy,
    endpoint: EndpointId,
    standing: Standing,
    since: UnixMillis,
    to: Stage,
    declaration: Declaration,
    observed: Observed,
    groups: Vec<GroupState>,
    before: Option<Before>,
    candidate: Result<(), &'static str>,
    last_fallback: Option<UnixMillis>,
}

impl Case {
    fn clean() -> Self {
        let mut case = Self {
            policy: Policy::default(),
            endpoint: "GET /a/{id}".parse().unwrap(),
            standing: Standing { stage: Stage::Shadow, hold: Hold::None },
            since: UnixMillis(1),
            to: Stage::Live,
            declaration: Declaration::default(),
            observed: Observed {
                latencies: vec![pair(1_000, 1_000, Side::Control); 50],
                negative_control: Some(NegativeControl { tried: NOW, found: Some(NOW), missed: vec![] }),
                moments: Moments { began: Some(UnixMillis(1)), compared: Some(NOW), dropped: None },
                ..Observed::default()
            },
            groups: Vec::new(),
            before: None,
            candidate: Ok(()),
            last_fallback: None,
        };
        case.compared("2xx anon json{..}", 1_000, 64);
        case
    }

    /// Comparisons without a mismatch, spread over so many different requests.
    fn compared(&mut self, shape: &str, n: u64, different: u8) {
        let mut spread = Spread::default();
        for place in 0..different {
            let more = u64::from(u64::from(place) < n % u64::from(different));
            spread.add(place, (n / u64::from(different) + more) as u32);
        }
        self.observed.shapes.push(ShapeTally {
            shape: shape.to_owned(),
            compared: n,
            spread,
            ..ShapeTally::default()
        });
        self.observed.tally.matched += n;
    }

    /// Mismatches among the comparisons of a shape.
    fn mismatched(&mut self, shape: &str, n: u64, group: &GroupState) {
        let known = self.observed.shapes.iter_mut().find(|known| known.shape == shape).unwrap();
        known.mismatched += n;
        self.observed.tally.matched -= n;
        self.observed.tally.mismatched += n;
        let groups = vec![group.group.fingerprint.clone()];
        self.observed.mismatches.push(MismatchTally {
            shape: shape.to_owned(),
            groups,
            count: n,
            confirmed: n,
        });
    }

    fn nothing() -> Self {
        let mut case = Self::clean();
        case.observed = Observed { negative_control: case.observed.negative_control, ..Observed::default() };
        case
    }

    fn judge(&self) -> Ruling {
        let epoch = Epoch { candidate: "v2".into(), control: "m1".into(), rules: "r1".into() };
        judge(
            &self.policy,
            &Evidence {
                endpoint: &self.endpoint,
                standing: self.standing,
                since: self.since,
                to: self.to,
                now: NOW,
                declaration: &self.declaration,
                epoch: &epoch,
                observed: &self.observed,
                groups: &self.groups,
                before: self.before.clone(),
                candidate: self.candidate,
                started: UnixMillis(1),
                last_fallback: self.last_fallback,
            },
        )
    }

    /// The codes of all reasons, in order.
    fn codes(&self) -> Vec<Code> {
        let ruling = self.judge();
        assert_eq!(ruling.answer.passed(), ruling.reasons.is_empty(), "{ruling}");
        ruling.reasons.iter().map(|reason| reason.code).collect()
    }

    /// The sentence of the only reason.
    fn only(&self, code: Code) -> String {
        let ruling = self.judge();
        let [reason] = &ruling.reasons[..] else { panic!("{ruling}") };
        assert_eq!(reason.code, code, "{ruling}");
        reason.sentence.clone()
    }
}

fn pair(control_us: u32, candidate_us: u32, answered_by: Side) -> LatencyPair {
    LatencyPair { control_us, candidate_us, answered_by }
}

fn group(severity: Severity, state: State) -> GroupState {
    let endpoint: EndpointId = "GET /a/{id}".parse().unwrap();
    let divergence = Divergence {
        kind: Kind::Added,
        severity,
        location: Location::Body,
        detail: None,
        control: None,
        candidate: None,
    };
    let group = Group {
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
    };
    GroupState { group, state, waiver: None }
}

#[test]
fn an_endpoint_of_which_enough_is_known_passes() {
    let ruling = Case::clean().judge();
    assert_eq!(ruling.answer, GateAnswer::Pass, "{ruling}");
    assert_eq!((ruling.compared(), ruling.mismatched()), (1_000, 0));
    assert_eq!(ruling.meters()[0].to_string(), "1,000 of 1,000 comparisons");
}

#[test]
fn what_has_not_passed_never_reads_as_if_it_had() {
    let mut failed = Case::clean();
    failed.standing.hold = Hold::Fallback;
    for case in [Case::nothing(), failed] {
        let text = case.judge().to_string();
        assert!(!text.starts_with("pass"), "{text}");
        assert_ne!(case.judge().to_json()["answer"], "pass");
    }
}
