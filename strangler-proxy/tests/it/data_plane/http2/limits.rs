//! Clients of HTTP/2 that take too long, ask for too much, or leave.

use std::time::Duration;

use bytes::Bytes;
use diff_harness::lifecycle::Stage;
use h2::Reason;
use h2::client::Builder;
use http::{Method, Request, StatusCode};

use super::client::{Http2, get};
use crate::data_plane::h2_frames::{DATA, Frames, GOAWAY, HEADERS, PING, RST_STREAM, SETTINGS};
use crate::data_plane::origin::{Origin, ok};
use crate::data_plane::proxy::{Plan, Proxy};
use crate::shadow::rig::eventually;

/// Where only the end of it is waited for.
const TINY: Duration = Duration::from_millis(20);
/// Where something has to be done before its end, also on a machine that has much else to do.
const SHORT: Duration = Duration::from_millis(500);

fn post() -> Request<()> {
    Request::builder().method(Method::POST).uri("http://a.example/").body(()).unwrap()
}

/// Every stream has timeouts of its own.
#[test]
fn a_hung_upstream_is_a_504_for_its_stream_alone() {
    let control = Origin::saying("fine");
    let hung = Origin::scripted(|line| {
        line.request();
        line.wait_for_end();
    });
    let proxy = Plan::new(control.address)
        .candidate(&hung)
        .endpoint("GET /hang", Stage::Retired)
        .with(|config| config.candidate.as_mut().unwrap().head_timeout = SHORT)
        .start();
    let mut client = Http2::connect(proxy.address);
    let asked: Vec<_> = (0..3).map(|_| client.ask(get("/hang"), true)).collect();
    assert_eq!(client.get("/").text(), "fine");
    for asked in asked {
        let response = client.response(asked).unwrap();
        assert_eq!((response.status.as_u16(), response.reason().as_str()), (504, "upstream_timeout"));
        assert!(!response.headers.contains_key("connection"));
    }
    assert_eq!(client.get("/").text(), "fine");
    // Those on which nothing came are not used again.
    eventually(|| hung.finished() == hung.connections());
}

#[test]
fn a_slow_request_body_is_a_408_for_its_stream_alone() {
    let control = Origin::scripted(|line| while line.request().is_some_and(|_| line.send(ok("fine"))) {});
    let proxy = Plan::new(control.address).with(|config| config.timeouts.body = TINY).start();
    let mut client = Http2::connect(proxy.address);
    let mut slow = client.ask(post(), false);
    slow.body.send_data(Bytes::from_static(b"abc"), false).unwrap();
    let response = client.response(slow).unwrap();
    assert_eq!((response.status.as_u16(), response.reason().as_str()), (408, "body_timeout"));
    assert_eq!(client.get("/").text(), "fine");
}

#[test]
fn a_body_over_the_limit_is_refused() {
    let control = Origin::scripted(|line| while line.request().is_some_and(|_| line.send(ok("fine"))) {});
    let proxy = Plan::new(control.address).with(|config| config.limits.body_bytes_max = 10).start();
    let mut client = Http2::connect(proxy.address);
    let mut large = client.ask(post(), false);
    large.body.send_data(Bytes::from_static(b"more than ten"), false).unwrap();
    let response = client.response(large).unwrap();
    assert_eq!((response.status.as_u16(), response.reason().as_str()), (413, "body_too_large"));
    assert_eq!(client.get("/").text(), "fine");
}

/// Its window is closed, and the library would wait for ever.
#[test]
fn a_stream_that_its_client_does_not_read_is_reset_and_the_others_go_on() {
    let control = Origin::new(|request| {
        if request.first_line().contains("/large") { ok(&"x".repeat(1 << 20)) } else { ok("fine") }
    });
    let proxy = Plan::new(control.address).with(|config| config.timeouts.write = SHORT).start();
    let mut client = Http2::with(proxy.address, Builder::new().initial_window_size(1000));
    let asked = client.ask(get("/large"), true);
    let (head, mut body) = client.head(asked);
    assert_eq!(head.status, StatusCode::OK);
    assert_eq!(client.get("/").text(), "fine");
    let end = client.wait(async {
        loop {
            match body.data().await {
                Some(Ok(_)) => {}
                end => break end,
            }
        }
    });
    assert_eq!(end.unwrap().unwrap_err().reason(), Some(Reason::CANCEL));
    assert_eq!(client.get("/").text(), "fine");
}

/// One that reads slowly, but does, gets all of it.
#[test]
fn a_client_that_reads_in_small_windows_gets_all() {
    let control = Origin::new(|_| ok(&"x".repeat(200_000)));
    let proxy = Proxy::to(&control);
    let mut client = Http2::with(proxy.address, Builder::new().initial_window_size(1000));
    assert_eq!(client.get("/").body.len(), 200_000);
}

