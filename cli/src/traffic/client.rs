//! Asks one side, over one connection that is kept.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use bytes::Bytes;
use diff_harness::exchange::{CapturedBody, Observation, Outcome, Response, TransportFailure};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::ask::Ask;

pub struct Client {
    address: SocketAddr,
    connection: Option<SendRequest<Full<Bytes>>>,
}

/// Nothing here takes long; what takes this long is lost.
const PATIENCE: Duration = Duration::from_secs(60);

impl Client {
    pub fn new(address: SocketAddr) -> Self {
        Self { address, connection: None }
    }

    pub async fn ask(&mut self, ask: &Ask) -> Observation {
        let started = Instant::now();
        let outcome = match tokio::time::timeout(PATIENCE, self.exchange(ask)).await {
            Ok(Ok(response)) => Outcome::Response(response),
            Ok(Err(failure)) => Outcome::Failure(failure),
            Err(_) => Outcome::Failure(TransportFailure::Timeout),
        };
        // A server may refuse before it has read the body, and then closes: the next request would race with that.
        let refused = matches!(&outcome, Outcome::Response(response) if !response.status.is_success());
        if matches!(outcome, Outcome::Failure(_)) || refused && !ask.body.is_empty() {
            self.connection = None;
        }
        Observation { outcome, latency: started.elapsed() }
    }

    async fn exchange(&mut self, ask: &Ask) -> Result<Response, TransportFailure> {
        let mut request = http::Request::new(Full::new(ask.body.clone()));
        *request.method_mut() = ask.method.clone();
        *request.uri_mut() = ask.target.parse().unwrap_or_else(|error| panic!("{:?}: {error}", ask.target));
        *request.headers_mut() = ask.headers.clone();
        let closed = |_| TransportFailure::Closed;
        let connection = self.connection().await?;
        let response = connection.send_request(request).await.map_err(closed)?;
        let (head, body) = response.into_parts();
        let body = body.collect().await.map_err(closed)?.to_bytes();
        Ok(Response { status: head.status, headers: head.headers, body: CapturedBody::Whole(body) })
    }

    /// The kept connection, or a new one if the server closed it.
    async fn connection(&mut self) -> Result<&mut SendRequest<Full<Bytes>>, TransportFailure> {
        let kept = match self.connection.take() {
            Some(mut kept) => kept.ready().await.is_ok().then_some(kept),
            None => None,
        };
        let connection = match kept {
            Some(kept) => kept,
            None => {
                let socket = TcpStream::connect(self.address).await.map_err(|_| TransportFailure::Connect)?;
                socket.set_nodelay(true).map_err(|_| TransportFailure::Connect)?;
                let (sender, driver) =
                    http1::handshake(TokioIo::new(socket)).await.map_err(|_| TransportFailure::Connect)?;
                // Its error reaches whoever waits for the response.
                tokio::spawn(driver);
                sender
            }
        };
        Ok(self.connection.insert(connection))
    }
}
