//! HTTP/2 to upstreams.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use diff_harness::lifecycle::Stage;
use h2::Reason;
use http::{HeaderMap, HeaderValue, Method, Response};
use strangler_proxy::data_plane::DataPlaneConfig;
use strangler_proxy::data_plane::upstream::{AddressState, Check, Protocol, TlsFiles, Use};
use tokio::sync::Semaphore;

use super::h2_origin::{H2Origin, Received, Settings, answer};
use super::origin::Origin;
use super::proxy::{Plan, Proxy};
use super::tls_origin::{Ca, TlsOrigin};
use crate::shadow::rig::{PATIENCE, eventually};

fn speaking(protocol: Protocol) -> impl FnOnce(&mut DataPlaneConfig) {
    move |config| config.control.protocol = protocol
}

/// In front of an upstream that is known to speak HTTP/2.
fn proxy(address: SocketAddr) -> Proxy {
    Plan::new(address).with(speaking(Protocol::Http2)).start()
}

fn over_tls(address: SocketAddr, ca: &Ca, protocol: Protocol) -> Proxy {
    let tls = TlsFiles { ca: Some(ca.file.clone()), ..TlsFiles::default() };
    Plan::new(address).with(speaking(protocol)).with(|config| config.control.tls = Some(tls)).start()
}

fn names(headers: &HeaderMap) -> Vec<&str> {
    headers.keys().map(http::HeaderName::as_str).collect()
}

#[test]
fn a_request_goes_over_http_2_with_its_own_fields_and_no_others() {
    let origin = H2Origin::saying("hello");
    let proxy = proxy(origin.address);
    let mut client = proxy.client();
    client.send(
        "POST /a%20b?c=d HTTP/1.1\r\nHost: a.example:81\r\nX-Own: 1\r\nKeep-Alive: 5\r\nConnection: x-hop\r\nX-Hop: 1\r\n\
         Cookie: a=b; c=d\r\nContent-Length: 3\r\n\r\nabc",
    );
    let response = client.response();
    assert_eq!((response.status, response.text()), (200, "hello"));
    assert_eq!(response.field("content-length"), Some("5"));
    let received = &origin.received()[0];
    assert_eq!(received.body, b"abc");
    assert_eq!(
        (&received.head.method, &received.head.uri),
        (&Method::POST, &"http://a.example:81/a%20b?c=d".parse().unwrap())
    );
    let headers = &received.head.headers;
    assert_eq!((headers["x-own"].as_bytes(), headers["cookie"].as_bytes()), (&b"1"[..], &b"a=b; c=d"[..]));
    assert_eq!(headers["content-length"], "3");
    for gone in ["host", "connection", "keep-alive", "x-hop", "transfer-encoding"] {
        assert!(!headers.contains_key(gone), "{:?}", names(headers));
    }
}

