//! A named server that the proxy can forward to.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

/// Where an upstream is: `http://host:port`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Upstream {
    host: String,
    port: u16,
}

impl Upstream {
    /// Host and port, as a connection is made to: `127.0.0.1:9001`.
    pub fn authority(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

impl fmt::Display for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}:{}", self.host, self.port)
    }
}

impl FromStr for Upstream {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = |why: &str| {
            format!("`{text}` is not an upstream: {why}; expected a URL such as `http://127.0.0.1:9001`")
        };
        let uri: http::Uri = text.parse().map_err(|_| wrong("it is not a URL"))?;
        match uri.scheme_str() {
            Some("http") => {}
            Some("https") => return Err(wrong("TLS to upstreams is not spoken")),
            _ => return Err(wrong("it does not begin with http://")),
        }
        if uri.path().len() > 1 || uri.query().is_some() {
            return Err(wrong("it has a path, and requests are forwarded with the path that they came with"));
        }
        let authority = uri.authority().ok_or_else(|| wrong("it names no host"))?;
        if authority.as_str().contains('@') {
            return Err(wrong("it has a user name, which has no place here"));
        }
        // `Authority::port` has no word for a port that is not one.
        let port = match authority.as_str().strip_prefix(authority.host()).unwrap_or_default() {
            "" => 80,
            port => port.strip_prefix(':').and_then(|port| port.parse().ok()).unwrap_or(0),
        };
        if authority.host().is_empty() || port == 0 {
            return Err(wrong("it needs a host and a port from 1 to 65535"));
        }
        Ok(Self { host: authority.host().to_owned(), port })
    }
}

impl TryFrom<String> for Upstream {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upstream_reads_back_what_it_prints() {
        for text in ["http://127.0.0.1:9001", "http://[::1]:9001", "http://monolith.internal:80"] {
            assert_eq!(text.parse::<Upstream>().unwrap().to_string(), text);
        }
        assert_eq!("http://monolith/".parse::<Upstream>().unwrap().authority(), "monolith:80");
    }

    #[test]
    fn what_is_no_upstream_is_refused() {
        for text in [
            "",
            "127.0.0.1:9001",
            "https://a:1",
            "ftp://a",
            "http://a/b",
            "http://a?x",
            "http://u:p@a",
            "http://a:0",
            "http://a:99999",
            "http://",
            "http://a:",
        ] {
            assert!(text.parse::<Upstream>().is_err(), "{text:?} was taken");
        }
    }
}
