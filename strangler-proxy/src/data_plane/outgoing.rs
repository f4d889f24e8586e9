//! What is sent to an upstream, and how often it may be.
//!
//! A [`OneShot`] is used up by sending it, and comes back only from a connection that never took a byte of it.
//! More than one can be had only of a [`Replayable`], and that only of a [`SafeMethod`]: an unsafe request cannot
//! be sent twice, whatever the code around it does.

use bytes::Bytes;
use diff_harness::endpoint::SafeMethod;
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{Extensions, HeaderMap, Method, Request, Uri};

use super::pool::{Freshness, Pool, SendError, SendFailure, UpstreamBody};
use super::request_body::RequestBody;

/// A request that is sent at most once.
pub(super) struct OneShot(Request<RequestBody>);

/// A safe request with its whole body: may be sent to both sides, and again where a connection failed.
pub(super) struct Replayable {
    pub(super) method: SafeMethod,
    uri: Uri,
    pub(super) headers: HeaderMap,
    extensions: Extensions,
    pub(super) body: Bytes,
}

#[allow(clippy::large_enum_variant, reason = "moved twice in its life, which costs less than a box")]
pub(super) enum Outgoing {
    OneShot(OneShot),
    Replayable(Box<Replayable>),
}

pub(super) type UpstreamResponse = http::Response<UpstreamBody<RequestBody>>;

impl OneShot {
    /// The request of the client itself.
    pub(super) fn new(head: Parts, body: RequestBody) -> Self {
        Self(Request::from_parts(head, body))
    }

    /// Access for what is known only at the time of sending.
    pub(super) fn request_mut(&mut self) -> &mut Request<RequestBody> {
        &mut self.0
    }

    /// # Errors
    /// With the request itself when it is as unsent as before.
    pub(super) async fn send(
        self,
        pool: &Pool<RequestBody>,
        freshness: Freshness,
    ) -> Result<UpstreamResponse, (SendFailure, Option<Self>)> {
        let sent = pool.send(self.0, freshness).await;
        sent.map_err(|SendError { reason, unsent }| (reason, unsent.map(Self)))
    }
}

impl Replayable {
    pub(super) fn new(method: SafeMethod, head: Parts, body: Bytes) -> Self {
        let Parts { uri, headers, extensions, .. } = head;
        Self { method, uri, headers, extensions, body }
    }

    pub(super) fn copy(&self) -> OneShot {
        let mut request = Request::new(RequestBody::whole(self.body.clone()));
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
