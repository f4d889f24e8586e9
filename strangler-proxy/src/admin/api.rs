//! What the admin API answers from, and which path is answered by what.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use axum::Router;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{DefaultBodyLimit, Path, Query, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::{get, post};
use bytes::Bytes;
use diff_harness::endpoint::EndpointId;
use diff_harness::exchange::UnixMillis;
use diff_harness::hint::did_you_mean;
use diff_harness::store::{EpochFilter, Store, StoreError, Tally};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::access::AdminConfig;
use super::answer::{Failed, done};
use super::bodies::{self, Bodies};
use super::wire::{Code, Problem};
use super::{
    certificates, changes, evidence, health, matrix, metrics, moves, report, routes, stream, triage,
    upstreams,
};
use crate::control::Control;
use crate::counters::{CounterRegistry, Snapshot, difference};
use crate::data_plane::{Certificates, DataPlaneCounts, RefusalCounts, Upstreams};
use crate::record::Recorder;
use crate::shadow::ShadowHandle;

/// For a request to be read and answered; no client holds a place for longer.
const REQUEST_DEADLINE: Duration = Duration::from_secs(60);
/// How long an answer waits for what was just observed to be in the store.
const FLUSH_PATIENCE: Duration = Duration::from_secs(2);

/// Everything that the admin API answers from.
pub struct Api {
    pub access: AdminConfig,
    pub control: Arc<Control>,
    pub store: Arc<dyn Store>,
    pub registry: Arc<CounterRegistry>,
    pub recorder: Arc<Recorder>,
    pub about: About,
    /// What was counted before this process started.
    pub before: Arc<ArcSwap<Before>>,
    pub refusals: Arc<RefusalCounts>,
    pub shadow: ShadowHandle,
    pub upstreams: Arc<Upstreams>,
    pub counts: Arc<DataPlaneCounts>,
    pub certificates: Arc<Certificates>,
    pub effects: ApiEffects,
}

/// What does not change while the proxy runs.
#[derive(Clone, Debug)]
pub struct About {
    pub started: UnixMillis,
    /// Addresses on which clients are listened to.
    pub listening: Vec<String>,
    pub control: String,
    pub candidate: String,
    pub store: PathBuf,
}

/// Counts of all endpoints that an earlier process left in the store.
#[derive(Debug, Default)]
pub struct Before(BTreeMap<Option<EndpointId>, Tally>);

/// What the admin API does to the rest of the proxy.
pub struct ApiEffects {
    /// Reads the rules anew and compares by them from the next pair on; the name of the new rules, or what is
    /// wrong with them. Then the old ones stay.
    pub reload_rules: Box<dyn Fn() -> Result<String, String> + Send + Sync>,
    /// The ids of the rules that are in force.
    pub rules: Box<dyn Fn() -> Vec<String> + Send + Sync>,
    /// Whether control takes connections.
    pub reach_control: Box<dyn Fn() -> Result<(), String> + Send + Sync>,
    /// The endpoint that a request with this method and path is for.
    pub matched: Matched,
    /// Endpoints that no request can match, in sentences.
    pub unmatchable: Box<dyn Fn() -> Vec<String> + Send + Sync>,
}

/// From a method and a path to the endpoint that such a request is for.
pub type Matched = Box<dyn Fn(&EndpointId) -> Option<EndpointId> + Send + Sync>;

/// Who asks.
#[derive(Clone, Debug)]
pub(super) struct Actor(pub(super) String);

type Shared = State<Arc<Api>>;

impl Before {
    pub fn read(store: &dyn Store) -> Result<Self, StoreError> {
        Ok(Self(store.tallies(EpochFilter::All)?.into_iter().collect()))
    }

