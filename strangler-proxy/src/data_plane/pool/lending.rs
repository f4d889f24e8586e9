//! The body of a request that goes out over HTTP/2, until there is a response.
//!
//! The upstream may say that it has not processed the request (RFC 9113 §8.7). Then it can be had back, if all that was
//! taken of its body was kept.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;

/// Bytes that are kept of a body for the case that it comes back.
const KEPT_MAX: usize = 64 << 10;

/// A body of which what was taken can be put back.
pub trait TakeBack: Body<Data = Bytes> {
    /// Puts back all that was taken: it comes first again.
    fn take_back(&mut self, data: Bytes, trailers: Option<HeaderMap>);
}

/// The body as the library sees it.
pub(super) struct Lent<B>(Rc<RefCell<Inner<B>>>);

/// The right to have it back. Without it nothing is kept.
pub(super) struct Claim<B>(Rc<RefCell<Inner<B>>>);

struct Inner<B> {
    /// `None` once it was had back.
    body: Option<B>,
    /// `None` when it is not all there, or nobody asks for it.
    taken: Option<Taken>,
}

#[derive(Default)]
struct Taken {
    first: Bytes,
    /// All of it, as soon as there is more than one piece: many small ones hold far more memory than their bytes.
    all: BytesMut,
    trailers: Option<HeaderMap>,
}

pub(super) fn lend<B>(body: B) -> (Lent<B>, Claim<B>) {
    let inner = Rc::new(RefCell::new(Inner { body: Some(body), taken: Some(Taken::default()) }));
    (Lent(Rc::clone(&inner)), Claim(inner))
}

impl<B: TakeBack> Claim<B> {
    /// The body as it was before it was lent, if that can be had.
    pub(super) fn take(self) -> Option<B> {
        let mut inner = self.0.borrow_mut();
        let taken = inner.taken.take()?;
        let mut body = inner.body.take()?;
        let data = if taken.all.is_empty() { taken.first } else { taken.all.freeze() };
        body.take_back(data, taken.trailers);
        Some(body)
    }
}

impl<B> Drop for Claim<B> {
    fn drop(&mut self) {
        self.0.borrow_mut().taken = None;
    }
}

impl Taken {
    /// Whether it could be kept.
    fn keep<E>(&mut self, frame: &Result<Frame<Bytes>, E>) -> bool {
        let Ok(frame) = frame else { return false };
        let Some(data) = frame.data_ref() else {
            self.trailers = frame.trailers_ref().cloned();
            return self.trailers.is_some();
        };
        if self.first.len().max(self.all.len()) + data.len() > KEPT_MAX {
            return false;
        }
        if self.first.is_empty() {
            self.first = data.clone();
        } else {
            if self.all.is_empty() {
                self.all.extend_from_slice(&self.first);
            }
            self.all.extend_from_slice(data);
        }
        true
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for Lent<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let mut inner = self.0.borrow_mut();
        let Inner { body, taken } = &mut *inner;
        // The stream that it was for is reset.
        let Some(body) = body else { return Poll::Ready(None) };
        let frame = ready!(Pin::new(body).poll_frame(cx));
        if let (Some(frame), Some(kept)) = (&frame, &mut *taken)
            && !kept.keep(frame)
        {
            *taken = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.0.borrow().body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.0.borrow().body.as_ref().map_or_else(SizeHint::default, Body::size_hint)
    }
}

impl TakeBack for Full<Bytes> {
    fn take_back(&mut self, data: Bytes, _: Option<HeaderMap>) {
        if !data.is_empty() {
            *self = Self::new(data);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::convert::Infallible;

    use http_body_util::BodyExt;

    use super::*;

    struct Pieces(VecDeque<Frame<Bytes>>);

    impl Pieces {
        fn of(pieces: &[&'static str]) -> Self {
            Self(pieces.iter().map(|piece| Frame::data(Bytes::from_static(piece.as_bytes()))).collect())
        }
    }

    impl Body for Pieces {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            Poll::Ready(self.0.pop_front().map(Ok))
        }
    }

    impl TakeBack for Pieces {
        fn take_back(&mut self, data: Bytes, trailers: Option<HeaderMap>) {
            self.0.extend(trailers.map(Frame::trailers));
            self.0.push_front(Frame::data(data));
        }
    }

    #[tokio::test]
    async fn what_was_taken_comes_first_again() {
        for taken in 0..=3 {
            let (mut lent, claim) = lend(Pieces::of(&["a", "bc", "d"]));
            for _ in 0..taken {
                lent.frame().await.unwrap().unwrap();
            }
            let back = claim.take().unwrap();
            assert_eq!(back.collect().await.unwrap().to_bytes(), "abcd", "{taken}");
            assert!(lent.frame().await.is_none(), "nothing is taken of it any more");
        }
    }

    #[tokio::test]
    async fn trailers_come_back_too() {
        let trailers = HeaderMap::from_iter([(http::header::ETAG, "x".parse().unwrap())]);
        let mut body = Pieces::of(&["a"]);
        body.0.push_back(Frame::trailers(trailers.clone()));
        let (mut lent, claim) = lend(body);
        for _ in 0..2 {
            lent.frame().await.unwrap().unwrap();
        }
        let back = claim.take().unwrap().collect().await.unwrap();
        assert_eq!(back.trailers(), Some(&trailers));
    }

    #[tokio::test]
    async fn more_than_is_kept_does_not_come_back() {
        let piece = Bytes::from(vec![b'x'; KEPT_MAX / 2]);
        for (pieces, comes_back) in [(2, true), (3, false)] {
            let frames = std::iter::repeat_n(piece.clone(), pieces).map(Frame::data).collect();
            let (mut lent, claim) = lend(Pieces(frames));
            while lent.frame().await.is_some() {}
            assert_eq!(claim.take().is_some(), comes_back, "{pieces}");
        }
    }

    #[tokio::test]
    async fn nothing_is_kept_for_nobody() {
        let (mut lent, claim) = lend(Pieces::of(&["a", "b"]));
        lent.frame().await.unwrap().unwrap();
        drop(claim);
        assert!(lent.0.borrow().taken.is_none());
        assert_eq!(lent.frame().await.unwrap().unwrap().into_data().unwrap(), "b");
    }
}
