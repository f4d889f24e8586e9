//! RFC 9113 and RFC 7541, case by case: what a client does, and what has to come of it.
//!
//! A case has the section by which it is named. Where something else comes than that section asks for, the case has both,
//! and why that does no harm.

mod connections;
mod fields;
mod frames;
mod messages;
mod streams;

use crate::data_plane::h2_frames::{
    END_HEADERS, END_STREAM, Frames, GOAWAY, HEADERS, PING, RST_STREAM, block,
};
use crate::data_plane::origin::{Origin, ok};
use crate::data_plane::proxy::Proxy;

struct Case {
    name: &'static str,
    does: fn(&mut Frames),
    comes: Comes,
    /// What the section asks for, and why it is something else that comes.
    instead_of: Option<(Comes, &'static str)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comes {
    /// GOAWAY with this code, and the end of the connection (§5.4.1).
    End(u32),
    /// The end of the connection, without a word.
    Silence,
    /// RST_STREAM of stream 1 with this code, and the connection goes on (§5.4.2).
    Reset(u32),
    /// A response on stream 1 with this status, and the connection goes on.
    Answer(u16),
    /// A response on stream 1 with this status, and the connection may end after it, without an error (§6.8).
    LastAnswer(u16),
    /// Nothing, and the connection goes on.
    Nothing,
}

const PROTOCOL_ERROR: u32 = 1;
const FLOW_CONTROL_ERROR: u32 = 3;
const STREAM_CLOSED: u32 = 5;
const FRAME_SIZE_ERROR: u32 = 6;
const COMPRESSION_ERROR: u32 = 9;
const ENHANCE_YOUR_CALM: u32 = 11;

const PRIORITY: u8 = 2;
const PUSH_PROMISE: u8 = 5;
const WINDOW_UPDATE: u8 = 8;

const ACK: u8 = 1;
const PADDED: u8 = 8;
const WITH_PRIORITY: u8 = 32;

/// Fields that every request has.
const HEAD: [(&str, &str); 4] =
    [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "a.example")];

/// The library has this code for every connection that it ends for what came on it. All that was asked is lost either way.
const ONE_CODE: &str = "the library says PROTOCOL_ERROR whatever it was";
/// §5.4: who is that wrong about one stream has none of the others answered.
const WHOLE_CONNECTION: &str = "the library ends the connection where the stream would be enough";
const STREAM_ALONE: &str = "the library has forgotten the stream, resets it once more and goes on";
const REFUSED_HERE: &str = "the library lets it pass, and it is refused like one of HTTP/1.1";

const fn case(name: &'static str, comes: Comes, does: fn(&mut Frames)) -> Case {
    Case { name, does, comes, instead_of: None }
}

/// One in which something else comes than is asked for.
const fn differs(
    name: &'static str,
    asked: Comes,
    comes: Comes,
    why: &'static str,
    does: fn(&mut Frames),
) -> Case {
    Case { name, does, comes, instead_of: Some((asked, why)) }
}

