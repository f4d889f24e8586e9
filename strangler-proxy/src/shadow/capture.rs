//! A body kept while it passes by: whole up to a limit, hashed beyond it.

use bytes::Bytes;
use diff_harness::comparison::DropReason;
use diff_harness::exchange::CapturedBody;

use super::{MemoryBudget, Reservation};

/// What stays of a body that is over the limit: enough for a person to see what it was.
const HEAD_KEPT: usize = 64 << 10;
/// The room that is made at once for a body because its head announces it.
const ANNOUNCED_MAX: usize = 256 << 10;

/// Takes the chunks of one body. They are copied: a chunk is a piece of a read buffer, and would hold all of it.
#[derive(Debug)]
pub struct Capture {
    kept: Kept,
    limit: usize,
    /// What the head announced, to make room once.
    announced: usize,
    length: u64,
    /// Of `held`, what is held for something else than the body.
    beside: usize,
    held: Reservation,
}

#[derive(Debug)]
enum Kept {
    /// All that came.
    Whole(Vec<u8>),
    /// Over the limit: the first bytes, and the hash so far.
    Hashed { head: Vec<u8>, hasher: Box<blake3::Hasher> },
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
        let kept = Kept::Whole(Vec::new());
        Self { kept, limit, announced: 0, length: 0, beside: 0, held: budget.nothing() }
    }

    /// The length that the head announced. A hint only: what comes is what counts.
    pub fn announce(&mut self, length: u64) {
        self.announced = usize::try_from(length).unwrap_or(usize::MAX).min(self.limit);
    }

    /// Accounts for what is kept beside the body, such as the head. Where there is no room for it, there is none for
    /// the body either.
    pub fn hold(&mut self, bytes: usize) {
        if matches!(self.kept, Kept::OverBudget) {
            return;
        }
        if self.held.grow(bytes) {
            self.beside += bytes;
        } else {
            self.give_up();
        }
    }

    /// How many bytes have come.
    pub fn length(&self) -> u64 {
        self.length
    }

    pub fn push(&mut self, chunk: &Bytes) {
        self.length += chunk.len() as u64;
        let is_over = self.length > self.limit as u64;
        match &mut self.kept {
            Kept::Hashed { hasher, .. } => drop(hasher.update(chunk)),
            Kept::Whole(_) if is_over => self.hash_from_here(chunk),
            Kept::Whole(kept) => {
                let more = room_for(kept, chunk.len(), self.announced, self.limit);
                if self.held.grow(more) {
                    kept.reserve_exact(kept.capacity() + more - kept.len());
                    kept.extend_from_slice(chunk);
                } else {
                    self.give_up();
                }
            }
            Kept::OverBudget => {}
        }
    }

    fn give_up(&mut self) {
        self.kept = Kept::OverBudget;
        self.beside = 0;
        self.held.shrink_to(0);
    }

    fn hash_from_here(&mut self, chunk: &Bytes) {
        let mut head = std::mem::replace(&mut self.kept, Kept::OverBudget).take();
        let mut hasher = Box::new(blake3::Hasher::new());
        hasher.update(&head).update(chunk);
        let room = self.limit.min(HEAD_KEPT);
        let missing = room.saturating_sub(head.len()).min(chunk.len());
        head.reserve_exact(missing);
        head.extend_from_slice(&chunk[..missing]);
        head.truncate(room);
        head.shrink_to_fit();
        let wanted = self.beside + head.capacity() + size_of::<blake3::Hasher>();
        self.held.shrink_to(wanted);
        if self.held.grow(wanted - self.held.bytes()) {
            self.kept = Kept::Hashed { head, hasher };
        } else {
            self.give_up();
        }
    }

    /// The body came to its end.
    ///
    /// # Errors
    /// `MemoryLimit` when the budget had no room for it.
    pub fn finish(self) -> Result<Captured, DropReason> {
        self.ended(|kept, length| match kept {
            Kept::Hashed { head, hasher } => {
                CapturedBody::Hashed { head: head.into(), length, hash: *hasher.finalize().as_bytes() }
            }
            mut kept => CapturedBody::Whole(kept.take().into()),
        })
    }

    /// The body goes on, and is not read any further.
    ///
    /// # Errors
    /// `MemoryLimit` when the budget had no room for it.
    pub fn cut(self) -> Result<Captured, DropReason> {
        self.ended(|mut kept, _| CapturedBody::Cut { head: kept.take().into() })
    }

    fn ended(mut self, body: impl FnOnce(Kept, u64) -> CapturedBody) -> Result<Captured, DropReason> {
        /// Less is not worth moving the body for.
        const SPARE: usize = 8;
        let bytes = match &mut self.kept {
            Kept::OverBudget => return Err(DropReason::MemoryLimit),
            Kept::Hashed { head, .. } => head.capacity(),
            Kept::Whole(kept) => {
                if kept.capacity() > kept.len() + kept.len() / SPARE {
                    kept.shrink_to_fit();
                }
                kept.capacity()
            }
        };
        self.held.shrink_to(self.beside + bytes);
        Ok(Captured { body: body(self.kept, self.length), length: self.length, held: self.held })
    }
}

