//! Every reason for not comparing, reached once.

use std::sync::{Arc, Barrier};
use std::time::Duration;

use bytes::Bytes;
use diff_harness::comparison::{Comparison, Disposition, DropReason, Judgement, SkipReason};
use diff_harness::endpoint::EndpointId;
use diff_harness::exchange::{Observation, Request};
use http::{HeaderName, HeaderValue, Method};
use strangler_proxy::record::Judge;
use strangler_proxy::shadow::{DryRunHeader, DryRunRequest, FirstConfig, ShadowRequest, Unmarked};

use super::rig::{PATIENCE, Setup, eventually, json, request};
use super::upstream::{Behaviour, Upstream};

fn refusal(rig: &super::rig::Rig) -> Disposition {
    rig.submit(rig.request("refused")).unwrap_err()
}

#[test]
fn a_full_queue_refuses_at_once() {
    let candidate = Upstream::start(Behaviour::hang());
    let mut setup = Setup::candidate(&candidate);
    setup.shadow.concurrency_max = 1;
    setup.shadow.queue_max = 1;
    let rig = setup.start();
    let _on_the_way = rig.submit(rig.request("r1")).unwrap();
    eventually(|| candidate.requests() == 1);
    let _waiting = rig.submit(rig.request("r2")).unwrap();
    assert_eq!(rig.shadow.queued(), 1);
    assert_eq!(refusal(&rig), Disposition::Dropped(DropReason::ShadowQueueFull));
    candidate.kill();
}

#[test]
fn whoever_waited_too_long_is_not_sent() {
    let candidate = Upstream::start(Behaviour::hang());
    let mut setup = Setup::candidate(&candidate);
    setup.shadow.concurrency_max = 1;
    setup.shadow.wait_max = Duration::ZERO;
    setup.shadow.exchange_max = Duration::from_millis(50);
    let rig = setup.start();
    let slots = ["r1", "r2"].map(|id| rig.submit(rig.request(id)).unwrap());
    eventually(|| rig.registry.total().tally.dropped.get(&DropReason::Expired).is_some_and(|n| *n > 0));
    for slot in slots {
        slot.complete(json("{}"), None);
    }
    rig.settled();
    rig.drain();
}

#[test]
fn requests_that_wait_do_not_try_one_by_one_what_the_first_has_found_dead() {
    // Its queue of connections is full: a further one is neither made nor refused.
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&"127.0.0.1:0".parse::<std::net::SocketAddr>().unwrap().into()).unwrap();
    socket.listen(0).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    let mut filling = Vec::new();
    while let Ok(stream) = std::net::TcpStream::connect_timeout(&address, Duration::from_millis(50)) {
        filling.push(stream);
    }
    let mut setup = Setup { candidate: Some(address), ..Setup::default() };
    setup.shadow.concurrency_max = 1;
    setup.shadow.connect_max = Duration::from_millis(200);
    setup.shadow.circuit_failures = 1;
    setup.shadow.circuit_probe_every = PATIENCE;
    // Reached only if a hundred connections are tried one after the other.
    setup.shadow.wait_max = Duration::from_secs(10);
    let rig = setup.start();
    for n in 0..100 {
        rig.exchange(&format!("r{n}"), "{}");
    }
    let tally = rig.settled();
    assert_eq!(tally.dropped, [(DropReason::Unreachable, 100)].into(), "{tally:?}");
    rig.drain();
}

#[test]
fn memory_is_limited_for_requests_and_for_answers() {
    let candidate = Upstream::start(Behaviour::json(&"x".repeat(50_000)));
    let mut setup = Setup::candidate(&candidate);
    setup.shadow.memory_max = 10_000;
    let rig = setup.start();
    // The shadowed answer does not fit.
    rig.exchange("r1", "{}");
    assert_eq!(rig.settled().dropped[&DropReason::MemoryLimit], 1);
    // The request does not.
    let mut request = rig.request("r2");
    request.body = Bytes::from(vec![0; 20_000]);
    assert_eq!(rig.submit(request).unwrap_err(), Disposition::Dropped(DropReason::MemoryLimit));
    // The client's answer does not.
    let slot = rig.submit(rig.request("r3")).unwrap();
    let mut capture = rig.shadow.capture();
    capture.push(&Bytes::from(vec![0; 20_000]));
    slot.fail(capture.finish().unwrap_err());
    assert_eq!(rig.settled().dropped[&DropReason::MemoryLimit], 3);
    rig.drain();
}

