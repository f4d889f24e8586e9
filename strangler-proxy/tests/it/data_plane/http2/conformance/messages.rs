//! What a request has to have, and may not (§8.1, §8.3, §8.5).

use super::Comes::{Answer, End, Reset};
use super::{
    Case, HEAD, PROTOCOL_ERROR, REFUSED_HERE, WHOLE_CONNECTION, and, case,
    check_that_only_answers_were_forwarded, differs, head, open, put, with,
};
use crate::data_plane::h2_frames::{DATA, END_HEADERS, END_STREAM, Frames, HEADERS, block};

fn without(name: &str) -> Vec<(&'static str, &'static str)> {
    HEAD.iter().filter(|field| field.0 != name).copied().collect()
}

/// A body behind a head with these fields, in which DATA has so many bytes.
fn post(frames: &mut Frames, fields: &[(&'static str, &'static str)], data: &[u8]) {
    let head: Vec<_> = with(":method", "POST").into_iter().chain(fields.iter().copied()).collect();
    put(frames, HEADERS, END_HEADERS, 1, &block(&head));
    put(frames, DATA, END_STREAM, 1, data);
}

fn trailers(frames: &mut Frames, flags: u8, fields: &[(&str, &str)]) {
    open(frames, 1);
    put(frames, DATA, 0, 1, b"x");
    put(frames, HEADERS, END_HEADERS | flags, 1, &block(fields));
}

