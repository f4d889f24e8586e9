//! Flips on a real store: what is allowed, what is durable, and who wins a race.

mod noise;
mod outlook;
mod triage;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use diff_harness::comparison::Verdict;
use diff_harness::divergence::{Divergence, Kind, Location, Severity};
use diff_harness::endpoint::EndpointId;
use diff_harness::evidence::sprt::Sprt;
use diff_harness::exchange::{CapturedBody, Exchange, Observation, Outcome, Request, Response, UnixMillis};
use diff_harness::fingerprint::Fingerprint;
use diff_harness::gate::{Demand, Demands, Policy};
use diff_harness::ledger::{Ledger, Retention};
use diff_harness::lifecycle::{Declaration, Hold, Route, Stage};
use diff_harness::redact::{RedactionConfig, RedactionKey, Redactor};
use diff_harness::store::{
    Batch, ComparisonRecord, Epoch, NegativeControl, PlainTally, Spread, Store, StoreError, Tally,
};
use http::{HeaderMap, Method, StatusCode};
use strangler_proxy::control::{Control, Effects, Moved, Promote, Refusal, Rollback, SetHold};
use strangler_proxy::fallback::{Alarm, Recent, Trigger};
use tempfile::TempDir;

const MIN_COMPARISONS: u64 = 3;

/// Control over a store in a directory of its own.
struct Desk {
    control: Control,
    ledger: Arc<Ledger>,
    published: Arc<Mutex<Vec<Route>>>,
    reachable: Arc<AtomicBool>,
    dir: TempDir,
}

static CLOCK: AtomicU64 = AtomicU64::new(1_000);

fn now() -> UnixMillis {
    UnixMillis(CLOCK.fetch_add(1, Ordering::Relaxed))
}

impl Desk {
    fn new() -> Self {
        Self::at(tempfile::tempdir().unwrap())
    }

    fn at(dir: TempDir) -> Self {
        let ledger = Arc::new(Ledger::open(dir.path().join("s.db"), Retention::default()).unwrap());
        let published = Arc::new(Mutex::new(Vec::new()));
        let reachable = Arc::new(AtomicBool::new(true));
        let (table, reached) = (Arc::clone(&published), Arc::clone(&reachable));
        let effects = Effects {
            publish: Box::new(move |routes| *table.lock().unwrap() = routes.to_vec()),
            reach_candidate: Box::new(move || {
                if reached.load(Ordering::Relaxed) { Ok(()) } else { Err("connection refused".to_owned()) }
            }),
            flush: Box::new(|| {}),
            epoch: Box::new(|| Arc::new(Epoch::default())),
            resumed: Box::new(|_| {}),
            now,
        };
        let policy = Policy { base: demands(), ..Policy::default() };
        assert_eq!(policy.base.clean_needed(), MIN_COMPARISONS);
        let store: Arc<dyn Store> = ledger.clone();
        let control = Control::open(store, policy, effects).unwrap();
        Self { control, ledger, published, reachable, dir }
    }

    fn with(endpoints: &[&str]) -> Self {
        let desk = Self::new();
        let declared: Vec<_> = endpoints.iter().map(|text| (id(text), Declaration::default())).collect();
        desk.control.declare(&declared).unwrap();
        desk
    }

    fn promote(&self, endpoint: &str, to: &str) -> Result<Moved, Refusal> {
        self.control.promote(&wish(endpoint, to))
    }

    fn force(&self, endpoint: &str, to: &str) -> Result<Moved, Refusal> {
        self.control.promote(&Promote { force: true, reason: "known".to_owned(), ..wish(endpoint, to) })
    }

    fn rollback(&self, endpoint: &str) -> Result<Moved, Refusal> {
        self.control.rollback(&Rollback {
            endpoint: id(endpoint),
            to: Stage::Legacy,
            reason: String::new(),
            actor: "alice".to_owned(),
        })
    }

    fn stage(&self, endpoint: &str) -> String {
        self.control.route(&id(endpoint)).unwrap().standing.stage.to_string()
    }

    /// What the store, the table and control say must be one.
    fn agree(&self) {
        let stored = self.ledger.routes().unwrap();
        assert_eq!(self.control.routes(), stored);
        assert_eq!(*self.published.lock().unwrap(), stored);
    }

