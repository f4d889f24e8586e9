//! An upstream that speaks HTTP/2.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use h2::server::{Builder, SendResponse};
use http::{HeaderMap, Request, Response};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::ports::Port;

/// A request with its whole body.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) head: Arc<http::request::Parts>,
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: HeaderMap,
}

pub(crate) type Respond = SendResponse<Bytes>;

pub(crate) struct H2Origin {
    pub(crate) address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
    connections: Arc<AtomicUsize>,
    resets: Arc<AtomicUsize>,
    _runtime: tokio::runtime::Runtime,
    _port: Port,
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Settings {
    pub(crate) streams_max: Option<u32>,
    /// The first connection says that it has processed nothing, and closes.
    pub(crate) turns_away_first: bool,
    /// Answers when the head is there, and lets the body come.
    pub(crate) reads_nothing: bool,
    /// Every connection says goodbye after one request.
    pub(crate) one_request_each: bool,
}

impl H2Origin {
    /// Answers every request with 200 and this body.
    pub(crate) fn saying(body: &'static str) -> Self {
        Self::new(Settings::default(), move |_, respond| async move { answer(respond, body) })
    }

    pub(crate) fn new<F, T>(settings: Settings, answer: F) -> Self
    where
        F: Fn(Received, Respond) -> T + Clone + Send + Sync + 'static,
        T: Future<Output = ()> + Send + 'static,
    {
        let port = Port::taken();
        let (listener, address) = (port.listen(), port.address);
        listener.set_nonblocking(true).unwrap();
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let origin = Self {
            address,
            received: Arc::default(),
            connections: Arc::default(),
            resets: Arc::default(),
            _runtime: runtime,
            _port: port,
        };
        let (received, connections, resets) =
            (Arc::clone(&origin.received), Arc::clone(&origin.connections), Arc::clone(&origin.resets));
        origin._runtime.spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                let number = connections.fetch_add(1, Ordering::SeqCst);
                if settings.turns_away_first && number == 0 {
                    tokio::spawn(turn_away(socket));
                    continue;
                }
                let (answer, received, resets) = (answer.clone(), Arc::clone(&received), Arc::clone(&resets));
                tokio::spawn(serve(socket, settings, answer, received, resets));
            }
        });
        origin
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// Requests that were reset before they were answered.
    pub(crate) fn resets(&self) -> usize {
        self.resets.load(Ordering::SeqCst)
    }
}

async fn serve<F, T>(
    socket: TcpStream,
    settings: Settings,
    answer: F,
    received: Arc<Mutex<Vec<Received>>>,
    resets: Arc<AtomicUsize>,
) where
    F: Fn(Received, Respond) -> T + Clone + Send + Sync + 'static,
    T: Future<Output = ()> + Send + 'static,
{
    let mut builder = Builder::new();
    if let Some(max) = settings.streams_max {
        builder.max_concurrent_streams(max);
    }
    let Ok(mut connection) = builder.handshake::<_, Bytes>(socket).await else { return };
    while let Some(Ok((request, respond))) = connection.accept().await {
        if settings.one_request_each {
            connection.graceful_shutdown();
        }
        let (answer, received, resets) = (answer.clone(), Arc::clone(&received), Arc::clone(&resets));
        tokio::spawn(async move {
            if settings.reads_nothing {
                let (head, unread) = request.into_parts();
                let request = Received { head: Arc::new(head), body: Vec::new(), trailers: HeaderMap::new() };
                answer(request, respond).await;
                // Dropped, it would be reset.
                std::future::pending::<()>().await;
                drop(unread);
                return;
            }
            let Some(request) = whole(request).await else {
                resets.fetch_add(1, Ordering::SeqCst);
                return;
            };
            received.lock().unwrap().push(request.clone());
            answer(request, respond).await;
        });
    }
}

async fn whole(request: Request<h2::RecvStream>) -> Option<Received> {
    let (head, mut stream) = request.into_parts();
    let mut body = Vec::new();
    while let Some(data) = stream.data().await {
        let data = data.ok()?;
        stream.flow_control().release_capacity(data.len()).ok()?;
        body.extend_from_slice(&data);
    }
    let trailers = stream.trailers().await.ok()?.unwrap_or_default();
    Some(Received { head: Arc::new(head), body, trailers })
}

/// Waits for a request and says that it has not been processed (RFC 9113 §6.8): GOAWAY with no stream as the last.
async fn turn_away(mut socket: TcpStream) {
    const PREFACE: usize = 24;
    const HEADERS: u8 = 1;
    let settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];
    socket.write_all(&settings).await.unwrap();
    socket.read_exact(&mut [0; PREFACE]).await.unwrap();
    loop {
        let mut head = [0; 9];
        socket.read_exact(&mut head).await.unwrap();
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        socket.read_exact(&mut vec![0; length]).await.unwrap();
        if head[3] == HEADERS {
            break;
        }
    }
    let goaway = [0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    socket.write_all(&goaway).await.unwrap();
    // Until the other end has closed.
    let _ = socket.read_to_end(&mut Vec::new()).await;
}

pub(crate) fn answer(mut respond: Respond, body: &'static str) {
    let response = Response::builder().header("content-length", body.len()).body(()).unwrap();
    // The other end may have gone.
    if let Ok(mut stream) = respond.send_response(response, body.is_empty()) {
        let _ = stream.send_data(Bytes::from_static(body.as_bytes()), true);
    }
}
