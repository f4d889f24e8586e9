//! TLS in front of an origin, with certificates that are made for the test.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, SanType};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tempfile::TempDir;
use tokio_rustls::TlsAcceptor;

/// A CA, and a folder for what it signs.
pub(crate) struct Ca {
    dir: TempDir,
    issuer: CertifiedIssuer<'static, KeyPair>,
    /// Its own certificate.
    pub(crate) file: PathBuf,
}

/// A certificate and its key, in files.
pub(crate) struct Signed {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

/// Takes TLS connections and passes what is in them on to an origin.
pub(crate) struct TlsOrigin {
    pub(crate) address: SocketAddr,
    /// What was agreed on and which name was asked for, by connection.
    pub(crate) seen: Arc<Mutex<Vec<Seen>>>,
    _runtime: tokio::runtime::Runtime,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) alpn: Option<Vec<u8>>,
    pub(crate) server_name: Option<String>,
}

impl Ca {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "a CA of the tests");
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let file = dir.path().join("ca.pem");
        std::fs::write(&file, issuer.pem()).unwrap();
        Self { dir, issuer, file }
    }

    /// For a host, or for 127.0.0.1 where `host` is that.
    pub(crate) fn sign(&self, host: &str) -> Signed {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.subject_alt_names.push(match host.parse::<Ipv4Addr>() {
            Ok(address) => SanType::IpAddress(IpAddr::V4(address)),
            Err(_) => SanType::DnsName(host.try_into().unwrap()),
        });
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let at = |suffix: &str| self.dir.path().join(format!("{host}.{suffix}"));
        let signed = Signed { certificate: at("pem"), key: at("key") };
        std::fs::write(&signed.certificate, certificate.pem()).unwrap();
        std::fs::write(&signed.key, key.serialize_pem()).unwrap();
        signed
    }

    pub(crate) fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(&self.file).unwrap()).unwrap();
        roots
    }
}

impl TlsOrigin {
    /// One that speaks both protocols passes HTTP/2 on to the one origin and HTTP/1.1 to the other.
    pub(crate) fn choosing(http2: SocketAddr, http1: SocketAddr, signed: &Signed) -> Self {
        Self::start(http1, Some(http2), signed, &["h2", "http/1.1"], None)
    }

    /// Speaks these protocols. With `clients`, only those may connect whom this CA has signed.
    pub(crate) fn before(origin: SocketAddr, signed: &Signed, alpn: &[&str], clients: Option<&Ca>) -> Self {
        Self::start(origin, None, signed, alpn, clients)
    }

    fn start(
        origin: SocketAddr,
        http2: Option<SocketAddr>,
        signed: &Signed,
        alpn: &[&str],
        clients: Option<&Ca>,
    ) -> Self {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .unwrap();
        let builder = match clients {
            None => builder.with_no_client_auth(),
            Some(ca) => {
                let roots = Arc::new(ca.roots());
                let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider).build().unwrap();
                builder.with_client_cert_verifier(verifier)
            }
        };
        let chain = vec![CertificateDer::from_pem_file(&signed.certificate).unwrap()];
        let key = PrivateKeyDer::from_pem_file(&signed.key).unwrap();
        let mut config = builder.with_single_cert(chain, key).unwrap();
        config.alpn_protocols = alpn.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        let acceptor = TlsAcceptor::from(Arc::new(config));

        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let all = Arc::clone(&seen);
        runtime.spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                let (acceptor, all) = (acceptor.clone(), Arc::clone(&all));
                tokio::spawn(async move {
                    let Ok(mut outside) = acceptor.accept(socket).await else { return };
                    let agreed = outside.get_ref().1;
                    let origin = match http2 {
                        Some(http2) if agreed.alpn_protocol() == Some(b"h2") => http2,
                        _ => origin,
                    };
                    all.lock().unwrap().push(Seen {
                        alpn: agreed.alpn_protocol().map(<[u8]>::to_vec),
                        server_name: agreed.server_name().map(str::to_owned),
                    });
                    let Ok(mut inside) = tokio::net::TcpStream::connect(origin).await else { return };
                    let _ = tokio::io::copy_bidirectional(&mut outside, &mut inside).await;
                });
            }
        });
        Self { address, seen, _runtime: runtime }
    }
}
