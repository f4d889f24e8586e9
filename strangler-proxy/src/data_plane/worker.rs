//! One thread of the data plane: its listeners, its connections, its pools and its one clock.

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use diff_harness::exchange::Side;
use http::HeaderValue;
use http_body_util::BodyExt;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::{Notify, Semaphore, oneshot, watch};

use super::bound::{Accepted, Acceptor, ListeningSocket};
use super::config::{DataPlaneConfig, Timeouts};
use super::connection;
use super::door::{Door, TlsDoor};
use super::gauges::{Gauge, Gauges};
use super::listener::Listener;
use super::peer::Via;
use super::pool::{Pool, PoolConfig, Quota, UpstreamBody};
use super::refusal::RefusalCounts;
use super::request_body::RequestBody;
use super::room::{Corner, Place, Rooms, share};
use super::seats::{Seat, Seats};
use super::spread::{Arrival, Message, Spread};
use super::tls_server::TlsServer;
use super::turns::Turns;
use super::upstream::{Upstream, UpstreamConfig, Upstreams, Use};
use super::watch::{Clock, Sweep, Watch};
use super::{DataPlaneCounts, Outlets};
use crate::routes::table::SharedTable;

/// What all connections of a thread share.
pub(super) struct Worker {
    pub(super) config: Arc<DataPlaneConfig>,
    pub(super) timeouts: Arc<Timeouts>,
    pub(super) table: SharedTable,
    pub(super) outlets: Outlets,
    pub(super) via: Via,
    /// For requests of HTTP/1.0 that name no host.
    pub(super) default_host: HeaderValue,
    pub(super) refusals: Arc<RefusalCounts>,
    pub(super) clock: Arc<Clock>,
    pub(super) counts: Arc<DataPlaneCounts>,
    control: Backed,
    candidate: Option<Backed>,
    sweep: RefCell<Sweep>,
    /// Of all threads; this is the one with the number `index`.
    spread: Arc<Spread>,
    index: usize,
    draining: Cell<Option<Manner>>,
    gauges: Arc<Gauges>,
    /// For all requests in progress.
    requests: Corner,
    /// From so many of them on, over all threads, none is shadowed.
    shed_at: usize,
    /// For tunnels: those that are open, and requests that may become one.
    tunnels: Rc<Corner>,
    changed: Notify,
}

/// An upstream as one thread sees it.
pub(super) struct Backed {
    upstream: Arc<Upstream>,
    pub(super) pool: Pool<RequestBody>,
}

/// What a thread is told.
#[derive(Clone, Copy, Debug)]
pub(super) enum Order {
    Serve,
    /// Stop listening, finish what is in flight, and end by then.
    Drain {
        by: Instant,
        idle: Manner,
    },
}

/// When a connection on which nothing is asked is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    AtOnce,
    WithTheNextAnswer,
}

/// How a thread ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drained {
    /// Requests and tunnels that were cut because the deadline came first.
    pub cut: usize,
}

/// What a thread is started with.
pub(super) struct Setup {
    pub(super) config: Arc<DataPlaneConfig>,
    pub(super) upstreams: Arc<Upstreams>,
    pub(super) table: SharedTable,
    pub(super) outlets: Outlets,
    pub(super) refusals: Arc<RefusalCounts>,
    pub(super) counts: Arc<DataPlaneCounts>,
    pub(super) gauges: Arc<Gauges>,
    pub(super) spread: Arc<Spread>,
    /// Which of the threads this is.
    pub(super) index: usize,
    pub(super) arriving: UnboundedReceiver<Message>,
    /// For each listener of the config.
    pub(super) seats: Vec<Seats>,
    pub(super) rooms: Rooms,
    /// Connections to control and to the candidate.
    pub(super) quotas: (Arc<Quota>, Arc<Quota>),
    /// With the place of their listener in the config.
    pub(super) listeners: Vec<(usize, ListeningSocket)>,
    /// For each listener of the config, if it speaks TLS.
    pub(super) servers: Vec<Option<Arc<TlsServer>>>,
    pub(super) orders: watch::Receiver<Order>,
    pub(super) done: oneshot::Sender<Drained>,
}

