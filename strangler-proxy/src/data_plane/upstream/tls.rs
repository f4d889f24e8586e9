//! TLS to an upstream: who it must be, and who we are. There is no way to switch the verification off.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::config::{Protocol, UpstreamConfig};
use crate::data_plane::certificate::{Certificate, Purpose};
use crate::data_plane::watched::{Loaded, Watched};

/// What is declared of TLS to an upstream. Without anything: the CAs of the system, and the host of the URL.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsFiles {
    /// CA certificates in PEM, in the place of those of the system.
    pub ca: Option<PathBuf>,
    /// The name that the upstream's certificate must have, and that it is asked for (SNI). `None`: the host to which
    /// the connection is made.
    pub server_name: Option<String>,
    /// By what the upstream knows us: certificates in PEM, our own first, and its key.
    pub identity: Option<Identity>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

/// What is wrong with the files, in a sentence that names the file.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("{} cannot be read: {source}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("{} is not {expected}: {problem}", path.display())]
    Malformed { path: PathBuf, expected: &'static str, problem: String },
    #[error("{} cannot be used with the key {}: {problem}", certificate.display(), key.display())]
    Identity { certificate: PathBuf, key: PathBuf, problem: String },
    #[error(
        "the system has no CA certificates ({0}): install them (Debian: ca-certificates), or name a file with `ca`"
    )]
    NoRoots(String),
    #[error("`{0}` is no name that a certificate can have: expected a host such as `monolith.internal`")]
    Name(String),
    #[error("TLS cannot be set up: {0}")]
    Setup(#[source] rustls::Error),
}

/// The files, read.
pub(super) struct TlsClient {
    connector: TlsConnector,
    /// For what cannot be had over HTTP/2.
    only_http1: TlsConnector,
    server_name: Option<ServerName<'static>>,
}

const HTTP1: &[u8] = b"http/1.1";
const HTTP2: &[u8] = b"h2";
pub(in crate::data_plane) const CERTIFICATES: &str =
    "a file of certificates in PEM (-----BEGIN CERTIFICATE-----)";
pub(in crate::data_plane) const KEY: &str =
    "a private key in PEM (-----BEGIN PRIVATE KEY-----) without a passphrase";

impl TlsFiles {
    /// Reads the files.
    pub(super) fn load(
        &self,
        authorities: &[String],
        protocol: Protocol,
    ) -> Result<Loaded<TlsClient>, TlsError> {
        let mut listed = Vec::new();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Setup)?
            .with_root_certificates(self.roots(&mut listed)?);
        let mut config = match &self.identity {
            None => builder.with_no_client_auth(),
            Some(Identity { certificate, key }) => {
                let chain = certificates(certificate)?;
                listed.extend(Certificate::all(certificate, Purpose::Shown, &chain));
                let private = PrivateKeyDer::from_pem_file(key).map_err(|error| pem(key, KEY, error))?;
                builder.with_client_auth_cert(chain, private).map_err(|error| TlsError::Identity {
                    certificate: certificate.clone(),
                    key: key.clone(),
                    problem: error.to_string(),
                })?
            }
        };
        config.alpn_protocols = vec![HTTP1.to_vec()];
        let only_http1 = TlsConnector::from(Arc::new(config.clone()));
        config.alpn_protocols = match protocol {
            Protocol::Http1 => vec![HTTP1.to_vec()],
            Protocol::Http2 => vec![HTTP2.to_vec()],
            Protocol::Auto => vec![HTTP2.to_vec(), HTTP1.to_vec()],
        };
        let server_name = self.server_name.as_deref().map(name).transpose()?;
        if server_name.is_none() {
            for authority in authorities {
                name(host(authority))?;
            }
        }
        let value = TlsClient { connector: TlsConnector::from(Arc::new(config)), only_http1, server_name };
        Ok(Loaded { value, certificates: listed })
    }

    /// The files, watched.
    pub(super) fn watched(&self, config: &UpstreamConfig) -> Result<Watched<TlsClient>, TlsError> {
        let own = self.identity.iter().flat_map(|own| [&own.certificate, &own.key]);
        let files = self.ca.iter().chain(own).cloned().collect();
        let (declared, authorities, protocol) = (self.clone(), config.authorities.clone(), config.protocol);
        Watched::new(files, Box::new(move |_| declared.load(&authorities, protocol)))
    }

    /// Whether the files can be used.
    ///
    /// # Errors
    /// What is wrong with which of them.
    pub fn check(&self, authorities: &[String]) -> Result<(), TlsError> {
        self.load(authorities, Protocol::default()).map(drop)
    }

    fn roots(&self, listed: &mut Vec<Certificate>) -> Result<RootCertStore, TlsError> {
        let mut roots = RootCertStore::empty();
        if let Some(ca) = &self.ca {
            let found = certificates(ca)?;
            listed.extend(Certificate::all(ca, Purpose::Believed, &found));
            for certificate in found {
                roots.add(certificate).map_err(|error| TlsError::Malformed {
                    path: ca.clone(),
                    expected: "a file of CA certificates",
                    problem: error.to_string(),
                })?;
            }
            return Ok(roots);
        }
        let found = rustls_native_certs::load_native_certs();
        // A system's store may hold some that nobody can read.
        roots.add_parsable_certificates(found.certs);
        if roots.is_empty() {
            let why = found.errors.first().map_or_else(|| "none were found".to_owned(), ToString::to_string);
            return Err(TlsError::NoRoots(why));
        }
        Ok(roots)
    }
}

