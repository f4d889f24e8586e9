//! An upstream as all threads share it: its addresses, and how each of them is.
//!
//! - [`config`]: what is declared.
//! - [`address`], [`ejection`]: one address, and when it is left alone.
//! - [`tls`], [`stream`]: a connection to it.
//! - [`resolve`], [`check`], [`probe`]: names become addresses, and addresses are asked how they are, on a thread of its own.
//! - [`reach`]: whether any can be reached.

mod config;
mod address;
mod ejection;
pub(super) mod tls;
mod stream;
mod resolve;
mod check;
mod probe;
mod reach;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use diff_harness::exchange::Side;
use tokio::net::TcpStream;
use tokio::runtime::LocalOptions;
use tokio::sync::{Notify, oneshot};

pub use address::{Address, AddressState, AddressTally, Use};
pub use config::{Check, Health, Protocol, UpstreamConfig};
pub use resolve::{LookUp, ResolveTally};
pub(in crate::data_plane) use stream::Ear;
pub use stream::Stream;
pub use tls::{Identity, TlsError, TlsFiles};

use resolve::Resolving;
use tls::TlsClient;

use super::watched::{Renewable, Watched};

/// Why upstreams cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum UpstreamsError {
    #[error("TLS to {side}: {source}")]
    Tls { side: Side, source: TlsError },
    #[error("a thread cannot be started: {0}")]
    Thread(#[source] io::Error),
}

/// How long the start waits for names; what has no address by then gets one later.
const FIRST_RESOLUTION_MAX: Duration = Duration::from_secs(5);

/// Both sides, and the thread that looks after their addresses. Dropped, the thread ends.
pub struct Upstreams {
    pub control: Arc<Upstream>,
    pub candidate: Option<Arc<Upstream>>,
    keeper: Option<Keeper>,
}

/// One upstream: what is declared of it, and its addresses as they are now.
pub struct Upstream {
    pub side: Side,
    pub config: UpstreamConfig,
    addresses: ArcSwap<Vec<Arc<Address>>>,
    /// Grows with every change of the addresses.
    generation: AtomicU64,
    resolving: Resolving,
    tls: Option<Arc<Watched<TlsClient>>>,
    started: Instant,
    /// An address is left alone from now on.
    ejected: Notify,
}

struct Keeper {
    thread: Option<JoinHandle<()>>,
    stop: Option<oneshot::Sender<()>>,
}

impl Upstreams {
    /// Resolves the names and goes on doing so, and asks the addresses how they are, if that is declared. A name that
    /// has no address yet is tried again; until then its upstream cannot be reached.
    ///
    /// # Errors
    /// When the files of TLS cannot be used, or a thread is needed and cannot be started.
    pub fn start(
        control: &UpstreamConfig,
        candidate: Option<&UpstreamConfig>,
    ) -> Result<Self, UpstreamsError> {
        Self::start_with(control, candidate, &resolve::system())
    }

    /// The same with another resolver than the system's.
    pub fn start_with(
        control: &UpstreamConfig,
        candidate: Option<&UpstreamConfig>,
        look_up: &LookUp,
    ) -> Result<Self, UpstreamsError> {
        let upstream = |side, config: &UpstreamConfig| {
            let upstream = Upstream::new(side, config.clone(), Arc::clone(look_up));
            upstream.map(Arc::new).map_err(|source| UpstreamsError::Tls { side, source })
        };
        let control = upstream(Side::Control, control)?;
        let candidate = candidate.map(|candidate| upstream(Side::Candidate, candidate)).transpose()?;
        let mut upstreams = Self { control, candidate, keeper: None };
        let kept: Vec<_> = upstreams.all().filter(|upstream| upstream.is_kept()).cloned().collect();
        if !kept.is_empty() {
            upstreams.keeper = Some(Keeper::start(kept).map_err(UpstreamsError::Thread)?);
        }
        Ok(upstreams)
    }

    pub fn all(&self) -> impl Iterator<Item = &Arc<Upstream>> {
        std::iter::once(&self.control).chain(&self.candidate)
    }
}

impl Upstream {
    fn new(side: Side, config: UpstreamConfig, look_up: LookUp) -> Result<Self, TlsError> {
        let tls = config.tls.as_ref().map(|files| files.watched(&config)).transpose()?.map(Arc::new);
        let (resolving, known) = Resolving::of(&config.authorities, look_up);
        Ok(Self {
            side,
            config,
            addresses: ArcSwap::from_pointee(known),
            generation: AtomicU64::new(0),
            resolving,
            tls,
            started: Instant::now(),
            ejected: Notify::new(),
        })
    }

    /// Whether there is anything to do for it between requests.
    fn is_kept(&self) -> bool {
        self.resolving.has_names() || self.config.health.check.is_some() || self.may_eject()
    }

    /// Whether an address may ever be left alone: one that is the only one is not.
    fn may_eject(&self) -> bool {
        let health = &self.config.health;
        let may_be_several = self.resolving.has_names() || self.config.authorities.len() > 1;
        may_be_several && health.failures_max > 0 && health.eject_share > 0
    }

    /// Its files of TLS, if it speaks that.
    pub(in crate::data_plane) fn tls_files(&self) -> Option<Arc<dyn Renewable>> {
        self.tls.clone().map(|files| files as _)
    }

    /// All there are now, in use or not.
    pub fn addresses(&self) -> Arc<Vec<Arc<Address>>> {
        self.addresses.load_full()
    }

