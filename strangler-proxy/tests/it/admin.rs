//! The listener of the admin API: what its clients may take.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use strangler_proxy::admin::{self, AdminLimits};
use tokio::sync::watch;

use crate::data_plane::client::Client;

/// Serves until the test ends it.
struct Listening {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    serving: std::thread::JoinHandle<std::io::Result<()>>,
}

fn listen(router: Router, limits: AdminLimits) -> Listening {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = watch::channel(false);
    let serving = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(admin::serve(listener, router, limits, stopped))
    });
    Listening { address, stop, serving }
}

/// More than the kernel takes from us for a client that does not read.
fn large() -> String {
    "x".repeat(64 << 20)
}

#[test]
fn a_client_that_does_not_take_its_answer_does_not_keep_the_listener_from_ending() {
    // It would be waited for until long after the test was given up.
    let write_max = Duration::from_secs(24 * 3600);
    let limits = AdminLimits { end_max: Duration::from_millis(50), write_max, ..AdminLimits::default() };
    let listening = listen(Router::new().route("/", get(|| async { large() })), limits);
    let mut client = TcpStream::connect(listening.address).unwrap();
    client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    // The answer has begun.
    client.read_exact(&mut [0; 1]).unwrap();
    listening.stop.send_replace(true);
    listening.serving.join().unwrap().unwrap();
    let mut rest = Vec::new();
    let _ = client.read_to_end(&mut rest);
    assert!(rest.len() < 64 << 20, "the client got all of it");
}

#[test]
fn a_client_that_takes_its_answer_gets_all_of_it_before_the_listener_ends() {
    let (begin, begun) = std::sync::mpsc::channel();
    let slow = move || {
        let begin = begin.clone();
        async move {
            begin.send(()).unwrap();
            tokio::task::yield_now().await;
            large()
        }
    };
    let limits = AdminLimits { end_max: Duration::from_secs(30), ..AdminLimits::default() };
    let listening = listen(Router::new().route("/", get(slow)), limits);
    let mut client = Client::connect(listening.address);
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    begun.recv().unwrap();
    listening.stop.send_replace(true);
    assert_eq!(client.response().body.len(), 64 << 20);
    listening.serving.join().unwrap().unwrap();
}

/// The kernel sees to it, so that its place is free for others.
#[test]
fn a_client_that_does_not_take_its_answer_loses_its_connection() {
    let write_max = Duration::from_millis(100);
    let limits = AdminLimits { connections_max: 1, write_max, ..AdminLimits::default() };
    let router =
        Router::new().route("/", get(|| async { large() })).route("/small", get(|| async { "here" }));
    let listening = listen(router, limits);
    let mut deaf = TcpStream::connect(listening.address).unwrap();
    deaf.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    deaf.read_exact(&mut [0; 1]).unwrap();
    assert_eq!(Client::connect(listening.address).get("/small").text(), "here");
    listening.stop.send_replace(true);
    listening.serving.join().unwrap().unwrap();
    drop(deaf);
}

#[test]
fn there_are_no_more_connections_than_there_may_be() {
    let limits = AdminLimits { connections_max: 1, ..AdminLimits::default() };
    let listening = listen(Router::new().route("/", get(|| async { "here" })), limits);
    let mut first = Client::connect(listening.address);
    assert_eq!(first.get("/").text(), "here");
    // The kernel takes it; nobody looks at it yet.
    let mut second = Client::connect(listening.address);
    second.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    for _ in 0..20 {
        assert_eq!(first.get("/").text(), "here");
    }
    second.stream().set_nonblocking(true).unwrap();
    assert!(!second.is_closed(), "it has an answer");
    let waits = second.stream().peek(&mut [0; 1]).unwrap_err();
    assert_eq!(waits.kind(), std::io::ErrorKind::WouldBlock);
    second.stream().set_nonblocking(false).unwrap();
    drop(first);
    assert_eq!(second.response().text(), "here");
    drop(second);
    listening.stop.send_replace(true);
    listening.serving.join().unwrap().unwrap();
}