#[test]
fn the_server_as_a_whole_can_be_asked() {
    let origin = H2Origin::saying("");
    let proxy = proxy(origin.address);
    let mut client = proxy.client();
    client.send("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(client.response().status, 200);
    let received = &origin.received()[0];
    assert_eq!((received.head.method.as_str(), received.head.uri.path()), ("OPTIONS", "*"));
}

/// Answers when it is let.
fn holding(settings: Settings) -> (H2Origin, Arc<Semaphore>) {
    let go = Arc::new(Semaphore::new(0));
    let gate = Arc::clone(&go);
    let origin = H2Origin::new(settings, move |_, respond| {
        let gate = Arc::clone(&gate);
        async move {
            gate.acquire().await.unwrap().forget();
            answer(respond, "x");
        }
    });
    (origin, go)
}

#[test]
fn many_requests_share_one_connection() {
    const ALL: usize = 30;
    let (origin, go) = holding(Settings::default());
    let proxy = proxy(origin.address);
    let mut clients: Vec<_> = (0..ALL).map(|_| proxy.client()).collect();
    for client in &mut clients {
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    }
    eventually(|| origin.received().len() == ALL);
    go.add_permits(ALL);
    for client in &mut clients {
        assert_eq!(client.response().text(), "x");
    }
    assert_eq!(origin.connections(), 1);
}

#[test]
fn what_one_connection_does_not_take_goes_over_another() {
    let (origin, go) = holding(Settings { streams_max: Some(2), ..Settings::default() });
    let proxy = proxy(origin.address);
    // What the upstream takes is known after the first.
    go.add_permits(1);
    assert_eq!(proxy.client().get("/").status, 200);
    let mut clients: Vec<_> = (0..5).map(|_| proxy.client()).collect();
    for (index, client) in clients.iter_mut().enumerate() {
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        eventually(|| origin.received().len() == index + 2);
    }
    assert_eq!(origin.connections(), 3);
    go.add_permits(5);
    for client in &mut clients {
        assert_eq!(client.response().status, 200);
    }
}

#[test]
fn no_more_requests_are_under_way_than_there_may_be_connections() {
    let (origin, go) = holding(Settings::default());
    let proxy = Plan::new(origin.address)
        .with(speaking(Protocol::Http2))
        .with(|config| {
            config.control.connections_max = 2;
            config.control.waiting_max = 1;
            config.control.wait_max = Duration::from_millis(1);
        })
        .start();
    let mut clients: Vec<_> = (0..2).map(|_| proxy.client()).collect();
    for client in &mut clients {
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    }
    eventually(|| origin.received().len() == 2);
    assert_eq!(proxy.client().get("/").reason(), "busy");
    go.add_permits(2);
    for client in &mut clients {
        assert_eq!(client.response().status, 200);
    }
}

#[test]
fn trailers_pass_both_ways_so_that_grpc_does() {
    let origin = H2Origin::new(Settings::default(), |received: Received, mut respond| async move {
        let response = Response::builder()
            .header("content-type", "application/grpc")
            .header("trailer", "grpc-status")
            .body(())
            .unwrap();
        let mut stream = respond.send_response(response, false).unwrap();
        stream.send_data(Bytes::from(received.body), false).unwrap();
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", HeaderValue::from_static("0"));
        stream.send_trailers(trailers).unwrap();
    });
    let proxy = proxy(origin.address);
    let mut client = proxy.client();
    client.send(
        "POST /a.B/C HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: te\r\nTransfer-Encoding: chunked\r\nTrailer: x-sum\r\n\r\n\
         3\r\nabc\r\n2\r\nde\r\n0\r\nx-sum: 5\r\n\r\n",
    );
    let response = client.response();
    assert_eq!((response.status, response.text()), (200, "abcde"));
    assert_eq!(response.trailers.to_ascii_lowercase(), "grpc-status: 0\r\n");
    let received = &origin.received()[0];
    assert_eq!(
        (received.body.as_slice(), &received.trailers["x-sum"]),
        (&b"abcde"[..], &HeaderValue::from_static("5"))
    );
    assert_eq!(received.head.headers["te"], "trailers");
}

#[test]
fn bodies_of_any_size_pass_in_both_directions() {
    let origin = H2Origin::new(Settings::default(), |received: Received, mut respond| async move {
        let mut stream = respond.send_response(Response::new(()), false).unwrap();
        let mut left = Bytes::from(received.body);
        while !left.is_empty() {
            stream.reserve_capacity(left.len());
            let Some(Ok(room)) = std::future::poll_fn(|cx| stream.poll_capacity(cx)).await else { return };
            let piece = left.split_to(room.min(left.len()));
            stream.send_data(piece, false).unwrap();
        }
        stream.send_data(Bytes::new(), true).unwrap();
    });
    let proxy = proxy(origin.address);
    let mut client = proxy.client();
    let body: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 251) as u8).collect();
    for method in ["POST", "GET"] {
        client.send(format!("{method} / HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n", body.len()));
        client.send(&body);
        assert!(client.response().body == body, "{method}");
    }
}

#[test]
fn a_response_that_is_reset_does_not_look_whole_and_the_connection_lives() {
    let origin = H2Origin::new(Settings::default(), |received: Received, mut respond| async move {
        if received.head.uri.path() != "/cut" {
            return answer(respond, "x");
        }
        let mut stream = respond.send_response(Response::new(()), false).unwrap();
        stream.send_data(Bytes::from_static(b"half"), false).unwrap();
        // A reset overtakes what waits to be sent.
        tokio::task::yield_now().await;
        stream.send_reset(Reason::INTERNAL_ERROR);
    });
    let proxy = proxy(origin.address);
    assert_eq!(proxy.client().get("/").status, 200);
    let mut client = proxy.client();
    client.send("GET /cut HTTP/1.1\r\nHost: a\r\n\r\n");
    let rest = String::from_utf8(client.rest()).unwrap();
    assert!(!rest.ends_with("0\r\n\r\n"), "{rest}");
    assert_eq!(proxy.client().get("/").status, 200);
    assert_eq!(origin.connections(), 1);
}

