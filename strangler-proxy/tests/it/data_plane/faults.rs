//! What upstreams and clients do wrong. Each time: the right answer, a line in the log, nothing left open afterwards, and
//! another client whose requests complete while the fault lasts.

use std::fmt::Debug;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use diff_harness::lifecycle::Stage;
use strangler_proxy::data_plane::Present;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use super::client::Client;
use super::origin::{Line, Origin, ok};
use super::proxy::{Plan, Proxy};
use crate::shadow::rig::{PATIENCE, eventually};

pub(super) const SHORT: Duration = Duration::from_millis(50);

/// The lines of the log, of all tests of the process.
static LOG: Mutex<Vec<String>> = Mutex::new(Vec::new());

struct Log;

struct Words<'a>(&'a mut String);

impl Visit for Words<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        *self.0 += &format!("{}={value:?} ", field.name());
    }
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("strangler_proxy::data_plane")
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = String::new();
        event.record(&mut Words(&mut line));
        LOG.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

fn is_logged(words: &[&str]) -> bool {
    let log = LOG.lock().unwrap_or_else(PoisonError::into_inner);
    log.iter().any(|line| words.iter().all(|word| line.contains(word)))
}

/// Opened for one at a time.
#[derive(Clone, Default)]
struct Gate(Arc<(Mutex<usize>, Condvar)>);

impl Gate {
    fn pass(&self) {
        let (open, changed) = &*self.0;
        *changed.wait_while(open.lock().unwrap(), |open| *open == 0).unwrap() -= 1;
    }

    fn open(&self) {
        *self.0.0.lock().unwrap() += 1;
        self.0.1.notify_all();
    }
}

/// A proxy whose upstream does what the path says, and a client that does nothing wrong. What never comes to the point is
/// asked as a candidate, so that the client's own requests have all the time that they need.
struct Scene {
    proxy: Proxy,
    neighbour: Client,
    base: Present,
    /// The upstream does wrong when it is let.
    gate: Gate,
}

impl Scene {
    fn new(
        change: impl FnOnce(&mut strangler_proxy::data_plane::DataPlaneConfig) + 'static,
    ) -> (Self, Origin) {
        static ONCE: OnceLock<()> = OnceLock::new();
        ONCE.get_or_init(|| tracing::subscriber::set_global_default(Log).unwrap());
        let gate = Gate::default();
        let at = gate.clone();
        let control = Origin::scripted(move |line| play(line, |_| at.pass()));
        let proxy = Plan::new(control.address)
            .candidate(&control)
            .endpoint("GET /hints", Stage::Retired)
            .endpoint("GET /hangs", Stage::Retired)
            .endpoint("POST /deaf", Stage::Retired)
            .with(change)
            .start();
        let mut neighbour = proxy.client();
        assert_eq!(neighbour.get("/fine").text(), "fine");
        // What is told of upstreams is as of a moment ago, which may have been within that request.
        eventually(|| {
            let present = proxy.plane().counts().present();
            (present.requests, present.upstream_busy) == (0, 0)
        });
        let base = proxy.plane().counts().present();
        (Self { proxy, neighbour, base, gate }, control)
    }

    fn present(&self) -> Present {
        self.proxy.plane().counts().present()
    }

    /// Another client is served while the fault lasts: its requests end, and the one that goes wrong does not.
    fn others_are_served_meanwhile(&mut self) {
        eventually(|| self.present().requests > self.base.requests);
        self.others_are_served();
        assert!(self.present().requests > self.base.requests, "there is no fault any more");
    }

    fn others_are_served(&mut self) {
        for _ in 0..10 {
            assert_eq!(self.neighbour.get("/fine").text(), "fine");
        }
    }

    /// Everything that was opened is closed again.
    fn nothing_is_left(&self) {
        let open = || {
            let Present { upstream_idle, resting, .. } = self.base;
            // Whoever waits for long enough rests meanwhile.
            Present { upstream_idle, resting, ..self.proxy.plane().counts().present() }
        };
        let start = Instant::now();
        while open() != self.base {
            assert!(start.elapsed() < PATIENCE, "there is {:?}, and was {:?}", open(), self.base);
            std::thread::yield_now();
        }
    }
}