/// Plays each of them on a connection of its own, and another client afterwards. Gives how many requests the upstream
/// got whole.
fn check(cases: &[Case]) -> usize {
    let control = Origin::scripted(|line| {
        while let Some(request) = line.request() {
            if request.first_line().contains("/hang") {
                return line.wait_for_end();
            }
            line.send(ok("x"));
        }
    });
    let proxy = Proxy::to(&control);
    let mut wrong = Vec::new();
    for Case { name, does, comes, instead_of } in cases {
        assert!(instead_of.is_none_or(|(asked, _)| asked != *comes), "{name} does not differ");
        let mut frames = Frames::connect(proxy.address);
        does(&mut frames);
        let came = outcome(&mut frames, *comes);
        if came != *comes {
            wrong.push(format!("{name}: {came:?} came instead of {comes:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let received = control.received().len();
    assert_eq!(proxy.client().get("/").text(), "x", "another client is not served any more");
    received
}

/// Nothing that was refused has reached the upstream as a request.
fn check_that_only_answers_were_forwarded(cases: &[Case]) {
    let answers = cases.iter().filter(|case| case.comes == Comes::Answer(200)).count();
    assert_eq!(check(cases), answers);
}

/// What came of it, by the time that two pings are answered: what one is sent with may come behind it.
fn outcome(frames: &mut Frames, expected: Comes) -> Comes {
    const QUESTIONS: [&[u8; 8]; 2] = [b"question", b"followup"];
    const NO_ERROR: u32 = 0;
    let is_last = matches!(expected, Comes::LastAnswer(_));
    let is_answer = is_last || matches!(expected, Comes::Answer(_));
    let mut questions = QUESTIONS.iter();
    let mut asked = questions.next();
    let mut came = Comes::Nothing;
    frames.try_send(PING, 0, 0, QUESTIONS[0]);
    while asked.is_some() || (is_answer && came == Comes::Nothing) {
        let Some(frame) = frames.next() else {
            return if matches!(came, Comes::End(_) | Comes::LastAnswer(_)) { came } else { Comes::Silence };
        };
        match (frame.kind, frame.stream) {
            (GOAWAY, _) if is_last && frame.code() == NO_ERROR => {}
            (GOAWAY, _) => came = Comes::End(frame.code()),
            (RST_STREAM, 1) => came = Comes::Reset(frame.code()),
            (HEADERS, 1) if is_last => came = Comes::LastAnswer(status(&frame.payload)),
            (HEADERS, 1) => came = Comes::Answer(status(&frame.payload)),
            (PING, _) if asked.is_some_and(|asked| frame.flags == ACK && frame.payload == asked[..]) => {
                asked = questions.next();
                if let Some(asked) = asked {
                    frames.try_send(PING, 0, 0, *asked);
                }
            }
            _ => {}
        }
    }
    came
}

/// Of those that the table of RFC 7541 appendix A has.
fn status(head: &[u8]) -> u16 {
    match head.first() {
        Some(0x88) => 200,
        Some(0x8c) => 400,
        // Not in the table: a literal, "405" in the code of RFC 7541 appendix B.
        Some(0x48) if head[1..].starts_with(&[0x83, 0x68, 0x0d, 0xff]) => 405,
        _ => 0,
    }
}

fn put(frames: &mut Frames, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
    // The connection may be closed by now, as it should be.
    frames.try_send(kind, flags, stream, payload);
}

/// A whole request, in one frame.
fn request(frames: &mut Frames, stream: u32) {
    put(frames, HEADERS, END_HEADERS | END_STREAM, stream, &block(&HEAD));
}

/// One that is not answered.
fn hung(frames: &mut Frames, stream: u32) {
    let head = with(":path", "/hang");
    put(frames, HEADERS, END_HEADERS | END_STREAM, stream, &block(&head));
}

/// The head of one that has a body.
fn open(frames: &mut Frames, stream: u32) {
    put(frames, HEADERS, END_HEADERS, stream, &block(&with(":method", "POST")));
}

/// The fields that every request has, one of them with another value.
fn with(name: &'static str, value: &'static str) -> Vec<(&'static str, &'static str)> {
    HEAD.iter().map(|field| if field.0 == name { (name, value) } else { *field }).collect()
}

/// Those and others.
fn and(fields: &[(&'static str, &'static str)]) -> Vec<(&'static str, &'static str)> {
    HEAD.iter().chain(fields).copied().collect()
}

/// A request with exactly these fields.
fn head(frames: &mut Frames, fields: &[(&str, &str)]) {
    put(frames, HEADERS, END_HEADERS | END_STREAM, 1, &block(fields));
}

/// Until a stream has been answered to its end.
fn answered(frames: &mut Frames, stream: u32) {
    while let Some(frame) = frames.next() {
        if frame.stream == stream && frame.flags & END_STREAM != 0 && frame.kind < PRIORITY {
            return;
        }
    }
}