const CASES: &[Case] = &[
    case("8.1 a body and trailers", Answer(200), |frames| trailers(frames, END_STREAM, &[("x-sum", "1")])),
    case("8.1 trailers that do not end the request", Reset(PROTOCOL_ERROR), |frames| {
        trailers(frames, 0, &[("x-sum", "1")]);
    }),
    differs(
        "8.1 trailers with a pseudo-header",
        Reset(PROTOCOL_ERROR),
        Answer(200),
        "the library drops the pseudo-header",
        |frames| {
            trailers(frames, END_STREAM, &[(":method", "GET")]);
        },
    ),
    case("8.1 trailers with Transfer-Encoding", Reset(PROTOCOL_ERROR), |frames| {
        trailers(frames, END_STREAM, &[("transfer-encoding", "chunked")]);
    }),
    case("8.1.1 a Content-Length over what comes", Reset(PROTOCOL_ERROR), |frames| {
        post(frames, &[("content-length", "2")], b"x");
    }),
    case("8.1.1 a Content-Length under what comes", Reset(PROTOCOL_ERROR), |frames| {
        post(frames, &[("content-length", "1")], b"xy");
    }),
    case("8.1.1 a Content-Length of a request without DATA", Reset(PROTOCOL_ERROR), |frames| {
        head(frames, &and(&[("content-length", "1")]));
    }),
    case("8.1.1 a Content-Length that no number holds", Reset(PROTOCOL_ERROR), |frames| {
        post(frames, &[("content-length", "18446744073709551617")], b"x");
    }),
    case("8.1.1 two of them that differ", Reset(PROTOCOL_ERROR), |frames| {
        post(frames, &[("content-length", "1"), ("content-length", "2")], b"x");
    }),
    case("8.1.1 one that is no number", Reset(PROTOCOL_ERROR), |frames| {
        post(frames, &[("content-length", "+1")], b"x");
    }),
    case("8.1.1 a list of two", Reset(PROTOCOL_ERROR), |frames| {
        post(frames, &[("content-length", "1, 1")], b"x");
    }),
    case("8.1.1 DATA in several frames, as long as it says", Answer(200), |frames| {
        put(
            frames,
            HEADERS,
            END_HEADERS,
            1,
            &block(&[&with(":method", "POST")[..], &[("content-length", "3")]].concat()),
        );
        put(frames, DATA, 0, 1, b"x");
        put(frames, DATA, 0, 1, b"");
        put(frames, DATA, END_STREAM, 1, b"yz");
    }),
    case("8.3 a pseudo-header after a field", Reset(PROTOCOL_ERROR), |frames| {
        head(frames, &[HEAD[0], HEAD[1], HEAD[2], ("x", "1"), HEAD[3]]);
    }),
    differs(
        "8.3 one that is not known",
        Reset(PROTOCOL_ERROR),
        End(PROTOCOL_ERROR),
        WHOLE_CONNECTION,
        |frames| head(frames, &and(&[(":own", "1")])),
    ),
    case("8.3 one of a response", Reset(PROTOCOL_ERROR), |frames| head(frames, &and(&[(":status", "200")]))),
    case("8.3 :protocol, which nobody offered (RFC 8441)", Reset(PROTOCOL_ERROR), |frames| {
        let mut fields = with(":method", "CONNECT");
        fields.push((":protocol", "websocket"));
        head(frames, &fields);
    }),
    case("8.3.1 no :method", Reset(PROTOCOL_ERROR), |frames| head(frames, &without(":method"))),
    case("8.3.1 no :scheme", Reset(PROTOCOL_ERROR), |frames| head(frames, &without(":scheme"))),
    case("8.3.1 no :path", Reset(PROTOCOL_ERROR), |frames| head(frames, &without(":path"))),
    case("8.3.1 two :method", Reset(PROTOCOL_ERROR), |frames| {
        head(frames, &[HEAD[0], HEAD[0], HEAD[1], HEAD[2]]);
    }),
    case("8.3.1 two :scheme", Reset(PROTOCOL_ERROR), |frames| {
        head(frames, &[HEAD[0], HEAD[1], HEAD[1], HEAD[2]]);
    }),
    case("8.3.1 two :path", Reset(PROTOCOL_ERROR), |frames| {
        head(frames, &[HEAD[0], HEAD[1], HEAD[2], HEAD[2]]);
    }),
    case("8.3.1 two :authority", Reset(PROTOCOL_ERROR), |frames| head(frames, &and(&[HEAD[3]]))),
    case("8.3.1 an empty :path", Reset(PROTOCOL_ERROR), |frames| head(frames, &with(":path", ""))),
    case("8.3.1 a :path that is no path", Reset(PROTOCOL_ERROR), |frames| {
        head(frames, &with(":path", "a/b"));
    }),
    case("8.3.1 a space in :path", Reset(PROTOCOL_ERROR), |frames| {
        head(frames, &with(":path", "/ HTTP/1.1"));
    }),
    case("8.3.1 a line end in :path", Reset(PROTOCOL_ERROR), |frames| {
        head(frames, &with(":path", "/ HTTP/1.1\r\nx: y"));
    }),
    case("8.3.1 NUL in :path", Reset(PROTOCOL_ERROR), |frames| head(frames, &with(":path", "/\0"))),
    differs(
        "8.3.1 a fragment in :path",
        Answer(400),
        Answer(200),
        "the library drops the fragment",
        |frames| head(frames, &with(":path", "/a#b")),
    ),
    case("8.3.1 nothing but a fragment in :path", Answer(400), |frames| head(frames, &with(":path", "#a"))),
    case("8.3.1 nothing but a query in :path", Answer(400), |frames| head(frames, &with(":path", "?a"))),
    case("8.3.1 * for something else than OPTIONS", Answer(400), |frames| head(frames, &with(":path", "*"))),
    differs(
        "8.3.1 an empty :method",
        Reset(PROTOCOL_ERROR),
        End(PROTOCOL_ERROR),
        WHOLE_CONNECTION,
        |frames| head(frames, &with(":method", "")),
    ),
    differs(
        "8.3.1 a space in :method",
        Reset(PROTOCOL_ERROR),
        End(PROTOCOL_ERROR),
        WHOLE_CONNECTION,
        |frames| {
            head(frames, &with(":method", "GET /marker HTTP/1.1"));
        },
    ),
    differs(
        "8.3.1 a line end in :method",
        Reset(PROTOCOL_ERROR),
        End(PROTOCOL_ERROR),
        WHOLE_CONNECTION,
        |frames| {
            head(frames, &with(":method", "GET\r\n"));
        },
    ),
    differs("8.3.1 an empty :scheme", Reset(PROTOCOL_ERROR), Answer(400), REFUSED_HERE, |frames| {
        head(frames, &with(":scheme", ""));
    }),
    case("8.3.1 a space in :scheme", Reset(PROTOCOL_ERROR), |frames| head(frames, &with(":scheme", "ht tp"))),
    case("8.3.1 a user in :authority", Answer(400), |frames| {
        head(frames, &with(":authority", "u:p@a.example"));
    }),
    case("8.3.1 a line end in :authority", Reset(PROTOCOL_ERROR), |frames| {
        head(frames, &with(":authority", "a\r\nx: y"));
    }),
    case("8.3.1 a space in :authority", Reset(PROTOCOL_ERROR), |frames| {
        head(frames, &with(":authority", "a b"));
    }),
    case("8.3.1 a path in :authority", Reset(PROTOCOL_ERROR), |frames| {
        head(frames, &with(":authority", "a.example/b"));
    }),
    case("8.3.1 an empty :authority", Reset(PROTOCOL_ERROR), |frames| head(frames, &with(":authority", ""))),
    case("8.3.1 another Host than :authority", Answer(400), |frames| {
        head(frames, &and(&[("host", "b.example")]));
    }),
    case("8.3.1 two Hosts", Answer(400), |frames| {
        head(frames, &[&without(":authority")[..], &[("host", "a"), ("host", "b")]].concat());
    }),
    case("8.3.1 the same Host as :authority", Answer(200), |frames| {
        head(frames, &and(&[("host", "a.example")]));
    }),
    case("8.3.1 Host instead of :authority", Answer(200), |frames| {
        head(frames, &[&without(":authority")[..], &[("host", "a.example")]].concat());
    }),
    case("8.3.1 neither", Answer(400), |frames| head(frames, &without(":authority"))),
    case("8.5 CONNECT with a path", Reset(PROTOCOL_ERROR), |frames| {
        head(frames, &with(":method", "CONNECT"));
    }),
    differs("8.5 CONNECT without an authority", Reset(PROTOCOL_ERROR), Answer(405), REFUSED_HERE, |frames| {
        head(frames, &[(":method", "CONNECT")]);
    }),
];

#[test]
fn requests_are_judged_as_rfc_9113_asks() {
    check_that_only_answers_were_forwarded(CASES);
}
