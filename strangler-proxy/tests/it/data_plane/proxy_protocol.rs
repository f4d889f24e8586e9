//! What a load balancer says of the client before the client's first byte.

use std::io::Write;
use std::time::Duration;

use strangler_proxy::data_plane::{Address, Listener, ProxyProtocol, ProxyVersions, Tls, TurnedAway};

use super::client::Client;
use super::origin::Origin;
use super::proxy::{Plan, Proxy};
use super::tls::connect;
use super::tls_origin::Ca;
use crate::shadow::rig::eventually;

const V1: &[u8] = b"PROXY TCP4 203.0.113.7 192.0.2.1 40000 443\r\n";
const V2: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xcb\0\x71\x08\xc0\0\x02\x01\x9c\x40\x01\xbb";
const V2_LOCAL: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0";
const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";

fn listener(versions: ProxyVersions, senders: &[&str]) -> Listener {
    let senders = senders.iter().map(|network| network.parse().unwrap()).collect();
    let proxy_protocol = Some(ProxyProtocol { versions, senders });
    Listener { proxy_protocol, ..Listener::new("127.0.0.1:0".parse::<Address>().unwrap()) }
}

fn proxy(control: &Origin, listener: Listener) -> Proxy {
    Plan::new(control.address).with(|config| config.listeners = vec![listener]).start()
}

/// How often a connection was closed for this.
fn turned_away(proxy: &Proxy, why: TurnedAway) -> u64 {
    proxy.plane().counts().turned_away().find(|(counted, _)| *counted == why).map_or(0, |(_, count)| count)
}

#[test]
fn the_client_that_a_trusted_sender_names_is_the_peer() {
    let control = Origin::saying("x");
    let proxy = proxy(&control, listener(ProxyVersions::Any, &["127.0.0.0/8"]));
    for (header, expected) in [(V1, "203.0.113.7"), (V2, "203.0.113.8"), (V2_LOCAL, "127.0.0.1")] {
        // In one piece, and with the header alone first.
        for split in [header.len(), 0, 5, 13] {
            let mut client = proxy.client();
            let all = [header, GET].concat();
            client.send(&all[..split]);
            client.send(&all[split..]);
            assert_eq!(client.response().text(), "x");
            // It is said once for the connection.
            assert_eq!(client.get("/again").text(), "x");
            for request in control.received().iter().rev().take(2) {
                assert_eq!(request.field("x-forwarded-for"), Some(expected), "{request:?}");
                assert!(request.field("forwarded").unwrap().starts_with(&format!("for={expected};")));
            }
        }
    }
}

/// Trust in what a peer says of others is in the client that was named, not in whoever named it.
#[test]
fn a_client_is_trusted_as_itself() {
    let control = Origin::saying("x");
    let listener = listener(ProxyVersions::Any, &["127.0.0.1"]);
    let proxy = Plan::new(control.address)
        .with(|config| {
            config.listeners = vec![listener];
            config.forwarding.trusted = vec!["127.0.0.1".parse().unwrap(), "203.0.113.8".parse().unwrap()];
        })
        .start();
    for (header, expected) in [(V1, "203.0.113.7"), (V2, "9.9.9.9, 203.0.113.8")] {
        let mut client = proxy.client();
        client.send(header);
        client.send("GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 9.9.9.9\r\n\r\n");
        assert_eq!(client.response().status, 200);
        assert_eq!(control.received().pop().unwrap().field("x-forwarded-for"), Some(expected));
    }
}

#[test]
fn a_header_that_is_none_closes_the_connection() {
    let control = Origin::saying("x");
    for (versions, wrong) in [
        (ProxyVersions::Any, GET),
        (ProxyVersions::V1, V2),
        (ProxyVersions::V2, V1),
        (ProxyVersions::Any, b"PROXY TCP4 203.0.113.7 192.0.2.1 99999 443\r\n"),
    ] {
        let proxy = proxy(&control, listener(versions, &["127.0.0.1"]));
        let mut client = proxy.client();
        client.send([wrong, GET].concat());
        assert!(client.rest().is_empty());
        eventually(|| turned_away(&proxy, TurnedAway::ProxyHeader) == 1);
    }
    assert_eq!(control.received(), []);
}

#[test]
fn a_sender_that_is_not_trusted_is_closed() {
    let control = Origin::saying("x");
    let proxy = proxy(&control, listener(ProxyVersions::Any, &["192.0.2.0/24"]));
    let mut client = proxy.client();
    let _ = client.stream().write_all(&[V1, GET].concat());
    assert!(client.rest().is_empty());
    eventually(|| turned_away(&proxy, TurnedAway::ProxySender) == 1);
    assert_eq!(control.received(), []);
}

#[test]
fn a_header_that_does_not_come_closes_the_connection() {
    let control = Origin::saying("x");
    let listener = listener(ProxyVersions::Any, &["127.0.0.1"]);
    let proxy = Plan::new(control.address)
        .with(|config| {
            config.listeners = vec![listener];
            config.timeouts.head = Duration::from_millis(500);
        })
        .start();
    let (mut silent, mut begun) = (proxy.client(), proxy.client());
    begun.send(&V1[..10]);
    assert!(silent.rest().is_empty() && begun.rest().is_empty());
    eventually(|| turned_away(&proxy, TurnedAway::ProxyTimeout) == 2);
}

/// Without the setting a header is what it looks like: no HTTP.
#[test]
fn a_header_that_nobody_expects_is_malformed() {
    let control = Origin::saying("x");
    let proxy = Proxy::to(&control);
    let mut client = proxy.client();
    client.send([V1, GET].concat());
    assert_eq!(client.response().status, 400);
    assert_eq!(control.received(), []);
}

#[test]
fn the_header_comes_before_tls() {
    let (control, ca) = (Origin::saying("x"), Ca::new());
    let signed = ca.sign("a.example");
    let tls = Some(Tls::new(&signed.certificate, &signed.key));
    let proxy = proxy(&control, Listener { tls, ..listener(ProxyVersions::V2, &["127.0.0.1"]) });
    let mut stream = std::net::TcpStream::connect(proxy.address).unwrap();
    stream.write_all(V2).unwrap();
    let mut client = Client::over(connect(stream, &ca, "a.example", None).unwrap());
    assert_eq!(client.get("/").text(), "x");
    let request = control.only();
    assert_eq!(request.field("x-forwarded-for"), Some("203.0.113.8"));
    assert_eq!(request.field("x-forwarded-proto"), Some("https"));
}
