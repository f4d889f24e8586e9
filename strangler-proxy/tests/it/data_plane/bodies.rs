//! Bodies stream: large ones pass in bounded memory, and nobody waits for what is there already.

use std::io::Read;
use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::time::Duration;

use diff_harness::comparison::SkipReason;
use diff_harness::lifecycle::Stage;

use super::origin::{Origin, ok};
use super::proxy::{Plan, Proxy};
use crate::shadow::rig::eventually;

const LARGE: usize = 64 << 20;

/// Resident memory of this process in bytes.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

#[test]
fn a_large_response_passes_in_bounded_memory() {
    let control = Origin::scripted(|line| {
        while line.request().is_some() {
            line.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {LARGE}\r\n\r\n"));
            let chunk = vec![b'x'; 1 << 20];
            for _ in 0..LARGE >> 20 {
                line.send(&chunk);
            }
        }
    });
    let proxy = Proxy::to(&control);
    let mut client = proxy.client();
    let before = resident();
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(client.head().is_some());
    let mut buffer = vec![0; 1 << 20];
    let (mut read, mut most) = (0, 0);
    while read < LARGE {
        let bytes = client.read_some(&mut buffer);
        assert!(buffer[..bytes].iter().all(|byte| *byte == b'x'));
        read += bytes;
        most = most.max(resident());
    }
    // The test has a few megabytes of its own; the body has 64.
    assert!(most.saturating_sub(before) < LARGE / 3, "grew by {} bytes", most - before);
    assert_eq!(client.get("/").status, 200);
}