    /// Records comparisons of an endpoint that matched, and divergences of this severity.
    fn observed(&self, endpoint: &str, matched: u64, divergences: &[Severity]) {
        let tally = Tally { matched, mismatched: divergences.len() as u64, ..Tally::default() };
        let comparisons = divergences.iter().map(|severity| divergent(&id(endpoint), *severity)).collect();
        let mut spread = Spread::default();
        spread.add(0, u32::try_from(matched).unwrap());
        let plain = PlainTally {
            endpoint: id(endpoint),
            shape: "2xx anon".to_owned(),
            status: Some(200),
            verdict: Verdict::Match,
            both_failed: false,
            count: matched,
            spread,
            tolerated: Vec::new(),
            applied: Vec::new(),
            latencies: Vec::new(),
        };
        let at = now();
        let trial = NegativeControl { tried: at, found: Some(at), missed: Vec::new() };
        let batch = Batch {
            at,
            epoch: Epoch::default(),
            tallies: vec![(Some(id(endpoint)), tally)],
            comparisons,
            plain: vec![plain],
            negative_controls: vec![(id(endpoint), trial)],
            ..Batch::default()
        };
        self.ledger.record(&batch).unwrap();
    }
}

/// A test that three comparisons settle.
fn demands() -> Demands {
    Demands {
        sprt: Sprt::new(0.05, 0.65, 0.05, 0.05).unwrap(),
        same_request: 1.0,
        latency: Demand::State,
        ..Demands::default()
    }
}

fn id(text: &str) -> EndpointId {
    text.parse().unwrap()
}

fn wish(endpoint: &str, to: &str) -> Promote {
    Promote {
        endpoint: id(endpoint),
        to: (!to.is_empty()).then(|| to.parse().unwrap()),
        expected_revision: None,
        force: false,
        reason: String::new(),
        actor: "alice".to_owned(),
        acknowledge: None,
    }
}

fn set_hold(endpoint: &str, reason: &str) -> SetHold {
    SetHold {
        endpoint: id(endpoint),
        expected_revision: None,
        reason: reason.to_owned(),
        actor: "bob".to_owned(),
    }
}

fn alarm(endpoint: &str) -> Alarm {
    let trigger = Trigger::Failures {
        recent: Recent { asked: 5, failed: 5 },
        window: std::time::Duration::from_secs(10),
        last: "timeout",
        exchange: "r5".to_owned(),
    };
    Alarm { endpoint: id(endpoint), trigger }
}

fn divergent(endpoint: &EndpointId, severity: Severity) -> ComparisonRecord {
    let divergence = Divergence {
        kind: Kind::Value,
        severity,
        location: Location::Status,
        detail: None,
        control: Some("1".to_owned()),
        candidate: Some("2".to_owned()),
    };
    ComparisonRecord { exchange: None, ..mismatch(endpoint, &[divergence]) }
}

/// One exchange in which these were found, with all that is kept of it.
fn mismatch(endpoint: &EndpointId, divergences: &[Divergence]) -> ComparisonRecord {
    let response = || Observation {
        outcome: Outcome::Response(Response {
            status: StatusCode::OK,
            headers: HeaderMap::new(),
            body: CapturedBody::empty(),
        }),
        latency: std::time::Duration::from_millis(1),
    };
    let exchange = Exchange {
        id: format!("r{}", now().0),
        at: now(),
        endpoint: endpoint.clone(),
        request: Request {
            method: Method::GET,
            target: "/".to_owned(),
            headers: HeaderMap::new(),
            body: CapturedBody::empty(),
        },
        control: response(),
        candidate: response(),
    };
    let redactor = Redactor::new(&RedactionConfig::default(), RedactionKey::new([0; 32])).unwrap();
    let redaction = redactor.begin(&exchange);
    let redacted =
        |divergence: &Divergence| (Fingerprint::of(endpoint, divergence), redaction.divergence(divergence));
    ComparisonRecord {
        id: exchange.id.clone(),
        at: exchange.at,
        endpoint: endpoint.clone(),
        verdict: Verdict::Mismatch,
        confirmation: None,
        both_failed: false,
        shape: String::new(),
        place: 0,
        status: Some(200),
        divergences: divergences.iter().map(redacted).collect(),
        tolerated: Vec::new(),
        applied: Vec::new(),
        notes: Vec::new(),
        latencies: None,
        exchange: Some(redaction.exchange(exchange).0),
    }
}

#[test]
fn an_endpoint_climbs_on_evidence_and_comes_back_at_once() {
    let desk = Desk::with(&["GET /a"]);
    let shadow = desk.promote("GET /a", "").unwrap();
    assert_eq!((shadow.to.stage, shadow.revision), (Stage::Shadow, 1));
    assert!(matches!(desk.promote("GET /a", "live"), Err(Refusal::GateInconclusive { .. })));
    desk.observed("GET /a", MIN_COMPARISONS, &[]);
    assert_eq!(desk.promote("GET /a", "live").unwrap().to.stage, Stage::Live);
    desk.agree();
    assert_eq!(desk.rollback("GET /a").unwrap().to.stage, Stage::Legacy);
    desk.agree();
    let audit = desk.control.transitions(Some(&id("GET /a")), 10).unwrap();
    let stages: Vec<_> = audit.iter().map(|transition| transition.flip.to.stage.to_string()).collect();
    assert_eq!(stages, ["legacy", "live", "shadow"], "newest first");
    assert!(audit[1].flip.evidence.contains("\"answer\":\"pass\""), "{}", audit[1].flip.evidence);
    assert!(audit.iter().all(|transition| transition.flip.actor == "alice"));
}

