//! TLS of a listener: its certificates by name, and their replacement while it listens.

use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{ClientHello, ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::{RootCertStore, ServerConfig};

use super::listener::Address;
use super::upstream::tls::{CERTIFICATES, KEY, certificates, pem};
use super::upstream::{Identity, TlsError};

/// What is declared of TLS on a listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// Certificates with their keys. The first is for those who ask for none of the others, or for no name.
    pub certificates: Vec<Identity>,
    /// Whether TLS 1.2 is spoken besides 1.3.
    pub allows_tls_12: bool,
    pub clients: Option<ClientCertificates>,
    /// From the first byte to the end of the handshake; longer, and the connection is closed.
    pub handshake_timeout: Duration,
    /// Handshakes at once, over all threads; further ones wait, within the same time.
    pub handshakes_max: usize,
}

/// Who may connect, by certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificates {
    /// Whoever these CAs have signed, in PEM.
    pub ca: PathBuf,
    /// Whether nobody else may connect.
    pub required: bool,
}

/// The certificates of all listeners that speak TLS.
#[derive(Debug, Default)]
pub struct Certificates(Vec<(Address, Arc<TlsServer>)>);

/// The files of one listener, read.
pub(super) struct TlsServer {
    files: Tls,
    http2: bool,
    config: ArcSwap<ServerConfig>,
    /// As the files were when they were read last.
    stamps: Mutex<Vec<Stamp>>,
}

/// Changes when a file is written or replaced; `None` where there is none.
type Stamp = Option<(SystemTime, u64)>;

/// Chooses a certificate by the name that a client asks for (RFC 6066 §3) and by what it can verify.
#[derive(Debug)]
struct Resolver {
    by_name: HashMap<String, Vec<Arc<CertifiedKey>>>,
    all: Vec<Arc<CertifiedKey>>,
}

impl Tls {
    pub fn new(certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        Self {
            certificates: vec![Identity { certificate: certificate.into(), key: key.into() }],
            allows_tls_12: true,
            clients: None,
            handshake_timeout: Duration::from_secs(10),
            handshakes_max: 1024,
        }
    }

    /// Whether the files can be used.
    ///
    /// # Errors
    /// What is wrong with which of them.
    pub fn check(&self) -> Result<(), TlsError> {
        self.load(true, None).map(drop)
    }

    fn load(&self, http2: bool, before: Option<&ServerConfig>) -> Result<ServerConfig, TlsError> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let versions: &[_] = if self.allows_tls_12 {
            &[&rustls::version::TLS13, &rustls::version::TLS12]
        } else {
            &[&rustls::version::TLS13]
        };
        let resolver = Resolver::load(&self.certificates)?;
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(versions)
            .map_err(TlsError::Setup)?;
        let builder = match &self.clients {
            None => builder.with_no_client_auth(),
            Some(clients) => builder.with_client_cert_verifier(clients.verifier(provider)?),
        };
        let mut config = builder.with_cert_resolver(Arc::new(resolver));
        config.alpn_protocols = if http2 { vec![b"h2".to_vec()] } else { Vec::new() };
        config.alpn_protocols.push(b"http/1.1".to_vec());
        match before.filter(|_| self.clients.is_none()) {
            // Who has a session goes on with it. Where clients are verified it would outlive the CA that vouched for them.
            Some(before) => {
                config.ticketer = Arc::clone(&before.ticketer);
                config.session_storage = Arc::clone(&before.session_storage);
            }
            None => {
                config.ticketer = rustls::crypto::aws_lc_rs::Ticketer::new().map_err(TlsError::Setup)?;
            }
        }
        Ok(config)
    }

    fn stamps(&self) -> Vec<Stamp> {
        let pairs = self.certificates.iter().flat_map(|pair| [&pair.certificate, &pair.key]);
        pairs.chain(self.clients.iter().map(|clients| &clients.ca)).map(|file| stamp(file)).collect()
    }
}

fn stamp(file: &Path) -> Stamp {
    let about = fs::metadata(file).ok()?;
    Some((about.modified().ok()?, about.len()))
}

impl ClientCertificates {
    fn verifier(
        &self,
        provider: Arc<rustls::crypto::CryptoProvider>,
    ) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
        let malformed = |problem: String| TlsError::Malformed {
            path: self.ca.clone(),
            expected: "a file of CA certificates",
            problem,
        };
        let mut roots = RootCertStore::empty();
        for certificate in certificates(&self.ca)? {
            roots.add(certificate).map_err(|error| malformed(error.to_string()))?;
        }
        let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
        let builder = if self.required { builder } else { builder.allow_unauthenticated() };
        builder.build().map_err(|error| malformed(error.to_string()))
    }
}

