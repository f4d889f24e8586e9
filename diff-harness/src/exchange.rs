//! One request with the observations made of it.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};

use crate::endpoint::EndpointId;

/// Milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixMillis(pub u64);

/// Which of the two upstreams made an observation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// Holds the truth today: the monolith.
    Control,
    /// Is being proven: the new service.
    Candidate,
}

impl Side {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Control => "control",
            Self::Candidate => "candidate",
        }
    }

    pub fn other(self) -> Self {
        match self {
            Self::Control => Self::Candidate,
            Self::Candidate => Self::Control,
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One request with what each side answered. The id is the request id that the client was given too.
#[derive(Clone, Debug)]
pub struct Exchange {
    pub id: String,
    pub at: UnixMillis,
    pub endpoint: EndpointId,
    pub request: Request,
    pub control: Observation,
    pub candidate: Observation,
}

/// The request as the client sent it (after the proxy's own header changes).
#[derive(Clone, Debug)]
pub struct Request {
    pub method: Method,
    /// Path and query as they were on the wire, undecoded.
    pub target: String,
    pub headers: HeaderMap,
    pub body: CapturedBody,
}

/// What one side did.
#[derive(Clone, Debug)]
pub struct Observation {
    pub outcome: Outcome,
    /// From the first byte sent to the end of the body (or to the failure).
    pub latency: Duration,
}

#[derive(Clone, Debug)]
pub enum Outcome {
    Response(Response),
    Failure(TransportFailure),
}

#[derive(Clone, Debug)]
pub struct Response {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: CapturedBody,
}

/// A body as it was on the wire (still content-encoded), kept up to a limit and hashed beyond it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CapturedBody {
    /// The body whole.
    Whole(Bytes),
    /// It was longer than the limit: the first bytes, the length of all of it, and a BLAKE3 hash of all of it.
    Hashed { head: Bytes, length: u64, hash: [u8; 32] },
    /// It was not read to its end (the client left, a stream without end); nothing can be said of the rest.
    Cut { head: Bytes },
}

impl CapturedBody {
    pub fn empty() -> Self {
        Self::Whole(Bytes::new())
    }

    /// The bytes that were kept: all of them only for [`CapturedBody::Whole`].
    pub fn kept(&self) -> &Bytes {
        match self {
            Self::Whole(bytes) => bytes,
            Self::Hashed { head, .. } | Self::Cut { head } => head,
        }
    }
}

/// How an exchange with one side failed after the request was on its way.
///
/// A side that could not even be reached made no observation: that is a
/// [`DropReason::Unreachable`](crate::comparison::DropReason), not a failure to compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TransportFailure {
    /// No connection could be made. Only seen where the two sides are called directly, as in suites.
    Connect,
    /// Sent, and no whole response in time.
    Timeout,
    /// The connection was closed or reset before the response was whole.
    Closed,
    /// What came back was not HTTP.
    Protocol,
}

impl TransportFailure {
    pub const ALL: [Self; 4] = [Self::Connect, Self::Timeout, Self::Closed, Self::Protocol];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Timeout => "timeout",
            Self::Closed => "closed",
            Self::Protocol => "protocol",
        }
    }
}

impl FromStr for TransportFailure {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|failure| failure.as_str() == text)
            .ok_or_else(|| format!("`{text}` is not a transport failure"))
    }
}
