//! One run with everything in it that an output format can trip over.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, Method, StatusCode};

use crate::comparison::{SkipReason, Verdict};
use crate::divergence::{Divergence, JsonPath, Kind, Location, Segment, Severity};
use crate::endpoint::EndpointId;
use crate::exchange::{CapturedBody, Exchange, Observation, Outcome, Request, TransportFailure, UnixMillis};
use crate::fingerprint::Fingerprint;
use crate::redact::{RedactionConfig, RedactionKey, Redactor};
use crate::suite::outcome::{Accepted, CaseResult, Compared, Finding, StepOutcome, StepResult};
use crate::suite::report::RunReport;

/// XML-illegal characters, markup, a CDATA end, workflow commands, table breaks and a very long value.
pub(in crate::suite) const HOSTILE: &str =
    "\u{0}\u{8}\u{fffe}]]><script>alert(1)</script>::error::x\r\n| `a` | %0A & \"q\"";

pub(in crate::suite) fn report() -> RunReport {
    of(cases())
}

/// The fixture without what is wrong in it.
pub(in crate::suite) fn healthy() -> RunReport {
    of(cases().into_iter().take(1))
}

pub(in crate::suite) fn of(cases: impl IntoIterator<Item = CaseResult>) -> RunReport {
    let mut report = RunReport::new("playlists <&>", "suites/playlists.yaml", 0);
    for case in cases {
        report.planned += 1;
        report.add(case);
    }
    report
}

/// The fixture with many more groups of exposures.
pub(in crate::suite) fn with_groups(more: usize) -> RunReport {
    let mut cases = cases();
    for n in 0..more {
        let mut case = cases[1].clone();
        case.index = cases.len() as u64;
        let StepOutcome::Compared(compared) = &mut case.steps[0].outcome else { panic!("compared") };
        compared.findings[0].fingerprint = format!("v1-{n:016x}").parse().expect("a fingerprint");
        cases.push(case);
    }
    of(cases)
}

pub(in crate::suite) fn cases() -> Vec<CaseResult> {
    let exposure = divergence(Kind::Added, Severity::Exposure, None, Some(HOSTILE));
    let changed = divergence(Kind::Value, Severity::Changed, Some("1"), Some("2"));
    let accepted = Accepted::Waiver { owner: "grace".into(), reason: "agreed | with <mobile>".into() };
    let mut cases = vec![
        case("list", 11, None, vec![step("list", 11, compared(Verdict::Match, vec![]))]),
        case(
            "read | a <playlist>",
            14,
            Some("anonymous"),
            vec![step("read", 15, compared(Verdict::Mismatch, vec![finding(exposure, None)]))],
        ),
        case(
            "life",
            20,
            Some("owner"),
            vec![
                step("create", 21, StepOutcome::Prepared),
                step("rename", 25, compared(Verdict::Mismatch, vec![finding(changed, Some(accepted))])),
                step("stream", 29, StepOutcome::Skipped(SkipReason::Stream)),
                step("delete", 31, StepOutcome::Failed(format!("expected 204, control said {HOSTILE}"))),
                step("gone", 33, StepOutcome::NotRun),
            ],
        ),
    ];
    cases.iter_mut().zip(0..).for_each(|(case, index)| case.index = index);
    cases[1].steps[0].control = Some(StatusCode::FORBIDDEN);
    cases
}

fn case(name: &str, line: u64, persona: Option<&str>, steps: Vec<StepResult>) -> CaseResult {
    CaseResult {
        index: 0,
        case: name.into(),
        line,
        persona: persona.map(Arc::from),
        steps,
        duration: Duration::from_millis(12),
    }
}

fn step(name: &str, line: u64, outcome: StepOutcome) -> StepResult {
    StepResult {
        name: name.into(),
        line,
        endpoint: EndpointId::new(Method::GET, "/playlists/{id}"),
        control: Some(StatusCode::OK),
        candidate: Some(StatusCode::OK),
        outcome,
    }
}

fn compared(verdict: Verdict, findings: Vec<Finding>) -> StepOutcome {
    StepOutcome::Compared(Compared {
        verdict,
        findings,
        both_failed: false,
        unconfirmed: false,
        notes: vec![],
    })
}

pub(in crate::suite) fn divergence(
    kind: Kind,
    severity: Severity,
    control: Option<&str>,
    candidate: Option<&str>,
) -> Divergence {
    let path = JsonPath(vec![Segment::Key("tracks".into()), Segment::Index(3), Segment::Key("a|b".into())]);
    Divergence {
        kind,
        severity,
        location: Location::Json(path),
        detail: None,
        control: control.map(str::to_owned),
        candidate: candidate.map(str::to_owned),
    }
}

pub(in crate::suite) fn finding(divergence: Divergence, accepted: Option<Accepted>) -> Finding {
    let endpoint = EndpointId::new(Method::GET, "/playlists/{id}");
    let redactor = Redactor::new(&RedactionConfig::default(), RedactionKey::new([7; 32]))
        .expect("the default redaction is valid");
    let silence =
        Observation { outcome: Outcome::Failure(TransportFailure::Closed), latency: Duration::ZERO };
    let exchange = Exchange {
        id: "a1".into(),
        at: UnixMillis(0),
        endpoint: endpoint.clone(),
        request: Request {
            method: Method::GET,
            target: "/playlists/1".into(),
            headers: HeaderMap::new(),
            body: CapturedBody::empty(),
        },
        control: silence.clone(),
        candidate: silence,
    };
    Finding {
        fingerprint: Fingerprint::of(&endpoint, &divergence),
        divergence: redactor.begin(&exchange).divergence(&divergence),
        accepted,
    }
}
