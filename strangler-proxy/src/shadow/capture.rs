//! A body kept while it passes by: whole up to a limit, hashed beyond it.

use bytes::{Bytes, BytesMut};
use diff_harness::comparison::DropReason;
use diff_harness::exchange::CapturedBody;

use super::{MemoryBudget, Reservation};

/// What stays of a body that is over the limit: enough for a person to see what it was.
const HEAD_KEPT: usize = 64 << 10;
/// Chunks up to here are copied, so that a few bytes never hold a whole read buffer.
const COPIED_MAX: usize = 4 << 10;

/// Takes the chunks of one body.
#[derive(Debug)]
pub struct Capture {
    kept: Kept,
    limit: usize,
    /// What the head announced, to make room once.
    announced: usize,
    length: u64,
    held: Reservation,
}

#[derive(Debug)]
enum Kept {
    Nothing,
    /// One chunk, shared with whoever forwards it.
    Chunk(Bytes),
    Chunks(BytesMut),
    /// Over the limit: the first bytes, and the hash so far.
    Hashed {
        head: Bytes,
        hasher: Box<blake3::Hasher>,
    },
    /// The budget had no room.
    OverBudget,
}

/// A captured body with the memory it takes.
#[derive(Debug)]
pub struct Captured {
    pub body: CapturedBody,
    /// Of all of it that came, kept or not.
    pub length: u64,
    pub held: Reservation,
}

impl Capture {
    /// Keeps up to `limit` bytes.
    pub fn new(limit: usize, budget: &MemoryBudget) -> Self {
        Self { kept: Kept::Nothing, limit, announced: 0, length: 0, held: budget.nothing() }
    }

    /// The length that the head announced. A hint only: what comes is what counts.
    pub fn announce(&mut self, length: u64) {
        self.announced = usize::try_from(length).unwrap_or(usize::MAX).min(self.limit);
    }

    /// How many bytes have come.
    pub fn length(&self) -> u64 {
        self.length
    }

    pub fn push(&mut self, chunk: &Bytes) {
        self.length += chunk.len() as u64;
        if let Kept::Hashed { hasher, .. } = &mut self.kept {
            hasher.update(chunk);
            return;
        }
        if matches!(self.kept, Kept::OverBudget) || chunk.is_empty() {
            return;
        }
        if self.length > self.limit as u64 {
            self.hash_from_here(chunk);
        } else if self.held.grow(chunk.len()) {
            self.keep(chunk);
        } else {
            self.kept = Kept::OverBudget;
            self.held.shrink_to(0);
        }
    }

    fn keep(&mut self, chunk: &Bytes) {
        match &mut self.kept {
            Kept::Chunks(chunks) => chunks.extend_from_slice(chunk),
            Kept::Nothing if chunk.len() > COPIED_MAX => self.kept = Kept::Chunk(chunk.clone()),
            Kept::Nothing if chunk.len() >= self.announced => {
                self.kept = Kept::Chunk(Bytes::copy_from_slice(chunk));
            }
            _ => {
                let before = self.kept.bytes();
                let mut chunks = BytesMut::with_capacity(self.announced.max(before.len() + chunk.len()));
                chunks.extend_from_slice(&before);
                chunks.extend_from_slice(chunk);
                self.kept = Kept::Chunks(chunks);
            }
        }
    }

    fn hash_from_here(&mut self, chunk: &Bytes) {
        let kept = self.kept.take();
        let mut hasher = Box::new(blake3::Hasher::new());
        hasher.update(&kept).update(chunk);
        let room = self.limit.min(HEAD_KEPT);
        let mut head = BytesMut::with_capacity(room);
        head.extend_from_slice(&kept[..kept.len().min(room)]);
        head.extend_from_slice(&chunk[..chunk.len().min(room - head.len())]);
        drop(kept);
        self.held.shrink_to(head.len());
        let missing = head.len() - self.held.bytes();
        self.kept = if self.held.grow(missing) {
            Kept::Hashed { head: head.freeze(), hasher }
        } else {
            Kept::OverBudget
        };
    }

    /// The body came to its end.
    ///
    /// # Errors
    /// `MemoryLimit` when the budget had no room for it.
    pub fn finish(self) -> Result<Captured, DropReason> {
        let body = match self.kept {
            Kept::OverBudget => return Err(DropReason::MemoryLimit),
            Kept::Hashed { head, hasher } => {
                CapturedBody::Hashed { head, length: self.length, hash: *hasher.finalize().as_bytes() }
            }
            mut kept => CapturedBody::Whole(kept.take()),
        };
        Ok(Captured { body, length: self.length, held: self.held })
    }

