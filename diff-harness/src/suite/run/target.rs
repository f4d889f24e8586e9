//! Where a side is asked.

use std::fmt;
use std::str::FromStr;

use http::Uri;

/// A side's base URL: `http://host:port`, with a path in front of every request's if it has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    host: String,
    port: u16,
    /// Without a slash at its end.
    base: String,
}

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum TargetError {
    #[error("`{0}` is not a URL such as http://127.0.0.1:8080")]
    Malformed(String),
    #[error("`{0}` is not http:// — suites speak plain HTTP; put a proxy that speaks TLS in front of it")]
    Scheme(String),
    #[error("`{0}` has a query, or a user name: neither can be part of where a side is")]
    Parts(String),
}

impl Target {
    pub fn host(&self) -> &str {
        // Brackets belong to the URL, not to the address (RFC 3986 §3.2.2).
        self.host.trim_start_matches('[').trim_end_matches(']')
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Host and port as a `Host` field and as links show them: without the port that needs no naming.
    pub fn authority(&self) -> String {
        if self.port == 80 { self.host.clone() } else { format!("{}:{}", self.host, self.port) }
    }

    /// The path that stands in front of every request's.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// A URL reference, as a `Location` gives one, as a path below the base; `None` where it leads elsewhere.
    pub fn own_path(&self, reference: &str) -> Option<String> {
        let authority = self.authority();
        let with_port = format!("{}:{}", self.host, self.port);
        let path = match reference.split_once("://") {
            None => reference,
            Some((_, rest)) => {
                let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
                if rest[..end] != authority && rest[..end] != with_port {
                    return None;
                }
                &rest[end..]
            }
        };
        let path = path.split('#').next().unwrap_or_default();
        let path = path.strip_prefix(self.base.as_str()).filter(|rest| rest.starts_with('/')).unwrap_or(path);
        match path {
            "" => Some("/".to_owned()),
            path if path.starts_with('/') => Some(path.to_owned()),
            path if path.starts_with('?') => Some(format!("/{path}")),
            _ => None,
        }
    }
}

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let malformed = || TargetError::Malformed(text.to_owned());
        let uri: Uri = text.parse().map_err(|_| malformed())?;
        match uri.scheme_str() {
            Some("http") => {}
            Some(_) => return Err(TargetError::Scheme(text.to_owned())),
            None => return Err(malformed()),
        }
        let authority =
            uri.authority().filter(|authority| !authority.host().is_empty()).ok_or_else(malformed)?;
        if authority.as_str().contains('@') || uri.query().is_some() {
            return Err(TargetError::Parts(text.to_owned()));
        }
        Ok(Self {
            host: authority.host().to_owned(),
            port: authority.port_u16().unwrap_or(80),
            base: uri.path().trim_end_matches('/').to_owned(),
        })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}{}", self.authority(), self.base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_a_host_a_port_and_a_base() {
        for (text, host, authority, base) in [
            ("http://127.0.0.1:8080", "127.0.0.1", "127.0.0.1:8080", ""),
            ("http://a.test/", "a.test", "a.test", ""),
            ("http://a.test:80/api/v1/", "a.test", "a.test", "/api/v1"),
            ("http://[::1]:9000/x", "::1", "[::1]:9000", "/x"),
        ] {
            let target: Target = text.parse().unwrap();
            assert_eq!((target.host(), target.authority().as_str(), target.base()), (host, authority, base));
        }
    }

    #[test]
    fn what_cannot_be_asked_is_refused() {
        for text in [
            "",
            "localhost:80",
            "/x",
            "https://a.test",
            "ftp://a",
            "http://u:p@a",
            "http://a/?x=1",
            "http://",
        ] {
            assert!(text.parse::<Target>().is_err(), "{text:?} was taken");
        }
    }

    #[test]
    fn a_location_becomes_a_path_of_its_own_side() {
        let target: Target = "http://a.test:81/api".parse().unwrap();
        for (reference, path) in [
            ("/posts/1?x=2#y", Some("/posts/1?x=2")),
            ("/api/posts/1", Some("/posts/1")),
            ("/apis", Some("/apis")),
            ("http://a.test:81/api/posts/1", Some("/posts/1")),
            ("http://a.test:81", Some("/")),
            ("http://b.test:81/x", None),
            ("posts/1", None),
        ] {
            assert_eq!(target.own_path(reference).as_deref(), path, "{reference}");
        }
    }
}