#[test]
fn an_open_group_refuses_and_force_overrides_with_a_reason() {
    let desk = Desk::with(&["GET /a"]);
    desk.promote("GET /a", "shadow").unwrap();
    desk.observed("GET /a", 100, &[Severity::Changed]);
    assert!(matches!(desk.promote("GET /a", "live"), Err(Refusal::GateRefused { .. })));
    let no_reason = Promote { force: true, ..wish("GET /a", "live") };
    assert!(matches!(desk.control.promote(&no_reason), Err(Refusal::ReasonRequired(_))));
    assert_eq!(desk.stage("GET /a"), "shadow");
    let forced = desk.force("GET /a", "live").unwrap();
    assert!(forced.forced);
    let audit = desk.control.transitions(None, 1).unwrap();
    assert!(audit[0].flip.forced && audit[0].flip.reason == "known");
}

#[test]
fn no_force_goes_over_an_exposure() {
    let desk = Desk::with(&["GET /a"]);
    desk.promote("GET /a", "shadow").unwrap();
    desk.observed("GET /a", 100, &[Severity::Cosmetic, Severity::Exposure]);
    assert!(matches!(desk.force("GET /a", "live"), Err(Refusal::Unforceable { .. })));
    assert_eq!(desk.stage("GET /a"), "shadow");
}

#[test]
fn no_force_goes_over_a_hold() {
    let desk = Desk::with(&["GET /a"]);
    desk.force("GET /a", "live").unwrap();
    desk.control.fall_back(&alarm("GET /a")).unwrap();
    let Err(Refusal::Held { hold, why, .. }) = desk.force("GET /a", "soak") else { panic!("it moved") };
    assert_eq!(hold, Hold::Fallback);
    assert!(why.starts_with("strangler said: the candidate failed 5 of 5 requests within 10 s"), "{why}");
    desk.control.resume(&set_hold("GET /a", "mended")).unwrap();
    desk.control.hold(&set_hold("GET /a", "release freeze")).unwrap();
    assert!(matches!(desk.promote("GET /a", ""), Err(Refusal::Held { hold: Hold::Paused, .. })));
    desk.control.resume(&set_hold("GET /a", "over")).unwrap();
    assert!(desk.force("GET /a", "soak").is_ok());
    desk.agree();
}

#[test]
fn a_hold_and_a_resume_need_a_reason() {
    let desk = Desk::with(&["GET /a"]);
    assert!(matches!(desk.control.hold(&set_hold("GET /a", " ")), Err(Refusal::ReasonRequired(_))));
    assert!(matches!(desk.control.resume(&set_hold("GET /a", "")), Err(Refusal::ReasonRequired(_))));
    assert!(matches!(desk.control.resume(&set_hold("GET /a", "x")), Err(Refusal::NotHeld(_))));
}

#[test]
fn a_rollback_is_never_refused() {
    let desk = Desk::with(&["GET /a"]);
    desk.force("GET /a", "live").unwrap();
    desk.control.fall_back(&alarm("GET /a")).unwrap();
    desk.reachable.store(false, Ordering::Relaxed);
    desk.observed("GET /a", 0, &[Severity::Exposure]);
    let back = desk.rollback("GET /a").unwrap();
    assert_eq!(
        (back.to.stage, back.to.hold),
        (Stage::Legacy, Hold::Fallback),
        "the latch stays for a person"
    );
    let again = desk.rollback("GET /a").unwrap();
    assert_eq!(again.sequence, None, "there was nothing to do");
}

#[test]
fn a_flip_on_an_old_revision_changes_nothing() {
    let desk = Desk::with(&["GET /a"]);
    desk.promote("GET /a", "shadow").unwrap();
    let late =
        Promote { expected_revision: Some(0), force: true, reason: "x".into(), ..wish("GET /a", "live") };
    let Err(Refusal::Store(StoreError::Conflict { expected, current, .. })) = desk.control.promote(&late)
    else {
        panic!("it moved")
    };
    assert_eq!((expected, current), (0, 1));
    assert_eq!(desk.stage("GET /a"), "shadow");
    desk.agree();
}

