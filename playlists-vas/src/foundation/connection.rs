//! Connections to the monolith: kept and used again, limited in number, with one deadline over everything.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
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
    /// The one used last is taken first, so that the others grow old and are dropped.
    idle: Mutex<Vec<Idle>>,
}

struct Idle {
    sender: SendRequest<Full<Bytes>>,
    since: Instant,
}

/// Whether a call may be made again where nobody knows if it arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Repeat {
    /// A read: once more, over a new connection, if a kept one was closed under it.
    Harmless,
    /// A command: only what was provably not sent.
    Unsent,
}

/// A connection that was idle for longer is not used again. Servers close idle connections too, mothership after ten
/// seconds, and what is sent at that moment is lost.
const IDLE_MAX: Duration = Duration::from_secs(5);

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
        repeat: Repeat,
        extra: Duration,
    ) -> Result<Answer, FoundationError> {
        let deadline = self.limits.deadline + extra;
        timeout(deadline, Box::pin(self.exchange(request, repeat))).await.unwrap_or_else(|_| {
            let deadline_ms = u64::try_from(deadline.as_millis()).unwrap_or(u64::MAX);
            Err(FoundationError::TimedOut { deadline_ms })
        })
    }

    async fn exchange(
        &self,
        mut request: Request<Full<Bytes>>,
        repeat: Repeat,
    ) -> Result<Answer, FoundationError> {
        let _turn = self.turns.acquire().await.expect("the semaphore is never closed");
        let host = self.authority.parse().map_err(|_| unreachable("its address is no host and port"))?;
        request.headers_mut().insert(header::HOST, host);
        loop {
            let kept = self.kept();
            let fresh = kept.is_none();
            let mut sender = match kept {
                Some(sender) => sender,
                None => self.connect().await?,
            };
            if sender.ready().await.is_err() {
                if fresh {
                    return Err(unreachable("it closed a new connection"));
                }
                continue;
            }
            let again = (repeat == Repeat::Harmless && !fresh).then(|| request.clone());
            let response = match sender.try_send_request(request).await {
                Ok(response) => response,
                Err(mut failed) => match failed.take_message().filter(|_| !fresh).or(again) {
                    Some(unsent) => {
                        request = unsent;
                        continue;
                    }
                    None => return Err(unreachable(&failed.into_error())),
                },
            };
            let status = response.status();
            let body = Limited::new(response.into_body(), self.limits.answer_bytes_max).collect().await;
            let body = body.map_err(|error| FoundationError::Unreadable(error.to_string()))?.to_bytes();
            if !sender.is_closed() {
                let idle = Idle { sender, since: Instant::now() };
                self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(idle);
            }
            return Ok(Answer { status, body });
        }
    }

    /// The connection that was used last, if it is young enough; the others are older still.
    fn kept(&self) -> Option<SendRequest<Full<Bytes>>> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        match idle.pop() {
            Some(Idle { sender, since }) if since.elapsed() < IDLE_MAX => Some(sender),
            Some(_) => {
                idle.clear();
                None
            }
            None => None,
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
