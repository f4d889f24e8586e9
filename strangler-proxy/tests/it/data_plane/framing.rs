//! Where a message ends (RFC 9112 §6), and what is between its head and its end: 1xx, trailers, Expect.

use diff_harness::lifecycle::Stage;

use super::http2::client::Http2;
use super::origin::{Origin, ok};
use super::proxy::{Plan, Proxy};

#[test]
fn a_response_to_head_has_the_length_and_no_body() {
    let control = Origin::new(|request| {
        let length = if request.first_line().starts_with("GET") { "abc" } else { "" };
        format!("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{length}")
    });
    let proxy = Proxy::to(&control);
    let mut client = proxy.client();
    client.send("HEAD /a HTTP/1.1\r\nHost: a\r\n\r\n");
    let response = client.response_to("HEAD");
    assert_eq!(response.field("content-length"), Some("3"));
    assert_eq!(client.get("/a").text(), "abc");
    assert_eq!(control.received()[0].first_line(), "HEAD /a HTTP/1.1");
    assert_eq!(control.connections(), 1);
}

#[test]
fn a_head_response_without_a_length_gets_none() {
    let control = Origin::new(|_| "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    let proxy = Proxy::to(&control);
    let mut client = proxy.client();
    client.send("HEAD /a HTTP/1.1\r\nHost: a\r\n\r\n");
    let response = client.response_to("HEAD");
    assert_eq!(response.field("content-length"), None, "{}", response.head);
    client.send("HEAD /b HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(client.response_to("HEAD").status, 200);
}

#[test]
fn responses_that_have_no_body_have_none() {
    let control = Origin::new(|request| match request.first_line() {
        "GET /204 HTTP/1.1" => "HTTP/1.1 204 No Content\r\nX-A: 1\r\n\r\n".to_owned(),
        "GET /304 HTTP/1.1" => {
            "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\nETag: \"x\"\r\n\r\n".to_owned()
        }
        _ => ok("after"),
    });
    let proxy = Proxy::to(&control);
    let mut client = proxy.client();
    let response = client.get("/204");
    assert_eq!((response.status, response.field("x-a")), (204, Some("1")));
    assert_eq!((response.field("content-length"), response.field("transfer-encoding")), (None, None));
    let response = client.get("/304");
    assert_eq!((response.status, response.field("etag")), (304, Some("\"x\"")));
    // RFC 9110 §8.6: of what a 200 would have had.
    assert_eq!(response.field("content-length"), Some("9"));
    assert_eq!(client.get("/").text(), "after");
    assert_eq!(control.connections(), 1);
}

/// They say what there would have been, and nothing follows; where they contradict each other they say nothing.
#[test]
fn a_length_without_a_body_is_kept_and_only_once() {
    let control = Origin::new(|request| {
        let lengths = match request.first_line().split(' ').nth(1).unwrap() {
            "/one" => "Content-Length: 9\r\n",
            "/zero" => "Content-Length: 0\r\n",
            "/twice" => "Content-Length: 9\r\nContent-Length: 9, 9\r\n",
            "/differ" => "Content-Length: 9\r\nContent-Length: 8\r\n",
            "/none" => "",
            other => unreachable!("{other}"),
        };
        let status = if request.first_line().starts_with("HEAD") { "200 OK" } else { "304 Not Modified" };
        format!("HTTP/1.1 {status}\r\n{lengths}\r\n")
    });
    let proxy = Proxy::to(&control);
    let mut client = proxy.client();
    let mut streams = Http2::connect(proxy.address);
    for (path, length) in
        [("/one", Some("9")), ("/zero", Some("0")), ("/twice", Some("9")), ("/differ", None), ("/none", None)]
    {
        for method in ["GET", "HEAD"] {
            client.send(format!("{method} {path} HTTP/1.1\r\nHost: a\r\n\r\n"));
            let response = client.response_to("HEAD");
            let lengths: Vec<_> = super::client::fields(&response.head, "content-length").collect();
            assert_eq!(lengths, Vec::from_iter(length), "{method} {path}");
            let asked =
                http::Request::builder().method(method).uri(format!("http://a{path}")).body(()).unwrap();
            let asked = streams.ask(asked, true);
            let response = streams.response(asked).unwrap();
            let lengths = response.headers.get_all("content-length").iter();
            let lengths: Vec<_> = lengths.map(|length| length.to_str().unwrap()).collect();
            assert_eq!(
                (lengths, response.body.len()),
                (Vec::from_iter(length), 0),
                "{method} {path} over HTTP/2"
            );
        }
    }
    assert_eq!(control.received().len(), 20);
}

#[test]
fn a_chunked_body_passes_in_both_directions() {
    let control = Origin::new(
        |_| "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
    );
    let proxy = Proxy::to(&control);
    let mut client = proxy.client();
    client.send(
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nfoo\r\n3\r\nbar\r\n0\r\n\r\n",
    );
    assert_eq!(client.response().text(), "abcde");
    let request = control.only();
    assert_eq!((request.body.as_slice(), request.field("content-length")), (&b"foobar"[..], None));
}

#[test]
fn a_chunked_body_of_a_safe_request_arrives() {
    let control = Origin::saying("");
    let proxy = Proxy::to(&control);
    let mut client = proxy.client();
    client.send("GET /search HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nfoo\r\n0\r\n\r\n");
    client.response();
    assert_eq!(control.only().body, b"foo");
}

#[test]
fn a_body_that_ends_with_the_connection_is_whole() {
    let control = Origin::scripted(|line| {
        line.request();
        line.send("HTTP/1.1 200 OK\r\n\r\nuntil the end");
    });
    let proxy = Proxy::to(&control);
    let mut client = proxy.client();
    let response = client.get("/");
    assert_eq!(response.text(), "until the end");
    assert_eq!(response.field("transfer-encoding"), Some("chunked"));
    assert_eq!(client.get("/").text(), "until the end");
}

/// RFC 9112 §6.3: a response with both must not be passed on with both.
#[test]
fn an_upstream_with_two_lengths_is_read_in_one_way() {
    let control = Origin::scripted(|line| {
        line.request();
        line.send("HTTP/1.1 200 OK\r\nContent-Length: 50\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
    });
    let proxy = Proxy::to(&control);
    let response = proxy.client().get("/");
    assert_eq!((response.text(), response.field("content-length")), ("abc", None));
}

#[test]
fn equal_lengths_that_are_repeated_become_one() {
    let control = Origin::new(|_| "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc");
    let proxy = Proxy::to(&control);
    let response = proxy.client().get("/");
    assert_eq!(response.text(), "abc");
    assert_eq!(super::client::fields(&response.head, "content-length").count(), 1, "{}", response.head);
}

#[test]
fn trailers_pass_to_a_client_that_takes_them() {
    let control = Origin::new(|request| {
        assert_eq!(request.field("te"), Some("trailers"));
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 42\r\n\r\n"
    });
    let proxy = Proxy::to(&control);
    let mut client = proxy.client();
    client.send("GET / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: te\r\n\r\n");
    let response = client.response();
    assert_eq!((response.text(), response.field("trailer")), ("abc", Some("X-Sum")));
    assert_eq!(response.trailers.to_lowercase(), "x-sum: 42\r\n");
}

#[test]
fn trailers_of_a_request_arrive() {
    let control = Origin::saying("");
    let proxy = Proxy::to(&control);
    let mut client = proxy.client();
    client.send(
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 42\r\n\r\n",
    );
    client.response();
    let request = control.only();
    assert_eq!(
        (request.body.as_slice(), request.trailers.to_lowercase().as_str()),
        (&b"abc"[..], "x-sum: 42\r\n")
    );
}

#[test]
fn the_body_waits_until_the_upstream_wants_it() {
    let control = Origin::scripted(|line| {
        let head = line.head().unwrap();
        assert!(head.to_lowercase().contains("expect: 100-continue"), "{head}");
        line.send("HTTP/1.1 100 Continue\r\n\r\n");
        line.body_of(head);
        line.send(ok("thanks"));
    });
    let proxy = Plan::new(control.address)
        .with(|config| config.timeouts.expect = crate::shadow::rig::PATIENCE)
        .start();
    let mut client = proxy.client();
    client.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
    assert_eq!(client.head().unwrap(), "HTTP/1.1 100 Continue\r\n");
    client.send("abc");
    assert_eq!(client.response().text(), "thanks");
    assert_eq!(control.only().body, b"abc");
}

#[test]
fn a_body_that_the_upstream_does_not_want_is_never_asked_for() {
    let control = Origin::scripted(|line| {
        line.head();
        line.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
        line.wait_for_end();
    });
    let proxy = Plan::new(control.address)
        .with(|config| config.timeouts.expect = crate::shadow::rig::PATIENCE)
        .start();
    let mut client = proxy.client();
    client.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
    let response = client.response();
    assert_eq!((response.status, response.text()), (403, "no"));
    // What comes next on this connection could be the body or another request.
    assert!(client.is_closed());
}

#[test]
fn an_upstream_that_does_not_know_expect_gets_the_body_after_a_while() {
    let control = Origin::saying("late");
    let proxy = Plan::new(control.address)
        .with(|config| config.timeouts.expect = std::time::Duration::from_millis(1))
        .start();
    let mut client = proxy.client();
    client.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
    assert_eq!(client.head().unwrap(), "HTTP/1.1 100 Continue\r\n");
    client.send("abc");
    assert_eq!(client.response().text(), "late");
}

#[test]
fn early_hints_pass_before_the_response() {
    let control = Origin::scripted(|line| {
        while line.request().is_some() {
            line.send("HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n");
            line.send(ok("done"));
        }
    });
    let proxy = Proxy::to(&control);
    let mut client = proxy.client();
    for _ in 0..3 {
        let hints = client.get("/");
        assert_eq!((hints.status, hints.field("link")), (103, Some("</a.css>")));
        assert_eq!(client.response().text(), "done");
    }
}

#[test]
fn early_hints_do_not_pass_to_a_client_of_http_1_0() {
    let control =
        Origin::new(|_| format!("HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n{}", ok("done")));
    let proxy = Proxy::to(&control);
    let mut client = proxy.client();
    client.send("GET / HTTP/1.0\r\nHost: a\r\n\r\n");
    assert_eq!(client.response().text(), "done");
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let control = Origin::new(|request| ok(request.first_line()));
    let proxy = Proxy::to(&control);
    let mut client = proxy.client();
    let one = |n: usize| format!("GET /{n} HTTP/1.1\r\nHost: a\r\n\r\n");
    client.send((0..20).map(one).collect::<String>());
    for n in 0..20 {
        assert_eq!(client.response().text(), format!("GET /{n} HTTP/1.1"));
    }
}

#[test]
fn a_request_in_single_bytes_is_read() {
    let control = Origin::saying("patience");
    let proxy = Proxy::to(&control);
    let mut client = proxy.client();
    client.stream().set_nodelay(true).unwrap();
    for byte in b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc" {
        client.send([*byte]);
    }
    assert_eq!(client.response().text(), "patience");
    assert_eq!(control.only().body, b"abc");
}

#[test]
fn a_safe_request_with_a_body_is_shadowed_with_it() {
    let (control, candidate) = (Origin::saying("{}"), Origin::saying("{}"));
    let proxy =
        Plan::new(control.address).candidate(&candidate).endpoint("GET /search", Stage::Shadow).start();
    let mut client = proxy.client();
    client.send("GET /search HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nquery");
    client.response();
    assert_eq!(proxy.tally().compared(), 1);
    assert_eq!(
        (control.only().body.as_slice(), candidate.only().body.as_slice()),
        (&b"query"[..], &b"query"[..])
    );
}
