//! Connections that become something else: on 101, and only then.

use std::time::Duration;

use diff_harness::comparison::SkipReason;
use diff_harness::lifecycle::Stage;

use super::origin::{Origin, ok};
use super::proxy::{Plan, Proxy};
use crate::shadow::rig::eventually;

const ASK: &str = "GET /chat HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\
                   Sec-WebSocket-Key: x\r\n\r\n";
const SWITCH: &str = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                      Sec-WebSocket-Accept: y\r\n\r\n";

/// Switches, and sends back in capitals what it reads.
fn shouting() -> Origin {
    Origin::scripted(|line| {
        let request = line.request().unwrap();
        assert_eq!(request.field("upgrade"), Some("websocket"));
        assert_eq!(request.field("connection"), Some("upgrade"));
        line.send(SWITCH);
        let mut buffer = [0; 1024];
        loop {
            match line.read(&mut buffer) {
                0 => return,
                read => line.send(buffer[..read].to_ascii_uppercase()),
            };
        }
    })
}

#[test]
fn after_101_bytes_pass_in_both_directions() {
    let control = shouting();
    let proxy = Plan::new(control.address).endpoint("GET /chat", Stage::Shadow).start();
    let mut client = proxy.client();
    client.send(ASK);
    let response = client.response();
    assert_eq!((response.status, response.field("upgrade")), (101, Some("websocket")));
    assert_eq!(response.field("connection"), Some("upgrade"));
    assert_eq!(response.field("sec-websocket-accept"), Some("y"));
    for word in ["hello", "again", "\r\n\r\n", "GET / HTTP/1.1\r\n\r\n"] {
        client.send(word);
        assert_eq!(client.read(word.len()), word.to_uppercase().as_bytes());
    }
    assert_eq!(proxy.tally().skipped[&SkipReason::Upgrade], 1);
    client.leave();
    eventually(|| control.finished() == 1);
}

#[test]
fn what_came_with_the_heads_is_not_lost() {
    let control = Origin::scripted(|line| {
        line.request();
        line.send(format!("{SWITCH}early"));
        let mut buffer = [0; 5];
        assert_eq!(line.read(&mut buffer), 5);
        line.send(buffer);
    });
    let proxy = Proxy::to(&control);
    let mut client = proxy.client();
    client.send(format!("{ASK}eager"));
    assert_eq!(client.response().status, 101);
    assert_eq!(client.rest(), b"earlyeager");
}

#[test]
fn a_side_that_ends_lets_the_other_finish() {
    let control = Origin::scripted(|line| {
        line.request();
        line.send(SWITCH);
        line.wait_for_end();
        line.send("last words");
    });
    let proxy = Proxy::to(&control);
    let mut client = proxy.client();
    client.send(ASK);
    client.response();
    client.stream().shutdown(std::net::Shutdown::Write).unwrap();
    assert_eq!(client.rest(), b"last words");
}

#[test]
fn an_upgrade_that_is_declined_is_an_ordinary_exchange() {
    let control = Origin::saying("no");
    let proxy = Proxy::to(&control);
    let mut client = proxy.client();
    client.send(ASK);
    assert_eq!(client.response().text(), "no");
    assert_eq!(client.get("/next").text(), "no");
    assert_eq!(control.received()[1].field("upgrade"), None);
}

/// A 101 that nobody asked for would hide what follows from the proxy.
#[test]
fn an_upgrade_that_was_not_asked_for_is_a_502() {
    let control = Origin::scripted(|line| {
        line.request();
        line.send(SWITCH);
        line.wait_for_end();
    });
    let proxy = Proxy::to(&control);
    for raw in [
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n",
    ] {
        let mut client = proxy.client();
        client.send(raw);
        let response = client.response();
        assert_eq!((response.status, response.reason().as_str()), (502, "upstream_protocol"), "{raw:?}");
    }
    assert!(control.received().iter().all(|request| request.field("upgrade").is_none()));
}

#[test]
fn a_tunnel_in_which_nothing_moves_is_closed() {
    let control = shouting();
    let proxy =
        Plan::new(control.address).with(|config| config.timeouts.tunnel = Duration::from_millis(20)).start();
    let mut client = proxy.client();
    client.send(ASK);
    assert_eq!(client.response().status, 101);
    assert!(client.rest().is_empty());
    eventually(|| control.finished() == 1);
}

#[test]
fn a_tunnel_is_no_connection_of_the_pool() {
    let control = Origin::scripted(|line| {
        while let Some(request) = line.request() {
            if request.field("upgrade").is_some() {
                line.send(SWITCH);
                return line.wait_for_end();
            }
            line.send(ok("x"));
        }
    });
    let proxy = Plan::new(control.address).with(|config| config.control.connections_max = 1).start();
    let mut tunnel = proxy.client();
    tunnel.send(ASK);
    assert_eq!(tunnel.response().status, 101);
    assert_eq!(proxy.client().get("/").text(), "x");
    assert_eq!(control.connections(), 2);
    tunnel.leave();
}

/// What the upstream agrees to cannot be taken back, so that it is not asked when there is no place.
#[test]
fn no_more_connections_are_upgraded_than_may_be() {
    let control = Origin::scripted(|line| {
        while let Some(request) = line.request() {
            match request.first_line() {
                "GET /chat HTTP/1.1" => {
                    line.send(SWITCH);
                    return line.wait_for_end();
                }
                _ => line.send(ok("plain")),
            };
        }
    });
    let proxy = Plan::new(control.address).with(|config| config.limits.tunnels_max = 2).start();
    // One that is declined gives its place back.
    for _ in 0..5 {
        let mut client = proxy.client();
        client.send(ASK.replace("/chat", "/declined"));
        assert_eq!(client.response().text(), "plain");
    }
    let mut open: Vec<_> = (0..2)
        .map(|_| {
            let mut client = proxy.client();
            client.send(ASK);
            assert_eq!(client.response().status, 101);
            client
        })
        .collect();
    assert_eq!(proxy.plane().counts().present().tunnels, 2);
    let asked = control.received().len();
    let mut client = proxy.client();
    client.send(ASK);
    let response = client.response();
    assert_eq!((response.status, response.reason().as_str()), (503, "tunnels"));
    assert_eq!(response.field("retry-after"), Some("1"));
    assert_eq!((control.received().len(), proxy.refused("tunnels")), (asked, 1));
    // Whoever wants no tunnel is served, on the same connection too.
    assert_eq!(client.get("/").text(), "plain");
    open.pop().unwrap().leave();
    eventually(|| proxy.plane().counts().present().tunnels == 1);
    client.send(ASK);
    assert_eq!(client.response().status, 101);
    proxy.tally();
}
