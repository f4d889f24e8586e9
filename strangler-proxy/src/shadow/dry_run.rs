//! Unsafe requests that the candidate is to compute and not to carry out.
//!
//! An unsafe request is carried out once in production, by the side that answers its client. What is sent to the candidate
//! besides is another type than a shadow, and cannot be had without the header that says that nothing is to be committed:
//!
//! ```compile_fail,E0451
//! # use strangler_proxy::shadow::DryRunRequest;
//! # fn example(copy: DryRunRequest) -> DryRunRequest {
//! // Its fields are private: nobody makes one without a header, or takes the header out again.
//! DryRunRequest { headers: http::HeaderMap::new(), ..copy }
//! # }
//! ```
//!
//! ```compile_fail,E0308
//! # use strangler_proxy::shadow::{ShadowHandle, DryRunRequest};
//! # fn example(handle: &ShadowHandle, request: DryRunRequest) {
//! // It is no shadow, which would be sent without the header, and again where a connection was closed.
//! let _ = handle.submit(request);
//! # }
//! ```
//!
//! And an unsafe request is no shadow, since a shadow has a safe method:
//!
//! ```compile_fail,E0308
//! # use strangler_proxy::shadow::ShadowRequest;
//! # fn example(request: &mut ShadowRequest) {
//! request.method = http::Method::POST;
//! # }
//! ```
//!
//! ```compile_fail,E0277
//! use diff_harness::endpoint::SafeMethod;
//! let method: SafeMethod = http::Method::POST.into();
//! ```

use std::sync::Arc;

use bytes::Bytes;
use diff_harness::exchange::UnixMillis;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use super::SHADOW_HEADER;
use crate::routes::table::ActiveRoute;

/// What tells the candidate that a request is a dry run, and by what it says that it has understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DryRunHeader {
    pub name: HeaderName,
    pub value: HeaderValue,
    /// A response header that only a candidate which committed nothing sends. Without one, its word is all there is.
    pub confirm: Option<HeaderName>,
}

/// An unsafe request on its way to the candidate, marked. Sent once, and never again.
#[derive(Debug)]
pub struct DryRunRequest {
    pub(super) id: HeaderValue,
    pub(super) at: UnixMillis,
    pub(super) route: Arc<ActiveRoute>,
    pub(super) method: Method,
    pub(super) target: PathAndQuery,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) mark: Arc<DryRunHeader>,
}

/// The request as control got it.
#[derive(Debug)]
pub struct Unmarked {
    /// The request id, as the client and both sides see it.
    pub id: HeaderValue,
    pub at: UnixMillis,
    pub route: Arc<ActiveRoute>,
    pub method: Method,
    /// Path and query as they were on the wire, undecoded.
    pub target: PathAndQuery,
    /// As forwarded to control, without the fields of that connection.
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl DryRunRequest {
    pub fn new(mark: &Arc<DryRunHeader>, request: Unmarked) -> Self {
        let Unmarked { id, at, route, method, target, mut headers, body } = request;
        // One line of it, whatever the client sent under that name.
        headers.insert(mark.name.clone(), mark.value.clone());
        headers.insert(SHADOW_HEADER, HeaderValue::from_static("1"));
        Self { id, at, route, method, target, headers, body, mark: Arc::clone(mark) }
    }
}

impl DryRunHeader {
    /// Whether the response says that nothing was committed, as far as it is asked for that.
    pub(super) fn is_acknowledged_by(&self, response: &HeaderMap) -> bool {
        self.confirm.as_ref().is_none_or(|name| response.contains_key(name))
    }
}

#[cfg(test)]
mod tests {
    use diff_harness::lifecycle::Standing;

    use super::*;

    fn header(confirm: Option<&str>) -> Arc<DryRunHeader> {
        Arc::new(DryRunHeader {
            name: HeaderName::from_static("x-dry-run"),
            value: HeaderValue::from_static("1"),
            confirm: confirm.map(|name| name.parse().unwrap()),
        })
    }

    #[test]
    fn a_client_cannot_take_the_mark_away() {
        let route = Arc::new(ActiveRoute {
            endpoint: "POST /a".parse().unwrap(),
            safe: None,
            standing: Standing::default(),
            revision: 1,
            salt: "".into(),
            counters: Arc::default(),
        });
        let headers = [("x-dry-run", "0"), ("x-dry-run", "no"), ("x-strangler-shadow", "0")];
        let headers = headers.map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        let request = DryRunRequest::new(
            &header(None),
            Unmarked {
                id: HeaderValue::from_static("r1"),
                at: UnixMillis(1),
                route,
                method: Method::POST,
                target: PathAndQuery::from_static("/a"),
                headers: headers.into_iter().collect(),
                body: Bytes::new(),
            },
        );
        let sent: Vec<_> = request.headers.get_all("x-dry-run").iter().collect();
        assert_eq!(sent, ["1"]);
        let shadow: Vec<_> = request.headers.get_all(SHADOW_HEADER).iter().collect();
        assert_eq!(shadow, ["1"], "it is marked as every request that is none of a client's");
    }

    #[test]
    fn an_acknowledgement_is_asked_for_only_where_it_is_named() {
        let response: HeaderMap =
            [(HeaderName::from_static("x-committed"), HeaderValue::from_static("no"))].into_iter().collect();
        assert!(header(None).is_acknowledged_by(&HeaderMap::new()));
        assert!(header(Some("x-committed")).is_acknowledged_by(&response));
        assert!(!header(Some("x-committed")).is_acknowledged_by(&HeaderMap::new()));
    }
}
