//! A connection that has become something else: bytes in both directions, until one side ends or nothing moves.

use std::cell::Cell;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use hyper::client::conn::http1::Parts;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::time::{Instant, sleep_until};

use super::client_io::ClientIo;
use super::pool::LastWord;
use super::worker::Worker;

/// Begins when the client has its 101.
pub(super) fn open(worker: &Rc<Worker>, client: OnUpgrade, upstream: Parts<LastWord<TokioIo<TcpStream>>>) {
    let idle = worker.config.timeouts.tunnel;
    let in_flight = worker.tunnel_begins();
    tokio::task::spawn_local(async move {
        let _in_flight = in_flight;
        let Ok(upgraded) = client.await else { return };
        let Ok(parts) = upgraded.downcast::<ClientIo>() else { return };
        let Some(client) = parts.io.into_socket() else { return };
        // What ends a tunnel is for its two ends to make sense of.
        let _ =
            run((client, parts.read_buf), (upstream.io.into_inner().into_inner(), upstream.read_buf), idle)
                .await;
    });
}

/// Each end comes with what was read from it already.
async fn run(client: (TcpStream, Bytes), upstream: (TcpStream, Bytes), idle: Duration) -> io::Result<()> {
    let ((mut client, from_client), (mut upstream, from_upstream)) = (client, upstream);
    let moved = Cell::new(Instant::now());
    let (client_reads, client_writes) = client.split();
    let (upstream_reads, upstream_writes) = upstream.split();
    let both = async {
        tokio::try_join!(
            copy(from_client, client_reads, upstream_writes, &moved),
            copy(from_upstream, upstream_reads, client_writes, &moved),
        )
        .map(|_| ())
    };
    let silence = async {
        while moved.get().elapsed() < idle {
            sleep_until(moved.get() + idle).await;
        }
    };
    tokio::select! {
        ended = both => ended,
        () = silence => Ok(()),
    }
}

async fn copy(
    first: Bytes,
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    moved: &Cell<Instant>,
) -> io::Result<()> {
    to.write_all(&first).await?;
    let mut buffer = vec![0; 16 << 10];
    loop {
        let read = from.read(&mut buffer).await?;
        moved.set(Instant::now());
        if read == 0 {
            // The other direction may go on.
            return to.shutdown().await;
        }
        to.write_all(&buffer[..read]).await?;
        moved.set(Instant::now());
    }
}
