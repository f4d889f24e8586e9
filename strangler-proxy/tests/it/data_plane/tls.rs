//! TLS on a listener.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Request;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, HandshakeKind, ProtocolVersion, StreamOwned};
use strangler_proxy::data_plane::{
    Address, Certificates, ClientCertificates, HalfClose, Identity, Listener, Reloaded, Tls, TurnedAway,
};

use super::client::Client;
use super::http2::client::Http2;
use super::origin::{Origin, ok};
use super::proxy::{Plan, Proxy};
use super::tls_origin::{Ca, Signed};
use crate::shadow::rig::{PATIENCE, eventually};

type Secure = StreamOwned<ClientConnection, TcpStream>;

const HOST: &str = "a.example";

fn tls(signed: &Signed) -> Tls {
    Tls::new(&signed.certificate, &signed.key)
}

fn listener(tls: Tls) -> Listener {
    Listener { tls: Some(tls), ..Listener::new("127.0.0.1:0".parse::<Address>().unwrap()) }
}

fn proxy(control: &Origin, tls: Tls) -> Proxy {
    Plan::new(control.address).with(|config| config.listeners = vec![listener(tls)]).start()
}

/// A client that trusts this CA, and is somebody itself with `identity`.
fn trusting(ca: &Ca, identity: Option<&Signed>) -> ClientConfig {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(ca.roots());
    match identity {
        None => builder.with_no_client_auth(),
        Some(signed) => {
            let chain = vec![CertificateDer::from_pem_file(&signed.certificate).unwrap()];
            builder.with_client_auth_cert(chain, PrivateKeyDer::from_pem_file(&signed.key).unwrap()).unwrap()
        }
    }
}

fn connect_with(stream: TcpStream, config: &Arc<ClientConfig>, host: &str) -> io::Result<Secure> {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let name = ServerName::try_from(host.to_owned()).unwrap();
    let mut stream = StreamOwned::new(ClientConnection::new(Arc::clone(config), name).unwrap(), stream);
    while stream.conn.is_handshaking() {
        stream.conn.complete_io(&mut stream.sock)?;
    }
    Ok(stream)
}

pub(super) fn connect(
    stream: TcpStream,
    ca: &Ca,
    host: &str,
    identity: Option<&Signed>,
) -> io::Result<Secure> {
    connect_with(stream, &Arc::new(trusting(ca, identity)), host)
}

fn client(address: SocketAddr, ca: &Ca) -> Client<Secure> {
    Client::over(connect(TcpStream::connect(address).unwrap(), ca, HOST, None).unwrap())
}

fn turned_away(proxy: &Proxy, why: TurnedAway) -> u64 {
    proxy.plane().counts().turned_away().find(|(counted, _)| *counted == why).map_or(0, |(_, count)| count)
}

/// The certificate that a client is shown.
fn shown(address: SocketAddr, ca: &Ca, host: &str) -> CertificateDer<'static> {
    let stream = connect(TcpStream::connect(address).unwrap(), ca, host, None).unwrap();
    stream.conn.peer_certificates().unwrap()[0].clone().into_owned()
}

fn der(signed: &Signed) -> CertificateDer<'static> {
    CertificateDer::from_pem_file(&signed.certificate).unwrap()
}

#[test]
fn an_upstream_learns_that_the_client_came_over_tls() {
    let (control, ca) = (Origin::saying("secret"), Ca::new());
    let proxy = proxy(&control, tls(&ca.sign(HOST)));
    let mut client = client(proxy.address, &ca);
    for _ in 0..3 {
        assert_eq!(client.get("/").text(), "secret");
    }
    assert_eq!(proxy.plane().counts().connections_accepted(), 1);
    assert_eq!(proxy.plane().listening()[0].to_string(), format!("https://{}", proxy.address));
    for request in control.received() {
        assert_eq!(request.field("x-forwarded-proto"), Some("https"));
        assert_eq!(request.field("forwarded"), Some("for=127.0.0.1;host=\"a.example\";proto=https"));
        assert_eq!(request.field("via"), Some("1.1 strangler"));
    }
}

