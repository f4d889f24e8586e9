//! The server: the engines side by side on one listener, until told to stop.

use std::{future::Future, io, time::Duration};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
    time::timeout,
};

use crate::{
    app::App, counters::Counters, domain::Clock, internal, mobile, playlist_authorization, public,
    store::Store, web,
};

#[derive(Debug, Clone)]
pub struct Options {
    pub clock: Clock,
    /// What services show to `/internal` and `/playlist_authorization`.
    pub service_token: String,
    /// How long requests under way may take once the server is told to stop.
    pub drain: Duration,
}

/// How a server ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drained {
    /// Connections that were still busy at the deadline and were cut.
    pub cut: usize,
}

/// Time for a request's head to arrive.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

impl Default for Options {
    fn default() -> Self {
        Self { clock: Clock::System, service_token: "svc-local".to_owned(), drain: Duration::from_secs(10) }
    }
}

/// Serves until `shutdown` completes, then drains: takes no more connections, closes idle ones, finishes the requests
/// under way, and cuts what is left at the deadline.
///
/// # Errors
/// If the listener fails for good.
pub async fn run(
    listener: TcpListener,
    store: Store,
    options: Options,
    shutdown: impl Future<Output = ()>,
) -> io::Result<Drained> {
    let (start_draining, draining) = watch::channel(false);
    let Options { clock, service_token, drain } = options;
    let app = App { store, clock, counters: Counters::default(), service_token, draining: draining.clone() };
    let service = engines(app);
    let mut connections = JoinSet::new();
    tokio::pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            accepted = listener.accept() => {
                let (socket, _) = match accepted {
                    Ok(accepted) => accepted,
                    // The client went away, or we are out of descriptors: neither is the listener's end.
                    Err(error) if is_passing(&error) => {
                        tracing::warn!(%error, "a connection could not be accepted");
                        tokio::time::sleep(Duration::from_millis(50)).await;
                        continue;
                    }
                    Err(error) => return Err(error),
                };
                connections.spawn(serve(socket, service.clone(), draining.clone()));
            }
            Some(_) = connections.join_next() => {}
        }
    }
    drop(listener);
    start_draining.send_replace(true);
    let drained = timeout(drain, async { while connections.join_next().await.is_some() {} });
    let cut = if drained.await.is_ok() { 0 } else { connections.len() };
    connections.shutdown().await;
    Ok(Drained { cut })
}

/// Where each engine is mounted. A dialect adds its line here.
fn engines(app: App) -> Router {
    let public = app.counters.count("public", public::router(&app));
    let mobile = app.counters.count("mobile", mobile::router(&app));
    let web = app.counters.count("web", web::router(&app));
    let internal = app.counters.count("internal", internal::router(&app));
    let authorization = app.counters.count("playlist_authorization", playlist_authorization::router(&app));
    Router::new()
        .merge(public)
        .nest("/mobile", mobile)
        .nest("/web", web)
        .nest("/internal/v1", internal)
        .nest("/playlist_authorization/v1", authorization)
        .with_state(app)
}

async fn serve(socket: TcpStream, service: Router, draining: watch::Receiver<bool>) {
    if let Err(error) = socket.set_nodelay(true) {
        tracing::debug!(%error, "a connection keeps Nagle's algorithm");
    }
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(socket), TowerToHyperService::new(service));
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = &mut connection => ended,
        () = internal::drained(draining) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

fn is_passing(error: &io::Error) -> bool {
    const EMFILE: i32 = 24;
    const ENFILE: i32 = 23;
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted
    ) || matches!(error.raw_os_error(), Some(EMFILE | ENFILE))
}
