//! What is refused, with which status, under which word; and that nothing of it reaches an upstream.

use super::origin::Origin;
use super::proxy::{Plan, Proxy};

/// Sends raw bytes and expects this status and reason. Nothing may arrive upstream.
fn check(raw: &[u8], status: u16, reason: &str) {
    let control = Origin::saying("");
    let proxy = Proxy::to(&control);
    let mut client = proxy.client();
    client.send(raw);
    let shown = String::from_utf8_lossy(&raw[..raw.len().min(100)]).into_owned();
    let response = client.response();
    assert_eq!((response.status, response.reason().as_str()), (status, reason), "{shown}");
    assert_eq!(proxy.refused(reason), 1, "{shown}");
    assert_eq!(control.received(), [], "{shown}");
}

#[test]
fn ambiguous_lengths_are_refused() {
    for raw in [
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTRANSFER-ENCODING: Chunked\r\ncontent-length:0\r\n\r\n0\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG",
    ] {
        check(raw.as_bytes(), 400, "two_lengths");
    }
    for raw in [
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3, 4\r\n\r\nabcd",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\nabc",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x3\r\n\r\nabc",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3 3\r\n\r\nabc",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \r\n\r\n",
        "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ] {
        check(raw.as_bytes(), 400, "malformed");
    }
}

#[test]
fn heads_that_are_not_http_are_refused() {
    for raw in [
        &b"GET / HTTP/1.1\r\nHost: a\r\nX : 1\r\n\r\n"[..],
        b"GET / HTTP/1.1\r\nHost: a\r\n X: folded\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n folded\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nNo colon\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n: empty\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX\0: a\r\n\r\n",
        b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1 \r\nHost: a\r\n\r\n",
        b"GET / HTTP/2.0\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.2\r\nHost: a\r\n\r\n",
        b"GET / HTTP/0.9\r\nHost: a\r\n\r\n",
        b"GET / http/1.1\r\nHost: a\r\n\r\n",
        b"G(T / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a TLS hello\r\n\r\n",
        b"GET /\r\n\r\n",
    ] {
        check(raw, 400, "malformed");
    }
}

