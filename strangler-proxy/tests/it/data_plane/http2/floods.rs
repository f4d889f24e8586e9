//! Clients of HTTP/2 that make more work than they ask for: their connection ends, is counted, and others are served.

use strangler_proxy::data_plane::{DataPlaneConfig, TurnedAway};

use super::client::Http2;
use crate::data_plane::h2_frames::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, Frames, GOAWAY, HEADERS, PING, RST_STREAM, SETTINGS, block,
    bytes,
};
use crate::data_plane::origin::{Origin, ok};
use crate::data_plane::proxy::{Plan, Proxy};
use crate::shadow::rig::eventually;

const ENHANCE_YOUR_CALM: u32 = 11;
const PRIORITY: u8 = 2;
const WINDOW_UPDATE: u8 = 8;
const UNKNOWN: u8 = 0xfa;

const HEAD: [(&str, &str); 4] =
    [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "a")];

/// Sends all of it to a proxy, whose upstream never answers, and gives the code with which the connection ended.
fn flood(change: impl FnOnce(&mut DataPlaneConfig) + 'static, flood: Vec<u8>) -> (Option<u32>, Proxy) {
    let control = Origin::scripted(|line| {
        if line.request().is_some_and(|request| request.first_line().contains("/well")) {
            line.send(ok("well"));
            return;
        }
        line.wait_for_end();
    });
    let proxy = Plan::new(control.address).with(change).start();
    let mut frames = Frames::connect(proxy.address);
    let mut writing = frames.try_clone();
    let writer = std::thread::spawn(move || writing.try_raw(&flood));
    let mut code = None;
    while let Some(frame) = frames.next() {
        if frame.kind == GOAWAY {
            code = Some(frame.code());
        }
    }
    drop(frames);
    writer.join().unwrap();
    assert_eq!(Http2::connect(proxy.address).get("/well").text(), "well");
    eventually(|| proxy.snapshot().pending() == 0);
    (code, proxy)
}

fn turned_away(proxy: &Proxy) -> Vec<(TurnedAway, u64)> {
    proxy.plane().counts().turned_away().collect()
}

/// Each of them has to be looked at, and many are answered: CVE-2019-9512 (PING), 9515 (SETTINGS), 9518 (empty DATA).
#[test]
fn frames_that_ask_for_nothing_end_the_connection() {
    const MORE_THAN_ENOUGH: usize = 3000;
    let open = bytes(HEADERS, END_HEADERS, 1, &block(&HEAD));
    for (what, before, frame) in [
        ("PING", vec![], bytes(PING, 0, 0, &[0; 8])),
        ("SETTINGS", vec![], bytes(SETTINGS, 0, 0, &[0, 3, 0, 0, 0, 9])),
        ("empty SETTINGS", vec![], bytes(SETTINGS, 0, 0, b"")),
        ("an ACK of a PING", vec![], bytes(PING, 1, 0, &[0; 8])),
        ("PRIORITY", vec![], bytes(PRIORITY, 0, 1, &[0, 0, 0, 3, 9])),
        ("WINDOW_UPDATE", vec![], bytes(WINDOW_UPDATE, 0, 0, &1_u32.to_be_bytes())),
        ("WINDOW_UPDATE of a stream", open.clone(), bytes(WINDOW_UPDATE, 0, 1, &1_u32.to_be_bytes())),
        ("an unknown kind", vec![], bytes(UNKNOWN, 0, 0, b"")),
        ("empty DATA", open, bytes(DATA, 0, 1, b"")),
    ] {
        let (code, proxy) = flood(|_| {}, [before, frame.repeat(MORE_THAN_ENOUGH)].concat());
        assert_eq!(code, Some(ENHANCE_YOUR_CALM), "{what}");
        assert_eq!(turned_away(&proxy), [(TurnedAway::Http2Flood, 1)], "{what}");
    }
}

#[test]
fn frames_that_requests_account_for_are_no_flood() {
    let control = Origin::saying("x");
    let proxy = Plan::new(control.address).with(|config| config.http2.idle_frames_max = 10).start();
    let mut frames = Frames::connect(proxy.address);
    for stream in (0..20).map(|n| 1 + 2 * n) {
        frames.head(stream, "GET", &[], true);
        while frames.until(&[DATA]).flags & END_STREAM == 0 {}
        for _ in 0..20 {
            frames.send(PING, 0, 0, &[0; 8]);
        }
    }
    // All 400 of them, of which ten would be enough without requests.
    assert_eq!(turned_away(&proxy), []);
}

