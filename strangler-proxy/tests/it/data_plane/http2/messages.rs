//! What becomes of requests and responses on the way between HTTP/2 and HTTP/1.1 (RFC 9113 §8).

use bytes::Bytes;
use diff_harness::comparison::SkipReason;
use diff_harness::lifecycle::Stage;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};

use super::client::{Http2, get};
use crate::data_plane::client::fields;
use crate::data_plane::h2_frames::{
    DATA, END_HEADERS, END_STREAM, Frames, GOAWAY, HEADERS, PREFACE, RST_STREAM, SETTINGS, block,
};
use crate::data_plane::origin::{Origin, ok};
use crate::data_plane::proxy::{Plan, Proxy};
use crate::shadow::rig::eventually;

const PROTOCOL_ERROR: u32 = 1;

fn request(method: Method, target: &str) -> http::request::Builder {
    Request::builder().method(method).uri(format!("http://a.example{target}"))
}

#[test]
fn a_client_that_begins_with_http_2_is_served_in_it() {
    let control = Origin::saying("hello");
    let proxy = Proxy::to(&control);
    let mut client = Http2::connect(proxy.address);
    let asked = client.ask(get("/a%20b?c=d"), true);
    let response = client.response(asked).unwrap();
    assert_eq!((response.status, response.text()), (StatusCode::OK, "hello"));
    assert!(response.headers.contains_key("x-request-id"));
    let received = control.only();
    assert_eq!(received.first_line(), "GET /a%20b?c=d HTTP/1.1");
    assert_eq!(received.field("host"), Some("a.example"));
    assert_eq!(received.field("via"), Some("2 strangler"));
    assert_eq!(received.field("x-forwarded-for"), Some("127.0.0.1"));
    assert_eq!(received.field("x-forwarded-host"), Some("a.example"));
    assert_eq!(received.field("forwarded"), Some("for=127.0.0.1;host=\"a.example\";proto=http"));
    // The same listener speaks HTTP/1.1 with others.
    assert_eq!(proxy.client().get("/").text(), "hello");
}

#[test]
fn requests_of_one_connection_go_on_at_once() {
    let control = Origin::scripted(|line| {
        let request = line.request().unwrap();
        if request.first_line().contains("/slow") {
            return line.wait_for_end();
        }
        line.send(ok("quick"));
    });
    let proxy = Proxy::to(&control);
    let mut client = Http2::connect(proxy.address);
    let slow = client.ask(get("/slow"), true);
    eventually(|| control.received().len() == 1);
    for _ in 0..20 {
        assert_eq!(client.get("/quick").text(), "quick");
    }
    drop(slow);
}

#[test]
fn a_preface_that_comes_in_pieces_is_a_preface() {
    let control = Origin::saying("hello");
    let proxy = Proxy::to(&control);
    for at in [4, 5, 14, 16, 18, 20, 23, 24] {
        let mut frames = Frames::silent(proxy.address);
        frames.raw(&PREFACE[..at]);
        // The proxy has read it when it has read what another connection sent after it.
        assert_eq!(proxy.client().get("/").text(), "hello");
        frames.raw(&PREFACE[at..]);
        frames.send(SETTINGS, 0, 0, b"");
        frames.head(1, "GET", &[], true);
        let head = frames.until(&[HEADERS]);
        assert_eq!(head.stream, 1, "split at {at}");
    }
}

#[test]
fn a_connection_does_not_change_to_http_2_after_a_request() {
    let control = Origin::saying("hello");
    let proxy = Proxy::to(&control);
    let mut client = proxy.client();
    assert_eq!(client.get("/").text(), "hello");
    client.send(PREFACE);
    let response = client.response();
    assert_eq!((response.status, response.reason().as_str()), (400, "malformed"));
}

#[test]
fn http_2_that_is_switched_off_is_malformed() {
    let control = Origin::saying("hello");
    let proxy = Plan::new(control.address).with(|config| config.http2.enabled = false).start();
    let mut client = proxy.client();
    client.send(PREFACE);
    let response = client.response();
    assert_eq!((response.status, response.reason().as_str()), (400, "malformed"));
}

#[test]
fn the_crumbs_of_a_cookie_arrive_as_one_line() {
    let control = Origin::saying("");
    let proxy = Proxy::to(&control);
    let mut client = Http2::connect(proxy.address);
    let request =
        request(Method::GET, "/").header("cookie", "a=1").header("x", "y").header("cookie", "b=2; c=3");
    let asked = client.ask(request.body(()).unwrap(), true);
    assert_eq!(client.response(asked).unwrap().status, StatusCode::OK);
    let received = control.only();
    assert_eq!(fields(&received.head, "cookie").collect::<Vec<_>>(), ["a=1; b=2; c=3"]);
}

