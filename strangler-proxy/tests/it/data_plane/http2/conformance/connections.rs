//! Settings, pings, the preface and the end (§3.4, §6.5, §6.7, §6.8).

use super::Comes::{End, LastAnswer, Nothing};
use super::{
    ACK, Case, FLOW_CONTROL_ERROR, FRAME_SIZE_ERROR, ONE_CODE, PROTOCOL_ERROR, WINDOW_UPDATE, case, check,
    differs, put, request,
};
use crate::data_plane::h2_frames::{DATA, END_STREAM, Frames, GOAWAY, HEADERS, PING, PREFACE, SETTINGS};
use crate::data_plane::origin::{Origin, ok};
use crate::data_plane::proxy::Proxy;

const ENABLE_PUSH: u16 = 2;
const INITIAL_WINDOW_SIZE: u16 = 4;
const MAX_FRAME_SIZE: u16 = 5;

fn setting(id: u16, value: u32) -> Vec<u8> {
    [&id.to_be_bytes()[..], &value.to_be_bytes()].concat()
}

fn settings(frames: &mut Frames, id: u16, value: u32) {
    put(frames, SETTINGS, 0, 0, &setting(id, value));
}

const CASES: &[Case] = &[
    differs(
        "6.5 SETTINGS: an ACK with a payload",
        End(FRAME_SIZE_ERROR),
        End(PROTOCOL_ERROR),
        ONE_CODE,
        |frames| {
            put(frames, SETTINGS, ACK, 0, &[0; 6]);
        },
    ),
    case("6.5 SETTINGS: on a stream", End(PROTOCOL_ERROR), |frames| put(frames, SETTINGS, 0, 1, b"")),
    differs("6.5 SETTINGS: half a setting", End(FRAME_SIZE_ERROR), End(PROTOCOL_ERROR), ONE_CODE, |frames| {
        put(frames, SETTINGS, 0, 0, &[0, 3, 0]);
    }),
    case("6.5.2 ENABLE_PUSH: neither 0 nor 1", End(PROTOCOL_ERROR), |frames| {
        settings(frames, ENABLE_PUSH, 2);
    }),
    differs(
        "6.5.2 INITIAL_WINDOW_SIZE: over 2^31-1",
        End(FLOW_CONTROL_ERROR),
        End(PROTOCOL_ERROR),
        ONE_CODE,
        |frames| {
            settings(frames, INITIAL_WINDOW_SIZE, 1 << 31);
        },
    ),
    case("6.5.2 MAX_FRAME_SIZE: under 2^14", End(PROTOCOL_ERROR), |frames| {
        settings(frames, MAX_FRAME_SIZE, (1 << 14) - 1);
    }),
    case("6.5.2 MAX_FRAME_SIZE: over 2^24-1", End(PROTOCOL_ERROR), |frames| {
        settings(frames, MAX_FRAME_SIZE, 1 << 24);
    }),
    case("6.5.2 one that is not known", Nothing, |frames| settings(frames, 0xabcd, 7)),
    case("6.7 PING: on a stream", End(PROTOCOL_ERROR), |frames| put(frames, PING, 0, 1, &[0; 8])),
    differs("6.7 PING: too short", End(FRAME_SIZE_ERROR), End(PROTOCOL_ERROR), ONE_CODE, |frames| {
        put(frames, PING, 0, 0, &[0; 6]);
    }),
    differs("6.7 PING: too long", End(FRAME_SIZE_ERROR), End(PROTOCOL_ERROR), ONE_CODE, |frames| {
        put(frames, PING, 0, 0, &[0; 9]);
    }),
    case("6.7 PING: an ACK that nobody asked for", Nothing, |frames| put(frames, PING, ACK, 0, &[7; 8])),
    case("6.8 GOAWAY: on a stream", End(PROTOCOL_ERROR), |frames| put(frames, GOAWAY, 0, 1, &[0; 8])),
    differs("6.8 GOAWAY: too short", End(FRAME_SIZE_ERROR), End(PROTOCOL_ERROR), ONE_CODE, |frames| {
        put(frames, GOAWAY, 0, 0, &[0; 7]);
    }),
    case("6.8 GOAWAY: of an error that nobody knows", LastAnswer(200), |frames| {
        request(frames, 1);
        put(frames, GOAWAY, 0, 0, &[0, 0, 0, 0, 0xde, 0xad, 0xbe, 0xef]);
    }),
];

