//! A response body on its way to a client of HTTP/2.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::response_body::{ResponseBody, ResponseBodyError};
use super::watch::Watch;

/// A response body in pieces of a size that even a slow client takes in the time that it has for one.
pub(super) struct Pieces {
    body: ResponseBody,
    rest: Bytes,
    watch: Arc<Watch>,
}

impl Pieces {
    const PIECE: usize = 32 << 10;

    pub(super) fn of(body: ResponseBody, watch: Arc<Watch>) -> Self {
        Self { body, rest: Bytes::new(), watch }
    }

    fn cut(&mut self, mut data: Bytes) -> Frame<Bytes> {
        self.rest = data.split_off(data.len().min(Self::PIECE));
        Frame::data(data)
    }
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = ResponseBodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ResponseBodyError>>> {
        if !self.rest.is_empty() {
            self.watch.took_a_piece();
            let rest = std::mem::take(&mut self.rest);
            return Poll::Ready(Some(Ok(self.cut(rest))));
        }
        let frame = std::task::ready!(Pin::new(&mut self.body).poll_frame(cx));
        Poll::Ready(frame.map(|frame| {
            frame.map(|frame| match frame.into_data() {
                Ok(data) => self.cut(data),
                Err(trailers) => trailers,
            })
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let hint = self.body.size_hint();
        let rest = self.rest.len() as u64;
        let mut all = SizeHint::new();
        all.set_lower(hint.lower() + rest);
        if let Some(upper) = hint.upper() {
            all.set_upper(upper + rest);
        }
        all
    }
}
