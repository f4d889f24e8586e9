//! The bearer token of a request.

use http::{HeaderMap, header};

/// From `Authorization: Bearer TOKEN`, or `OAuth TOKEN` as old clients say; the scheme in any case (RFC 9110 §11.1).
/// `None` if there is no such header, or it has another scheme or no token.
pub fn bearer_token(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    let known = scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("oauth");
    (known && !token.is_empty()).then_some(token)
}
