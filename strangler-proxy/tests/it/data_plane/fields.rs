//! What becomes of the fields of a message (RFC 9110 §7.6, §7.8; RFC 9112 §3.2; RFC 7239).

use diff_harness::lifecycle::Stage;
use strangler_proxy::data_plane::upstream::Protocol;

use super::client::fields;
use super::h2_origin::{H2Origin, Settings};
use super::origin::{Origin, ok};
use super::proxy::{Plan, Proxy};

#[test]
fn a_request_is_forwarded_as_it_came() {
    let control = Origin::saying("hello");
    let proxy = Proxy::to(&control);
    let response = proxy.client().get("/a%20b/~x?q=%2f&r=%zz&s=%00");
    assert_eq!((response.status, response.text()), (200, "hello"));
    let request = control.only();
    assert_eq!(request.first_line(), "GET /a%20b/~x?q=%2f&r=%zz&s=%00 HTTP/1.1");
    assert_eq!(request.field("host"), Some("a.example"));
}

#[test]
fn encoded_slashes_stay_encoded() {
    let control = Origin::saying("");
    let proxy = Plan::new(control.address)
        .with(|config| config.paths.encoded_slash = strangler_proxy::routes::Encoded::Opaque)
        .start();
    proxy.client().get("/a%2fb%2Fc");
    assert_eq!(control.only().first_line(), "GET /a%2fb%2Fc HTTP/1.1");
}

#[test]
fn the_case_of_names_is_kept_on_both_ways() {
    let control = Origin::new(|_| "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-MiXed: 1\r\n\r\n");
    let proxy = Proxy::to(&control);
    let mut client = proxy.client();
    client.send("GET / HTTP/1.1\r\nHost: a\r\nX-oDD-cAse: 1\r\n\r\n");
    assert!(client.response().head.contains("X-MiXed: 1\r\n"));
    assert!(control.only().head.contains("X-oDD-cAse: 1\r\n"));
}