    /// What other processes have counted: what is in the store, but for what this one has written.
    pub(crate) fn read_of_others(store: &dyn Store, recorder: &Recorder) -> Result<Self, StoreError> {
        recorder.with_written(|ours| {
            let Self(mut all) = Self::read(store)?;
            for (endpoint, ours) in ours {
                if let Some(tally) = all.get_mut(endpoint) {
                    *tally = difference(tally, ours);
                }
            }
            Ok(Self(all))
        })
    }
}

impl Api {
    /// What became of an endpoint's requests since the beginning; `None` for those that matched no endpoint.
    pub(crate) fn tally(&self, endpoint: Option<&EndpointId>) -> Tally {
        self.snapshot(endpoint).tally
    }

    pub(super) fn snapshot(&self, endpoint: Option<&EndpointId>) -> Snapshot {
        let counters = match endpoint {
            Some(endpoint) => self.registry.get(endpoint),
            None => self.registry.unmatched(),
        };
        let mut snapshot = counters.snapshot();
        if let Some(before) = self.before.load().0.get(&endpoint.cloned()) {
            snapshot.add(&Snapshot { started: before.seen(), tally: before.clone() });
        }
        snapshot
    }

    /// All endpoints and what matched none.
    pub(super) fn total(&self) -> Snapshot {
        let mut total = self.registry.total();
        for before in self.before.load().0.values() {
            total.add(&Snapshot { started: before.seen(), tally: before.clone() });
        }
        total
    }

    /// Has what was compared up to now in the store. When the store refuses, what it holds is answered, and the
    /// status says what is missing.
    pub(crate) fn flush(&self) {
        if let Err(error) = self.recorder.flush(FLUSH_PATIENCE) {
            tracing::warn!(%error, "an answer is given without what was observed last");
        }
    }
}

/// The whole API, behind the check of who asks. Health is answered to whoever can reach the listener.
pub fn router(api: Arc<Api>) -> Router {
    let limits = &api.access.limits;
    let (bodies, body_max) = (Bodies::new(limits), limits.body_bytes_max);
    let v1 = Router::new()
        .route("/routes", get(routes::list).post(routes::declare))
        .route("/route", get(routes::show))
        .route("/undeclared", get(routes::undeclared))
        .route("/status", get(health::status))
        .route("/upstreams", get(upstreams::list))
        .route("/certificates", get(certificates::list))
        .route("/certificates/reload", post(certificates::reload))
        .route("/plan", get(moves::plan).post(moves::try_plan))
        .route("/stream", get(stream::stream))
        .route("/promote", post(moves::promote))
        .route("/rollback", post(moves::rollback))
        .route("/hold", post(moves::hold))
        .route("/resume", post(moves::resume))
        .route("/transitions", get(moves::transitions))
        .route("/changes", get(changes::changes))
        .route("/groups", get(evidence::groups))
        .route("/groups/{id}", get(evidence::group))
        .route("/groups/{id}/decide", post(triage::decide))
        .route("/groups/{id}/undo", post(triage::undo))
        .route("/groups/{id}/split", post(triage::split))
        .route("/groups/{id}/join", post(triage::join))
        .route("/decisions", get(triage::decisions))
        .route("/waivers", get(triage::waivers).post(triage::import_waivers))
        .route("/exchanges/{id}", get(evidence::exchange))
        .route("/recorded", get(evidence::recorded))
        .route("/report", get(report::report))
        .route("/matrix", get(matrix::show).post(matrix::publish))
        .route("/epochs", get(evidence::epochs).post(evidence::set_epochs))
        .route("/rules", get(evidence::rules))
        .route("/rules/reload", post(evidence::reload_rules))
        .route("/flush", post(evidence::flush));
    Router::new()
        .nest("/api/v1", v1)
        .route("/metrics", get(metrics::scrape))
        .layer(from_fn_with_state(bodies, bodies::make_room))
        .layer(from_fn_with_state(Arc::clone(&api), admit))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(DefaultBodyLimit::max(body_max))
        .with_state(api)
}

