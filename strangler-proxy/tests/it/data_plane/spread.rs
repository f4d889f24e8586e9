//! Which thread serves a connection: none idles while another has all of the work.

use std::num::NonZeroUsize;
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use strangler_proxy::data_plane::{Address, Listener};

use super::client::Client;
use super::origin::{Origin, ok};
use super::proxy::{Plan, Proxy};
use crate::shadow::rig::{PATIENCE, eventually};

fn plan(control: &Origin, threads: usize) -> Plan {
    Plan::new(control.address).with(move |config| config.threads = NonZeroUsize::new(threads).unwrap())
}

/// Connections by thread.
fn connections(proxy: &Proxy) -> Vec<usize> {
    let threads = proxy.plane().counts().present_by_thread();
    threads.iter().map(|present| present.connections).collect()
}

/// An origin that answers `/held` when it is told to, and all else at once.
fn gated() -> (Origin, Sender<()>) {
    let (go, gate) = channel::<()>();
    let gate = Arc::new(Mutex::new(gate));
    let origin = Origin::scripted(move |line| {
        while let Some(request) = line.request() {
            if request.first_line().contains("/held") {
                let _ = gate.lock().unwrap().recv();
            }
            line.send(ok("x"));
        }
    });
    (origin, go)
}

/// The kernel's hash puts them anywhere: that it spreads so many evenly by chance, three times in a row, is one time in
/// some thousands.
#[test]
fn a_few_connections_are_spread_evenly_over_all_threads() {
    let control = Origin::saying("x");
    for threads in [2, 3, 4] {
        let proxy = plan(&control, threads).start();
        let mut clients: Vec<_> = (0..6 * threads).map(|_| proxy.client()).collect();
        eventually(|| connections(&proxy).iter().sum::<usize>() == 6 * threads);
        assert_eq!(connections(&proxy), vec![6; threads]);
        for client in &mut clients {
            assert_eq!(client.get("/").text(), "x", "a connection was lost on its way");
        }
    }
}

#[test]
fn a_thread_that_is_busy_gets_no_more_while_another_has_less_to_do() {
    let (control, go) = gated();
    let proxy = plan(&control, 2).start();
    let (mut busy, mut idle) = (proxy.client(), proxy.client());
    busy.send("GET /held HTTP/1.1\r\nHost: a\r\n\r\n");
    eventually(|| control.received().len() == 1);
    assert_eq!(idle.get("/").text(), "x");
    let with_busy = connections(&proxy);
    assert_eq!(with_busy, [1, 1]);
    // One connection each, and one of them has a request: the third always goes to the other thread.
    for _ in 0..10 {
        let mut third = proxy.client();
        assert_eq!(third.get("/").text(), "x");
        let threads = proxy.plane().counts().present_by_thread();
        let fewer = threads.iter().find(|present| present.connections == 1).expect("one has one");
        assert_eq!(fewer.requests, 1, "{threads:?}");
        drop(third);
        eventually(|| connections(&proxy) == [1, 1]);
    }
    go.send(()).unwrap();
    assert_eq!(busy.response().text(), "x");
}

#[test]
fn connections_of_a_socket_file_are_spread_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.sock");
    let control = Origin::saying("x");
    let listener = Listener::new(Address::Unix { path: path.clone(), mode: 0o600 });
    let proxy = plan(&control, 3).with(|config| config.listeners.push(listener)).start();
    let mut clients: Vec<_> = (0..12)
        .map(|_| {
            let stream = UnixStream::connect(&path).unwrap();
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            Client::over(stream)
        })
        .collect();
    eventually(|| connections(&proxy).iter().sum::<usize>() == 12);
    assert_eq!(connections(&proxy), [4, 4, 4]);
    for client in &mut clients {
        assert_eq!(client.get("/").text(), "x");
    }
}

#[test]
fn a_drain_loses_no_connection_that_is_on_its_way_to_another_thread() {
    for _ in 0..10 {
        let control = Origin::saying("in time");
        let mut proxy = plan(&control, 4).start();
        let mut clients: Vec<_> = (0..40).map(|_| proxy.client()).collect();
        for client in &mut clients {
            client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        }
        let draining = proxy.drain_meanwhile(PATIENCE);
        for client in &mut clients {
            assert_eq!(client.response().text(), "in time");
        }
        assert_eq!(draining.join().unwrap().cut, 0);
    }
}