#[test]
fn a_host_that_is_not_the_authority_is_refused() {
    let control = Origin::saying("");
    let proxy = Proxy::to(&control);
    let mut client = Http2::connect(proxy.address);
    let with_host = |host: &str| request(Method::GET, "/").header("host", host).body(()).unwrap();
    let asked = client.ask(with_host("evil.example"), true);
    let response = client.response(asked).unwrap();
    assert_eq!((response.status, response.reason().as_str()), (StatusCode::BAD_REQUEST, "host_disagrees"));
    // A stream was refused, not the connection.
    let asked = client.ask(with_host("a.example"), true);
    assert_eq!(client.response(asked).unwrap().status, StatusCode::OK);
    assert_eq!(fields(&control.only().head, "host").collect::<Vec<_>>(), ["a.example"]);
}

/// §8.2.2: what belongs to a connection of HTTP/1.1 could mean another request to an upstream that speaks it.
#[test]
fn fields_of_a_connection_are_refused() {
    let control = Origin::saying("");
    let proxy = Proxy::to(&control);
    let mut frames = Frames::connect(proxy.address);
    let forbidden = [
        ("connection", "close"),
        ("transfer-encoding", "chunked"),
        ("keep-alive", "timeout=5"),
        ("proxy-connection", "keep-alive"),
        ("upgrade", "websocket"),
        ("te", "gzip"),
    ];
    for (index, field) in forbidden.into_iter().enumerate() {
        let stream = 1 + 2 * index as u32;
        frames.head(stream, "GET", &[field], true);
        let answer = frames.until(&[HEADERS, RST_STREAM, GOAWAY]);
        assert_eq!((answer.kind, answer.stream), (RST_STREAM, stream), "{field:?}: {answer:?}");
        assert_eq!(answer.code(), PROTOCOL_ERROR, "{field:?}");
    }
    // §8.2.1: names are lowercase.
    frames.head(99, "GET", &[("Upper", "case")], true);
    assert_eq!(frames.until(&[HEADERS, RST_STREAM, GOAWAY]).code(), PROTOCOL_ERROR);
    assert_eq!(control.received(), []);
}

/// §8.1.1: a length that the frames do not keep would end the request elsewhere for an upstream of HTTP/1.1.
#[test]
fn a_length_that_the_data_does_not_keep_is_refused() {
    let control = Origin::scripted(|line| while line.request().is_some_and(|_| line.send(ok(""))) {});
    let proxy = Proxy::to(&control);
    for (length, data) in [("3", &b"abcdef"[..]), ("10", b"abc"), ("3", b"")] {
        let mut frames = Frames::connect(proxy.address);
        frames.head(1, "POST", &[("content-length", length)], false);
        frames.send(DATA, END_STREAM, 1, data);
        let answer = frames.until(&[HEADERS, RST_STREAM, GOAWAY]);
        assert_eq!((answer.kind, answer.code()), (RST_STREAM, PROTOCOL_ERROR), "{length}: {answer:?}");
    }
    assert_eq!(control.received(), [], "an upstream got a whole request");
}

#[test]
fn two_lengths_that_differ_are_refused() {
    let control = Origin::saying("");
    let proxy = Proxy::to(&control);
    let mut frames = Frames::connect(proxy.address);
    frames.head(1, "POST", &[("content-length", "3"), ("content-length", "4")], false);
    frames.send(DATA, END_STREAM, 1, b"abc");
    let answer = frames.until(&[HEADERS, RST_STREAM, GOAWAY]);
    assert_eq!((answer.kind, answer.code()), (RST_STREAM, PROTOCOL_ERROR), "{answer:?}");
    assert_eq!(control.received(), []);
}

/// RFC 9110 §8.6: as one, or not at all.
#[test]
fn equal_lengths_that_are_repeated_are_forwarded_as_one() {
    let control = Origin::saying("");
    let proxy = Proxy::to(&control);
    for data in ["abc", ""] {
        let length = data.len().to_string();
        let mut frames = Frames::connect(proxy.address);
        frames.head(1, "POST", &[("content-length", &length), ("content-length", &length)], false);
        frames.send(DATA, END_STREAM, 1, data.as_bytes());
        assert_eq!(frames.until(&[HEADERS, RST_STREAM, GOAWAY]).kind, HEADERS);
        let received = control.received().pop().unwrap();
        assert_eq!(fields(&received.head, "content-length").collect::<Vec<_>>(), [length], "{data}");
    }
}

