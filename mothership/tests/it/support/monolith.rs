//! A running monolith over a database of its own.

use std::{io, net::SocketAddr};

use http::Method;
use mothership::{
    domain::Clock,
    server::{self, Drained, Options},
};
use serde_json::Value;
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

use super::{Answer, Database, Request, now};

pub(crate) struct Monolith {
    pub(crate) address: SocketAddr,
    pub(crate) database: Database,
    stop: oneshot::Sender<()>,
    server: JoinHandle<io::Result<Drained>>,
}

impl Monolith {
    pub(crate) async fn start() -> Self {
        let database = Database::fresh();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let options = Options { clock: Clock::Fixed(now()), ..Options::default() };
        let store = database.store();
        let server = tokio::spawn(async move {
            let shutdown = async {
                let _ = stopped.await;
            };
            server::run(listener, store, options, shutdown).await
        });
        Self { address, database, stop, server }
    }

    /// A call of the internal API (or of the authorization engine) with the service token.
    pub(crate) async fn internal(&self, path: &str, body: &Value) -> Answer {
        self.service(Method::POST, path).body(body.to_string()).send(self.address).await
    }

    pub(crate) fn service(&self, method: Method, path: &str) -> Request {
        Request::new(method, path).header("authorization", "Bearer svc-local")
    }

    pub(crate) async fn stop(self) -> Drained {
        self.stop.send(()).unwrap();
        self.server.await.unwrap().unwrap()
    }
}
