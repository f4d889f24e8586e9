//! Listeners, forwarding, upstream connections, refusals, drain: the way of a client request.
//!
//! Each thread has a runtime, listening sockets, connections and pools of its own, and shares with the others only
//! the route table, the counters and the way into the shadow queue. A request never leaves its thread.
//!
//! Reading order, the way a request flows:
//!
//! - [`listener`], [`bound`]: where clients connect, and the sockets that listen there.
//! - [`door`], [`proxy_protocol`], [`turns`], [`tls_server`]: what is said before HTTP. [`watched`], [`certificate`], [`certificates`]: the
//!   files of TLS, and their replacement while it runs.
//! - [`worker`], [`room`], [`gauges`]: a thread; it accepts connections and looks after their timeouts. [`spread`], [`seats`]:
//!   which thread serves a connection, and how many there may be.
//! - [`connection`], [`stream`], [`socket`], [`client_io`], [`watch`]: one client connection, and who is waited for on it.
//! - [`http2`], [`http2_io`], [`http2_frames`], [`pieces`]: one that speaks HTTP/2. [`turned_away`]: one that is closed for what it is.
//! - [`exchange`], [`asking`], [`account`], [`left`]: one request, from head to head.
//! - [`head`], [`hop_by_hop`], [`names`], [`peer`], [`interim`]: what becomes of the fields of a message (RFC 9110, 9112).
//! - [`outgoing`], [`request_body`]: what is sent to an upstream, and how often it may be.
//! - [`upstream`], [`pool`]: its addresses and how they are, as all threads share them, and the connections of each.
//! - [`witness`]: what is kept of an unsafe request that is recorded or verified; [`first`]: its dry run before it, where
//!   that is declared.
//! - [`response_body`], [`tunnel`]: what comes back.
//! - [`refusal`], [`request_id`]: what the proxy says by itself.

mod config;
mod listener;
mod bound;
mod door;
mod proxy_protocol;
mod turns;
mod tls_server;
mod watched;
mod certificate;
mod certificates;
mod worker;
mod room;
mod spread;
mod seats;
mod gauges;
mod connection;
mod one_of;
mod socket;
mod stream;
mod client_io;
mod http2;
mod http2_frames;
mod http2_io;
mod turned_away;
mod watch;
mod exchange;
mod asking;
mod account;
mod left;
mod head;
mod hop_by_hop;
mod names;
mod peer;
mod pieces;
mod interim;
mod outgoing;
pub mod upstream;
pub mod pool;
mod request_body;
mod witness;
mod first;
mod response_body;
mod tunnel;
mod refusal;
mod request_id;

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::runtime::{Handle, LocalOptions, RuntimeMetrics};
use tokio::sync::{oneshot, watch as channel};

pub use certificate::{Certificate, Purpose};
pub use certificates::{Certificates, Reloaded};
pub use config::{CohortKey, DataPlaneConfig, Forwarding, HalfClose, Http2, Limits, Network, Timeouts};
pub use gauges::Present;
pub(crate) use hop_by_hop::strip_response;
pub use listener::{Address, Listener, Listening};
pub use proxy_protocol::{ProxyProtocol, ProxyVersions};
pub use refusal::{Refusal, RefusalCounts};
pub use tls_server::{ClientCertificates, Tls};
pub use turned_away::TurnedAway;
pub use upstream::{Identity, TlsError, UpstreamConfig, Upstreams};
pub use worker::Drained;

use crate::fallback::FallbackHandle;
use crate::handover::{self, Inherited, NamedSocket};
use crate::record::UndeclaredHandle;
use crate::routes::table::SharedTable;
use crate::shadow::ShadowHandle;
use bound::{Bound, SocketFile};
use gauges::Gauges;
use pool::Quota;
use room::Rooms;
use seats::Seats;
use spread::Spread;
use tls_server::TlsServer;
use worker::{Manner, Order, Setup, Worker};

/// A running data plane. Dropped, it ends without waiting for anything.
#[derive(Debug)]
pub struct DataPlane {
    listening: Vec<Listening>,
    files: Vec<SocketFile>,
    copies: Vec<NamedSocket>,
    certificates: Arc<Certificates>,
    refusals: Arc<RefusalCounts>,
    counts: Arc<DataPlaneCounts>,
    orders: channel::Sender<Order>,
    threads: Vec<(JoinHandle<()>, oneshot::Receiver<Drained>)>,
}

/// Why a data plane did not start. Nothing is left running then.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("the proxy cannot listen on {address}: {source}")]
    Listen { address: Address, source: io::Error },
    #[error("the proxy cannot speak TLS on {address}: {source}")]
    Tls { address: Address, source: TlsError },
    #[error("a thread cannot be started: {0}")]
    Thread(#[from] io::Error),
}