#[test]
fn a_body_without_a_length_is_chunked_on_its_way_and_one_with_a_length_has_it() {
    let control = Origin::new(|request| ok(&format!("{}", request.body.len())));
    let proxy = Proxy::to(&control);
    let mut client = Http2::connect(proxy.address);
    for (method, length) in [(Method::POST, None), (Method::POST, Some(300_000)), (Method::PUT, None)] {
        let mut request = request(method.clone(), "/");
        if let Some(length) = length {
            request = request.header("content-length", length);
        }
        let mut asked = client.ask(request.body(()).unwrap(), false);
        for piece in 0..3 {
            asked.body.send_data(Bytes::from(vec![b'x'; 100_000]), piece == 2).unwrap();
        }
        assert_eq!(client.response(asked).unwrap().text(), "300000");
        let received = control.received().pop().unwrap();
        assert_eq!(received.field("content-length"), length.map(|_| "300000"), "{method}");
        assert_eq!(received.field("transfer-encoding"), length.map_or(Some("chunked"), |_| None));
    }
}

/// An end that comes in a frame of its own, as many clients send it.
#[test]
fn a_safe_request_whose_end_comes_late_has_no_body() {
    let control = Origin::saying("x");
    let proxy = Proxy::to(&control);
    let mut client = Http2::connect(proxy.address);
    let mut asked = client.ask(get("/"), false);
    asked.body.send_data(Bytes::new(), true).unwrap();
    assert_eq!(client.response(asked).unwrap().text(), "x");
    let received = control.only();
    assert_eq!((received.field("content-length"), received.field("transfer-encoding")), (None, None));
}

#[test]
fn a_large_response_arrives_whole() {
    let body: String = (0..300_000).map(|n| format!("{n},")).collect();
    let expected = body.clone();
    let control = Origin::new(move |_| ok(&body));
    let proxy = Proxy::to(&control);
    let mut client = Http2::connect(proxy.address);
    for _ in 0..3 {
        let response = client.get("/");
        assert_eq!(response.headers["content-length"], expected.len().to_string().as_str());
        assert!(response.text() == expected, "{} bytes came", response.body.len());
    }
}

#[test]
fn trailers_pass_in_both_directions() {
    let control = Origin::new(|request| {
        assert_eq!(request.field("te"), Some("trailers"));
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: grpc-status\r\n\r\n\
         3\r\nabc\r\n0\r\ngrpc-status: 0\r\n\r\n"
    });
    let proxy = Proxy::to(&control);
    let mut client = Http2::connect(proxy.address);
    let request = request(Method::POST, "/").header("te", "trailers").header("trailer", "x-sum");
    let mut asked = client.ask(request.body(()).unwrap(), false);
    asked.body.send_data(Bytes::from_static(b"body"), false).unwrap();
    asked
        .body
        .send_trailers(
            [("x-sum", "7")]
                .iter()
                .map(|(n, v)| (n.parse().unwrap(), HeaderValue::from_static(v)))
                .collect::<HeaderMap>(),
        )
        .unwrap();
    let response = client.response(asked).unwrap();
    assert_eq!((response.text(), response.trailers["grpc-status"].to_str().unwrap()), ("abc", "0"));
    let received = control.only();
    assert_eq!((received.body.as_slice(), received.trailers.trim()), (&b"body"[..], "x-sum: 7"));
}

#[test]
fn fields_of_the_upstream_connection_stay_there() {
    let control = Origin::new(|_| {
        "HTTP/1.1 200 OK\r\nConnection: keep-alive, X-Hop\r\nKeep-Alive: timeout=5\r\nX-Hop: 1\r\nX-End: 2\r\n\
         Proxy-Connection: x\r\nUpgrade: h2c\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"
    });
    let proxy = Proxy::to(&control);
    let response = Http2::connect(proxy.address).get("/");
    let names: Vec<_> = response.headers.keys().map(http::HeaderName::as_str).collect();
    assert_eq!(names, ["x-end", "x-request-id", "date"]);
    assert_eq!(response.text(), "a");
}