/// Over all threads, and not a part of it for each.
#[test]
fn the_limit_of_connections_is_kept_over_all_threads() {
    let (control, go) = gated();
    let proxy = plan(&control, 4).with(|config| config.limits.connections_max = 3).start();
    let mut held: Vec<_> = (0..3).map(|_| proxy.client()).collect();
    for client in &mut held {
        client.send("GET /held HTTP/1.1\r\nHost: a\r\n\r\n");
    }
    eventually(|| control.received().len() == 3);
    let mut late = proxy.client();
    late.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    // All have something to do, so that nobody makes room.
    for _ in 0..50 {
        assert!(connections(&proxy).iter().sum::<usize>() <= 3);
        std::thread::yield_now();
    }
    assert_eq!(control.received().len(), 3);
    go.send(()).unwrap();
    // One of them is idle now, on whichever thread, and goes for the one that waits.
    assert_eq!(late.response().text(), "x");
    assert!(connections(&proxy).iter().sum::<usize>() <= 3);
    for _ in 0..2 {
        go.send(()).unwrap();
    }
    for client in &mut held {
        assert_eq!(client.response().text(), "x");
    }
}

/// One connection of HTTP/2 or a few of HTTP/1.1 may be all on one thread.
#[test]
fn one_thread_may_use_all_connections_to_an_upstream() {
    let (control, go) = gated();
    let proxy = plan(&control, 4)
        .with(|config| {
            config.control.connections_max = 4;
            config.control.wait_max = Duration::from_secs(3600);
        })
        .start();
    // Other threads have had some, and keep them for later.
    let mut others: Vec<_> = (0..4).map(|_| proxy.client()).collect();
    for client in &mut others {
        assert_eq!(client.get("/").text(), "x");
    }
    let mut client = super::http2::client::Http2::connect(proxy.address);
    let asked: Vec<_> =
        (0..4).map(|_| client.ask(http::Request::get("http://a/held").body(()).unwrap(), true)).collect();
    let held =
        |control: &Origin| control.received().iter().filter(|request| request.head.contains("/held")).count();
    eventually(|| held(&control) == 4);
    // And no more than all.
    let open = || control.connections() - control.finished();
    eventually(|| open() == 4);
    let mut late = proxy.client();
    late.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    for _ in 0..4 {
        go.send(()).unwrap();
    }
    for asked in asked {
        assert_eq!(client.response(asked).unwrap().text(), "x");
    }
    assert_eq!(late.response().text(), "x");
}

/// One connection of HTTP/2 is all on one thread.
#[test]
fn one_thread_may_use_all_places_for_requests() {
    let narrow =
        Listener { requests_max: Some(4), ..Listener::new("127.0.0.1:0".parse::<Address>().unwrap()) };
    for of_listener in [false, true] {
        let (control, go) = gated();
        let narrow = narrow.clone();
        let proxy = plan(&control, 4)
            .with(move |config| match of_listener {
                true => config.listeners.push(narrow),
                false => config.limits.requests_max = 4,
            })
            .start();
        let address = *proxy.plane().addrs().last().unwrap();
        let mut client = super::http2::client::Http2::connect(address);
        let ask = |client: &mut super::http2::client::Http2| {
            client.ask(http::Request::get("http://a/held").body(()).unwrap(), true)
        };
        let asked: Vec<_> = (0..4).map(|_| ask(&mut client)).collect();
        eventually(|| control.received().len() == 4);
        // And no more than all, on whichever thread.
        for _ in 0..8 {
            let response = Client::connect(address).get("/");
            assert_eq!((response.status, response.reason().as_str()), (503, "overloaded"));
        }
        for _ in 0..4 {
            go.send(()).unwrap();
        }
        for asked in asked {
            assert_eq!(client.response(asked).unwrap().text(), "x");
        }
        // What one thread has used is there for the others.
        eventually(|| proxy.plane().counts().present().requests == 0);
        let mut clients: Vec<_> = (0..4).map(|_| Client::connect(address)).collect();
        clients.iter_mut().for_each(|client| client.send("GET /held HTTP/1.1\r\nHost: a\r\n\r\n"));
        eventually(|| control.received().len() == 8);
        for _ in 0..4 {
            go.send(()).unwrap();
        }
        clients.iter_mut().for_each(|client| assert_eq!(client.response().text(), "x"));
    }
}

#[test]
fn as_many_requests_may_wait_on_one_thread_as_on_all() {
    let (control, go) = gated();
    let proxy = plan(&control, 4)
        .with(|config| {
            config.control.connections_max = 4;
            config.control.waiting_max = 4;
        })
        .start();
    let mut client = super::http2::client::Http2::connect(proxy.address);
    // One more than may be answered and wait.
    let asked: Vec<_> =
        (0..9).map(|_| client.ask(http::Request::get("http://a/held").body(()).unwrap(), true)).collect();
    eventually(|| proxy.refused("busy") == 1 && control.received().len() == 4);
    // The same wherever the next one comes.
    for _ in 0..8 {
        assert_eq!(proxy.client().get("/").reason(), "busy");
    }
    for _ in 0..8 {
        go.send(()).unwrap();
    }
    let answers = asked.into_iter().map(|asked| client.response(asked).unwrap());
    let whole =
        answers.filter(|answer| answer.status == http::StatusCode::OK && answer.text() == "x").count();
    assert_eq!((whole, proxy.refused("busy")), (8, 9));
    assert!(control.connections() <= 4);
}
