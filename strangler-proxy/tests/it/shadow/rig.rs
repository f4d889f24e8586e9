//! The shadow thread and the recorder, with a test in the place of the data plane.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use diff_harness::comparison::{Comparison, Disposition, Judgement};
use diff_harness::divergence::{Divergence, Kind, Location, Severity};
use diff_harness::endpoint::{EndpointId, SafeMethod};
use diff_harness::exchange::{CapturedBody, Observation, Outcome, Request, Response, Side, UnixMillis};
use diff_harness::lifecycle::Standing;
use diff_harness::redact::{RedactionConfig, RedactionKey, Redactor};
use diff_harness::store::{Epoch, Tally, Undeclared};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use strangler_proxy::counters::CounterRegistry;
use strangler_proxy::data_plane::{UpstreamConfig, Upstreams};
use strangler_proxy::fallback::{FallbackConfig, FallbackHandle};
use strangler_proxy::record::{Discover, Effects, Judge, RecordConfig, Recorder};
use strangler_proxy::routes::table::ActiveRoute;
use strangler_proxy::shadow::{AnswerSlot, ShadowConfig, ShadowHandle, ShadowRequest, ShadowWorker};

use super::store::MemoryStore;
use super::upstream::Upstream;
use crate::ports::Port;

/// Nothing in these tests takes that long; whatever does is hung.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Rig {
    pub registry: Arc<CounterRegistry>,
    pub route: Arc<ActiveRoute>,
    pub shadow: ShadowHandle,
    pub worker: ShadowWorker,
    pub recorder: Recorder,
    pub store: Arc<MemoryStore>,
    pub fallback: FallbackHandle,
}

/// How a rig is to be.
pub(crate) struct Setup {
    pub shadow: ShadowConfig,
    pub record: RecordConfig,
    pub judge: Box<dyn Judge>,
    pub control: Option<std::net::SocketAddr>,
    pub candidate: Option<std::net::SocketAddr>,
    /// In the place of these two, where a data plane has them too.
    pub upstreams: Option<Arc<Upstreams>>,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            // Nothing is asked again, unless a test is about that.
            shadow: ShadowConfig { gather: Duration::ZERO, again_per_second: 0, ..ShadowConfig::default() },
            // Long: a test says when it is time to write.
            record: RecordConfig { write_every: PATIENCE, ..RecordConfig::default() },
            judge: Box::new(Exact("r1")),
            control: None,
            candidate: None,
            upstreams: None,
        }
    }
}

impl Setup {
    pub(crate) fn candidate(upstream: &Upstream) -> Self {
        Self { candidate: Some(upstream.address), ..Self::default() }
    }

    pub(crate) fn start(self) -> Rig {
        let registry = Arc::new(CounterRegistry::new());
        let store = Arc::new(MemoryStore::default());
        let endpoint: EndpointId = "GET /a".parse().unwrap();
        let route = ActiveRoute {
            counters: registry.get(&endpoint),
            endpoint,
            safe: Some(SafeMethod::Get),
            standing: Standing::default(),
            revision: 1,
            salt: "".into(),
        };
        // Nobody writes fallbacks down: a guard that is closed stays so.
        let (fallback, _) = FallbackHandle::new(FallbackConfig::default(), Instant::now());
        let effects = Effects {
            fallback: fallback.clone(),
            judge: self.judge,
            redactor: Redactor::new(&RedactionConfig::default(), RedactionKey::new([7; 32])).unwrap(),
            store: store.clone(),
            registry: Arc::clone(&registry),
            discover: Box::new(Verbatim::default()),
            noise: Vec::new(),
            clock: now,
        };
        let epoch = Epoch { candidate: "c1".into(), control: "m1".into(), rules: String::new() };
        let recorder = Recorder::start(self.record, epoch, effects).unwrap();
        let upstream = |address: std::net::SocketAddr| UpstreamConfig::new(address.to_string());
        let control = upstream(self.control.unwrap_or_else(Port::refused));
        let candidate = self.candidate.map(upstream);
        let upstreams = self
            .upstreams
            .unwrap_or_else(|| Arc::new(Upstreams::start(&control, candidate.as_ref()).unwrap()));
        let (shadow, worker) = ShadowWorker::start(self.shadow, recorder.compare(), upstreams).unwrap();
        Rig { fallback, registry, route: Arc::new(route), shadow, worker, recorder, store }
    }
}

impl Rig {
    /// A request that control answers and the candidate shadows.
    pub(crate) fn request(&self, id: &str) -> ShadowRequest {
        request(&self.route, id)
    }

    /// Hands a request in as the data plane does, and counts it when it is refused.
    pub(crate) fn submit(&self, request: ShadowRequest) -> Result<AnswerSlot, Disposition> {
        self.route.counters.started();
        let submitted = self.shadow.submit(request);
        if let Err(disposition) = &submitted {
            self.route.counters.count(*disposition);
        }
        submitted
    }

