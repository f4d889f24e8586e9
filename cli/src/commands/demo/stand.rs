//! What runs during a demo: the estate, and the proxy before it with a config of its own.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use diff_harness::exchange::Outcome as Observed;
use estate_traffic::ask::Ask;
use estate_traffic::client::Client;
use estate_traffic::persona::Persona;
use http::{HeaderMap, Method};
use playlists_vas::regressions::Regression;
use serde_json::Value;
use strangler_proxy::admin::wire::StatusView;
use strangler_proxy::config::{ConfigSource, Overrides};
use strangler_proxy::inventory::{Import, openapi};
use strangler_proxy::serve::Proxy;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::estate::Estate;
use super::pace::Pace;
use crate::client::Admin;
use crate::commands::serve::now;
use crate::exit::Failure;

pub(super) struct Stand {
    runtime: Runtime,
    pub(super) estate: Estate,
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

impl Stand {
    pub(super) fn start(
        seed: u64,
        regressions: &[Regression],
        pace: &Pace,
        keep: bool,
    ) -> Result<Self, Failure> {
        let directory =
            tempfile::Builder::new().prefix("strangler-demo-").tempdir().map_err(Failure::error)?;
        let directory = if keep { Directory::Kept(directory.keep()) } else { Directory::Gone(directory) };
        let runtime =
            tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Failure::error)?;
        let estate = runtime.block_on(Estate::start(directory.path(), seed, regressions))?;
        let path = directory.path().join("strangler.toml");
        let config = pace
            .config()
            .replace("{control}", &format!("http://{}", estate.monolith))
            .replace("{candidate}", &format!("http://{}", estate.service));
        std::fs::write(&path, config).map_err(Failure::error)?;
        let source = ConfigSource { path: Some(path), overrides: Overrides::default() };
        let config = source.load().map_err(Failure::error)?;
        let proxy = Proxy::start(config, source, now).map_err(Failure::error)?;
        let admin = Admin::new(&format!("http://{}", proxy.admin()), None)?.acting_as("demo");
        Ok(Self { runtime, estate, proxy, admin, directory })
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
        let Estate { monolith, service, .. } = &self.estate;
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
            let text = self.fetch(path, HeaderMap::new())?;
            openapi::import_under(&text, path, mount).map_err(Failure::error)
        };
        DOCUMENTS.into_iter().map(import).collect()
    }

    /// Asks the monolith itself, not through the proxy.
    pub(super) fn fetch(&self, target: &str, headers: HeaderMap) -> Result<String, Failure> {
        let ask = Ask {
            endpoint: 0,
            persona: Persona::Anonymous,
            method: Method::GET,
            target: target.to_owned(),
            headers,
            body: bytes::Bytes::new(),
            playlist: None,
        };
        let answer = self.runtime.block_on(Client::new(self.estate.monolith).ask(&ask));
        match answer.outcome {
            Observed::Response(response) if response.status.is_success() => {
                Ok(String::from_utf8_lossy(response.body.kept()).into_owned())
            }
            Observed::Response(response) => {
                Err(Failure::error(format!("the monolith answered {target} with {}", response.status)))
            }
            Observed::Failure(failure) => {
                Err(Failure::error(format!("the monolith did not answer {target}: {failure:?}")))
            }
        }
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
        self.estate.kill_service();
    }

    pub(super) fn revive_service(&mut self) -> Result<(), Failure> {
        self.runtime.block_on(self.estate.revive_service())
    }

    pub(super) fn wait_for_interrupt(&self) {
        // Where signals cannot be listened to there is nothing to wait for.
        let _ = self.runtime.block_on(tokio::signal::ctrl_c());
    }

    pub(super) fn stop(self) {
        self.runtime.block_on(async {
            self.proxy.drain().await;
            self.estate.stop().await;
        });
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