    /// The body goes on, and is not read any further.
    ///
    /// # Errors
    /// `MemoryLimit` when the budget had no room for it.
    pub fn cut(self) -> Result<Captured, DropReason> {
        let head = match self.kept {
            Kept::OverBudget => return Err(DropReason::MemoryLimit),
            Kept::Hashed { head, .. } => head,
            mut kept => kept.take(),
        };
        Ok(Captured { body: CapturedBody::Cut { head }, length: self.length, held: self.held })
    }
}

impl Kept {
    fn bytes(&self) -> Bytes {
        match self {
            Self::Chunk(bytes) | Self::Hashed { head: bytes, .. } => bytes.clone(),
            Self::Chunks(chunks) => Bytes::copy_from_slice(chunks),
            Self::Nothing | Self::OverBudget => Bytes::new(),
        }
    }

    fn take(&mut self) -> Bytes {
        match std::mem::replace(self, Self::Nothing) {
            Self::Chunks(chunks) => chunks.freeze(),
            other => other.bytes(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn capture(limit: usize, budget: usize, chunks: &[&[u8]]) -> (Capture, MemoryBudget) {
        let budget = MemoryBudget::new(budget);
        let mut capture = Capture::new(limit, &budget);
        for chunk in chunks {
            capture.push(&Bytes::copy_from_slice(chunk));
        }
        (capture, budget)
    }

    #[test]
    fn a_body_within_the_limit_is_whole() {
        let many: [&[&[u8]]; 4] = [&[], &[b"ab"], &[b"a", b"", b"b"], &[b"a", b"b", b"cd"]];
        for chunks in many {
            let (capture, budget) = capture(4, 100, chunks);
            let captured = capture.finish().unwrap();
            assert_eq!(captured.body, CapturedBody::Whole(Bytes::from(chunks.concat())));
            assert_eq!(budget.used(), chunks.concat().len());
            drop(captured);
            assert_eq!(budget.used(), 0);
        }
    }

    #[test]
    fn an_announced_length_changes_nothing_but_the_room() {
        for announced in [0, 1, 3, u64::MAX] {
            let (mut capture, _budget) = capture(4, 100, &[]);
            capture.announce(announced);
            capture.push(&Bytes::from_static(b"ab"));
            capture.push(&Bytes::from_static(b"c"));
            assert_eq!(capture.finish().unwrap().body, CapturedBody::Whole(Bytes::from_static(b"abc")));
        }
    }

    #[test]
    fn a_large_chunk_is_kept_without_copying_it() {
        let chunk = Bytes::from(vec![7; COPIED_MAX + 1]);
        let mut capture = Capture::new(1 << 20, &MemoryBudget::new(1 << 20));
        capture.push(&chunk);
        let captured = capture.finish().unwrap();
        assert_eq!(captured.body.kept().as_ptr(), chunk.as_ptr());
    }

    #[test]
    fn a_body_over_the_limit_is_hashed_whole_however_it_is_cut_into_chunks() {
        let expected = *blake3::hash(b"abcdef").as_bytes();
        let many: [&[&[u8]]; 3] = [&[b"abcdef"], &[b"abcd", b"ef"], &[b"a", b"bcde", b"f"]];
        for chunks in many {
            let (capture, budget) = capture(4, 100, chunks);
            let captured = capture.finish().unwrap();
            let CapturedBody::Hashed { head, length, hash } = &captured.body else { panic!("{captured:?}") };
            assert_eq!((&head[..], *length, *hash), (&b"abcd"[..], 6, expected));
            assert_eq!(budget.used(), 4);
        }
    }

    #[test]
    fn a_long_body_leaves_only_its_head_in_memory() {
        let budget = MemoryBudget::new(1 << 30);
        let mut capture = Capture::new(1 << 20, &budget);
        let chunk = Bytes::from(vec![b'x'; 300 << 10]);
        for _ in 0..5 {
            capture.push(&chunk);
        }
        assert_eq!(budget.used(), HEAD_KEPT);
        let hash = *blake3::hash(&vec![b'x'; 1500 << 10]).as_bytes();
        let captured = capture.finish().unwrap();
        assert!(
            matches!(captured.body, CapturedBody::Hashed { length, hash: h, .. } if length == 1500 << 10 && h == hash)
        );
    }

    #[test]
    fn without_room_in_the_budget_there_is_no_body_and_nothing_held() {
        let (capture, budget) = capture(100, 5, &[b"abc", b"def", b"g"]);
        assert_eq!(budget.used(), 0);
        assert_eq!(capture.finish().unwrap_err(), DropReason::MemoryLimit);
    }

    #[test]
    fn a_cut_body_keeps_what_came() {
        let (one, _budget) = capture(4, 100, &[b"abc"]);
        assert_eq!(one.cut().unwrap().body, CapturedBody::Cut { head: Bytes::from_static(b"abc") });
        let (long, _budget) = capture(4, 100, &[b"abc", b"def"]);
        assert_eq!(long.cut().unwrap().body, CapturedBody::Cut { head: Bytes::from_static(b"abcd") });
    }
}
