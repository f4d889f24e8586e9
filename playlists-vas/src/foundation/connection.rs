//! Connections to the monolith: kept and used again, limited in number, with one deadline over everything.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, sync::Semaphore, time::timeout};

use crate::foundation::FoundationError;

/// Every one of these has a flag of its own.
#[derive(Debug, Clone)]
pub struct Limits {
    /// For a whole call: waiting for its turn, connecting, sending, and reading the answer.
    pub deadline: Duration,
    /// Calls under way at once; more wait.
    pub calls_max: usize,
    /// An answer that is larger is not read to the end. In bytes.
    pub answer_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { deadline: Duration::from_secs(5), calls_max: 64, answer_bytes_max: 64 << 20 }
    }
}

pub(super) struct Connections {
    /// `host:port`.
    authority: String,
    limits: Limits,
    turns: Semaphore,
    /// The one used last is taken first, so that the others grow old and are closed.
    idle: Mutex<Vec<SendRequest<Full<Bytes>>>>,
}

pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: Bytes,
}

impl Connections {
    pub(super) fn new(authority: String, limits: Limits) -> Self {
        let turns = Semaphore::new(limits.calls_max);
        Self { authority, limits, turns, idle: Mutex::default() }
    }

    /// `extra` is added to the deadline: for calls that wait on purpose.
    pub(super) async fn ask(
        &self,
        request: Request<Full<Bytes>>,
        extra: Duration,
    ) -> Result<Answer, FoundationError> {
        let deadline = self.limits.deadline + extra;
        timeout(deadline, self.exchange(request)).await.unwrap_or_else(|_| {
            let deadline_ms = u64::try_from(deadline.as_millis()).unwrap_or(u64::MAX);
            Err(FoundationError::TimedOut { deadline_ms })
        })
    }

    async fn exchange(&self, mut request: Request<Full<Bytes>>) -> Result<Answer, FoundationError> {
        let _turn = self.turns.acquire().await.expect("the semaphore is never closed");
        let host = self.authority.parse().map_err(|_| unreachable("its address is no host and port"))?;
        request.headers_mut().insert(header::HOST, host);
        loop {
            let reused = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let fresh = reused.is_none();
            let mut sender = match reused {
                Some(sender) => sender,
                None => self.connect().await?,
            };
            if sender.ready().await.is_err() {
                if fresh {
                    return Err(unreachable("it closed a new connection"));
                }
                continue;
            }
            let response = match sender.try_send_request(request).await {
                Ok(response) => response,
                // A kept connection that was closed meanwhile gives the request back unsent; nothing else is repeated.
                Err(mut failed) => match failed.take_message() {
                    Some(unsent) if !fresh => {
                        request = unsent;
                        continue;
                    }
                    _ => return Err(unreachable(&failed.into_error())),
                },
            };
            let status = response.status();
            let body = Limited::new(response.into_body(), self.limits.answer_bytes_max).collect().await;
            let body = body.map_err(|error| FoundationError::Unreadable(error.to_string()))?.to_bytes();
            if !sender.is_closed() {
                self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(sender);
            }
            return Ok(Answer { status, body });
        }
    }

    async fn connect(&self) -> Result<SendRequest<Full<Bytes>>, FoundationError> {
        let socket = TcpStream::connect(&self.authority).await.map_err(|error| unreachable(&error))?;
        if let Err(error) = socket.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps Nagle's algorithm");
        }
        let (sender, connection) =
            http1::handshake(TokioIo::new(socket)).await.map_err(|error| unreachable(&error))?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection to the monolith ended early");
            }
        });
        Ok(sender)
    }
}

fn unreachable(why: &(impl std::fmt::Display + ?Sized)) -> FoundationError {
    FoundationError::Unreachable(why.to_string())
}