/// Runs what blocks away from the threads that take connections.
pub(super) async fn answer<T: Serialize + Send + 'static>(
    api: Arc<Api>,
    work: impl FnOnce(&Api) -> Result<T, Failed> + Send + 'static,
) -> Result<Response, Failed> {
    let asked = move || {
        work(&api).map_err(|mut failed| {
            if let Some(unknown) = &failed.unknown {
                failed.problem.hint = meant(&api, unknown);
            }
            failed
        })
    };
    match tokio::task::spawn_blocking(asked).await {
        Ok(result) => result.map(done),
        Err(error) => {
            tracing::error!(%error, "an admin request failed: a bug in Strangler");
            Err(Problem::new(Code::Internal, "the request failed inside of Strangler; its log says more")
                .into())
        }
    }
}

/// Which known endpoint a person may have meant: the one that a request to this path is for, or one that is spelled
/// much like it.
fn meant(api: &Api, unknown: &EndpointId) -> Option<String> {
    if let Some(endpoint) = (api.effects.matched)(unknown) {
        return Some(format!("a request to {unknown} is one to {endpoint}: name it by its template"));
    }
    let known: Vec<_> = api.control.routes().iter().map(|route| route.endpoint.to_string()).collect();
    let near = did_you_mean(&unknown.to_string(), known.iter().map(String::as_str));
    (!near.is_empty()).then(|| near.trim_start_matches("; ").to_owned())
}

/// The body of a request as JSON of this form.
pub(super) fn body<T: DeserializeOwned>(
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<T, Problem> {
    // Only a request that a browser asks about first can have this type: no page of another origin can send it
    // by itself.
    let is_json = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|value| value.trim().eq_ignore_ascii_case("application/json"));
    if !is_json {
        return Err(Problem::new(Code::BadRequest, "the body's Content-Type is not application/json"));
    }
    let bytes = body.map_err(|rejection| {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            Problem::new(Code::TooLarge, "the body is larger than it may be")
        } else {
            Problem::new(Code::BadRequest, "the body could not be read to its end")
        }
    })?;
    serde_json::from_slice(&bytes)
        .map_err(|error| Problem::new(Code::BadRequest, format!("the body is not what is expected: {error}")))
}

/// The query of a request in this form.
pub(super) fn query<T>(query: Result<Query<T>, QueryRejection>) -> Result<T, Problem> {
    query.map(|Query(value)| value).map_err(|rejection| Problem::new(Code::BadRequest, rejection.body_text()))
}

pub(super) fn endpoint(text: &str) -> Result<EndpointId, Problem> {
    text.parse().map_err(|error: diff_harness::endpoint::EndpointIdError| {
        Problem::new(Code::BadRequest, error.to_string())
    })
}

/// A part of the path that must be of some form.
pub(super) fn part<T: std::str::FromStr>(Path(text): &Path<String>) -> Result<T, Problem>
where
    T::Err: std::fmt::Display,
{
    text.parse().map_err(|error: T::Err| Problem::new(Code::BadRequest, error.to_string()))
}

async fn admit(State(api): Shared, mut request: Request, next: Next) -> Result<Response, Problem> {
    let peer = request.extensions().get().copied();
    let actor = api.access.admit(request.method(), request.uri(), request.headers(), peer)?;
    request.extensions_mut().insert(Actor(actor.name));
    tokio::time::timeout(REQUEST_DEADLINE, next.run(request)).await.map_err(|_| {
        Problem::new(
            Code::BadRequest,
            format!("the request took longer than {} s", REQUEST_DEADLINE.as_secs()),
        )
    })
}

async fn not_found(request: Request) -> Problem {
    Problem::new(Code::NotFound, format!("there is nothing at {}", request.uri().path()))
}

async fn method_not_allowed(request: Request) -> Problem {
    let message = format!("{} does not take {}", request.uri().path(), request.method());
    Problem::new(Code::MethodNotAllowed, message)
}
