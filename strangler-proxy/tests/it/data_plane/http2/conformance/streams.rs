//! The states and numbers of streams, and flow control (§5.1, §5.3, §6.9).

use super::Comes::{Answer, End, Nothing, Reset};
use super::{
    Case, FLOW_CONTROL_ERROR, FRAME_SIZE_ERROR, HEAD, ONE_CODE, PRIORITY, PROTOCOL_ERROR, STREAM_ALONE,
    STREAM_CLOSED, WHOLE_CONNECTION, WINDOW_UPDATE, WITH_PRIORITY, answered, case, check, differs, hung,
    open, put, request,
};
use crate::data_plane::h2_frames::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, Frames, HEADERS, RST_STREAM, SETTINGS, block,
};

const CANCEL: [u8; 4] = 8_u32.to_be_bytes();
const WINDOW_MAX: u32 = (1 << 31) - 1;

fn widen(frames: &mut Frames, stream: u32, by: u32) {
    put(frames, WINDOW_UPDATE, 0, stream, &by.to_be_bytes());
}

fn taken_back(frames: &mut Frames) {
    open(frames, 1);
    put(frames, RST_STREAM, 0, 1, &CANCEL);
}

fn over(frames: &mut Frames) {
    request(frames, 1);
    answered(frames, 1);
}