#[test]
fn what_is_said_of_a_connection_is_judged_as_rfc_9113_asks() {
    check(CASES);
}

#[test]
fn settings_are_acknowledged_and_pings_answered_with_what_they_brought() {
    let control = Origin::saying("x");
    let proxy = Proxy::to(&control);
    let mut frames = Frames::connect(proxy.address);
    while frames.until(&[SETTINGS]).flags & ACK == 0 {}
    frames.send(PING, 0, 0, b"\0\x01\xfe\xff\x7f345");
    let pong = frames.until(&[PING]);
    assert_eq!((pong.flags, pong.payload.as_slice()), (ACK, &b"\0\x01\xfe\xff\x7f345"[..]));
}

/// §6.9.2: the window of open streams changes with the setting, also to less than nothing.
#[test]
fn a_response_keeps_to_the_window_that_the_client_names_last() {
    let control = Origin::new(|_| ok("0123456789"));
    let proxy = Proxy::to(&control);
    let mut frames = Frames::connect(proxy.address);
    // §6.5.3: of several values of one setting the last one holds.
    frames.send(SETTINGS, 0, 0, &[setting(INITIAL_WINDOW_SIZE, 9), setting(INITIAL_WINDOW_SIZE, 4)].concat());
    request(&mut frames, 1);
    let mut body = frames.until(&[DATA]).payload;
    assert_eq!(body, b"0123");
    // Two less than nothing are left.
    settings(&mut frames, INITIAL_WINDOW_SIZE, 2);
    frames.send(WINDOW_UPDATE, 0, 1, &3_u32.to_be_bytes());
    let one = frames.until(&[DATA]).payload;
    assert_eq!(one, b"4");
    body.extend(one);
    settings(&mut frames, INITIAL_WINDOW_SIZE, 100);
    loop {
        let rest = frames.until(&[DATA]);
        body.extend(rest.payload);
        if rest.flags & END_STREAM != 0 {
            break;
        }
    }
    assert_eq!(body, b"0123456789");
}

/// §5.4.1: the code comes, and then the end of the connection.
#[test]
fn an_error_ends_the_connection_also_under_requests() {
    let control = Origin::scripted(|line| {
        line.request();
        line.wait_for_end();
    });
    let proxy = Proxy::to(&control);
    let mut frames = Frames::connect(proxy.address);
    for stream in [1, 3, 5] {
        request(&mut frames, stream);
    }
    put(&mut frames, PING, 0, 7, &[0; 8]);
    let told = frames.until(&[GOAWAY]);
    assert_eq!(told.code(), PROTOCOL_ERROR);
    assert!(std::iter::from_fn(|| frames.next()).all(|frame| frame.kind != HEADERS));
}

/// §3.4.
#[test]
fn a_preface_that_is_none_is_not_http_2() {
    let control = Origin::saying("x");
    let proxy = Proxy::to(&control);
    let mut client = proxy.client();
    client.send("PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n");
    assert_eq!(client.response().status, 400);
    let mut frames = Frames::silent(proxy.address);
    frames.raw(&[&PREFACE[..20], b"XM\r\n"].concat());
    assert!(std::iter::from_fn(|| frames.next()).all(|frame| frame.kind != HEADERS));
    // The library does not ask that settings come first, and nothing depends on them.
    let mut frames = Frames::silent(proxy.address);
    frames.raw(PREFACE);
    request(&mut frames, 1);
    assert_eq!(frames.until(&[HEADERS, GOAWAY]).kind, HEADERS);
}
