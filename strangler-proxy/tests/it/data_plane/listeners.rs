//! Several places to listen: TCP addresses, and files of Unix sockets.

use std::os::unix::net::UnixStream;
use std::path::Path;

use strangler_proxy::data_plane::{Address, Listener};

use super::client::Client;
use super::http2::client::Http2;
use super::origin::{Origin, ok};
use super::proxy::{Plan, Proxy};
use crate::shadow::rig::{PATIENCE, eventually};

fn unix(path: &Path) -> Listener {
    Listener::new(Address::Unix { path: path.to_owned(), mode: 0o600 })
}

fn connect(path: &Path) -> Client<UnixStream> {
    let stream = UnixStream::connect(path).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    Client::over(stream)
}

fn plan(control: &Origin, listeners: Vec<Listener>) -> Proxy {
    Plan::new(control.address).with(|config| config.listeners.extend(listeners)).start()
}

#[test]
fn clients_are_served_wherever_they_connect() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.sock");
    let control = Origin::saying("here");
    let proxy = plan(&control, vec![Listener::new("[::1]:0".parse::<Address>().unwrap()), unix(&path)]);
    assert_eq!(proxy.client().get("/").text(), "here");
    let addrs = proxy.plane().addrs();
    assert_eq!(addrs.len(), 2);
    assert_eq!(Client::connect(addrs[1]).get("/").text(), "here");
    let mut client = connect(&path);
    for _ in 0..3 {
        assert_eq!(client.get("/").text(), "here");
    }
    assert_eq!(proxy.plane().counts().connections_accepted(), 3);
    let listening: Vec<_> = proxy.plane().listening().iter().map(ToString::to_string).collect();
    assert_eq!(listening[0], format!("http://{}", proxy.address));
    assert_eq!(listening[2], format!("unix:{}", path.display()));
}

/// A Unix socket has no address: what its peer says of others is believed if that is configured, and only then.
#[test]
fn who_comes_by_a_socket_file_is_unknown_unless_trusted() {
    let folder = tempfile::tempdir().unwrap();
    for (trusts_unix, expected) in [(false, None), (true, Some("192.0.2.1"))] {
        let path = folder.path().join(format!("{trusts_unix}.sock"));
        let control = Origin::saying("");
        let listener = unix(&path);
        let proxy = Plan::new(control.address)
            .with(move |config| {
                config.listeners.push(listener);
                config.forwarding.trusts_unix = trusts_unix;
            })
            .start();
        let mut client = connect(&path);
        client.send("GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n");
        assert_eq!(client.response().status, 200);
        let request = control.only();
        assert_eq!(request.field("x-forwarded-for"), expected);
        assert!(request.field("forwarded").unwrap().starts_with("for=unknown;"), "{request:?}");
        drop(proxy);
    }
}

/// The client has gone: that is found on a Unix socket as on any other.
#[test]
fn a_client_that_leaves_a_socket_file_ends_its_request() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.sock");
    let control = Origin::scripted(|line| {
        line.request();
        line.wait_for_end();
    });
    let proxy = plan(&control, vec![unix(&path)]);
    let mut client = connect(&path);
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    eventually(|| control.received().len() == 1);
    drop(client);
    eventually(|| control.finished() == 1);
    drop(proxy);
}

#[test]
fn a_tunnel_passes_through_a_socket_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.sock");
    let control = Origin::scripted(|line| {
        line.request();
        line.send("HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nearly");
        let mut buffer = [0; 16];
        let read = line.read(&mut buffer);
        line.send(&buffer[..read]);
    });
    let proxy = plan(&control, vec![unix(&path)]);
    let mut client = connect(&path);
    client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n");
    assert_eq!(client.response().status, 101);
    client.send("late");
    assert_eq!(client.rest(), b"earlylate");
    drop(proxy);
}

