//! A running `strangler serve` in front of two servers, and the commands that are run against it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::upstream::{Answer, Upstream};

/// What a condition may take before the test gives up on it.
const PATIENCE: Duration = Duration::from_secs(60);

/// Nobody listens there: the system gives ports below 1024 to nobody who asks for any.
pub(crate) const NOBODY: &str = "127.0.0.1:1";

/// Five comparisons are enough, of one request too; how fast the two are says nothing on a machine that tests share.
const POLICY: &str = "[policy]\np0 = \"5%\"\np1 = \"50%\"\nsame_request = \"100%\"\nlatency = \"state\"\n";

pub(crate) struct Rig {
    pub(crate) dir: TempDir,
    pub(crate) control: Upstream,
    pub(crate) candidate: Upstream,
    proxy: Option<Proxy>,
}

pub(crate) struct Proxy {
    child: Child,
    pub(crate) listening: String,
    pub(crate) admin: String,
}

/// What a command said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// What came back from a plain HTTP request.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    /// Status line and fields, as they came.
    pub(crate) head: String,
    pub(crate) body: String,
}

/// The same on both sides under `/same`; another title elsewhere; one member more under `/leak`.
pub(crate) fn control(target: &str) -> (u16, String) {
    match target {
        _ if target.starts_with("/same") => (200, r#"{"id":1}"#.to_owned()),
        _ => (200, r#"{"title":"from control"}"#.to_owned()),
    }
}

pub(crate) fn candidate(target: &str) -> (u16, String) {
    match target {
        _ if target.starts_with("/same") => (200, r#"{"id":1}"#.to_owned()),
        _ if target.starts_with("/leak") => (200, r#"{"title":"from control","private":true}"#.to_owned()),
        _ => (200, r#"{"title":"from candidate"}"#.to_owned()),
    }
}

impl Rig {
    /// With a gate that takes five comparisons.
    pub(crate) fn new() -> Self {
        Self::with(control, candidate, "")
    }

    pub(crate) fn with(control: Answer, candidate: Answer, config: &str) -> Self {
        let (control, candidate) = (Upstream::start(control), Upstream::start(candidate));
        let dir = tempfile::tempdir().unwrap();
        let text = format!(
            "{config}\n[upstreams]\ncontrol = \"{}\"\ncandidate = \"{}\"\n[listen]\naddress = \"127.0.0.1:0\"\nthreads = 1\n\
             [admin]\naddress = \"127.0.0.1:0\"\n{POLICY}",
            control.url(),
            candidate.url()
        );
        std::fs::write(dir.path().join("strangler.toml"), text).unwrap();
        std::fs::write(dir.path().join("rules.toml"), "").unwrap();
        let mut rig = Self { dir, control, candidate, proxy: None };
        rig.start();
        rig
    }

    pub(crate) fn start(&mut self) {
        self.proxy = Some(Proxy::start(self.dir.path(), &["serve"]));
    }

    pub(crate) fn proxy(&self) -> &Proxy {
        self.proxy.as_ref().expect("it was started")
    }

    /// As the kernel ends a process that has no say in it.
    pub(crate) fn kill(&mut self) {
        self.proxy.take().expect("it was started").kill();
    }

    /// Another process takes over. Gives the one before, which is ending.
    pub(crate) fn succeed(&mut self) -> Proxy {
        let new = Proxy::start(self.dir.path(), &["serve", "--take-over"]);
        self.proxy.replace(new).expect("it was started")
    }

    /// SIGTERM, and then what it said until it ended.
    pub(crate) fn stop(&mut self) -> i32 {
        self.proxy.take().expect("it was started").stop()
    }

    /// Runs a command against the proxy.
    pub(crate) fn run(&self, words: &[&str]) -> Said {
        self.run_with(words, &[("STRANGLER_ADMIN", &self.proxy().admin)])
    }

    pub(crate) fn run_with(&self, words: &[&str], env: &[(&str, &str)]) -> Said {
        run(self.dir.path(), words, env)
    }

    /// Runs a command that must end with this exit code.
    pub(crate) fn expect(&self, code: i32, words: &[&str]) -> Said {
        let said = self.run(words);
        assert_eq!(said.code, code, "{words:?}: {said:#?}");
        said
    }

    /// What a command says to a script. It must end with this exit code.
    pub(crate) fn json(&self, code: i32, words: &[&str]) -> Value {
        self.expect(code, &[words, &["--format", "json"]].concat()).json()
    }

    pub(crate) fn get(&self, target: &str) -> Answered {
        get(&self.proxy().listening, target)
    }

    pub(crate) fn requests(&self, target: &str, n: usize) {
        for _ in 0..n {
            assert_eq!(self.get(target).status, 200);
        }
        self.settle();
    }

    /// Waits until every request is compared, skipped or dropped.
    pub(crate) fn settle(&self) {
        eventually("every request ends", || self.json(0, &["status"])["data"]["pending"] == 0);
    }

    pub(crate) fn stage(&self, endpoint: &str) -> String {
        let (method, path) = endpoint.split_once(' ').unwrap();
        let shown = self.json(0, &["routes", "show", method, path]);
        shown["data"]["stage"].as_str().unwrap().to_owned()
    }

    /// Declares an endpoint and has it shadowed.
    pub(crate) fn shadowed(&self, path: &str) {
        self.expect(0, &["routes", "add", "GET", path]);
        self.expect(0, &["promote", "GET", path, "--to", "shadow"]);
    }
}

impl Proxy {
    pub(crate) fn start(dir: &Path, words: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_strangler"));
        command.args(words);
        Self::start_by(command, dir)
    }

    /// By a command that ends up as the proxy.
    pub(crate) fn start_by(mut command: Command, dir: &Path) -> Self {
        let mut child = command
            .current_dir(dir)
            .env_remove("STRANGLER_ADMIN")
            .env_remove("STRANGLER_TOKEN")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut address = |before: &str| match lines.next() {
            Some(Ok(line)) => line.strip_prefix(before).unwrap_or_else(|| panic!("{line}")).to_owned(),
            _ => {
                let mut said = String::new();
                child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
                panic!("it did not start: {said}");
            }
        };
        let listening = address("listening on http://");
        let admin = address("admin API on http://");
        // Nobody reads its log; without a reader it would fill the pipe.
        let mut log = child.stderr.take().unwrap();
        std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        Self { child, listening, admin }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it has ended by itself. Its exit code.
    pub(crate) fn ended(mut self) -> i32 {
        self.child.wait().unwrap().code().unwrap_or(-1)
    }

    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(crate) fn stop(mut self) -> i32 {
        let done = Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        assert!(done.success());
        self.child.wait().unwrap().code().unwrap()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Said {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// Runs `strangler` in a directory, as it would be in an empty environment.
pub(crate) fn run(dir: &Path, words: &[&str], env: &[(&str, &str)]) -> Said {
    let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_strangler"));
    command.args(words).current_dir(dir).env_clear().envs(env.iter().copied()).timeout(PATIENCE);
    command.output().unwrap().into()
}

/// One request over a connection of its own.
pub(crate) fn get(address: &str, target: &str) -> Answered {
    raw(address, &format!("GET {target} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n"))
}

/// Sends these bytes, and reads until the other side closes.
pub(crate) fn raw(address: &str, request: &str) -> Answered {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    // The other side may answer and close before it has read everything.
    let _ = stream.write_all(request.as_bytes());
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    Answered { status, head: head.to_owned(), body: body.to_owned() }
}

pub(crate) fn eventually(what: &str, condition: impl Fn() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < PATIENCE, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
