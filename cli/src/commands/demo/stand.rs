//! What runs during a demo: the estate, and the proxy before it with a config of its own.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use estate_traffic::estate::{self, EstateError, Monolith, Services, Setup};
use mothership::seed::{self, Scale};
use playlists_vas::regressions::{Regression, Regressions};
use serde_json::Value;
use strangler_proxy::admin::wire::StatusView;
use strangler_proxy::config::{ConfigSource, Overrides};
use strangler_proxy::inventory::{Import, openapi};
use strangler_proxy::serve::Proxy;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::pace::Pace;
use super::pair::Rehearsal;
use crate::client::Admin;
use crate::commands::serve::now;
use crate::exit::Failure;

pub(super) struct Stand {
    runtime: Runtime,
    pub(super) monolith: Monolith,
    services: Services,
    service: SocketAddr,
    /// What the suite of writes found on an isolated pair, before.
    pub(super) rehearsal: Rehearsal,
    proxy: Proxy,
    admin: Admin,
    directory: Directory,
}

enum Directory {
    Gone(TempDir),
    Kept(PathBuf),
}

/// Every document with the place where its dialect is mounted.
const DOCUMENTS: [(&str, &str); 3] =
    [("", "/openapi.json"), ("/mobile", "/mobile/openapi.json"), ("/web", "/web/openapi.json")];
/// How long the last comparisons may take to end.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// How often it is looked whether somebody wants it to end.
const LISTEN_EVERY: Duration = Duration::from_millis(50);

impl Stand {
    pub(super) fn start(
        seed: u64,
        regressions: &[Regression],
        pace: &Pace,
        keep: bool,
        stop: &AtomicBool,
    ) -> Result<Self, Failure> {
        let directory =
            tempfile::Builder::new().prefix("strangler-demo-").tempdir().map_err(Failure::error)?;
        let directory = if keep { Directory::Kept(directory.keep()) } else { Directory::Gone(directory) };
        let runtime =
            tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Failure::error)?;
        let database = directory.path().join("mothership.sqlite");
        seed::generate(&database, Scale::Small, seed, &mut |_| {}).map_err(Failure::error)?;
        let rehearsal = Rehearsal::run(&runtime, &database, regressions, stop)?;
        let started: Result<_, EstateError> = runtime.block_on(async {
            let monolith = Monolith::start(&database).await?;
            let services = Services::start(Setup {
                monolith: monolith.address(),
                regressions: Regressions::new(regressions.iter().copied()),
                identity_keep: Duration::ZERO,
            });
            Ok((monolith, services.await?))
        });
        let (monolith, services) = started.map_err(Failure::error)?;
        let service = services.playlists().expect("it was just started");
        let path = directory.path().join("strangler.toml");
        let config = pace
            .config()
            .replace("{control}", &format!("http://{}", monolith.address()))
            .replace("{candidate}", &format!("http://{service}"));
        std::fs::write(&path, config).map_err(Failure::error)?;
        let source = ConfigSource { path: Some(path), overrides: Overrides::default() };
        let config = source.load().map_err(Failure::error)?;
        let proxy = Proxy::start(config, source, now).map_err(Failure::error)?;
        let admin = Admin::new(&format!("http://{}", proxy.admin()), None)?.acting_as("demo");
        Ok(Self { runtime, monolith, services, service, rehearsal, proxy, admin, directory })
    }

    pub(super) fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    pub(super) fn admin(&self) -> &Admin {
        &self.admin
    }

    /// Where clients connect.
    pub(super) fn address(&self) -> SocketAddr {
        self.proxy.addresses()[0]
    }

    pub(super) fn where_to_look(&self) -> String {
        let (monolith, service) = (self.monolith.address(), self.service);
        let mut text = format!(
            "proxy http://{}, before the monolith http://{monolith} and the service http://{service}; look at \
             http://{} or with --admin http://{}",
            self.address(),
            self.proxy.admin(),
            self.proxy.admin()
        );
        if let Directory::Kept(path) = &self.directory {
            text.push_str(&format!("; files in {}", path.display()));
        }
        text
    }

    /// Where the report goes without being asked for.
    pub(super) fn report_file(&self) -> Option<PathBuf> {
        match &self.directory {
            Directory::Kept(path) => Some(path.join("report.html")),
            Directory::Gone(_) => None,
        }
    }

    /// The endpoints that the monolith's own documents declare.
    pub(super) fn documents(&self) -> Result<Vec<Import>, Failure> {
        let import = |(mount, path): (&str, &str)| {
            let fetched = self.runtime.block_on(estate::fetch(self.monolith.address(), path, None));
            let text = fetched.map_err(Failure::error)?;
            openapi::import_under(&text, path, mount).map_err(Failure::error)
        };
        DOCUMENTS.into_iter().map(import).collect()
    }

    /// How often the monolith's own handlers were called since it started, by endpoint.
    pub(super) fn calls(&self) -> Result<BTreeMap<String, u64>, Failure> {
        self.runtime.block_on(estate::calls(self.monolith.address())).map_err(Failure::error)
    }

    /// Waits until every request that was sent is compared, skipped or dropped.
    pub(super) fn settle(&self) -> Result<(), Failure> {
        let until = Instant::now() + PATIENCE;
        loop {
            let status: StatusView = self.admin.get("/api/v1/status", &[])?;
            if status.pending == 0 {
                let _: Value = self.admin.post("/api/v1/flush", &serde_json::json!({}))?;
                return Ok(());
            }
            if Instant::now() > until {
                return Err(Failure::error(format!(
                    "{} requests did not end within a minute",
                    status.pending
                )));
            }
            std::thread::sleep(LOOK_EVERY);
        }
    }

    /// Ends the service at once; to be called inside of the runtime.
    pub(super) fn kill_service(&mut self) {
        self.services.kill_playlists();
    }

    pub(super) fn revive_service(&mut self) -> Result<(), Failure> {
        self.runtime.block_on(self.services.revive_playlists(self.service)).map_err(Failure::error)
    }

    pub(super) fn wait_for_interrupt(&self, stop: &AtomicBool) {
        while !stop.load(Ordering::Relaxed) {
            std::thread::sleep(LISTEN_EVERY);
        }
    }

    pub(super) fn stop(self) -> Result<(), Failure> {
        self.runtime.block_on(async {
            self.proxy.drain().await;
            self.services.stop().await;
            self.monolith.stop().await.map_err(Failure::error)
        })
    }
}

impl Directory {
    fn path(&self) -> &std::path::Path {
        match self {
            Self::Gone(directory) => directory.path(),
            Self::Kept(path) => path,
        }
    }
}
