//! The files of TLS of a running proxy are exchanged: its own on a listener, and those by which control knows it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use serde_json::Value;
use tempfile::TempDir;

use crate::rig::{Proxy, Said, candidate, control, eventually, get, run};
use crate::tls_origin::{Ca, Signed, TlsOrigin};
use crate::upstream::Upstream;

const HOST: &str = "proxy.example";

/// A proxy that speaks TLS with clients and with control, which lets nobody else in.
struct Secured {
    dir: TempDir,
    proxy: Proxy,
    plain: String,
    secure: String,
    ca: Ca,
    listener: Signed,
    own: Signed,
    ours: Ca,
    _control: (Upstream, TlsOrigin),
    _candidate: Upstream,
}

type Secure = BufReader<StreamOwned<ClientConnection, TcpStream>>;

impl Secured {
    /// Control does not know it yet.
    fn start() -> Self {
        let (ca, ours, strangers) = (Ca::new(), Ca::new(), Ca::new());
        let (behind, candidate) = (Upstream::start(control), Upstream::start(candidate));
        let control = TlsOrigin::before(behind.address, &ca.sign("127.0.0.1"), &["http/1.1"], Some(&ours));
        let dir = tempfile::tempdir().unwrap();
        let kept = |signed: Signed, name: &str| {
            let at = |suffix: &str| dir.path().join(format!("{name}.{suffix}"));
            let kept = Signed { certificate: at("pem"), key: at("key") };
            replace(&kept, &signed);
            kept
        };
        let (listener, own) = (kept(ca.sign(HOST), "listener"), kept(strangers.sign("strangler"), "own"));
        let config = format!(
            "[upstreams]\ncandidate = \"{}\"\n[upstreams.control]\nurl = \"https://{}\"\n\
             tls = {{ ca = {:?}, certificate = \"own.pem\", key = \"own.key\" }}\n\
             [listen]\naddress = \"127.0.0.1:0\"\nthreads = 2\n\
             [[listener]]\naddress = \"127.0.0.1:0\"\ntls = {{ certificate = \"listener.pem\", key = \"listener.key\" }}\n\
             [admin]\naddress = \"127.0.0.1:0\"\n",
            candidate.url(),
            control.address,
            ca.file,
        );
        std::fs::write(dir.path().join("strangler.toml"), config).unwrap();
        let mut command = Command::new("bash");
        command.args(["-c", &format!("exec {} serve 2>log", env!("CARGO_BIN_EXE_strangler"))]);
        let proxy = Proxy::start_by(command, dir.path());
        let (plain, secure) = proxy.listening.split_once(", https://").unwrap();
        let (plain, secure) = (plain.to_owned(), secure.to_owned());
        Self {
            dir,
            proxy,
            plain,
            secure,
            ca,
            listener,
            own,
            ours,
            _control: (behind, control),
            _candidate: candidate,
        }
    }

    fn run(&self, words: &[&str]) -> Said {
        run(self.dir.path(), words, &[("STRANGLER_ADMIN", &self.proxy.admin)])
    }

    fn json(&self, words: &[&str]) -> Value {
        self.run(&[words, &["--format", "json"]].concat()).json()
    }

    /// How often it said that these files were read again.
    fn read_again(&self, used_by: &str) -> usize {
        let log = std::fs::read_to_string(self.dir.path().join("log")).unwrap();
        let of = |line: &&str| line.contains("certificates reloaded") && line.contains(used_by);
        log.lines().filter(of).count()
    }

    fn hang_up(&self) {
        let pid = self.proxy.pid().to_string();
        assert!(Command::new("kill").args(["-HUP", &pid]).status().unwrap().success());
    }

    fn connect(&self, ca: &Ca) -> Secure {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(ca.roots())
            .with_no_client_auth();
        let socket = TcpStream::connect(&self.secure).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let name = ServerName::try_from(HOST).unwrap();
        let client = ClientConnection::new(Arc::new(config), name).unwrap();
        BufReader::new(StreamOwned::new(client, socket))
    }
}

fn replace(old: &Signed, new: &Signed) {
    std::fs::copy(&new.certificate, &old.certificate).unwrap();
    std::fs::copy(&new.key, &old.key).unwrap();
}

fn ask(connection: &mut Secure) -> u16 {
    let request = format!("GET /same HTTP/1.1\r\nhost: {HOST}\r\n\r\n");
    if connection.get_mut().write_all(request.as_bytes()).is_err() {
        return 0;
    }
    let (mut status, mut length) = (0, 0);
    loop {
        let mut line = String::new();
        if !connection.read_line(&mut line).is_ok_and(|read| read > 0) {
            return 0;
        }
        let line = line.to_ascii_lowercase();
        if line.starts_with("http/1.1 ") {
            status = line[9..12].parse().unwrap();
        } else if let Some(told) = line.strip_prefix("content-length:") {
            length = told.trim().parse().unwrap();
        } else if line == "\r\n" {
            break;
        }
    }
    connection.read_exact(&mut vec![0; length]).unwrap();
    status
}