impl TlsServer {
    pub(super) fn new(files: &Tls, http2: bool) -> Result<Self, TlsError> {
        // Before the files are read: what is written meanwhile is read again.
        let stamps = Mutex::new(files.stamps());
        let config = ArcSwap::from_pointee(files.load(http2, None)?);
        Ok(Self { files: files.clone(), http2, config, stamps })
    }

    pub(super) fn config(&self) -> Arc<ServerConfig> {
        self.config.load_full()
    }

    pub(super) fn files(&self) -> &Tls {
        &self.files
    }

    /// Reads the files again. With an error everything stays as it was.
    fn reload(&self) -> Result<(), TlsError> {
        let stamps = self.files.stamps();
        let loaded = self.files.load(self.http2, Some(&self.config.load()));
        // Also after an error: what is wrong is told once, until it is mended.
        *self.stamps.lock().unwrap_or_else(PoisonError::into_inner) = stamps;
        self.config.store(Arc::new(loaded?));
        Ok(())
    }

    fn has_changed(&self) -> bool {
        *self.stamps.lock().unwrap_or_else(PoisonError::into_inner) != self.files.stamps()
    }
}

impl Certificates {
    pub(super) fn add(&mut self, address: Address, server: Arc<TlsServer>) {
        self.0.push((address, server));
    }

    /// Reads those again whose files have changed since they were last read; whether any had.
    pub fn look(&self) -> bool {
        let changed: Vec<_> = self.0.iter().filter(|(_, server)| server.has_changed()).collect();
        for (address, server) in &changed {
            let _ = told(address, server.reload());
        }
        !changed.is_empty()
    }

    /// Reads all of them again. Where something is wrong the old ones stay.
    ///
    /// # Errors
    /// What is wrong with which file, for each listener.
    pub fn reload(&self) -> Result<usize, Vec<String>> {
        let all = self.0.iter().map(|(address, server)| told(address, server.reload()));
        let wrong: Vec<_> = all.filter_map(Result::err).collect();
        if wrong.is_empty() { Ok(self.0.len()) } else { Err(wrong) }
    }
}

fn told(address: &Address, reloaded: Result<(), TlsError>) -> Result<(), String> {
    match reloaded {
        Ok(()) => {
            tracing::info!(%address, "certificates reloaded");
            Ok(())
        }
        Err(error) => {
            tracing::error!(%address, %error, "the certificates stay as they were");
            Err(format!("{address}: {error}"))
        }
    }
}

impl Resolver {
    fn load(pairs: &[Identity]) -> Result<Self, TlsError> {
        let mut resolver = Self { by_name: HashMap::new(), all: Vec::new() };
        for Identity { certificate, key } in pairs {
            let unusable = |problem: String| TlsError::Identity {
                certificate: certificate.clone(),
                key: key.clone(),
                problem,
            };
            let chain = certificates(certificate)?;
            let private = PrivateKeyDer::from_pem_file(key).map_err(|error| pem(key, KEY, error))?;
            let provider = rustls::crypto::aws_lc_rs::default_provider();
            let pair = CertifiedKey::from_der(chain, private, &provider)
                .map_err(|error| unusable(error.to_string()))?;
            let pair = Arc::new(pair);
            let own = pair.end_entity_cert().map_err(|error| unusable(error.to_string()))?;
            let parsed = webpki::EndEntityCert::try_from(own).map_err(|error| TlsError::Malformed {
                path: certificate.clone(),
                expected: CERTIFICATES,
                problem: error.to_string(),
            })?;
            for name in parsed.valid_dns_names() {
                resolver.by_name.entry(name.to_ascii_lowercase()).or_default().push(Arc::clone(&pair));
            }
            resolver.all.push(pair);
        }
        Ok(resolver)
    }

    /// A name's own certificates come before those of a wildcard, which stands for one label (RFC 9525 §6.3).
    fn named(&self, name: &str) -> Option<&[Arc<CertifiedKey>]> {
        let wildcard = || name.split_once('.').map(|(_, parent)| format!("*.{parent}"));
        let found = self.by_name.get(name).or_else(|| self.by_name.get(&wildcard()?));
        found.map(Vec::as_slice)
    }
}

impl ResolvesServerCert for Resolver {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let name = hello.server_name().map(str::to_ascii_lowercase);
        let named = name.as_deref().and_then(|name| self.named(name)).unwrap_or(&self.all);
        let usable = |pair: &&Arc<CertifiedKey>| pair.key.choose_scheme(hello.signature_schemes()).is_some();
        named.iter().find(usable).or_else(|| named.first()).cloned()
    }
}

impl fmt::Debug for TlsServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsServer").field("files", &self.files).finish_non_exhaustive()
    }
}
