//! TLS of a listener: its certificates by name.

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{ClientHello, ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::{RootCertStore, ServerConfig};

use super::certificate::{Certificate, Purpose};
use super::upstream::tls::{CERTIFICATES, KEY, certificates, pem};
use super::upstream::{Identity, TlsError};
use super::watched::{Loaded, Watched};

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

/// TLS of one listener, with its files as they were last read.
pub(super) struct TlsServer {
    declared: Tls,
    files: Arc<Watched<ServerConfig>>,
}

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

    fn load(&self, http2: bool, before: Option<&ServerConfig>) -> Result<Loaded<ServerConfig>, TlsError> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let versions: &[_] = if self.allows_tls_12 {
            &[&rustls::version::TLS13, &rustls::version::TLS12]
        } else {
            &[&rustls::version::TLS13]
        };
        let mut listed = Vec::new();
        let resolver = Resolver::load(&self.certificates, &mut listed)?;
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(versions)
            .map_err(TlsError::Setup)?;
        let builder = match &self.clients {
            None => builder.with_no_client_auth(),
            Some(clients) => builder.with_client_cert_verifier(clients.verifier(provider, &mut listed)?),
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
        Ok(Loaded { value: config, certificates: listed })
    }

    fn files(&self) -> Vec<PathBuf> {
        let pairs = self.certificates.iter().flat_map(|pair| [&pair.certificate, &pair.key]);
        pairs.chain(self.clients.iter().map(|clients| &clients.ca)).cloned().collect()
    }
}

impl ClientCertificates {
    fn verifier(
        &self,
        provider: Arc<rustls::crypto::CryptoProvider>,
        listed: &mut Vec<Certificate>,
    ) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
        let malformed = |problem: String| TlsError::Malformed {
            path: self.ca.clone(),
            expected: "a file of CA certificates",
            problem,
        };
        let mut roots = RootCertStore::empty();
        let found = certificates(&self.ca)?;
        listed.extend(Certificate::all(&self.ca, Purpose::Believed, &found));
        for certificate in found {
            roots.add(certificate).map_err(|error| malformed(error.to_string()))?;
        }
        let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
        let builder = if self.required { builder } else { builder.allow_unauthenticated() };
        builder.build().map_err(|error| malformed(error.to_string()))
    }
}

impl TlsServer {
    pub(super) fn new(declared: &Tls, http2: bool) -> Result<Self, TlsError> {
        let files = declared.clone();
        let load = Box::new(move |before: Option<&ServerConfig>| files.load(http2, before));
        let files = Arc::new(Watched::new(declared.files(), load)?);
        Ok(Self { declared: declared.clone(), files })
    }

    pub(super) fn config(&self) -> Arc<ServerConfig> {
        self.files.get()
    }

    pub(super) fn declared(&self) -> &Tls {
        &self.declared
    }

    pub(super) fn files(&self) -> &Arc<Watched<ServerConfig>> {
        &self.files
    }
}

impl Resolver {
    fn load(pairs: &[Identity], listed: &mut Vec<Certificate>) -> Result<Self, TlsError> {
        let mut resolver = Self { by_name: HashMap::new(), all: Vec::new() };
        for Identity { certificate, key } in pairs {
            let unusable = |problem: String| TlsError::Identity {
                certificate: certificate.clone(),
                key: key.clone(),
                problem,
            };
            let chain = certificates(certificate)?;
            listed.extend(Certificate::all(certificate, Purpose::Shown, &chain));
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
        f.debug_struct("TlsServer").field("declared", &self.declared).finish_non_exhaustive()
    }
}
