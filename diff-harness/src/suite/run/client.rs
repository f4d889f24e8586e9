//! Asks one side over one connection, which is kept between requests. Nothing is followed, and nothing hangs: a server
//! that never answers, resets, never ends or speaks no HTTP is an observation like any other.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Uri};
use http_body_util::Full;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout_at};

use super::body::Capture;
use super::target::Target;
use crate::endpoint::SafeMethod;
use crate::exchange::{Observation, Outcome, Response, TransportFailure};

/// Servers commonly close after five seconds.
const IDLE_MAX: Duration = Duration::from_secs(4);
/// A response with more header fields is not one that a comparison understands.
const HEADERS_MAX: usize = 256;

/// A request for one side.
#[derive(Clone, Debug)]
pub(super) struct Message {
    pub(super) method: Method,
    /// Path and query.
    pub(super) target: Uri,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) timeout: Duration,
}

/// One connection to one side.
pub(super) struct Client<'t> {
    target: &'t Target,
    body_bytes_max: usize,
    open: Option<Open>,
}

struct Open {
    sender: SendRequest<Full<Bytes>>,
    connection: AbortHandle,
    used: Instant,
}

impl Drop for Open {
    fn drop(&mut self) {
        // Otherwise it would go on reading a body that nobody wants.
        self.connection.abort();
    }
}

impl<'t> Client<'t> {
    pub(super) fn new(target: &'t Target, body_bytes_max: usize) -> Self {
        Self { target, body_bytes_max, open: None }
    }

    /// Sends the request once, and waits for the response to its end.
    pub(super) async fn ask(&mut self, message: &Message) -> Observation {
        let started = Instant::now();
        let outcome = self.exchange(message, started + message.timeout).await;
        Observation { outcome, latency: started.elapsed() }
    }

    async fn exchange(&mut self, message: &Message, deadline: Instant) -> Outcome {
        let response = match timeout_at(deadline, self.head(message)).await {
            Ok(Ok(response)) => response,
            Ok(Err(failure)) => {
                self.open = None;
                return Outcome::Failure(failure);
            }
            Err(_) => {
                self.open = None;
                return Outcome::Failure(TransportFailure::Timeout);
            }
        };
        let (head, mut body) = response.into_parts();
        let mut capture = Capture::new(self.body_bytes_max);
        let body = match timeout_at(deadline, capture.read(&mut body)).await {
            Ok(Ok(())) => capture.whole(),
            Ok(Err(error)) => {
                self.open = None;
                return Outcome::Failure(failure_of(&error));
            }
            Err(_) => {
                self.open = None;
                // A stream of events has no end; what is compared of it is its head.
                if !is_stream(&head.headers) {
                    return Outcome::Failure(TransportFailure::Timeout);
                }
                capture.cut()
            }
        };
        if let Some(open) = &mut self.open {
            open.used = Instant::now();
        }
        Outcome::Response(Response { status: head.status, headers: head.headers, body })
    }

    async fn head(
        &mut self,
        message: &Message,
    ) -> Result<http::Response<hyper::body::Incoming>, TransportFailure> {
        let is_safe = SafeMethod::of(&message.method).is_some();
        let mut request = self.request(message);
        if is_safe && let Some(mut open) = self.reusable().await {
            match open.sender.try_send_request(request).await {
                Ok(response) => {
                    self.open = Some(open);
                    return Ok(response);
                }
                // The server closed a connection that it had kept open. A safe request may be sent again (RFC 9110
                // §9.2.2).
                Err(mut error) => match error.take_message() {
                    Some(unsent) => request = unsent,
                    None if failure_of(error.error()) == TransportFailure::Closed => {
                        request = self.request(message);
                    }
                    None => return Err(failure_of(error.error())),
                },
            }
        }
        let mut open = self.connect().await?;
        let response = open.sender.send_request(request).await.map_err(|error| failure_of(&error))?;
        self.open = Some(open);
        Ok(response)
    }

    /// The connection of the last request, if it can carry another one. Only for what may be sent twice: nobody can tell
    /// whether a server that closes a kept connection has seen the request that was on its way. An unsafe request gets a
    /// new one.
    async fn reusable(&mut self) -> Option<Open> {
        let mut open = self.open.take()?;
        if open.used.elapsed() > IDLE_MAX || open.sender.is_closed() {
            return None;
        }
        open.sender.ready().await.ok()?;
        Some(open)
    }

    async fn connect(&self) -> Result<Open, TransportFailure> {
        let stream = TcpStream::connect((self.target.host(), self.target.port()))
            .await
            .map_err(|_| TransportFailure::Connect)?;
        // A small request must not wait for an acknowledgement; without the option it is only slower.
        let _ = stream.set_nodelay(true);
        let (sender, connection) = http1::Builder::new()
            .max_headers(HEADERS_MAX)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|_| TransportFailure::Connect)?;
        let connection = tokio::spawn(async move {
            // Its failure is the failure of the request, which is told there.
            let _ = connection.await;
        });
        Ok(Open { sender, connection: connection.abort_handle(), used: Instant::now() })
    }

    fn request(&self, message: &Message) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(message.body.clone()));
        *request.method_mut() = message.method.clone();
        *request.uri_mut() = message.target.clone();
        *request.headers_mut() = message.headers.clone();
        request
    }
}

fn is_stream(headers: &HeaderMap) -> bool {
    crate::media::MediaType::of(headers).is_some_and(|media| media.essence == "text/event-stream")
}

fn failure_of(error: &hyper::Error) -> TransportFailure {
    if error.is_parse() || error.is_parse_too_large() {
        return TransportFailure::Protocol;
    }
    let io = std::error::Error::source(error).and_then(|source| source.downcast_ref::<std::io::Error>());
    match io.map(std::io::Error::kind) {
        // How hyper tells of a malformed chunk.
        Some(std::io::ErrorKind::InvalidInput | std::io::ErrorKind::InvalidData) => {
            TransportFailure::Protocol
        }
        _ => TransportFailure::Closed,
    }
}
