//! Why a request got no response, and what may be done about it.

use std::io;

use http::Request;

/// Why there is no response.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub struct SendError<B> {
    pub reason: SendFailure,
    /// The request, when the upstream cannot have processed it: not a byte of it has reached it, or it says so itself and all
    /// of the body is still here.
    pub unsent: Option<Box<Request<B>>>,
}

#[derive(Debug, thiserror::Error)]
pub enum SendFailure {
    #[error("no connection: {0}")]
    Connect(#[source] io::Error),
    #[error("all connections are in use")]
    Busy,
    /// The connection was closed or reset before the head was whole; `reused` if it had served before, so that
    /// the upstream may have closed it for being idle.
    #[error("the connection was closed: {source}")]
    Closed {
        reused: bool,
        #[source]
        source: hyper::Error,
    },
    #[error("the response is not HTTP: {0}")]
    Protocol(#[source] hyper::Error),
    /// The upstream has not processed the request, and says so (RFC 9113 §8.7).
    #[error("the upstream refused the request unprocessed: {0}")]
    Refused(#[source] hyper::Error),
    /// The request's Host cannot be sent over HTTP/2.
    #[error("the Host field is no authority")]
    Host,
    /// The request's own body failed: its sender left, or broke a rule.
    #[error("the request body failed: {0}")]
    RequestBody(#[source] hyper::Error),
}
