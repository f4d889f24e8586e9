//! An upstream as a table of the file.

use std::path::PathBuf;

use serde::Deserialize;

use super::units::{Positive, Share, Time};
use super::upstream::{Location, Upstream};
use crate::data_plane::UpstreamConfig;
use crate::data_plane::upstream::{Check, Health, Identity, Protocol, TlsFiles};

/// `[upstreams.control]` as it is written.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Table {
    url: Option<Url>,
    addresses: Vec<Url>,
    resolve_every: Interval,
    health: HealthTable,
    tls: Option<Tls>,
    protocol: ProtocolName,
    streams: Positive,
}

/// What is spoken, as it is written.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
enum ProtocolName {
    #[default]
    #[serde(rename = "http/1.1")]
    Http1,
    #[serde(rename = "h2")]
    Http2,
    #[serde(rename = "auto")]
    Auto,
}

/// `tls` of an upstream as it is written. Whether the files can be used is seen when they are read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Tls {
    ca: Option<String>,
    server_name: Option<String>,
    certificate: Option<String>,
    key: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct HealthTable {
    failures: u32,
    count_5xx: bool,
    eject_for: Interval,
    eject_for_max: Interval,
    eject_share: Share,
    check: Option<CheckTable>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CheckTable {
    path: CheckPath,
    host: Option<CheckHost>,
    #[serde(default = "CheckTable::every")]
    every: Interval,
    #[serde(default = "CheckTable::timeout")]
    timeout: Interval,
    #[serde(default = "CheckTable::unhealthy")]
    unhealthy: Positive,
    #[serde(default = "CheckTable::healthy")]
    healthy: Positive,
}

#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
struct Url(Location);

/// A time between two looks: none would look without a pause.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "String")]
struct Interval(Time);

/// Path and query of a check.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
struct CheckPath(String);

/// `Host` of a check.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
struct CheckHost(String);

impl Table {
    pub(super) fn resolve(self) -> Result<Upstream, String> {
        let locations: Vec<_> = match (self.url, self.addresses) {
            (Some(url), addresses) if addresses.is_empty() => vec![url.0],
            (None, addresses) if !addresses.is_empty() => addresses.into_iter().map(|url| url.0).collect(),
            (Some(_), _) => {
                return Err("an upstream has either `url` or `addresses`, and this has both".to_owned());
            }
            (None, _) => {
                return Err(
                    "an upstream needs `url = \"http://host:port\"`, or `addresses` with several of them"
                        .to_owned(),
                );
            }
        };
        if locations.iter().any(|location| location.is_tls != locations[0].is_tls) {
            return Err(
                "some of the addresses are https:// and some are http://; expected one of them for all"
                    .to_owned(),
            );
        }
        if self.tls.is_some() && !locations[0].is_tls {
            return Err("`tls` is for https://, and this upstream is http://".to_owned());
        }
        let tls = self.tls.unwrap_or_default();
        if tls.certificate.is_some() != tls.key.is_some() {
            return Err(
                "`certificate` and `key` stand together: our certificate, and the key that belongs to it"
                    .to_owned(),
            );
        }
        let HealthTable { failures, count_5xx, eject_for, eject_for_max, eject_share, check } = self.health;
        if eject_for_max.0.0 < eject_for.0.0 {
            return Err(format!(
                "`eject_for_max` ({}) is shorter than `eject_for` ({})",
                eject_for_max.0, eject_for.0
            ));
        }
        let health = Health {
            failures_max: failures,
            count_5xx,
            eject_for: eject_for.0.0,
            eject_for_max: eject_for_max.0.0,
            eject_share: eject_share.0,
            check: check.map(CheckTable::resolve),
        };
        let protocol = match self.protocol {
            ProtocolName::Http1 => Protocol::Http1,
            ProtocolName::Http2 => Protocol::Http2,
            ProtocolName::Auto => Protocol::Auto,
        };
        Ok(Upstream {
            locations,
            resolve_every: self.resolve_every.0,
            health,
            tls,
            protocol,
            streams_max: self.streams.0,
        })
    }
}

impl Default for Table {
    fn default() -> Self {
        let defaults = UpstreamConfig::new("");
        Self {
            url: None,
            addresses: Vec::new(),
            resolve_every: Interval(Time(defaults.resolve_every)),
            health: HealthTable::default(),
            tls: None,
            protocol: ProtocolName::default(),
            streams: Positive(defaults.streams_max),
        }
    }
}

impl Tls {
    pub(super) fn resolve(&self, beside: &dyn Fn(&str) -> PathBuf) -> TlsFiles {
        let identity = |(certificate, key): (&String, &String)| Identity {
            certificate: beside(certificate),
            key: beside(key),
        };
        TlsFiles {
            ca: self.ca.as_deref().map(beside),
            server_name: self.server_name.clone(),
            identity: self.certificate.as_ref().zip(self.key.as_ref()).map(identity),
        }
    }
}

impl Default for HealthTable {
    fn default() -> Self {
        let health = Health::default();
        Self {
            failures: health.failures_max,
            count_5xx: health.count_5xx,
            eject_for: Interval(Time(health.eject_for)),
            eject_for_max: Interval(Time(health.eject_for_max)),
            eject_share: Share(health.eject_share),
            check: None,
        }
    }
}

impl CheckTable {
    fn every() -> Interval {
        Interval(Time(Check::default().every))
    }

    fn timeout() -> Interval {
        Interval(Time(Check::default().timeout))
    }

    fn unhealthy() -> Positive {
        Positive(Check::default().unhealthy as usize)
    }

    fn healthy() -> Positive {
        Positive(Check::default().healthy as usize)
    }

    fn resolve(self) -> Check {
        let count = |count: Positive| u32::try_from(count.0).unwrap_or(u32::MAX);
        Check {
            path: self.path.0,
            host: self.host.map(|host| host.0),
            every: self.every.0.0,
            timeout: self.timeout.0.0,
            unhealthy: count(self.unhealthy),
            healthy: count(self.healthy),
        }
    }
}

impl TryFrom<String> for Url {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse().map(Self)
    }
}

impl TryFrom<String> for Interval {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        const SHORTEST: std::time::Duration = std::time::Duration::from_millis(10);
        let time: Time = text.parse()?;
        if time.0 < SHORTEST {
            return Err(format!("{time} is too short: expected 10ms or more"));
        }
        Ok(Self(time))
    }
}

impl TryFrom<String> for CheckPath {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let is_path = text.starts_with('/') && text.parse::<http::uri::PathAndQuery>().is_ok();
        if is_path && !text.contains('#') {
            Ok(Self(text))
        } else {
            Err(format!("`{text}` is not what can be asked for: expected a path such as `/healthz`"))
        }
    }
}

impl TryFrom<String> for CheckHost {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let is_host = text.parse::<http::uri::Authority>().is_ok_and(|host| !host.as_str().contains('@'));
        if is_host {
            Ok(Self(text))
        } else {
            Err(format!("`{text}` is not a host, such as `monolith.internal`"))
        }
    }
}
