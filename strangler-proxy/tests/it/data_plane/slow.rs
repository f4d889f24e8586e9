//! Those who take too long, and how each is told. Timeouts are tiny and what is waited for is their effect.

use std::io::Write;
use std::time::Duration;

use diff_harness::lifecycle::Stage;

use super::origin::Origin;
use super::proxy::{Plan, Proxy};
use crate::ports::Port;
use crate::shadow::rig::eventually;

/// Where only the end of it is waited for.
const TINY: Duration = Duration::from_millis(20);
/// Where something has to be done before its end, also on a machine that has much else to do.
const SHORT: Duration = Duration::from_millis(500);

#[test]
fn a_hung_upstream_is_a_504() {
    let control = Origin::scripted(|line| {
        line.request();
        line.wait_for_end();
    });
    let proxy = Plan::new(control.address).with(|config| config.control.head_timeout = SHORT).start();
    let mut asked = 0;
    for (method, request) in [
        ("GET", "GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        ("POST", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"),
    ] {
        // On a busy machine the time may be over before it was sent.
        eventually(|| {
            let mut client = proxy.client();
            client.send(request);
            let response = client.response();
            assert_eq!((response.status, response.reason().as_str()), (504, "upstream_timeout"));
            asked += 1;
            control.received().iter().any(|received| received.head.starts_with(method))
        });
    }
    // The connection on which nothing came is not used again, and nothing is sent twice.
    eventually(|| control.finished() == control.connections());
    assert!(control.received().len() <= asked && control.connections() <= asked);
}

#[test]
fn after_a_504_the_client_goes_on() {
    let control = Origin::saying("fine");
    let hung = Origin::scripted(|line| {
        line.request();
        line.wait_for_end();
    });
    let proxy = Plan::new(control.address)
        .candidate(&hung)
        .endpoint("GET /hang", Stage::Retired)
        .with(|config| config.candidate.as_mut().unwrap().head_timeout = TINY)
        .start();
    let mut client = proxy.client();
    for _ in 0..3 {
        assert_eq!(client.get("/hang").status, 504);
        assert_eq!(client.get("/").text(), "fine");
    }
}

#[test]
fn an_upstream_that_never_reads_is_a_504() {
    let control = Origin::scripted(|line| {
        line.head();
        std::thread::park_timeout(crate::shadow::rig::PATIENCE);
    });
    let proxy = Plan::new(control.address).with(|config| config.control.head_timeout = TINY).start();
    let mut client = proxy.client();
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n");
    let mut writing = client.stream().try_clone().unwrap();
    let writer = std::thread::spawn(move || {
        let chunk = vec![0; 1 << 20];
        while writing.write_all(&chunk).is_ok() {}
    });
    let response = client.response();
    assert_eq!((response.status, response.reason().as_str()), (504, "upstream_timeout"));
    client.leave();
    writer.join().unwrap();
}

#[test]
fn a_dead_upstream_is_a_502() {
    let proxy = Plan::new(Port::refused()).start();
    let mut client = proxy.client();
    for _ in 0..3 {
        let response = client.get("/");
        assert_eq!((response.status, response.reason().as_str()), (502, "unreachable"));
    }
}

#[test]
fn what_is_not_http_is_a_502() {
    for raw in
        ["SSH-2.0-OpenSSH\r\n\r\n", "HTTP/1.1 abc\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"]
    {
        let control = Origin::scripted(move |line| {
            line.request();
            line.send(raw);
        });
        let proxy = Proxy::to(&control);
        let response = proxy.client().get("/");
        assert_eq!((response.status, response.reason().as_str()), (502, "upstream_protocol"), "{raw:?}");
    }
}

#[test]
fn an_upstream_with_an_endless_head_is_a_502() {
    let control = Origin::scripted(|line| {
        line.request();
        line.send("HTTP/1.1 200 OK\r\n");
        while line.send(format!("X: {}\r\n", "x".repeat(1000))) {}
    });
    let proxy = Proxy::to(&control);
    let response = proxy.client().get("/");
    assert_eq!((response.status, response.reason().as_str()), (502, "upstream_protocol"));
    eventually(|| control.finished() == 1);
}