#[test]
fn http_2_is_negotiated() {
    let (control, ca) = (Origin::saying("secret"), Ca::new());
    let proxy = proxy(&control, tls(&ca.sign(HOST)));
    let (address, mut config) = (proxy.address, trusting(&ca, None));
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let stream = async move {
        let stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
        let stream = connector.connect(ServerName::try_from(HOST).unwrap(), stream).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
        stream
    };
    let mut client = Http2::over(&h2::client::Builder::new(), stream);
    for _ in 0..3 {
        let request = Request::get("https://a.example/").body(()).unwrap();
        let asked = client.ask(request, true);
        assert_eq!(client.response(asked).unwrap().text(), "secret");
    }
    let request = control.received().pop().unwrap();
    assert_eq!(
        (request.field("via"), request.field("x-forwarded-proto")),
        (Some("2 strangler"), Some("https"))
    );
    drop(client);
    assert_eq!(proxy.drain(PATIENCE).cut, 0);
}

#[test]
fn http_2_that_is_switched_off_is_not_offered() {
    let (control, ca) = (Origin::saying("x"), Ca::new());
    let tls = tls(&ca.sign(HOST));
    let proxy = Plan::new(control.address)
        .with(|config| {
            config.listeners = vec![listener(tls)];
            config.http2.enabled = false;
        })
        .start();
    let mut config = trusting(&ca, None);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let stream = connect_with(TcpStream::connect(proxy.address).unwrap(), &Arc::new(config), HOST).unwrap();
    assert_eq!(stream.conn.alpn_protocol(), Some(&b"http/1.1"[..]));
    assert_eq!(Client::over(stream).get("/").text(), "x");
}

#[test]
fn a_certificate_is_chosen_by_the_name_that_is_asked_for() {
    let (control, ca) = (Origin::saying(""), Ca::new());
    let [first, second, wild] = ["a.example", "b.example", "*.c.example"].map(|host| ca.sign(host));
    let more = [&second, &wild]
        .map(|signed| Identity { certificate: signed.certificate.clone(), key: signed.key.clone() });
    let mut tls = tls(&first);
    tls.certificates.extend(more);
    let proxy = proxy(&control, tls);
    for (host, expected) in [("a.example", &first), ("b.example", &second), ("x.c.example", &wild)] {
        assert_eq!(shown(proxy.address, &ca, host), der(expected), "{host}");
    }
    // Nobody's name: the first, which is not what the client wants.
    let stream = TcpStream::connect(proxy.address).unwrap();
    let refused = connect(stream, &ca, "x.y.c.example", None).unwrap_err().to_string();
    assert!(refused.contains("certificate"), "{refused}");
}

/// What is wrong with the files of the only one that has some.
fn refused(certificates: &Certificates) -> String {
    let Reloaded { read, refused } = certificates.reload();
    assert_eq!((read.len(), refused.len()), (0, 1));
    refused[0].1.clone()
}

#[test]
fn new_certificates_are_taken_without_a_restart_and_broken_ones_are_not() {
    let (control, ca) = (Origin::saying("x"), Ca::new());
    let signed = ca.sign(HOST);
    let before = der(&signed);
    let proxy = proxy(&control, tls(&signed));
    let certificates = Arc::clone(proxy.plane().certificates());
    let mut open = client(proxy.address, &ca);
    assert_eq!(open.get("/").text(), "x");
    assert!(!certificates.look(), "nothing has changed");

    // One after the other, as they are written: in between they do not fit.
    let renewed = Ca::new();
    let next = renewed.sign(HOST);
    std::fs::copy(&next.certificate, &signed.certificate).unwrap();
    assert!(certificates.look());
    let told = refused(&certificates);
    assert!(told.contains("a.example.pem cannot be used with the key"), "{told}");
    assert_eq!(certificates.problems(), [(format!("listener {}", proxy.address), told)]);
    assert_eq!(shown(proxy.address, &ca, HOST), before, "a broken pair was taken");
    std::fs::copy(&next.key, &signed.key).unwrap();
    assert!(certificates.look());
    assert!(!certificates.look(), "it was read already");
    assert_eq!(shown(proxy.address, &renewed, HOST), der(&next));
    assert_eq!(open.get("/").text(), "x");

    std::fs::remove_file(&signed.key).unwrap();
    assert!(certificates.look());
    let told = refused(&certificates);
    assert!(told.contains("a.example.key cannot be read"), "{told}");
    assert_eq!(shown(proxy.address, &renewed, HOST), der(&next));
}

