//! One side: a monolith over a database of its own, alone or behind the service.

use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, OnceLock},
    time::Duration,
};

use mothership::{
    domain::Clock,
    seed::{self, Scale},
    server::{self, Options},
    store::Store,
};
use tempfile::TempDir;
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

/// Who answers on the candidate's side.
#[derive(Clone, Debug)]
pub(crate) enum Candidate {
    /// A second monolith: nothing may differ.
    Monolith,
    /// A second monolith whose database was altered by this SQL: a known difference.
    Altered(&'static str),
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
        estate
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

    /// Waits until whoever follows the monolith's events has handled them all.
    #[allow(clippy::unused_async, reason = "a monolith alone has nothing to wait for")]
    pub(crate) async fn settled(&self) {}

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
