//! Limits on what is in progress: who has to wait, who is refused, and what is given up before that.

use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use diff_harness::comparison::DropReason;
use diff_harness::lifecycle::Stage;
use strangler_proxy::data_plane::{Address, Listener};

use super::client::Client;
use super::origin::{Origin, ok};
use super::proxy::{Plan, Proxy};
use crate::shadow::rig::{PATIENCE, eventually};

/// Requests for `/hold` are answered when it is opened.
#[derive(Clone, Default)]
struct Barrier(Arc<(Mutex<bool>, Condvar)>);

impl Barrier {
    fn wait(&self) {
        let (open, changed) = &*self.0;
        drop(changed.wait_while(open.lock().unwrap(), |open| !*open).unwrap());
    }

    fn open(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }
}

fn holding(barrier: &Barrier) -> Origin {
    let barrier = barrier.clone();
    Origin::new(move |request| {
        if request.first_line().contains("/hold") {
            barrier.wait();
        }
        ok("{}")
    })
}

/// So many requests that are being answered.
fn hold(proxy: &Proxy, count: usize) -> Vec<Client> {
    let before = proxy.plane().counts().present().requests;
    let clients: Vec<_> = (0..count)
        .map(|_| {
            let mut client = proxy.client();
            client.send("GET /hold HTTP/1.1\r\nHost: a\r\n\r\n");
            client
        })
        .collect();
    eventually(|| proxy.plane().counts().present().requests == before + count);
    clients
}

/// A request for the shadowed endpoint, and how many shadows were dropped for clients' sake so far.
fn ask(proxy: &Proxy) -> (u16, u64) {
    let status = proxy.client().get("/a").status;
    eventually(|| proxy.rig.registry.get(&"GET /a".parse().unwrap()).snapshot().pending() == 0);
    let dropped = proxy.snapshot().tally.dropped;
    (status, dropped.get(&DropReason::Overload).copied().unwrap_or(0))
}

#[test]
fn under_overload_shadows_are_dropped_and_counted_before_a_client_is_refused() {
    let barrier = Barrier::default();
    let (control, candidate) = (holding(&barrier), Origin::saying("{}"));
    let proxy = Plan::new(control.address)
        .candidate(&candidate)
        .endpoint("GET /a", Stage::Shadow)
        .with(|config| {
            config.limits.requests_max = 8;
            config.limits.shed_share = 5_000;
        })
        .start();
    let mut held = hold(&proxy, 3);
    assert_eq!(ask(&proxy), (200, 0));
    assert_eq!(proxy.snapshot().tally.matched, 1);
    // The one that asks is one more.
    held.append(&mut hold(&proxy, 1));
    assert_eq!(ask(&proxy), (200, 1));
    held.append(&mut hold(&proxy, 3));
    assert_eq!(ask(&proxy), (200, 2));
    assert_eq!((proxy.refused("overloaded"), candidate.received().len()), (0, 1));
    held.append(&mut hold(&proxy, 1));
    let mut refused = proxy.client();
    let response = refused.get("/a");
    assert_eq!((response.status, response.reason().as_str()), (503, "overloaded"));
    assert_eq!(response.field("retry-after"), Some("1"));
    assert_eq!(proxy.refused("overloaded"), 1);
    barrier.open();
    for client in &mut held {
        assert_eq!(client.response().status, 200);
    }
    eventually(|| proxy.plane().counts().present().requests == 0);
    assert_eq!(refused.get("/a").status, 200);
    assert_eq!(proxy.tally().matched, 2);
}

#[test]
fn while_requests_wait_for_a_connection_nothing_is_shadowed() {
    let barrier = Barrier::default();
    let (control, candidate) = (holding(&barrier), Origin::saying("{}"));
    let proxy = Plan::new(control.address)
        .candidate(&candidate)
        .endpoint("GET /a", Stage::Live)
        .with(|config| {
            config.control.connections_max = 2;
            config.control.wait_max = PATIENCE;
        })
        .start();
    let mut held = hold(&proxy, 2);
    // The candidate answers, and control, which is in need already, would be the shadow.
    assert_eq!(ask(&proxy), (200, 0));
    held.append(&mut hold(&proxy, 1));
    assert_eq!(ask(&proxy), (200, 1));
    assert_eq!(proxy.refused("busy"), 0);
    barrier.open();
    for client in &mut held {
        assert_eq!(client.response().status, 200);
    }
    proxy.tally();
}

