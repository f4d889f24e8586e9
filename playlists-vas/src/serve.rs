//! A listener and its connections, until told to stop; then what is under way is finished, for a while.

use std::{io, net::SocketAddr, time::Duration};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::{JoinHandle, JoinSet},
    time::timeout,
};

/// Time for a request's head to arrive, which a kept connection spends idle, too: longer than clients keep them.
const HEAD_TIMEOUT: Duration = Duration::from_secs(60);
/// More connections than this wait to be accepted.
const CONNECTIONS_MAX: usize = 4096;

/// A server that runs. Dropping the handle stops it without draining.
#[derive(Debug)]
pub struct Handle {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    server: JoinHandle<Drained>,
}

/// How a server ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drained {
    /// Connections that were still busy at the deadline and were cut.
    pub cut: usize,
}

impl Handle {
    /// Listens and serves in the background of the current runtime. Port 0 takes a free one.
    ///
    /// # Errors
    /// The address cannot be listened on.
    pub async fn start(listen: SocketAddr, drain: Duration, service: Router) -> io::Result<Self> {
        let listener = TcpListener::bind(listen).await?;
        let address = listener.local_addr()?;
        let (stop, stopping) = watch::channel(false);
        let server = tokio::spawn(run(listener, service, drain, stopping));
        Ok(Self { address, stop, server })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no more connections, closes idle ones, finishes the requests under way, and cuts what is left at the
    /// deadline.
    pub async fn stop(self) -> Drained {
        self.stop.send_replace(true);
        // A panic of the server's own task would be a bug; there is nothing left to cut then.
        self.server.await.unwrap_or(Drained { cut: 0 })
    }

    /// Ends at once: what is under way is cut. For tests of a service that dies.
    pub fn kill(self) {
        self.server.abort();
    }
}

async fn run(
    listener: TcpListener,
    service: Router,
    drain: Duration,
    mut stopping: watch::Receiver<bool>,
) -> Drained {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = stopped(&mut stopping) => break,
            accepted = listener.accept(), if connections.len() < CONNECTIONS_MAX => match accepted {
                Ok((socket, _)) => {
                    connections.spawn(serve(socket, service.clone(), stopping.clone()));
                }
                // The client went away, or we are out of descriptors: neither is the listener's end.
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
    drop(listener);
    let drained = timeout(drain, async { while connections.join_next().await.is_some() {} }).await;
    let cut = if drained.is_ok() { 0 } else { connections.len() };
    connections.shutdown().await;
    Drained { cut }
}

/// Told to stop, or nobody is left to tell.
async fn stopped(stopping: &mut watch::Receiver<bool>) {
    let _ = stopping.wait_for(|stop| *stop).await;
}

async fn serve(socket: TcpStream, service: Router, mut stopping: watch::Receiver<bool>) {
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
        () = stopped(&mut stopping) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}
