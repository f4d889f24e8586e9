//! A client of HTTP/2 for one test: the library's, with a connection that works by itself.

use std::net::SocketAddr;

use bytes::Bytes;
use h2::client::{Builder, SendRequest};
use h2::{RecvStream, SendStream};
use http::{HeaderMap, Request, StatusCode};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;

use crate::shadow::rig::PATIENCE;

pub(crate) struct Http2 {
    runtime: Runtime,
    sender: SendRequest<Bytes>,
    connection: tokio::task::JoinHandle<Result<(), h2::Error>>,
}

#[derive(Debug)]
pub(crate) struct Response {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    pub trailers: HeaderMap,
}

/// A request that waits for its response.
pub(crate) struct Asked {
    pub response: h2::client::ResponseFuture,
    pub body: SendStream<Bytes>,
}

impl Http2 {
    /// By prior knowledge.
    pub(crate) fn connect(address: SocketAddr) -> Self {
        Self::with(address, &Builder::new())
    }

    pub(crate) fn with(address: SocketAddr, builder: &Builder) -> Self {
        Self::over(builder, async move { TcpStream::connect(address).await.unwrap() })
    }

    pub(crate) fn over<S>(builder: &Builder, stream: impl Future<Output = S>) -> Self
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (sender, connection) = runtime.block_on(async {
            let (sender, connection) = builder.handshake(stream.await).await.unwrap();
            (sender, tokio::spawn(connection))
        });
        Self { runtime, sender, connection }
    }

    pub(crate) fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(async { tokio::time::timeout(PATIENCE, future).await.expect("it never came") })
    }

    /// Sends a head; `ends` if there is nothing else of the request.
    pub(crate) fn ask(&mut self, request: Request<()>, ends: bool) -> Asked {
        let mut sender = self.sender.clone();
        self.wait(std::future::poll_fn(|cx| sender.poll_ready(cx))).unwrap();
        self.sender = sender;
        let (response, body) = self.sender.send_request(request, ends).unwrap();
        Asked { response, body }
    }

    /// The response to a request, read whole.
    ///
    /// # Errors
    /// When it was reset, before its head or in its body.
    pub(crate) fn response(&self, asked: Asked) -> Result<Response, h2::Error> {
        self.wait(async {
            let (head, mut body) = asked.response.await?.into_parts();
            let mut response = Response {
                status: head.status,
                headers: head.headers,
                body: Vec::new(),
                trailers: HeaderMap::new(),
            };
            while let Some(data) = body.data().await {
                let data = data?;
                body.flow_control().release_capacity(data.len())?;
                response.body.extend_from_slice(&data);
            }
            if let Some(trailers) = body.trailers().await? {
                response.trailers = trailers;
            }
            Ok(response)
        })
    }

    /// The head of the response, and a body that nobody reads yet.
    pub(crate) fn head(&self, asked: Asked) -> (http::response::Parts, RecvStream) {
        self.wait(async { asked.response.await.unwrap().into_parts() })
    }

    pub(crate) fn get(&mut self, target: &str) -> Response {
        let asked = self.ask(get(target), true);
        self.response(asked).unwrap()
    }

    /// How the connection ended.
    pub(crate) fn end(self) -> Result<(), h2::Error> {
        let Self { runtime, sender, connection } = self;
        let end = runtime.block_on(async { tokio::time::timeout(PATIENCE, connection).await });
        drop(sender);
        end.expect("the connection was not closed").unwrap()
    }
}

pub(crate) fn get(target: &str) -> Request<()> {
    Request::get(format!("http://a.example{target}")).body(()).unwrap()
}

impl Response {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// The `reason` of a problem that the proxy made.
    pub(crate) fn reason(&self) -> String {
        assert_eq!(self.headers["content-type"], "application/problem+json", "{self:?}");
        let problem: serde_json::Value = serde_json::from_slice(&self.body).unwrap();
        problem["reason"].as_str().unwrap().to_owned()
    }
}
