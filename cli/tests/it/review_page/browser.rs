//! A real headless Chromium, one for all tests of this process, driven over WebDriver.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use fantoccini::key::Key;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

/// What a condition may take before the test gives up on it.
const PATIENCE: Duration = Duration::from_secs(60);

/// One window. Tests take turns.
pub(crate) struct Browser {
    runtime: Runtime,
    client: Client,
    /// Where the driver listens, and the session in it, for what has no command of its own.
    driver: String,
    session: String,
}

/// The driver ends when its standard input does, and so with this process, however that ends; the kernel ends what the
/// driver started with the driver (prctl(2), PR_SET_PDEATHSIG), and nothing stays behind in the folder of temporary files.
const DRIVER: &str = r#"
export TMPDIR="$1"
setpriv --pdeathsig KILL chromedriver --port=0 & driver=$!
cat
kill -KILL $driver
wait $driver 2>/dev/null
for _ in 1 2 3 4 5; do rm -rf "$TMPDIR" && break; sleep 0.2; done
"#;

/// What the driver starts: the browser, which ends with it.
const CHROMIUM: &str = "#!/bin/sh\nexec setpriv --pdeathsig KILL chromium \"$@\"\n";

static BROWSER: LazyLock<Mutex<Browser>> = LazyLock::new(|| Mutex::new(Browser::start()));

/// The browser, with nothing left from the test before.
pub(crate) fn browser() -> MutexGuard<'static, Browser> {
    let browser = BROWSER.lock().unwrap_or_else(PoisonError::into_inner);
    browser.goto("about:blank");
    browser.cdp("Network.enable", json!({}));
    browser.cdp("Network.clearBrowserCookies", json!({}));
    browser.offline(false);
    browser.dark(false);
    browser.size(1280, 900);
    // Of the page that was open when its server went away.
    browser.complaints();
    browser
}

/// A driver that listens, and how long it lives.
struct Driver {
    child: Child,
    address: String,
    /// Its temporary files and those of the browsers that it starts.
    folder: PathBuf,
}

impl Driver {
    fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("strangler-browser-").tempdir().unwrap().keep();
        let chromium = folder.join("chromium");
        std::fs::write(&chromium, CHROMIUM).unwrap();
        std::fs::set_permissions(&chromium, std::fs::Permissions::from_mode(0o755)).unwrap();
        let mut child = Command::new("sh")
            .args(["-c", DRIVER, "sh"])
            .arg(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("there is a shell");
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = loop {
            let line = lines
                .next()
                .expect("chromedriver starts: it is of the Debian package chromium-driver")
                .unwrap();
            if let Some((_, port)) = line.split_once("started successfully on port ") {
                break port.trim_end_matches('.').to_owned();
            }
        };
        Self { child, address: format!("127.0.0.1:{port}"), folder }
    }

    fn client(&self, runtime: &Runtime) -> Client {
        let arguments = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--hide-scrollbars",
        ];
        let capabilities = json!({
            "goog:chromeOptions": {"args": arguments, "binary": self.folder.join("chromium")},
            "goog:loggingPrefs": {"browser": "ALL"},
        });
        let Value::Object(capabilities) = capabilities else { unreachable!("it is written above") };
        runtime
            .block_on(
                ClientBuilder::new(HttpConnector::new())
                    .capabilities(capabilities)
                    .connect(&format!("http://{}", self.address)),
            )
            .expect("Chromium starts: it is of the Debian package chromium")
    }
}