#[test]
fn a_host_that_is_not_one_is_refused() {
    check(b"GET / HTTP/1.1\r\n\r\n", 400, "host_missing");
    check(b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, "host_repeated");
    check(b"GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n", 400, "host_repeated");
    for host in ["", "a b", "a/b", "u@a", "a:b", "a,b", "a#", "[x]", "a\\b", "a:80:80"] {
        check(format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes(), 400, "host_invalid");
    }
    check(b"GET http://u:p@a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400, "host_invalid");
    check(b"GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400, "host_invalid");
}

#[test]
fn paths_that_servers_read_differently_are_refused() {
    for (target, reason) in [
        ("/a%2fb", "encoded_slash"),
        ("/a%5Cb", "backslash"),
        ("/a/../b", "dot_segment"),
        ("/a/%2e%2E/b", "dot_segment"),
        ("/a%00b", "nul"),
        ("/a%zz", "invalid_percent"),
        ("*", "asterisk_form"),
    ] {
        check(format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes(), 400, reason);
    }
}

#[test]
fn methods_that_are_not_for_a_gateway_are_refused() {
    check(b"TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", 405, "trace");
    check(b"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", 405, "connect");
    check(b"POST / HTTP/1.1\r\nHost: a\r\nExpect: coffee\r\nContent-Length: 0\r\n\r\n", 417, "expectation");
}

#[test]
fn what_is_too_large_is_refused_with_its_own_status() {
    let long = |bytes: usize| "x".repeat(bytes);
    // Whether or not the whole head is within its own limit.
    for bytes in [9_000, 31_000, 65_000, 500_000] {
        let far = format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", long(bytes));
        check(far.as_bytes(), 414, "target_too_long");
    }
    for bytes in [32_800, 500_000, 3_000_000] {
        let fat = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", long(bytes));
        check(fat.as_bytes(), 431, "head_too_large");
    }
    for count in [100, 101, 5_000] {
        let fields: String = (0..count).map(|n| format!("x-{n}: 1\r\n")).collect();
        check(format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n").as_bytes(), 431, "head_too_large");
    }
}

#[test]
fn a_body_over_the_limit_is_refused() {
    let control = Origin::scripted(|line| {
        while line.request().is_some() {
            line.send(super::origin::ok(""));
        }
    });
    let proxy = Plan::new(control.address).with(|config| config.limits.body_bytes_max = 10).start();
    let send = |raw: &str| {
        let mut client = proxy.client();
        client.send(raw);
        let response = client.response();
        (response.status, (response.status != 200).then(|| response.reason()))
    };
    let refused = (413, Some("body_too_large".to_owned()));
    assert_eq!(send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n0123456789X"), refused);
    // Announced and never sent: refused before it could be.
    assert_eq!(send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999\r\n\r\n"), refused);
    let chunked =
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n0123456789X\r\n0\r\n\r\n";
    assert_eq!(send(chunked), refused);
    let chunked_get = chunked.replace("POST", "GET");
    assert_eq!(send(&chunked_get), refused);
    assert_eq!(proxy.refused("body_too_large"), 4);
    assert_eq!(send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n0123456789"), (200, None));
    assert_eq!(control.only().body, b"0123456789");
}

/// A client that is busy sending must be able to read why it should stop.
#[test]
fn a_refusal_reaches_a_client_that_is_still_sending() {
    let control = Origin::saying("");
    let proxy = Plan::new(control.address).with(|config| config.limits.body_bytes_max = 10).start();
    for _ in 0..20 {
        let mut client = proxy.client();
        client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n");
        client.send(vec![b'x'; 300_000]);
        let response = client.response();
        assert_eq!((response.status, response.field("connection")), (413, Some("close")));
    }
}

#[test]
fn a_body_that_is_not_what_was_announced_is_refused() {
    let control = Origin::scripted(|line| {
        line.request();
        line.wait_for_end();
    });
    let proxy = Proxy::to(&control);
    for chunks in ["zz\r\nabc\r\n", "3\r\nabcX\r\n", "ffffffffffffffffff\r\n", "-1\r\n"] {
        let mut client = proxy.client();
        client.send(format!("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}"));
        let response = client.response();
        assert_eq!((response.status, response.reason().as_str()), (400, "body_broken"), "{chunks:?}");
    }
    assert_eq!(control.received(), []);
}

#[test]
fn after_a_refusal_that_leaves_no_doubt_the_connection_goes_on() {
    let control = Origin::saying("still here");
    let proxy = Proxy::to(&control);
    let mut client = proxy.client();
    assert_eq!(client.get("/a/../b").status, 400);
    assert_eq!(client.get("/b").text(), "still here");
}

/// What an attacker hides behind a refused message is not read as a request.
#[test]
fn nothing_behind_an_ambiguous_message_is_read() {
    let control = Origin::saying("");
    let proxy = Proxy::to(&control);
    let mut client = proxy.client();
    client.send(
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n\
         GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n",
    );
    assert_eq!(client.response().status, 400);
    assert!(client.rest().is_empty());
    assert_eq!(control.received(), []);
}

/// What is behind another request is judged as what comes alone, wherever the pieces were cut.
#[test]
fn a_request_that_was_pipelined_is_refused_as_one_that_comes_alone() {
    let control = Origin::saying("first");
    let fields: String = (0..101).map(|n| format!("x-{n}: 1\r\n")).collect();
    let long = |bytes: usize| "x".repeat(bytes);
    for (second, status, reason) in [
        (format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n"), 431, "head_too_large"),
        (format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", long(500_000)), 431, "head_too_large"),
        (format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", long(9_000)), 414, "target_too_long"),
        (
            format!(
                "POST / HTTP/1.1\r\nHost: a\r\nX: {}\r\nContent-Length: 18446744073709551615\r\n\r\n",
                long(100)
            ),
            413,
            "body_too_large",
        ),
        ("GET / HTTP/1.1\r\nHost: a\r\nX : 1\r\n\r\n".to_owned(), 400, "malformed"),
    ] {
        check(second.as_bytes(), status, reason);
        let first = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
        for cut in [0, first.len(), first.len() + 10, first.len() + second.len() / 2] {
            let proxy = Proxy::to(&control);
            let mut client = proxy.client();
            let both = format!("{first}{second}");
            client.send(&both[..cut]);
            if cut >= first.len() {
                assert_eq!(client.response().text(), "first");
            }
            client.send(&both[cut..]);
            if cut < first.len() {
                assert_eq!(client.response().text(), "first");
            }
            let response = client.response();
            assert_eq!((response.status, response.reason().as_str()), (status, reason), "cut at {cut}");
            assert_eq!(proxy.refused(reason), 1);
        }
    }
}
