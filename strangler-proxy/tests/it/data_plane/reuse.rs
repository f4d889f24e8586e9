//! Connections to upstreams: which are used again, and what happens when one turns out to be closed.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::time::Duration;

use super::client::Client;
use super::origin::{Line, Origin, ok};
use super::proxy::{Plan, Proxy};
use crate::shadow::rig::eventually;

#[test]
fn one_connection_serves_many_requests() {
    let control = Origin::saying("x");
    let proxy = Proxy::to(&control);
    for _ in 0..5 {
        let mut client = proxy.client();
        client.get("/");
        client.get("/");
    }
    assert_eq!((control.received().len(), control.connections()), (10, 1));
}

#[test]
fn an_upstream_that_closes_after_each_response_gets_a_new_connection() {
    let control = Origin::scripted(|line| {
        line.request();
        line.send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx");
    });
    let proxy = Proxy::to(&control);
    let mut client = proxy.client();
    for _ in 0..5 {
        assert_eq!(client.get("/").text(), "x");
    }
    assert_eq!(control.connections(), 5);
}

/// Answers once and closes without having said so: the next request finds a dead connection, or loses a race.
fn closing_silently(line: &mut Line) {
    if line.request().is_some() {
        line.send(ok("x"));
    }
}

#[test]
fn a_connection_that_was_closed_while_idle_is_never_seen_by_a_client() {
    let control = Origin::scripted(closing_silently);
    let proxy = Proxy::to(&control);
    let mut client = proxy.client();
    for _ in 0..200 {
        assert_eq!(client.get("/").status, 200);
    }
}

/// The upstream reads the request and closes: it may have been carried out, and must not be sent again.
#[test]
fn an_unsafe_request_is_never_sent_twice() {
    let control = Origin::scripted(|line| {
        // The first request warms the connection, so that the second goes out on a used one.
        if line.request().is_some() {
            line.send(ok("warm"));
            line.request();
        }
    });
    let proxy = Proxy::to(&control);
    for method in ["POST", "PUT", "PATCH", "DELETE"] {
        let mut client = proxy.client();
        assert_eq!(client.get("/warm").status, 200);
        client.send(format!("{method} /once HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"));
        let response = client.response();
        assert_eq!((response.status, response.reason().as_str()), (502, "upstream_closed"), "{method}");
        let line = format!("{method} /once HTTP/1.1");
        let sent = control.received().iter().filter(|request| request.first_line() == line).count();
        assert_eq!(sent, 1, "{method}");
    }
}

/// The same for a safe request, which is sent again on a new connection, once.
#[test]
fn a_safe_request_on_a_used_connection_is_sent_again_once() {
    let control = Origin::scripted(|line| {
        if line.number > 0 {
            line.request();
            return;
        }
        while let Some(request) = line.request() {
            if request.first_line() == "GET /fails HTTP/1.1" {
                return;
            }
            line.send(ok("warm"));
        }
    });
    let proxy = Proxy::to(&control);
    let mut client = proxy.client();
    assert_eq!(client.get("/warm").status, 200);
    let response = client.get("/fails");
    assert_eq!((response.status, response.reason().as_str()), (502, "upstream_closed"));
    let sent = control.received().iter().filter(|request| request.first_line().contains("/fails")).count();
    assert_eq!(sent, 2);
}

#[test]
fn an_unsafe_request_goes_out_on_a_new_connection_when_the_old_one_is_known_to_be_closed() {
    let control = Origin::scripted(closing_silently);
    let proxy = Proxy::to(&control);
    let mut client = proxy.client();
    for n in 0..50 {
        client.send(format!("POST /{n} HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx"));
        let response = client.response();
        // The close may come between our look and our write: then it is not known whether it was carried out.
        assert!(matches!(response.status, 200 | 502), "{response:?}");
        let line = format!("POST /{n} HTTP/1.1");
        assert!(control.received().iter().filter(|request| request.first_line() == line).count() <= 1);
    }
}

/// Connections to this address on which no end has come yet, by the kernel's own list (proc(5), `/proc/net/tcp`).
#[cfg(target_os = "linux")]
fn open_connections_to(address: std::net::SocketAddr) -> usize {
    let port = format!(":{:04X}", address.port());
    let list = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let of = |line: &&str| {
        let fields: Vec<_> = line.split_whitespace().take(4).collect();
        matches!(fields[..], [_, _, peer, "01"] if peer.ends_with(&port))
    };
    list.lines().filter(of).count()
}

