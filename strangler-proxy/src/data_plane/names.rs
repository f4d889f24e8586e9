//! How the names of a message were written, for whoever writes them next.
//!
//! A name means the same in any case (RFC 9110 §5.1), but there are old clients and servers that know theirs in one case
//! only. The HTTP library has all names in lower case; its own memory for how they came is a second map of them, which
//! costs more than the rest of a head. So it writes them in lower case, and their letters are put right on the way to
//! the socket, where a name is as long as it was.

use std::cell::RefCell;
use std::io::{self, IoSlice};
use std::task::{Poll, ready};

use memchr::{memchr, memchr2, memmem};

/// The names of one head, in the order in which they came.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// Of each name its length and whether it has capitals ([`CAPITALS`]), then the name.
    bytes: Vec<u8>,
    /// How many have capitals: the others are right as the library writes them.
    with_capitals: usize,
}

/// Whoever knows how the names of a request were written.
pub trait Spelling {
    /// Puts them there, in place of what was there.
    fn names(&self, names: &mut Names);
}

/// The next head that is written, with its names put right.
#[derive(Debug, Default)]
pub(super) struct Respelling {
    names: Names,
    state: State,
}

#[derive(Debug, Default)]
enum State {
    /// What is written is no head, or is right as it is.
    #[default]
    Off,
    /// What is written next begins with a head.
    Due,
    /// So much of it is still to be written.
    Left(Vec<u8>),
}