#[test]
fn what_has_no_body_has_none() {
    let control = Origin::new(|request| match request.first_line() {
        line if line.starts_with("HEAD") => "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n",
        line if line.contains("/204") => "HTTP/1.1 204 No Content\r\n\r\n",
        _ => "HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n\r\n",
    });
    let proxy = Proxy::to(&control);
    let mut client = Http2::connect(proxy.address);
    let asked = client.ask(request(Method::HEAD, "/").body(()).unwrap(), true);
    let head = client.response(asked).unwrap();
    assert_eq!(
        (head.status.as_u16(), head.headers["content-length"].to_str().unwrap(), head.text()),
        (200, "7", "")
    );
    for status in [204, 304] {
        let response = client.get(&format!("/{status}"));
        assert_eq!((response.status.as_u16(), response.text()), (status, ""));
    }
}

#[test]
fn methods_that_are_not_for_a_gateway_are_refused() {
    let control = Origin::saying("");
    let proxy = Proxy::to(&control);
    let mut client = Http2::connect(proxy.address);
    let connect = Request::builder().method(Method::CONNECT).uri("a.example:443").body(()).unwrap();
    for request in [connect, request(Method::TRACE, "/").body(()).unwrap()] {
        let method = request.method().clone();
        let asked = client.ask(request, true);
        let response = client.response(asked).unwrap();
        assert_eq!(response.status, StatusCode::METHOD_NOT_ALLOWED, "{method}");
    }
    let mut frames = Frames::connect(proxy.address);
    let settings = frames.until(&[SETTINGS]);
    let offers = settings.payload.chunks(6).map(|setting| u16::from_be_bytes([setting[0], setting[1]]));
    // RFC 8441 §3: SETTINGS_ENABLE_CONNECT_PROTOCOL.
    assert!(offers.into_iter().all(|id| id != 8), "extended CONNECT is offered");
    assert_eq!(control.received(), []);
}

/// To a client of HTTP/2 and from an upstream of HTTP/1.1, 103 and 100 before the response.
#[test]
fn interim_responses_do_not_disturb_the_final_one() {
    let control = Origin::new(|_| {
        "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n\
         HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfinal"
    });
    let proxy = Proxy::to(&control);
    let mut client = Http2::connect(proxy.address);
    assert_eq!(client.get("/").text(), "final");
    let expecting = request(Method::PUT, "/").header("expect", "100-continue").header("content-length", "4");
    let mut asked = client.ask(expecting.body(()).unwrap(), false);
    asked.body.send_data(Bytes::from_static(b"body"), true).unwrap();
    let response = client.response(asked).unwrap();
    assert_eq!((response.text(), response.headers.contains_key("link")), ("final", false));
    assert_eq!(control.received()[1].body, b"body");
}

#[test]
fn the_server_as_a_whole_can_be_asked() {
    let control = Origin::saying("");
    let proxy = Proxy::to(&control);
    let mut frames = Frames::connect(proxy.address);
    let head = [(":method", "OPTIONS"), (":scheme", "http"), (":path", "*"), (":authority", "a")];
    frames.send(HEADERS, END_HEADERS | END_STREAM, 1, &block(&head));
    assert_eq!(frames.until(&[HEADERS, RST_STREAM, GOAWAY]).kind, HEADERS);
    assert_eq!(control.only().first_line(), "OPTIONS * HTTP/1.1");
}

#[test]
fn a_response_that_breaks_off_is_reset() {
    let control = Origin::scripted(|line| {
        line.request();
        line.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
    });
    let proxy = Proxy::to(&control);
    let mut client = Http2::connect(proxy.address);
    let asked = client.ask(get("/"), true);
    assert!(client.response(asked).unwrap_err().is_reset());
}

#[test]
fn an_exchange_of_http_2_is_compared_as_any_other() {
    let (control, candidate) = (Origin::saying("same"), Origin::saying("same"));
    let proxy =
        Plan::new(control.address).candidate(&candidate).endpoint("GET /a/{id}", Stage::Shadow).start();
    let mut client = Http2::connect(proxy.address);
    for id in 0..5 {
        assert_eq!(client.get(&format!("/a/{id}")).text(), "same");
    }
    assert_eq!(proxy.tally().matched, 5);
    assert_eq!(candidate.received().len(), 5);
}

#[test]
fn a_stream_that_the_client_resets_ends_its_request() {
    let control = Origin::scripted(|line| {
        line.request();
        line.wait_for_end();
    });
    let proxy = Plan::new(control.address).endpoint("GET /a", Stage::Legacy).start();
    let mut client = Http2::connect(proxy.address);
    let mut asked = client.ask(get("/a"), true);
    eventually(|| control.received().len() == 1);
    asked.body.send_reset(h2::Reason::CANCEL);
    eventually(|| control.finished() == 1);
    assert_eq!(proxy.tally().skipped[&SkipReason::ClientGone], 1);
}
