//! Takes connections for the admin API: few, with limits, and closed in order.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use super::access::{AdminLimits, Peer};

const HEAD_DEADLINE: Duration = Duration::from_secs(10);
const HEAD_BYTES_MAX: usize = 64 << 10;
/// A failed accept (no file descriptors left) is not tried again at once.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Answers until `stop` turns true, then ends what is being answered and returns: after [`AdminLimits::end_max`] also where
/// a client does not take its answer.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: AdminLimits,
    mut stop: watch::Receiver<bool>,
) -> std::io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let places = Arc::new(Semaphore::new(limits.connections_max.clamp(1, Semaphore::MAX_PERMITS)));
    let mut connections = JoinSet::new();
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_DEADLINE).max_buf_size(HEAD_BYTES_MAX);
    loop {
        let place = Arc::clone(&places).acquire_owned();
        let accepted = tokio::select! {
            accepted = async { (place.await, listener.accept().await) } => accepted,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        let (Ok(place), Ok((stream, peer))) = accepted else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        // Those that have ended are forgotten.
        while connections.try_join_next().is_some() {}
        // Where a socket cannot have it, the limit of connections is what is left.
        let _ = socket2::SockRef::from(&stream).set_tcp_user_timeout(Some(limits.write_max));
        let service = TowerToHyperService::new(router.clone().layer(Extension(Peer(peer.ip()))));
        let connection = http.serve_connection(TokioIo::new(stream), service);
        let mut stop = stop.clone();
        connections.spawn(async move {
            let mut connection = std::pin::pin!(connection);
            // A connection that broke is its client's affair.
            let stopped = tokio::select! {
                _ = connection.as_mut() => false,
                stopped = async { stop.wait_for(|stop| *stop).await.is_ok() } => stopped,
            };
            if stopped {
                connection.as_mut().graceful_shutdown();
                let _ = connection.await;
            }
            drop(place);
        });
    }
    let all_ended = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(limits.end_max, all_ended).await.is_err() {
        tracing::warn!(
            connections = connections.len(),
            "clients of the admin API did not take their answers; they are cut"
        );
        connections.shutdown().await;
    }
    Ok(())
}