/// A request, counted for as long as it lives.
pub(super) struct InProgress {
    counted: Counted,
    has_place: bool,
    _of_listener: Option<Place>,
    /// As many were in progress as may be.
    pub(super) is_one_too_many: bool,
}

/// A connection or a tunnel, counted for as long as it lives.
pub(super) struct Counted {
    worker: Rc<Worker>,
    what: fn(&Gauges) -> &Gauge,
}

impl Worker {
    /// Serves until it is told to drain, and is done draining.
    pub(super) async fn run(setup: Setup) -> io::Result<()> {
        let Setup {
            config,
            upstreams,
            table,
            outlets,
            refusals,
            counts,
            gauges,
            spread,
            index,
            arriving,
            seats,
            rooms,
            quotas,
            listeners,
            servers,
            mut orders,
            done,
        } = setup;
        let timeouts = Arc::new(config.timeouts.clone());
        let tick = tick_for(&config, &upstreams);
        let via = Via::new(&config.forwarding.pseudonym).map_err(io::Error::other)?;
        let shed_at = (config.limits.requests_max * usize::from(config.limits.shed_share) / 10_000).max(1);
        let worker = Rc::new(Self {
            control: Backed::new(&upstreams.control, &quotas.0, &config),
            candidate: upstreams
                .candidate
                .as_ref()
                .map(|candidate| Backed::new(candidate, &quotas.1, &config)),
            default_host: default_host(&upstreams.control.config)?,
            via,
            timeouts,
            table,
            outlets,
            refusals,
            counts,
            clock: Clock::new(tick),
            sweep: RefCell::default(),
            draining: Cell::new(None),
            gauges,
            spread,
            index,
            requests: rooms.requests.corner(index),
            shed_at,
            tunnels: Rc::new(rooms.tunnels.corner(index)),
            changed: Notify::new(),
            config,
        });

        worker.counts.thread(index, &worker.gauges);
        let turns = Turns::default();
        let doors = worker.config.listeners.iter().zip(servers).zip(&rooms.of_listeners);
        let doors: Vec<_> = doors
            .map(|((listener, server), requests)| {
                let requests = requests.as_ref().map(|room| Rc::new(room.corner(index)));
                Rc::new(worker.door(listener, requests, server, &turns))
            })
            .collect();
        let listeners: io::Result<Vec<_>> =
            listeners.into_iter().map(|(index, socket)| Ok((index, socket.into_acceptor()?))).collect();
        let accepting: Vec<_> = listeners?
            .into_iter()
            .map(|(index, acceptor)| {
                let (door, seats) = (Rc::clone(&doors[index]), seats[index].clone());
                let accepting = Rc::clone(&worker).accept(acceptor, door, seats, orders.clone());
                tokio::task::spawn_local(accepting)
            })
            .collect();
        let receiving = Rc::clone(&worker).receive(arriving, doors, orders.clone());
        let receiving = tokio::task::spawn_local(receiving);
        let sweeping = tokio::task::spawn_local(Rc::clone(&worker).sweep_for_ever(tick));
        let feeding = tokio::task::spawn_local(Rc::clone(&worker).feed_for_ever());

        let (by, idle) = loop {
            // A sender that is gone has nothing to serve for any more.
            let gone = orders.changed().await.is_err();
            match *orders.borrow_and_update() {
                Order::Drain { by, idle } => break (by, idle),
                Order::Serve if gone => break (Instant::now(), Manner::AtOnce),
                Order::Serve => {}
            }
        };
        for accepting in accepting {
            // It ends when the kernel's queue is empty: a client that is connected already is not turned away.
            let _ = accepting.await;
        }
        let _ = receiving.await;
        let cut = worker.drain(by, idle).await;
        sweeping.abort();
        feeding.abort();
        let _ = done.send(Drained { cut });
        Ok(())
    }