impl TlsClient {
    pub(super) async fn connect(
        &self,
        authority: &str,
        stream: TcpStream,
        only_http1: bool,
    ) -> io::Result<TlsStream<TcpStream>> {
        let name = match &self.server_name {
            Some(name) => name.clone(),
            None => name(host(authority)).map_err(io::Error::other)?,
        };
        let connector = if only_http1 { &self.only_http1 } else { &self.connector };
        connector.connect(name, stream).await
    }
}

impl fmt::Debug for TlsClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsClient").field("server_name", &self.server_name).finish_non_exhaustive()
    }
}

pub(in crate::data_plane) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let read = |error| pem(path, CERTIFICATES, error);
    let found: Vec<_> =
        CertificateDer::pem_file_iter(path).map_err(read)?.collect::<Result<_, _>>().map_err(read)?;
    if found.is_empty() {
        return Err(TlsError::Malformed {
            path: path.to_owned(),
            expected: CERTIFICATES,
            problem: "it holds none".to_owned(),
        });
    }
    Ok(found)
}

pub(in crate::data_plane) fn pem(
    path: &Path,
    expected: &'static str,
    error: rustls::pki_types::pem::Error,
) -> TlsError {
    use rustls::pki_types::pem::Error;
    let path = path.to_owned();
    match error {
        Error::Io(source) => TlsError::Unreadable { path, source },
        Error::NoItemsFound => TlsError::Malformed { path, expected, problem: "it holds none".to_owned() },
        other => TlsError::Malformed { path, expected, problem: other.to_string() },
    }
}

fn name(host: &str) -> Result<ServerName<'static>, TlsError> {
    ServerName::try_from(host.to_owned()).map_err(|_| TlsError::Name(host.to_owned()))
}

/// Without the port, and without the brackets of an IPv6 address.
fn host(authority: &str) -> &str {
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_stands_without_port_and_brackets() {
        for (authority, expected) in
            [("a.example:443", "a.example"), ("[::1]:443", "::1"), ("10.0.0.1:1", "10.0.0.1")]
        {
            assert_eq!(host(authority), expected);
            assert!(name(expected).is_ok());
        }
    }

    #[test]
    fn a_file_that_cannot_be_used_is_named_with_what_was_expected() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = dir.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let one = rcgen::generate_simple_self_signed(["a.example".to_owned()]).unwrap();
        let other = rcgen::generate_simple_self_signed(["a.example".to_owned()]).unwrap();
        let (certificate, key) =
            (write("a.pem", &one.cert.pem()), write("a.key", &one.signing_key.serialize_pem()));
        let foreign = write("b.key", &other.signing_key.serialize_pem());
        let (empty, broken) = (
            write("empty.pem", "nothing\n"),
            write("broken.pem", "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n"),
        );
        let told = |files: TlsFiles| {
            files
                .check(&["a.example:443".to_owned()])
                .err()
                .map_or_else(String::new, |error| error.to_string())
        };
        let with_ca = |ca: &Path| TlsFiles { ca: Some(ca.to_owned()), ..TlsFiles::default() };
        let as_us = |certificate: &Path, key: &Path| TlsFiles {
            identity: Some(Identity { certificate: certificate.to_owned(), key: key.to_owned() }),
            ..with_ca(certificate)
        };
        assert_eq!(told(as_us(&certificate, &key)), "");
        for (files, expected) in [
            (with_ca(Path::new("/nonexistent/ca.pem")), "/nonexistent/ca.pem cannot be read: "),
            (with_ca(&empty), "empty.pem is not a file of certificates in PEM"),
            (with_ca(&broken), "broken.pem is not a file of "),
            (with_ca(&key), "a.key is not a file of certificates in PEM"),
            (as_us(&certificate, &certificate), "a.pem is not a private key in PEM"),
            (as_us(&certificate, &foreign), "a.pem cannot be used with the key "),
            (
                TlsFiles { server_name: Some("a b".to_owned()), ..with_ca(&certificate) },
                "`a b` is no name that a certificate can have",
            ),
        ] {
            let told = told(files);
            assert!(told.contains(expected), "{told:?} says nothing of {expected:?}");
        }
    }
}
