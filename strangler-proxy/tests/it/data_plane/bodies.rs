//! Bodies stream: large ones pass in bounded memory, and nobody waits for what is there already.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::sync::Mutex;
use std::sync::mpsc::channel;

use diff_harness::comparison::SkipReason;
use diff_harness::lifecycle::Stage;
use strangler_proxy::data_plane::HalfClose;

use super::origin::{Origin, ok};
use super::proxy::{Plan, Proxy};
use crate::alone::alone;
use crate::shadow::rig::eventually;

const LARGE: usize = 64 << 20;

/// Resident memory of this process in bytes.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

#[test]
fn a_large_response_passes_in_bounded_memory() {
    alone("data_plane::bodies::a_large_response_passes_in_bounded_memory", large_response);
}

fn large_response() {
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
    alone("data_plane::bodies::a_large_request_passes_in_bounded_memory", large_request);
}

fn large_request() {
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

/// Neither end reads before it has sent everything, or as much of it as the other one's silence allows.
#[test]
fn a_large_upload_and_a_large_response_can_go_on_at_once() {
    let control = Origin::scripted(|line| {
        line.head();
        // Far more than all the buffers on the way hold: it is sent on while the client reads nothing.
        line.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {LARGE}\r\n\r\n"));
        let mut writing = line.stream().try_clone().unwrap();
        let writer = std::thread::spawn(move || {
            let chunk = vec![b'y'; 1 << 20];
            (0..LARGE >> 20).all(|_| writing.write_all(&chunk).is_ok())
        });
        let (mut buffer, mut read) = (vec![0; 1 << 20], 0);
        while read < LARGE {
            match line.read(&mut buffer) {
                0 => return,
                bytes => read += bytes,
            }
        }
        assert!(writer.join().unwrap());
    });
    let proxy = Proxy::to(&control);
    let mut client = proxy.client();
    client.send(format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {LARGE}\r\n\r\n"));
    let mut buffer = vec![b'x'; 1 << 20];
    for _ in 0..LARGE >> 20 {
        client.send(&buffer);
    }
    assert!(client.head().is_some_and(|head| head.starts_with("HTTP/1.1 200 ")));
    let mut read = 0;
    while read < LARGE {
        read += client.read_some(&mut buffer);
    }
    eventually(|| control.finished() == 1);
}

/// Both were there to the end, so that the connection to the upstream is good for another request.
#[test]
fn a_connection_on_which_both_went_on_at_once_is_used_again() {
    let control = Origin::scripted(|line| {
        loop {
            let Some(head) = line.head() else { return };
            if head.starts_with("GET") {
                line.body_of(head);
                line.send(ok("again"));
                continue;
            }
            line.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n");
            line.body_of(head);
            line.send("1\r\nb\r\n0\r\n\r\n");
        }
    });
    let proxy = Proxy::to(&control);
    let mut client = proxy.client();
    for _ in 0..3 {
        client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n");
        assert!(client.head().is_some());
        assert_eq!(client.read_chunk(), b"a");
        client.send("hello");
        assert_eq!(client.read_chunk(), b"b");
        assert_eq!(client.read(5), b"0\r\n\r\n");
        assert_eq!(client.get("/").text(), "again");
    }
    assert_eq!(control.connections(), 1);
}

/// The upstream answers at once and closes on what is still being sent to it, which resets the connection.
#[test]
fn an_early_answer_is_passed_on_even_when_the_upstream_closes_on_the_upload() {
    let control = Origin::scripted(|line| {
        line.head();
        line.send("HTTP/1.1 413 Payload Too Large\r\nContent-Length: 5\r\nConnection: close\r\n\r\nlarge");
    });
    let proxy = Proxy::to(&control);
    for round in 0..50 {
        let mut client = proxy.client();
        client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4000000\r\n\r\n");
        let mut writing = client.stream().try_clone().unwrap();
        let writer = std::thread::spawn(move || {
            let _ = writing.write_all(&vec![b'x'; 4_000_000]);
        });
        let response = client.response();
        assert_eq!((response.status, response.text()), (413, "large"), "round {round}");
        client.leave();
        writer.join().unwrap();
    }
    assert_eq!(proxy.refused("upstream_closed"), 0);
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
        // Head and piece came at once, and the client sees both, and no end.
        assert!(client.head().is_some_and(|head| head.starts_with("HTTP/1.1 200 OK\r\n")), "{raw:?}");
        let rest = String::from_utf8(client.rest()).unwrap();
        assert!(rest.contains("abc"), "{raw:?} became {rest:?}");
        assert!(!rest.ends_with("0\r\n\r\n"), "{raw:?} became {rest:?}");
    }
}

/// HTTP/1.0 has no chunks: where the body ends with the connection, a close would be a whole body.
#[test]
fn a_response_that_breaks_off_is_not_made_whole_for_a_client_of_http_1_0() {
    let control = Origin::scripted(|line| {
        line.request();
        line.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
    });
    let proxy = Proxy::to(&control);
    let mut client = proxy.client();
    client.send("GET / HTTP/1.0\r\nHost: a\r\n\r\n");
    let end = client.stream().read_to_end(&mut Vec::new());
    assert_eq!(end.unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
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
    let proxy = Proxy::to(&control);
    for method in ["POST", "GET"] {
        let mut client = proxy.client();
        client.send(format!("{method} / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc"));
        client.stream().shutdown(Shutdown::Write).unwrap();
        let response = client.response();
        assert_eq!((response.status, response.reason().as_str()), (400, "body_broken"));
        assert!(client.is_closed());
    }
    assert_eq!(control.received(), []);
}

#[test]
fn a_client_that_half_closes_gets_its_response() {
    let (go, wait) = channel();
    let wait = Mutex::new(wait);
    let control = Origin::scripted(move |line| {
        while let Some(request) = line.request() {
            // The proxy has seen the end of the stream by now.
            let () = wait.lock().unwrap().recv().unwrap();
            line.send(ok(&format!("for {}", String::from_utf8_lossy(&request.body))));
        }
    });
    let proxy = Proxy::to(&control);
    for n in 1..=3 {
        let mut client = proxy.client();
        client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nyou");
        client.stream().shutdown(Shutdown::Write).unwrap();
        eventually(|| control.received().len() == n);
        go.send(()).unwrap();
        assert_eq!(client.response().text(), "for you");
        assert!(client.rest().is_empty());
    }
}

/// A setting: upstreams that are slow, and clients that do not wait for them.
#[test]
fn a_client_that_half_closes_can_be_taken_to_have_left() {
    let control = Origin::scripted(|line| {
        line.request();
        line.wait_for_end();
    });
    let proxy =
        Plan::new(control.address).with(|config| config.forwarding.half_close = HalfClose::Abort).start();
    let mut client = proxy.client();
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    eventually(|| control.received().len() == 1);
    client.stream().shutdown(Shutdown::Write).unwrap();
    eventually(|| control.finished() == 1);
    assert!(client.rest().is_empty());
    assert_eq!(proxy.tally().skipped[&SkipReason::ClientGone], 1);
}