/// The certificate that a client which believes this CA is shown, if it believes it.
fn shown(secured: &Secured, ca: &Ca) -> Option<CertificateDer<'static>> {
    let mut connection = secured.connect(ca);
    if ask(&mut connection) == 0 {
        return None;
    }
    Some(connection.get_ref().conn.peer_certificates().unwrap()[0].clone().into_owned())
}

fn der(certificate: &PathBuf) -> CertificateDer<'static> {
    CertificateDer::from_pem_file(certificate).unwrap()
}

#[test]
fn a_hangup_has_the_files_of_listeners_and_upstreams_read_again() {
    let secured = Secured::start();
    assert_eq!(get(&secured.plain, "/same").status, 502, "control does not know the proxy");
    let mut old = secured.connect(&secured.ca);
    assert_eq!(ask(&mut old), 502);

    let renewed = Ca::new();
    let next = renewed.sign(HOST);
    replace(&secured.listener, &next);
    replace(&secured.own, &secured.ours.sign("strangler"));
    secured.hang_up();
    eventually("a client is shown the new certificate", || {
        shown(&secured, &renewed) == Some(der(&next.certificate))
    });
    eventually("control knows the proxy", || get(&secured.plain, "/same").status == 200);
    assert_eq!(ask(&mut old), 200, "a connection that was there does not go on");

    // Also where nothing has changed, which nobody but a signal gives a reason for.
    let users = ["listener", "upstream control"];
    let before = users.map(|used_by| secured.read_again(used_by));
    secured.hang_up();
    eventually("all files are read again", || {
        users.iter().zip(before).all(|(used_by, before)| secured.read_again(used_by) > before)
    });
    assert_eq!(ask(&mut old), 200);
    assert_eq!(secured.proxy.stop(), 0);
}

#[test]
fn certificates_are_listed_and_read_again_by_a_command_and_broken_ones_are_refused() {
    let secured = Secured::start();
    let before = der(&secured.listener.certificate);
    let listed = secured.json(&["certificates", "list"]);
    let all = listed["data"]["certificates"].as_array().unwrap();
    let of = |used_by: &str, purpose: &str| {
        let is_it =
            |one: &&Value| one["used_by"].as_str().unwrap().starts_with(used_by) && one["purpose"] == purpose;
        all.iter().find(is_it).unwrap_or_else(|| panic!("{listed:#}"))
    };
    let own = of("listener", "shown");
    assert_eq!(own["used_by"], format!("listener {}", secured.secure));
    assert_eq!(own["names"], serde_json::json!([HOST]));
    assert!(own["file"].as_str().unwrap().ends_with("listener.pem"));
    assert!(own["seconds_left"].as_i64().unwrap() > 0 && own.get("warning").is_none(), "{own:#}");
    assert!(of("upstream control", "shown")["file"].as_str().unwrap().ends_with("own.pem"));
    of("upstream control", "believed");
    let text = secured.run(&["certificates"]);
    assert!(text.code == 0 && text.out.contains("NOT AFTER") && text.out.contains(HOST), "{text:#?}");
    let metrics = get(&secured.proxy.admin, "/metrics").body;
    let line = format!("strangler_certificate_not_after_seconds{{used_by=\"listener {}\"", secured.secure);
    assert!(metrics.contains(&line), "{metrics}");

    std::fs::write(&secured.listener.certificate, "nothing").unwrap();
    let told = secured.run(&["certificates", "reload"]);
    assert_eq!(told.code, 2, "{told:#?}");
    assert!(told.err.contains("listener.pem is not a file of certificates in PEM"), "{told:#?}");
    assert!(told.err.contains("those of upstream control were read again"), "{told:#?}");
    assert_eq!(shown(&secured, &secured.ca), Some(before), "a broken file was taken");
    let warnings = secured.json(&["status"])["data"]["warnings"].to_string();
    assert!(warnings.contains("what was read before is in force"), "{warnings}");
    let refused = format!("strangler_certificates_refused{{used_by=\"listener {}\"}} 1", secured.secure);
    let metrics = get(&secured.proxy.admin, "/metrics").body;
    assert!(metrics.contains(&refused), "{metrics}");

    let next = secured.ca.sign(HOST);
    replace(&secured.listener, &next);
    let told = secured.run(&["certificates", "reload"]);
    assert!(told.code == 0 && told.out.contains("upstream control"), "{told:#?}");
    assert_eq!(shown(&secured, &secured.ca), Some(der(&next.certificate)));
    assert_eq!(secured.json(&["certificates"])["data"]["refused"], serde_json::json!([]));
    let audit = get(&secured.proxy.admin, "/audit?of=certificates").body;
    assert!(audit.contains("certificates read anew"), "{audit}");
}