#[test]
fn the_socket_file_goes_when_the_proxy_drains_and_whoever_is_in_is_answered() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.sock");
    let control = Origin::saying("in time");
    let mut proxy = plan(&control, vec![unix(&path)]);
    let mut clients: Vec<_> = (0..20).map(|_| connect(&path)).collect();
    for client in &mut clients {
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    }
    let draining = proxy.drain_meanwhile(PATIENCE);
    for client in &mut clients {
        assert_eq!(client.response().text(), "in time");
    }
    eventually(|| !path.exists());
    drop(clients);
    assert_eq!(draining.join().unwrap().cut, 0);
}

/// The limit of one listener takes nothing from the others.
#[test]
fn a_listener_takes_no_more_connections_than_it_may() {
    let control = Origin::scripted(|line| {
        while let Some(request) = line.request() {
            if request.first_line().contains("/hangs") {
                return line.wait_for_end();
            }
            line.send(ok("x"));
        }
    });
    let narrow =
        Listener { connections_max: Some(1), ..Listener::new("127.0.0.1:0".parse::<Address>().unwrap()) };
    let proxy = plan(&control, vec![narrow]);
    let narrow = proxy.plane().addrs()[1];
    let mut first = Client::connect(narrow);
    assert_eq!(first.get("/").text(), "x");
    // Within a request, so that it is not let go for the next one.
    first.send("GET /hangs HTTP/1.1\r\nHost: a\r\n\r\n");
    eventually(|| proxy.plane().counts().present().requests == 1);
    // The kernel takes it; the proxy does not look at it yet.
    let mut second = Client::connect(narrow);
    second.send("GET /second HTTP/1.1\r\nHost: a\r\n\r\n");
    let mut other = proxy.client();
    assert_eq!(other.get("/other").text(), "x");
    for _ in 0..50 {
        assert_eq!(proxy.client().get("/other").text(), "x");
    }
    assert!(control.received().iter().all(|request| !request.first_line().contains("/second")));
    first.leave();
    assert_eq!(second.response().text(), "x");
    // One of the other listener's is no help here.
    assert_eq!(other.get("/other").text(), "x");
    // It waits for its next request, and others wait for its place.
    let mut third = Client::connect(narrow);
    assert_eq!(third.get("/").text(), "x");
    assert!(second.rest().is_empty());
    drop(third);
    assert_eq!(proxy.drain(PATIENCE).cut, 0);
}

/// Nor more requests, over however many connections and streams they come.
#[test]
fn a_listener_has_no_more_requests_in_progress_than_it_may() {
    let control = Origin::scripted(|line| {
        while let Some(request) = line.request() {
            if request.first_line().contains("/hangs") {
                return line.wait_for_end();
            }
            line.send(ok("x"));
        }
    });
    let narrow =
        Listener { requests_max: Some(2), ..Listener::new("127.0.0.1:0".parse::<Address>().unwrap()) };
    let proxy = plan(&control, vec![narrow]);
    let narrow = proxy.plane().addrs()[1];
    let hang = |address| {
        let mut client = Client::connect(address);
        client.send("GET /hangs HTTP/1.1\r\nHost: a\r\n\r\n");
        client
    };
    // Those of the other listener are its own.
    let elsewhere: Vec<_> = (0..4).map(|_| hang(proxy.address)).collect();
    let mut held = vec![hang(narrow), hang(narrow)];
    eventually(|| proxy.plane().counts().present().requests == 6);
    let mut client = Client::connect(narrow);
    let response = client.get("/");
    assert_eq!((response.status, response.reason().as_str()), (503, "overloaded"));
    assert_eq!(response.field("retry-after"), Some("1"));
    assert_eq!(proxy.client().get("/").text(), "x");
    let mut streams = Http2::connect(narrow);
    let refused = streams.get("/");
    assert_eq!((refused.status.as_u16(), refused.reason().as_str()), (503, "overloaded"));
    assert_eq!(proxy.refused("overloaded"), 2);
    held.pop().unwrap().leave();
    eventually(|| proxy.plane().counts().present().requests == 5);
    assert_eq!(client.get("/").text(), "x");
    assert_eq!(streams.get("/").text(), "x");
    elsewhere.into_iter().chain(held).for_each(Client::leave);
}