#[test]
fn a_request_that_the_upstream_refuses_unprocessed_is_sent_again_as_it_was() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let origin = H2Origin::new(Settings::default(), move |_, mut respond| {
        let asked = count.fetch_add(1, Ordering::SeqCst);
        async move {
            if asked.is_multiple_of(2) {
                respond.send_reset(Reason::REFUSED_STREAM);
            } else {
                answer(respond, "x");
            }
        }
    });
    let proxy = proxy(origin.address);
    for request in [
        "GET /a%20b HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST /a%20b HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
        "POST /a%20b HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: te\r\nContent-Length: 3\r\n\r\nabc",
        "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: t\r\n\r\n3\r\nabc\r\n0\r\nt: 1\r\n\r\n",
    ] {
        let mut client = proxy.client();
        client.send(request);
        assert_eq!(client.response().status, 200, "{request}");
        let mut received = origin.received();
        let (again, first) = (received.pop().unwrap(), received.pop().unwrap());
        let all = |it: &Received| {
            let head = &it.head;
            (
                head.method.clone(),
                head.uri.clone(),
                head.headers.clone(),
                it.body.clone(),
                it.trailers.clone(),
            )
        };
        assert_eq!(all(&first), all(&again), "{request}");
    }
    assert_eq!(asked.load(Ordering::SeqCst), 8);
}

#[test]
fn a_request_that_another_reset_ends_is_not_sent_again() {
    let origin = H2Origin::new(Settings::default(), |_, mut respond: super::h2_origin::Respond| async move {
        respond.send_reset(Reason::INTERNAL_ERROR);
    });
    let proxy = proxy(origin.address);
    for _ in 0..3 {
        assert_eq!(proxy.client().get("/").reason(), "upstream_closed");
    }
    assert_eq!((origin.received().len(), origin.connections()), (3, 1));
}

#[test]
fn a_connection_that_is_turned_away_is_replaced() {
    let settings = Settings { turns_away_first: true, ..Settings::default() };
    let origin = H2Origin::new(settings, |_, respond| async move { answer(respond, "x") });
    let proxy = proxy(origin.address);
    assert_eq!(proxy.client().get("/").status, 200);
    assert_eq!((origin.received().len(), origin.connections()), (1, 2));
}

#[test]
fn connections_that_say_goodbye_lose_no_request() {
    let settings = Settings { one_request_each: true, ..Settings::default() };
    let origin = H2Origin::new(settings, |_, respond| async move { answer(respond, "x") });
    let proxy = proxy(origin.address);
    let mut client = proxy.client();
    for n in 0..50 {
        client.send(format!("POST /{n} HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx"));
        assert_eq!(client.response().status, 200, "{n}");
    }
    assert_eq!(origin.received().len(), 50);
    assert!(origin.connections() > 1, "none said goodbye");
}