/// It takes nothing at all from its socket.
#[test]
fn a_connection_that_takes_nothing_is_reset() {
    let control = Origin::new(|_| ok(&"x".repeat(1 << 20)));
    let proxy = Plan::new(control.address).with(|config| config.timeouts.write = TINY).start();
    let mut frames = Frames::connect(proxy.address);
    // Windows as wide as they may be: what holds the responses back is the socket alone.
    frames.send(SETTINGS, 0, 0, &[0, 4, 0x7f, 0xff, 0xff, 0xff]);
    frames.send(8, 0, 0, &0x7ff0_0000_u32.to_be_bytes());
    for stream in 0..40 {
        frames.head(1 + 2 * stream, "GET", &[], true);
    }
    // Ends when the proxy has reset the connection, and not before.
    while frames.try_send(PING, 0, 0, &[0; 8]) {}
    drop(proxy);
}

#[test]
fn an_idle_connection_is_told_and_closed() {
    let control = Origin::saying("x");
    let proxy = Plan::new(control.address).with(|config| config.timeouts.idle = SHORT).start();
    let mut client = Http2::connect(proxy.address);
    assert_eq!(client.get("/").text(), "x");
    assert!(client.end().is_ok());
    let mut silent = Frames::connect(proxy.address);
    assert_eq!(silent.until(&[GOAWAY]).code(), 0);
}

/// A request that takes longer than a connection may be idle.
#[test]
fn a_connection_with_a_request_is_not_idle() {
    let (go, gate) = std::sync::mpsc::channel::<()>();
    let gate = std::sync::Mutex::new(gate);
    let control = Origin::scripted(move |line| {
        line.request();
        gate.lock().unwrap().recv().unwrap();
        line.send(ok("late"));
    });
    let proxy = Plan::new(control.address).with(|config| config.timeouts.idle = SHORT).start();
    let mut client = Http2::connect(proxy.address);
    let asked = client.ask(get("/"), true);
    eventually(|| control.received().len() == 1);
    // One that began later was closed for being idle meanwhile.
    Frames::connect(proxy.address).until(&[GOAWAY]);
    go.send(()).unwrap();
    assert_eq!(client.response(asked).unwrap().text(), "late");
}

#[test]
fn a_client_that_only_begins_its_preface_is_closed() {
    let control = Origin::saying("");
    let proxy = Plan::new(control.address).with(|config| config.timeouts.head = TINY).start();
    let mut frames = Frames::silent(proxy.address);
    frames.raw(b"PRI * HTTP/2.0\r\n\r\nSM");
    assert!(std::iter::from_fn(|| frames.next()).all(|frame| frame.kind == SETTINGS || frame.kind == GOAWAY));
}

#[test]
fn a_client_that_does_not_answer_a_ping_is_closed() {
    let control = Origin::saying("");
    let proxy = Plan::new(control.address)
        .with(|config| {
            config.http2.ping_interval = TINY;
            config.http2.ping_timeout = TINY;
        })
        .start();
    let mut frames = Frames::connect(proxy.address);
    frames.until(&[PING]);
    while frames.next().is_some() {}
}

#[test]
fn a_head_over_the_limit_is_a_431() {
    let control = Origin::saying("fine");
    let proxy = Plan::new(control.address).with(|config| config.limits.head_bytes_max = 9000).start();
    let mut client = Http2::connect(proxy.address);
    for bytes in [10_000, 20_000] {
        let large = Request::get("http://a/").header("x", "y".repeat(bytes)).body(()).unwrap();
        let asked = client.ask(large, true);
        let response = client.wait(asked.response).unwrap();
        assert_eq!(response.status(), StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "{bytes}");
    }
    assert_eq!(client.get("/").text(), "fine");
}

#[test]
fn more_streams_than_allowed_are_refused() {
    let control = Origin::scripted(|line| {
        line.request();
        line.wait_for_end();
    });
    let proxy = Plan::new(control.address).with(|config| config.http2.streams_max = 2).start();
    let mut frames = Frames::connect(proxy.address);
    for stream in [1, 3, 5] {
        frames.head(stream, "GET", &[], true);
    }
    let refused = frames.until(&[RST_STREAM, GOAWAY]);
    // REFUSED_STREAM: it may be sent again.
    assert_eq!((refused.kind, refused.stream, refused.code()), (RST_STREAM, 5, 7));
    eventually(|| control.received().len() == 2);
}

/// What a client sends that nobody wants does not fill the window for the streams that are wanted.
#[test]
fn a_body_that_nobody_reads_does_not_block_the_connection() {
    let control = Origin::saying("fine");
    let proxy = Plan::new(control.address)
        .with(|config| {
            config.limits.body_bytes_max = 10;
            config.http2.connection_window = 65_535;
        })
        .start();
    let mut frames = Frames::connect(proxy.address);
    for stream in (0..20).map(|n| 1 + 2 * n) {
        frames.head(stream, "POST", &[], false);
        frames.send(DATA, 0, stream, &[b'x'; 16_000]);
        let answer = frames.until(&[HEADERS, GOAWAY]);
        assert_eq!((answer.kind, answer.stream), (HEADERS, stream));
    }
    assert!(control.received().is_empty());
}
