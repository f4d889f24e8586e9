//! A connection that has become something else: bytes in both directions, until one side ends or nothing moves.

use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::client::conn::http1::Parts;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf, copy_bidirectional_with_sizes};
use tokio::time::{Instant, sleep_until};

use super::client_io::ClientIo;
use super::pool::LastWord;
use super::room::Place;
use super::upstream::Stream;
use super::worker::Worker;

/// Begins when the client has its 101.
pub(super) fn open(
    worker: &Rc<Worker>,
    place: Place,
    client: OnUpgrade,
    upstream: Parts<LastWord<TokioIo<Stream>>>,
) {
    let idle = worker.config.timeouts.tunnel;
    let in_flight = (worker.tunnel_begins(), place);
    tokio::task::spawn_local(async move {
        let _in_flight = in_flight;
        let Ok(upgraded) = client.await else { return };
        let Ok(parts) = upgraded.downcast::<TokioIo<ClientIo>>() else { return };
        let Some(client) = parts.io.into_inner().into_socket() else { return };
        // What ends a tunnel is for its two ends to make sense of.
        let _ =
            run((client, parts.read_buf), (upstream.io.into_inner().into_inner(), upstream.read_buf), idle)
                .await;
    });
}

/// Each end comes with what was read from it already.
async fn run<C, U>(client: (C, Bytes), upstream: (U, Bytes), idle: Duration) -> io::Result<()>
where
    C: AsyncRead + AsyncWrite + Unpin,
    U: AsyncRead + AsyncWrite + Unpin,
{
    const BUFFER: usize = 16 << 10;
    let ((client, from_client), (upstream, from_upstream)) = (client, upstream);
    let moved = Cell::new(Instant::now());
    let mut client = Noted { stream: client, moved: &moved };
    let mut upstream = Noted { stream: upstream, moved: &moved };
    let both = async move {
        tokio::try_join!(upstream.write_all(&from_client), client.write_all(&from_upstream))?;
        // They are slices of buffers that may be large.
        drop((from_client, from_upstream));
        // When one direction ends, the other may go on.
        copy_bidirectional_with_sizes(&mut client, &mut upstream, BUFFER, BUFFER).await.map(|_| ())
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

/// Notes when something moved.
struct Noted<'a, S> {
    stream: S,
    moved: &'a Cell<Instant>,
}

impl<S> Noted<'_, S> {
    fn note<T>(&self, done: Poll<T>) -> Poll<T> {
        if done.is_ready() {
            self.moved.set(Instant::now());
        }
        done
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Noted<'_, S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        self.note(read)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Noted<'_, S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.note(written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
