//! The reference estate: the monolith over a seeded database, and what is to take its playlist endpoints over.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use mothership::domain::Clock;
use mothership::seed::{self, Scale};
use mothership::server::{self, Options};
use mothership::store::Store;
use playlists_vas::foundation::{FoundationConfig, Limits};
use playlists_vas::regressions::{Regression, Regressions};
use playlists_vas::server::{Playlists, PlaylistsConfig};
use playlists_vas::tracks::{Tracks, TracksConfig};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::exit::Failure;

/// Everything that the proxy stands before.
pub(super) struct Estate {
    pub(super) monolith: SocketAddr,
    pub(super) service: SocketAddr,
    /// The monolith's, so that clients know what there is to ask for.
    pub(super) store: Store,
    stop: watch::Sender<bool>,
    server: JoinHandle<()>,
    tracks: Tracks,
    /// None while it is dead.
    playlists: Option<Playlists>,
    regressions: Vec<Regression>,
}

/// Time stands still, so that two runs of one seed are told the same.
const NOW: &str = "2026-01-01T00:00:00Z";
/// For requests under way when it ends.
const DRAIN: Duration = Duration::from_secs(2);
/// What the services show to the monolith and to one another.
pub(super) const SERVICE_TOKEN: &str = "svc-demo";
/// Asks the service for a dry run.
pub(super) const DRY_RUN_HEADER: &str = "x-dry-run";
const ANY_PORT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

impl Estate {
    pub(super) async fn start(
        directory: &Path,
        seed: u64,
        regressions: &[Regression],
    ) -> Result<Self, Failure> {
        let path = directory.join("mothership.sqlite");
        seed::generate(&path, Scale::Small, seed, &mut |_| {}).map_err(Failure::error)?;
        let store = Store::open(&path).map_err(Failure::error)?;
        let (stop, _) = watch::channel(false);
        let (monolith, server) = monolith(&store, &stop).await?;
        let tracks = Tracks::start(tracks(monolith, regressions)).await.map_err(Failure::error)?;
        let config = playlists(ANY_PORT, monolith, tracks.address(), regressions);
        let playlists = Playlists::start(config).await.map_err(Failure::error)?;
        Ok(Self {
            monolith,
            service: playlists.address(),
            store,
            stop,
            server,
            tracks,
            playlists: Some(playlists),
            regressions: regressions.to_vec(),
        })
    }

    /// Ends the service at once, whatever it is doing.
    pub(super) fn kill_service(&mut self) {
        if let Some(playlists) = self.playlists.take() {
            playlists.kill();
        }
    }

    /// The service again, where it was.
    pub(super) async fn revive_service(&mut self) -> Result<(), Failure> {
        let config = playlists(self.service, self.monolith, self.tracks.address(), &self.regressions);
        self.playlists = Some(Playlists::start(config).await.map_err(Failure::error)?);
        Ok(())
    }

    pub(super) async fn stop(self) {
        if let Some(playlists) = self.playlists {
            playlists.stop().await;
        }
        self.tracks.stop().await;
        self.stop.send_replace(true);
        // One that panicked has said so already.
        let _ = self.server.await;
    }
}

async fn monolith(
    store: &Store,
    stop: &watch::Sender<bool>,
) -> Result<(SocketAddr, JoinHandle<()>), Failure> {
    let listener = TcpListener::bind(ANY_PORT).await.map_err(Failure::error)?;
    let address = listener.local_addr().map_err(Failure::error)?;
    let now = NOW.parse().expect("the constant is a time");
    let options = Options { clock: Clock::Fixed(now), service_token: SERVICE_TOKEN.to_owned(), drain: DRAIN };
    let (store, mut stopped) = (store.clone(), stop.subscribe());
    let server = tokio::spawn(async move {
        let told = async move {
            let _ = stopped.wait_for(|stop| *stop).await;
        };
        if let Err(error) = server::run(listener, store, options, told).await {
            tracing::error!(%error, "the monolith ended");
        }
    });
    Ok((address, server))
}

fn foundation(monolith: SocketAddr) -> FoundationConfig {
    FoundationConfig {
        authority: monolith.to_string(),
        service_token: SERVICE_TOKEN.to_owned(),
        limits: Limits::default(),
    }
}

fn tracks(monolith: SocketAddr, regressions: &[Regression]) -> TracksConfig {
    TracksConfig {
        listen: ANY_PORT,
        foundation: foundation(monolith),
        service_token: SERVICE_TOKEN.to_owned(),
        regressions: Regressions::new(regressions.iter().copied()),
        drain: DRAIN,
    }
}

fn playlists(
    listen: SocketAddr,
    monolith: SocketAddr,
    tracks: SocketAddr,
    regressions: &[Regression],
) -> PlaylistsConfig {
    PlaylistsConfig {
        listen,
        foundation: foundation(monolith),
        tracks: playlists_vas::gateways::TracksConfig {
            url: format!("http://{tracks}"),
            service_token: SERVICE_TOKEN.to_owned(),
            deadline: Duration::from_secs(5),
            calls_max: 64,
        },
        service_token: SERVICE_TOKEN.to_owned(),
        dry_run_header: http::HeaderName::from_static(DRY_RUN_HEADER),
        identity_keep: Duration::ZERO,
        cache_entries_max: 10_000,
        regressions: Regressions::new(regressions.iter().copied()),
        drain: DRAIN,
    }
}
