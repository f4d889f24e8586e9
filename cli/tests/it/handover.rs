//! Another process takes over the running proxy, and no client notices.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{LazyLock, Mutex};
use std::time::Duration;

use strangler_proxy::handover::TakeOver;

use crate::rig::{Proxy, Rig, eventually, get};

/// How often the upstream was asked to write each of these.
static WRITTEN: LazyLock<Mutex<HashMap<String, u64>>> = LazyLock::new(Mutex::default);

fn counting(target: &str) -> (u16, String) {
    if let Some(id) = target.strip_prefix("/write/") {
        *WRITTEN.lock().unwrap().entry(id.to_owned()).or_default() += 1;
    }
    (200, r#"{"id":1}"#.to_owned())
}

fn failing(_: &str) -> (u16, String) {
    (503, "{}".to_owned())
}

/// A client with one connection at a time, which it uses for as long as it is told to.
struct Client<'a> {
    address: &'a str,
    connection: Option<BufReader<TcpStream>>,
}

impl<'a> Client<'a> {
    fn new(address: &'a str) -> Self {
        Self { address, connection: None }
    }

    /// The status, or what went wrong. Nothing is tried twice.
    fn ask(&mut self, method: &str, target: &str, keeps: bool) -> Result<u16, String> {
        if self.connection.is_none() {
            let stream = TcpStream::connect(self.address).map_err(|error| format!("connect: {error}"))?;
            stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
            self.connection = Some(BufReader::new(stream));
        }
        let connection = self.connection.as_mut().unwrap();
        let close = if keeps { "" } else { "connection: close\r\n" };
        let request = format!(
            "{method} {target} HTTP/1.1\r\nhost: {}\r\ncontent-length: 0\r\n{close}\r\n",
            self.address
        );
        let answer = exchange(connection, &request);
        if !matches!(&answer, Ok((_, true))) {
            self.connection = None;
        }
        answer.map(|(status, _)| status)
    }
}

/// The status, and whether the connection may be used again.
fn exchange(connection: &mut BufReader<TcpStream>, request: &str) -> Result<(u16, bool), String> {
    connection.get_ref().write_all(request.as_bytes()).map_err(|error| format!("write: {error}"))?;
    let mut line = String::new();
    let mut next = |line: &mut String| {
        line.clear();
        match connection.read_line(line) {
            Ok(0) => Err("the connection ended before the answer".to_owned()),
            Ok(_) => Ok(()),
            Err(error) => Err(format!("read: {error}")),
        }
    };
    next(&mut line)?;
    let status = line.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or(line.clone())?;
    let (mut length, mut keeps) = (0, true);
    while line != "\r\n" {
        next(&mut line)?;
        let field = line.trim().to_ascii_lowercase();
        if let Some(value) = field.strip_prefix("content-length:") {
            length = value.trim().parse().map_err(|_| field.clone())?;
        }
        keeps &= field != "connection: close";
    }
    let mut body = vec![0; length];
    connection.read_exact(&mut body).map_err(|error| format!("body: {error}"))?;
    Ok((status, keeps))
}