const CASES: &[Case] = &[
    case("5.1 idle: DATA", End(PROTOCOL_ERROR), |frames| put(frames, DATA, END_STREAM, 1, b"x")),
    case("5.1 idle: RST_STREAM", End(PROTOCOL_ERROR), |frames| put(frames, RST_STREAM, 0, 1, &CANCEL)),
    case("5.1 idle: WINDOW_UPDATE", End(PROTOCOL_ERROR), |frames| widen(frames, 1, 100)),
    case("5.1 idle: CONTINUATION", End(PROTOCOL_ERROR), |frames| {
        put(frames, CONTINUATION, END_HEADERS, 1, &block(&HEAD));
    }),
    case("5.1 idle: PRIORITY", Nothing, |frames| put(frames, PRIORITY, 0, 1, &[0, 0, 0, 0, 9])),
    differs("5.1 half closed: DATA", Reset(STREAM_CLOSED), End(PROTOCOL_ERROR), WHOLE_CONNECTION, |frames| {
        hung(frames, 1);
        put(frames, DATA, END_STREAM, 1, b"x");
    }),
    differs(
        "5.1 half closed: HEADERS",
        Reset(STREAM_CLOSED),
        End(PROTOCOL_ERROR),
        WHOLE_CONNECTION,
        |frames| {
            hung(frames, 1);
            request(frames, 1);
        },
    ),
    case("5.1 half closed: CONTINUATION", End(PROTOCOL_ERROR), |frames| {
        hung(frames, 1);
        put(frames, CONTINUATION, END_HEADERS, 1, &block(&HEAD));
    }),
    case("5.1 half closed: WINDOW_UPDATE", Answer(200), |frames| {
        request(frames, 1);
        widen(frames, 1, 100);
    }),
    case("5.1 half closed: PRIORITY", Answer(200), |frames| {
        request(frames, 1);
        put(frames, PRIORITY, 0, 1, &[0, 0, 0, 0, 9]);
    }),
    case("5.1 closed by RST_STREAM: DATA", Reset(STREAM_CLOSED), |frames| {
        taken_back(frames);
        put(frames, DATA, END_STREAM, 1, b"x");
    }),
    differs(
        "5.1 closed by RST_STREAM: HEADERS",
        End(STREAM_CLOSED),
        End(PROTOCOL_ERROR),
        ONE_CODE,
        |frames| {
            taken_back(frames);
            request(frames, 1);
        },
    ),
    case("5.1 closed by RST_STREAM: CONTINUATION", End(PROTOCOL_ERROR), |frames| {
        taken_back(frames);
        put(frames, CONTINUATION, END_HEADERS, 1, &block(&HEAD));
    }),
    case("5.1 closed by RST_STREAM: PRIORITY", Nothing, |frames| {
        taken_back(frames);
        put(frames, PRIORITY, 0, 1, &[0, 0, 0, 0, 9]);
    }),
    case("5.1 closed by RST_STREAM: WINDOW_UPDATE", Nothing, |frames| {
        taken_back(frames);
        widen(frames, 1, 100);
    }),
    case("5.1 closed by RST_STREAM: RST_STREAM", Nothing, |frames| {
        taken_back(frames);
        put(frames, RST_STREAM, 0, 1, &CANCEL);
    }),
    differs(
        "5.1 closed by both ends: DATA",
        End(STREAM_CLOSED),
        Reset(STREAM_CLOSED),
        STREAM_ALONE,
        |frames| {
            over(frames);
            put(frames, DATA, END_STREAM, 1, b"x");
        },
    ),
    differs(
        "5.1 closed by both ends: HEADERS",
        End(STREAM_CLOSED),
        End(PROTOCOL_ERROR),
        ONE_CODE,
        |frames| {
            over(frames);
            request(frames, 1);
        },
    ),
    case("5.1 closed by both ends: CONTINUATION", End(PROTOCOL_ERROR), |frames| {
        over(frames);
        put(frames, CONTINUATION, END_HEADERS, 1, &block(&HEAD));
    }),
    case("5.1 closed by both ends: WINDOW_UPDATE", Nothing, |frames| {
        over(frames);
        widen(frames, 1, 100);
    }),
    case("5.1 closed by both ends: RST_STREAM", Nothing, |frames| {
        over(frames);
        put(frames, RST_STREAM, 0, 1, &CANCEL);
    }),
    case("5.1.1 an even number", End(PROTOCOL_ERROR), |frames| request(frames, 2)),
    case("5.1.1 a number below the last one", End(PROTOCOL_ERROR), |frames| {
        hung(frames, 5);
        request(frames, 3);
    }),
    case("5.1.1 numbers that are left out", Answer(200), |frames| {
        request(frames, 1);
        hung(frames, 101);
    }),
    case("5.3 PRIORITY: a stream that depends on itself (RFC 7540 5.3.1)", Reset(PROTOCOL_ERROR), |frames| {
        put(frames, PRIORITY, 0, 1, &[0, 0, 0, 1, 9]);
    }),
    case("5.3 HEADERS: a stream that depends on another", Answer(200), |frames| {
        let head = [&[0x80, 0, 0, 7, 255][..], &block(&HEAD)].concat();
        put(frames, HEADERS, END_HEADERS | END_STREAM | WITH_PRIORITY, 1, &head);
    }),
    case("6.9 WINDOW_UPDATE: of nothing, for the connection", End(PROTOCOL_ERROR), |frames| {
        widen(frames, 0, 0);
    }),
    differs(
        "6.9 WINDOW_UPDATE: of nothing, for a stream",
        Reset(PROTOCOL_ERROR),
        End(PROTOCOL_ERROR),
        WHOLE_CONNECTION,
        |frames| {
            open(frames, 1);
            widen(frames, 1, 0);
        },
    ),
    differs(
        "6.9 WINDOW_UPDATE: of the wrong size",
        End(FRAME_SIZE_ERROR),
        End(PROTOCOL_ERROR),
        ONE_CODE,
        |frames| {
            put(frames, WINDOW_UPDATE, 0, 0, &[0, 0, 1]);
        },
    ),
    case("6.9.1 a window over 2^31-1, of the connection", End(FLOW_CONTROL_ERROR), |frames| {
        widen(frames, 0, WINDOW_MAX);
    }),
    case("6.9.1 a window over 2^31-1, of a stream", Reset(FLOW_CONTROL_ERROR), |frames| {
        open(frames, 1);
        widen(frames, 1, WINDOW_MAX);
    }),
    case("6.9.2 a window over 2^31-1, by a setting", End(FLOW_CONTROL_ERROR), |frames| {
        open(frames, 1);
        widen(frames, 1, WINDOW_MAX - 65_535);
        put(frames, SETTINGS, 0, 0, &[0, 4, 0x7f, 0xff, 0xff, 0xff]);
    }),
];

#[test]
fn the_states_of_streams_are_judged_as_rfc_9113_asks() {
    check(CASES);
}