impl Browser {
    fn start() -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let driver = Driver::start();
        let client = driver.client(&runtime);
        let session = runtime.block_on(client.session_id()).unwrap().expect("a session has an id");
        let address = driver.address.clone();
        // Its standard input stays open as long as this process lives.
        Box::leak(Box::new(driver));
        Self { runtime, client, driver: address, session }
    }

    pub(crate) fn goto(&self, url: &str) {
        self.runtime.block_on(self.client.goto(url)).unwrap();
    }

    pub(crate) fn path(&self) -> String {
        let url = self.runtime.block_on(self.client.current_url()).unwrap();
        url.query().map_or(url.path().to_owned(), |query| format!("{}?{query}", url.path()))
    }

    /// What a script returns.
    pub(crate) fn run(&self, script: &str) -> Value {
        self.runtime
            .block_on(self.client.execute(script, Vec::new()))
            .unwrap_or_else(|error| panic!("{script}: {error}"))
    }

    /// What a script hands to its last argument.
    pub(crate) fn run_async(&self, script: &str) -> Value {
        self.runtime
            .block_on(self.client.execute_async(script, Vec::new()))
            .unwrap_or_else(|error| panic!("{error}"))
    }

    /// The text of the first element like that, as it is seen.
    pub(crate) fn text(&self, css: &str) -> String {
        let text = async { self.client.find(Locator::Css(css)).await?.text().await };
        self.runtime.block_on(text).unwrap_or_else(|error| panic!("{css}: {error}\n{}", self.source()))
    }

    pub(crate) fn source(&self) -> String {
        self.runtime.block_on(self.client.source()).unwrap()
    }

    pub(crate) fn click(&self, css: &str) {
        let click = async { self.client.find(Locator::Css(css)).await?.click().await };
        self.runtime.block_on(click).unwrap_or_else(|error| panic!("{css}: {error}\n{}", self.source()));
    }

    /// Presses keys, wherever the focus is. While one page makes way for another it is nowhere.
    pub(crate) fn press(&self, keys: &str) {
        let begun = Instant::now();
        let press = || async { self.client.active_element().await?.send_keys(keys).await };
        while let Err(error) = self.runtime.block_on(press()) {
            assert!(begun.elapsed() < PATIENCE, "{keys}: {error}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub(crate) fn enter(&self) {
        self.press(&char::from(Key::Enter).to_string());
    }

    pub(crate) fn escape(&self) {
        self.press(&char::from(Key::Escape).to_string());
    }

    /// Waits until a script returns true.
    pub(crate) fn until(&self, what: &str, script: &str) {
        let begun = Instant::now();
        // While one page makes way for another there is nothing to ask.
        while self.runtime.block_on(self.client.execute(script, Vec::new())).ok() != Some(Value::Bool(true)) {
            assert!(begun.elapsed() < PATIENCE, "waited in vain until {what}\n{}", self.source());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub(crate) fn until_path(&self, path: &str) {
        let script = format!(
            "return (location.pathname + location.search).startsWith({path:?}) && document.readyState === 'complete'"
        );
        self.until(&format!("it shows {path} (it shows {})", self.path()), &script);
    }

    pub(crate) fn size(&self, width: u32, height: u32) {
        self.runtime.block_on(self.client.set_window_size(width, height)).unwrap();
    }

    pub(crate) fn screenshot(&self) -> Vec<u8> {
        self.runtime.block_on(self.client.screenshot()).unwrap()
    }

    pub(crate) fn dark(&self, dark: bool) {
        let value = if dark { "dark" } else { "light" };
        self.cdp(
            "Emulation.setEmulatedMedia",
            json!({"features": [{"name": "prefers-color-scheme", "value": value}, {"name": "prefers-reduced-motion", "value": "reduce"}]}),
        );
    }

    pub(crate) fn offline(&self, offline: bool) {
        let conditions =
            json!({"offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1});
        self.cdp("Network.emulateNetworkConditions", conditions);
    }

    /// Everything that the console said since it was asked last: errors, and what the policy refused.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let said = self.command("se/log", &json!({"type": "browser"}));
        let entries = said["value"].as_array().cloned().unwrap_or_default();
        entries.iter().map(|entry| entry["message"].to_string()).collect()
    }

    /// A command of the Chrome DevTools Protocol.
    pub(crate) fn cdp(&self, command: &str, params: Value) {
        self.command("goog/cdp/execute", &json!({"cmd": command, "params": params}));
    }

    /// What WebDriver itself has no command for.
    fn command(&self, path: &str, body: &Value) -> Value {
        let body = body.to_string();
        let mut stream = TcpStream::connect(&self.driver).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        write!(
            stream,
            "POST /session/{}/{path} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            self.session,
            self.driver,
            body.len()
        )
        .unwrap();
        // The driver keeps the connection, whatever it was asked to do with it.
        let mut reader = BufReader::new(stream);
        let mut length = 0;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            if line.trim().is_empty() {
                break;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().unwrap();
            }
        }
        let mut said = vec![0; length];
        reader.read_exact(&mut said).unwrap();
        let said: Value = serde_json::from_slice(&said).unwrap();
        assert!(said["value"].get("error").is_none(), "{path}: {said}");
        said
    }
}

/// Processes of which the command line names this folder.
fn processes_of(folder: &Path) -> Vec<String> {
    let folder = folder.to_string_lossy().into_owned();
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let lines = entries.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    let lines = lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " "));
    lines.filter(|line| line.contains(&folder)).collect()
}

#[test]
fn a_browser_ends_with_the_process_that_started_it() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let Driver { mut child, folder, address } = Driver::start();
    let client = Driver { child: Command::new("true").spawn().unwrap(), folder: folder.clone(), address }
        .client(&runtime);
    let browsers = |of: &Path| {
        processes_of(of).into_iter().filter(|line| line.contains("--user-data-dir")).collect::<Vec<_>>()
    };
    assert!(!browsers(&folder).is_empty(), "its profile lies in the folder: {:?}", processes_of(&folder));
    // Nothing is said to the browser: the standard input ends, as it does when this process is killed.
    drop(child.stdin.take());
    let begun = Instant::now();
    while folder.exists() || !processes_of(&folder).is_empty() {
        assert!(begun.elapsed() < PATIENCE, "left behind: {:?}", processes_of(&folder));
        std::thread::sleep(Duration::from_millis(20));
    }
    child.wait().unwrap();
    drop(client);
}