/// How much a buffer is to grow for so many bytes more.
fn room_for(kept: &Vec<u8>, bytes: usize, announced: usize, limit: usize) -> usize {
    let (needed, has) = (kept.len() + bytes, kept.capacity());
    if needed <= has {
        return 0;
    }
    let twice = has.saturating_mul(2);
    let room = match announced >= needed {
        // What an upstream only announces takes no more than twice what it sends.
        true => announced.min(twice.max(ANNOUNCED_MAX)).max(needed),
        false => twice.clamp(needed, limit.max(needed)),
    };
    room - has
}

impl Kept {
    fn take(&mut self) -> Vec<u8> {
        match std::mem::replace(self, Self::OverBudget) {
            Self::Whole(bytes) | Self::Hashed { head: bytes, .. } => bytes,
            Self::OverBudget => Vec::new(),
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
    fn what_is_kept_holds_no_buffer_that_it_came_in() {
        for length in [1, 5000] {
            let buffer = Bytes::from(vec![7; 1 << 20]);
            let mut capture = Capture::new(1 << 20, &MemoryBudget::new(1 << 20));
            capture.push(&buffer.slice(..length));
            let captured = capture.finish().unwrap();
            assert_eq!(captured.body.kept().len(), length);
            // Nobody else has a part of it.
            assert!(buffer.try_into_mut().is_ok(), "{length}");
        }
    }

    #[test]
    fn the_memory_that_is_taken_is_what_counts() {
        let budget = MemoryBudget::new(1 << 30);
        let chunk = Bytes::from(vec![b'x'; 1000]);
        for announced in [0, 500, 40_000, 1 << 20] {
            let mut capture = Capture::new(1 << 20, &budget);
            capture.announce(announced);
            for _ in 0..40 {
                capture.push(&chunk);
                let Kept::Whole(kept) = &capture.kept else { panic!("{capture:?}") };
                assert_eq!(budget.used(), kept.capacity(), "{announced}");
                assert!(kept.capacity() <= (2 * kept.len()).max(ANNOUNCED_MAX));
            }
            let captured = capture.finish().unwrap();
            // As much as it is, or a little more.
            assert!((40_000..45_000).contains(&budget.used()), "{announced}: {}", budget.used());
            drop(captured);
        }
        assert_eq!(budget.used(), 0);
    }

    #[test]
    fn what_is_kept_beside_a_body_counts_until_the_end() {
        let (mut capture, budget) = capture(10, 50, &[b"abc"]);
        capture.hold(20);
        assert_eq!(budget.used(), 23);
        let captured = capture.finish().unwrap();
        assert_eq!(budget.used(), 23);
        drop(captured);
        let (mut capture, budget) = self::capture(10, 50, &[b"abc"]);
        capture.hold(48);
        assert_eq!(budget.used(), 0);
        assert_eq!(capture.finish().unwrap_err(), DropReason::MemoryLimit);
    }

    #[test]
    fn a_body_over_the_limit_is_hashed_whole_however_it_is_cut_into_chunks() {
        let expected = *blake3::hash(b"abcdef").as_bytes();
        let many: [&[&[u8]]; 3] = [&[b"abcdef"], &[b"abcd", b"ef"], &[b"a", b"bcde", b"f"]];
        for chunks in many {
            let (capture, budget) = capture(4, 10_000, chunks);
            assert_eq!(budget.used(), 4 + size_of::<blake3::Hasher>());
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
        assert_eq!(budget.used(), HEAD_KEPT + size_of::<blake3::Hasher>());
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
        let (long, _budget) = capture(4, 10_000, &[b"abc", b"def"]);
        assert_eq!(long.cut().unwrap().body, CapturedBody::Cut { head: Bytes::from_static(b"abcd") });
    }
}
