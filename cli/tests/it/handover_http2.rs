//! Another process takes over under clients of HTTP/2, each of which has many requests on one connection.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use h2::client::{ResponseFuture, SendRequest};
use http::{Method, Request};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;

use crate::rig::{Rig, control, eventually};

/// What anything may take before the test gives up on it.
const PATIENCE: Duration = Duration::from_secs(20);

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

async fn within<T>(what: impl Future<Output = T>) -> Result<T, String> {
    tokio::time::timeout(PATIENCE, what).await.map_err(|_| "it never came".to_owned())
}

/// A connection, and how it ended.
struct Connection {
    sender: SendRequest<Bytes>,
    end: tokio::task::JoinHandle<Result<(), h2::Error>>,
}

impl Connection {
    async fn open(address: SocketAddr) -> Result<Self, String> {
        let stream =
            within(TcpStream::connect(address)).await?.map_err(|error| format!("connect: {error}"))?;
        let (sender, connection) =
            within(h2::client::handshake(stream)).await?.map_err(|error| format!("handshake: {error}"))?;
        Ok(Self { sender, end: tokio::spawn(connection) })
    }

    /// Sends a request, if the proxy takes more of them on this connection: after its GOAWAY nothing was sent.
    async fn send(&mut self, request: Request<()>, ends: bool) -> Result<Option<Sent>, String> {
        let told_to_leave = |error: h2::Error| match is_goodbye(&error) {
            true => Ok(None),
            false => Err(format!("not sent: {error}")),
        };
        match std::future::poll_fn(|cx| self.sender.poll_ready(cx)).await {
            Ok(()) => {}
            Err(error) => return told_to_leave(error),
        }
        match self.sender.send_request(request, ends) {
            Ok(sent) => Ok(Some(sent)),
            Err(error) => told_to_leave(error),
        }
    }

    /// How it ended, as it should when the proxy has said goodbye.
    async fn goodbye(self) -> Result<(), String> {
        drop(self.sender);
        let end = within(self.end).await?.map_err(|error| error.to_string())?;
        end.map_err(|error| format!("a connection did not end well: {error}"))
    }
}

type Sent = (ResponseFuture, h2::SendStream<Bytes>);

/// A POST is to be followed by `{}`.
fn request(method: Method, target: &str) -> Request<()> {
    let length = if method == Method::POST { 2 } else { 0 };
    let request = Request::builder().method(method).uri(format!("http://a.example{target}"));
    request.header("content-length", length).body(()).unwrap()
}

/// GOAWAY without an error. To a request it says that it was not processed: it crossed the word on its way, and is to be
/// sent again, whatever it is (RFC 9113 §6.8).
fn is_goodbye(error: &h2::Error) -> bool {
    error.is_remote() && error.is_go_away() && error.reason() == Some(h2::Reason::NO_ERROR)
}

/// The status of a response that came whole; `None` for a request that was not processed.
async fn answer(response: ResponseFuture) -> Result<Option<u16>, String> {
    let reading = async {
        let (head, mut body) = response.await?.into_parts();
        while let Some(data) = body.data().await {
            body.flow_control().release_capacity(data?.len())?;
        }
        Ok::<_, h2::Error>(head.status.as_u16())
    };
    match within(reading).await? {
        Ok(status) => Ok(Some(status)),
        Err(error) if is_goodbye(&error) => Ok(None),
        Err(error) => Err(format!("no answer: {error}")),
    }
}

/// What all clients together have seen.
#[derive(Default)]
struct Seen {
    done: AtomicBool,
    answered: AtomicU64,
    goodbyes: AtomicU64,
    failures: Mutex<Vec<String>>,
}

/// Has `at_once` requests on one connection at a time, until it is told to stop.
async fn client(address: SocketAddr, at_once: usize, seen: Arc<Seen>) -> Result<(), String> {
    let mut connection = Connection::open(address).await?;
    while !seen.done.load(Ordering::Acquire) {
        let mut sent = Vec::new();
        while sent.len() < at_once {
            let method = if sent.len() % 3 == 0 { Method::POST } else { Method::GET };
            match connection.send(request(method.clone(), "/same/a"), method == Method::GET).await? {
                Some((response, mut body)) => {
                    if method == Method::POST {
                        body.send_data(Bytes::from_static(b"{}"), true).map_err(|error| error.to_string())?;
                    }
                    sent.push(response);
                }
                // What was sent is answered all the same.
                None => break,
            }
        }
        let mut is_over = sent.len() < at_once;
        for response in sent {
            match answer(response).await {
                Ok(Some(200)) => {
                    seen.answered.fetch_add(1, Ordering::AcqRel);
                }
                Ok(None) => is_over = true,
                other => seen.failures.lock().unwrap().push(format!("{other:?}")),
            }
        }
        if is_over {
            connection.goodbye().await?;
            seen.goodbyes.fetch_add(1, Ordering::AcqRel);
            connection = Connection::open(address).await?;
        }
    }
    Ok(())
}

