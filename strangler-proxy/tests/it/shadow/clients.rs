//! What a client sees of shadowing: nothing. The whole way, over real sockets.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use diff_harness::comparison::{DropReason, SkipReason};
use diff_harness::exchange::UnixMillis;
use diff_harness::lifecycle::{Declaration, Hold, Route, Stage, Standing};
use diff_harness::store::Tally;
use strangler_proxy::data_plane::{self, DataPlane, DataPlaneConfig, Outlets, UpstreamConfig, Upstreams};
use strangler_proxy::routes::cohort::Cohorts;
use strangler_proxy::routes::matcher::MatchPolicy;
use strangler_proxy::routes::table::RouteTable;

use super::rig::{PATIENCE, Rig, Setup, eventually};
use super::store::MemoryStore;
use super::upstream::{Behaviour, Upstream};
use crate::ports::Port;

const BODY: &str = r#"{"id":7}"#;

/// A data plane in front of a rig.
struct Proxy {
    plane: DataPlane,
    rig: Rig,
    address: SocketAddr,
}

/// One connection of a client.
struct Client(TcpStream);

impl Proxy {
    /// `GET /a` and `POST /a` stand at `stage`, as far as it suits them.
    fn start(stage: Stage, control: &Upstream, mut setup: Setup) -> Self {
        setup.control = Some(control.address);
        let upstream = |address: SocketAddr| UpstreamConfig::new(address.to_string());
        let candidate = setup.candidate.map(upstream);
        let rig = setup.start();
        let route = |endpoint: &str, stage| Route {
            endpoint: endpoint.parse().unwrap(),
            standing: Standing { stage, hold: Hold::None },
            revision: 1,
            since: UnixMillis(0),
            declaration: Declaration::default(),
        };
        let routes = [route("GET /a", stage), route("POST /a", Stage::Verify)];
        let table = RouteTable::build(&routes, &rig.registry, MatchPolicy::default(), &Cohorts::default())
            .into_shared();
        let mut config = DataPlaneConfig::new("127.0.0.1:0".parse().unwrap(), upstream(control.address));
        config.candidate = candidate;
        config.threads = 2.try_into().unwrap();
        let outlets = Outlets {
            shadow: rig.shadow.clone(),
            undeclared: rig.recorder.undeclared(),
            fallback: rig.fallback.clone(),
        };
        let upstreams = Upstreams::start(&config.control, config.candidate.as_ref()).unwrap();
        let plane = data_plane::start(config, Arc::new(upstreams), table, outlets).unwrap();
        let address = plane.addrs()[0];
        Self { plane, rig, address }
    }

    fn client(&self) -> Client {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Client(stream)
    }

    fn tally(&self) -> Tally {
        self.rig.registry.total().tally
    }

    /// Drains as a shutdown does.
    fn drain(self) -> Arc<MemoryStore> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(self.plane.drain(PATIENCE));
        self.rig.drain()
    }
}

impl Client {
    fn get(&mut self) -> String {
        self.ask("GET /a?x=1 HTTP/1.1\r\nhost: example.com\r\n\r\n")
    }

    /// Head and body of the response, without what differs between any two responses.
    fn ask(&mut self, request: &str) -> String {
        self.0.write_all(request.as_bytes()).unwrap();
        let head = self.head();
        let length = |line: &str| line.strip_prefix("content-length: ").map(|n| n.parse::<usize>().unwrap());
        let length = if request.starts_with("HEAD") { 0 } else { head.lines().find_map(length).unwrap() };
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).unwrap();
        let same = |line: &&str| !line.starts_with("x-request-id") && !line.starts_with("date");
        let head: Vec<&str> = head.lines().filter(same).collect();
        format!("{}\n{}", head.join("\n"), String::from_utf8(body).unwrap())
    }

    fn head(&mut self) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            self.0.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        String::from_utf8(head).unwrap().to_ascii_lowercase()
    }
}

fn raw(text: &str) -> Behaviour {
    Behaviour::Raw(text.as_bytes().to_vec())
}

/// A deadline that nothing but a hung exchange reaches.
fn impatient(candidate: &Upstream) -> Setup {
    let mut setup = Setup::candidate(candidate);
    setup.shadow.exchange_max = Duration::from_millis(50);
    setup.shadow.body_read_max = 1 << 20;
    setup
}

