//! Control, a candidate, and everything that `strangler serve` starts between them and the clients.

use std::sync::atomic::{AtomicU64, Ordering};

use diff_harness::exchange::UnixMillis;
use diff_harness::ledger::{Ledger, Retention};
use serde_json::{Value, json};
use strangler_proxy::config::{Config, ConfigSource, Overrides};
use strangler_proxy::serve;
use tempfile::TempDir;

use crate::data_plane::client::Client;
use crate::data_plane::origin::{Origin, Received};
use crate::shadow::rig::eventually;

pub(crate) struct Estate {
    pub control: Origin,
    pub candidate: Origin,
    dir: TempDir,
    config: String,
    proxy: Option<serve::Proxy>,
}

impl Estate {
    /// `config` is added to what names both sides.
    pub(crate) fn start(control: Origin, candidate: Origin, config: &str) -> Self {
        let upstreams = Self::upstreams(&control, &candidate);
        Self::start_at(control, candidate, &upstreams, config)
    }

    /// The same with upstreams that are declared in another way.
    pub(crate) fn start_at(control: Origin, candidate: Origin, upstreams: &str, config: &str) -> Self {
        Self::start_on(2, control, candidate, upstreams, config)
    }

    /// The same on one thread, which has all limits of requests for itself.
    pub(crate) fn start_alone(control: Origin, candidate: Origin, config: &str) -> Self {
        let upstreams = Self::upstreams(&control, &candidate);
        Self::start_on(1, control, candidate, &upstreams, config)
    }

    fn upstreams(control: &Origin, candidate: &Origin) -> String {
        format!("control = \"http://{}\"\ncandidate = \"http://{}\"\n", control.address, candidate.address)
    }

    fn start_on(threads: usize, control: Origin, candidate: Origin, upstreams: &str, config: &str) -> Self {
        let config = format!(
            "{config}\n[listen]\naddress = \"127.0.0.1:0\"\nthreads = {threads}\n[admin]\naddress = \"127.0.0.1:0\"\n\
             [upstreams]\n{upstreams}"
        );
        let dir = tempfile::tempdir().unwrap();
        let mut estate = Self { control, candidate, dir, config, proxy: None };
        estate.run();
        estate
    }

    fn run(&mut self) {
        let path = self.dir.path().join("strangler.toml");
        let config = Config::parse(&path, &self.config, &Overrides::default()).unwrap();
        self.proxy = Some(serve::Proxy::start(config, ConfigSource::default(), now).unwrap());
    }

    pub(crate) fn restart(&mut self) {
        self.stop();
        // The last thread lets go of the store a moment after the drain.
        eventually(|| Ledger::open(self.dir.path().join("strangler.db"), Retention::default()).is_ok());
        self.run();
    }

    fn stop(&mut self) {
        if let Some(proxy) = self.proxy.take() {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(proxy.drain());
        }
    }

    fn proxy(&self) -> &serve::Proxy {
        self.proxy.as_ref().unwrap()
    }

    pub(crate) fn client(&self) -> Client {
        Client::connect(self.proxy().addresses()[0])
    }

    /// Asks the admin API; the envelope of its answer.
    pub(crate) fn ask(&self, path: &str) -> Value {
        self.admin(&format!("GET /api/v1/{path} HTTP/1.1\r\nHost: localhost\r\n\r\n"))
    }

    pub(crate) fn tell(&self, path: &str, body: &Value) -> Value {
        let body = body.to_string();
        self.admin(&format!(
            "POST /api/v1/{path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        ))
    }

    fn admin(&self, request: &str) -> Value {
        let mut client = Client::connect(self.proxy().admin());
        client.send(request);
        serde_json::from_slice(&client.response().body).unwrap()
    }

    pub(crate) fn metrics(&self) -> String {
        let mut client = Client::connect(self.proxy().admin());
        client.send("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
        client.response().text().to_owned()
    }

    /// Declares an endpoint and brings it to a stage, whatever the gate says.
    pub(crate) fn at(&self, endpoint: &str, stage: &str) {
        let declared =
            self.tell("routes", &json!({ "endpoints": [{ "endpoint": endpoint, "source": "test" }] }));
        assert!(declared["error"].is_null(), "{declared}");
        let moved = self.force(endpoint, stage);
        assert!(moved["error"].is_null(), "{moved}");
    }

    pub(crate) fn promote(&self, endpoint: &str, stage: &str) -> Value {
        self.tell("promote", &json!({ "endpoint": endpoint, "to": stage }))
    }

    pub(crate) fn force(&self, endpoint: &str, stage: &str) -> Value {
        self.tell("promote", &json!({ "endpoint": endpoint, "to": stage, "force": true, "reason": "a test" }))
    }

    pub(crate) fn resume(&self, endpoint: &str, reason: &str) -> Value {
        self.tell("resume", &json!({ "endpoint": endpoint, "reason": reason }))
    }

    pub(crate) fn route(&self, endpoint: &str) -> Value {
        let route = self.ask(&format!("route?endpoint={}", endpoint.replace(' ', "%20")));
        assert!(route["error"].is_null(), "{route}");
        route["data"].clone()
    }

    pub(crate) fn hold(&self, endpoint: &str) -> String {
        self.route(endpoint)["hold"].as_str().unwrap().to_owned()
    }

    /// Waits until it stands in the audit log that the endpoint fell back; that transition.
    pub(crate) fn fallen_back(&self, endpoint: &str) -> Value {
        let newest = || self.ask("transitions?limit=1")["data"]["transitions"][0].clone();
        eventually(|| newest()["to"]["hold"] == "fallback");
        let transition = newest();
        assert_eq!(transition["endpoint"], endpoint, "{transition}");
        transition
    }

    /// Waits for a group; the first. What an endpoint falls back for is acted upon before it is written down.
    pub(crate) fn group(&self) -> Value {
        let first = || self.ask("groups")["data"]["groups"][0].clone();
        eventually(|| !first().is_null());
        first()
    }

    /// Waits until every request has come to its end.
    pub(crate) fn settled(&self) {
        eventually(|| self.ask("status")["data"]["pending"] == 0);
    }
}

impl Drop for Estate {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Whether it is the proxy that asks, and no client waits for the answer.
pub(crate) fn is_shadow(request: &Received) -> bool {
    request.field("x-strangler-shadow").is_some()
}

pub(crate) fn json_of(body: &str) -> String {
    status_of(200, body)
}

pub(crate) fn status_of(status: u16, body: &str) -> String {
    format!(
        "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// A clock that goes on by itself, so that nothing depends on the time of day.
fn now() -> UnixMillis {
    static CLOCK: AtomicU64 = AtomicU64::new(1_800_000_000_000);
    UnixMillis(CLOCK.fetch_add(1, Ordering::Relaxed))
}
