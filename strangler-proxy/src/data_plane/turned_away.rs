//! Why a client connection is closed for what it is, rather than a request refused.

/// Each is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum TurnedAway {
    /// A client of HTTP/2 took back most of its requests before they were answered.
    Http2Resets,
    /// One made work in another way: frames that ask for nothing, streams that have to be reset, heads without an end.
    Http2Flood,
    /// A TLS handshake failed: another protocol, nothing in common, or a client certificate that is missing or refused.
    TlsHandshake,
    TlsTimeout,
    /// No header of the PROXY protocol where one has to be.
    ProxyHeader,
    /// Whoever connected may not say who its client is.
    ProxySender,
    ProxyTimeout,
}

impl TurnedAway {
    /// In the order of their numbers.
    pub const ALL: [Self; 7] = [
        Self::Http2Resets,
        Self::Http2Flood,
        Self::TlsHandshake,
        Self::TlsTimeout,
        Self::ProxyHeader,
        Self::ProxySender,
        Self::ProxyTimeout,
    ];

    /// The word under which it is counted.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Http2Resets => "http2_resets",
            Self::Http2Flood => "http2_flood",
            Self::TlsHandshake => "tls_handshake",
            Self::TlsTimeout => "tls_timeout",
            Self::ProxyHeader => "proxy_header",
            Self::ProxySender => "proxy_sender",
            Self::ProxyTimeout => "proxy_timeout",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_stands_in_its_place() {
        assert!(TurnedAway::ALL.iter().enumerate().all(|(place, why)| *why as usize == place));
    }
}
