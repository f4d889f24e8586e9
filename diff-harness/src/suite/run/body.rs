//! A response's body, kept whole up to a limit and hashed beyond it.

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::Incoming;

use crate::exchange::CapturedBody;

/// What stays of a body that is over the limit: enough for a person to see what it was.
const HEAD_KEPT: usize = 64 << 10;

/// Takes the chunks of one body. Can be asked at any time for what came so far.
pub(super) struct Capture {
    limit: usize,
    kept: BytesMut,
    length: u64,
    hasher: Option<Box<blake3::Hasher>>,
}

impl Capture {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, kept: BytesMut::new(), length: 0, hasher: None }
    }

    /// Reads to the end, which need not ever come: whoever calls it sets a limit in time.
    pub(super) async fn read(&mut self, body: &mut Incoming) -> Result<(), hyper::Error> {
        while let Some(frame) = body.frame().await {
            if let Ok(chunk) = frame?.into_data() {
                self.push(&chunk);
            }
        }
        Ok(())
    }

    fn push(&mut self, chunk: &Bytes) {
        self.length += chunk.len() as u64;
        if let Some(hasher) = &mut self.hasher {
            hasher.update(chunk);
        } else if self.length <= self.limit as u64 {
            self.kept.extend_from_slice(chunk);
        } else {
            let mut hasher = Box::new(blake3::Hasher::new());
            hasher.update(&self.kept).update(chunk);
            let room = self.limit.min(HEAD_KEPT);
            let own = self.kept.len().min(room);
            let mut head = BytesMut::with_capacity(room);
            head.extend_from_slice(&self.kept[..own]);
            head.extend_from_slice(&chunk[..chunk.len().min(room - own)]);
            self.kept = head;
            self.hasher = Some(hasher);
        }
    }

    /// The body that came to its end.
    pub(super) fn whole(self) -> CapturedBody {
        let head = self.kept.freeze();
        match self.hasher {
            None => CapturedBody::Whole(head),
            Some(hasher) => {
                CapturedBody::Hashed { head, length: self.length, hash: *hasher.finalize().as_bytes() }
            }
        }
    }

    /// What came of a body that was not read to its end.
    pub(super) fn cut(self) -> CapturedBody {
        CapturedBody::Cut { head: self.kept.freeze() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn captured(limit: usize, chunks: &[&'static [u8]]) -> CapturedBody {
        let mut capture = Capture::new(limit);
        chunks.iter().for_each(|chunk| capture.push(&Bytes::from_static(chunk)));
        capture.whole()
    }

    #[test]
    fn a_body_is_whole_up_to_the_limit_and_hashed_beyond_it() {
        assert_eq!(captured(4, &[b"ab", b"cd"]), CapturedBody::Whole(Bytes::from_static(b"abcd")));
        let hashed = captured(4, &[b"ab", b"cde", b"f"]);
        let hash = *blake3::hash(b"abcdef").as_bytes();
        assert_eq!(hashed, CapturedBody::Hashed { head: Bytes::from_static(b"abcd"), length: 6, hash });
    }
}