#[test]
fn a_session_goes_on_also_with_new_certificates() {
    let (control, ca) = (Origin::saying("x"), Ca::new());
    let signed = ca.sign(HOST);
    let proxy = proxy(&control, tls(&signed));
    let config = Arc::new(trusting(&ca, None));
    let visit = || visit(&proxy, &config).0;
    assert_eq!(visit(), Some(HandshakeKind::Full));
    assert_eq!(visit(), Some(HandshakeKind::Resumed));
    assert_eq!(proxy.plane().certificates().reload().refused, []);
    assert_eq!(visit(), Some(HandshakeKind::Resumed));
}

/// How the handshake went, and the connection, over which a ticket has come.
fn visit(proxy: &Proxy, config: &Arc<ClientConfig>) -> (Option<HandshakeKind>, Client<Secure>) {
    let stream = connect_with(TcpStream::connect(proxy.address).unwrap(), config, HOST).unwrap();
    let kind = stream.conn.handshake_kind();
    let mut client = Client::over(stream);
    // The ticket comes with the response.
    assert_eq!(client.get("/").text(), "x");
    (kind, client)
}

/// A ticket is good on every thread, and after a reload too.
#[test]
fn a_session_goes_on_on_any_thread() {
    let (control, ca) = (Origin::saying("x"), Ca::new());
    let signed = ca.sign(HOST);
    let server = tls(&signed);
    let proxy = Plan::new(control.address)
        .with(|config| {
            config.listeners = vec![listener(server)];
            config.threads = NonZeroUsize::new(4).unwrap();
        })
        .start();
    let config = Arc::new(trusting(&ca, None));
    // They stay open, so that each is on another thread.
    let mut open = Vec::new();
    for round in 0..2 {
        for n in 0..4 {
            let (kind, client) = visit(&proxy, &config);
            let expected = if (round, n) == (0, 0) { HandshakeKind::Full } else { HandshakeKind::Resumed };
            assert_eq!(kind, Some(expected), "connection {n} of round {round}");
            open.push(client);
        }
        let threads = proxy.plane().counts().present_by_thread();
        assert!(threads.iter().all(|present| present.connections == round + 1), "{threads:?}");
        assert_eq!(proxy.plane().certificates().reload().refused, []);
    }
}

/// Else whoever was let in once would stay so for as long as tickets live.
#[test]
fn a_session_ends_with_the_ca_that_vouched_for_its_client() {
    let (control, ca, others) = (Origin::saying("x"), Ca::new(), Ca::new());
    let (signed, known) = (ca.sign(HOST), ca.sign("client"));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("clients.pem");
    std::fs::copy(&ca.file, &file).unwrap();
    let clients = Some(ClientCertificates { ca: file.clone(), required: true });
    let proxy = proxy(&control, Tls { clients, ..tls(&signed) });
    let config = Arc::new(trusting(&ca, Some(&known)));
    let visit = || {
        let mut stream = connect_with(TcpStream::connect(proxy.address).unwrap(), &config, HOST)?;
        stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")?;
        // The ticket comes with the response.
        let read = stream.read(&mut [0; 16])?;
        Ok::<_, std::io::Error>((read > 0).then_some(stream.conn.handshake_kind()).flatten())
    };
    assert_eq!(visit().unwrap(), Some(HandshakeKind::Full));
    assert_eq!(visit().unwrap(), Some(HandshakeKind::Resumed));
    std::fs::copy(&others.file, &file).unwrap();
    assert_eq!(proxy.plane().certificates().reload().refused, []);
    let refused = visit();
    assert!(matches!(refused, Err(_) | Ok(None)), "{refused:?}");
    assert_eq!(control.received().len(), 2);
}