/// Three processes, one after the other, under requests over new connections and kept ones, with and without pauses.
/// None is refused, none fails, none is sent twice, and every one of them is counted once.
#[test]
fn no_client_notices_that_another_process_takes_over() {
    let mut rig = Rig::with(counting, counting, "");
    rig.shadowed("/same/a");
    rig.expect(0, &["routes", "add", "POST", "/write/{id}"]);
    let address = rig.proxy().listening.clone();
    let (done, asked, wrote) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    let (done, asked, wrote) = (&done, &asked, &wrote);
    let failures: &Mutex<Vec<String>> = &Mutex::default();
    std::thread::scope(|scope| {
        let load = |name: &'static str, method: &'static str, keeps: bool, pause: Duration| {
            let address = address.clone();
            scope.spawn(move || {
                let mut client = Client::new(&address);
                while !done.load(Ordering::Acquire) {
                    let number = asked.fetch_add(1, Ordering::AcqRel);
                    let target = match method {
                        "POST" => format!("/write/{}", wrote.fetch_add(1, Ordering::AcqRel)),
                        _ => format!("/same/a?{number}"),
                    };
                    match client.ask(method, &target, keeps) {
                        Ok(200) => {}
                        other => failures.lock().unwrap().push(format!("{name} {target}: {other:?}")),
                    }
                    std::thread::sleep(pause);
                }
            });
        };
        load("new connections", "GET", false, Duration::ZERO);
        load("new connections", "GET", false, Duration::from_millis(1));
        load("a kept connection", "GET", true, Duration::ZERO);
        load("a kept connection with pauses", "GET", true, Duration::from_millis(7));
        load("writes over new connections", "POST", false, Duration::from_millis(2));
        load("writes over a kept connection", "POST", true, Duration::from_millis(2));
        let restarts = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            for round in 1..=3 {
                let before = asked.load(Ordering::Acquire);
                let old = rig.succeed();
                assert_eq!(rig.proxy().listening, address, "round {round}: another address");
                assert_eq!(old.ended(), 0, "round {round}: the process that was taken over failed");
                let words: &[&str] = match round % 2 {
                    1 => &["hold", "GET", "/same/a", "--reason", "a restart"],
                    _ => &["resume", "GET", "/same/a", "--reason", "a restart"],
                };
                rig.expect(0, words);
                eventually("there is load on the new process", || {
                    asked.load(Ordering::Acquire) > before + 200
                });
            }
        }));
        done.store(true, Ordering::Release);
        restarts.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    });
    assert_eq!(*failures.lock().unwrap(), Vec::<String>::new());
    let written = WRITTEN.lock().unwrap();
    assert_eq!(written.len() as u64, wrote.load(Ordering::Acquire));
    assert!(written.values().all(|times| *times == 1), "a write was sent twice");
    drop(written);
    rig.settle();
    let status = rig.json(0, &["status"]);
    assert_eq!(status["data"]["total"]["seen"], asked.load(Ordering::Acquire), "{status:#}");
    let audit = rig.json(0, &["audit"]);
    assert_eq!(audit["data"]["transitions"].as_array().unwrap().len(), 4, "{audit:#}");
    assert_eq!(rig.json(0, &["routes", "show", "GET", "/same/a"])["data"]["hold"], "paused");
    assert_eq!(rig.stop(), 0);
    let left: Vec<_> =
        std::fs::read_dir(rig.dir.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().contains(".sock")), "left behind: {left:?}");
}

#[test]
fn a_new_process_that_cannot_start_changes_nothing() {
    let rig = Rig::new();
    rig.shadowed("/same/a");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let config = std::fs::read_to_string(rig.dir.path().join("strangler.toml")).unwrap();
    let second = format!("[[listener]]\naddress = \"{}\"\n{config}", taken.local_addr().unwrap());
    std::fs::write(rig.dir.path().join("second.toml"), second).unwrap();
    let said = rig.run(&["serve", "--take-over", "--config", "second.toml"]);
    assert_eq!(said.code, 1, "{said:#?}");
    assert!(said.err.contains("taking over from process"), "it failed before it could take over: {said:#?}");
    assert_eq!(rig.get("/same/a").status, 200);
    rig.expect(0, &["hold", "GET", "/same/a", "--reason", "it goes on"]);
}

#[test]
fn a_new_process_that_dies_when_nobody_writes_gives_everything_back() {
    let mut rig = Rig::new();
    rig.shadowed("/same/a");
    let mut other = TakeOver::ask(&rig.dir.path().join("strangler.db")).unwrap().expect("it runs");
    let sockets = other.sockets();
    other.ready().unwrap();
    // It has stopped answering the admin API, and goes on serving clients.
    assert_eq!(rig.get("/same/a").status, 200);
    drop((other, sockets));
    rig.expect(0, &["hold", "GET", "/same/a", "--reason", "it goes on"]);
    assert_eq!(rig.get("/same/a").status, 200);
    // And it can be taken over by the next one.
    let old = rig.succeed();
    assert_eq!(old.ended(), 0);
    assert_eq!(rig.json(0, &["routes", "show", "GET", "/same/a"])["data"]["hold"], "paused");
}

