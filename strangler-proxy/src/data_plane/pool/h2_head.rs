//! The head of a request in HTTP/2, from and to the form in which it goes out over HTTP/1.1.

use std::sync::Arc;

use http::header::{CONNECTION, CONTENT_LENGTH, EXPECT, HOST, HeaderName, TE, TRANSFER_ENCODING, UPGRADE};
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderValue, Request, Uri, Version};
use http_body::Body;

use super::SendFailure;

/// Told by a request that expects a 100 (RFC 9110 §10.1.1) when it goes out over HTTP/2, where its body is sent at once:
/// flow control holds back what nobody reads, and one that is refused is reset.
#[derive(Clone)]
pub struct SentAtOnce(pub Arc<dyn Fn() + Send + Sync>);

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");

/// RFC 9113 §8.2.2, §8.3.1: Host becomes `:authority`, and what is for one connection of HTTP/1.1 goes.
///
/// # Errors
/// When there is no Host, or none that can be an authority.
pub(in crate::data_plane) fn of_request<B>(
    request: &mut Request<B>,
    is_tls: bool,
) -> Result<(), SendFailure> {
    let host = request.headers().get(HOST).and_then(|host| Authority::try_from(host.as_bytes()).ok());
    let authority = host.ok_or(SendFailure::Host)?;
    let headers = request.headers_mut();
    for name in [HOST, CONNECTION, TRANSFER_ENCODING, UPGRADE, KEEP_ALIVE] {
        headers.remove(name);
    }
    let expects = headers.remove(EXPECT).is_some();
    let target = request.uri().path_and_query().cloned();
    let mut parts = http::uri::Parts::default();
    parts.scheme = Some(if is_tls { Scheme::HTTPS } else { Scheme::HTTP });
    parts.authority = Some(authority);
    parts.path_and_query = Some(target.unwrap_or_else(|| PathAndQuery::from_static("/")));
    *request.uri_mut() = Uri::from_parts(parts).map_err(|_| SendFailure::Host)?;
    *request.version_mut() = Version::HTTP_2;
    if let (true, Some(told)) = (expects, request.extensions_mut().remove::<SentAtOnce>()) {
        (told.0)();
    }
    Ok(())
}

/// Of a request that came back unsent, and may go out over HTTP/1.1 now.
pub(super) fn undo<B: Body>(request: &mut Request<B>) {
    let authority = request.uri().authority().map(|authority| HeaderValue::from_str(authority.as_str()));
    if let Some(Ok(host)) = authority {
        request.headers_mut().insert(HOST, host);
    }
    if let Some(target) = request.uri().path_and_query().cloned() {
        *request.uri_mut() = Uri::from(target);
    }
    *request.version_mut() = Version::HTTP_11;
    let has_length = request.headers().contains_key(CONTENT_LENGTH);
    if !has_length && !request.body().is_end_stream() && request.body().size_hint().exact().is_none() {
        request.headers_mut().insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
    }
    if request.headers().contains_key(TE) {
        request.headers_mut().insert(CONNECTION, HeaderValue::from_static("te"));
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http_body_util::{BodyExt, Empty, StreamBody};

    use super::*;

    fn request(uri: &str) -> http::request::Builder {
        Request::builder().uri(uri).header("host", "a.example:81").header("x", "1")
    }

    #[test]
    fn the_host_is_the_authority_and_comes_back() {
        for target in ["/a%2fb?c", "/"] {
            let mut there = request(target)
                .header("te", "trailers")
                .header("connection", "te")
                .body(Empty::<Bytes>::new())
                .unwrap();
            let before = (there.headers().clone(), there.uri().clone());
            of_request(&mut there, true).unwrap();
            assert_eq!(there.uri(), format!("https://a.example:81{target}").as_str());
            assert_eq!(there.version(), Version::HTTP_2);
            let mut names: Vec<_> = there.headers().keys().map(HeaderName::as_str).collect();
            names.sort_unstable();
            assert_eq!(names, ["te", "x"]);
            undo(&mut there);
            assert_eq!((there.headers().clone(), there.uri().clone()), before);
            assert_eq!(there.version(), Version::HTTP_11);
        }
    }

    #[test]
    fn a_body_without_a_length_is_chunked_again() {
        let body = StreamBody::new(futures_util::stream::pending::<Result<http_body::Frame<Bytes>, ()>>());
        let mut there = request("/").header("transfer-encoding", "chunked").body(body.boxed()).unwrap();
        let before = there.headers().clone();
        of_request(&mut there, false).unwrap();
        assert!(!there.headers().contains_key(TRANSFER_ENCODING));
        undo(&mut there);
        let (mut now, mut before) = (there.headers().clone(), before);
        assert_eq!(now.remove(TRANSFER_ENCODING), before.remove(TRANSFER_ENCODING));
        assert_eq!(now, before);
    }

    #[test]
    fn without_a_host_it_is_not_sent() {
        let mut there = Request::get("/").body(()).unwrap();
        assert!(of_request(&mut there, false).is_err());
    }
}