    pub(super) fn upstream(&self, side: Side) -> Option<&Backed> {
        match side {
            Side::Control => Some(&self.control),
            Side::Candidate => self.candidate.as_ref(),
        }
    }

    pub(super) fn body_timeout(&self, side: Side) -> Duration {
        self.upstream(side).map_or(Duration::MAX, |upstream| upstream.config().body_timeout)
    }

    pub(super) fn draining(&self) -> Option<Manner> {
        self.draining.get()
    }

    /// A watch of a stream, that the sweep looks at. It came by no listener of its own.
    pub(super) fn stream_watch(&self) -> Arc<Watch> {
        self.watch_of(None)
    }

    fn watch_of(&self, listener: Option<usize>) -> Arc<Watch> {
        let watch = Watch::new(Arc::clone(&self.clock), Arc::clone(&self.timeouts));
        self.sweep.borrow_mut().add(&watch, listener);
        watch
    }

    /// A tunnel is open for as long as what this gives lives.
    pub(super) fn tunnel_begins(self: &Rc<Self>) -> Counted {
        self.counted(|gauges| &gauges.tunnels)
    }

    /// A stream of HTTP/2 is open for as long as what this gives lives.
    pub(super) fn stream_begins(self: &Rc<Self>) -> Counted {
        self.counted(|gauges| &gauges.streams)
    }

    /// A place for a tunnel, if there is one.
    pub(super) fn place_for_a_tunnel(&self) -> Option<Place> {
        Place::try_take(&self.tunnels)
    }

    /// A connection is nothing but its socket for as long as what this gives lives.
    pub(super) fn rest_begins(self: &Rc<Self>) -> Counted {
        self.counted(|gauges| &gauges.resting)
    }

    /// A request is in progress for as long as what this gives lives. `of_listener` is how many more its listener may have,
    /// if it has a limit of its own.
    pub(super) fn request_begins(self: &Rc<Self>, of_listener: Option<&Rc<Corner>>) -> InProgress {
        let counted = self.counted(|gauges| &gauges.requests);
        let has_place = self.requests.try_take();
        let of_listener = of_listener.map(Place::try_take);
        let is_one_too_many = !has_place || matches!(of_listener, Some(None));
        InProgress { counted, has_place, _of_listener: of_listener.flatten(), is_one_too_many }
    }

    /// Whether clients may soon have to be refused: then nothing is done any more that is not for them.
    pub(super) fn is_loaded(&self) -> bool {
        self.requests.taken() > self.shed_at
            || self.control.is_waited_for()
            || self.candidate.as_ref().is_some_and(Backed::is_waited_for)
    }

    /// Reads a response that nobody wants to its end, if that is near, so that its connection can be used again.
    pub(super) fn discard(&self, body: UpstreamBody<RequestBody>) {
        const WORTH_READING: u64 = 64 << 10;
        const PATIENCE: Duration = Duration::from_secs(1);
        if http_body::Body::size_hint(&body).upper().is_some_and(|length| length <= WORTH_READING) {
            tokio::task::spawn_local(tokio::time::timeout(PATIENCE, body.collect()));
        }
    }

    fn door(
        &self,
        listener: &Listener,
        requests: Option<Rc<Corner>>,
        server: Option<Arc<TlsServer>>,
        turns: &Turns,
    ) -> Door {
        Door {
            requests,
            proxy_protocol: listener.proxy_protocol.clone(),
            header_timeout: self.timeouts.head,
            tls: server.map(|server| {
                let handshakes = share(server.declared().handshakes_max, &self.config);
                TlsDoor { server, handshakes: Rc::new(Semaphore::new(handshakes)), turns: turns.clone() }
            }),
        }
    }

    fn counted(self: &Rc<Self>, what: fn(&Gauges) -> &Gauge) -> Counted {
        let gauge = what(&self.gauges);
        gauge.set(gauge.get() + 1);
        Counted { worker: Rc::clone(self), what }
    }

