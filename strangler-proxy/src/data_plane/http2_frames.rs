//! Where the frames of HTTP/2 begin and end in the bytes of a connection (RFC 9113 §4.1), and which of them ask for nothing.

/// The head of a frame.
const HEAD: usize = 9;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;

/// Follows one direction of a connection, frame by frame.
#[derive(Debug, Default)]
pub(super) struct Walk {
    /// Bytes that are passed over: of what comes before the first frame, or of a payload.
    over: usize,
    head: [u8; HEAD],
    /// How much of it is there.
    came: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FrameHead {
    length: usize,
    kind: u8,
    flags: u8,
    stream: u32,
}

impl Walk {
    /// The first frame comes after so many bytes.
    pub(super) fn after(over: usize) -> Self {
        Self { over, ..Self::default() }
    }

    /// These bytes passed. Says which frames have begun with them.
    pub(super) fn pass(&mut self, mut bytes: &[u8], mut begins: impl FnMut(FrameHead)) {
        while !bytes.is_empty() {
            let over = self.over.min(bytes.len());
            self.over -= over;
            bytes = &bytes[over..];
            let some = (HEAD - self.came).min(bytes.len());
            self.head[self.came..self.came + some].copy_from_slice(&bytes[..some]);
            self.came += some;
            bytes = &bytes[some..];
            if self.came == HEAD {
                let frame = FrameHead::of(self.head);
                self.came = 0;
                self.over = frame.length;
                begins(frame);
            }
        }
    }

    /// Whether another frame could come here.
    pub(super) fn is_between(&self) -> bool {
        self.over == 0 && self.came == 0
    }
}

impl FrameHead {
    fn of(head: [u8; HEAD]) -> Self {
        let number = |bytes: &[u8]| bytes.iter().fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
        Self {
            length: number(&head[..3]) as usize,
            kind: head[3],
            flags: head[4],
            stream: number(&head[5..]) & !(1 << 31),
        }
    }

    pub(super) fn is_data(&self) -> bool {
        self.kind == DATA
    }

    /// The stream that it may have begun.
    pub(super) fn begun_stream(&self) -> Option<u32> {
        (self.kind == HEADERS).then_some(self.stream)
    }

    /// Whether nothing of a request comes with it. Each has to be looked at all the same, and many are answered
    /// (CVE-2019-9512, 9515, 9517, 9518).
    pub(super) fn asks_for_nothing(&self) -> bool {
        match self.kind {
            HEADERS | CONTINUATION => false,
            DATA => self.length == 0 && self.flags & END_STREAM == 0,
            _ => true,
        }
    }
}

/// GOAWAY (§6.8) that ends a connection with ENHANCE_YOUR_CALM (§7): streams up to the last one may have been processed.
pub(super) fn be_calm(last_stream: u32) -> Vec<u8> {
    const ENHANCE_YOUR_CALM: u32 = 11;
    let head = [0, 0, 8, GOAWAY, 0, 0, 0, 0, 0];
    [&head[..], &last_stream.to_be_bytes(), &ENHANCE_YOUR_CALM.to_be_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(length: usize, kind: u8, flags: u8, stream: u32) -> Vec<u8> {
        let mut bytes = vec![(length >> 16) as u8, (length >> 8) as u8, length as u8, kind, flags];
        bytes.extend(stream.to_be_bytes());
        bytes.resize(HEAD + length, 7);
        bytes
    }

    #[test]
    fn frames_are_found_however_the_bytes_come() {
        let all = [
            vec![0; 24],
            frame(0, 4, 0, 0),
            frame(5, HEADERS, 4, 1),
            frame(70_000, DATA, 0, 1),
            frame(0, DATA, END_STREAM, 1 | 1 << 31),
        ];
        let all = all.concat();
        for size in [1, 2, 9, 10, 1000, all.len()] {
            let (mut walk, mut found) = (Walk::after(24), Vec::new());
            for part in all.chunks(size) {
                walk.pass(part, |frame| found.push((frame.kind, frame.length, frame.stream)));
            }
            assert_eq!(found, [(4, 0, 0), (HEADERS, 5, 1), (DATA, 70_000, 1), (DATA, 0, 1)], "{size}");
            assert!(walk.is_between());
        }
    }

    #[test]
    fn within_a_frame_there_is_no_place_for_another() {
        let mut walk = Walk::default();
        for (place, byte) in frame(3, DATA, 0, 1).into_iter().enumerate() {
            assert_eq!(walk.is_between(), place == 0, "{place}");
            walk.pass(&[byte], |_| {});
        }
        assert!(walk.is_between());
    }

    #[test]
    fn what_brings_something_of_a_request_asks_for_it() {
        let head = |length, kind, flags| FrameHead { length, kind, flags, stream: 1 };
        for asks in
            [head(1, DATA, 0), head(0, DATA, END_STREAM), head(5, HEADERS, 4), head(0, CONTINUATION, 0)]
        {
            assert!(!asks.asks_for_nothing(), "{asks:?}");
        }
        for kind in [2, 3, 4, 6, GOAWAY, 8, 200] {
            assert!(head(8, kind, 0).asks_for_nothing(), "{kind}");
        }
        assert!(head(0, DATA, 0).asks_for_nothing());
    }

    #[test]
    fn the_last_frame_is_a_goaway() {
        let mut walk = Walk::default();
        walk.pass(&be_calm(5), |frame| assert_eq!((frame.kind, frame.length, frame.stream), (GOAWAY, 8, 0)));
        assert!(walk.is_between());
    }
}