#[test]
fn an_old_version_is_spoken_unless_it_is_switched_off() {
    let (control, ca) = (Origin::saying("x"), Ca::new());
    let signed = ca.sign(HOST);
    let old = |address| {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS12])
            .unwrap()
            .with_root_certificates(ca.roots())
            .with_no_client_auth();
        connect_with(TcpStream::connect(address).unwrap(), &Arc::new(config), HOST)
    };
    let both = proxy(&control, tls(&signed));
    let stream = old(both.address).unwrap();
    assert_eq!(stream.conn.protocol_version(), Some(ProtocolVersion::TLSv1_2));
    assert_eq!(Client::over(stream).get("/").text(), "x");
    let new = proxy(&control, Tls { allows_tls_12: false, ..tls(&signed) });
    assert!(old(new.address).is_err());
    eventually(|| turned_away(&new, TurnedAway::TlsHandshake) == 1);
}

#[test]
fn a_client_without_the_certificate_that_is_required_does_not_get_in() {
    let (control, ca, others) = (Origin::saying("x"), Ca::new(), Ca::new());
    let (signed, known, stranger) = (ca.sign(HOST), ca.sign("client"), others.sign("client"));
    let clients = Some(ClientCertificates { ca: ca.file.clone(), required: true });
    let proxy = proxy(&control, Tls { clients, ..tls(&signed) });
    for identity in [None, Some(&stranger)] {
        // With TLS 1.3 a client learns of it when it reads.
        let refused = connect(TcpStream::connect(proxy.address).unwrap(), &ca, HOST, identity).and_then(
            |mut stream| {
                stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")?;
                stream.read(&mut [0; 16])
            },
        );
        assert!(!matches!(refused, Ok(1..)), "{refused:?}");
    }
    eventually(|| turned_away(&proxy, TurnedAway::TlsHandshake) == 2);
    assert_eq!(control.received(), []);
    let stream = connect(TcpStream::connect(proxy.address).unwrap(), &ca, HOST, Some(&known)).unwrap();
    assert_eq!(Client::over(stream).get("/").text(), "x");
    let expected = format!(":{}:", STANDARD.encode(der(&known)));
    assert_eq!(control.only().field("client-cert"), Some(expected.as_str()));
}

/// RFC 9440 §4: nobody may say of themselves who they were verified to be.
#[test]
fn a_client_cannot_say_who_it_is_by_a_header() {
    let (control, ca) = (Origin::saying("x"), Ca::new());
    let (signed, known) = (ca.sign(HOST), ca.sign("client"));
    let clients = Some(ClientCertificates { ca: ca.file.clone(), required: false });
    let tls = Tls { clients, ..tls(&signed) };
    let proxy = Plan::new(control.address).with(|config| config.listeners.push(listener(tls))).start();
    let forged = "GET / HTTP/1.1\r\nHost: a\r\nConnection: client-cert\r\nClient-Cert: :AAAA:\r\n\
                  Client-Cert-Chain: :AAAA:\r\n\r\n";
    let secure = proxy.plane().addrs()[1];
    let mut plain = proxy.client();
    plain.send(forged);
    assert_eq!(plain.response().status, 200);
    for identity in [None, Some(&known)] {
        let stream = connect(TcpStream::connect(secure).unwrap(), &ca, HOST, identity).unwrap();
        let mut client = Client::over(stream);
        client.send(forged);
        assert_eq!(client.response().status, 200);
    }
    let expected = format!(":{}:", STANDARD.encode(der(&known)));
    let received = control.received();
    let said: Vec<_> = received.iter().map(|request| request.field("client-cert")).collect();
    assert_eq!(said, [None, None, Some(expected.as_str())]);
    assert!(received.iter().all(|request| request.field("client-cert-chain").is_none()));
}

#[test]
fn what_is_no_tls_is_closed() {
    let (control, ca) = (Origin::saying("x"), Ca::new());
    let proxy = proxy(&control, tls(&ca.sign(HOST)));
    let mut client = proxy.client();
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    client.rest();
    eventually(|| turned_away(&proxy, TurnedAway::TlsHandshake) == 1);
    assert_eq!(control.received(), []);
}

