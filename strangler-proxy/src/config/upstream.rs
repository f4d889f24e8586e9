//! A named server that the proxy can forward to, as it is declared.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::units::Time;
use super::upstream_table::{Table, Tls};
use crate::data_plane::UpstreamConfig;
use crate::data_plane::upstream::{Health, Protocol};

/// Where an upstream is, `http://host:port` or several of them, and how it is looked after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upstream {
    /// The first is the one that it is called by.
    pub(super) locations: Vec<Location>,
    pub(super) resolve_every: Time,
    pub(super) health: Health,
    pub(super) tls: Tls,
    pub(super) protocol: Protocol,
    pub(super) streams_max: usize,
}

/// One URL of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Location {
    pub(super) is_tls: bool,
    host: String,
    port: u16,
}

impl Upstream {
    /// Hosts and ports, as connections are made to them: `127.0.0.1:9001`.
    pub fn authorities(&self) -> impl Iterator<Item = String> {
        self.locations.iter().map(Location::authority)
    }

    /// What it declares by itself; the rest is the same for all upstreams.
    ///
    /// `beside` finds a file that is named in the config.
    pub(super) fn over(&self, common: UpstreamConfig, beside: &dyn Fn(&str) -> PathBuf) -> UpstreamConfig {
        UpstreamConfig {
            tls: self.is_tls().then(|| self.tls.resolve(beside)),
            authorities: self.authorities().collect(),
            resolve_every: self.resolve_every.0,
            health: self.health.clone(),
            protocol: self.protocol,
            streams_max: self.streams_max,
            ..common
        }
    }

    /// All of its URLs, or none.
    fn is_tls(&self) -> bool {
        self.locations.iter().any(|location| location.is_tls)
    }

    fn at(locations: Vec<Location>) -> Self {
        let defaults = UpstreamConfig::new("");
        Self {
            locations,
            resolve_every: Time(defaults.resolve_every),
            health: defaults.health,
            tls: Tls::default(),
            protocol: defaults.protocol,
            streams_max: defaults.streams_max,
        }
    }
}

impl Location {
    fn authority(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

/// Its URLs, with commas between.
impl fmt::Display for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, location) in self.locations.iter().enumerate() {
            let comma = if index > 0 { ", " } else { "" };
            let scheme = if location.is_tls { "https" } else { "http" };
            write!(f, "{comma}{scheme}://{}:{}", location.host, location.port)?;
        }
        Ok(())
    }
}

impl FromStr for Upstream {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self::at(vec![text.parse()?]))
    }
}

impl FromStr for Location {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = |why: &str| {
            format!("`{text}` is not an upstream: {why}; expected a URL such as `http://127.0.0.1:9001`")
        };
        let uri: http::Uri = text.parse().map_err(|_| wrong("it is not a URL"))?;
        let is_tls = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(wrong("it does not begin with http:// or https://")),
        };
        if uri.path().len() > 1 || uri.query().is_some() {
            return Err(wrong("it has a path, and requests are forwarded with the path that they came with"));
        }
        let authority = uri.authority().ok_or_else(|| wrong("it names no host"))?;
        if authority.as_str().contains('@') {
            return Err(wrong("it has a user name, which has no place here"));
        }
        // `Authority::port` has no word for a port that is not one.
        let port = match authority.as_str().strip_prefix(authority.host()).unwrap_or_default() {
            "" if is_tls => 443,
            "" => 80,
            port => port.strip_prefix(':').and_then(|port| port.parse().ok()).unwrap_or(0),
        };
        if authority.host().is_empty() || port == 0 {
            return Err(wrong("it needs a host and a port from 1 to 65535"));
        }
        Ok(Self { is_tls, host: authority.host().to_owned(), port })
    }
}

/// A URL, or a table with `url` or `addresses` and what is declared besides.
impl<'de> Deserialize<'de> for Upstream {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct UrlOrTable;

        impl<'de> Visitor<'de> for UrlOrTable {
            type Value = Upstream;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a URL such as \"http://127.0.0.1:9001\", or a table with `url` or `addresses`")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Upstream, E> {
                text.parse().map_err(E::custom)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Upstream, A::Error> {
                let table = Table::deserialize(MapAccessDeserializer::new(map))?;
                table.resolve().map_err(serde::de::Error::custom)
            }
        }

        deserializer.deserialize_any(UrlOrTable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upstream_reads_back_what_it_prints() {
        for text in
            ["http://127.0.0.1:9001", "http://[::1]:9001", "http://monolith.internal:80", "https://a:1"]
        {
            assert_eq!(text.parse::<Upstream>().unwrap().to_string(), text);
        }
        let monolith = "http://monolith/".parse::<Upstream>().unwrap();
        assert_eq!(monolith.authorities().collect::<Vec<_>>(), ["monolith:80"]);
        assert_eq!("https://monolith".parse::<Upstream>().unwrap().to_string(), "https://monolith:443");
    }

    #[test]
    fn what_is_no_upstream_is_refused() {
        for text in [
            "",
            "127.0.0.1:9001",
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
