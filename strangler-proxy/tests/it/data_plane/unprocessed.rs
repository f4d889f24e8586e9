//! What an upstream of HTTP/2 has not processed, and says so (RFC 9113 §8.7), is sent again; nothing else that is unsafe is.

use std::sync::{Arc, Mutex};

use diff_harness::lifecycle::Stage;
use strangler_proxy::data_plane::upstream::Protocol;

use super::h2_frames::{Frames, GOAWAY, RST_STREAM};
use super::h2_frames_origin::{FramesOrigin, Line};
use super::origin::Origin;
use super::proxy::{Plan, Proxy};

const POST: &str = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc";

const NO_ERROR: u32 = 0;
const PROTOCOL_ERROR: u32 = 1;
const INTERNAL_ERROR: u32 = 2;
const REFUSED_STREAM: u32 = 7;
const CANCEL: u32 = 8;
const ENHANCE_YOUR_CALM: u32 = 11;

fn proxy(origin: &FramesOrigin) -> Proxy {
    Plan::new(origin.address).with(|config| config.control.protocol = Protocol::Http2).start()
}

fn goaway(frames: &mut Frames, last: u32, code: u32) {
    frames.try_send(GOAWAY, 0, 0, &[last.to_be_bytes(), code.to_be_bytes()].concat());
}

fn reset(frames: &mut Frames, stream: u32, code: u32) {
    frames.try_send(RST_STREAM, 0, stream, &code.to_be_bytes());
}

/// Does this to the first request, and answers every other one. Gives the bodies that were answered.
fn after(first: impl Fn(&mut Line, u32) + Send + Sync + 'static) -> (FramesOrigin, Arc<Mutex<Vec<Vec<u8>>>>) {
    let answered = Arc::new(Mutex::new(Vec::new()));
    let bodies = Arc::clone(&answered);
    let origin = FramesOrigin::new(move |number, line| {
        if number == 0 {
            let Some(stream) = line.head() else { return };
            first(line, stream);
        }
        while let Some(stream) = line.head() {
            let body = line.body(stream);
            bodies.lock().unwrap().push(body);
            line.answer(stream);
        }
    });
    (origin, answered)
}

#[test]
fn an_unsafe_request_is_sent_again_when_it_was_not_processed_and_only_then() {
    type Manner = fn(&mut Line, u32);
    let manners: &[(&str, bool, Manner)] = &[
        ("REFUSED_STREAM", true, |line, stream| reset(&mut line.frames, stream, REFUSED_STREAM)),
        ("REFUSED_STREAM, after all of it came", true, |line, stream| {
            line.body(stream);
            reset(&mut line.frames, stream, REFUSED_STREAM);
        }),
        ("GOAWAY that leaves it out", true, |line, _| goaway(&mut line.frames, 0, NO_ERROR)),
        ("GOAWAY of an error that leaves it out", true, |line, _| {
            goaway(&mut line.frames, 0, ENHANCE_YOUR_CALM);
            line.frames.close();
        }),
        ("GOAWAY that takes it in, and the end", false, |line, stream| {
            goaway(&mut line.frames, stream, NO_ERROR);
            line.frames.close();
        }),
        ("GOAWAY of an error that takes it in, and the end", false, |line, stream| {
            goaway(&mut line.frames, stream, INTERNAL_ERROR);
            line.frames.close();
        }),
        ("GOAWAY that takes all in, and a reset of another kind", false, |line, stream| {
            goaway(&mut line.frames, i32::MAX as u32, NO_ERROR);
            reset(&mut line.frames, stream, CANCEL);
        }),
        ("CANCEL", false, |line, stream| reset(&mut line.frames, stream, CANCEL)),
        ("INTERNAL_ERROR", false, |line, stream| reset(&mut line.frames, stream, INTERNAL_ERROR)),
        ("PROTOCOL_ERROR", false, |line, stream| reset(&mut line.frames, stream, PROTOCOL_ERROR)),
        ("a frame that breaks the connection", false, |line, stream| {
            // A window update of nothing.
            line.frames.try_send(8, 0, 0, &[0; 4]);
            line.body(stream);
        }),
        ("the end of the connection", false, |line, _| line.frames.close()),
        ("the end of the connection, after all of it came", false, |line, stream| {
            line.body(stream);
            line.frames.close();
        }),
    ];
    for (what, again, manner) in manners {
        let (origin, answered) = after(manner);
        let proxy = proxy(&origin);
        let mut client = proxy.client();
        client.send(POST);
        let response = client.response();
        if *again {
            assert_eq!((response.status, origin.asked()), (200, 2), "{what}");
            assert_eq!(*answered.lock().unwrap(), [b"abc"], "{what}");
        } else {
            assert_eq!(response.status, 502, "{what}");
            assert_eq!(origin.asked(), 1, "{what}");
            assert_eq!(*answered.lock().unwrap(), [] as [Vec<u8>; 0], "{what}");
        }
    }
}

