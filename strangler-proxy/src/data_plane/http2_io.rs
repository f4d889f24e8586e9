//! The socket of a client that speaks HTTP/2, as the library sees it. It notes who keeps whom waiting, and which frames pass.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::http2::Streams;
use super::http2_frames::Walk;
use super::stream::Stream;

pub(super) struct Http2Io {
    /// `None` once it was given back.
    socket: Option<Stream>,
    /// Read before it was known to be HTTP/2.
    begun: Bytes,
    /// Bytes of the preface that are still to come.
    greeting: usize,
    from_client: Walk,
    to_client: Walk,
    streams: Streams,
}

/// Bytes of the preface (RFC 9113 §3.4).
const PREFACE: usize = 24;

impl Http2Io {
    pub(super) fn new(socket: Stream, begun: Vec<u8>, streams: Streams) -> Self {
        Self {
            socket: Some(socket),
            begun: begun.into(),
            greeting: PREFACE,
            from_client: Walk::after(PREFACE),
            to_client: Walk::default(),
            streams,
        }
    }

    fn socket(&mut self) -> Pin<&mut Stream> {
        Pin::new(self.socket.as_mut().expect("the socket is given back only when this is dropped"))
    }

    fn was_read(&mut self, bytes: &[u8]) {
        if self.greeting > 0 {
            self.greeting = self.greeting.saturating_sub(bytes.len());
            if self.greeting == 0 {
                self.streams.has_greeted();
            }
        }
        let streams = &self.streams;
        self.from_client.pass(bytes, |frame| streams.frame_came(frame));
    }

    fn was_written<'a>(&mut self, written: &Poll<io::Result<usize>>, pieces: impl Iterator<Item = &'a [u8]>) {
        self.streams.wrote(written.is_pending());
        let Poll::Ready(Ok(mut left)) = *written else { return };
        let streams = &self.streams;
        for piece in pieces {
            let some = left.min(piece.len());
            self.to_client.pass(&piece[..some], |frame| streams.frame_went(frame));
            left -= some;
        }
    }
}

impl AsyncRead for Http2Io {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.begun.has_remaining() {
            let some = buf.remaining().min(self.begun.len());
            let some = self.begun.split_to(some);
            buf.put_slice(&some);
            self.was_read(&some);
            return Poll::Ready(Ok(()));
        }
        let before = buf.filled().len();
        ready!(self.socket().poll_read(cx, buf))?;
        self.was_read(&buf.filled()[before..]);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Http2Io {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = self.socket().poll_write(cx, buf);
        self.was_written(&written, std::iter::once(buf));
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = self.socket().poll_write_vectored(cx, bufs);
        self.was_written(&written, bufs.iter().map(|buf| &**buf));
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
            self.streams.put_socket(socket, self.to_client.is_between());
        }
    }
}
