//! The socket of an upstream, which is listened to even when it takes nothing more.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::rt::{Read, ReadBufCursor, Write};

/// An upstream that wants no more of a request answers and closes. What is written to it then fails, and a library that
/// takes that for the end loses the answer, which is there to be read (RFC 9112 §9.5, §9.6). So a write that fails
/// because the other end has closed waits, and reading goes on: it ends in the answer, or in the failure.
pub struct LastWord<S> {
    socket: S,
    /// The other end takes nothing any more.
    is_deaf: bool,
}

impl<S> LastWord<S> {
    pub(super) fn new(socket: S) -> Self {
        Self { socket, is_deaf: false }
    }

    pub fn into_inner(self) -> S {
        self.socket
    }

    fn unless_deaf(&mut self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
        match written {
            Poll::Ready(Err(error))
                if matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset) =>
            {
                self.is_deaf = true;
                Poll::Pending
            }
            written => written,
        }
    }
}

impl<S: Read + Unpin> Read for LastWord<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_read(cx, buf)
    }
}

impl<S: Write + Unpin> Write for LastWord<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if self.is_deaf {
            return Poll::Pending;
        }
        let written = Pin::new(&mut self.socket).poll_write(cx, buf);
        self.unless_deaf(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.is_deaf {
            return Poll::Pending;
        }
        let written = Pin::new(&mut self.socket).poll_write_vectored(cx, bufs);
        self.unless_deaf(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.is_deaf {
            return Poll::Pending;
        }
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use hyper_util::rt::TokioIo;
    use tokio::io::AsyncReadExt;

    use super::*;

    /// The other end says its word and closes with something unread, which resets the connection.
    #[tokio::test]
    async fn what_was_said_before_a_reset_is_read() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let near = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut far, _) = listener.accept().unwrap();
        near.set_nonblocking(true).unwrap();
        let near = tokio::net::TcpStream::from_std(near).unwrap();
        let mut near = LastWord::new(TokioIo::new(near));
        let mut write = async |bytes: &[u8]| {
            std::future::poll_fn(|cx| Poll::Ready(Pin::new(&mut near).poll_write(cx, bytes))).await
        };
        // Until its other end has closed, it takes what is written.
        while write(b"unread").await.is_pending() {
            tokio::task::yield_now().await;
        }
        std::io::Read::read_exact(&mut far, &mut [0]).unwrap();
        std::io::Write::write_all(&mut far, b"no more").unwrap();
        drop(far);
        while let Poll::Ready(written) = write(b"more").await {
            written.unwrap();
            tokio::task::yield_now().await;
        }
        let mut heard = [0; 7];
        near.into_inner().into_inner().read_exact(&mut heard).await.unwrap();
        assert_eq!(&heard, b"no more");
    }
}
