//! The socket of a client that speaks HTTP/2, as the library sees it. It notes who keeps whom waiting.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::rt::TokioIo;

use super::http2::Streams;
use super::stream::Stream;

pub(super) struct Http2Io {
    /// `None` once it was given back.
    socket: Option<TokioIo<Stream>>,
    /// Read before it was known to be HTTP/2.
    begun: Bytes,
    /// Bytes of the preface that are still to come.
    greeting: usize,
    streams: Streams,
}

/// Bytes of the preface (RFC 9113 §3.4).
const PREFACE: usize = 24;

impl Http2Io {
    pub(super) fn new(socket: Stream, begun: Vec<u8>, streams: Streams) -> Self {
        Self { socket: Some(TokioIo::new(socket)), begun: begun.into(), greeting: PREFACE, streams }
    }

    fn socket(&mut self) -> Pin<&mut TokioIo<Stream>> {
        Pin::new(self.socket.as_mut().expect("the socket is given back only when this is dropped"))
    }

    fn was_read(&mut self, bytes: usize) {
        if self.greeting > 0 {
            self.greeting = self.greeting.saturating_sub(bytes);
            if self.greeting == 0 {
                self.streams.has_greeted();
            }
        }
    }
}

impl Read for Http2Io {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let room = buf.remaining();
        if self.begun.has_remaining() {
            let some = room.min(self.begun.len());
            let some = self.begun.split_to(some);
            buf.put_slice(&some);
            self.was_read(some.len());
            return Poll::Ready(Ok(()));
        }
        if self.greeting == 0 {
            return self.socket().poll_read(cx, buf);
        }
        // Only until the preface is whole, of which there are a few bytes left.
        let mut few = [0; PREFACE];
        let mut read = tokio::io::ReadBuf::new(&mut few[..room.min(PREFACE)]);
        ready!(tokio::io::AsyncRead::poll_read(
            Pin::new(self.socket().get_mut().inner_mut()),
            cx,
            &mut read
        ))?;
        buf.put_slice(read.filled());
        self.was_read(read.filled().len());
        Poll::Ready(Ok(()))
    }
}

impl Write for Http2Io {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = self.socket().poll_write(cx, buf);
        self.streams.wrote(written.is_pending());
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = self.socket().poll_write_vectored(cx, bufs);
        self.streams.wrote(written.is_pending());
        written
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = self.socket().poll_flush(cx);
        // TLS takes what the client does not take yet.
        self.streams.wrote(flushed.is_pending());
        flushed
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Whoever takes the socket back closes it, since there may be something to read first.
        Poll::Ready(Ok(()))
    }
}

impl Drop for Http2Io {
    fn drop(&mut self) {
        if let Some(socket) = self.socket.take() {
            self.streams.put_socket(socket.into_inner());
        }
    }
}
