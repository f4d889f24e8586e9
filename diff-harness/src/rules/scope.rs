//! Which endpoints a rule is for.

use std::fmt;
use std::str::FromStr;

use http::Method;

use crate::endpoint::EndpointId;

/// A method or `*`, and a path template in which `*` stands for any characters: `GET /playlists/{id}`,
/// `* /playlists/*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    method: Option<Method>,
    template: String,
}

impl Scope {
    pub fn covers(&self, endpoint: &EndpointId) -> bool {
        self.method.as_ref().is_none_or(|method| method == endpoint.method())
            && glob(self.template.as_bytes(), endpoint.template().as_bytes())
    }
}

/// `*` matches any run of bytes. Linear in practice and never worse than the product of both lengths: only the
/// last star is ever tried again.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut last_star: Option<(usize, usize)> = None;
    while t < text.len() {
        if pattern.get(p) == Some(&b'*') {
            last_star = Some((p, t));
            p += 1;
        } else if pattern.get(p) == Some(&text[t]) {
            (p, t) = (p + 1, t + 1);
        } else if let Some((star, from)) = last_star {
            last_star = Some((star, from + 1));
            (p, t) = (star + 1, from + 1);
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method.as_ref().map_or("*", Method::as_str), self.template)
    }
}

impl FromStr for Scope {
    type Err = ScopeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refuse = || ScopeError(text.to_owned());
        if text == "*" {
            return Ok(Self { method: None, template: "*".to_owned() });
        }
        let (method, template) = text.split_once(' ').ok_or_else(refuse)?;
        if !template.starts_with(['/', '*']) || template.contains(char::is_whitespace) {
            return Err(refuse());
        }
        let method = match method {
            "*" => None,
            // Methods are case-sensitive (RFC 9110 §9.1), and `get` is a slip that would never match.
            name if name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-') => {
                Some(Method::from_bytes(name.as_bytes()).map_err(|_| refuse())?)
            }
            _ => return Err(refuse()),
        };
        Ok(Self { method, template: template.to_owned() })
    }
}

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is not an endpoint: expected `GET /playlists/{{id}}`, `* /playlists/*` or `*`")]
pub struct ScopeError(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_covers_what_it_says() {
        for (scope, endpoint, covers) in [
            ("GET /a/{id}", "GET /a/{id}", true),
            ("GET /a/{id}", "HEAD /a/{id}", false),
            ("GET /a", "GET /a/{id}", false),
            ("* /a/*", "DELETE /a/{id}/b", true),
            ("* /a/*", "DELETE /b/a/", false),
            ("GET */tracks", "GET /playlists/{id}/tracks", true),
            ("GET */tracks", "GET /tracks/x", false),
            ("*", "PUT /x", true),
        ] {
            let (scope, endpoint) = (scope.parse::<Scope>().unwrap(), endpoint.parse().unwrap());
            assert_eq!(scope.covers(&endpoint), covers, "{scope} {endpoint}");
        }
    }

    #[test]
    fn what_is_not_a_scope_is_refused() {
        for text in ["", "GET", "/a", "get /a", "GET a", "GET /a /b"] {
            assert!(text.parse::<Scope>().is_err(), "{text:?} was taken");
        }
    }
}
