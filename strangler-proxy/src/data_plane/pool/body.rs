//! The body of a response, which brings its connection back to the pool when it has ended.

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::client::conn::http1::Parts;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::link::Link;
use super::slots::Slot;
use super::{BodyError, Inner};

/// Dropped before its end, it closes the connection: there is no other way to stop an HTTP/1.1 response.
pub struct UpstreamBody<B: Body + 'static> {
    incoming: Incoming,
    lent: Option<Lent<B>>,
}

/// What goes back to the pool.
struct Lent<B: Body + 'static> {
    link: Box<Link<B>>,
    _slot: Slot,
    pool: Rc<Inner<B>>,
}

impl<B> UpstreamBody<B>
where
    B: Body<Data = Bytes> + 'static,
    B::Error: Into<BodyError>,
{
    pub(super) fn new(incoming: Incoming, link: Box<Link<B>>, slot: Slot, pool: Rc<Inner<B>>) -> Self {
        let mut lent = Lent { link, _slot: slot, pool };
        if incoming.is_end_stream() && lent.link.is_alive() {
            lent.give_back();
            return Self { incoming, lent: None };
        }
        Self { incoming, lent: Some(lent) }
    }

    /// The bare connection, after a response of 101.
    pub fn into_connection(self) -> Option<Parts<TokioIo<TcpStream>>> {
        self.lent.and_then(|lent| lent.link.into_parts())
    }

    fn end(&mut self, cx: &mut Context<'_>) {
        let Some(mut lent) = self.lent.take() else { return };
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
        self.pool.keep(self.link);
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
        let frame = match &mut this.lent {
            Some(lent) => {
                let incoming = &mut this.incoming;
                ready!(lent.link.drive(cx, |cx| Pin::new(&mut *incoming).poll_frame(cx)))
            }
            None => ready!(Pin::new(&mut this.incoming).poll_frame(cx)),
        };
        match &frame {
            Some(Ok(_)) if !this.incoming.is_end_stream() => {}
            Some(Ok(_)) | None => this.end(cx),
            Some(Err(_)) => this.lent = None,
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
