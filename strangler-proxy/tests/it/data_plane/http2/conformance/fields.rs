//! Names and values of fields, and how they are packed (§8.2, RFC 7541).

use super::Comes::{Answer, End, Reset};
use super::{
    COMPRESSION_ERROR, Case, HEAD, ONE_CODE, PROTOCOL_ERROR, WHOLE_CONNECTION, and, case,
    check_that_only_answers_were_forwarded, differs, head, put,
};
use crate::data_plane::h2_frames::{END_HEADERS, END_STREAM, Frames, HEADERS, block};

/// A head that is sound, with these bytes before or after it.
fn packed(frames: &mut Frames, before: &[u8], after: &[u8]) {
    put(frames, HEADERS, END_HEADERS | END_STREAM, 1, &[before, &block(&HEAD), after].concat());
}

const PACKED: &[Case] = &[
    differs(
        "RFC 7541 2.3.3 no field has the number 0",
        End(COMPRESSION_ERROR),
        End(PROTOCOL_ERROR),
        ONE_CODE,
        |frames| {
            packed(frames, b"", &[0x80]);
        },
    ),
    differs(
        "RFC 7541 2.3.3 a number that the tables do not have",
        End(COMPRESSION_ERROR),
        End(PROTOCOL_ERROR),
        ONE_CODE,
        |frames| {
            packed(frames, b"", &[0xbe]);
        },
    ),
    differs(
        "RFC 7541 2.3.3 a name that the tables do not have",
        End(COMPRESSION_ERROR),
        End(PROTOCOL_ERROR),
        ONE_CODE,
        |frames| {
            packed(frames, b"", &[0x7e, 1, b'v']);
        },
    ),
    differs(
        "RFC 7541 4.2 a table of another size, not first",
        End(COMPRESSION_ERROR),
        End(PROTOCOL_ERROR),
        ONE_CODE,
        |frames| {
            packed(frames, b"", &[0x20]);
        },
    ),
    case("RFC 7541 4.2 a table of no size", Answer(200), |frames| packed(frames, &[0x20], b"")),
    differs(
        "RFC 7541 5.1 a number without an end",
        End(COMPRESSION_ERROR),
        End(PROTOCOL_ERROR),
        ONE_CODE,
        |frames| {
            packed(frames, b"", &[[0xff; 1].as_slice(), &[0x80; 20]].concat());
        },
    ),
    differs(
        "RFC 7541 5.1 a number over all limits",
        End(COMPRESSION_ERROR),
        End(PROTOCOL_ERROR),
        ONE_CODE,
        |frames| {
            packed(frames, b"", &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]);
        },
    ),
    differs(
        "RFC 7541 5.2 a string longer than the head",
        End(COMPRESSION_ERROR),
        End(PROTOCOL_ERROR),
        ONE_CODE,
        |frames| {
            packed(frames, b"", &[0, 1, b'x', 10, b'y']);
        },
    ),
    differs(
        "RFC 7541 5.2 padding of more than 7 bits",
        End(COMPRESSION_ERROR),
        End(PROTOCOL_ERROR),
        ONE_CODE,
        |frames| {
            packed(frames, b"", &[0, 1, b'x', 0x83, 0x1f, 0xff, 0xff]);
        },
    ),
    differs(
        "RFC 7541 5.2 padding that is not of ones",
        End(COMPRESSION_ERROR),
        End(PROTOCOL_ERROR),
        ONE_CODE,
        |frames| {
            packed(frames, b"", &[0, 1, b'x', 0x81, 0x18]);
        },
    ),
    differs(
        "RFC 7541 5.2 the symbol that ends a string",
        End(COMPRESSION_ERROR),
        End(PROTOCOL_ERROR),
        ONE_CODE,
        |frames| {
            packed(frames, b"", &[0, 1, b'x', 0x84, 0xff, 0xff, 0xff, 0xff]);
        },
    ),
    differs(
        "RFC 7541 6.3 a table over what was agreed on",
        End(COMPRESSION_ERROR),
        End(PROTOCOL_ERROR),
        ONE_CODE,
        |frames| {
            packed(frames, &[0x3f, 0xe2, 0x1f], b"");
        },
    ),
];

#[test]
fn the_packing_of_fields_is_judged_as_rfc_7541_asks() {
    check_that_only_answers_were_forwarded(PACKED);
}

