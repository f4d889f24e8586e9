//! What is declared of one upstream: where it is, and what may be asked of it.

use std::time::Duration;

use super::tls::TlsFiles;

/// One upstream, and what may be asked of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamConfig {
    /// Hosts and ports to connect to: `127.0.0.1:9001`, `monolith.internal:80`. They serve the same; a name may stand
    /// for several addresses.
    pub authorities: Vec<String>,
    /// How often names are resolved again.
    pub resolve_every: Duration,
    pub health: Health,
    /// `None`: plain TCP.
    pub tls: Option<TlsFiles>,
    pub protocol: Protocol,
    /// Requests at once on one connection of HTTP/2, if the upstream takes as many.
    pub streams_max: usize,
    /// Connections to it, over all threads and addresses; at least one for each thread.
    pub connections_max: usize,
    /// Requests that wait for a connection, over all threads; one more is answered 503.
    pub waiting_max: usize,
    /// How long a request may wait for a connection; longer is a 503.
    pub wait_max: Duration,
    /// Unused connections that are kept, over all threads and addresses.
    pub idle_max: usize,
    /// How long an unused connection is kept, if the upstream names no shorter time in `Keep-Alive`. Shorter than the
    /// upstream's own limit, or it closes first.
    pub idle_timeout: Duration,
    /// How long the making of a connection may take; longer is a 502, where no other address takes one.
    pub connect_timeout: Duration,
    /// From the end of the request to the head of the response; longer is a 504.
    pub head_timeout: Duration,
    /// Between two pieces of a response body; longer, and the response is cut. Not for event streams.
    pub body_timeout: Duration,
    /// Bytes of a response head; larger is a 502.
    pub head_bytes_max: usize,
    /// Fields of a response head; more is a 502.
    pub fields_max: usize,
}

/// What is spoken on connections to an upstream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Protocol {
    #[default]
    Http1,
    /// Over TLS by ALPN; in the clear without having asked (RFC 9113 §3.3).
    Http2,
    /// Over TLS what the upstream prefers (ALPN, RFC 7301); in the clear HTTP/1.1.
    Auto,
}

/// When an address that fails is left alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// Failures in a row after which an address is ejected: connections that could not be made or broke off before the
    /// head of a response, responses that are not HTTP or came too late. 0 never ejects.
    pub failures_max: u32,
    /// Whether a response of 5xx is a failure too. Off, it is a success: an endpoint that fails says nothing of the
    /// address.
    pub count_5xx: bool,
    /// For how long, the first time, until it is asked how it is; twice as long each time that it is not well then, or fails
    /// again soon after it has come back.
    pub eject_for: Duration,
    pub eject_for_max: Duration,
    /// What share of the addresses may be ejected at once, in ten-thousandths. One may be where there are two or more,
    /// and never all.
    pub eject_share: u16,
    /// Asks every address by itself. `None`: only requests tell how it is.
    pub check: Option<Check>,
}

/// A request that is sent to every address from time to time, whether there is traffic or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Path and query. Any 2xx is healthy.
    pub path: String,
    /// `Host` of the request. `None`: the host and port of the address as it was declared.
    pub host: Option<String>,
    pub every: Duration,
    /// From the beginning of the connection to the head of the response.
    pub timeout: Duration,
    /// Failures in a row after which an address is not used.
    pub unhealthy: u32,
    /// Successes in a row after which it is used again.
    pub healthy: u32,
}

impl UpstreamConfig {
    /// The defaults, for one host and port.
    pub fn new(authority: impl Into<String>) -> Self {
        Self {
            authorities: vec![authority.into()],
            resolve_every: Duration::from_secs(30),
            health: Health::default(),
            tls: None,
            protocol: Protocol::default(),
            streams_max: 100,
            connections_max: 512,
            waiting_max: 512,
            wait_max: Duration::from_secs(1),
            idle_max: 256,
            idle_timeout: Duration::from_secs(4),
            connect_timeout: Duration::from_secs(2),
            head_timeout: Duration::from_secs(30),
            body_timeout: Duration::from_secs(60),
            head_bytes_max: 64 << 10,
            fields_max: 100,
        }
    }
}

impl Default for Health {
    fn default() -> Self {
        Self {
            failures_max: 5,
            count_5xx: false,
            eject_for: Duration::from_secs(10),
            eject_for_max: Duration::from_secs(300),
            eject_share: 5_000,
            check: None,
        }
    }
}

impl Default for Check {
    fn default() -> Self {
        Self {
            path: "/".to_owned(),
            host: None,
            every: Duration::from_secs(10),
            timeout: Duration::from_secs(2),
            unhealthy: 3,
            healthy: 2,
        }
    }
}