/// What is counted of connections.
#[derive(Debug, Default)]
pub struct DataPlaneCounts {
    accepted: AtomicU64,
    turned_away: [AtomicU64; TurnedAway::ALL.len()],
    threads: Mutex<BTreeMap<usize, (Arc<Gauges>, RuntimeMetrics)>>,
}

impl DataPlaneCounts {
    /// Client connections that were accepted.
    pub fn connections_accepted(&self) -> u64 {
        self.accepted.load(Ordering::Relaxed)
    }

    /// Client connections that were closed for what they are, by reason; only those that occurred.
    pub fn turned_away(&self) -> impl Iterator<Item = (TurnedAway, u64)> {
        let counts = TurnedAway::ALL.into_iter().zip(&self.turned_away);
        counts.map(|(why, count)| (why, count.load(Ordering::Relaxed))).filter(|(_, count)| *count > 0)
    }

    /// What there is at this moment.
    pub fn present(&self) -> Present {
        let mut present = Present::default();
        for (gauges, runtime) in self.threads.lock().unwrap_or_else(PoisonError::into_inner).values() {
            present.add(gauges, runtime);
        }
        present
    }

    /// The same for each thread.
    pub fn present_by_thread(&self) -> Vec<Present> {
        let of = |(gauges, runtime): &(Arc<Gauges>, RuntimeMetrics)| {
            let mut present = Present::default();
            present.add(gauges, runtime);
            present
        };
        self.threads.lock().unwrap_or_else(PoisonError::into_inner).values().map(of).collect()
    }

    /// A thread of the data plane says where it keeps its gauges.
    fn thread(&self, index: usize, gauges: &Arc<Gauges>) {
        let runtime = Handle::current().metrics();
        self.threads
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(index, (Arc::clone(gauges), runtime));
    }

    fn accepted(&self) {
        self.accepted.fetch_add(1, Ordering::Relaxed);
    }

    fn turn_away(&self, why: TurnedAway) {
        self.turned_away[why as usize].fetch_add(1, Ordering::Relaxed);
    }
}

/// Where the data plane hands on what it does not keep.
#[derive(Clone, Debug)]
pub struct Outlets {
    pub shadow: ShadowHandle,
    pub undeclared: UndeclaredHandle,
    pub fallback: FallbackHandle,
}

/// Listens on all addresses and starts the threads. When it has returned, connections are taken.
///
/// `upstreams` are those that the config declares, with what is known of their addresses.
///
/// # Errors
/// When an address cannot be listened on, or a thread cannot be started; nothing is left running then.
pub fn start(
    config: DataPlaneConfig,
    upstreams: Arc<Upstreams>,
    table: SharedTable,
    outlets: Outlets,
) -> Result<DataPlane, StartError> {
    start_on(&mut Inherited::default(), config, upstreams, table, outlets)
}

