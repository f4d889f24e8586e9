//! TLS to upstreams: whom the proxy believes, and who it is itself.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use diff_harness::lifecycle::Stage;
use strangler_proxy::data_plane::upstream::{AddressState, Check, Identity, TlsFiles, Use};
use strangler_proxy::data_plane::{DataPlaneConfig, Purpose};

use super::origin::Origin;
use super::proxy::{Plan, Proxy};
use super::tls_origin::{Ca, Seen, Signed, TlsOrigin};
use crate::shadow::rig::{PATIENCE, eventually};

const HTTP_1: &[&str] = &["http/1.1"];

fn believing(ca: &Ca) -> TlsFiles {
    TlsFiles { ca: Some(ca.file.clone()), ..TlsFiles::default() }
}

fn with(tls: TlsFiles) -> impl FnOnce(&mut DataPlaneConfig) {
    |config| config.control.tls = Some(tls)
}

fn proxy(address: SocketAddr, tls: TlsFiles) -> Proxy {
    Plan::new(address).with(with(tls)).start()
}

#[test]
fn an_upstream_is_spoken_to_over_tls() {
    let (ca, origin) = (Ca::new(), Origin::new(|request| super::origin::ok(&"x".repeat(request.body.len()))));
    let tls = TlsOrigin::before(origin.address, &ca.sign("127.0.0.1"), HTTP_1, None);
    let proxy = proxy(tls.address, believing(&ca));
    let mut client = proxy.client();
    for n in [0, 10, 300_000] {
        client.send(format!("POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: {n}\r\n\r\n"));
        client.send(vec![b'x'; n]);
        assert_eq!(client.response().body.len(), n);
    }
    assert_eq!(origin.received()[0].field("host"), Some("a.example"));
    // One connection for all, and an address is asked for by no name (RFC 6066 §3).
    assert_eq!(*tls.seen.lock().unwrap(), [Seen { alpn: Some(b"http/1.1".to_vec()), server_name: None }]);
}

#[test]
fn an_upstream_that_is_not_who_it_should_be_is_not_spoken_to() {
    let (ca, other) = (Ca::new(), Ca::new());
    let origin = Origin::saying("secret");
    let refused = |signed: &Signed, tls: TlsFiles| {
        let server = TlsOrigin::before(origin.address, signed, HTTP_1, None);
        let proxy = proxy(server.address, tls);
        for _ in 0..3 {
            let response = proxy.client().get("/");
            assert_eq!((response.status, response.reason().as_str()), (502, "unreachable"));
        }
    };
    // Signed by somebody else; for another name; for another name than was declared; by no CA of the system.
    refused(&ca.sign("127.0.0.1"), believing(&other));
    refused(&ca.sign("b.example"), believing(&ca));
    let named = TlsFiles { server_name: Some("c.example".to_owned()), ..believing(&ca) };
    refused(&ca.sign("b.example"), named);
    assert!(origin.received().is_empty());
}

#[test]
fn the_certificate_may_be_for_a_declared_name() {
    let (ca, origin) = (Ca::new(), Origin::saying("x"));
    let server = TlsOrigin::before(origin.address, &ca.sign("b.example"), HTTP_1, None);
    let tls = TlsFiles { server_name: Some("b.example".to_owned()), ..believing(&ca) };
    assert_eq!(proxy(server.address, tls).client().get("/").status, 200);
    assert_eq!(server.seen.lock().unwrap()[0].server_name.as_deref(), Some("b.example"));
}

#[test]
fn an_upstream_that_does_not_speak_tls_is_not_spoken_to_in_the_clear() {
    let (ca, origin) = (Ca::new(), Origin::saying("x"));
    let response = proxy(origin.address, believing(&ca)).client().get("/");
    assert_eq!((response.status, response.reason().as_str()), (502, "unreachable"));
    assert!(origin.received().is_empty());
}

#[test]
fn an_upstream_that_asks_who_we_are_is_told() {
    let (ca, ours, origin) = (Ca::new(), Ca::new(), Origin::saying("x"));
    let server = TlsOrigin::before(origin.address, &ca.sign("127.0.0.1"), HTTP_1, Some(&ours));
    let Signed { certificate, key } = ours.sign("strangler.example");
    let known = TlsFiles { identity: Some(Identity { certificate, key }), ..believing(&ca) };
    assert_eq!(proxy(server.address, known).client().get("/").status, 200);
    let unknown = proxy(server.address, believing(&ca)).client().get("/");
    assert_eq!(unknown.status, 502);
    assert_eq!(origin.received().len(), 1);
}

#[test]
fn a_shadow_goes_over_tls_too() {
    let (ca, control, candidate) = (Ca::new(), Origin::saying("x"), Origin::saying("x"));
    let server = TlsOrigin::before(candidate.address, &ca.sign("127.0.0.1"), HTTP_1, None);
    let tls = believing(&ca);
    let proxy = Plan::new(control.address)
        .candidate_at(server.address)
        .endpoint("GET /a", Stage::Shadow)
        .with(move |config| config.candidate.as_mut().unwrap().tls = Some(tls))
        .start();
    assert_eq!(proxy.client().get("/a").status, 200);
    assert_eq!(proxy.tally().matched, 1);
    assert_eq!(candidate.received().len(), 1);
}