/// What the upstream does wrong, by the path, when `gate` has let it.
pub(super) fn play(line: &mut Line, gate: impl Fn(&str)) {
    while let Some(head) = line.head() {
        let path = head.split(' ').nth(1).unwrap().to_owned();
        if path == "/deaf" {
            // Reads nothing more.
            return gate(&path);
        }
        if line.body_of(head).is_none() {
            return;
        }
        let begin = |line: &mut Line, begin: &str| {
            line.send(begin);
            gate(&path);
        };
        match path.as_str() {
            "/fine" => line.send(ok("fine")),
            "/closes" => return gate(&path),
            "/resets" => {
                begin(line, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
                let socket = socket2::SockRef::from(line.stream());
                socket.set_linger(Some(Duration::ZERO)).unwrap();
                return;
            }
            "/short" => return begin(line, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"),
            "/long" => {
                begin(line, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab");
                line.send("cHTTP/1.1 200 OK\r\nX: evil\r\n\r\n")
            }
            "/chunks" => {
                begin(line, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
                line.send("zz\r\n")
            }
            "/fields" => {
                begin(line, "HTTP/1.1 200 OK\r\n");
                let field = format!("X: {}\r\n", "x".repeat(1000));
                (0..10_000).all(|_| line.send(&field))
            }
            "/hints" => {
                while line.send("HTTP/1.1 102 Processing\r\n\r\n") {
                    std::thread::yield_now();
                }
                return;
            }
            _ => {
                line.wait_for_end();
                return;
            }
        };
    }
}

#[test]
fn what_an_upstream_does_wrong_harms_nobody_else() {
    let (mut scene, _control) = Scene::new(|_| {});
    for (path, status, reason) in [("/closes", 502, "upstream_closed"), ("/fields", 502, "upstream_protocol")]
    {
        // On a connection that has served before, and on a new one.
        for _ in 0..2 {
            let mut client = scene.proxy.client();
            client.send(format!("POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"));
            scene.others_are_served_meanwhile();
            scene.gate.open();
            let response = client.response();
            assert_eq!((response.status, response.reason().as_str()), (status, reason), "{path}");
            assert!(scene.proxy.refused(reason) > 0);
            drop(client);
            scene.nothing_is_left();
        }
    }
    for reason in ["upstream_closed", "upstream_protocol"] {
        assert!(is_logged(&["was not answered by an upstream", reason]), "{reason} is not in the log");
    }
}

/// Nobody waits for ever, and meanwhile nobody else waits.
#[test]
fn an_upstream_that_never_comes_to_the_point_harms_nobody_else() {
    const UPLOAD: &str = "POST /deaf HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n";
    for patience in [PATIENCE, SHORT] {
        let (mut scene, _control) = Scene::new(move |config| {
            config.forwarding.informational = false;
            config.candidate.as_mut().unwrap().head_timeout = patience;
        });
        for request in
            ["GET /hints HTTP/1.1\r\nHost: a\r\n\r\n", "GET /hangs HTTP/1.1\r\nHost: a\r\n\r\n", UPLOAD]
        {
            let mut client = scene.proxy.client();
            client.send(request);
            let mut writing = client.stream().try_clone().unwrap();
            // It ends when nobody takes any more.
            writing.set_write_timeout(Some(SHORT)).unwrap();
            let writer = std::thread::spawn(move || {
                let chunk = vec![0; 1 << 20];
                while request == UPLOAD && writing.write_all(&chunk).is_ok() {}
            });
            if patience == SHORT {
                let response = client.response();
                assert_eq!((response.status, response.reason().as_str()), (504, "upstream_timeout"));
            } else {
                scene.others_are_served_meanwhile();
            }
            writer.join().unwrap();
            client.leave();
            if request == UPLOAD {
                // While its upload waits for the upstream, a client that has left is not looked for.
                scene.gate.open();
            }
            scene.nothing_is_left();
        }
    }
    assert!(is_logged(&["was not answered by an upstream", "upstream_timeout"]));
}

#[test]
fn a_response_that_goes_wrong_in_its_body_harms_nobody_else() {
    let (mut scene, _control) = Scene::new(|_| {});
    for (n, path) in ["/resets", "/short", "/chunks"].into_iter().enumerate() {
        let mut client = scene.proxy.client();
        client.send(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n"));
        assert!(client.head().unwrap().starts_with("HTTP/1.1 200 "), "{path}");
        scene.others_are_served_meanwhile();
        scene.gate.open();
        let rest = String::from_utf8(client.rest()).unwrap();
        assert!(rest.contains("abc"), "{path}: {rest}");
        assert!(!rest.ends_with("0\r\n\r\n"), "{path}: {rest}");
        assert_eq!(scene.proxy.plane().refusals().broken_off(), n as u64 + 1, "{path}");
        drop(client);
        scene.nothing_is_left();
    }
    assert!(is_logged(&["a response broke off", "control"]));
    let mut client = scene.proxy.client();
    for _ in 0..3 {
        client.send("GET /long HTTP/1.1\r\nHost: a\r\n\r\n");
        scene.others_are_served_meanwhile();
        scene.gate.open();
        assert_eq!(client.response().text(), "abc");
        assert_eq!(client.get("/fine").text(), "fine");
    }
    drop(client);
    scene.nothing_is_left();
}

#[test]
fn clients_that_vanish_harm_nobody_else() {
    let (mut scene, _control) = Scene::new(|_| {});
    for (request, is_one) in [
        ("GET", false),
        ("GET / HTTP/1.1\r\nHost", false),
        ("POST /fine HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc", true),
        ("GET /hangs HTTP/1.1\r\nHost: a\r\n\r\n", true),
        ("GET /short HTTP/1.1\r\nHost: a\r\n\r\n", true),
    ] {
        let mut client = scene.proxy.client();
        client.send(request);
        eventually(|| scene.present().connections == scene.base.connections + 1);
        if is_one {
            scene.others_are_served_meanwhile();
        } else {
            scene.others_are_served();
            assert_eq!(scene.present().connections, scene.base.connections + 1);
        }
        client.leave();
        if request.contains("/short") {
            // Not before the client has left: then its response would break off.
            eventually(|| scene.proxy.plane().refusals().clients_left() == 2);
            scene.gate.open();
        }
        scene.nothing_is_left();
    }
    // Of the upload the body ends too early, which is what is told of it.
    assert_eq!(scene.proxy.refused("body_broken"), 1);
    assert_eq!(scene.proxy.plane().refusals().clients_left(), 2);
    assert!(is_logged(&["a request was refused", "body_broken"]));
    assert!(is_logged(&["a client left before it had its response"]));
}

#[test]
fn clients_that_half_close_or_pipeline_harm_nobody_else() {
    let (mut scene, _control) = Scene::new(|_| {});
    for request in ["GET", "GET / HTTP/1.1\r\nHost"] {
        let mut client = scene.proxy.client();
        client.send(request);
        scene.others_are_served();
        drop(client);
        scene.nothing_is_left();
    }
    let mut client = scene.proxy.client();
    client.send("GET /short HTTP/1.1\r\nHost: a\r\n\r\n");
    client.stream().shutdown(Shutdown::Write).unwrap();
    scene.others_are_served_meanwhile();
    scene.gate.open();
    // It is waited for, and hears what there is.
    assert!(client.rest().ends_with(b"abc"));
    scene.nothing_is_left();
    let mut client = scene.proxy.client();
    client.send(
        ["GET /long HTTP/1.1\r\nHost: a\r\n\r\n", &"GET /fine HTTP/1.1\r\nHost: a\r\n\r\n".repeat(20)]
            .concat(),
    );
    client.stream().shutdown(Shutdown::Write).unwrap();
    scene.others_are_served_meanwhile();
    scene.gate.open();
    assert_eq!(client.response().text(), "abc");
    for _ in 0..20 {
        assert_eq!(client.response().text(), "fine");
    }
    assert!(client.rest().is_empty());
    scene.nothing_is_left();
    assert_eq!(scene.proxy.plane().refusals().clients_left(), 0);
}

/// A byte now and then from 2,000 connections, in the head or in the body: each is told that it is too slow, and nobody
/// else notices.
#[test]
fn two_thousand_slow_clients_harm_nobody_else() {
    const CLIENTS: usize = 2_000;
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let raised = rustix::process::Rlimit { current: limit.maximum, ..limit };
    rustix::process::setrlimit(rustix::process::Resource::Nofile, raised).unwrap();
    let (mut scene, control) = Scene::new(|config| {
        config.control.connections_max = 32;
        config.timeouts.head = Duration::from_secs(2);
        config.timeouts.body = Duration::from_secs(2);
    });
    let mut slow: Vec<_> = (0..CLIENTS)
        .map(|n| {
            let mut stream = TcpStream::connect(scene.proxy.address).unwrap();
            let begin = [
                "GET / HTTP/1.1\r\nX: ",
                "POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n",
            ];
            stream.write_all(begin[n % 2].as_bytes()).unwrap();
            stream.set_nonblocking(true).unwrap();
            (stream, Vec::new())
        })
        .collect();
    let mut answered = 0;
    let mut buffer = [0; 4096];
    while !slow.is_empty() {
        scene.others_are_served();
        slow.retain_mut(|(stream, got): &mut (TcpStream, Vec<u8>)| {
            let _ = stream.write(b"x");
            match stream.read(&mut buffer) {
                Ok(0) => {}
                Ok(read) => {
                    got.extend_from_slice(&buffer[..read]);
                    return true;
                }
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return true,
                Err(_) => {}
            }
            assert!(got.starts_with(b"HTTP/1.1 408 "), "{}", got.escape_ascii());
            answered += 1;
            false
        });
    }
    assert_eq!(answered, CLIENTS);
    assert_eq!(scene.proxy.refused("head_timeout") + scene.proxy.refused("body_timeout"), CLIENTS as u64);
    assert!(is_logged(&["a request was refused", "head_timeout"]) && is_logged(&["body_timeout"]));
    assert!(control.received().iter().all(|request| request.first_line().contains("/fine")));
    scene.nothing_is_left();
}