#[test]
fn names_of_what_is_no_head_are_not_touched() {
    let response = "HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\n\
                    HTTP/1.1 200 OK\r\nContent-Length: 32\r\nX-oDD: 1\r\n\r\nHTTP/1.1 200 OK\r\nx-odd: 2\r\nX\r\n\r\n";
    let control = Origin::new(move |_| response);
    let proxy = Proxy::to(&control);
    let mut client = proxy.client();
    let body = "GET / HTTP/1.1\r\nx-odd: 2\r\n\r\n";
    for _ in 0..2 {
        client.send(format!(
            "POST / HTTP/1.1\r\nHost: a\r\nX-oDD: 1\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ));
        assert_eq!(client.response().status, 103);
        let response = client.response();
        assert!(response.head.contains("X-oDD: 1\r\n"), "{}", response.head);
        assert_eq!(response.text(), "HTTP/1.1 200 OK\r\nx-odd: 2\r\nX\r\n\r\n");
    }
    for request in control.received() {
        assert!(request.head.contains("X-oDD: 1\r\n"), "{}", request.head);
        assert_eq!(request.body, body.as_bytes());
    }
}

/// However many come at once, and wherever they are cut.
#[test]
fn the_names_of_requests_that_come_together_are_kept() {
    let control = Origin::saying("");
    let proxy = Proxy::to(&control);
    let one = |n: usize| format!("GET /{n} HTTP/1.1\r\nHost: a\r\nX-oDD-{n}: {n}\r\n\r\n");
    let all: String = (0..3).map(one).collect();
    for cut in (1..all.len()).step_by(7) {
        let mut client = proxy.client();
        client.send(&all[..cut]);
        // What is whole is answered before the rest comes.
        let whole = all[..cut].matches("\r\n\r\n").count();
        (0..whole).for_each(|_| assert_eq!(client.response().status, 200));
        client.send(&all[cut..]);
        (whole..3).for_each(|_| assert_eq!(client.response().status, 200));
    }
    // One that is refused is passed over, too, and so are empty lines.
    let mut client = proxy.client();
    client.send(["TRACE / HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n", "\r\n", &one(7)].concat());
    assert_eq!((client.response().status, client.response().status), (405, 200));
    for request in control.received() {
        let n = request.first_line().trim_start_matches("GET /").split(' ').next().unwrap().to_owned();
        assert!(request.head.contains(&format!("X-oDD-{n}: {n}\r\n")), "{}", request.head);
    }
}

/// What stands behind a body is not known for a head, and no name of it is taken for one of another request.
#[test]
fn the_names_of_a_request_that_comes_with_the_body_of_another_are_in_lower_case() {
    let control = Origin::saying("");
    let proxy = Proxy::to(&control);
    let mut client = proxy.client();
    client.send(
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc\
         GET /2 HTTP/1.1\r\nHost: a\r\nX-oDD: 1\r\n\r\nGET /3 HTTP/1.1\r\nHost: a\r\nX-oDD: 1\r\n\r\n",
    );
    (0..3).for_each(|_| assert_eq!(client.response().status, 200));
    client.send("GET /4 HTTP/1.1\r\nHost: a\r\nX-oDD: 1\r\n\r\n");
    assert_eq!(client.response().status, 200);
    let names: Vec<_> =
        control.received()[1..].iter().map(|request| request.head.contains("X-oDD: 1\r\n")).collect();
    assert_eq!(names, [false, false, true]);
}

#[test]
fn whoever_answers_in_the_end_is_sent_the_names_as_they_came() {
    let (control, candidate) =
        (Origin::saying("control"), Origin::new(|_| "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"));
    let proxy = Plan::new(control.address).endpoint("GET /a", Stage::Soak).candidate(&candidate).start();
    let mut client = proxy.client();
    client.send("GET /a HTTP/1.1\r\nHost: a\r\nX-oDD: 1\r\n\r\n");
    assert_eq!(client.response().text(), "control");
    for asked in [&control, &candidate] {
        assert!(asked.only().head.contains("X-oDD: 1\r\n"));
    }
}

#[test]
fn the_case_of_names_is_lower_where_it_is_not_to_be_kept() {
    let control = Origin::new(|_| "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-MiXed: 1\r\n\r\n");
    let proxy =
        Plan::new(control.address).with(|config| config.forwarding.preserve_header_case = false).start();
    let mut client = proxy.client();
    client.send("GET / HTTP/1.1\r\nHost: a\r\nX-oDD: 1\r\n\r\n");
    assert!(client.response().head.contains("x-mixed: 1\r\n"));
    assert!(control.only().head.contains("x-odd: 1\r\n"));
}

#[test]
fn fields_of_one_connection_stay_there() {
    let control = Origin::new(|_| {
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: X-Hop, keep-alive\r\nX-Hop: 1\r\n\
         Keep-Alive: timeout=9\r\nProxy-Authenticate: Basic\r\nX-Kept: 1\r\n\r\n"
    });
    let proxy = Proxy::to(&control);
    let mut client = proxy.client();
    client.send(
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: x-one\r\nConnection: close, X-Two\r\nX-One: 1\r\nX-Two: 2\r\n\
         Keep-Alive: 5\r\nProxy-Connection: close\r\nProxy-Authorization: Basic x\r\nTE: gzip\r\n\
         Upgrade: websocket\r\nX-Kept: 1\r\n\r\n",
    );
    let response = client.response();
    let request = control.only();
    for name in [
        "connection",
        "x-one",
        "x-two",
        "keep-alive",
        "proxy-connection",
        "proxy-authorization",
        "te",
        "upgrade",
    ] {
        assert_eq!(request.field(name), None, "{name} was forwarded");
    }
    assert_eq!(request.field("x-kept"), Some("1"));
    for name in ["x-hop", "keep-alive", "proxy-authenticate"] {
        assert_eq!(response.field(name), None, "{name} was forwarded");
    }
    assert_eq!(response.field("x-kept"), Some("1"));
    assert_eq!(response.field("connection"), Some("close"));
    assert!(client.is_closed());
}

#[test]
fn what_everyone_must_see_cannot_be_nominated_away() {
    let control = Origin::saying("");
    let proxy = Proxy::to(&control);
    let mut client = proxy.client();
    client.send(
        "POST / HTTP/1.1\r\nHost: a\r\nConnection: host, content-length, cookie, authorization, x-forwarded-for, \
         via, x-request-id, forwarded\r\nContent-Length: 3\r\nCookie: a=b\r\nAuthorization: Bearer x\r\n\r\nabc",
    );
    client.response();
    let request = control.only();
    for name in [
        "host",
        "content-length",
        "cookie",
        "authorization",
        "x-forwarded-for",
        "via",
        "x-request-id",
        "forwarded",
    ] {
        assert!(request.field(name).is_some(), "{name} is gone");
    }
    assert_eq!(request.body, b"abc");
}

#[test]
fn an_upstream_learns_who_asks_and_by_which_way() {
    let control = Origin::saying("");
    let proxy = Proxy::to(&control);
    let mut client = proxy.client();
    client.send(
        "GET / HTTP/1.1\r\nHost: a:80\r\nX-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: https\r\n\
         X-Forwarded-Host: evil\r\nX-Real-IP: 6.6.6.6\r\nForwarded: for=6.6.6.6\r\nX-Request-Id: mine\r\n\
         Via: 1.0 before\r\n\r\n",
    );
    let response = client.response();
    let request = control.only();
    assert_eq!(request.field("x-forwarded-for"), Some("127.0.0.1"));
    assert_eq!(request.field("x-forwarded-proto"), Some("http"));
    assert_eq!(request.field("x-forwarded-host"), Some("a:80"));
    assert_eq!(request.field("x-real-ip"), None);
    assert_eq!(request.field("forwarded"), Some("for=127.0.0.1;host=\"a:80\";proto=http"));
    assert_eq!(fields(&request.head, "via").collect::<Vec<_>>(), ["1.0 before", "1.1 strangler"]);
    let id = request.field("x-request-id").unwrap();
    assert_ne!(id, "mine");
    assert_eq!(response.field("x-request-id"), Some(id));
}

#[test]
fn a_trusted_peer_is_believed() {
    let control = Origin::saying("");
    let proxy = Plan::new(control.address)
        .with(|config| config.forwarding.trusted = vec!["127.0.0.0/8".parse().unwrap()])
        .start();
    let mut client = proxy.client();
    client.send(
        "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: https\r\n\
         X-Request-Id: mine\r\n\r\n",
    );
    assert_eq!(client.response().field("x-request-id"), Some("mine"));
    let request = control.only();
    assert_eq!(request.field("x-forwarded-for"), Some("203.0.113.9, 127.0.0.1"));
    assert_eq!(request.field("x-forwarded-proto"), Some("https"));
    assert_eq!(request.field("x-request-id"), Some("mine"));
}

#[test]
fn an_absolute_target_names_the_host() {
    let control = Origin::saying("");
    let proxy = Proxy::to(&control);
    let mut client = proxy.client();
    client.send("GET http://b.example:81/x?y HTTP/1.1\r\nHost: a\r\n\r\n");
    client.response();
    let request = control.only();
    assert_eq!(request.first_line(), "GET /x?y HTTP/1.1");
    assert_eq!(fields(&request.head, "host").collect::<Vec<_>>(), ["b.example:81"]);
}

#[test]
fn the_server_as_a_whole_can_be_asked() {
    let control = Origin::saying("");
    let proxy = Proxy::to(&control);
    let mut client = proxy.client();
    client.send("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(client.response().status, 200);
    assert_eq!(control.only().first_line(), "OPTIONS * HTTP/1.1");
}

#[test]
fn max_forwards_is_counted_down_and_ends_here() {
    let control = Origin::saying("");
    let proxy = Proxy::to(&control);
    let mut client = proxy.client();
    client.send("OPTIONS /a HTTP/1.1\r\nHost: a\r\nMax-Forwards: 3\r\n\r\n");
    client.response();
    assert_eq!(control.only().field("max-forwards"), Some("2"));
    client.send("OPTIONS /a HTTP/1.1\r\nHost: a\r\nMax-Forwards: 0\r\n\r\n");
    let response = client.response();
    assert_eq!(response.status, 204);
    assert!(response.field("allow").is_some());
    assert_eq!(control.received().len(), 1);
    assert_eq!(proxy.refused("max_forwards"), 1);
}

#[test]
fn a_client_cannot_pass_for_a_shadow() {
    let control = Origin::saying("");
    let proxy = Proxy::to(&control);
    let mut client = proxy.client();
    client.send("GET / HTTP/1.1\r\nHost: a\r\nX-Strangler-Shadow: 1\r\n\r\n");
    client.response();
    assert_eq!(control.only().field("x-strangler-shadow"), None);
}

#[test]
fn host_goes_to_both_sides_and_only_the_shadow_is_marked() {
    let (control, candidate) = (Origin::saying("{}"), Origin::saying("{}"));
    let proxy = Plan::new(control.address).candidate(&candidate).endpoint("GET /a", Stage::Shadow).start();
    proxy.client().get("/a?x=%2F");
    assert_eq!(proxy.tally().compared(), 1);
    let (answered, shadowed) = (control.only(), candidate.only());
    assert_eq!(answered.field("x-strangler-shadow"), None);
    assert!(shadowed.field("x-strangler-shadow").is_some());
    for name in ["host", "x-request-id", "x-forwarded-for", "via", "forwarded"] {
        assert_eq!(answered.field(name), shadowed.field(name), "{name}");
        assert!(answered.field(name).is_some(), "{name} is missing");
    }
    assert_eq!(answered.first_line(), shadowed.first_line());
}

#[test]
fn status_reason_and_repeated_fields_pass() {
    let control = Origin::new(
        |_| "HTTP/1.1 299 Quite All Right\r\nContent-Length: 0\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n\r\n",
    );
    let proxy = Proxy::to(&control);
    let response = proxy.client().get("/");
    assert!(response.head.starts_with("HTTP/1.1 299 Quite All Right\r\n"), "{}", response.head);
    assert_eq!(fields(&response.head, "set-cookie").collect::<Vec<_>>(), ["a=1", "b=2"]);
    assert!(response.field("date").is_some(), "RFC 9110 §6.6.1");
}

#[test]
fn a_client_of_http_1_0_is_served() {
    let control = Origin::new(|request| {
        if request.first_line().contains("chunked") {
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n".to_owned()
        } else {
            ok("whole")
        }
    });
    let proxy = Proxy::to(&control);
    let mut client = proxy.client();
    client.send("GET /chunked HTTP/1.0\r\n\r\n");
    let response = client.response();
    assert_eq!((response.text(), response.field("transfer-encoding")), ("abc", None));
    assert!(client.is_closed());
    assert_eq!(control.received()[0].field("host"), Some(control.address.to_string().as_str()));
    assert_eq!(control.received()[0].field("via"), Some("1.0 strangler"));

    let mut client = proxy.client();
    client.send("GET /1 HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n");
    let response = client.response();
    assert_eq!((response.text(), response.field("connection")), ("whole", Some("keep-alive")));
    client.send("GET /2 HTTP/1.0\r\nHost: a\r\n\r\n");
    assert_eq!(client.response().text(), "whole");
}

#[test]
fn a_response_has_no_more_fields_than_it_may() {
    let head = |count: usize| (0..count).map(|n| format!("x-{n}: 1\r\n")).collect::<String>();
    let control = Origin::new(move |request| {
        let count = request.first_line().split(['/', ' ']).nth(2).unwrap().parse().unwrap();
        format!("HTTP/1.1 200 OK\r\n{}Content-Length: 2\r\n\r\nok", head(count))
    });
    let streams = H2Origin::new(Settings::default(), move |received, mut respond| async move {
        let mut response = http::Response::new(());
        for n in 0..received.head.uri.path()[1..].parse::<usize>().unwrap() {
            let name = http::HeaderName::from_bytes(format!("x-{n}").as_bytes()).unwrap();
            response.headers_mut().insert(name, "1".parse().unwrap());
        }
        response.headers_mut().insert("content-length", 2.into());
        let mut body = respond.send_response(response, false).unwrap();
        body.send_data(bytes::Bytes::from_static(b"ok"), true).unwrap();
    });
    for (address, protocol) in [(control.address, Protocol::Http1), (streams.address, Protocol::Http2)] {
        for limit in [3, 100, 250] {
            let proxy = Plan::new(address)
                .with(move |config| {
                    config.control.protocol = protocol;
                    config.control.fields_max = limit;
                })
                .start();
            // Content-Length is one.
            assert_eq!(proxy.client().get(&format!("/{}", limit - 1)).text(), "ok", "{protocol:?} {limit}");
            let response = proxy.client().get(&format!("/{limit}"));
            assert_eq!((response.status, response.reason().as_str()), (502, "upstream_protocol"));
            assert_eq!(proxy.client().get("/1").text(), "ok");
        }
    }
}