#[test]
fn memory_that_is_kept_for_a_pair_is_given_back_when_it_is_compared() {
    let body = "x".repeat(5000);
    let candidate = Upstream::start(Behaviour::json(&body));
    let rig = Setup::candidate(&candidate).start();
    let slot = rig.submit(rig.request("r1")).unwrap();
    let mut capture = rig.shadow.capture();
    capture.push(&Bytes::from(body.clone()));
    let captured = capture.finish().unwrap();
    assert!(rig.shadow.memory().used() >= 5000);
    slot.complete(json(&body), Some(captured.held));
    assert_eq!(rig.settled().matched, 1);
    eventually(|| rig.shadow.memory().used() == 0);
    rig.drain();
}

#[test]
fn a_share_of_requests_is_left_out() {
    let candidate = Upstream::start(Behaviour::json("{}"));
    let mut setup = Setup::candidate(&candidate);
    setup.shadow.share = 2500;
    let rig = setup.start();
    for n in 0..1000 {
        rig.exchange(&format!("r{n}"), "{}");
    }
    let tally = rig.settled();
    assert_eq!(tally.matched + tally.skipped[&SkipReason::Sampled], 1000);
    assert!((245..=255).contains(&tally.matched), "{tally:?}");
    rig.drain();
}

#[test]
fn a_client_that_leaves_is_no_comparison() {
    let candidate = Upstream::start(Behaviour::json("{}"));
    let rig = Setup::candidate(&candidate).start();
    drop(rig.submit(rig.request("r1")).unwrap());
    rig.submit(rig.request("r2")).unwrap().skip(SkipReason::Stream);
    let tally = rig.settled();
    assert_eq!((tally.skipped[&SkipReason::ClientGone], tally.skipped[&SkipReason::Stream]), (1, 1));
    rig.drain();
}

/// Waits at the barrier twice for every pair.
struct Slow(Arc<Barrier>);

impl Judge for Slow {
    fn judge(&self, _: &EndpointId, _: &Request, _: &Observation, _: &Observation) -> Judgement {
        self.0.wait();
        self.0.wait();
        Judgement::Compared(Comparison::default())
    }

    fn rules(&self) -> &str {
        "slow"
    }
}

#[test]
fn a_full_comparison_queue_drops() {
    let candidate = Upstream::start(Behaviour::json("{}"));
    let barrier = Arc::new(Barrier::new(2));
    let mut setup = Setup::candidate(&candidate);
    setup.judge = Box::new(Slow(Arc::clone(&barrier)));
    setup.record.queue_max = 1;
    setup.record.inline_max = 0;
    let rig = setup.start();
    rig.exchange("compared", "[]");
    barrier.wait();
    rig.exchange("waits", "[]");
    rig.exchange("dropped", "[]");
    eventually(|| rig.registry.total().pending() == 2);
    assert_eq!(rig.registry.total().tally.dropped[&DropReason::CompareQueueFull], 1);
    barrier.wait();
    barrier.wait();
    barrier.wait();
    assert_eq!(rig.settled().matched, 2);
    rig.drain();
}

/// The shadow thread is busy with a comparison, and cannot say that the time is over.
#[test]
fn whoever_waits_for_a_dry_run_is_held_up_by_nothing_else() {
    let candidate = Upstream::start(Behaviour::hang());
    let barrier = Arc::new(Barrier::new(2));
    let mut setup = Setup::candidate(&candidate);
    setup.judge = Box::new(Slow(Arc::clone(&barrier)));
    let first = FirstConfig { wait_max: Duration::from_millis(50), ..FirstConfig::default() };
    setup.shadow.first = Some(first);
    let rig = setup.start();
    rig.exchange("compared", "[]");
    eventually(|| candidate.requests() == 1);
    candidate.kill();
    barrier.wait();
    let mark = Arc::new(DryRunHeader {
        name: HeaderName::from_static("x-dry-run"),
        value: HeaderValue::from_static("1"),
        confirm: None,
    });
    let ShadowRequest { id, at, route, target, headers, body, .. } = rig.request("written");
    let request = Unmarked { id, at, route, method: Method::POST, target, headers, body };
    rig.route.counters.started();
    let ahead = rig.shadow.submit_first(DryRunRequest::new(&mark, request)).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let answered = runtime.block_on(async { tokio::time::timeout(PATIENCE, ahead.answered()).await });
    barrier.wait();
    assert!(matches!(answered, Ok(None)), "{answered:?}");
    let tally = rig.settled();
    assert_eq!((tally.matched, tally.dropped), (1, [(DropReason::DryRunLate, 1)].into()));
    rig.drain();
}

