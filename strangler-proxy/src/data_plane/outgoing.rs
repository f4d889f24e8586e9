//! What is sent to an upstream, and how often it may be.
//!
//! A [`OneShot`] is used up by sending it, and comes back only from a connection that never took a byte of it, or from an
//! upstream that says that it has not processed it (RFC 9113 §8.7). More than one can be had only of a [`Replayable`], and
//! that only of a [`SafeMethod`]: an unsafe request cannot be processed twice, whatever the code around it does.

use bytes::Bytes;
use diff_harness::endpoint::SafeMethod;
use http::header::EXPECT;
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{Extensions, HeaderMap, Method, Request, Uri};

use super::names::Spelling;
use super::pool::{Attempt, Freshness, Pool, SendError, SendFailure, UpstreamBody};
use super::request_body::{RequestBody, Streamed};

/// A request that is processed at most once.
pub(super) struct OneShot(Box<Request<RequestBody>>);

/// A safe request with its whole body: may be sent to both sides, and again where a connection failed.
pub(super) struct Replayable {
    pub(super) method: SafeMethod,
    uri: Uri,
    pub(super) headers: HeaderMap,
    extensions: Extensions,
    pub(super) body: Bytes,
}

pub(super) enum Outgoing {
    OneShot(OneShot),
    Replayable(Box<Replayable>),
    /// Will be one of the other two when as much of the body was read as may be kept.
    ReadAhead(Box<ReadAhead>),
}

/// A safe request with a body that is still to come.
pub(super) struct ReadAhead {
    pub(super) method: SafeMethod,
    pub(super) head: Parts,
    pub(super) body: Box<Streamed>,
}

pub(super) type UpstreamResponse = http::Response<UpstreamBody<RequestBody>>;

impl OneShot {
    /// The request of the client itself.
    pub(super) fn new(head: Parts, body: RequestBody) -> Self {
        Self(Box::new(Request::from_parts(head, body)))
    }

    /// Access for what is known only at the time of sending.
    pub(super) fn request_mut(&mut self) -> &mut Request<RequestBody> {
        &mut self.0
    }

    /// # Errors
    /// With the request itself when it is as good as unsent: no upstream can have processed it.
    pub(super) async fn send(
        self,
        pool: &Pool<RequestBody>,
        freshness: Freshness,
        attempt: &Attempt<RequestBody>,
        spelling: Option<&dyn Spelling>,
    ) -> Result<UpstreamResponse, (SendFailure, Option<Self>)> {
        let sent = pool.send(self.0, freshness, attempt, spelling).await;
        sent.map_err(|SendError { reason, unsent }| (reason, unsent.map(Self)))
    }
}

impl Outgoing {
    /// What is expected to be asked for is not asked for before its time.
    pub(super) fn of_stream(safe: Option<SafeMethod>, head: Parts, body: Box<Streamed>) -> Self {
        match safe {
            Some(method) if !head.headers.contains_key(EXPECT) => {
                Self::ReadAhead(Box::new(ReadAhead { method, head, body }))
            }
            _ => Self::OneShot(OneShot::new(head, RequestBody::Streamed(body))),
        }
    }
}

impl ReadAhead {
    /// The request as it came.
    pub(super) fn unread(self) -> OneShot {
        OneShot::new(self.head, RequestBody::Streamed(self.body))
    }
}

impl Replayable {
    pub(super) fn new(method: SafeMethod, head: Parts, body: Bytes) -> Box<Self> {
        let Parts { uri, headers, extensions, .. } = head;
        Box::new(Self { method, uri, headers, extensions, body })
    }

    pub(super) fn copy(&self) -> OneShot {
        let mut request = Box::new(Request::new(RequestBody::whole(self.body.clone())));
        *request.method_mut() = Method::from(self.method);
        *request.uri_mut() = self.uri.clone();
        request.headers_mut().clone_from(&self.headers);
        request.extensions_mut().clone_from(&self.extensions);
        OneShot(request)
    }

    pub(super) fn target(&self) -> PathAndQuery {
        self.uri.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"))
    }
}
