//! A proxy with all that stands behind it, for one test.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use diff_harness::exchange::UnixMillis;
use diff_harness::lifecycle::{Declaration, Hold, Route, Stage, Standing};
use diff_harness::store::Tally;
use strangler_proxy::counters::Snapshot;
use strangler_proxy::data_plane::upstream::LookUp;
use strangler_proxy::data_plane::{
    self, DataPlane, DataPlaneConfig, Drained, Outlets, UpstreamConfig, Upstreams,
};
use strangler_proxy::routes::MatchPolicy;
use strangler_proxy::routes::cohort::Cohorts;
use strangler_proxy::routes::table::{RouteTable, SharedTable};

use super::client::Client;
use super::origin::Origin;
use crate::shadow::rig::{PATIENCE, Rig, Setup, eventually};

pub(super) struct Proxy {
    pub address: SocketAddr,
    pub rig: Rig,
    pub upstreams: Arc<Upstreams>,
    table: SharedTable,
    plane: Option<DataPlane>,
}

pub(super) struct Plan {
    control: SocketAddr,
    candidate: Option<SocketAddr>,
    routes: Vec<Route>,
    config: Vec<Change>,
    look_up: Option<LookUp>,
}

type Change = Box<dyn FnOnce(&mut DataPlaneConfig)>;

impl Plan {
    pub(super) fn new(control: SocketAddr) -> Self {
        Self { control, candidate: None, routes: Vec::new(), config: Vec::new(), look_up: None }
    }

    pub(super) fn candidate(mut self, candidate: &Origin) -> Self {
        self.candidate = Some(candidate.address);
        self
    }

    pub(super) fn candidate_at(mut self, candidate: SocketAddr) -> Self {
        self.candidate = Some(candidate);
        self
    }

    pub(super) fn endpoint(mut self, endpoint: &str, stage: Stage) -> Self {
        self.routes.push(route(endpoint, stage));
        self
    }

    pub(super) fn with(mut self, change: impl FnOnce(&mut DataPlaneConfig) + 'static) -> Self {
        self.config.push(Box::new(change));
        self
    }

    /// Names have the addresses that this says.
    pub(super) fn resolver(mut self, look_up: LookUp) -> Self {
        self.look_up = Some(look_up);
        self
    }

    pub(super) fn start(self) -> Proxy {
        let control = UpstreamConfig::new(self.control.to_string());
        let mut config = DataPlaneConfig::new("127.0.0.1:0".parse().unwrap(), control);
        config.threads = NonZeroUsize::MIN;
        config.candidate = self.candidate.map(|candidate| UpstreamConfig::new(candidate.to_string()));
        config.control.be_patient();
        config.candidate.iter_mut().for_each(UpstreamConfig::be_patient);
        config.timeouts.head = PATIENCE;
        for change in self.config {
            change(&mut config);
        }
        let (control, candidate) = (&config.control, config.candidate.as_ref());
        let upstreams = match &self.look_up {
            Some(look_up) => Upstreams::start_with(control, candidate, look_up),
            None => Upstreams::start(control, candidate),
        };
        let upstreams = Arc::new(upstreams.unwrap());
        let rig = Setup { upstreams: Some(Arc::clone(&upstreams)), ..Setup::default() }.start();
        let table =
            RouteTable::build(&self.routes, &rig.registry, MatchPolicy::default(), &Cohorts::default())
                .into_shared();
        let outlets = Outlets {
            shadow: rig.shadow.clone(),
            undeclared: rig.recorder.undeclared(),
            fallback: rig.fallback.clone(),
        };
        let plane = data_plane::start(config, Arc::clone(&upstreams), Arc::clone(&table), outlets).unwrap();
        Proxy { address: plane.addrs()[0], rig, upstreams, table, plane: Some(plane) }
    }
}

/// What is well is given all the time that a busy machine may need for it. A test that is about a timeout sets that one.
trait Patient {
    fn be_patient(&mut self);
}

impl Patient for UpstreamConfig {
    fn be_patient(&mut self) {
        self.connect_timeout = PATIENCE;
        self.head_timeout = PATIENCE;
        self.wait_max = PATIENCE;
        self.idle_timeout = PATIENCE;
    }
}

impl Proxy {
    /// In front of control alone, with no endpoint declared.
    pub(super) fn to(control: &Origin) -> Self {
        Plan::new(control.address).start()
    }

    pub(super) fn client(&self) -> Client {
        Client::connect(self.address)
    }

    pub(super) fn plane(&self) -> &DataPlane {
        self.plane.as_ref().unwrap()
    }

    /// Moves all endpoints to where `routes` says, as a flip does.
    pub(super) fn swap(&self, routes: &[Route]) {
        self.table.store(Arc::new(RouteTable::build(
            routes,
            &self.rig.registry,
            MatchPolicy::default(),
            &Cohorts::default(),
        )));
    }

    /// How often this refusal was counted.
    pub(super) fn refused(&self, reason: &str) -> u64 {
        self.plane().refusals().by_reason().find(|(word, _)| *word == reason).map_or(0, |(_, count)| count)
    }

    /// What became of all requests, once all have come to an end.
    pub(super) fn tally(&self) -> Tally {
        self.rig.settled()
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        self.rig.registry.total()
    }

    pub(super) fn drain(mut self, within: Duration) -> Drained {
        let plane = self.plane.take().unwrap();
        runtime().block_on(plane.drain(within))
    }

    /// Drains on another thread, for a test that goes on meanwhile.
    pub(super) fn drain_meanwhile(&mut self, within: Duration) -> std::thread::JoinHandle<Drained> {
        let plane = self.plane.take().unwrap();
        std::thread::spawn(move || runtime().block_on(plane.drain(within)))
    }
}

/// Every request of every test came to one end.
impl Drop for Proxy {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            eventually(|| self.rig.registry.total().pending() == 0);
        }
    }
}

pub(super) fn route(endpoint: &str, stage: Stage) -> Route {
    Route {
        endpoint: endpoint.parse().unwrap(),
        standing: Standing { stage, hold: Hold::None },
        revision: 1,
        since: UnixMillis(0),
        declaration: Declaration::default(),
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}
