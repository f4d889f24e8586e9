//! The bare socket of a client connection: TCP or Unix. A closed set, so that nothing on a request's way is boxed.

use std::io;
use std::mem::MaybeUninit;
use std::task::{Context, Poll, ready};

use socket2::SockRef;
use tokio::io::{Interest, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

use super::one_of::one_of;

#[derive(Debug)]
pub(super) enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// The same, known to no runtime yet: it can go to another thread.
#[derive(Debug)]
pub(super) enum IdleSocket {
    Tcp(std::net::TcpStream),
    Unix(std::os::unix::net::UnixStream),
}

impl IdleSocket {
    pub(super) fn into_socket(self) -> io::Result<Socket> {
        match self {
            Self::Tcp(socket) => TcpStream::from_std(socket).map(Socket::tcp),
            Self::Unix(socket) => UnixStream::from_std(socket).map(Socket::Unix),
        }
    }
}

impl Socket {
    pub(super) fn tcp(socket: TcpStream) -> Self {
        // Without it the last segment of a response waits for an acknowledgement of the one before.
        let _ = socket.set_nodelay(true);
        Self::Tcp(socket)
    }

    /// Whether the kernel has said that there is something to read, if only a failure.
    pub(super) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<()> {
        match self {
            Self::Tcp(socket) => socket.poll_read_ready(cx),
            Self::Unix(socket) => socket.poll_read_ready(cx),
        }
        .map(|_| ())
    }

    /// Whether the other end has closed its half. Asks the kernel only when it has said that there is something.
    ///
    /// # Errors
    /// When the connection is known to be gone.
    pub(super) fn poll_closed(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let peeked = match self {
            Self::Tcp(socket) => ready!(socket.poll_peek(cx, &mut ReadBuf::new(&mut [0]))),
            Self::Unix(socket) => loop {
                ready!(socket.poll_read_ready(cx))?;
                let peek = || SockRef::from(socket).peek(&mut [MaybeUninit::uninit()]);
                match socket.try_io(Interest::READABLE, peek) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    peeked => break peeked,
                }
            },
        };
        if peeked? > 0 {
            return Poll::Pending;
        }
        if let Self::Unix(socket) = self {
            // Here, other than with TCP, one that has closed its half can be told from one that has closed: to the
            // second nothing can be sent, not even nothing.
            SockRef::from(socket).send(&[])?;
        }
        Poll::Ready(Ok(()))
    }

    /// What is there to be read, without waiting for it.
    pub(super) fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(socket) => socket.try_read(buffer),
            Self::Unix(socket) => socket.try_read(buffer),
        }
    }

    /// Throws away what the other end does not take.
    pub(super) fn reset(self) {
        if let Self::Tcp(socket) = &self {
            let _ = socket.set_zero_linger();
        }
    }
}

one_of!(Socket { Tcp, Unix });