#[test]
fn whatever_the_candidate_does_the_client_gets_the_same_response() {
    let control = Upstream::start(Behaviour::json(BODY));
    let legacy = Proxy::start(Stage::Legacy, &control, Setup::default());
    let expected = legacy.client().get();
    assert!(expected.starts_with("http/1.1 200 ok\n") && expected.ends_with(BODY), "{expected:?}");
    legacy.drain();

    let long_head = format!("HTTP/1.1 200 OK\r\n{}", "x-long: y\r\n".repeat(1_000_000));
    for behaviour in [
        Behaviour::json(BODY),
        Behaviour::hang(),
        Behaviour::Stall(b"HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\n{".to_vec()),
        Behaviour::Endless(vec![b'x'; 10_000]),
        raw(""),
        raw("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{}"),
        raw("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}{}{}{}"),
        raw("HTTP/1.1 500 Oops\r\ncontent-length: 0\r\n\r\n"),
        raw("HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n"),
        raw("this is not HTTP"),
        raw(&long_head),
    ] {
        let candidate = Upstream::start(behaviour.clone());
        let proxy = Proxy::start(Stage::Shadow, &control, impatient(&candidate));
        let mut client = proxy.client();
        for _ in 0..3 {
            assert_eq!(client.get(), expected, "with {behaviour:?}");
        }
        let tally = proxy.rig.settled();
        assert_eq!((tally.answered_control, tally.compared()), (3, 3), "{behaviour:?}: {tally:?}");
        drop(client);
        proxy.drain();
    }
}

#[test]
fn a_dead_candidate_changes_nothing_for_the_client() {
    let control = Upstream::start(Behaviour::json(BODY));
    let setup = Setup { candidate: Some(Port::refused()), ..Setup::default() };
    let proxy = Proxy::start(Stage::Shadow, &control, setup);
    let mut client = proxy.client();
    for _ in 0..20 {
        assert!(client.get().ends_with(BODY));
    }
    assert_eq!(proxy.rig.settled().dropped[&DropReason::Unreachable], 20);
    drop(client);
    let store = proxy.drain();
    assert_eq!(store.total().dropped[&DropReason::Unreachable], 20);
}

#[test]
fn the_client_is_answered_while_the_candidate_still_owes_its_answer() {
    let control = Upstream::start(Behaviour::json(BODY));
    let candidate = Upstream::start(Behaviour::hang());
    let proxy = Proxy::start(Stage::Shadow, &control, Setup::candidate(&candidate));
    let mut client = proxy.client();
    assert!(client.get().ends_with(BODY));
    eventually(|| candidate.requests() == 1);
    // The candidate has the request and says nothing: the client has its response, and the request is pending.
    assert_eq!(proxy.rig.registry.total().pending(), 1);
    assert!(client.get().ends_with(BODY), "the connection goes on");
    eventually(|| candidate.requests() == 2);
    candidate.kill();
    assert_eq!(proxy.rig.settled().mismatched, 2);
    drop(client);
    proxy.drain();
}

#[test]
fn a_hung_candidate_costs_comparisons_and_nothing_else() {
    let control = Upstream::start(Behaviour::json(BODY));
    let candidate = Upstream::start(Behaviour::hang());
    let mut setup = Setup::candidate(&candidate);
    setup.shadow.concurrency_max = 2;
    setup.shadow.queue_max = 3;
    let proxy = Proxy::start(Stage::Shadow, &control, setup);
    let mut client = proxy.client();
    assert!(client.get().ends_with(BODY));
    assert!(client.get().ends_with(BODY));
    eventually(|| candidate.requests() == 2);
    for _ in 0..50 {
        assert!(client.get().ends_with(BODY));
    }
    eventually(|| proxy.rig.registry.total().pending() == 5);
    assert_eq!(proxy.tally().dropped[&DropReason::ShadowQueueFull], 47);
    candidate.kill();
    assert_eq!(proxy.rig.settled().seen(), 52);
    drop(client);
    proxy.drain();
}