    /// Makes a connection, with TLS where that is declared; and whether HTTP/2 is to be spoken on it. The caller has the
    /// deadline. With `only_http1` it is HTTP/1.1, if the upstream speaks that.
    pub(in crate::data_plane) async fn connect(
        &self,
        address: &Address,
        only_http1: bool,
    ) -> io::Result<(Stream, bool)> {
        let stream = TcpStream::connect(address.socket).await?;
        // A request is written whole before its response is waited for; delaying its last segment only costs.
        stream.set_nodelay(true)?;
        let Some(tls) = &self.tls else {
            return Ok((Stream::tcp(stream), self.config.protocol == Protocol::Http2));
        };
        let stream = Stream::tls(tls.get().connect(&address.authority, stream, only_http1).await?);
        let is_http2 = stream.is_http2();
        if self.config.protocol == Protocol::Http2 && !is_http2 {
            return Err(io::Error::other("it does not speak HTTP/2: it did not choose h2 by ALPN"));
        }
        Ok((stream, is_http2))
    }

    /// Another number, other addresses.
    pub(in crate::data_plane) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    pub fn resolve_tally(&self) -> ResolveTally {
        self.resolving.tally()
    }

    /// Milliseconds since the start.
    pub(in crate::data_plane) fn now(&self) -> u64 {
        self.started.elapsed().as_millis() as u64
    }

    pub fn state(&self, address: &Address, of: Use) -> AddressState {
        address.state(of)
    }

    pub(in crate::data_plane) fn is_usable(&self, address: &Address, of: Use) -> bool {
        address.state(of) == AddressState::Used
    }

    /// A request came to a good end, as far as the address can help it.
    pub(in crate::data_plane) fn succeeded(&self, address: &Address, of: Use) {
        address.ejection(of).succeeded();
    }

    /// A request failed because of the address.
    pub(in crate::data_plane) fn failed(&self, address: &Address, of: Use, why: &dyn std::fmt::Display) {
        let now = self.now();
        if address.may_be_told(now) {
            tracing::warn!(side = %self.side, address = %address.socket, of = ?of, error = %why, "a request failed at an address");
        }
        let health = &self.config.health;
        let room = || {
            let all = self.addresses.load();
            let out = all.iter().filter(|other| other.state(of) != AddressState::Used).count();
            out < out_max(all.len(), health.eject_share)
        };
        if let Some(millis) = address.ejection(of).failed(now, health, room) {
            self.ejected.notify_one();
            tracing::warn!(
                side = %self.side,
                address = %address.socket,
                of = ?of,
                failures = address.ejection(of).failures() + 1,
                for_ms = millis,
                last = %why,
                "an address failed too often in a row, is left alone for a while, and then asked how it is"
            );
        }
    }

    /// Puts other addresses in the place of those that are there; those that stay keep what is known of them.
    fn set_addresses(&self, found: Vec<Arc<Address>>) {
        self.addresses.store(Arc::new(found));
        self.generation.fetch_add(1, Ordering::Release);
    }
}

/// How many of so many addresses may be ejected: one at least, and never all.
fn out_max(all: usize, share: u16) -> usize {
    if share == 0 {
        return 0;
    }
    (all * usize::from(share) / 10_000).max(1).min(all.saturating_sub(1))
}

impl Keeper {
    fn start(upstreams: Vec<Arc<Upstream>>) -> io::Result<Self> {
        let (stop, stopped) = oneshot::channel();
        let (begun, begins) = std::sync::mpsc::sync_channel(2);
        let thread = std::thread::Builder::new().name("upstreams".to_owned()).spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .thread_name("resolve")
                .build_local(LocalOptions::default());
            let runtime = match runtime {
                Ok(runtime) => runtime,
                Err(error) => {
                    let _ = begun.send(Err(error));
                    return;
                }
            };
            let keeping = async {
                futures_util::future::join_all(upstreams.iter().map(|upstream| resolve::resolve(upstream)))
                    .await;
                // Nobody waits any more when the names took too long.
                let _ = begun.send(Ok(()));
                let all = upstreams.iter().map(|upstream| async {
                    tokio::join!(resolve::keep(upstream), check::keep(upstream), probe::keep(upstream));
                });
                futures_util::future::join_all(all).await;
            };
            runtime.block_on(async {
                tokio::select! {
                    () = keeping => {}
                    _ = stopped => {}
                }
            });
            // A name server that does not answer is not waited for.
            runtime.shutdown_background();
        })?;
        match begins.recv_timeout(FIRST_RESOLUTION_MAX) {
            Ok(begun) => begun?,
            Err(_) => {
                tracing::warn!(
                    "the names of the upstreams are not resolved yet; serving begins without them"
                );
            }
        }
        Ok(Self { thread: Some(thread), stop: Some(stop) })
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        // It ends by itself when the sender is gone.
        drop(self.stop.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread of the upstreams panicked: a bug in Strangler");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_may_be_ejected_and_never_all() {
        for (all, share, max) in [
            (1, 5_000, 0),
            (2, 5_000, 1),
            (3, 5_000, 1),
            (10, 5_000, 5),
            (10, 10_000, 9),
            (3, 100, 1),
            (5, 0, 0),
        ] {
            assert_eq!(out_max(all, share), max, "{all} at {share}");
        }
    }
}