#[test]
fn what_falls_back_in_a_draining_process_is_written_by_the_one_that_took_over() {
    let rig = Rig::with(counting, failing, "[fallback]\nfailures = 1\nshare = \"1%\"\n");
    rig.expect(0, &["routes", "add", "GET", "/same/a"]);
    rig.expect(0, &["promote", "GET", "/same/a", "--to", "live", "--force", "--reason", "a test"]);
    let before = rig.json(0, &["audit"])["data"]["transitions"].as_array().unwrap().len();
    // Connections that the old process keeps.
    let (mut client, mut early) = (Client::new(&rig.proxy().listening), Client::new(&rig.proxy().listening));
    assert_eq!(client.ask("GET", "/other", true), Ok(200));
    assert_eq!(early.ask("GET", "/other", true), Ok(200));
    let mut other = TakeOver::ask(&rig.dir.path().join("strangler.db")).unwrap().expect("it runs");
    let _sockets = other.sockets();
    other.ready().unwrap();
    let mut predecessor = other.serving().unwrap();
    // It drains as soon as its answers say so.
    while early.connection.is_some() {
        assert_eq!(early.ask("GET", "/other", true), Ok(200));
    }
    assert_eq!(client.ask("GET", "/same/a", true), Ok(200), "control answers what the candidate cannot");
    assert!(client.connection.is_none(), "the answer does not say that the connection ends");
    let fell_back = predecessor.hear().expect("the old process tells of it");
    assert_eq!(fell_back.endpoint, "GET /same/a");
    assert!(
        fell_back.is_of_answers && fell_back.reason.contains("the candidate failed 1 of 1"),
        "{fell_back:?}"
    );
    predecessor.taken();
    assert_eq!(predecessor.hear(), None, "it is told twice, or the process does not end");
    let store = diff_harness::ledger::Ledger::open_read_only(rig.dir.path().join("strangler.db")).unwrap();
    let after = diff_harness::store::Store::transitions(&store, None, 100).unwrap();
    assert_eq!(after.len(), before, "both processes wrote it");
}

#[test]
fn a_store_that_nobody_runs_on_is_opened_anew() {
    let mut rig = Rig::new();
    assert_eq!(rig.stop(), 0);
    let proxy = Proxy::start(rig.dir.path(), &["serve", "--take-over"]);
    assert_eq!(get(&proxy.listening, "/same/a").status, 200);
}

/// As systemd starts a service with a socket unit: descriptor 3 listens, and the environment says so.
#[test]
fn a_socket_of_the_service_manager_is_listened_on() {
    let mut rig = Rig::new();
    assert_eq!(rig.stop(), 0);
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap().to_string();
    rustix::io::fcntl_setfd(&socket, rustix::io::FdFlags::empty()).unwrap();
    // It waits in the queue of the socket before anybody has started.
    let early = TcpStream::connect(&address).unwrap();
    let script = format!(
        "exec 3<&{}; export LISTEN_PID=$$ LISTEN_FDS=1; exec {} serve --listen {address}",
        socket.as_raw_fd(),
        env!("CARGO_BIN_EXE_strangler")
    );
    let mut command = std::process::Command::new("bash");
    command.args(["-c", &script]);
    let proxy = Proxy::start_by(command, rig.dir.path());
    assert_eq!(proxy.listening, address);
    early.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let request = "GET /same/a HTTP/1.1\r\nhost: a\r\n\r\n";
    assert_eq!(exchange(&mut BufReader::new(early), request), Ok((200, true)));
    drop(socket);
    assert_eq!(get(&address, "/same/a").status, 200);
    assert_eq!(proxy.stop(), 0);
}