#[test]
fn an_upstream_that_only_ever_hints_is_a_504() {
    let control = Origin::scripted(|line| {
        line.request();
        while line.send("HTTP/1.1 102 Processing\r\n\r\n") {
            std::thread::yield_now();
        }
    });
    let proxy = Plan::new(control.address)
        .with(|config| {
            config.control.head_timeout = TINY;
            config.forwarding.informational = false;
        })
        .start();
    assert_eq!(proxy.client().get("/").reason(), "upstream_timeout");
    eventually(|| control.finished() == 1);
}

#[test]
fn a_response_that_stalls_is_cut() {
    let control = Origin::scripted(|line| {
        line.request();
        line.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
        line.wait_for_end();
    });
    let proxy = Plan::new(control.address).with(|config| config.control.body_timeout = TINY).start();
    let mut client = proxy.client();
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(client.head().is_some());
    assert_eq!(client.rest(), b"abc");
    eventually(|| control.finished() == 1);
}

#[test]
fn a_slow_head_is_a_408() {
    let control = Origin::saying("");
    let proxy = Plan::new(control.address).with(|config| config.timeouts.head = SHORT).start();
    let mut client = proxy.client();
    client.send("GET / HTTP/1.1\r\nHost:");
    let response = client.response();
    assert_eq!((response.status, response.reason().as_str()), (408, "head_timeout"));
    assert!(client.is_closed());
}

/// One byte now and then does not keep a connection open.
#[test]
fn a_head_that_trickles_is_a_408() {
    let control = Origin::saying("");
    let proxy = Plan::new(control.address).with(|config| config.timeouts.head = SHORT).start();
    let mut client = proxy.client();
    let mut writing = client.stream().try_clone().unwrap();
    std::thread::spawn(move || {
        let _ = writing.write_all(b"GET / HTTP/1.1\r\n");
        while writing.write_all(b"X: y\r\n").is_ok() {
            std::thread::sleep(Duration::from_millis(1));
        }
    });
    assert_eq!(client.response().status, 408);
}

#[test]
fn a_connection_that_never_says_anything_is_closed() {
    let control = Origin::saying("");
    let proxy = Plan::new(control.address).with(|config| config.timeouts.head = TINY).start();
    assert!(proxy.client().rest().is_empty());
}

#[test]
fn an_idle_connection_is_closed() {
    let control = Origin::saying("");
    let proxy = Plan::new(control.address).with(|config| config.timeouts.idle = TINY).start();
    let mut client = proxy.client();
    assert_eq!(client.get("/").status, 200);
    assert!(client.rest().is_empty());
}

#[test]
fn a_slow_request_body_is_a_408() {
    let control = Origin::scripted(|line| {
        line.request();
        line.wait_for_end();
    });
    let proxy = Plan::new(control.address).with(|config| config.timeouts.body = TINY).start();
    for method in ["POST", "GET"] {
        let mut client = proxy.client();
        client.send(format!("{method} / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc"));
        let response = client.response();
        assert_eq!((response.status, response.reason().as_str()), (408, "body_timeout"), "{method}");
        assert!(client.is_closed());
    }
    assert_eq!(control.received(), []);
}

#[test]
fn a_client_that_does_not_read_is_disconnected() {
    let control = Origin::scripted(|line| {
        line.request();
        line.send("HTTP/1.1 200 OK\r\n\r\n");
        let chunk = vec![b'x'; 1 << 20];
        while line.send(&chunk) {}
    });
    let proxy = Plan::new(control.address).with(|config| config.timeouts.write = TINY).start();
    let mut client = proxy.client();
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    eventually(|| control.finished() == 1);
    drop(client);
}

/// Many slow clients take nothing from a fast one but their connections.
#[test]
fn slow_clients_do_not_slow_others() {
    let control = Origin::saying("quick");
    let proxy = Proxy::to(&control);
    let slow: Vec<_> = (0..500)
        .map(|_| {
            let mut client = proxy.client();
            client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n1");
            client
        })
        .collect();
    eventually(|| proxy.snapshot().started == 500);
    let mut client = proxy.client();
    for _ in 0..100 {
        assert_eq!(client.get("/").text(), "quick");
    }
    drop(slow);
}
