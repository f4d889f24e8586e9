//! A connection to an upstream, plain or over TLS. A closed set, so that nothing on a request's way is boxed but the
//! state of TLS.

use std::cell::Cell;
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

pub struct Stream {
    kind: Kind,
    look: Rc<Cell<bool>>,
}

enum Kind {
    Tcp(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// Asks a stream to look whether the other end has closed, before anything is written to it.
///
/// The runtime knows of a close when it has next asked the kernel, which a busy thread does seldom. The look asks
/// the kernel itself, and the next read tells.
pub(in crate::data_plane) struct Look(Rc<Cell<bool>>);

impl Stream {
    pub(super) fn tcp(stream: TcpStream) -> Self {
        Self { kind: Kind::Tcp(stream), look: Rc::default() }
    }

    pub(super) fn tls(stream: TlsStream<TcpStream>) -> Self {
        Self { kind: Kind::Tls(Box::new(stream)), look: Rc::default() }
    }

    pub(in crate::data_plane) fn look(&self) -> Look {
        Look(Rc::clone(&self.look))
    }

    /// Whether HTTP/2 was agreed on (ALPN).
    pub(super) fn is_http2(&self) -> bool {
        match &self.kind {
            Kind::Tcp(_) => false,
            Kind::Tls(stream) => stream.get_ref().1.alpn_protocol() == Some(b"h2"),
        }
    }

    fn socket(&self) -> &TcpStream {
        match &self.kind {
            Kind::Tcp(stream) => stream,
            Kind::Tls(stream) => stream.get_ref().0,
        }
    }

    /// What the kernel says of an unused connection, of which nothing is expected.
    fn closed(&self) -> Poll<io::Result<()>> {
        match SockRef::from(self.socket()).peek(&mut [MaybeUninit::uninit()]) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Poll::Pending,
            Ok(0) => Poll::Ready(Ok(())),
            // A last word to nobody, such as a 408 or the alert with which TLS ends.
            Ok(_) => Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
            Err(error) => Poll::Ready(Err(error)),
        }
    }
}

impl Look {
    pub(in crate::data_plane) fn before_writing(&self) {
        self.0.set(true);
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let read = match &mut this.kind {
            Kind::Tcp(stream) => Pin::new(stream).poll_read(cx, buf),
            Kind::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
        };
        if this.look.replace(false) && read.is_pending() { this.closed() } else { read }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().kind {
            Kind::Tcp(stream) => Pin::new(stream).poll_write(cx, buf),
            Kind::Tls(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().kind {
            Kind::Tcp(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
            Kind::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().kind {
            // A socket has no buffer of its own to flush.
            Kind::Tcp(_) => Poll::Ready(Ok(())),
            Kind::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().kind {
            Kind::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            Kind::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a read says, without giving the runtime a turn in which it would hear of a close by itself.
    async fn read(stream: &mut Stream) -> Poll<io::Result<usize>> {
        std::future::poll_fn(|cx| {
            let mut bytes = [0; 8];
            let mut buffer = ReadBuf::new(&mut bytes);
            let read = Pin::new(&mut *stream).poll_read(cx, &mut buffer);
            Poll::Ready(read.map_ok(|()| buffer.filled().len()))
        })
        .await
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_look_finds_a_close_that_the_runtime_has_not_heard_of() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let near = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (far, _) = listener.accept().unwrap();
        let mut near = Stream::tcp(near);
        let look = near.look();
        look.before_writing();
        assert!(read(&mut near).await.is_pending(), "it is open");
        drop(far);
        assert!(read(&mut near).await.is_pending(), "the runtime knows of it, and the test shows nothing");
        look.before_writing();
        assert!(matches!(read(&mut near).await, Poll::Ready(Ok(0))));
    }
}
