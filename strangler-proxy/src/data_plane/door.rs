//! What happens at a listener before HTTP is spoken: the PROXY protocol, and the TLS handshake.

use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;

use super::TurnedAway;
use super::proxy_protocol::{self, ProxyProtocol};
use super::room::Corner;
use super::socket::Socket;
use super::stream::Stream;
use super::tls_server::TlsServer;
use super::turns::Turns;

/// One listener, as a thread has it.
pub(super) struct Door {
    /// For requests in progress, where the listener has a limit of its own.
    pub(super) requests: Option<Rc<Corner>>,
    pub(super) proxy_protocol: Option<ProxyProtocol>,
    /// How long the header of the PROXY protocol may take.
    pub(super) header_timeout: Duration,
    pub(super) tls: Option<TlsDoor>,
}

pub(super) struct TlsDoor {
    pub(super) server: Arc<TlsServer>,
    /// Handshakes that this thread may have at once.
    pub(super) handshakes: Rc<Semaphore>,
    /// They are work; those who are in have their turn between their steps.
    pub(super) turns: Turns,
}

/// A connection on which HTTP can be spoken.
pub(super) struct Entered {
    pub(super) stream: Stream,
    pub(super) peer: Option<SocketAddr>,
    pub(super) secured: Option<Secured>,
}

/// What a handshake has agreed on.
pub(super) struct Secured {
    pub(super) http2: bool,
    /// The verified certificate of the client, as RFC 9440 §2.1 writes it.
    pub(super) certificate: Option<HeaderValue>,
}

impl Door {
    /// Whether HTTP begins with the first byte.
    pub(super) fn is_plain(&self) -> bool {
        self.proxy_protocol.is_none() && self.tls.is_none()
    }

    /// # Errors
    /// Why the connection is closed without a word of HTTP.
    pub(super) async fn enter(
        &self,
        mut socket: Socket,
        mut peer: Option<SocketAddr>,
    ) -> Result<Entered, TurnedAway> {
        if let Some(proxy_protocol) = &self.proxy_protocol {
            if !proxy_protocol.trusts(peer) {
                return Err(TurnedAway::ProxySender);
            }
            let header = proxy_protocol::read(&mut socket, proxy_protocol.versions);
            match tokio::time::timeout(self.header_timeout, header).await {
                Err(_) => return Err(TurnedAway::ProxyTimeout),
                Ok(Err(_)) => return Err(TurnedAway::ProxyHeader),
                // A sender that speaks for itself, such as a health check, is its own client.
                Ok(Ok(client)) => peer = client.or(peer),
            }
        }
        let Some(tls) = &self.tls else {
            return Ok(Entered { stream: Stream::Plain(socket), peer, secured: None });
        };
        let handshake = async {
            let _place = tls.handshakes.acquire().await.expect("it is never closed");
            tls.turns.drive(TlsAcceptor::from(tls.server.config()).accept(socket)).await
        };
        let stream = match tokio::time::timeout(tls.server.declared().handshake_timeout, handshake).await {
            Err(_) => return Err(TurnedAway::TlsTimeout),
            Ok(Err(error)) => {
                tracing::debug!(%error, "a TLS handshake failed");
                return Err(TurnedAway::TlsHandshake);
            }
            Ok(Ok(stream)) => stream,
        };
        let agreed = stream.get_ref().1;
        let secured = Secured {
            http2: agreed.alpn_protocol() == Some(b"h2"),
            certificate: agreed.peer_certificates().and_then(<[_]>::first).and_then(|own| {
                HeaderValue::from_maybe_shared(bytes::Bytes::from(format!(":{}:", STANDARD.encode(own)))).ok()
            }),
        };
        Ok(Entered { stream: Stream::Tls(Box::new(stream)), peer, secured: Some(secured) })
    }
}