    /// A request to which control answered `body`.
    pub(crate) fn exchange(&self, id: &str, body: &str) {
        if let Ok(slot) = self.submit(self.request(id)) {
            slot.complete(json(body), None);
        }
    }

    /// Waits until every request has come to its end.
    pub(crate) fn settled(&self) -> Tally {
        eventually(|| self.registry.total().pending() == 0);
        self.registry.total().tally
    }

    /// Waits until the queues have room.
    pub(crate) fn settled_mostly(&self) {
        eventually(|| self.registry.total().pending() < 8);
    }

    /// Drains everything as a shutdown does, and gives the store what it held.
    pub(crate) fn drain(self) -> Arc<MemoryStore> {
        let memory = self.shadow.memory().clone();
        self.worker.drain(PATIENCE);
        self.recorder.drain(PATIENCE).unwrap();
        drop(self.shadow);
        assert_eq!(memory.used(), 0, "memory is still held");
        assert_eq!(self.registry.total().pending(), 0, "a request has no end");
        self.store
    }
}

pub(crate) fn request(route: &Arc<ActiveRoute>, id: &str) -> ShadowRequest {
    ShadowRequest {
        id: HeaderValue::from_str(id).unwrap(),
        at: now(),
        route: Arc::clone(route),
        method: SafeMethod::Get,
        target: "/a?x=%2f".parse().unwrap(),
        headers: [(http::header::HOST, HeaderValue::from_static("example.com"))].into_iter().collect(),
        body: Bytes::new(),
        to: Side::Candidate,
    }
}

/// Waits for a condition; how long is of no matter to the test.
pub(crate) fn eventually(mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < PATIENCE, "it never came to be");
        // Whatever makes it true needs the core more than whoever looks.
        thread::sleep(Duration::from_millis(1));
    }
}

pub(crate) fn now() -> UnixMillis {
    UnixMillis(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64)
}

/// 200 with a JSON body.
pub(crate) fn json(body: &str) -> Observation {
    response(&[("content-type", "application/json")], body)
}

pub(crate) fn response(headers: &[(&'static str, &str)], body: &str) -> Observation {
    let field = |(name, value): &(&'static str, &str)| {
        (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
    };
    let headers = headers.iter().map(field).collect();
    observation(headers, CapturedBody::Whole(Bytes::copy_from_slice(body.as_bytes())))
}

pub(crate) fn with_body(body: CapturedBody) -> Observation {
    observation(HeaderMap::new(), body)
}

fn observation(headers: HeaderMap, body: CapturedBody) -> Observation {
    let response = Response { status: StatusCode::OK, headers, body };
    Observation { outcome: Outcome::Response(response), latency: Duration::from_millis(3) }
}

/// Says that bodies are equal or not, and no more: what the comparator finds is tested elsewhere.
pub(crate) struct Exact(pub &'static str);

impl Judge for Exact {
    fn judge(
        &self,
        _: &EndpointId,
        _: &Request,
        control: &Observation,
        candidate: &Observation,
    ) -> Judgement {
        let text = |observation: &Observation| match &observation.outcome {
            Outcome::Response(Response { body: body @ CapturedBody::Whole(_), .. }) => {
                String::from_utf8_lossy(body.kept()).into_owned()
            }
            Outcome::Response(Response { body: CapturedBody::Hashed { length, .. }, .. }) => {
                format!("hashed {length}")
            }
            Outcome::Response(Response { body: CapturedBody::Cut { .. }, .. }) => "cut".to_owned(),
            Outcome::Failure(failure) => failure.as_str().to_owned(),
        };
        let (control, candidate) = (text(control), text(candidate));
        let mut comparison = Comparison::default();
        if control != candidate {
            comparison.divergences.push(Divergence {
                kind: Kind::Text,
                severity: Severity::Breaking,
                location: Location::Body,
                detail: None,
                control: Some(control),
                candidate: Some(candidate),
            });
        }
        Judgement::Compared(comparison)
    }

    fn rules(&self) -> &str {
        self.0
    }
}

/// Proposes what it saw.
#[derive(Default)]
struct Verbatim(Vec<Undeclared>);

impl Discover for Verbatim {
    fn seen(&mut self, method: &Method, path: &str) {
        let proposed = EndpointId::new(method.clone(), path);
        match self.0.iter_mut().find(|known| known.proposed == proposed) {
            Some(known) => known.count += 1,
            None => self.0.push(Undeclared { proposed, count: 1, examples: vec![path.to_owned()] }),
        }
    }

    fn take(&mut self) -> Vec<Undeclared> {
        std::mem::take(&mut self.0)
    }
}
