//! Frames by their form: sizes, padding, unknown kinds, and heads in several frames (§4, §5.5, §6.1, §6.2, §6.10).

use super::Comes::{Answer, End, Nothing};
use super::{
    Case, ENHANCE_YOUR_CALM, FRAME_SIZE_ERROR, HEAD, ONE_CODE, PADDED, PRIORITY, PROTOCOL_ERROR,
    PUSH_PROMISE, WITH_PRIORITY, case, check, differs, open, put, request,
};
use crate::data_plane::h2_frames::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, Frames, HEADERS, PING, RST_STREAM, block, bytes,
};

/// What a frame may have where nothing else was agreed on (§4.2).
const SIZE_MAX: usize = 1 << 14;
const UNKNOWN: u8 = 0xfa;

/// The first frame of a head that goes on.
fn begun(frames: &mut Frames, stream: u32) {
    put(frames, HEADERS, END_STREAM, stream, &block(&HEAD[..2]));
}

fn rest(frames: &mut Frames, stream: u32) {
    put(frames, CONTINUATION, END_HEADERS, stream, &block(&HEAD[2..]));
}

const CASES: &[Case] = &[
    case("4.1 a kind that is not known", Nothing, |frames| put(frames, UNKNOWN, 0xff, 0, &[7; 20])),
    case("4.1 a kind that is not known, on a stream", Answer(200), |frames| {
        put(frames, UNKNOWN, 0, 1, &[7; 20]);
        request(frames, 1);
    }),
    case("4.1 flags that are not known", Answer(200), |frames| {
        put(frames, HEADERS, END_HEADERS | END_STREAM | 0x42, 1, &block(&HEAD));
    }),
    case("4.1 the bit that is reserved", Answer(200), |frames| {
        put(frames, HEADERS, END_HEADERS | END_STREAM, 1 | 1 << 31, &block(&HEAD));
    }),
    case("4.2 DATA as large as may be", Answer(200), |frames| {
        open(frames, 1);
        put(frames, DATA, END_STREAM, 1, &[b'x'; SIZE_MAX]);
    }),
    case("4.2 DATA that is larger", End(FRAME_SIZE_ERROR), |frames| {
        open(frames, 1);
        put(frames, DATA, END_STREAM, 1, &[b'x'; SIZE_MAX + 1]);
    }),
    case("4.2 HEADERS that are larger", End(FRAME_SIZE_ERROR), |frames| {
        put(frames, HEADERS, END_HEADERS | END_STREAM, 1, &[0; SIZE_MAX + 1]);
    }),
    case("4.2 a kind that is not known, and larger", End(FRAME_SIZE_ERROR), |frames| {
        put(frames, UNKNOWN, 0, 0, &[0; SIZE_MAX + 1]);
    }),
    case("4.3 a frame of another stream within a head", End(PROTOCOL_ERROR), |frames| {
        begun(frames, 1);
        put(frames, HEADERS, END_HEADERS | END_STREAM, 3, &block(&HEAD));
    }),
    case("4.3 PRIORITY within a head", End(PROTOCOL_ERROR), |frames| {
        begun(frames, 1);
        put(frames, PRIORITY, 0, 1, &[0, 0, 0, 0, 1]);
        rest(frames, 1);
    }),
    case("4.3 PING within a head", End(PROTOCOL_ERROR), |frames| {
        begun(frames, 1);
        put(frames, PING, 0, 0, &[0; 8]);
        rest(frames, 1);
    }),
    case("5.5 a kind that is not known within a head", End(PROTOCOL_ERROR), |frames| {
        begun(frames, 1);
        put(frames, UNKNOWN, 0, 0, &[0; 8]);
        rest(frames, 1);
    }),
    case("6.1 DATA: of no stream", End(PROTOCOL_ERROR), |frames| put(frames, DATA, 0, 0, b"x")),
    case("6.1 DATA: with padding", Answer(200), |frames| {
        open(frames, 1);
        put(frames, DATA, END_STREAM | PADDED, 1, &[5, b'x', 0, 0, 0, 0, 0]);
    }),
    case("6.1 DATA: nothing but padding", Answer(200), |frames| {
        open(frames, 1);
        put(frames, DATA, END_STREAM | PADDED, 1, &[[255; 1].as_slice(), &[0; 255]].concat());
    }),
    case("6.1 DATA: as much padding as there are bytes", End(PROTOCOL_ERROR), |frames| {
        open(frames, 1);
        put(frames, DATA, END_STREAM | PADDED, 1, &[6, b'x', 0, 0, 0, 0]);
    }),
    differs(
        "6.1 DATA: padding of which there is no length",
        End(FRAME_SIZE_ERROR),
        End(PROTOCOL_ERROR),
        ONE_CODE,
        |frames| {
            open(frames, 1);
            put(frames, DATA, END_STREAM | PADDED, 1, b"");
        },
    ),
    case("6.2 HEADERS: of no stream", End(PROTOCOL_ERROR), |frames| {
        put(frames, HEADERS, END_HEADERS | END_STREAM, 0, &block(&HEAD));
    }),
    case("6.2 HEADERS: with padding", Answer(200), |frames| {
        let padded = [&[3][..], &block(&HEAD), &[0; 3]].concat();
        put(frames, HEADERS, END_HEADERS | END_STREAM | PADDED, 1, &padded);
    }),
    case("6.2 HEADERS: with padding and a priority", Answer(200), |frames| {
        let head = [&[3, 0, 0, 0, 0, 9][..], &block(&HEAD), &[0; 3]].concat();
        put(frames, HEADERS, END_HEADERS | END_STREAM | PADDED | WITH_PRIORITY, 1, &head);
    }),
    case("6.2 HEADERS: more padding than there are bytes", End(PROTOCOL_ERROR), |frames| {
        let padded = [&[255][..], &block(&HEAD)].concat();
        put(frames, HEADERS, END_HEADERS | END_STREAM | PADDED, 1, &padded);
    }),
    case("6.3 PRIORITY: of no stream", End(PROTOCOL_ERROR), |frames| {
        put(frames, PRIORITY, 0, 0, &[0, 0, 0, 0, 1]);
    }),
    differs(
        "6.3 PRIORITY: of the wrong size",
        End(FRAME_SIZE_ERROR),
        End(PROTOCOL_ERROR),
        ONE_CODE,
        |frames| {
            open(frames, 1);
            put(frames, PRIORITY, 0, 1, &[0, 0, 0, 1]);
        },
    ),
    case("6.4 RST_STREAM: of no stream", End(PROTOCOL_ERROR), |frames| {
        put(frames, RST_STREAM, 0, 0, &[0; 4]);
    }),
    differs(
        "6.4 RST_STREAM: of the wrong size",
        End(FRAME_SIZE_ERROR),
        End(PROTOCOL_ERROR),
        ONE_CODE,
        |frames| {
            open(frames, 1);
            put(frames, RST_STREAM, 0, 1, &[0; 3]);
        },
    ),
    case("6.6 PUSH_PROMISE: from a client", End(PROTOCOL_ERROR), |frames| {
        put(frames, PUSH_PROMISE, END_HEADERS, 1, &[&[0, 0, 0, 2][..], &block(&HEAD)].concat());
    }),
    case("6.10 CONTINUATION: one", Answer(200), |frames| {
        begun(frames, 1);
        rest(frames, 1);
    }),
    case("6.10 CONTINUATION: several, some of them empty", Answer(200), |frames| {
        put(frames, HEADERS, END_STREAM, 1, b"");
        for part in block(&HEAD).chunks(16) {
            put(frames, CONTINUATION, 0, 1, part);
        }
        put(frames, CONTINUATION, END_HEADERS, 1, b"");
    }),
    // It is what a flood of them looks like (CVE-2024-27316).
    case("6.10 CONTINUATION: a byte in each", End(ENHANCE_YOUR_CALM), |frames| {
        put(frames, HEADERS, END_STREAM, 1, b"");
        for byte in block(&HEAD) {
            put(frames, CONTINUATION, 0, 1, &[byte]);
        }
        put(frames, CONTINUATION, END_HEADERS, 1, b"");
    }),
    case("6.10 CONTINUATION: of no stream", End(PROTOCOL_ERROR), |frames| {
        begun(frames, 1);
        rest(frames, 0);
    }),
    case("6.10 CONTINUATION: of another stream", End(PROTOCOL_ERROR), |frames| {
        begun(frames, 1);
        rest(frames, 3);
    }),
    case("6.10 CONTINUATION: after a head that has ended", End(PROTOCOL_ERROR), |frames| {
        open(frames, 1);
        rest(frames, 1);
    }),
    case("6.10 CONTINUATION: after one that has ended", End(PROTOCOL_ERROR), |frames| {
        begun(frames, 1);
        rest(frames, 1);
        rest(frames, 1);
    }),
    case("6.10 CONTINUATION: after DATA", End(PROTOCOL_ERROR), |frames| {
        open(frames, 1);
        put(frames, DATA, 0, 1, b"x");
        rest(frames, 1);
    }),
    case("6.10 CONTINUATION: instead of it DATA", End(PROTOCOL_ERROR), |frames| {
        begun(frames, 1);
        put(frames, DATA, END_STREAM, 1, b"x");
    }),
    case("7 a code that is not known", Nothing, |frames| {
        open(frames, 1);
        put(frames, RST_STREAM, 0, 1, &[0xff; 4]);
    }),
    case("8.1 a request that is taken back is not answered", Nothing, |frames| {
        let all =
            [bytes(HEADERS, END_HEADERS, 1, &block(&HEAD)), bytes(RST_STREAM, 0, 1, &8_u32.to_be_bytes())];
        frames.try_raw(&all.concat());
    }),
];

#[test]
fn the_form_of_frames_is_judged_as_rfc_9113_asks() {
    check(CASES);
}