    async fn accept(
        self: Rc<Self>,
        acceptor: Acceptor,
        door: Rc<Door>,
        seats: Seats,
        mut orders: watch::Receiver<Order>,
    ) {
        let listener = seats.listener;
        loop {
            let (accepted, seat) = tokio::select! {
                accepted = self.accept_one(&acceptor, &seats) => accepted,
                _ = orders.changed() => break,
            };
            let load = self.spread.choose(self.index);
            self.place(&door, Arrival::new(accepted, listener, Some(seat), load));
        }
        for accepted in acceptor.into_rest() {
            let load = self.spread.stay(self.index);
            self.serve(&door, Arrival::new(accepted, listener, None, load));
        }
    }

    async fn accept_one(&self, acceptor: &Acceptor, seats: &Seats) -> (Accepted, Seat) {
        const OUT_OF_FILES: Duration = Duration::from_millis(50);
        loop {
            let seat = async || match seats.try_take() {
                Some(seat) => Some(seat),
                None => self.make_room(acceptor, seats).await,
            };
            match acceptor.accept(seat).await {
                Ok(accepted) => return accepted,
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    // Most likely no file descriptors are left: others have to close first.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(OUT_OF_FILES).await;
                }
            }
        }
    }

    /// Waits for a seat, and lets idle connections go for it: their clients make a new one when they need it. None when
    /// nobody waits to be let in.
    async fn make_room(&self, acceptor: &Acceptor, seats: &Seats) -> Option<Seat> {
        /// Until one more is let go, where the last one has found something to do.
        const PATIENCE: Duration = Duration::from_millis(100);
        let mut attempt = 0;
        while acceptor.has_somebody() {
            let listener = seats.listener_that_is_full();
            if !self.sweep.borrow().let_one_go(listener) {
                self.spread.ask_for_room(self.index, attempt, listener);
                attempt += 1;
            }
            if let Ok(seat) = tokio::time::timeout(PATIENCE, seats.take()).await {
                return Some(seat);
            }
        }
        None
    }

    /// Serves a connection here, or gives it to the thread that was chosen for it.
    fn place(self: &Rc<Self>, door: &Rc<Door>, arrival: Arrival) {
        if arrival.load.thread() == self.index {
            self.serve(door, arrival);
        } else if let Err(back) = self.spread.give(arrival) {
            // That one has stopped taking any.
            self.serve(door, Arrival { load: self.spread.stay(self.index), ..back });
        }
    }

    /// Takes what other threads give, until this one is told to stop; what is on its way then is taken still.
    async fn receive(
        self: Rc<Self>,
        mut arriving: UnboundedReceiver<Message>,
        doors: Vec<Rc<Door>>,
        mut orders: watch::Receiver<Order>,
    ) {
        loop {
            let message = tokio::select! {
                message = arriving.recv() => message,
                _ = orders.changed(), if !arriving.is_closed() => {
                    arriving.close();
                    continue;
                }
            };
            match message {
                Some(Message::Arrival(arrival)) => self.serve(&doors[arrival.listener], arrival),
                Some(Message::MakeRoom(listener)) => {
                    self.sweep.borrow().let_one_go(listener);
                }
                None => return,
            }
        }
    }

    fn serve(self: &Rc<Self>, door: &Rc<Door>, arrival: Arrival) {
        let Arrival { socket, peer, listener, seat, load } = arrival;
        let socket = match socket.into_socket() {
            Ok(socket) => socket,
            Err(error) => return tracing::warn!(%error, "a connection cannot be served"),
        };
        self.counts.accepted();
        let watch = self.watch_of(Some(listener));
        let counted = self.counted(|gauges| &gauges.connections);
        let serving = connection::serve(Rc::clone(self), Rc::clone(door), socket, peer, watch);
        tokio::task::spawn_local(async move {
            serving.await;
            drop((counted, seat, load));
        });
    }

    async fn sweep_for_ever(self: Rc<Self>, tick: Duration) {
        let mut ticks = tokio::time::interval(tick);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.sweep.borrow_mut().run(&self.clock);
            let now = Instant::now();
            for upstream in [Some(&self.control), self.candidate.as_ref()].into_iter().flatten() {
                upstream.pool.sweep(now);
            }
            let both = || [Some(&self.control), self.candidate.as_ref()].into_iter().flatten();
            self.gauges.upstream_busy.set(both().map(|upstream| upstream.pool.in_use()).sum());
            self.gauges.upstream_idle.set(both().map(|upstream| upstream.pool.idle()).sum());
        }
    }

    async fn feed_for_ever(self: Rc<Self>) {
        let candidate = async {
            match &self.candidate {
                Some(candidate) => candidate.pool.feed_for_ever().await,
                None => std::future::pending().await,
            }
        };
        tokio::join!(self.control.pool.feed_for_ever(), candidate);
    }

    /// Lets idle connections go, at once or in time, and waits for the others.
    async fn drain(&self, by: Instant, idle: Manner) -> usize {
        self.draining.set(Some(idle));
        self.sweep.borrow().wake_all();
        let by = tokio::time::Instant::from_std(by);
        let Gauges { connections, tunnels, streams, .. } = &*self.gauges;
        while connections.get() + tunnels.get() + streams.get() > 0 {
            let changed = self.changed.notified();
            if tokio::time::timeout_at(by, changed).await.is_err() {
                break;
            }
        }
        tunnels.get() + streams.get() + self.sweep.borrow().in_request()
    }
}

