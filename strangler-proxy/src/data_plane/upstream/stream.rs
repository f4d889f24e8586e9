//! A connection to an upstream, plain or over TLS. A closed set, so that nothing on a request's way is boxed but the
//! state of TLS.

use std::cell::{Cell, RefCell};
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use crate::data_plane::names::{Names, Respelling, Spelling, behind_an_empty_line, empty_lines, end_of_head};

pub struct Stream {
    kind: Kind,
    ear: Rc<Ear>,
}

enum Kind {
    Tcp(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// What a stream is told by whoever sends requests on it, and tells them.
#[derive(Default)]
pub(in crate::data_plane) struct Ear {
    look: Cell<bool>,
    /// How many bytes may still be read before others have a turn, where that is bounded.
    turn: Cell<Option<usize>>,
    asking: RefCell<Respelling>,
    answer: RefCell<Hearing>,
}

/// How the names of a response are written.
#[derive(Default)]
struct Hearing {
    listens: bool,
    /// Of a head that is not whole yet.
    begun: Vec<u8>,
    names: Names,
    /// In bytes; one that was looked at twice counts twice.
    #[cfg(test)]
    looked_at: usize,
}

impl Stream {
    pub(in crate::data_plane) fn tcp(stream: TcpStream) -> Self {
        Self { kind: Kind::Tcp(stream), ear: Rc::default() }
    }

    pub(super) fn tls(stream: TlsStream<TcpStream>) -> Self {
        Self { kind: Kind::Tls(Box::new(stream)), ear: Rc::default() }
    }

    pub(in crate::data_plane) fn ear(&self) -> Rc<Ear> {
        Rc::clone(&self.ear)
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

impl Ear {
    /// Asks for a look whether the other end has closed, before anything is written to it.
    ///
    /// The runtime knows of a close when it has next asked the kernel, which a busy thread does seldom. The look asks
    /// the kernel itself, and the next read tells.
    pub(in crate::data_plane) fn look_before_writing(&self) {
        self.look.set(true);
    }

    /// From here on only so many bytes are read until this is called again; `None`: as many as there are.
    ///
    /// An upstream may send interim responses without end, and the library looks for the final one as long as there is
    /// anything to read.
    pub(in crate::data_plane) fn reads_at_most(&self, bytes: Option<usize>) {
        self.turn.set(bytes);
    }

    /// A request is about to be written, with its names as they came, and those of its response are listened for.
    pub(in crate::data_plane) fn asks(&self, spelling: &dyn Spelling) {
        self.asking.borrow_mut().expect(|names| spelling.names(names));
        let mut answer = self.answer.borrow_mut();
        answer.listens = true;
        answer.begun.clear();
        answer.names.clear();
    }

    /// The names of the response that came.
    pub(in crate::data_plane) fn heard(&self) -> Names {
        let mut answer = self.answer.borrow_mut();
        answer.listens = false;
        std::mem::take(&mut answer.names)
    }
}

impl Hearing {
    /// A longer head is passed on with its names in lower case.
    const BEGUN_MAX: usize = 64 << 10;

    fn hear(&mut self, bytes: &[u8]) {
        if self.begun.is_empty() {
            let heard = self.hear_all(bytes);
            self.begun.extend_from_slice(&bytes[heard..]);
        } else {
            // Its end may lie across both. What is not whole is not looked through again for every piece of it.
            let from = self.begun.len().saturating_sub(b"\n\r\n".len() - 1);
            self.begun.extend_from_slice(bytes);
            self.looks_at(self.begun.len() - from);
            if behind_an_empty_line(&self.begun[from..]).is_some() {
                let mut begun = std::mem::take(&mut self.begun);
                let heard = self.hear_all(&begun);
                begun.drain(..heard);
                self.begun = begun;
            }
        }
        if self.begun.len() > Self::BEGUN_MAX {
            self.listens = false;
        }
        if !self.listens {
            self.begun = Vec::new();
        }
    }

    /// How much of it need not be heard again.
    fn hear_all(&mut self, bytes: &[u8]) -> usize {
        let mut heard = 0;
        loop {
            // The library passes over empty lines before a head.
            heard += empty_lines(&bytes[heard..]);
            let head = &bytes[heard..];
            if is_interim(head) {
                // There may be any number of them, and nobody asks for their names.
                let end = end_of_head(head);
                self.looks_at(end.unwrap_or(head.len()));
                let Some(end) = end else { return heard };
                heard += end;
            } else {
                let end = self.names.read(head);
                self.looks_at(end.unwrap_or(head.len()));
                if end.is_none() {
                    return heard;
                }
                self.listens = false;
                return bytes.len();
            }
        }
    }

    /// Counts the work, where a test asks for it.
    #[cfg_attr(not(test), expect(clippy::unused_self, reason = "only a test counts"))]
    fn looks_at(&mut self, bytes: usize) {
        #[cfg(test)]
        {
            self.looked_at += bytes;
        }
        #[cfg(not(test))]
        let _ = bytes;
    }
}

/// Whether another head follows this one (RFC 9110 §15.2). After 101 there is none.
fn is_interim(head: &[u8]) -> bool {
    head.get(9..12).is_some_and(|status| status[0] == b'1' && status != b"101")
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.ear.turn.get() == Some(0) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let before = buf.filled().len();
        let read = match &mut this.kind {
            Kind::Tcp(stream) => Pin::new(stream).poll_read(cx, buf),
            Kind::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
        };
        if read.is_ready() {
            if let Some(left) = this.ear.turn.get() {
                this.ear.turn.set(Some(left.saturating_sub(buf.filled().len() - before)));
            }
            let mut answer = this.ear.answer.borrow_mut();
            if answer.listens {
                answer.hear(&buf.filled()[before..]);
            }
        }
        if this.ear.look.replace(false) && read.is_pending() { this.closed() } else { read }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(buf)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let Self { kind, ear } = self.get_mut();
        ear.asking.borrow_mut().poll_write(bufs, |bufs| match kind {
            Kind::Tcp(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
            Kind::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
        })
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

    #[test]
    fn the_names_of_a_response_are_heard_however_it_comes() {
        let final_head = b"HTTP/1.1 200 OK\r\nX-oDD: 1\r\nETag: x\r\n\r\n";
        let mut expected = Names::default();
        expected.read(final_head);
        let interim = b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n";
        let bare = b"\r\n\nHTTP/1.1 102 Processing\nA: b\n\n";
        let body = b"Not: a field\r\n\r\n";
        let all = [&interim[..], bare, interim, final_head, body].concat();
        for first in 0..all.len() {
            for second in first..all.len() {
                let mut hearing = Hearing { listens: true, ..Hearing::default() };
                for part in [&all[..first], &all[first..second], &all[second..]] {
                    if hearing.listens {
                        hearing.hear(part);
                    }
                }
                assert_eq!((&hearing.names, hearing.listens), (&expected, false), "{first}, {second}");
            }
        }
        let mut hearing = Hearing { listens: true, ..Hearing::default() };
        for _ in 0..65 {
            hearing.hear(&[b'x'; 1024]);
            assert!(hearing.begun.len() <= Hearing::BEGUN_MAX);
        }
        assert!(!hearing.listens, "a head without an end is listened to for ever");
        assert!(!is_interim(b"HTTP/1.1 101 Switching Protocols\r\n\r\n"));
    }

    /// What an upstream sends byte by byte costs as much as its bytes, and not as much as their square.
    #[test]
    fn a_head_in_small_pieces_is_not_looked_through_for_each_of_them() {
        let fields = "X-Field: a value that is longer than most\r\n".repeat(400);
        let whole = format!("HTTP/1.1 200 OK\r\n{fields}\r\n");
        let hints = "HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n".repeat(400);
        for all in [whole, hints, "\r\n".repeat(8000), "HTTP/1.1 103 Early Hints\r\n".repeat(400)] {
            for at_a_time in [1, 2, 7, all.len()] {
                let mut hearing = Hearing { listens: true, ..Hearing::default() };
                for piece in all.as_bytes().chunks(at_a_time) {
                    hearing.hear(piece);
                }
                let (looked_at, came) = (hearing.looked_at, all.len());
                assert!(looked_at <= 4 * came, "{looked_at} for {came}, {at_a_time} at a time");
            }
        }
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_look_finds_a_close_that_the_runtime_has_not_heard_of() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let near = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (far, _) = listener.accept().unwrap();
        let mut near = Stream::tcp(near);
        let ear = near.ear();
        ear.look_before_writing();
        assert!(read(&mut near).await.is_pending(), "it is open");
        drop(far);
        assert!(read(&mut near).await.is_pending(), "the runtime knows of it, and the test shows nothing");
        ear.look_before_writing();
        assert!(matches!(read(&mut near).await, Poll::Ready(Ok(0))));
    }
}