#[test]
fn of_two_that_saw_the_same_revision_one_moves() {
    let desk = Desk::with(&["GET /a"]);
    let results: Vec<_> = std::thread::scope(|scope| {
        let ask = || {
            scope.spawn(|| {
                let seen = Promote { expected_revision: Some(0), ..wish("GET /a", "shadow") };
                desk.control.promote(&seen).is_ok_and(|moved| moved.sequence.is_some())
            })
        };
        let both = [ask(), ask()];
        both.into_iter().map(|asked| asked.join().unwrap()).collect()
    });
    assert_eq!(results.iter().filter(|moved| **moved).count(), 1);
    assert_eq!(desk.control.transitions(None, 10).unwrap().len(), 1);
    desk.agree();
}

#[test]
fn no_unsafe_endpoint_is_ever_shadowed() {
    let desk = Desk::with(&["POST /a"]);
    assert!(matches!(desk.force("POST /a", "shadow"), Err(Refusal::Unsuitable { .. })));
    assert_eq!(desk.promote("POST /a", "").unwrap().to.stage, Stage::Record);
    desk.agree();
}

#[test]
fn a_candidate_that_cannot_be_reached_is_not_shadowed_to() {
    let desk = Desk::with(&["GET /a"]);
    desk.reachable.store(false, Ordering::Relaxed);
    let Err(refusal @ Refusal::GateRefused { .. }) = desk.promote("GET /a", "") else { panic!("it moved") };
    assert!(refusal.to_string().contains("connection refused"), "{refusal}");
    assert!(desk.force("GET /a", "").unwrap().forced);
}

#[test]
fn a_step_back_is_no_promotion_and_a_step_forward_no_rollback() {
    let desk = Desk::with(&["GET /a"]);
    desk.force("GET /a", "live").unwrap();
    assert!(matches!(desk.promote("GET /a", "shadow"), Err(Refusal::Backwards { .. })));
    let forward =
        Rollback { endpoint: id("GET /a"), to: Stage::Soak, reason: String::new(), actor: String::new() };
    assert!(matches!(desk.control.rollback(&forward), Err(Refusal::Forwards { .. })));
    let to_shadow = Rollback { to: Stage::Shadow, ..forward };
    assert_eq!(desk.control.rollback(&to_shadow).unwrap().to.stage, Stage::Shadow);
}

#[test]
fn a_plan_says_what_a_move_would_say_and_changes_nothing() {
    let desk = Desk::with(&["GET /a"]);
    desk.promote("GET /a", "").unwrap();
    let plan = desk.control.plan(&id("GET /a"), Some(Stage::Live), None).unwrap();
    assert!(matches!(plan.refusal, Some(Refusal::GateInconclusive { .. })));
    desk.observed("GET /a", MIN_COMPARISONS, &[]);
    assert!(desk.control.plan(&id("GET /a"), Some(Stage::Live), None).unwrap().refusal.is_none());
    assert_eq!(desk.stage("GET /a"), "shadow");
    assert_eq!(desk.control.transitions(None, 10).unwrap().len(), 1);
}

#[test]
fn everything_stands_where_it_stood_after_a_restart() {
    let desk = Desk::with(&["GET /a", "GET /b"]);
    desk.force("GET /a", "canary:5%").unwrap();
    desk.control.hold(&set_hold("GET /b", "later")).unwrap();
    let before = desk.control.routes();
    let Desk { control, ledger, dir, .. } = desk;
    drop((control, ledger));
    let again = Desk::at(dir);
    assert_eq!(again.control.routes(), before);
    again.agree();
}

#[test]
fn declaring_again_moves_nothing() {
    let desk = Desk::with(&["GET /a"]);
    desk.force("GET /a", "live").unwrap();
    let source = Declaration { source: "openapi.yaml".to_owned(), ..Declaration::default() };
    let declared = desk.control.declare(&[(id("GET /a"), source), (id("GET /b"), Declaration::default())]);
    assert_eq!(declared.unwrap().added, [id("GET /b")]);
    assert_eq!(desk.stage("GET /a"), "live");
    assert_eq!(desk.control.route(&id("GET /a")).unwrap().declaration.source, "openapi.yaml");
    desk.agree();
}

#[test]
fn what_is_not_known_is_said_to_be_unknown() {
    let desk = Desk::new();
    let unknown = |result: Result<Moved, Refusal>| {
        matches!(result, Err(Refusal::Store(StoreError::UnknownEndpoint(_))))
    };
    assert!(unknown(desk.promote("GET /x", "")));
    assert!(unknown(desk.rollback("GET /x")));
    assert!(unknown(desk.control.hold(&set_hold("GET /x", "y"))));
    assert!(desk.control.plan(&id("GET /x"), None, None).is_err());
}
