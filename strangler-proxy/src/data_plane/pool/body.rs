//! The body of a response, which brings its connection back to the pool when it has ended.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::client::conn::http1::Parts;
use hyper_util::rt::TokioIo;
use tokio::sync::oneshot;

use super::lane::Held;
use super::link::Link;
use super::shared::SharedStream;
use super::slots::Slot;
use super::{BodyError, LastWord, Line};
use crate::data_plane::names::Names;
use crate::data_plane::upstream::Stream;

/// Dropped before its end, it resets its stream of HTTP/2, or closes the connection: there is no other way to stop an
/// HTTP/1.1 response.
pub struct UpstreamBody<B: Body + 'static> {
    incoming: Incoming,
    connection: Connection<B>,
    names: Names,
}

/// Who works on the connection.
enum Connection<B: Body + 'static> {
    /// Whoever reads the body.
    Here(Lent<B>),
    /// A task of its own, which works for all that share it.
    Shared { _stream: SharedStream<B>, _held: Held<B>, _slot: Slot },
    /// A task of its own, which hears here that the body has ended; dropped, that nobody wants the rest.
    Apart(oneshot::Sender<()>),
    /// Nobody: it is in the pool again, or closed.
    Gone,
}

/// What goes back to the pool.
struct Lent<B: Body + 'static> {
    link: Box<Link<B>>,
    held: Held<B>,
    _slot: Slot,
}

impl<B> UpstreamBody<B>
where
    B: Body<Data = Bytes> + 'static,
    B::Error: Into<BodyError>,
{
    pub(super) fn new(incoming: Incoming, line: Line<B>, held: Held<B>, slot: Slot) -> Self {
        let link = match line {
            Line::Own(link) => link,
            Line::Shared(_) if incoming.is_end_stream() => {
                return Self { incoming, connection: Connection::Gone, names: Names::default() };
            }
            Line::Shared(stream) => {
                let connection = Connection::Shared { _stream: stream, _held: held, _slot: slot };
                return Self { incoming, connection, names: Names::default() };
            }
        };
        let names = link.names();
        let mut lent = Lent { link, held, _slot: slot };
        if incoming.is_end_stream() && lent.link.is_alive() {
            lent.give_back();
            return Self { incoming, connection: Connection::Gone, names };
        }
        Self { incoming, connection: Connection::Here(lent), names }
    }

    /// How the names of the head were written, if that was asked for and the connection has them in any case.
    pub fn take_names(&mut self) -> Names {
        std::mem::take(&mut self.names)
    }

    /// The bare connection, after a response of 101.
    pub fn into_connection(self) -> Option<Parts<LastWord<TokioIo<Stream>>>> {
        match self.connection {
            Connection::Here(lent) => lent.link.into_parts(),
            Connection::Shared { .. } | Connection::Apart(_) | Connection::Gone => None,
        }
    }

    /// Has the connection driven by a task of its own from here on. For a request that is still being sent: whoever
    /// reads the response may stop for as long as it likes, and must not stop the upload with it.
    pub fn drive_apart(&mut self) {
        if self.incoming.is_end_stream() {
            return;
        }
        if !matches!(self.connection, Connection::Here(_)) {
            return;
        }
        if let Connection::Here(lent) = std::mem::replace(&mut self.connection, Connection::Gone) {
            let (apart, ended) = oneshot::channel();
            self.connection = Connection::Apart(apart);
            tokio::task::spawn_local(lent.work_until(ended));
        }
    }

    fn end(&mut self, cx: &mut Context<'_>) {
        let mut lent = match std::mem::replace(&mut self.connection, Connection::Gone) {
            Connection::Here(lent) => lent,
            Connection::Apart(apart) => {
                // Nobody listens when the connection has ended, too.
                let _ = apart.send(());
                return;
            }
            Connection::Shared { .. } | Connection::Gone => return,
        };
        if !lent.link.is_ready() {
            // One more turn, in which the connection finds that both directions are done.
            lent.link.turn(cx);
        }
        if lent.link.is_ready() {
            lent.give_back();
        }
    }
}

impl<B: Body + 'static> Lent<B> {
    fn give_back(self) {
        self.held.lane().keep(self.link);
    }
}

impl<B> Lent<B>
where
    B: Body<Data = Bytes> + 'static,
    B::Error: Into<BodyError>,
{
    async fn work_until(mut self, mut ended: oneshot::Receiver<()>) {
        let is_whole = std::future::poll_fn(|cx| {
            self.link.turn(cx);
            if self.link.is_over() {
                return Poll::Ready(false);
            }
            Pin::new(&mut ended).poll(cx).map(|told| told.is_ok())
        })
        .await;
        if is_whole && self.link.is_ready() {
            self.give_back();
        }
    }
}

impl<B> Body for UpstreamBody<B>
where
    B: Body<Data = Bytes> + 'static,
    B::Error: Into<BodyError>,
{
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let this = &mut *self;
        let frame = match &mut this.connection {
            Connection::Here(lent) => {
                let incoming = &mut this.incoming;
                ready!(lent.link.drive(cx, |cx| Pin::new(&mut *incoming).poll_frame(cx)))
            }
            Connection::Shared { .. } | Connection::Apart(_) | Connection::Gone => {
                ready!(Pin::new(&mut this.incoming).poll_frame(cx))
            }
        };
        match &frame {
            Some(Ok(_)) if !this.incoming.is_end_stream() => {}
            Some(Ok(_)) | None => this.end(cx),
            Some(Err(_)) => this.connection = Connection::Gone,
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}