/// Once the end has come there is no race any more: nothing is sent into such a connection, and nothing is lost.
#[cfg(target_os = "linux")]
#[test]
fn an_unsafe_request_never_goes_out_on_a_connection_whose_end_has_come() {
    let control = Origin::scripted(closing_silently);
    let proxy = Proxy::to(&control);
    let mut client = proxy.client();
    for n in 0..30 {
        client.send(format!("POST /{n} HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx"));
        assert_eq!(client.response().status, 200, "request {n}");
        eventually(|| open_connections_to(control.address) == 0);
    }
    assert_eq!(control.connections(), 30);
}

#[test]
fn a_response_that_says_more_than_it_announced_ends_its_connection() {
    let control = Origin::new(
        |_| "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcHTTP/1.1 200 OK\r\nX-Evil: 1\r\n\r\n",
    );
    let proxy = Proxy::to(&control);
    let mut client = proxy.client();
    for _ in 0..5 {
        let response = client.get("/");
        assert_eq!((response.status, response.text(), response.field("x-evil")), (200, "abc", None));
    }
}

#[test]
fn no_more_connections_are_made_than_allowed() {
    let started = Arc::new(AtomicUsize::new(0));
    let (at_once, go) = (Arc::new(AtomicUsize::new(0)), Arc::new(Barrier::new(3)));
    let (in_script, gate) = (Arc::clone(&at_once), Arc::clone(&go));
    let begun = Arc::clone(&started);
    let control = Origin::scripted(move |line| {
        while line.request().is_some() {
            in_script.fetch_add(1, Ordering::SeqCst);
            begun.fetch_add(1, Ordering::SeqCst);
            // Two requests are held until the test has seen that a third one is not let through.
            if begun.load(Ordering::SeqCst) <= 2 {
                gate.wait();
            }
            in_script.fetch_sub(1, Ordering::SeqCst);
            line.send(ok("x"));
        }
    });
    let proxy = Plan::new(control.address)
        .with(|config| {
            config.control.connections_max = 2;
            config.control.waiting_max = 1;
            config.control.wait_max = crate::shadow::rig::PATIENCE;
        })
        .start();
    let mut clients: Vec<Client> = (0..2).map(|_| proxy.client()).collect();
    for client in &mut clients {
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    }
    eventually(|| at_once.load(Ordering::SeqCst) == 2);
    // One waits, and of those after it none may.
    let mut waiting = proxy.client();
    waiting.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    eventually(|| proxy.snapshot().started == 3);
    let response = proxy.client().get("/");
    assert_eq!((response.status, response.reason().as_str()), (503, "busy"));
    assert_eq!(response.field("retry-after"), Some("1"));
    assert_eq!(control.connections(), 2);
    go.wait();
    for client in clients.iter_mut().chain([&mut waiting]) {
        assert_eq!(client.response().status, 200);
    }
    assert_eq!(control.connections(), 2);
}

#[test]
fn a_wait_for_a_connection_is_bounded() {
    let control = Origin::scripted(|line| {
        line.request();
        line.wait_for_end();
    });
    let proxy = Plan::new(control.address)
        .with(|config| {
            config.control.connections_max = 1;
            config.control.wait_max = Duration::from_millis(1);
        })
        .start();
    let mut holding = proxy.client();
    holding.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    eventually(|| control.received().len() == 1);
    assert_eq!(proxy.client().get("/").reason(), "busy");
    // Its client has gone, so that its place is free again.
    holding.leave();
    eventually(|| control.finished() == 1);
    let mut next = proxy.client();
    next.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    eventually(|| control.received().len() == 2);
    next.leave();
}

#[test]
fn idle_connections_are_closed_after_a_while() {
    let control = Origin::saying("x");
    let proxy = Plan::new(control.address)
        .with(|config| {
            config.control.idle_timeout = Duration::from_millis(1);
            // The sweep looks as often as the shortest timeout asks for.
            config.timeouts.body = Duration::from_millis(20);
        })
        .start();
    proxy.client().get("/");
    eventually(|| control.finished() == 1);
    assert_eq!(proxy.client().get("/").status, 200);
}

#[test]
fn a_connection_is_not_used_beyond_the_time_that_the_upstream_names() {
    for (seconds, connections) in [(0, 5), (60, 1)] {
        let control = Origin::new(move |_| {
            format!("HTTP/1.1 200 OK\r\nKeep-Alive: timeout={seconds}, max=9\r\nContent-Length: 1\r\n\r\nx")
        });
        let proxy = Proxy::to(&control);
        let mut client = proxy.client();
        for _ in 0..5 {
            let response = client.get("/");
            assert_eq!((response.status, response.field("keep-alive")), (200, None));
        }
        assert_eq!(control.connections(), connections, "timeout={seconds}");
    }
}
