//! Builds all of it from the config and runs it.

mod admin_thread;
mod ending;
mod epoch;
mod handover;
mod housekeeping;
mod reach;

use std::fs::File;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use diff_harness::exchange::UnixMillis;
use diff_harness::ledger::Ledger;
use diff_harness::redact::{RedactionKey, Redactor};
use diff_harness::rules::Rules;
use diff_harness::store::{Store, StoreError};

use crate::admin::{About, Api, ApiEffects, Before};
use crate::config::{Config, ConfigSource};
use crate::control::{self, Control};
use crate::counters::CounterRegistry;
use crate::data_plane::upstream::UpstreamsError;
use crate::data_plane::{self, Certificates, DataPlane, Listener, Listening, Outlets, StartError, Upstreams};
use crate::fallback::{FallbackHandle, FallbackThread};
use crate::handover::{HandoverError, Inherited, TakeOver};
use crate::inventory::Discovery;
use crate::record::{self, Judge, Recorder, RulesJudge};
use crate::routes::PathView;
use crate::routes::cohort::Cohorts;
use crate::routes::table::{RouteTable, SharedTable, Unmatchable};
use crate::shadow::ShadowWorker;

pub(crate) use epoch::keep_epoch;

use admin_thread::AdminThread;
use ending::Ending;
use housekeeping::Housekeeping;
use reach::reach;

/// A running proxy.
pub struct Proxy {
    data_plane: DataPlane,
    shadow: ShadowWorker,
    recorder: Arc<Recorder>,
    fallback: FallbackThread,
    alarms: FallbackHandle,
    control: Arc<Control>,
    /// These two rest while another process takes over.
    housekeeping: Option<Housekeeping>,
    admin: Option<AdminThread>,
    api: Arc<Api>,
    /// A copy, to be handed on. With what the config calls it.
    admin_listener: (SocketAddr, TcpListener),
    store: PathBuf,
    /// A copy of the file whose lock keeps others from writing the store.
    lock: File,
    before: Option<handover::Watching>,
    draining: Arc<AtomicBool>,
    drain: Duration,
    clock: fn() -> UnixMillis,
}

/// What a process that was there before leaves to a proxy that starts.
#[derive(Debug, Default)]
pub struct Origin {
    /// Listening sockets, from the process before or from the service manager.
    pub inherited: Inherited,
    /// The process that is to be taken over.
    pub take_over: Option<TakeOver>,
}