#[test]
fn a_body_that_is_still_coming_is_sent_again_whole_with_its_trailers() {
    let (origin, answered) = after(|line, stream| {
        while line.frames.next().is_some_and(|frame| frame.payload != b"abc") {}
        reset(&mut line.frames, stream, REFUSED_STREAM);
    });
    let proxy = proxy(&origin);
    let mut client = proxy.client();
    client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
    crate::shadow::rig::eventually(|| origin.asked() == 2);
    client.send("3\r\ndef\r\n0\r\n\r\n");
    assert_eq!(client.response().status, 200);
    assert_eq!(*answered.lock().unwrap(), [b"abcdef"]);
}

#[test]
fn an_unsafe_request_of_which_too_much_was_sent_to_be_kept_is_not_sent_again() {
    const LARGE: usize = 100_000;
    let (origin, answered) = after(|line, stream| {
        // All that the proxy may send, and then some: it has taken all of the body by then.
        line.frames.try_send(8, 0, 0, &1_000_000_u32.to_be_bytes());
        line.frames.try_send(8, 0, stream, &1_000_000_u32.to_be_bytes());
        line.body(stream);
        reset(&mut line.frames, stream, REFUSED_STREAM);
    });
    let proxy = proxy(&origin);
    let mut client = proxy.client();
    client.send(format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {LARGE}\r\n\r\n"));
    client.send(vec![b'x'; LARGE]);
    assert_eq!(client.response().reason(), "upstream_closed");
    assert_eq!((origin.asked(), answered.lock().unwrap().len()), (1, 0));
}

#[test]
fn an_upstream_that_only_refuses_is_asked_twice() {
    let origin = FramesOrigin::new(|_, line| {
        while let Some(stream) = line.head() {
            reset(&mut line.frames, stream, REFUSED_STREAM);
        }
    });
    let proxy = proxy(&origin);
    for (request, asked) in [(POST, 2), ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", 4)] {
        let mut client = proxy.client();
        client.send(request);
        assert_eq!(client.response().reason(), "upstream_closed");
        assert_eq!(origin.asked(), asked);
    }
}

/// What the candidate has not processed is control's to answer, as what it never got is.
#[test]
fn control_answers_for_a_candidate_that_has_not_processed_a_write() {
    let control = Origin::saying("by control");
    let candidate = FramesOrigin::new(|_, line| {
        while let Some(stream) = line.head() {
            line.body(stream);
            reset(&mut line.frames, stream, REFUSED_STREAM);
        }
    });
    let proxy = Plan::new(control.address)
        .candidate_at(candidate.address)
        .endpoint("POST /", Stage::Live)
        .with(|config| config.candidate.as_mut().unwrap().protocol = Protocol::Http2)
        .start();
    let mut client = proxy.client();
    client.send(POST);
    assert_eq!(client.response().text(), "by control");
    assert_eq!((control.only().body.as_slice(), candidate.asked()), (&b"abc"[..], 2));
}
