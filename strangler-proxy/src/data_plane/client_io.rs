//! The socket of a client, as the HTTP library sees it.
//!
//! It notes progress for the [`Watch`], keeps the raw bytes of a request head while it is read, writes interim
//! responses between two others, and holds back the bare errors that the library would send by itself, so that
//! every refusal has the same form.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::config::HalfClose;
use super::stream::Stream;
use super::watch::Watch;

pub(super) struct ClientIo {
    /// `None` once it was taken back.
    socket: Option<Stream>,
    /// Was read before, and comes first.
    begun: Bytes,
    watch: Arc<Watch>,
    interim: Vec<u8>,
    /// What becomes of a client that has closed its half.
    half_close: HalfClose,
    is_half_closed: bool,
}

impl ClientIo {
    pub(super) fn new(socket: Stream, begun: Bytes, watch: Arc<Watch>, half_close: HalfClose) -> Self {
        watch.is_flushed_here();
        Self { socket: Some(socket), begun, watch, interim: Vec::new(), half_close, is_half_closed: false }
    }

    /// The bare socket, for a tunnel.
    pub(super) fn into_socket(mut self) -> Option<Stream> {
        self.socket.take()
    }

    fn socket(&mut self) -> &mut Stream {
        self.socket.as_mut().expect("the socket is taken only when this is given up")
    }

    /// While a request is answered nothing is read, so that a client that leaves has to be looked for. One that has
    /// only closed its half cannot be told from one that has closed: what it is taken for is a setting.
    fn look_for_the_end(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.is_half_closed || !self.watch.is_waited_with() {
            return Poll::Ready(Ok(()));
        }
        match self.socket().poll_closed(cx) {
            Poll::Ready(Ok(())) if self.half_close == HalfClose::Answer => {
                self.is_half_closed = true;
                Poll::Ready(Ok(()))
            }
            Poll::Ready(Ok(())) => Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into())),
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => Poll::Ready(Ok(())),
        }
    }

    fn poll_interim(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.watch.has_interim() {
            self.interim.append(&mut self.watch.take_interim());
        }
        while !self.interim.is_empty() {
            let socket = self.socket.as_mut().expect("the socket is taken only when this is given up");
            let written = ready!(Pin::new(socket).poll_write(cx, &self.interim))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.interim.drain(..written);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for ClientIo {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if !this.begun.is_empty() {
            let begun = this.begun.split_to(buf.remaining().min(this.begun.len()));
            this.watch.was_read(&begun);
            buf.put_slice(&begun);
            return Poll::Ready(Ok(()));
        }
        let before = buf.filled().len();
        ready!(Pin::new(this.socket()).poll_read(cx, buf))?;
        let read = &buf.filled()[before..];
        if !read.is_empty() {
            this.watch.was_read(read);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for ClientIo {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.as_mut().poll_write_vectored(cx, &[IoSlice::new(buf)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if !self.watch.is_in_request() {
            // No request is in progress and nothing of the last response is left: this is the library's own word
            // on a head that it could not read.
            let status = bufs.first().and_then(|buf| status_of(buf)).unwrap_or(400);
            self.watch.refuse(status);
            return Poll::Ready(Ok(bufs.iter().map(|buf| buf.len()).sum()));
        }
        if self.watch.has_interim() || !self.interim.is_empty() {
            ready!(self.poll_interim(cx))?;
        }
        let this = &mut *self;
        let socket = this.socket.as_mut().expect("the socket is taken only when this is given up");
        let write = |bufs: &[IoSlice<'_>]| Pin::new(socket).poll_write_vectored(cx, bufs);
        let written = ready!(this.watch.poll_write(bufs, write))?;
        this.watch.was_written();
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.watch.has_interim() || !self.interim.is_empty() {
            ready!(self.poll_interim(cx))?;
        }
        // Of TLS something may be left.
        ready!(Pin::new(self.socket()).poll_flush(cx))?;
        self.watch.was_flushed();
        self.look_for_the_end(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Whoever takes the socket back closes it, since there may be something to say or to read first.
        Poll::Ready(Ok(()))
    }
}

impl Drop for ClientIo {
    fn drop(&mut self) {
        if let Some(socket) = self.socket.take() {
            self.watch.put_socket(socket);
        }
    }
}

/// The status of a response head that was written by the library.
fn status_of(head: &[u8]) -> Option<u16> {
    std::str::from_utf8(head.get(9..12)?).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_of_a_bare_error_is_read() {
        assert_eq!(status_of(b"HTTP/1.1 431 Request Header Fields Too Large\r\n"), Some(431));
        assert_eq!(status_of(b"HTTP/1.1 4"), None);
        assert_eq!(status_of(b"garbage that is not a head"), None);
    }
}
