//! The reference estate in this process: the monolith over a database, and the services that are to take its playlist
//! endpoints over. Everything listens on free ports of this machine, and the monolith's clock stands still, so that equal
//! requests get equal answers.

use std::{
    collections::BTreeMap,
    error::Error,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::Path,
    time::Duration,
};

use bytes::Bytes;
use diff_harness::exchange::Outcome;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use mothership::{
    domain::Clock,
    server::{self, Options},
    store::Store,
};
use playlists_vas::{
    foundation::{FoundationConfig, Limits},
    gateways,
    regressions::Regressions,
    server::{Playlists, PlaylistsConfig},
    tracks::{self, Tracks},
};
use serde::Deserialize;
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

use crate::{ask::Ask, client::Client, persona::Persona};

/// Why something did not start, or did not end well.
pub type EstateError = Box<dyn Error + Send + Sync>;

pub struct Monolith {
    address: SocketAddr,
    store: Store,
    stop: oneshot::Sender<()>,
    server: JoinHandle<Result<(), EstateError>>,
}

/// The Tracks VAS, and the Playlists VAS that asks it.
pub struct Services {
    setup: Setup,
    tracks: Tracks,
    /// None while it is dead.
    playlists: Option<Playlists>,
}

/// How the services are started.
#[derive(Clone, Debug)]
pub struct Setup {
    pub monolith: SocketAddr,
    pub regressions: Regressions,
    /// How long the service remembers who a token belongs to.
    pub identity_keep: Duration,
}

/// What the services show to the monolith and to one another.
pub const SERVICE_TOKEN: &str = "svc-local";
/// Asks the service for a dry run.
pub const DRY_RUN: HeaderName = HeaderName::from_static("x-dry-run");
const NOW: &str = "2026-01-01T00:00:00Z";
/// For requests under way at the end.
const DRAIN: Duration = Duration::from_secs(1);
/// Long: a machine that is busy with all of it at once is no fault of a service.
const DEADLINE: Duration = Duration::from_secs(60);
const CALLS_MAX: usize = 64;
const ANY_PORT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

impl Monolith {
    /// # Errors
    /// When this is no database of the monolith, or no port is free.
    pub async fn start(database: &Path) -> Result<Self, EstateError> {
        let store = Store::open(database)?;
        let listener = TcpListener::bind(ANY_PORT).await?;
        let address = listener.local_addr()?;
        let now = NOW.parse().expect("the constant is a time");
        let options =
            Options { clock: Clock::Fixed(now), service_token: SERVICE_TOKEN.to_owned(), drain: DRAIN };
        let (stop, stopped) = oneshot::channel::<()>();
        let (served, told) = (store.clone(), async move {
            // Told, or forgotten: both are the end.
            let _ = stopped.await;
        });
        let server = tokio::spawn(async move {
            server::run(listener, served, options, told).await?;
            Ok(())
        });
        Ok(Self { address, store, stop, server })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn store(&self) -> &Store {
        &self.store
    }

    /// # Errors
    /// When it had ended by itself before.
    pub async fn stop(self) -> Result<(), EstateError> {
        // One that is gone already needs no telling.
        let _ = self.stop.send(());
        self.server.await?
    }
}

impl Services {
    /// # Errors
    /// When one of them does not start.
    pub async fn start(setup: Setup) -> Result<Self, EstateError> {
        let tracks = Tracks::start(tracks::TracksConfig {
            listen: ANY_PORT,
            foundation: setup.foundation(),
            service_token: SERVICE_TOKEN.to_owned(),
            regressions: setup.regressions.clone(),
            drain: DRAIN,
        });
        let tracks = tracks.await?;
        let playlists = Playlists::start(setup.playlists(ANY_PORT, tracks.address())).await?;
        Ok(Self { setup, tracks, playlists: Some(playlists) })
    }

    /// Where the Playlists VAS is asked; `None` while it is dead.
    pub fn playlists(&self) -> Option<SocketAddr> {
        self.playlists.as_ref().map(Playlists::address)
    }

