//! What the data plane can be told. Plain structs; `strangler.toml` is parsed elsewhere.

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderName;

use super::listener::Listener;
use super::upstream::UpstreamConfig;
use crate::routes::PathPolicy;
use crate::shadow::{DryRunHeader, ReadBacks};

#[derive(Clone, Debug)]
pub struct DataPlaneConfig {
    pub listeners: Vec<Listener>,
    /// Threads, each with listeners, connections and timers of its own. Default: one for each core.
    pub threads: NonZeroUsize,
    pub control: UpstreamConfig,
    /// `None`: nothing can be answered by a candidate; what its stage sends there goes to control or is a 502.
    pub candidate: Option<UpstreamConfig>,
    pub http2: Http2,
    pub limits: Limits,
    pub timeouts: Timeouts,
    pub forwarding: Forwarding,
    pub cohort: CohortKey,
    pub paths: PathPolicy,
    /// What marks a dry run. `None`: none is ever sent.
    pub dry_run: Option<Arc<DryRunHeader>>,
    /// Where what an unsafe request writes is read.
    pub read_backs: ReadBacks,
}

/// What a client may send. Whatever is over a limit is refused with the status in parentheses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Client connections at once, over all threads; further ones wait in the kernel's queue.
    pub connections_max: usize,
    /// Bytes of a request head (431).
    pub head_bytes_max: usize,
    /// Fields of a request head (431).
    pub fields_max: usize,
    /// Bytes of a request target (414).
    pub target_bytes_max: usize,
    /// Bytes of a request body (413).
    pub body_bytes_max: u64,
    /// Bytes of a request body for which a client is given [`Timeouts::body`] once more (408).
    pub body_progress_min: u64,
    /// Requests in progress at once, over all threads (503).
    pub requests_max: usize,
    /// Connections that were upgraded, over all threads, and requests that ask for it and have no answer yet (503).
    pub tunnels_max: usize,
    /// From how many of 10,000 of these on no request is shadowed any more.
    pub shed_share: u16,
    /// Bytes of a request body that are read before it takes a connection to an upstream, once half of these are taken.
    pub gather_bytes: usize,
    /// Bytes of the body of a safe request that are kept to send it again; a larger one is sent once.
    pub replay_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 2_048,
            head_bytes_max: 32 << 10,
            fields_max: 100,
            target_bytes_max: 8 << 10,
            body_bytes_max: 1 << 30,
            body_progress_min: 1 << 10,
            requests_max: 1_024,
            tunnels_max: 512,
            shed_share: 7_500,
            gather_bytes: 64 << 10,
            replay_bytes_max: 128 << 10,
        }
    }
}

/// HTTP/2 from clients: by prior knowledge, and over TLS as it is negotiated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Http2 {
    pub enabled: bool,
    /// Requests at once on one connection.
    pub streams_max: u32,
    /// Bytes of one request body, and of all of a connection, that a client may send before they are taken.
    pub stream_window: u32,
    pub connection_window: u32,
    /// Bytes of one response that are kept for a client that does not take them yet.
    pub send_buffer_max: usize,
    /// How often a client is asked whether it is still there, and how long it may take to say so.
    pub ping_interval: Duration,
    pub ping_timeout: Duration,
    /// Requests of one connection that a client may take back before they were answered, if they are more than half of
    /// its requests; one more, and the connection is closed (CVE-2023-44487).
    pub resets_max: u64,
    /// The same before the proxy has looked at them.
    pub resets_pending_max: usize,
    /// Streams that the proxy may have to reset for errors of the client; one more, and the connection is closed.
    pub resets_local_max: usize,
    /// Frames with nothing of a request in them (SETTINGS, PING, PRIORITY, WINDOW_UPDATE, empty DATA) that a client may send
    /// beyond those that its requests, what it gets, and time account for; one more, and the connection is closed.
    pub idle_frames_max: u64,
}

impl Default for Http2 {
    fn default() -> Self {
        Self {
            enabled: true,
            streams_max: 100,
            stream_window: 128 << 10,
            connection_window: 256 << 10,
            send_buffer_max: 64 << 10,
            ping_interval: Duration::from_secs(30),
            ping_timeout: Duration::from_secs(10),
            resets_max: 100,
            resets_pending_max: 20,
            resets_local_max: 100,
            idle_frames_max: 1000,
        }
    }
}