#[test]
fn every_request_is_answered_while_the_candidate_is_killed_under_load() {
    const CLIENTS: usize = 4;
    const AFTER: usize = 20;
    let control = Upstream::start(Behaviour::json(BODY));
    let candidate = Upstream::start(Behaviour::json(BODY));
    let mut setup = Setup::candidate(&candidate);
    setup.record.write_every = Duration::from_millis(1);
    let proxy = Proxy::start(Stage::Shadow, &control, setup);
    let (answered, killed) = (AtomicUsize::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        for _ in 0..CLIENTS {
            let mut client = proxy.client();
            let (answered, killed) = (&answered, &killed);
            scope.spawn(move || {
                let mut after = 0;
                while after < AFTER {
                    after += usize::from(killed.load(Ordering::SeqCst));
                    assert!(client.get().ends_with(BODY));
                    answered.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        eventually(|| proxy.tally().matched > 20);
        candidate.kill();
        killed.store(true, Ordering::SeqCst);
    });
    let tally = proxy.rig.settled();
    let answered = answered.load(Ordering::SeqCst) as u64;
    assert_eq!((tally.answered_control, tally.seen()), (answered, answered));
    assert!(tally.dropped[&DropReason::Unreachable] > 0, "{tally:?}");
    let store = proxy.drain();
    assert_eq!(store.total(), tally, "the store and the memory disagree");
}

#[test]
fn at_live_the_candidate_answers_and_control_is_the_shadow() {
    let control = Upstream::start(Behaviour::json(r#"{"from":"control"}"#));
    let candidate = Upstream::start(Behaviour::json(r#"{"from":"candidate"}"#));
    let proxy = Proxy::start(Stage::Live, &control, Setup::candidate(&candidate));
    assert!(proxy.client().get().ends_with(r#"{"from":"candidate"}"#));
    let tally = proxy.rig.settled();
    assert_eq!((tally.mismatched, tally.answered_candidate), (1, 1));
    let (shadow, answer) = (control.head(), candidate.head());
    assert!(shadow.contains("\r\nx-strangler-shadow: 1\r\n") && !answer.contains("x-strangler-shadow"));
    // Otherwise they are one request, with one id.
    let fields = |head: &str| {
        let own = |line: &&str| !line.starts_with("x-strangler-shadow");
        let mut fields: Vec<_> = head.lines().filter(own).map(str::to_owned).collect();
        fields.sort();
        fields
    };
    assert_eq!(fields(&shadow), fields(&answer));
    assert!(shadow.contains("\r\nx-request-id: "), "{shadow}");
    proxy.drain();
}

#[test]
fn a_slow_control_at_live_is_not_waited_for() {
    let control = Upstream::start(Behaviour::hang());
    let candidate = Upstream::start(Behaviour::json(BODY));
    let proxy = Proxy::start(Stage::Live, &control, Setup::candidate(&candidate));
    assert!(proxy.client().get().ends_with(BODY));
    eventually(|| control.requests() == 1);
    assert_eq!(proxy.rig.registry.total().pending(), 1);
    control.kill();
    assert_eq!(proxy.rig.settled().mismatched, 1);
    proxy.drain();
}

#[test]
fn a_client_that_leaves_in_the_middle_is_no_comparison() {
    let control = Upstream::start(Behaviour::Endless(vec![b'x'; 1000]));
    let candidate = Upstream::start(Behaviour::json(BODY));
    let proxy = Proxy::start(Stage::Shadow, &control, Setup::candidate(&candidate));
    let mut client = proxy.client();
    client.0.write_all(b"GET /a HTTP/1.1\r\nhost: example.com\r\n\r\n").unwrap();
    client.head();
    eventually(|| candidate.requests() == 1);
    drop(client);
    assert_eq!(proxy.rig.settled().skipped[&SkipReason::ClientGone], 1);
    proxy.drain();
}

#[test]
fn head_is_shadowed_as_head_and_an_unsafe_request_is_not_shadowed_at_all() {
    let control = Upstream::start(Behaviour::json(BODY));
    let candidate = Upstream::start(Behaviour::json(BODY));
    let proxy = Proxy::start(Stage::Shadow, &control, Setup::candidate(&candidate));
    let mut client = proxy.client();
    client.ask("HEAD /a HTTP/1.1\r\nhost: example.com\r\n\r\n");
    assert_eq!(proxy.rig.settled().matched, 1);
    assert!(candidate.head().starts_with("head /a "));
    client.ask("POST /a HTTP/1.1\r\nhost: example.com\r\ncontent-length: 0\r\n\r\n");
    assert_eq!(proxy.rig.settled().seen(), 2);
    assert_eq!((control.requests(), candidate.requests()), (2, 1));
    drop(client);
    proxy.drain();
}

#[test]
fn a_client_cannot_mark_its_request_as_a_shadow() {
    let control = Upstream::start(Behaviour::json(BODY));
    let proxy = Proxy::start(Stage::Legacy, &control, Setup::default());
    proxy.client().ask("GET /a HTTP/1.1\r\nhost: example.com\r\nX-Strangler-Shadow: 1\r\n\r\n");
    assert!(!control.head().contains("x-strangler-shadow"));
    proxy.drain();
}

#[test]
fn large_bodies_are_streamed_to_the_client_and_compared_by_their_hash() {
    let body = "x".repeat(3 << 20);
    let control = Upstream::start(Behaviour::json(&body));
    let candidate = Upstream::start(Behaviour::json(&body));
    let proxy = Proxy::start(Stage::Shadow, &control, Setup::candidate(&candidate));
    assert!(proxy.client().get().ends_with(&body));
    assert_eq!(proxy.rig.settled().matched, 1);
    proxy.drain();
}