/// CVE-2023-44487: requests that are taken back as soon as they are made.
#[test]
fn requests_that_are_taken_back_end_the_connection() {
    let control = Origin::scripted(|line| {
        line.request();
        line.wait_for_end();
    });
    let proxy = Plan::new(control.address).with(|config| config.http2.resets_max = 10).start();
    let mut frames = Frames::connect(proxy.address);
    let mut stream = 1;
    let closed = loop {
        // One by one, so that each is seen as a request before it is taken back.
        let arrived = control.connections();
        frames.head(stream, "GET", &[], true);
        eventually(|| control.connections() > arrived || !turned_away(&proxy).is_empty());
        if !frames.try_send(RST_STREAM, 0, stream, &8_u32.to_be_bytes()) || stream > 100 {
            break stream;
        }
        eventually(|| proxy.snapshot().pending() == 0);
        if !turned_away(&proxy).is_empty() {
            break stream;
        }
        stream += 2;
    };
    assert!(closed < 100, "still open after {closed}");
    assert_eq!(turned_away(&proxy), [(TurnedAway::Http2Resets, 1)]);
    let told = frames.until(&[GOAWAY]);
    assert_eq!(told.code(), ENHANCE_YOUR_CALM);
    eventually(|| control.finished() == control.connections());
}

#[test]
fn requests_that_are_taken_back_before_they_are_looked_at_end_the_connection() {
    let head = block(&HEAD);
    let pair = |stream| {
        let mut pair = bytes(HEADERS, END_HEADERS | END_STREAM, stream, &head);
        pair.extend(bytes(RST_STREAM, 0, stream, &8_u32.to_be_bytes()));
        pair
    };
    let (code, proxy) = flood(|_| {}, (0..5000).flat_map(|n| pair(1 + 2 * n)).collect());
    assert_eq!(code, Some(ENHANCE_YOUR_CALM));
    // Which of the limits comes first is a matter of how much is read at once.
    assert_eq!(turned_away(&proxy).iter().map(|(_, times)| times).sum::<u64>(), 1);
}

/// CVE-2025-8671: the client has the proxy itself reset what the client began, by frames that are wrong about a stream.
#[test]
fn streams_that_have_to_be_reset_end_the_connection() {
    const WINDOW_MAX: u32 = (1 << 31) - 1;
    let head = block(&HEAD);
    let pair = |stream| {
        let mut pair = bytes(HEADERS, END_HEADERS | END_STREAM, stream, &head);
        pair.extend(bytes(WINDOW_UPDATE, 0, stream, &WINDOW_MAX.to_be_bytes()));
        pair
    };
    let (code, proxy) = flood(|_| {}, (0..2000).flat_map(|n| pair(1 + 2 * n)).collect());
    assert_eq!(code, Some(ENHANCE_YOUR_CALM));
    assert_eq!(turned_away(&proxy).iter().map(|(_, times)| times).sum::<u64>(), 1);
}

/// CVE-2024-27316: a head that never ends.
#[test]
fn a_head_without_an_end_ends_the_connection() {
    let value = "y".repeat(100);
    for filler in [vec![], block(&[("x", value.as_str()); 100])] {
        let mut all = bytes(HEADERS, END_STREAM, 1, &block(&HEAD));
        all.extend(bytes(CONTINUATION, 0, 1, &filler).repeat(500_000 / (9 + filler.len())));
        let (code, proxy) = flood(|_| {}, all);
        assert_eq!(code, Some(ENHANCE_YOUR_CALM), "{}", filler.len());
        assert_eq!(turned_away(&proxy), [(TurnedAway::Http2Flood, 1)]);
    }
}

/// One field is put into the table, and named again in a byte each time: 16 KiB become 64 MiB.
#[test]
fn a_head_that_unpacks_to_far_more_than_came_is_not_unpacked() {
    const TABLE_FIELD: u8 = 0xbe;
    let mut head = block(&HEAD);
    let value = [b'y'; 4000];
    // With indexing, a new name of one byte, a value of 4000 bytes (RFC 7541 §6.2.1).
    head.extend([0x40, 1, b'x', 0x7f, 0xa1, 0x1e]);
    head.extend(value);
    head.extend([TABLE_FIELD; 12_000]);
    let control = Origin::saying("well");
    let proxy = Proxy::to(&control);
    let mut frames = Frames::connect(proxy.address);
    frames.send(HEADERS, END_HEADERS | END_STREAM, 1, &head);
    while let Some(frame) = frames.next() {
        assert_ne!(frame.kind, HEADERS, "it was answered");
    }
    assert_eq!(control.received(), []);
    assert_eq!(Http2::connect(proxy.address).get("/").text(), "well");
}
