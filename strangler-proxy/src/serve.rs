//! Builds all of it from the config and runs it.

mod epoch;
mod housekeeping;
mod reach;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use diff_harness::exchange::UnixMillis;
use diff_harness::ledger::Ledger;
use diff_harness::redact::{RedactionKey, Redactor};
use diff_harness::rules::Rules;
use diff_harness::store::{Store, StoreError};
use tokio::sync::watch;

use crate::admin::{self, About, Api, ApiEffects, Before};
use crate::config::{Config, ConfigSource};
use crate::control::{self, Control};
use crate::counters::CounterRegistry;
use crate::data_plane::upstream::UpstreamsError;
use crate::data_plane::{self, DataPlane, Listener, Listening, Outlets, StartError, Upstreams};
use crate::fallback::{FallbackHandle, FallbackThread};
use crate::inventory::Discovery;
use crate::pages::{self, Site};
use crate::record::{self, Judge, Recorder, RulesJudge};
use crate::routes::PathView;
use crate::routes::cohort::Cohorts;
use crate::routes::table::{RouteTable, SharedTable, Unmatchable};
use crate::shadow::ShadowWorker;

pub(crate) use epoch::keep_epoch;

use housekeeping::Housekeeping;
use reach::reach;

/// A running proxy.
pub struct Proxy {
    data_plane: DataPlane,
    shadow: ShadowWorker,
    recorder: Arc<Recorder>,
    housekeeping: Housekeeping,
    fallback: FallbackThread,
    admin: AdminThread,
    draining: Arc<AtomicBool>,
    drain: Duration,
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
    #[error("the operating system gives no randomness: {0}")]
    Randomness(#[source] getrandom::Error),
    #[error("{0}")]
    Redaction(#[from] diff_harness::redact::JsonPatternError),
}

struct AdminThread {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    thread: JoinHandle<()>,
}

const SALT: &str = "cohort.salt";
/// How long the comparisons that are on their way may take at the end, and the last write.
const RECORD_PATIENCE: Duration = Duration::from_secs(10);
const FLUSH_PATIENCE: Duration = Duration::from_secs(2);
/// Requests that block (on the store) at once; others wait.
const ADMIN_BLOCKING_MAX: usize = 8;

impl Proxy {
    /// Starts everything. When it has returned, connections are taken, for clients and for the admin API.
    ///
    /// `source` is where the config came from, to read the rules again.
    pub fn start(
        config: Config,
        source: ConfigSource,
        clock: fn() -> UnixMillis,
    ) -> Result<Self, ServeError> {
        let started = clock();
        let store: Arc<dyn Store> = Arc::new(Ledger::open(&config.store, config.retention)?);
        let listener = TcpListener::bind(config.admin.address).map_err(|source| ServeError::Listen {
            what: "the admin API",
            address: config.admin.address.to_string(),
            source,
        })?;
        let data_plane = config.data_plane;
        nobody_listens(&data_plane.listeners)?;
        let upstreams = Upstreams::start(&data_plane.control, data_plane.candidate.as_ref());
        let upstreams = Arc::new(upstreams?);
        let cohorts = Cohorts { salt: salt(store.as_ref())?, groups: config.groups };

        let rule_ids = Arc::new(ArcSwap::from_pointee(ids(&config.rules)));
        let registry = Arc::new(CounterRegistry::new());
        let matching = config.matching;
        let table: SharedTable = RouteTable::build(&[], &registry, matching, &cohorts).into_shared();
        let epoch = epoch::kept_epoch(store.as_ref())?;
        let (fallback, alarms) = FallbackHandle::new(config.fallback, Instant::now());
        let effects = record::Effects {
            fallback: fallback.clone(),
            judge: Box::new(RulesJudge::new(config.rules)),
            redactor: Redactor::new(
                &config.redaction,
                RedactionKey::random().map_err(ServeError::Randomness)?,
            )?,
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
            let candidate = config.candidate.clone();
            Arc::new(
                Control::open(
                    Arc::clone(&store),
                    config.policy,
                    control::Effects {
                        publish: Box::new(move |routes| {
                            table.store(Arc::new(RouteTable::build(routes, &registry, matching, &cohorts)));
                        }),
                        reach_candidate: Box::new(move || reach(&candidate)),
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
        let before = Before::read(store.as_ref())?;

        let fallback_thread = FallbackThread::start(fallback.clone(), alarms, Arc::clone(&control))
            .map_err(ServeError::Thread)?;
        let paths = data_plane.paths;
        let outlets = Outlets {
            shadow: shadow_handle.clone(),
            undeclared: recorder.undeclared(),
            fallback: fallback.clone(),
        };
        let data_plane = data_plane::start(data_plane, Arc::clone(&upstreams), Arc::clone(&table), outlets)?;
        let draining = Arc::new(AtomicBool::new(false));
        let api = Api {
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
            before,
            refusals: Arc::clone(data_plane.refusals()),
            shadow: shadow_handle,
            upstreams,
            counts: Arc::clone(data_plane.counts()),
            effects: ApiEffects {
                reload_rules: {
                    let (recorder, rule_ids) = (Arc::clone(&recorder), Arc::clone(&rule_ids));
                    Box::new(move || reload_rules(&source, &recorder, &rule_ids))
                },
                rules: Box::new(move || rule_ids.load().as_ref().clone()),
                reach_control: {
                    let (control, draining) = (config.control, Arc::clone(&draining));
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
        };
        let admin = AdminThread::start(listener, api).map_err(ServeError::Thread)?;
        let housekeeping =
            Housekeeping::start(store, Arc::clone(&recorder), clock).map_err(ServeError::Thread)?;
        Ok(Self {
            data_plane,
            shadow,
            recorder,
            housekeeping,
            fallback: fallback_thread,
            admin,
            draining,
            drain: config.drain,
        })
    }

    /// Where clients connect, with the ports that were taken for 0.
    pub fn listening(&self) -> &[Listening] {
        self.data_plane.listening()
    }

    /// The TCP addresses of these.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.data_plane.addrs()
    }

    /// Where the admin API is, with the port that was taken for 0.
    pub fn admin(&self) -> SocketAddr {
        self.admin.address
    }

    /// Answers what is being answered, finishes what is being compared, and writes everything. Takes at most the
    /// configured time for the first, and some seconds for the rest.
    ///
    /// How many requests were cut because they did not end in time.
    pub async fn drain(self) -> usize {
        self.draining.store(true, Ordering::Release);
        let drained = self.data_plane.drain(self.drain).await;
        let (shadow, recorder) = (self.shadow, self.recorder);
        let ending = tokio::task::spawn_blocking(move || {
            shadow.drain(RECORD_PATIENCE);
            if let Err(error) = recorder.drain(RECORD_PATIENCE) {
                tracing::error!(%error, "not everything that was observed could be written before the end");
            }
            self.fallback.stop();
            self.housekeeping.stop();
            self.admin.stop();
        });
        if ending.await.is_err() {
            tracing::error!("ending in order failed: a bug in Strangler");
        }
        drained.cut
    }
}

impl AdminThread {
    fn start(listener: TcpListener, api: Api) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let (stop, stopped) = watch::channel(false);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(ADMIN_BLOCKING_MAX)
            .thread_name("admin-work")
            .build()?;
        let api = Arc::new(api);
        let site = Arc::new(Site::new(Arc::clone(&api), stopped.clone())?);
        let router = pages::hardened(admin::router(api).merge(pages::router(Arc::clone(&site))));
        let thread = std::thread::Builder::new().name("admin".to_owned()).spawn(move || {
            let serving = async {
                let pulse = tokio::spawn(site.keep_pulse());
                let served = admin::serve(listener, router, stopped).await;
                pulse.abort();
                served
            };
            if let Err(error) = runtime.block_on(serving) {
                tracing::error!(%error, "the admin API ended");
            }
        })?;
        Ok(Self { address, stop, thread })
    }

    fn stop(self) {
        self.stop.send_replace(true);
        if self.thread.join().is_err() {
            tracing::error!("the admin thread panicked: a bug in Strangler");
        }
    }
}

/// The threads share one address (SO_REUSEPORT), and the kernel would let another process share it too, unasked.
fn nobody_listens(listeners: &[Listener]) -> Result<(), ServeError> {
    for address in listeners.iter().filter_map(|listener| listener.address.tcp()) {
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
    let judge = RulesJudge::new(config.rules);
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
