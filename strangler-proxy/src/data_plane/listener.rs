//! Where clients connect, and what is spoken there.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use super::proxy_protocol::ProxyProtocol;
use super::tls_server::Tls;

/// One place where clients connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    pub address: Address,
    /// Client connections of this listener at once, over all threads; further ones wait in the kernel's queue.
    /// `None`: as many as all listeners together may have.
    pub connections_max: Option<usize>,
    /// Requests in progress of this listener at once, over all threads (503). `None`: the same.
    pub requests_max: Option<usize>,
    /// `None`: plain.
    pub tls: Option<Tls>,
    /// `None`: the other end of the connection is the client.
    pub proxy_protocol: Option<ProxyProtocol>,
}

/// A TCP address, or the file of a Unix socket.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Address {
    /// Port 0 takes a free one.
    Tcp(SocketAddr),
    Unix {
        path: PathBuf,
        /// Permission bits of the file: who may connect is who may write to it.
        mode: u32,
    },
}

/// A listener that takes connections, with the port that was taken for 0. Prints as a client would name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listening {
    pub address: Address,
    pub tls: bool,
}

impl Listener {
    /// Plain HTTP, without a limit of its own.
    pub fn new(address: impl Into<Address>) -> Self {
        Self {
            address: address.into(),
            connections_max: None,
            requests_max: None,
            tls: None,
            proxy_protocol: None,
        }
    }
}

impl Address {
    /// Owner and group: a load balancer on the same machine shares a group with the proxy, and nobody else gets in.
    pub const DEFAULT_MODE: u32 = 0o660;
    /// `sun_path` of Linux has 108 bytes, with the one that ends it.
    pub const UNIX_PATH_BYTES_MAX: usize = 107;

    pub fn tcp(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(address) => Some(*address),
            Self::Unix { .. } => None,
        }
    }
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Self {
        Self::Tcp(address)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "{address}"),
            Self::Unix { path, .. } => write!(f, "unix:{}", path.display()),
        }
    }
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let Some(path) = text.strip_prefix("unix:") else {
            return text.parse().map(Self::Tcp).map_err(|_| {
                format!(
                    "`{text}` is not an address to listen on: expected an IP address and a port such as \
                     `127.0.0.1:8080`, or a socket file such as `unix:/run/strangler.sock`"
                )
            });
        };
        if path.is_empty() || path.ends_with('/') || path.contains('\0') {
            return Err(format!(
                "`{text}` names no file: expected a path such as `unix:/run/strangler.sock`"
            ));
        }
        Ok(Self::Unix { path: PathBuf::from(path), mode: Self::DEFAULT_MODE })
    }
}

impl fmt::Display for Listening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.address {
            Address::Tcp(address) if self.tls => write!(f, "https://{address}"),
            Address::Tcp(address) => write!(f, "http://{address}"),
            unix @ Address::Unix { .. } => write!(f, "{unix}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_reads_back_what_it_prints() {
        for text in ["127.0.0.1:8080", "[::1]:0", "unix:/run/a.sock", "unix:a.sock"] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_address_is_refused_with_what_was_expected() {
        for text in
            ["", "localhost", "127.0.0.1", "8080", "unix:", "unix:/run/", "unix", "http://127.0.0.1:1"]
        {
            let told = text.parse::<Address>().unwrap_err();
            assert!(told.contains("expected a"), "{told}");
        }
    }
}
