//! One side: a monolith over a database of its own, alone or behind the service.

use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, OnceLock},
    time::Duration,
};

use bytes::Bytes;
use diff_harness::exchange::{Observation, Outcome, Response};
use estate_traffic::{ask::Ask, client::Client, endpoint::Endpoint, persona::Persona};
use http::{HeaderMap, HeaderValue, Method, header};
use mothership::{
    domain::Clock,
    seed::{self, Scale},
    server::{self, Options},
    store::Store,
};
use playlists_vas::{
    foundation::{FoundationConfig, Limits},
    gateways,
    regressions::Regressions,
    server::{Playlists, PlaylistsConfig},
    tracks,
};
use serde_json::Value;
use tempfile::TempDir;
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

use crate::run::DRY_RUN;

/// Who answers on the candidate's side.
#[derive(Clone, Debug)]
pub(crate) enum Candidate {
    /// A second monolith: nothing may differ.
    Monolith,
    /// A second monolith whose database was altered by this SQL: a known difference.
    Altered(&'static str),
    /// The service in front of a second monolith, with these bugs switched on.
    Service(Regressions),
}

pub(crate) struct Estate {
    /// Who is asked.
    pub(crate) address: SocketAddr,
    /// The monolith, which still answers what is no playlist endpoint.
    pub(crate) monolith: SocketAddr,
    pub(crate) store: Store,
    stop: Vec<oneshot::Sender<()>>,
    servers: Vec<JoinHandle<()>>,
    _directory: TempDir,
}

impl Candidate {
    /// The service as it is meant to be.
    pub(crate) fn healthy() -> Self {
        Self::Service(Regressions::default())
    }
}

const SEED: u64 = 7;
/// The clock of both sides stands still.
const NOW: &str = "2026-01-01T00:00:00Z";

impl Estate {
    pub(crate) async fn control() -> Self {
        Self::start(&Candidate::Monolith).await
    }

    pub(crate) async fn start(candidate: &Candidate) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("db.sqlite");
        std::fs::copy(template(), &path).expect("the seeded database can be copied");
        if let Candidate::Altered(sql) = candidate {
            let connection = rusqlite::Connection::open(&path).expect("the copy can be opened");
            let altered = connection.execute(sql, []).expect("the alteration is SQL");
            assert!(altered > 0, "the alteration touches no row");
        }
        let store = Store::open(&path).expect("the copy is a database");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let monolith = listener.local_addr().expect("a bound address");
        let options = Options {
            clock: Clock::Fixed(NOW.parse().expect("a time")),
            drain: Duration::from_secs(1),
            ..Options::default()
        };
        let mut estate = Self {
            address: monolith,
            monolith,
            store: store.clone(),
            stop: Vec::new(),
            servers: Vec::new(),
            _directory: directory,
        };
        let stopped = estate.stopped();
        estate.serve(async move {
            server::run(listener, store, options, stopped).await.expect("the monolith serves");
        });
        if let Candidate::Service(regressions) = candidate {
            estate.put_in_front(regressions).await;
        }
        estate
    }

    async fn put_in_front(&mut self, regressions: &Regressions) {
        let (tracks, playlists) = services(self.monolith, regressions).await;
        self.address = playlists.address();
        let stopped = self.stopped();
        self.serve(async move {
            stopped.await;
            playlists.stop().await;
            tracks.stop().await;
        });
    }

    pub(crate) async fn stop(self) {
        for stop in self.stop {
            // A server that is gone already needs no telling.
            let _ = stop.send(());
        }
        for server in self.servers {
            server.await.expect("a server ends without a panic");
        }
    }

    /// The playlist endpoints for which the monolith's own handlers were asked, by its own counters.
    pub(crate) async fn answered_by_the_monolith(&self, endpoints: &[Endpoint]) -> Vec<String> {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_static("internal"));
        headers.insert(header::AUTHORIZATION, HeaderValue::from_static("Bearer svc-local"));
        let ask = ask(Method::GET, "/internal/v1/counters", headers, "");
        let answer = Client::new(self.monolith).ask(&ask).await;
        let response = told(answer);
        let counters: Value = serde_json::from_slice(response.body.kept()).expect("counters are JSON");
        let operations = counters["operations"].as_array().expect("counters are a list");
        let asked = operations.iter().filter_map(|operation| {
            let (method, path) = (operation["method"].as_str()?, operation["path"].as_str()?);
            let ours = |one: &&Endpoint| one.id.method() == method && one.id.template() == path;
            endpoints.iter().find(ours).map(|one| one.id.to_string())
        });
        asked.collect()
    }

    fn stopped(&mut self) -> impl Future<Output = ()> + Send + 'static {
        let (stop, stopped) = oneshot::channel();
        self.stop.push(stop);
        async move {
            let _ = stopped.await;
        }
    }

    fn serve(&mut self, server: impl Future<Output = ()> + Send + 'static) {
        self.servers.push(tokio::spawn(server));
    }
}

/// The Tracks VAS and the Playlists VAS, before a monolith.
pub(crate) async fn services(monolith: SocketAddr, regressions: &Regressions) -> (tracks::Tracks, Playlists) {
    let listen: SocketAddr = ([127, 0, 0, 1], 0).into();
    let deadline = Duration::from_secs(60);
    let foundation = FoundationConfig {
        authority: monolith.to_string(),
        service_token: "svc-local".to_owned(),
        limits: Limits { deadline, calls_max: 64, answer_bytes_max: 64 << 20 },
    };
    let drain = Duration::from_secs(1);
    let tracks = tracks::TracksConfig {
        listen,
        foundation: foundation.clone(),
        service_token: "svc-local".to_owned(),
        drain,
        regressions: regressions.clone(),
    };
    let tracks = tracks::Tracks::start(tracks).await.expect("the Tracks VAS starts");
    let playlists = PlaylistsConfig {
        listen,
        foundation,
        tracks: gateways::TracksConfig {
            url: format!("http://{}", tracks.address()),
            service_token: "svc-local".to_owned(),
            deadline,
            calls_max: 64,
        },
        service_token: "svc-local".to_owned(),
        dry_run_header: DRY_RUN,
        identity_keep: Duration::from_secs(30),
        cache_entries_max: 10_000,
        drain,
        regressions: regressions.clone(),
    };
    let playlists = Playlists::start(playlists).await.expect("the Playlists VAS starts");
    (tracks, playlists)
}

/// A request that belongs to no chapter.
pub(crate) fn ask(method: Method, target: &str, headers: HeaderMap, body: &str) -> Ask {
    Ask {
        endpoint: 0,
        persona: Persona::Anonymous,
        method,
        target: target.to_owned(),
        headers,
        body: Bytes::copy_from_slice(body.as_bytes()),
        playlist: None,
    }
}

/// The response; there has to be one.
pub(crate) fn told(answer: Observation) -> Response {
    let Outcome::Response(response) = answer.outcome else { panic!("nobody answers: {answer:?}") };
    response
}

/// Made once; every estate works on a copy.
fn template() -> PathBuf {
    static TEMPLATE: OnceLock<Arc<(TempDir, PathBuf)>> = OnceLock::new();
    let made = TEMPLATE.get_or_init(|| {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("small.sqlite");
        seed::generate(&path, Scale::Small, SEED, &mut |_| {}).expect("a database can be seeded");
        Arc::new((directory, path))
    });
    made.1.clone()
}