#[test]
fn an_upgraded_connection_goes_over_tls_too() {
    let (ca, origin) = (
        Ca::new(),
        Origin::scripted(|line| {
            line.request();
            line.send("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n");
            let mut bytes = [0; 5];
            while line.read(&mut bytes) > 0 {
                line.send(bytes);
            }
        }),
    );
    let server = TlsOrigin::before(origin.address, &ca.sign("127.0.0.1"), HTTP_1, None);
    let proxy = proxy(server.address, believing(&ca));
    let mut client = proxy.client();
    client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n");
    assert!(client.head().unwrap().starts_with("HTTP/1.1 101 "));
    for word in ["hello", "there"] {
        client.send(word);
        assert_eq!(client.read(5), word.as_bytes());
    }
    client.leave();
}

#[test]
fn a_health_check_goes_over_tls_too() {
    let (ca, other, origin) = (Ca::new(), Ca::new(), Origin::saying("x"));
    let well = TlsOrigin::before(origin.address, &ca.sign("127.0.0.1"), HTTP_1, None);
    let sick = TlsOrigin::before(origin.address, &other.sign("127.0.0.1"), HTTP_1, None);
    let addresses = [well.address, sick.address];
    let proxy = Plan::new(well.address)
        .with(with(believing(&ca)))
        .with(move |config| {
            config.control.authorities = addresses.map(|address| address.to_string()).to_vec();
            config.control.health.check = Some(Check {
                every: Duration::from_millis(10),
                timeout: PATIENCE,
                unhealthy: 1,
                ..Check::default()
            });
        })
        .start();
    let state = |socket: SocketAddr| {
        let all = proxy.upstreams.control.addresses();
        let address = all.iter().find(|address| address.socket == socket).unwrap();
        proxy.upstreams.control.state(address, Use::Clients)
    };
    eventually(|| state(sick.address) == AddressState::Unhealthy);
    eventually(|| !origin.received().is_empty());
    assert_eq!(state(well.address), AddressState::Used);
}

/// That it takes connections is not enough: it has to be who it should be.
#[test]
fn an_address_that_was_left_alone_is_asked_over_tls() {
    let (ca, other, origin) = (Ca::new(), Ca::new(), Origin::saying("x"));
    let well = TlsOrigin::before(origin.address, &ca.sign("127.0.0.1"), HTTP_1, None);
    let wrong = TlsOrigin::before(origin.address, &other.sign("127.0.0.1"), HTTP_1, None);
    let addresses = [well.address, wrong.address];
    let proxy = Plan::new(well.address)
        .with(with(believing(&ca)))
        .with(move |config| {
            config.control.authorities = addresses.map(|address| address.to_string()).to_vec();
            config.control.health.failures_max = 1;
            config.control.health.eject_for = Duration::from_millis(10);
            config.control.health.eject_for_max = Duration::from_millis(10);
        })
        .start();
    let all = proxy.upstreams.control.addresses();
    let wrong = all.iter().find(|address| address.socket == wrong.address).unwrap();
    eventually(|| {
        assert_eq!(proxy.client().get("/").status, 200);
        wrong.counts.tally().probes_failed >= 2
    });
    assert_eq!(proxy.upstreams.control.state(wrong, Use::Clients), AddressState::Ejected);
    assert_eq!(wrong.counts.tally().connects_failed, 1);
}

#[test]
fn files_that_change_are_read_again_and_connections_go_on() {
    let (ca, ours, stranger, origin) = (Ca::new(), Ca::new(), Ca::new(), Origin::saying("x"));
    let server = TlsOrigin::before(origin.address, &ca.sign("127.0.0.1"), HTTP_1, Some(&ours));
    let Signed { certificate, key } = stranger.sign("strangler.example");
    let (files, known) =
        (Identity { certificate: certificate.clone(), key: key.clone() }, ours.sign("strangler.example"));
    let tls = TlsFiles { identity: Some(files), ..believing(&ca) };
    let proxy = Plan::new(server.address)
        .with(with(tls))
        .with(|config| {
            config.control.idle_timeout = Duration::from_secs(3600);
        })
        .start();
    let certificates = Arc::clone(proxy.plane().certificates());
    assert_eq!(proxy.client().get("/").status, 502, "signed by a stranger");
    // For a moment the two do not belong together; then what was read before stays.
    std::fs::copy(&known.certificate, &certificate).unwrap();
    assert!(certificates.look());
    assert!(certificates.problems()[0].1.contains("cannot be used with the key"));
    std::fs::copy(&known.key, &key).unwrap();
    assert!(certificates.look());
    assert_eq!(proxy.client().get("/").status, 200);
    assert_eq!(certificates.problems(), []);
    let listed: Vec<_> =
        certificates.all().into_iter().map(|(used_by, one)| (used_by, one.purpose, one.file)).collect();
    let user = "upstream control".to_owned();
    assert_eq!(
        listed,
        [(user.clone(), Purpose::Believed, ca.file.clone()), (user, Purpose::Shown, certificate.clone())]
    );
    std::fs::write(&certificate, "nothing").unwrap();
    assert!(certificates.look());
    for _ in 0..5 {
        assert_eq!(proxy.client().get("/").status, 200);
    }
    assert_eq!(origin.connections(), 1);
}