/// Processes with one thread, three, two and one again.
#[test]
fn no_client_of_http_2_notices_that_another_process_takes_over() {
    let mut rig = Rig::new();
    rig.shadowed("/same/a");
    let address: SocketAddr = rig.proxy().listening.parse().unwrap();
    let seen = Arc::new(Seen::default());
    let runtime = runtime();
    let clients: Vec<_> = [1, 4, 20]
        .into_iter()
        .map(|at_once| runtime.spawn(client(address, at_once, Arc::clone(&seen))))
        .collect();
    let file = rig.dir.path().join("strangler.toml");
    let mut before = 1;
    for (round, threads) in [3, 2, 1].into_iter().enumerate() {
        let answered = seen.answered.load(Ordering::Acquire);
        let config = std::fs::read_to_string(&file).unwrap();
        let changed = config.replace(&format!("\nthreads = {before}\n"), &format!("\nthreads = {threads}\n"));
        assert_ne!(config, changed);
        std::fs::write(&file, changed).unwrap();
        before = threads;
        let old = rig.succeed();
        assert_eq!(rig.proxy().listening, address.to_string(), "another address");
        assert_eq!(old.ended(), 0, "the process that was taken over failed");
        let everyone_was_told = 3 * (round as u64 + 1);
        eventually("all connections were told to leave, and there is load on the new process", || {
            seen.goodbyes.load(Ordering::Acquire) >= everyone_was_told
                && seen.answered.load(Ordering::Acquire) > answered + 100
        });
    }
    seen.done.store(true, Ordering::Release);
    for client in clients {
        runtime.block_on(client).unwrap().unwrap();
    }
    assert_eq!(*seen.failures.lock().unwrap(), Vec::<String>::new());
    rig.settle();
    // What was not processed was not counted either.
    let status = rig.json(0, &["status"]);
    assert_eq!(status["data"]["total"]["seen"], seen.answered.load(Ordering::Acquire), "{status:#}");
    assert_eq!(rig.stop(), 0);
}

/// The old process answers it, however long it takes, while the new one takes what comes.
#[test]
fn a_request_of_http_2_that_began_before_is_answered_after_the_takeover() {
    let mut rig = Rig::with(control, control, "");
    let address: SocketAddr = rig.proxy().listening.parse().unwrap();
    let runtime = runtime();
    let mut connection = runtime.block_on(Connection::open(address)).unwrap();
    let upload = runtime.block_on(connection.send(request(Method::POST, "/same/a"), false)).unwrap();
    let (response, mut body) = upload.unwrap();
    body.send_data(Bytes::from_static(b"{"), false).unwrap();
    // What comes after it on this connection is answered: it has been read.
    let (another, _) =
        runtime.block_on(connection.send(request(Method::GET, "/same/a"), true)).unwrap().unwrap();
    assert_eq!(runtime.block_on(answer(another)), Ok(Some(200)));
    let old = rig.succeed();
    let begun = Instant::now();
    // Until the old process says goodbye, it answers.
    while let Some((next, _)) =
        runtime.block_on(connection.send(request(Method::GET, "/same/a"), true)).unwrap()
    {
        let next = runtime.block_on(answer(next)).unwrap();
        assert!(matches!(next, Some(200) | None), "{next:?}");
        assert!(begun.elapsed() < PATIENCE, "the old process does not say goodbye");
    }
    assert_eq!(rig.get("/same/a").status, 200, "the new process serves meanwhile");
    body.send_data(Bytes::from_static(b"}"), true).unwrap();
    assert_eq!(runtime.block_on(answer(response)), Ok(Some(200)));
    assert_eq!(runtime.block_on(connection.goodbye()), Ok(()));
    assert_eq!(old.ended(), 0);
}