#[test]
fn a_handshake_that_takes_too_long_is_closed_and_others_get_their_turn() {
    let (control, ca) = (Origin::saying("x"), Ca::new());
    let short = Tls { handshake_timeout: Duration::from_secs(2), handshakes_max: 1, ..tls(&ca.sign(HOST)) };
    let proxy = proxy(&control, short);
    let mut silent = proxy.client();
    assert!(silent.rest().is_empty());
    eventually(|| turned_away(&proxy, TurnedAway::TlsTimeout) == 1);
    // Its own handshake may take too long, too, on a busy machine.
    eventually(|| {
        let secured = connect(TcpStream::connect(proxy.address).unwrap(), &ca, HOST, None);
        secured.is_ok_and(|secured| Client::over(secured).get("/").text() == "x")
    });
}

#[test]
fn a_tunnel_passes_through_tls() {
    let control = Origin::scripted(|line| {
        line.request();
        line.send("HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nearly");
        let mut buffer = [0; 16];
        loop {
            match line.read(&mut buffer) {
                0 => return,
                read => line.send(buffer[..read].to_ascii_uppercase()),
            };
        }
    });
    let ca = Ca::new();
    let proxy = proxy(&control, tls(&ca.sign(HOST)));
    let mut client = client(proxy.address, &ca);
    client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\neager");
    assert_eq!(client.response().status, 101);
    assert_eq!(client.read(10), b"earlyEAGER");
    for word in ["hello", "again"] {
        client.send(word);
        assert_eq!(client.read(5), word.to_uppercase().as_bytes());
    }
    drop(client);
    eventually(|| control.finished() == 1);
}

#[test]
fn large_bodies_pass_through_tls_in_both_directions() {
    let control = Origin::new(|request| ok(&"y".repeat(request.body.len())));
    let ca = Ca::new();
    let proxy = proxy(&control, tls(&ca.sign(HOST)));
    let mut client = client(proxy.address, &ca);
    for length in [1, 20_000, 3_000_000] {
        client.send(format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n"));
        client.send(vec![b'x'; length]);
        assert_eq!(client.response().body.len(), length);
    }
}

#[test]
fn a_client_that_closes_tls_has_left_where_that_is_configured() {
    let control = Origin::scripted(|line| {
        line.request();
        line.wait_for_end();
    });
    let ca = Ca::new();
    let tls = tls(&ca.sign(HOST));
    let proxy = Plan::new(control.address)
        .with(|config| {
            config.listeners = vec![listener(tls)];
            config.forwarding.half_close = HalfClose::Abort;
        })
        .start();
    let mut client = client(proxy.address, &ca);
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    eventually(|| control.received().len() == 1);
    client.stream().conn.send_close_notify();
    client.stream().flush().unwrap();
    eventually(|| control.finished() == 1);
}

/// Without the alert that closes TLS nobody waits for anything.
#[test]
fn a_client_whose_tls_breaks_off_has_left() {
    let control = Origin::scripted(|line| {
        line.request();
        line.wait_for_end();
    });
    let ca = Ca::new();
    let proxy = proxy(&control, tls(&ca.sign(HOST)));
    let mut client = client(proxy.address, &ca);
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    eventually(|| control.received().len() == 1);
    drop(client);
    eventually(|| control.finished() == 1);
}

#[test]
fn a_client_that_does_not_read_is_disconnected() {
    let control = Origin::scripted(|line| {
        line.request();
        line.send("HTTP/1.1 200 OK\r\n\r\n");
        let chunk = vec![b'x'; 1 << 20];
        while line.send(&chunk) {}
    });
    let ca = Ca::new();
    let tls = tls(&ca.sign(HOST));
    let proxy = Plan::new(control.address)
        .with(|config| {
            config.listeners = vec![listener(tls)];
            config.timeouts.write = Duration::from_millis(50);
        })
        .start();
    let mut client = client(proxy.address, &ca);
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    eventually(|| control.finished() == 1);
    drop(client);
}

/// The end is said, so that nobody takes a cut for it.
#[test]
fn a_connection_that_the_proxy_closes_is_closed_in_tls_too() {
    let (control, ca) = (Origin::saying("x"), Ca::new());
    let proxy = proxy(&control, tls(&ca.sign(HOST)));
    let mut client = client(proxy.address, &ca);
    assert_eq!(client.get("/").text(), "x");
    assert_eq!(proxy.drain(PATIENCE).cut, 0);
    assert_eq!(client.stream().read(&mut [0; 8]).unwrap(), 0, "without an alert this is an error");
}