impl InProgress {
    pub(super) fn worker(&self) -> &Worker {
        &self.counted.worker
    }
}

impl Drop for InProgress {
    fn drop(&mut self) {
        if self.has_place {
            self.counted.worker.requests.give_back();
        }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let gauge = (self.what)(&self.worker.gauges);
        gauge.set(gauge.get() - 1);
        if self.worker.draining.get().is_some() {
            self.worker.changed.notify_one();
        }
    }
}

impl Backed {
    fn new(upstream: &Arc<Upstream>, quota: &Arc<Quota>, of: &DataPlaneConfig) -> Self {
        let config = &upstream.config;
        let pool = PoolConfig {
            of: Use::Clients,
            wait_max: config.wait_max,
            idle_max: share(config.idle_max, of),
            idle_timeout: config.idle_timeout,
            connect_timeout: config.connect_timeout,
            head_bytes_max: config.head_bytes_max,
            fields_max: config.fields_max,
        };
        let pool = Pool::new(Arc::clone(upstream), pool, Arc::clone(quota));
        Self { upstream: Arc::clone(upstream), pool }
    }

    /// Whether all connections are taken, and requests wait for one.
    fn is_waited_for(&self) -> bool {
        self.pool.is_waited_for()
    }

    pub(super) fn is_half_taken(&self) -> bool {
        self.pool.is_half_taken()
    }

    pub(super) fn config(&self) -> &UpstreamConfig {
        &self.upstream.config
    }
}

/// The first place where control is.
fn default_host(control: &UpstreamConfig) -> io::Result<HeaderValue> {
    let authority = control.authorities.first().map_or("", String::as_str);
    HeaderValue::from_str(authority).map_err(io::Error::other)
}

/// A quarter of the shortest timeout, so that none is late by more than that.
fn tick_for(config: &DataPlaneConfig, upstreams: &Upstreams) -> Duration {
    let timeouts = &config.timeouts;
    let of_clients = [timeouts.head, timeouts.body, timeouts.write, timeouts.idle];
    let upstreams = upstreams.all().map(|upstream| &upstream.config);
    let of_upstreams = upstreams.flat_map(|upstream| [upstream.head_timeout, upstream.body_timeout]);
    let shortest = of_clients.into_iter().chain(of_upstreams).min().unwrap_or(Duration::MAX);
    (shortest / 4).clamp(Duration::from_millis(5), Duration::from_millis(500))
}

/// The client left between the kernel's accept and ours; the listener is well.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}
