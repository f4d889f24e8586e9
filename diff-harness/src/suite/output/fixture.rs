//! One run with everything in it that an output format can trip over.

use std::time::Duration;

use http::{HeaderMap, Method, StatusCode};

use crate::comparison::{SkipReason, Verdict};
use crate::divergence::{Divergence, JsonPath, Kind, Location, Segment, Severity};
use crate::endpoint::EndpointId;
use crate::exchange::{CapturedBody, Exchange, Observation, Outcome, Request, TransportFailure, UnixMillis};
use crate::fingerprint::Fingerprint;
use crate::redact::{RedactionConfig, RedactionKey, Redactor};
use crate::suite::outcome::{Accepted, CaseResult, Finding, RunReport, StepOutcome, StepResult};

/// XML-illegal characters, markup, a CDATA end, workflow commands, table breaks and a very long value.
pub(in crate::suite) const HOSTILE: &str =
    "\u{0}\u{8}\u{fffe}]]><script>alert(1)</script>::error::x\r\n| `a` | %0A & \"q\"";

pub(in crate::suite) fn report() -> RunReport {
    let exposure = divergence(Kind::Added, Severity::Exposure, None, Some(HOSTILE));
    let changed = divergence(Kind::Value, Severity::Changed, Some("1"), Some("2"));
    let accepted = Accepted::Waiver { owner: "grace".into(), reason: "agreed | with <mobile>".into() };
    RunReport {
        suite: "playlists <&>".into(),
        file: "suites/playlists.yaml".into(),
        results: vec![
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
        ],
    }
}

/// The fixture without what is wrong in it.
pub(in crate::suite) fn healthy() -> RunReport {
    let mut report = report();
    report.results.truncate(1);
    report
}

fn case(name: &str, line: u64, persona: Option<&str>, steps: Vec<StepResult>) -> CaseResult {
    CaseResult {
        case: name.into(),
        line,
        persona: persona.map(str::to_owned),
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
    StepOutcome::Compared { verdict, findings, notes: vec![] }
}

fn divergence(kind: Kind, severity: Severity, control: Option<&str>, candidate: Option<&str>) -> Divergence {
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

fn finding(divergence: Divergence, accepted: Option<Accepted>) -> Finding {
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
