//! One side: a monolith over a database of its own, alone or behind the service.

use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, OnceLock},
    time::Duration,
};

use bytes::Bytes;
use diff_harness::exchange::{Observation, Outcome, Response};
use estate_traffic::{
    ask::Ask,
    endpoint::Endpoint,
    estate::{self, Monolith, Services, Setup},
    persona::Persona,
};
use http::{HeaderMap, Method};
use mothership::{
    seed::{self, Scale},
    store::Store,
};
use playlists_vas::regressions::Regressions;
use tempfile::TempDir;

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
    server: Monolith,
    services: Option<Services>,
    _directory: TempDir,
}

impl Candidate {
    /// The service as it is meant to be.
    pub(crate) fn healthy() -> Self {
        Self::Service(Regressions::default())
    }
}

const SEED: u64 = 7;

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
        let server = Monolith::start(&path).await.expect("the monolith starts");
        let monolith = server.address();
        let services = match candidate {
            Candidate::Service(regressions) => Some(services(monolith, regressions).await),
            Candidate::Monolith | Candidate::Altered(_) => None,
        };
        let address = services.as_ref().and_then(Services::playlists).unwrap_or(monolith);
        Self { address, monolith, store: server.store().clone(), server, services, _directory: directory }
    }

    pub(crate) async fn stop(self) {
        if let Some(services) = self.services {
            services.stop().await;
        }
        self.server.stop().await.expect("the monolith serves, and ends without a panic");
    }

    /// The playlist endpoints for which the monolith's own handlers were asked, by its own counters.
    pub(crate) async fn answered_by_the_monolith(&self, endpoints: &[Endpoint]) -> Vec<String> {
        let calls = estate::calls(self.monolith).await.expect("the monolith counts");
        let ours = endpoints.iter().map(|one| one.id.to_string());
        ours.filter(|id| calls.contains_key(id)).collect()
    }
}

/// The Tracks VAS and the Playlists VAS, before a monolith.
pub(crate) async fn services(monolith: SocketAddr, regressions: &Regressions) -> Services {
    let setup = Setup { monolith, regressions: regressions.clone(), identity_keep: Duration::from_secs(30) };
    Services::start(setup).await.expect("the services start")
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