#[test]
fn a_body_that_is_announced_is_sent_at_once() {
    let origin = H2Origin::saying("x");
    let proxy = Plan::new(origin.address)
        .with(speaking(Protocol::Http2))
        // Nobody waits for a 100 that does not come.
        .with(|config| config.timeouts.expect = Duration::from_secs(3600))
        .start();
    let mut client = proxy.client();
    client.send("PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
    assert!(client.head().unwrap().starts_with("HTTP/1.1 100 "));
    client.send("abc");
    assert_eq!(client.response().status, 200);
    assert_eq!(origin.received()[0].body, b"abc");
    assert!(!origin.received()[0].head.headers.contains_key("expect"));
}

#[test]
fn a_client_that_leaves_ends_its_request_and_no_other() {
    let (origin, go) = holding(Settings::default());
    let proxy = proxy(origin.address);
    let mut staying = proxy.client();
    staying.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    let mut leaving = proxy.client();
    leaving.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc");
    eventually(|| origin.received().len() == 1);
    leaving.leave();
    eventually(|| origin.resets() == 1);
    go.add_permits(1);
    assert_eq!(staying.response().status, 200);
    assert_eq!(origin.connections(), 1);
}

#[test]
fn a_body_over_the_limit_is_the_clients_fault() {
    let origin = H2Origin::saying("x");
    let proxy = Plan::new(origin.address)
        .with(speaking(Protocol::Http2))
        .with(|config| config.limits.body_bytes_max = 4)
        .start();
    let mut client = proxy.client();
    client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n");
    assert_eq!(client.response().reason(), "body_too_large");
    let address = &proxy.upstreams.control.addresses()[0];
    assert_eq!(proxy.upstreams.control.state(address, Use::Clients), AddressState::Used);
}

#[test]
fn over_tls_the_upstream_chooses() {
    let (ca, h2) = (Ca::new(), H2Origin::saying("two"));
    let signed = ca.sign("127.0.0.1");
    let both = TlsOrigin::before(h2.address, &signed, &["h2", "http/1.1"], None);
    for protocol in [Protocol::Auto, Protocol::Http2] {
        let proxy = over_tls(both.address, &ca, protocol);
        for _ in 0..3 {
            assert_eq!(proxy.client().get("/").text(), "two");
        }
    }
    assert_eq!(h2.connections(), 2);
    assert_eq!(h2.received()[0].head.uri.scheme_str(), Some("https"));

    let one = Origin::saying("one");
    let old = TlsOrigin::before(one.address, &signed, &["http/1.1"], None);
    let proxy = over_tls(old.address, &ca, Protocol::Auto);
    for _ in 0..3 {
        assert_eq!(proxy.client().get("/").text(), "one");
    }
    assert_eq!(one.connections(), 1);
    let silent = TlsOrigin::before(one.address, &signed, &[], None);
    assert_eq!(over_tls(silent.address, &ca, Protocol::Auto).client().get("/").text(), "one");
    for server in [old.address, silent.address] {
        assert_eq!(over_tls(server, &ca, Protocol::Http2).client().get("/").reason(), "unreachable");
    }
}

#[test]
fn an_upgrade_gets_a_connection_of_http_1_1() {
    let (ca, h2) = (Ca::new(), H2Origin::saying("two"));
    let echo = Origin::scripted(|line| {
        line.request();
        line.send("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n");
        let mut bytes = [0; 5];
        while line.read(&mut bytes) > 0 {
            line.send(bytes);
        }
    });
    let signed = ca.sign("127.0.0.1");
    let server = TlsOrigin::choosing(h2.address, echo.address, &signed);
    let proxy = over_tls(server.address, &ca, Protocol::Auto);
    assert_eq!(proxy.client().get("/").text(), "two");
    let mut client = proxy.client();
    client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n");
    assert!(client.head().unwrap().starts_with("HTTP/1.1 101 "));
    client.send("hello");
    assert_eq!(client.read(5), b"hello");
    client.leave();
    assert_eq!(proxy.client().get("/").text(), "two");
    assert_eq!(h2.connections(), 1);
}

#[test]
fn a_shadow_goes_over_http_2_too() {
    let (control, candidate) = (Origin::saying("x"), H2Origin::saying("x"));
    let proxy = Plan::new(control.address)
        .candidate_at(candidate.address)
        .endpoint("GET /a", Stage::Shadow)
        .with(|config| config.candidate.as_mut().unwrap().protocol = Protocol::Http2)
        .start();
    for _ in 0..10 {
        assert_eq!(proxy.client().get("/a").status, 200);
    }
    let tally = proxy.tally();
    assert_eq!((tally.matched + tally.tolerated, tally.mismatched), (10, 0), "{tally:?}");
    assert_eq!(candidate.connections(), 1);
    assert!(
        candidate.received().iter().all(|request| request.head.headers.contains_key("x-strangler-shadow"))
    );
}

#[test]
fn a_health_check_goes_over_http_2_too() {
    let (well, sick) = (H2Origin::saying("x"), Origin::saying("HTTP/1.1 is spoken here"));
    let addresses = [well.address, sick.address];
    let proxy = Plan::new(well.address)
        .with(speaking(Protocol::Http2))
        .with(move |config| {
            config.control.authorities = addresses.map(|address| address.to_string()).to_vec();
            config.control.health.check = Some(Check {
                path: "/health".to_owned(),
                every: Duration::from_millis(10),
                timeout: PATIENCE,
                unhealthy: 1,
                ..Check::default()
            });
        })
        .start();
    let state = |socket: SocketAddr| {
        let all = proxy.upstreams.control.addresses();
        let address = all.iter().find(|address| address.socket == socket).unwrap();
        proxy.upstreams.control.state(address, Use::Clients)
    };
    eventually(|| state(sick.address) == AddressState::Unhealthy && !well.received().is_empty());
    assert_eq!(state(well.address), AddressState::Used);
    assert_eq!(well.received()[0].head.uri.path(), "/health");
}