const FIELDS: &[Case] = &[
    differs("8.2 a capital", Reset(PROTOCOL_ERROR), End(PROTOCOL_ERROR), WHOLE_CONNECTION, |frames| {
        head(frames, &and(&[("X-Own", "1")]));
    }),
    differs(
        "8.2.1 a name of nothing",
        Reset(PROTOCOL_ERROR),
        End(PROTOCOL_ERROR),
        WHOLE_CONNECTION,
        |frames| head(frames, &and(&[("", "1")])),
    ),
    differs(
        "8.2.1 a space in a name",
        Reset(PROTOCOL_ERROR),
        End(PROTOCOL_ERROR),
        WHOLE_CONNECTION,
        |frames| head(frames, &and(&[("x y", "1")])),
    ),
    differs(
        "8.2.1 a space after a name",
        Reset(PROTOCOL_ERROR),
        End(PROTOCOL_ERROR),
        WHOLE_CONNECTION,
        |frames| head(frames, &and(&[("x ", "1")])),
    ),
    differs(
        "8.2.1 a colon in a name",
        Reset(PROTOCOL_ERROR),
        End(PROTOCOL_ERROR),
        WHOLE_CONNECTION,
        |frames| head(frames, &and(&[("x:y", "1")])),
    ),
    differs("8.2.1 NUL in a name", Reset(PROTOCOL_ERROR), End(PROTOCOL_ERROR), WHOLE_CONNECTION, |frames| {
        head(frames, &and(&[("x\0", "1")]));
    }),
    differs(
        "8.2.1 a line end in a name",
        Reset(PROTOCOL_ERROR),
        End(PROTOCOL_ERROR),
        WHOLE_CONNECTION,
        |frames| {
            head(frames, &and(&[("x: y\r\nevil", "1")]));
        },
    ),
    differs(
        "8.2.1 a byte over 127 in a name",
        Reset(PROTOCOL_ERROR),
        End(PROTOCOL_ERROR),
        WHOLE_CONNECTION,
        |frames| head(frames, &and(&[("ö", "1")])),
    ),
    differs("8.2.1 NUL in a value", Reset(PROTOCOL_ERROR), End(PROTOCOL_ERROR), WHOLE_CONNECTION, |frames| {
        head(frames, &and(&[("x", "a\0b")]));
    }),
    differs("8.2.1 CR in a value", Reset(PROTOCOL_ERROR), End(PROTOCOL_ERROR), WHOLE_CONNECTION, |frames| {
        head(frames, &and(&[("x", "a\rb")]));
    }),
    differs("8.2.1 LF in a value", Reset(PROTOCOL_ERROR), End(PROTOCOL_ERROR), WHOLE_CONNECTION, |frames| {
        head(frames, &and(&[("x", "a\nb")]));
    }),
    differs(
        "8.2.1 another field in a value",
        Reset(PROTOCOL_ERROR),
        End(PROTOCOL_ERROR),
        WHOLE_CONNECTION,
        |frames| {
            head(frames, &and(&[("x", "a\r\ncontent-length: 5")]));
        },
    ),
    differs(
        "8.2.1 another request in a value",
        Reset(PROTOCOL_ERROR),
        End(PROTOCOL_ERROR),
        WHOLE_CONNECTION,
        |frames| {
            head(frames, &and(&[("x", "a\r\n\r\nGET /marker HTTP/1.1\r\nHost: a\r\n\r\n")]));
        },
    ),
    differs(
        "8.2.1 spaces around a value",
        Reset(PROTOCOL_ERROR),
        Answer(200),
        "the library lets them pass, and whoever reads HTTP/1.1 takes them off (RFC 9112 §5)",
        |frames| head(frames, &and(&[("x", " a\t")])),
    ),
    case("8.2.1 a space before a length", Reset(PROTOCOL_ERROR), |frames| {
        head(frames, &and(&[("content-length", " 0")]));
    }),
    case("8.2.1 a space after a Host", Answer(400), |frames| head(frames, &and(&[("host", "a.example ")]))),
    case("8.2.2 Connection", Reset(PROTOCOL_ERROR), |frames| head(frames, &and(&[("connection", "close")]))),
    case("8.2.2 Keep-Alive", Reset(PROTOCOL_ERROR), |frames| head(frames, &and(&[("keep-alive", "300")]))),
    case("8.2.2 Proxy-Connection", Reset(PROTOCOL_ERROR), |frames| {
        head(frames, &and(&[("proxy-connection", "keep-alive")]));
    }),
    case("8.2.2 Transfer-Encoding", Reset(PROTOCOL_ERROR), |frames| {
        head(frames, &and(&[("transfer-encoding", "chunked")]));
    }),
    case("8.2.2 Upgrade", Reset(PROTOCOL_ERROR), |frames| head(frames, &and(&[("upgrade", "websocket")]))),
    case("8.2.2 TE: something else than trailers", Reset(PROTOCOL_ERROR), |frames| {
        head(frames, &and(&[("te", "trailers, deflate")]));
    }),
    case("8.2.2 TE: trailers", Answer(200), |frames| head(frames, &and(&[("te", "trailers")]))),
    case("8.2.3 crumbs of Cookie", Answer(200), |frames| {
        head(frames, &and(&[("cookie", "a=1"), ("cookie", "b=2")]));
    }),
];

#[test]
fn names_and_values_of_fields_are_judged_as_rfc_9113_asks() {
    check_that_only_answers_were_forwarded(FIELDS);
}
