//! An endpoint: a method and a path template, the unit that is moved.

use std::fmt;
use std::str::FromStr;

use http::Method;

/// A method and a path template, such as `GET /playlists/{id}`.
///
/// The template is kept as its document wrote it; two endpoints are the same when method and template are
/// equal to the letter. Matching requests to templates is the proxy's business.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EndpointId {
    method: Method,
    template: String,
}

impl EndpointId {
    pub fn new(method: Method, template: impl Into<String>) -> Self {
        Self { method, template: template.into() }
    }

    pub fn method(&self) -> &Method {
        &self.method
    }

    pub fn template(&self) -> &str {
        &self.template
    }

    /// Whether a request to this endpoint may be sent more than once (RFC 9110 §9.2.1).
    pub fn is_safe(&self) -> bool {
        SafeMethod::of(&self.method).is_some()
    }
}

/// Ordered by template first, so that the methods of one path stand together in every listing.
impl Ord for EndpointId {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (&self.template, self.method.as_str()).cmp(&(&other.template, other.method.as_str()))
    }
}

impl PartialOrd for EndpointId {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for EndpointId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.template)
    }
}

/// Reads the form that [`fmt::Display`] writes.
impl FromStr for EndpointId {
    type Err = EndpointIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let malformed = || EndpointIdError(text.to_owned());
        let (method, template) = text.split_once(' ').ok_or_else(malformed)?;
        if !template.starts_with('/') {
            return Err(malformed());
        }
        let method = Method::from_bytes(method.as_bytes()).map_err(|_| malformed())?;
        Ok(Self::new(method, template))
    }
}

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "`{0}` is not an endpoint: expected a method, a space and a path template, such as `GET /playlists/{{id}}`"
)]
pub struct EndpointIdError(String);

/// A method that is safe by RFC 9110 §9.2.1 and that may therefore be shadowed and retried.
///
/// Whatever sends a request a second time takes one of these instead of a [`Method`], so that an unsafe
/// request cannot be sent twice by mistake. TRACE is safe by the RFC and still not here: the proxy refuses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SafeMethod {
    Get,
    Head,
    Options,
}

impl SafeMethod {
    pub fn of(method: &Method) -> Option<Self> {
        match *method {
            Method::GET => Some(Self::Get),
            Method::HEAD => Some(Self::Head),
            Method::OPTIONS => Some(Self::Options),
            _ => None,
        }
    }
}

impl From<SafeMethod> for Method {
    fn from(method: SafeMethod) -> Self {
        match method {
            SafeMethod::Get => Self::GET,
            SafeMethod::Head => Self::HEAD,
            SafeMethod::Options => Self::OPTIONS,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_reads_back_what_it_prints() {
        let endpoint: EndpointId = "GET /playlists/{id}".parse().unwrap();
        assert_eq!(endpoint.to_string(), "GET /playlists/{id}");
        assert_eq!(endpoint.template(), "/playlists/{id}");
    }

    #[test]
    fn what_is_not_an_endpoint_is_refused() {
        for text in ["", "GET", "GET playlists", "/playlists", "G(T /x"] {
            assert!(text.parse::<EndpointId>().is_err(), "{text:?} was taken");
        }
    }

    #[test]
    fn no_unsafe_method_becomes_a_safe_one() {
        for method in
            [Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::TRACE, Method::CONNECT]
        {
            assert_eq!(SafeMethod::of(&method), None, "{method}");
        }
    }
}
