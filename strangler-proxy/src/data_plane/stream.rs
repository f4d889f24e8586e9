//! A client connection as bytes that mean HTTP: a bare socket, or TLS over one. A closed set, so that nothing on a
//! request's way is boxed but the state of TLS.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::AsyncBufRead;
use tokio_rustls::server::TlsStream;

use super::one_of::one_of;
use super::socket::Socket;

#[derive(Debug)]
pub(super) enum Stream {
    Plain(Socket),
    Tls(Box<TlsStream<Socket>>),
}

impl Stream {
    /// Whether there is something to read, if only that the connection is gone.
    pub(super) fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match self {
            Self::Plain(socket) => socket.poll_readable(cx),
            // What is decrypted here stays where it is.
            Self::Tls(stream) => Pin::new(&mut **stream).poll_fill_buf(cx).map(|_| ()),
        }
    }

    /// Whether the other end has closed its half.
    ///
    /// # Errors
    /// When the connection is known to be gone; with TLS also when it ends without being closed.
    pub(super) fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(socket) => socket.poll_closed(cx),
            // A peek at the socket would see the alert that closes TLS as something to be read. What is decrypted here
            // stays where it is.
            Self::Tls(stream) => match Pin::new(&mut **stream).poll_fill_buf(cx) {
                Poll::Ready(Ok([])) => Poll::Ready(Ok(())),
                Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
                Poll::Ready(Ok(_)) | Poll::Pending => Poll::Pending,
            },
        }
    }

    /// Throws away what the other end does not take.
    pub(super) fn reset(self) {
        self.into_socket().reset();
    }

    /// What is under it, when nothing more is to be said.
    pub(super) fn into_socket(self) -> Socket {
        match self {
            Self::Plain(socket) => socket,
            Self::Tls(stream) => stream.into_inner().0,
        }
    }
}

one_of!(Stream { Plain, Tls });