/// The same on sockets that somebody else made, where there are some for an address.
pub fn start_on(
    inherited: &mut Inherited,
    config: DataPlaneConfig,
    upstreams: Arc<Upstreams>,
    table: SharedTable,
    outlets: Outlets,
) -> Result<DataPlane, StartError> {
    let config = Arc::new(config);
    let refusals = Arc::new(RefusalCounts::default());
    let counts = Arc::new(DataPlaneCounts::default());
    let (orders, receiver) = channel::channel(Order::Serve);

    let (mut listening, mut files, mut copies) = (Vec::new(), Vec::new(), Vec::new());
    let (mut servers, mut certificates) = (Vec::new(), Certificates::default());
    let threads = config.threads.get();
    let mut sockets: Vec<Vec<_>> = (0..threads).map(|_| Vec::new()).collect();
    for (index, listener) in config.listeners.iter().enumerate() {
        let theirs = inherited.listening(&listener.address);
        let bound = match theirs.is_empty() {
            true => Bound::new(&listener.address, threads),
            false => Bound::inherited(&listener.address, theirs, threads),
        };
        let bound =
            bound.map_err(|source| StartError::Listen { address: listener.address.clone(), source })?;
        for (of_thread, socket) in sockets.iter_mut().zip(bound.sockets) {
            of_thread.extend(socket.into_iter().map(|socket| (index, socket)));
        }
        let name = handover::listening(&listener.address);
        copies.extend(bound.copies.into_iter().map(|socket| NamedSocket { name: name.clone(), socket }));
        let server = match &listener.tls {
            None => None,
            Some(tls) => {
                let server = TlsServer::new(tls, config.http2.enabled)
                    .map_err(|source| StartError::Tls { address: listener.address.clone(), source })?;
                let server = Arc::new(server);
                certificates.add(format!("listener {}", bound.address), Arc::clone(server.files()) as _);
                Some(server)
            }
        };
        listening.push(Listening { address: bound.address, tls: server.is_some() });
        servers.push(server);
        files.extend(bound.file);
    }

    for upstream in upstreams.all() {
        if let Some(files) = upstream.tls_files() {
            certificates.add(format!("upstream {}", upstream.side), files);
        }
    }
    let gauges: Vec<_> = sockets.iter().map(|_| Arc::default()).collect();
    let (spread, arriving) = Spread::over(&gauges);
    let seats = Seats::of(&config);
    let rooms = Rooms::of(&config);
    let quota = |upstream: &UpstreamConfig| {
        Quota::new(upstream.connections_max, upstream.waiting_max, config.threads.get())
    };
    let quotas = (quota(&config.control), quota(config.candidate.as_ref().unwrap_or(&config.control)));
    let mut threads = Vec::new();
    for (index, ((listeners, gauges), arriving)) in sockets.into_iter().zip(gauges).zip(arriving).enumerate()
    {
        let (done, drained) = oneshot::channel();
        let setup = Setup {
            config: Arc::clone(&config),
            upstreams: Arc::clone(&upstreams),
            table: Arc::clone(&table),
            outlets: outlets.clone(),
            refusals: Arc::clone(&refusals),
            counts: Arc::clone(&counts),
            gauges,
            spread: Arc::clone(&spread),
            index,
            arriving,
            seats: seats.clone(),
            rooms: rooms.clone(),
            quotas: quotas.clone(),
            listeners,
            servers: servers.clone(),
            orders: receiver.clone(),
            done,
        };
        let runtime = || {
            tokio::runtime::Builder::new_current_thread().enable_all().build_local(LocalOptions::default())
        };
        let thread = std::thread::Builder::new().name(format!("data-{index}")).spawn(move || {
            let served = runtime().and_then(|runtime| runtime.block_on(Worker::run(setup)));
            if let Err(error) = served {
                tracing::error!(%error, "a thread of the data plane ended");
            }
        })?;
        threads.push((thread, drained));
    }
    let certificates = Arc::new(certificates);
    Ok(DataPlane { listening, files, copies, certificates, refusals, counts, orders, threads })
}

impl DataPlane {
    /// Where it listens, in the order of the config, with the ports that were taken for 0.
    pub fn listening(&self) -> &[Listening] {
        &self.listening
    }

    /// The TCP addresses of these.
    pub fn addrs(&self) -> Vec<SocketAddr> {
        self.listening.iter().filter_map(|listening| listening.address.tcp()).collect()
    }

    /// Those of the listeners and upstreams that speak TLS.
    pub fn certificates(&self) -> &Arc<Certificates> {
        &self.certificates
    }

    pub fn refusals(&self) -> &Arc<RefusalCounts> {
        &self.refusals
    }

    pub fn counts(&self) -> &Arc<DataPlaneCounts> {
        &self.counts
    }

    /// Copies of the listening sockets, for a process that takes over.
    pub fn sockets(&self) -> io::Result<Vec<NamedSocket>> {
        let copy = |named: &NamedSocket| {
            Ok(NamedSocket { name: named.name.clone(), socket: named.socket.try_clone()? })
        };
        self.copies.iter().map(copy).collect()
    }

    /// Stops accepting, answers what is in flight, and cuts what is still there after `within`.
    pub async fn drain(self, within: Duration) -> Drained {
        self.end(within, Manner::AtOnce).await
    }

    /// The same when another process listens on these sockets: an idle connection is closed with its next answer, so that no
    /// client sends a request into a connection that is being closed.
    pub async fn drain_handed_over(mut self, within: Duration) -> Drained {
        for file in std::mem::take(&mut self.files) {
            file.leave();
        }
        self.end(within, Manner::WithTheNextAnswer).await
    }

    async fn end(self, within: Duration, idle: Manner) -> Drained {
        // Whoever comes from now on is not to wait in a queue that nobody looks at.
        drop((self.files, self.copies));
        self.orders.send_replace(Order::Drain { by: Instant::now() + within, idle });
        let mut all = Drained::default();
        for (thread, drained) in self.threads {
            // A thread that has ended by itself has nothing left to cut.
            all.cut += drained.await.unwrap_or_default().cut;
            // It has nothing more to do than to end.
            let _ = thread.join();
        }
        all
    }
}