#[test]
fn a_large_request_passes_in_bounded_memory() {
    let control = Origin::scripted(|line| {
        let head = line.head().unwrap();
        assert!(head.contains("POST"));
        let (mut buffer, mut read) = (vec![0; 1 << 20], 0);
        while read < LARGE {
            read += line.read(&mut buffer);
        }
        line.send(ok("all of it"));
    });
    let proxy = Proxy::to(&control);
    let mut client = proxy.client();
    let before = resident();
    client.send(format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {LARGE}\r\n\r\n"));
    let chunk = vec![b'x'; 1 << 20];
    let mut most = 0;
    for _ in 0..LARGE >> 20 {
        client.send(&chunk);
        most = most.max(resident());
    }
    assert!(most.saturating_sub(before) < LARGE / 3, "grew by {} bytes", most - before);
    assert_eq!(client.response().text(), "all of it");
}

#[test]
fn each_event_of_a_stream_passes_at_once() {
    let (next, wanted) = channel();
    let wanted = Mutex::new(wanted);
    let control = Origin::scripted(move |line| {
        line.request();
        line.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n");
        // Each event is sent when the one before has arrived.
        for n in wanted.lock().unwrap().iter() {
            line.send(format!("data: {n}\n\n"));
        }
        line.wait_for_end();
    });
    let (candidate, plan) = (Origin::saying(""), Plan::new(control.address));
    let proxy = plan.candidate(&candidate).endpoint("GET /events", Stage::Shadow).start();
    let mut client = proxy.client();
    client.send("GET /events HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(client.head().unwrap().contains("text/event-stream"));
    for n in 0..3 {
        next.send(n).unwrap();
        assert_eq!(client.read_chunk(), format!("data: {n}\n\n").as_bytes());
    }
    drop(next);
    // The stream goes on; it was not held back for its end, and is not compared.
    assert_eq!(proxy.tally().skipped[&SkipReason::Stream], 1);
    client.leave();
}

#[test]
fn an_upload_and_its_response_can_go_on_at_once() {
    let control = Origin::scripted(|line| {
        line.head();
        line.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        let mut buffer = [0; 1];
        // Echo, byte by byte, until the body has ended.
        for _ in 0..5 {
            assert_eq!(line.read(&mut buffer), 1);
            line.send(format!("1\r\n{}\r\n", buffer[0] as char));
        }
        line.send("0\r\n\r\n");
    });
    let proxy = Proxy::to(&control);
    let mut client = proxy.client();
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n");
    assert!(client.head().is_some());
    for byte in b"hello" {
        client.send([*byte]);
        assert_eq!(client.read_chunk(), [*byte]);
    }
}

#[test]
fn an_early_response_ends_an_upload_that_nobody_reads() {
    let control = Origin::scripted(|line| {
        line.head();
        line.send("HTTP/1.1 422 Unprocessable Entity\r\nContent-Length: 2\r\n\r\nno");
        line.wait_for_end();
    });
    let proxy = Proxy::to(&control);
    let mut client = proxy.client();
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nthe beginning");
    let response = client.response();
    assert_eq!((response.status, response.text()), (422, "no"));
    assert!(client.is_closed());
}

#[test]
fn a_response_that_breaks_off_is_not_made_whole() {
    for raw in [
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd",
    ] {
        let control = Origin::scripted(move |line| {
            line.request();
            line.send(raw);
        });
        let proxy = Proxy::to(&control);
        let mut client = proxy.client();
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        // Head and piece came at once and nothing of them was sent: the client sees a connection that was closed.
        let rest = String::from_utf8(client.rest()).unwrap();
        assert!(!rest.ends_with("0\r\n\r\n"), "{raw:?} became {rest:?}");
    }
}

#[test]
fn a_client_that_leaves_frees_the_upstream() {
    let control = Origin::scripted(|line| {
        line.request();
        line.send("HTTP/1.1 200 OK\r\n\r\n");
        while line.send("endless ") {}
    });
    let proxy = Proxy::to(&control);
    let mut client = proxy.client();
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    client.head();
    client.leave();
    // The script ends only when the proxy has closed the connection.
    eventually(|| control.finished() == 1);
}

#[test]
fn a_client_that_leaves_before_the_response_frees_the_upstream() {
    let control = Origin::scripted(|line| {
        line.request();
        line.wait_for_end();
    });
    let proxy = Proxy::to(&control);
    let mut client = proxy.client();
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    eventually(|| control.received().len() == 1);
    client.leave();
    eventually(|| control.finished() == 1);
    assert_eq!(proxy.tally().skipped[&SkipReason::ClientGone], 1);
}

#[test]
fn a_response_over_the_limit_is_compared_by_its_hash() {
    let large = || Origin::new(|_| ok(&"x".repeat(3 << 20)));
    let (control, candidate) = (large(), large());
    let proxy = Plan::new(control.address).candidate(&candidate).endpoint("GET /", Stage::Shadow).start();
    assert_eq!(proxy.client().get("/").body.len(), 3 << 20);
    let tally = proxy.tally();
    assert_eq!((tally.compared(), tally.matched), (1, 1));
    eventually(|| proxy.rig.shadow.memory().used() == 0);
}

#[test]
fn a_safe_request_over_the_limit_of_what_is_kept_is_sent_once() {
    let (control, candidate) = (Origin::saying("{}"), Origin::saying("{}"));
    let proxy = Plan::new(control.address)
        .candidate(&candidate)
        .endpoint("GET /", Stage::Shadow)
        .with(|config| config.limits.replay_bytes_max = 4)
        .start();
    let mut client = proxy.client();
    for length in ["Content-Length: 10", "Transfer-Encoding: chunked"] {
        let body = if length.starts_with('C') { "0123456789" } else { "a\r\n0123456789\r\n0\r\n\r\n" };
        client.send(format!("GET / HTTP/1.1\r\nHost: a\r\n{length}\r\n\r\n{body}"));
        assert_eq!(client.response().status, 200);
    }
    assert!(control.received().iter().all(|request| request.body == b"0123456789"));
    assert_eq!(proxy.tally().skipped[&SkipReason::RequestTooLarge], 2);
    assert_eq!(candidate.received(), []);
}

#[test]
fn a_client_that_half_closes_after_an_unfinished_body_is_told() {
    let control = Origin::scripted(|line| {
        line.request();
        line.wait_for_end();
    });
    let proxy =
        Plan::new(control.address).with(|config| config.timeouts.body = Duration::from_secs(5)).start();
    let mut client = proxy.client();
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
    client.stream().shutdown(std::net::Shutdown::Write).unwrap();
    let mut answer = String::new();
    client.stream().read_to_string(&mut answer).unwrap();
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400 "), "{answer}");
    eventually(|| control.finished() == 1);
}