/// An upload that is slow holds no connection that others need.
#[test]
fn slow_uploads_never_take_all_connections() {
    let control = Origin::saying("quick");
    let proxy = Plan::new(control.address)
        .with(|config| {
            config.control.connections_max = 8;
            config.control.wait_max = PATIENCE;
        })
        .start();
    let slow: Vec<_> = (0..40)
        .map(|_| {
            let mut client = proxy.client();
            client.send("POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n1");
            client
        })
        .collect();
    eventually(|| proxy.plane().counts().present().requests == 40);
    let mut client = proxy.client();
    for _ in 0..50 {
        assert_eq!(client.get("/").text(), "quick");
    }
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc");
    assert_eq!(client.response().text(), "quick");
    assert!(control.connections() <= 8);
    // They are answered when they have sent all, as if nothing had been.
    for mut client in slow {
        client.send("234567890");
        assert_eq!(client.response().text(), "quick");
    }
    let sent = control.received();
    let whole = sent.iter().filter(|request| request.body == b"1234567890").count();
    assert_eq!(whole, 40);
}

/// Neither the length nor the trailers of what was read before it was sent are lost.
#[test]
fn a_body_that_was_gathered_arrives_as_it_came() {
    let barrier = Barrier::default();
    let control = holding(&barrier);
    let proxy = Plan::new(control.address)
        .with(|config| {
            config.control.connections_max = 2;
            config.limits.gather_bytes = 4;
        })
        .start();
    let mut held = hold(&proxy, 1);
    // What is looked at below are the last two that came.
    eventually(|| control.received().len() == 1);
    let mut client = proxy.client();
    for (body, length) in [("abc", 3), ("abcdefghij", 10)] {
        client.send(format!("POST /l HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n{body}"));
        assert_eq!(client.response().status, 200);
        let chunks = "1\r\na\r\n2\r\nbc\r\n";
        let more = if length == 10 { "7\r\ndefghij\r\n" } else { "" };
        client.send(format!(
            "POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n{chunks}{more}0\r\nX-Sum: 42\r\n\r\n"
        ));
        assert_eq!(client.response().status, 200);
        client = proxy.client();
        // The one that is held may come between them.
        let all = control.received().into_iter().rev();
        let sent: Vec<_> = all.filter(|request| !request.first_line().contains("/hold")).take(2).collect();
        assert_eq!((sent[1].body.as_slice(), sent[0].body.as_slice()), (body.as_bytes(), body.as_bytes()));
        assert_eq!(sent[0].trailers.to_lowercase(), "x-sum: 42\r\n");
    }
    barrier.open();
    assert_eq!(held[0].response().status, 200);
}

#[test]
fn a_body_that_trickles_is_a_408() {
    let control = Origin::saying("");
    let proxy =
        Plan::new(control.address).with(|config| config.timeouts.body = Duration::from_millis(100)).start();
    for method in ["POST", "GET"] {
        let mut client = proxy.client();
        client.send(format!("{method} / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n"));
        let done = Arc::new(AtomicBool::new(false));
        let (mut writing, told) = (client.stream().try_clone().unwrap(), Arc::clone(&done));
        let trickle = std::thread::spawn(move || {
            use std::io::Write;
            while !told.load(Ordering::SeqCst) && writing.write_all(b"x").is_ok() {
                std::thread::sleep(Duration::from_millis(1));
            }
        });
        let response = client.response();
        assert_eq!((response.status, response.reason().as_str()), (408, "body_timeout"), "{method}");
        done.store(true, Ordering::SeqCst);
        trickle.join().unwrap();
    }
    assert_eq!(control.received(), []);
}

/// That there is no room for one more is nothing to those who are in: nobody else has come.
#[test]
fn idle_connections_stay_while_nobody_waits_for_their_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.sock");
    let listener = Listener::new(Address::Unix { path: path.clone(), mode: 0o600 });
    let control = Origin::saying("x");
    let proxy = Plan::new(control.address)
        .with(|config| {
            config.listeners.push(listener);
            config.limits.connections_max = 3;
        })
        .start();
    let mut clients: Vec<_> = (0..2).map(|_| proxy.client()).collect();
    let mut of_file = Client::over(UnixStream::connect(&path).unwrap());
    for _ in 0..100 {
        for client in &mut clients {
            assert_eq!(client.get("/").text(), "x");
        }
        assert_eq!(of_file.get("/").text(), "x");
    }
    // As soon as somebody does, one of them goes.
    assert_eq!(proxy.client().get("/").text(), "x");
}

/// The clients of connections that wait for their next request make a new one when they need it.
#[test]
fn idle_connections_make_room_for_new_ones() {
    let control = Origin::saying("x");
    let proxy = Plan::new(control.address).with(|config| config.limits.connections_max = 2).start();
    let mut clients: Vec<Client> = Vec::new();
    for _ in 0..10 {
        let mut client = proxy.client();
        assert_eq!(client.get("/").text(), "x");
        clients.push(client);
        assert!(proxy.plane().counts().present().connections <= 2);
    }
    for client in &mut clients[..7] {
        assert!(client.rest().is_empty());
    }
}
