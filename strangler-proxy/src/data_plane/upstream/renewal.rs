//! The files of TLS are read again when they have changed: certificates end, and are replaced by others.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use arc_swap::ArcSwap;

use super::Upstream;
use super::config::{Protocol, UpstreamConfig};
use super::tls::{TlsClient, TlsError, TlsFiles};

/// TLS to an upstream, as its files were when they were last read.
pub(super) struct Renewed {
    files: TlsFiles,
    authorities: Vec<String>,
    protocol: Protocol,
    client: ArcSwap<TlsClient>,
    stamps: Mutex<Vec<Stamp>>,
}

/// What a file looks like from outside; `None` where there is none.
type Stamp = Option<(SystemTime, u64)>;

impl Renewed {
    pub(super) fn new(files: &TlsFiles, config: &UpstreamConfig) -> Result<Self, TlsError> {
        // Before the files are read: what is written meanwhile is read again.
        let stamps = Mutex::new(stamps(files));
        let client = files.load(&config.authorities, config.protocol)?;
        Ok(Self {
            files: files.clone(),
            authorities: config.authorities.clone(),
            protocol: config.protocol,
            client: ArcSwap::from_pointee(client),
            stamps,
        })
    }

    pub(super) fn client(&self) -> Arc<TlsClient> {
        self.client.load_full()
    }

    /// Whether there are files that could change.
    pub(super) fn has_files(&self) -> bool {
        self.files.ca.is_some() || self.files.identity.is_some()
    }

    /// Reads the files again if they have changed; connections that are there go on. With an error everything stays as
    /// it was, and what is wrong is told once, until it is mended.
    fn look(&self) -> Option<Result<(), TlsError>> {
        let now = stamps(&self.files);
        let mut known = self.stamps.lock().unwrap_or_else(PoisonError::into_inner);
        if *known == now {
            return None;
        }
        *known = now;
        let loaded = self.files.load(&self.authorities, self.protocol);
        Some(loaded.map(|client| self.client.store(Arc::new(client))))
    }
}

/// Looks as often as names are resolved.
pub(super) async fn keep(upstream: &Upstream) {
    let Some(tls) = upstream.tls.as_ref().filter(|tls| tls.has_files()) else { return };
    loop {
        tokio::time::sleep(upstream.config.resolve_every).await;
        match tls.look() {
            None => {}
            Some(Ok(())) => tracing::info!(side = %upstream.side, "the files of TLS were read again"),
            Some(Err(error)) => {
                tracing::error!(side = %upstream.side, %error, "the files of TLS stay as they were read before");
            }
        }
    }
}

fn stamps(files: &TlsFiles) -> Vec<Stamp> {
    let own = files.identity.iter().flat_map(|own| [&own.certificate, &own.key]);
    files.ca.iter().chain(own).map(|file| stamp(file)).collect()
}

fn stamp(file: &Path) -> Stamp {
    let about = std::fs::metadata(file).ok()?;
    Some((about.modified().ok()?, about.len()))
}