thread_local! {
    /// A head is put right here. One for the thread is enough: nothing stays in it between two calls.
    static SCRATCH: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// What the library may have to say before the head of a response, in the same breath.
const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";
/// What a connection may keep of memory for names.
const KEPT_MAX: usize = 1024;
/// Of as many as most heads have.
const USUAL: usize = 256;
/// The bit of a length that says that the name has capitals.
const CAPITALS: u8 = 0x80;
/// Longer names are left out.
const NAME_MAX: usize = 0x7f;

impl Names {
    /// Reads those of a head. Gives where it ends; `None`, and no names, when it is not whole. A name of more than 127
    /// bytes is left out.
    pub(super) fn read(&mut self, head: &[u8]) -> Option<usize> {
        self.clear();
        let end = self.read_lines(head);
        if end.is_none() {
            self.clear();
        }
        end
    }

    fn read_lines(&mut self, head: &[u8]) -> Option<usize> {
        let begin = empty_lines(head);
        if self.bytes.capacity() == 0 {
            self.bytes.reserve(USUAL);
        }
        let mut at = begin + memchr(b'\n', &head[begin..])? + 1;
        loop {
            let rest = &head[at..];
            if let [b'\n', ..] | [b'\r', b'\n', ..] = rest {
                return Some(at + if rest[0] == b'\n' { 1 } else { 2 });
            }
            // A line without a colon ends here too, and is no name.
            let length = memchr2(b':', b'\n', rest)?;
            // The spaces that a response may have there are no part of it (RFC 9112 §5.1).
            let name = rest[..length].trim_ascii_end();
            if rest[length] == b':' && name.len() <= NAME_MAX {
                // All of it is looked at, since that is quicker than to stop at the first.
                let has_capitals = name.iter().fold(false, |found, byte| found | byte.is_ascii_uppercase());
                self.bytes.push(name.len() as u8 | if has_capitals { CAPITALS } else { 0 });
                self.bytes.extend_from_slice(name);
                self.with_capitals += usize::from(has_capitals);
            }
            at += length + memchr(b'\n', &rest[length..])? + 1;
        }
    }

    pub(super) fn clear(&mut self) {
        self.with_capitals = 0;
        if self.bytes.capacity() > KEPT_MAX {
            self.bytes = Vec::new();
        }
        self.bytes.clear();
    }

    /// Writes the names of a head as they came. Those that did not come stay as they are.
    fn put_right(&self, head: &mut [u8]) {
        // Where the next one stands, if nothing was taken out or put in between.
        let mut next = 0;
        let mut left = self.with_capitals;
        let Some(first_line) = memchr(b'\n', head) else { return };
        let mut at = first_line + 1;
        while left > 0 {
            let line = &mut head[at..];
            if let [] | [b'\n' | b'\r', ..] = line {
                return;
            }
            if let Some((name, capitals, after)) = self.find(line, next) {
                line[..name.len()].copy_from_slice(name);
                next = after;
                left -= usize::from(capitals);
            }
            let Some(length) = memchr(b'\n', line) else { return };
            at += length + 1;
        }
    }

    /// The name that a line begins with, whether it has capitals, and where the one after it stands.
    fn find(&self, line: &[u8], from: usize) -> Option<(&[u8], bool, usize)> {
        self.find_within(line, from, self.bytes.len()).or_else(|| self.find_within(line, 0, from))
    }

    fn find_within(&self, line: &[u8], mut at: usize, end: usize) -> Option<(&[u8], bool, usize)> {
        while at < end {
            let length = usize::from(self.bytes[at] & !CAPITALS);
            let after = at + 1 + length;
            if line.get(length) == Some(&b':') {
                let name = &self.bytes[at + 1..after];
                if is_lower_case_of(&line[..length], name) {
                    return Some((name, self.bytes[at] & CAPITALS != 0, after));
                }
            }
            at = after;
        }
        None
    }
}

impl Respelling {
    /// A head is about to be written, whose names are known from here.
    pub(super) fn expect(&mut self, fill: impl FnOnce(&mut Names)) {
        fill(&mut self.names);
        self.state = if self.names.with_capitals > 0 { State::Due } else { State::Off };
    }

    /// Writes what the library wants written. A head is all in the first slice, as the library makes it.
    pub(super) fn poll_write(
        &mut self,
        slices: &[IoSlice<'_>],
        write: impl FnOnce(&[IoSlice<'_>]) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        let first: &[u8] = slices.first().map_or(&[], |first| first);
        match &mut self.state {
            State::Off => write(slices),
            State::Due => {
                let begin = if first.starts_with(CONTINUE) { CONTINUE.len() } else { 0 };
                if begin > 0 && begin == first.len() {
                    return write(slices);
                }
                if !is_head(&first[begin..]) {
                    self.state = State::Off;
                    return write(slices);
                }
                SCRATCH.with_borrow_mut(|head| {
                    head.clear();
                    head.extend_from_slice(first);
                    self.names.put_right(&mut head[begin..]);
                    let written = ready!(write_instead(head, slices, write))?;
                    self.state = match head.get(written..) {
                        None | Some([]) => State::Off,
                        Some(left) => State::Left(left.to_vec()),
                    };
                    Poll::Ready(Ok(written))
                })
            }
            State::Left(left) if left.len() <= first.len() => {
                let written = ready!(write_instead(left, slices, write))?;
                left.drain(..written.min(left.len()));
                if left.is_empty() {
                    self.state = State::Off;
                }
                Poll::Ready(Ok(written))
            }
            State::Left(_) => {
                self.state = State::Off;
                write(slices)
            }
        }
    }
}

/// How long what stands before a head is, such as may stand before a request (RFC 9112 §2.2).
pub(super) fn empty_lines(head: &[u8]) -> usize {
    head.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count()
}

/// Where a head ends, if it does: the same as what [`Names::read`] gives.
pub(super) fn end_of_head(head: &[u8]) -> Option<usize> {
    let begin = empty_lines(head);
    behind_an_empty_line(&head[begin..]).map(|end| begin + end)
}

/// What follows the end of a line and another one.
pub(super) fn behind_an_empty_line(bytes: &[u8]) -> Option<usize> {
    let usual = memmem::find(bytes, b"\n\r\n").map(|at| at + 3);
    let bare = memmem::find(&bytes[..usual.unwrap_or(bytes.len())], b"\n\n").map(|at| at + 2);
    bare.or(usual)
}

/// Whether one name, of the library, is the other one in lower case. As long as it.
fn is_lower_case_of(lower: &[u8], name: &[u8]) -> bool {
    let differs = |(lower, byte): (&u8, &u8)| lower ^ (byte | (u8::from(byte.is_ascii_uppercase()) << 5));
    lower.iter().zip(name).map(differs).fold(0, |all, one| all | one) == 0
}

/// Whether this begins with the first line of a message.
fn is_head(bytes: &[u8]) -> bool {
    let Some(end) = memchr(b'\n', bytes) else { return false };
    let line = &bytes[..end];
    line.starts_with(b"HTTP/1.") || line.ends_with(b" HTTP/1.1\r")
}

/// Writes `head` in place of as many bytes at the beginning of the first slice.
fn write_instead(
    head: &[u8],
    slices: &[IoSlice<'_>],
    write: impl FnOnce(&[IoSlice<'_>]) -> Poll<io::Result<usize>>,
) -> Poll<io::Result<usize>> {
    let rest = slices.first().map_or(&[][..], |first| &first[head.len()..]);
    // A body in one piece, as a rule.
    match slices {
        [_] if rest.is_empty() => return write(&[IoSlice::new(head)]),
        [_, body] if rest.is_empty() => return write(&[IoSlice::new(head), IoSlice::new(body)]),
        _ => {}
    }
    // What is over is written the next time.
    const SLICES: usize = 16;
    let mut all = [IoSlice::new(&[]); SLICES];
    let others = slices.iter().skip(1).map(|slice| &**slice);
    let parts = [head, rest].into_iter().chain(others);
    let count = slices.len().saturating_add(1).min(SLICES);
    for (place, part) in all.iter_mut().zip(parts) {
        *place = IoSlice::new(part);
    }
    write(&all[..count])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(head: &str) -> Names {
        let mut names = Names::default();
        assert_eq!(names.read(head.as_bytes()), Some(head.len()));
        names
    }

    fn respelled(received: &str, written: &str) -> String {
        let mut head = written.as_bytes().to_vec();
        names(received).put_right(&mut head);
        String::from_utf8(head).unwrap()
    }

    #[test]
    fn names_are_written_as_they_came() {
        let received = "GET / HTTP/1.1\r\nHost: a\r\nX-oDD: Host: b\r\nETag:x\r\nlower: 1\r\n\r\n";
        for (written, right) in [
            (
                "GET / HTTP/1.1\r\nhost: a\r\nx-odd: host: b\r\n",
                "GET / HTTP/1.1\r\nHost: a\r\nX-oDD: host: b\r\n",
            ),
            ("GET / HTTP/1.1\r\netag: x\r\nhost: a\r\n\r\n", "GET / HTTP/1.1\r\nETag: x\r\nHost: a\r\n\r\n"),
            (
                "GET / HTTP/1.1\r\nvia: 1\r\nhost: a\r\nhostx: a\r\n\r\n",
                "GET / HTTP/1.1\r\nvia: 1\r\nHost: a\r\nhostx: a\r\n\r\n",
            ),
            (
                "GET / HTTP/1.1\r\nlower: etag\r\n\r\netag: 1\r\n",
                "GET / HTTP/1.1\r\nlower: etag\r\n\r\netag: 1\r\n",
            ),
        ] {
            assert_eq!(respelled(received, written), right);
        }
    }

    #[test]
    fn each_line_of_a_repeated_name_is_written_as_it_came() {
        let received = "HTTP/1.1 200 OK\r\nX-a: 1\r\nB: 1\r\nx-A: 2\r\nx-a: 3\r\n\r\n";
        let written = "HTTP/1.1 200 OK\r\nx-a: 1\r\nx-a: 2\r\nx-a: 3\r\nb: 1\r\n\r\n";
        let right = "HTTP/1.1 200 OK\r\nX-a: 1\r\nx-A: 2\r\nx-a: 3\r\nB: 1\r\n\r\n";
        assert_eq!(respelled(received, written), right);
    }

    #[test]
    fn a_head_is_read_to_its_end_and_no_further() {
        let mut names = Names::default();
        assert_eq!(names.read(b"POST / HTTP/1.1\r\nHost: a\r\n\r\nX-Body: 1\r\n\r\n"), Some(28));
        assert_eq!(names.bytes, b"\x84Host");
        assert_eq!(names.read(b"\r\nGET / HTTP/1.1\nA: b\n\n"), Some(23));
        for head in
            ["GET / HTTP/1.1\n\r\n\r\n", "\r\n\nGET / HTTP/1.1\r\nA: b\n\nX\r\n\r\n", "A\n\n\n", "A\n\r\n\n"]
        {
            let (ends, head) = (end_of_head(head.as_bytes()), head.as_bytes());
            assert_eq!(
                (ends, ends.is_some()),
                (Names::default().read(head), true),
                "{}",
                head.escape_ascii()
            );
        }
        assert_eq!(names.bytes, b"\x81A");
        for part in
            ["", "\r\n", "GET / HTTP/1.1", "GET / HTTP/1.1\r\nHost: a\r\n", "GET / HTTP/1.1\r\nHost: a\r\n\r"]
        {
            assert_eq!((names.read(part.as_bytes()), end_of_head(part.as_bytes())), (None, None), "{part:?}");
            assert_eq!((names.bytes.len(), names.with_capitals), (0, 0));
        }
        names.read(b"HTTP/1.1 200 OK\r\nA : b\r\n\r\n");
        assert_eq!(names.bytes, b"\x81A");
        let long = format!("GET / HTTP/1.1\r\n{}: a\r\nB: c\r\n\r\n", "X".repeat(128));
        names.read(long.as_bytes());
        assert_eq!(names.bytes, b"\x81B");
    }

    /// What goes to a socket that takes so many bytes at a time, and now and then none.
    fn written(respelling: &mut Respelling, parts: &[&[u8]], at_a_time: usize) -> Vec<u8> {
        let (mut parts, mut written, mut turn) = (parts.to_vec(), Vec::new(), 0);
        while parts.iter().any(|part| !part.is_empty()) {
            let slices: Vec<_> =
                parts.iter().filter(|part| !part.is_empty()).map(|part| IoSlice::new(part)).collect();
            turn += 1;
            let wrote = respelling.poll_write(&slices, |slices| {
                if turn % 3 == 1 {
                    return Poll::Pending;
                }
                let all: Vec<u8> = slices.iter().flat_map(|slice| slice.iter().copied()).collect();
                let taken = all.len().min(at_a_time);
                written.extend_from_slice(&all[..taken]);
                Poll::Ready(Ok(taken))
            });
            let Poll::Ready(wrote) = wrote else { continue };
            let mut left = wrote.unwrap();
            for part in &mut parts {
                let of_this = left.min(part.len());
                *part = &part[of_this..];
                left -= of_this;
            }
        }
        written
    }

    #[test]
    fn a_head_is_put_right_and_what_follows_is_not_whatever_the_socket_takes() {
        let head = "HTTP/1.1 200 OK\r\nx-odd: 1\r\ncontent-length: 70\r\n\r\n";
        let body = "x-odd: not a field\r\n".repeat(3);
        let right = format!("HTTP/1.1 200 OK\r\nX-oDD: 1\r\nContent-Length: 70\r\n\r\n{body}");
        for at_a_time in (1..right.len()).chain([1000]) {
            let mut respelling = Respelling::default();
            respelling
                .expect(|all| *all = names("HTTP/1.1 200 OK\r\nX-oDD: 1\r\nContent-Length: 70\r\n\r\n"));
            let came = written(&mut respelling, &[head.as_bytes(), body.as_bytes()], at_a_time);
            assert_eq!(String::from_utf8(came).unwrap(), right, "{at_a_time} bytes at a time");
            let again = written(&mut respelling, &[head.as_bytes()], at_a_time);
            assert_eq!(again, head.as_bytes(), "it was not expected");
        }
    }

    #[test]
    fn many_parts_are_all_written() {
        let mut respelling = Respelling::default();
        respelling.expect(|all| *all = names("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
        let mut parts = vec![&b"POST / HTTP/1.1\r\nhost: a\r\n\r\n"[..]];
        parts.resize(40, b"part");
        let came = written(&mut respelling, &parts, 1000);
        assert_eq!(came, [&b"POST / HTTP/1.1\r\nHost: a\r\n\r\n"[..], &b"part".repeat(39)].concat());
    }

    #[test]
    fn what_stands_before_a_response_is_passed_over() {
        let mut respelling = Respelling::default();
        respelling.expect(|all| *all = names("HTTP/1.1 200 OK\r\nA: 1\r\n\r\n"));
        let both = [CONTINUE, b"HTTP/1.1 200 OK\r\na: 1\r\n\r\n"].concat();
        let came = written(&mut respelling, &[&both], 1000);
        assert_eq!(came, [CONTINUE, b"HTTP/1.1 200 OK\r\nA: 1\r\n\r\n"].concat());
        respelling.expect(|all| *all = names("HTTP/1.1 200 OK\r\nA: 1\r\n\r\n"));
        assert_eq!(written(&mut respelling, &[CONTINUE], 1000), CONTINUE);
        let came = written(&mut respelling, &[b"HTTP/1.1 200 OK\r\na: 1\r\n\r\n"], 1000);
        assert_eq!(came, b"HTTP/1.1 200 OK\r\nA: 1\r\n\r\n", "it had not come yet");
    }

    #[test]
    fn what_is_no_head_is_not_touched() {
        let mut respelling = Respelling::default();
        let expect = |respelling: &mut Respelling| {
            respelling.expect(|all| *all = names("HTTP/1.1 200 OK\r\nA: 1\r\n\r\n"));
        };
        expect(&mut respelling);
        let body = b"text\r\na: 1\r\n\r\n";
        assert_eq!(written(&mut respelling, &[body], 1000), body);
        let head = b"HTTP/1.1 200 OK\r\na: 1\r\n\r\n";
        assert_eq!(written(&mut respelling, &[head], 1000), head, "only what comes first is a head");
    }
}