/// How long a client may take. They are kept to within a quarter of the shortest of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For a request head, from its first byte (408).
    pub head: Duration,
    /// Between two pieces of a request body (408).
    pub body: Duration,
    /// Between two pieces of a response that the client takes; longer, and it is disconnected.
    pub write: Duration,
    /// Between two requests of a connection.
    pub idle: Duration,
    /// Without a byte in either direction after an upgrade, or in an event stream.
    pub tunnel: Duration,
    /// For an upstream to answer `Expect: 100-continue` before the body is sent to it unasked.
    pub expect: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(10),
            body: Duration::from_secs(30),
            write: Duration::from_secs(60),
            idle: Duration::from_secs(75),
            tunnel: Duration::from_secs(3600),
            expect: Duration::from_secs(1),
        }
    }
}

/// What is said of the proxy and of the client to an upstream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forwarding {
    /// Peers whose `X-Forwarded-*`, `Forwarded` and `X-Request-Id` are believed and added to. Those of everyone else
    /// are overwritten.
    pub trusted: Vec<Network>,
    /// The same for the peers of Unix sockets, which have no address.
    pub trusts_unix: bool,
    /// The proxy's name in `Via` (RFC 9110 §7.6.3).
    pub pseudonym: String,
    /// Keeps `X-Mixed-Case` as it came. Off, names are lowercase, which HTTP allows and HTTP/2 demands.
    pub preserve_header_case: bool,
    /// Passes 1xx responses on, such as 103 Early Hints.
    pub informational: bool,
    pub half_close: HalfClose,
}

/// What a client is taken for that closes its half of the connection while its request is answered. A connection that
/// was closed looks just like it, until something is written to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HalfClose {
    /// It waits for its response, which it gets.
    #[default]
    Answer,
    /// It has left, and the upstream is not kept busy for it.
    Abort,
}

impl Default for Forwarding {
    fn default() -> Self {
        Self {
            trusted: Vec::new(),
            trusts_unix: false,
            pseudonym: "strangler".to_owned(),
            preserve_header_case: true,
            informational: true,
            half_close: HalfClose::default(),
        }
    }
}

/// An address with a prefix length: `10.0.0.0/8`, `::1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

impl Network {
    pub fn contains(&self, peer: IpAddr) -> bool {
        // An IPv4 peer of a dual-stack listener comes as an IPv4-mapped address.
        match (self.address, peer.to_canonical()) {
            (IpAddr::V4(network), IpAddr::V4(peer)) => {
                let shift = 32 - u32::from(self.prefix);
                let cut = |bits: u32| bits.checked_shr(shift).unwrap_or(0);
                cut(network.to_bits()) == cut(peer.to_bits())
            }
            (IpAddr::V6(network), IpAddr::V6(peer)) => {
                let shift = 128 - u32::from(self.prefix);
                let cut = |bits: u128| bits.checked_shr(shift).unwrap_or(0);
                cut(network.to_bits()) == cut(peer.to_bits())
            }
            _ => false,
        }
    }
}

impl std::str::FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || format!("`{text}` is not a network: expected `10.0.0.0/8`, `192.0.2.7` or `fd00::/8`");
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix.parse::<u8>().map_err(|_| wrong())?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.unwrap_or(longest);
        if prefix > longest {
            return Err(wrong());
        }
        Ok(Self { address, prefix })
    }
}

/// By what a canary tells people apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum CohortKey {
    Header(HeaderName),
    Cookie(String),
    #[default]
    ClientAddress,
}

impl DataPlaneConfig {
    /// The defaults, for one listener and one upstream.
    pub fn new(listener: SocketAddr, control: UpstreamConfig) -> Self {
        Self {
            listeners: vec![Listener::new(listener)],
            threads: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            control,
            candidate: None,
            http2: Http2::default(),
            limits: Limits::default(),
            timeouts: Timeouts::default(),
            forwarding: Forwarding::default(),
            cohort: CohortKey::default(),
            paths: PathPolicy::default(),
            dry_run: None,
            read_backs: ReadBacks::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_holds_its_own_addresses() {
        for (network, peer, inside) in [
            ("10.0.0.0/8", "10.255.0.1", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("10.0.0.0/8", "::ffff:10.1.2.3", true),
            ("192.0.2.7", "192.0.2.7", true),
            ("192.0.2.7", "192.0.2.6", false),
            ("0.0.0.0/0", "203.0.113.9", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("fd00::/8", "fdff::1", true),
            ("fd00::/8", "fe80::1", false),
            ("::/0", "2001:db8::1", true),
        ] {
            let network_of: Network = network.parse().unwrap();
            assert_eq!(network_of.contains(peer.parse().unwrap()), inside, "{network} {peer}");
        }
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for text in ["", "10", "10.0.0.0/33", "::/129", "10.0.0.0/x", "example.com"] {
            assert!(text.parse::<Network>().is_err(), "{text:?} was taken");
        }
    }
}
