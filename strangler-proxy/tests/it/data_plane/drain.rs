//! The end: what is in flight is answered, what is idle is let go, and what does not end is cut.

use std::net::TcpStream;
use std::sync::{Arc, Barrier};
use std::time::Duration;

use super::origin::{Origin, ok};
use super::proxy::{Plan, Proxy};
use crate::shadow::rig::{PATIENCE, eventually};

#[test]
fn a_proxy_with_nothing_to_do_ends_at_once() {
    let control = Origin::saying("");
    let proxy = Proxy::to(&control);
    let mut idle = proxy.client();
    assert_eq!(idle.get("/").status, 200);
    let address = proxy.address;
    assert_eq!(proxy.drain(PATIENCE).cut, 0);
    assert!(idle.is_closed());
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn what_is_in_flight_is_answered() {
    let (arrived, go) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
    let (at_origin, gate) = (Arc::clone(&arrived), Arc::clone(&go));
    let control = Origin::scripted(move |line| {
        line.request();
        at_origin.wait();
        gate.wait();
        line.send(ok("answered"));
    });
    let mut proxy = Proxy::to(&control);
    let mut client = proxy.client();
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    arrived.wait();
    let address = proxy.address;
    let draining = proxy.drain_meanwhile(PATIENCE);
    eventually(|| TcpStream::connect(address).is_err());
    go.wait();
    let response = client.response();
    assert_eq!((response.text(), response.field("connection")), ("answered", Some("close")));
    assert!(client.is_closed());
    assert_eq!(draining.join().unwrap().cut, 0);
}

#[test]
fn what_does_not_end_is_cut() {
    let control = Origin::scripted(|line| {
        line.request();
        line.send("HTTP/1.1 200 OK\r\n\r\n");
        line.wait_for_end();
    });
    let proxy = Proxy::to(&control);
    let mut client = proxy.client();
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(client.head().is_some());
    let mut early = proxy.client();
    early.send("GET / HTTP/1.1\r\nHost");
    assert_eq!(proxy.drain(Duration::from_millis(50)).cut, 1);
    client.rest();
    assert!(early.is_closed());
}

#[test]
fn a_tunnel_is_in_flight() {
    let control = Origin::scripted(|line| {
        line.request();
        line.send("HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n");
        line.wait_for_end();
    });
    let proxy = Proxy::to(&control);
    let mut client = proxy.client();
    client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n");
    assert_eq!(client.response().status, 101);
    assert_eq!(proxy.drain(Duration::from_millis(50)).cut, 1);
    assert!(client.rest().is_empty());
}

/// A connection that the kernel has taken before the end is served, too.
#[test]
fn whoever_is_connected_already_is_answered() {
    for _ in 0..20 {
        let control = Origin::saying("in time");
        let mut proxy = Plan::new(control.address)
            .with(|config| config.threads = std::num::NonZeroUsize::new(2).unwrap())
            .start();
        let mut clients: Vec<_> = (0..20).map(|_| proxy.client()).collect();
        for client in &mut clients {
            client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        }
        let draining = proxy.drain_meanwhile(PATIENCE);
        for client in &mut clients {
            assert_eq!(client.response().text(), "in time");
        }
        drop(clients);
        assert_eq!(draining.join().unwrap().cut, 0);
    }
}

#[test]
fn all_threads_listen_on_one_address() {
    let control = Origin::saying("x");
    let proxy = Plan::new(control.address)
        .with(|config| config.threads = std::num::NonZeroUsize::new(3).unwrap())
        .start();
    for _ in 0..60 {
        assert_eq!(proxy.client().get("/").text(), "x");
    }
    assert_eq!(proxy.plane().counts().connections_accepted(), 60);
    assert!(control.connections() > 1, "one thread got all connections");
}