    pub fn tracks(&self) -> SocketAddr {
        self.tracks.address()
    }

    /// Ends the Playlists VAS at once, whatever it is doing.
    pub fn kill_playlists(&mut self) {
        if let Some(playlists) = self.playlists.take() {
            playlists.kill();
        }
    }

    /// The Playlists VAS again, where it was.
    ///
    /// # Errors
    /// When somebody else has taken its port meanwhile.
    pub async fn revive_playlists(&mut self, address: SocketAddr) -> Result<(), EstateError> {
        let config = self.setup.playlists(address, self.tracks.address());
        self.playlists = Some(Playlists::start(config).await?);
        Ok(())
    }

    pub async fn stop(self) {
        if let Some(playlists) = self.playlists {
            playlists.stop().await;
        }
        self.tracks.stop().await;
    }
}

impl Setup {
    fn foundation(&self) -> FoundationConfig {
        FoundationConfig {
            authority: self.monolith.to_string(),
            service_token: SERVICE_TOKEN.to_owned(),
            limits: Limits { deadline: DEADLINE, calls_max: CALLS_MAX, answer_bytes_max: 64 << 20 },
        }
    }

    fn playlists(&self, listen: SocketAddr, tracks: SocketAddr) -> PlaylistsConfig {
        PlaylistsConfig {
            listen,
            foundation: self.foundation(),
            tracks: gateways::TracksConfig {
                url: format!("http://{tracks}"),
                service_token: SERVICE_TOKEN.to_owned(),
                deadline: DEADLINE,
                calls_max: CALLS_MAX,
            },
            service_token: SERVICE_TOKEN.to_owned(),
            dry_run_header: DRY_RUN,
            identity_keep: self.identity_keep,
            cache_entries_max: 10_000,
            regressions: self.regressions.clone(),
            drain: DRAIN,
        }
    }
}

#[derive(Deserialize)]
struct Counters {
    operations: Vec<Operation>,
}

#[derive(Deserialize)]
struct Operation {
    method: String,
    path: String,
    requests: u64,
}

/// How often the monolith's own handlers were called since it started, by endpoint. A HEAD request is one to the GET
/// endpoint.
///
/// # Errors
/// When it does not tell.
pub async fn calls(monolith: SocketAddr) -> Result<BTreeMap<String, u64>, EstateError> {
    let token = format!("Bearer {SERVICE_TOKEN}").parse()?;
    let text = fetch(monolith, "/internal/v1/counters", Some(token)).await?;
    let counters: Counters = serde_json::from_str(&text)?;
    let mut calls = BTreeMap::new();
    for Operation { method, path, requests } in counters.operations {
        let method = if method == "HEAD" { "GET" } else { &method };
        *calls.entry(format!("{method} {path}")).or_default() += requests;
    }
    Ok(calls)
}

/// What a server answers to a GET.
///
/// # Errors
/// When it does not answer with success.
pub async fn fetch(
    server: SocketAddr,
    target: &str,
    authorization: Option<HeaderValue>,
) -> Result<String, EstateError> {
    let mut headers = HeaderMap::new();
    headers.insert(header::HOST, HeaderValue::from_static("internal"));
    if let Some(authorization) = authorization {
        headers.insert(header::AUTHORIZATION, authorization);
    }
    let ask = Ask {
        endpoint: 0,
        persona: Persona::Anonymous,
        method: Method::GET,
        target: target.to_owned(),
        headers,
        body: Bytes::new(),
        playlist: None,
    };
    match Client::new(server).ask(&ask).await.outcome {
        Outcome::Response(response) if response.status.is_success() => {
            Ok(String::from_utf8_lossy(response.body.kept()).into_owned())
        }
        Outcome::Response(response) => Err(format!("{target} was answered with {}", response.status).into()),
        Outcome::Failure(failure) => Err(format!("{target} was not answered: {failure:?}").into()),
    }
}