struct Panics;

impl Judge for Panics {
    fn judge(&self, _: &EndpointId, _: &Request, _: &Observation, candidate: &Observation) -> Judgement {
        panic!("a bug that {candidate:?} found");
    }

    fn rules(&self) -> &str {
        "panics"
    }
}

#[test]
fn a_comparator_that_panics_costs_one_comparison_each_time() {
    for inline_max in [0, 1000] {
        let candidate = Upstream::start(Behaviour::json("{}"));
        let mut setup = Setup::candidate(&candidate);
        setup.judge = Box::new(Panics);
        setup.record.inline_max = inline_max;
        let rig = setup.start();
        for n in 0..3 {
            rig.exchange(&format!("r{n}"), "[]");
        }
        assert_eq!(rig.settled().dropped[&DropReason::ComparatorFailed], 3);
        rig.drain();
    }
}

#[test]
fn a_drain_finishes_what_can_be_finished_and_drops_the_rest() {
    let candidate = Upstream::start(Behaviour::hang());
    let mut setup = Setup::candidate(&candidate);
    setup.shadow.concurrency_max = 1;
    let rig = setup.start();
    rig.exchange("on the way", "{}");
    eventually(|| candidate.requests() == 1);
    rig.exchange("waiting", "{}");
    rig.worker.drain(Duration::from_millis(20));
    assert_eq!(rig.registry.total().tally.dropped[&DropReason::Shutdown], 2);
    let late = rig.shadow.submit(request(&rig.route, "late")).unwrap_err();
    assert_eq!(late, Disposition::Dropped(DropReason::Shutdown));
    rig.recorder.drain(PATIENCE).unwrap();
    assert_eq!(rig.store.total().dropped[&DropReason::Shutdown], 2);
    assert_eq!(rig.shadow.memory().used(), 0);
}

#[test]
fn what_is_on_the_way_is_finished_when_nobody_can_send_any_more() {
    let candidate = Upstream::start(Behaviour::hang());
    let mut setup = Setup::candidate(&candidate);
    setup.shadow.exchange_max = Duration::from_millis(50);
    let rig = setup.start();
    rig.exchange("r1", "{}");
    eventually(|| candidate.requests() == 1);
    drop(rig.shadow);
    eventually(|| rig.registry.total().pending() == 0);
    assert_eq!(rig.registry.total().tally.mismatched, 1);
    rig.worker.drain(PATIENCE);
    rig.recorder.drain(PATIENCE).unwrap();
}

#[test]
fn a_drain_does_not_wait_for_a_comparison_that_hangs() {
    let candidate = Upstream::start(Behaviour::json("{}"));
    let barrier = Arc::new(Barrier::new(2));
    let mut setup = Setup::candidate(&candidate);
    setup.judge = Box::new(Slow(Arc::clone(&barrier)));
    setup.record.inline_max = 0;
    let rig = setup.start();
    rig.exchange("hangs", "[]");
    barrier.wait();
    rig.exchange("waits", "[]");
    rig.worker.drain(PATIENCE);
    // Whether the little time that is left is enough for the last write is not the point: it is made in any case.
    let _ = rig.recorder.drain(Duration::from_millis(200));
    eventually(|| rig.store.total().dropped.get(&DropReason::Shutdown) == Some(&1));
    assert_eq!(rig.registry.total().pending(), 1, "the one that hangs");
    // Let it end, or the process would not.
    barrier.wait();
}