/// Why a proxy did not start. Nothing is left running then.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{what} cannot listen on {address}: {source}")]
    Listen { what: &'static str, address: String, source: io::Error },
    #[error(transparent)]
    DataPlane(#[from] StartError),
    #[error(transparent)]
    Upstreams(#[from] UpstreamsError),
    #[error("a thread cannot be started: {0}")]
    Thread(#[source] io::Error),
    #[error("no file descriptor can be copied: {0}")]
    Lock(#[source] io::Error),
    #[error("the operating system gives no randomness: {0}")]
    Randomness(#[source] getrandom::Error),
    #[error("{0}")]
    Redaction(#[from] diff_harness::redact::JsonPatternError),
    #[error("cannot take over: {0}")]
    TakeOver(#[from] HandoverError),
}

const SALT: &str = "cohort.salt";
const FLUSH_PATIENCE: Duration = Duration::from_secs(2);

impl Proxy {
    /// Starts everything. When it has returned, connections are taken, for clients and for the admin API.
    ///
    /// `source` is where the config came from, to read the rules again.
    pub fn start(
        config: Config,
        source: ConfigSource,
        clock: fn() -> UnixMillis,
    ) -> Result<Self, ServeError> {
        Self::start_from(Origin::default(), config, source, clock)
    }

    /// The same with what a process before it has left. If this fails, one that was to be taken over goes on as before.
    pub fn start_from(
        origin: Origin,
        config: Config,
        source: ConfigSource,
        clock: fn() -> UnixMillis,
    ) -> Result<Self, ServeError> {
        let Origin { mut inherited, mut take_over } = origin;
        let started = clock();
        let ledger = match &mut take_over {
            Some(other) => Ledger::open_beside(&config.store, config.retention, other.lock()?)?,
            None => Ledger::open(&config.store, config.retention)?,
        };
        let lock = ledger.lock().and_then(|lock| lock.ok_or_else(|| io::Error::other("it is not locked")));
        let (lock, path) = (lock.map_err(ServeError::Lock)?, ledger.path().to_owned());
        let store: Arc<dyn Store> = Arc::new(ledger);
        let listener = admin_listener(config.admin.address, &mut inherited)?;
        let admin_copy = listener.try_clone().map_err(ServeError::Lock)?;
        let data_plane = config.data_plane;
        nobody_listens(&data_plane.listeners, &inherited)?;
        let upstreams = Upstreams::start(&data_plane.control, data_plane.candidate.as_ref());
        let upstreams = Arc::new(upstreams?);
        if let Some(other) = &mut take_over {
            // From here on to the end of this function nobody writes transitions: it has to be short.
            other.ready()?;
        }
        let cohorts = Cohorts { salt: salt(store.as_ref())?, groups: config.groups };

        let rule_ids = Arc::new(ArcSwap::from_pointee(ids(&config.rules)));
        let registry = Arc::new(CounterRegistry::new());
        let matching = config.matching;
        let table: SharedTable = RouteTable::build(&[], &registry, matching, &cohorts).into_shared();
        let epoch = epoch::kept_epoch(store.as_ref())?;
        let (fallback, alarms) = FallbackHandle::new(config.fallback, Instant::now());
        let effects = record::Effects {
            fallback: fallback.clone(),
            judge: Box::new(RulesJudge::new(config.rules, config.shadow.comparing())),
            redactor: Redactor::new(
                &config.redaction,
                RedactionKey::random().map_err(ServeError::Randomness)?,
            )?
            .decoding_up_to(config.shadow.body_decoded_max),
            store: Arc::clone(&store),
            registry: Arc::clone(&registry),
            discover: Box::new(Discovery::default()),
            noise: store.noise(&epoch.control)?,
            clock,
        };
        let recorder = Arc::new(Recorder::start(config.record, epoch, effects).map_err(ServeError::Thread)?);
        let (shadow_handle, shadow) =
            ShadowWorker::start(config.shadow, recorder.compare(), Arc::clone(&upstreams))
                .map_err(ServeError::Thread)?;

        let control = {
            let (resumes, guards) = (fallback.clone(), Arc::clone(&registry));
            let (table, registry) = (Arc::clone(&table), Arc::clone(&registry));
            let (flushed, current) = (Arc::clone(&recorder), Arc::clone(&recorder));
            let candidate = upstreams.candidate.clone();
            Arc::new(
                Control::open(
                    Arc::clone(&store),
                    config.policy,
                    control::Effects {
                        publish: Box::new(move |routes| {
                            table.store(Arc::new(RouteTable::build(routes, &registry, matching, &cohorts)));
                        }),
                        reach_candidate: Box::new(move || match &candidate {
                            Some(candidate) => reach(candidate),
                            None => Err("no candidate is configured".to_owned()),
                        }),
                        flush: Box::new(move || {
                            if let Err(error) = flushed.flush(FLUSH_PATIENCE) {
                                tracing::warn!(%error, "the gate judges without what was observed last");
                            }
                        }),
                        epoch: Box::new(move || current.epochs().current()),
                        resumed: Box::new(move |endpoint| {
                            resumes.open(guards.get(endpoint).guard(), Instant::now());
                        }),
                        now: clock,
                    },
                )?
                .with_points(config.points),
            )
        };
        let before = Arc::new(ArcSwap::from_pointee(Before::read(store.as_ref())?));

        let fallback_thread = FallbackThread::start(fallback.clone(), alarms, Arc::clone(&control))
            .map_err(ServeError::Thread)?;
        let paths = data_plane.paths;
        let outlets = Outlets {
            shadow: shadow_handle.clone(),
            undeclared: recorder.undeclared(),
            fallback: fallback.clone(),
        };
        let data_plane = data_plane::start_on(
            &mut inherited,
            data_plane,
            Arc::clone(&upstreams),
            Arc::clone(&table),
            outlets,
        )?;
        let draining = Arc::new(AtomicBool::new(false));
        let admin_address = config.admin.address;
        let api = Arc::new(Api {
            access: config.admin,
            control: Arc::clone(&control),
            store: Arc::clone(&store),
            registry,
            recorder: Arc::clone(&recorder),
            about: About {
                started,
                listening: data_plane.listening().iter().map(Listening::to_string).collect(),
                control: config.control.to_string(),
                candidate: config.candidate.to_string(),
                store: config.store,
            },
            before: Arc::clone(&before),
            refusals: Arc::clone(data_plane.refusals()),
            shadow: shadow_handle,
            upstreams: Arc::clone(&upstreams),
            counts: Arc::clone(data_plane.counts()),
            certificates: Arc::clone(data_plane.certificates()),
            effects: ApiEffects {
                reload_rules: {
                    let (recorder, rule_ids) = (Arc::clone(&recorder), Arc::clone(&rule_ids));
                    Box::new(move || reload_rules(&source, &recorder, &rule_ids))
                },
                rules: Box::new(move || rule_ids.load().as_ref().clone()),
                reach_control: {
                    let (control, draining) = (Arc::clone(&upstreams.control), Arc::clone(&draining));
                    Box::new(move || {
                        if draining.load(Ordering::Acquire) {
                            Err("the proxy is draining".to_owned())
                        } else {
                            reach(&control)
                        }
                    })
                },
                matched: {
                    let (table, paths) = (Arc::clone(&table), paths);
                    Box::new(move |asked| {
                        let view = PathView::of(asked.template(), &paths).ok()?;
                        table.load().find(asked.method(), &view).map(|route| route.endpoint.clone())
                    })
                },
                unmatchable: Box::new(move || table.load().unmatchable().iter().map(told).collect()),
            },
        });
        let admin = AdminThread::start(listener, Arc::clone(&api)).map_err(ServeError::Thread)?;
        let housekeeping = Housekeeping::start(
            Arc::clone(&store),
            Arc::clone(&control),
            Arc::clone(&recorder),
            Arc::clone(data_plane.certificates()),
            clock,
        )
        .map_err(ServeError::Thread)?;
        for name in inherited.names() {
            tracing::warn!(name, "a socket that was handed over is not in the config; it is closed");
        }
        let before = match take_over {
            Some(other) => {
                let reread = handover::Reread { before, store, recorder: Arc::clone(&recorder) };
                let before = other.serving()?;
                let (control, alarms) = (Arc::clone(&control), fallback.clone());
                Some(handover::watch(before, control, alarms, reread).map_err(ServeError::Thread)?)
            }
            None => None,
        };
        Ok(Self {
            data_plane,
            shadow,
            recorder,
            housekeeping: Some(housekeeping),
            fallback: fallback_thread,
            alarms: fallback,
            control,
            admin: Some(admin),
            api,
            admin_listener: (admin_address, admin_copy),
            store: path,
            lock,
            before,
            draining,
            drain: config.drain,
            clock,
        })
    }

    /// Where clients connect, with the ports that were taken for 0.
    pub fn listening(&self) -> &[Listening] {
        self.data_plane.listening()
    }

    /// The certificates of these, to read them again.
    pub fn certificates(&self) -> Arc<Certificates> {
        Arc::clone(self.data_plane.certificates())
    }

    /// The TCP addresses of these.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.data_plane.addrs()
    }

    /// Where the admin API is, with the port that was taken for 0.
    pub fn admin(&self) -> SocketAddr {
        // A listening socket has one; the config's is as good as it, but for a port that was taken for 0.
        self.admin_listener.1.local_addr().unwrap_or(self.admin_listener.0)
    }

    /// Answers what is being answered, finishes what is being compared, and writes everything. Takes at most the
    /// configured time for the first, and some seconds for the rest.
    ///
    /// How many requests were cut because they did not end in time.
    pub async fn drain(self) -> usize {
        self.draining.store(true, Ordering::Release);
        let drained = self.data_plane.drain(self.drain).await;
        let ending = Ending {
            shadow: self.shadow,
            recorder: self.recorder,
            fallback: self.fallback,
            housekeeping: self.housekeeping,
            admin: self.admin,
            before: self.before,
            control: Some(self.control),
        };
        if tokio::task::spawn_blocking(move || ending.end()).await.is_err() {
            tracing::error!("ending in order failed: a bug in Strangler");
        }
        drained.cut
    }
}

fn admin_listener(address: SocketAddr, inherited: &mut Inherited) -> Result<TcpListener, ServeError> {
    let listener = match inherited.admin(address) {
        Some(theirs) => Ok(TcpListener::from(theirs)),
        None => TcpListener::bind(address),
    };
    listener.map_err(|source| ServeError::Listen {
        what: "the admin API",
        address: address.to_string(),
        source,
    })
}

/// The threads share one address (SO_REUSEPORT), and the kernel would let another process share it too, unasked.
fn nobody_listens(listeners: &[Listener], inherited: &Inherited) -> Result<(), ServeError> {
    let new = listeners.iter().filter(|listener| !inherited.has_listening(&listener.address));
    for address in new.filter_map(|listener| listener.address.tcp()) {
        TcpListener::bind(address).map_err(|source| ServeError::Listen {
            what: "the proxy",
            address: address.to_string(),
            source,
        })?;
    }
    Ok(())
}

/// The same over restarts, or people would change sides.
fn salt(store: &dyn Store) -> Result<String, ServeError> {
    if let Some(salt) = store.setting(SALT)? {
        return Ok(salt);
    }
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(ServeError::Randomness)?;
    let salt: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    store.set_setting(SALT, &salt)?;
    Ok(salt)
}

/// Reads the whole config again and takes its rules, or leaves everything as it is.
fn reload_rules(
    source: &ConfigSource,
    recorder: &Recorder,
    rule_ids: &ArcSwap<Vec<String>>,
) -> Result<String, String> {
    let config = source.load().map_err(|error| error.to_string())?;
    rule_ids.store(Arc::new(ids(&config.rules)));
    let judge = RulesJudge::new(config.rules, config.shadow.comparing());
    let rules = judge.rules().to_owned();
    recorder.set_judge(Box::new(judge));
    tracing::info!(rules, "rules reloaded");
    Ok(rules)
}

fn ids(rules: &Rules) -> Vec<String> {
    rules.iter().map(|rule| rule.id.clone()).collect()
}

fn told(unmatchable: &Unmatchable) -> String {
    match unmatchable {
        Unmatchable::Template(error) => format!("an endpoint can never be matched: {error}"),
        Unmatchable::Tie(tie) => format!(
            "{} {} is never matched: {} matches the same requests and comes first",
            tie.method, tie.loser, tie.winner
        ),
    }
}
