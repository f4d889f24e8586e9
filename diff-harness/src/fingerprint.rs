//! A stable, versioned id of a divergence without its values.

use std::fmt;
use std::str::FromStr;

use crate::divergence::Divergence;
use crate::endpoint::EndpointId;

/// The id that all divergences of one group share: `v1-` and 16 hex digits.
///
/// It covers the endpoint, the kind, the severity, the generalized location and the detail, never a value. The
/// severity is part of it so that a decision on a harmless change never covers an exposure at the same place.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint(String);

const VERSION: &str = "v1";

impl Fingerprint {
    pub fn of(endpoint: &EndpointId, divergence: &Divergence) -> Self {
        let location = divergence.location.generalized().to_string();
        Self::of_parts(&[
            endpoint.method().as_str(),
            endpoint.template(),
            divergence.kind.as_str(),
            divergence.severity.as_str(),
            &location,
            divergence.detail.as_deref().unwrap_or(""),
        ])
    }

    pub(crate) fn of_parts(parts: &[&str]) -> Self {
        let mut hasher = blake3::Hasher::new();
        for part in parts {
            // Length-prefixed, so that no two lists of parts read the same.
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        Self(format!("{VERSION}-{}", &hasher.finalize().to_hex()[..16]))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Fingerprint {
    type Err = FingerprintError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.strip_prefix(VERSION).and_then(|rest| rest.strip_prefix('-'));
        match digits {
            Some(digits) if digits.len() == 16 && digits.bytes().all(|b| b.is_ascii_hexdigit()) => {
                Ok(Self(text.to_ascii_lowercase()))
            }
            _ => Err(FingerprintError(text.to_owned())),
        }
    }
}

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "`{0}` is not a group id: expected `v1-` and 16 hex digits, as `strangler divergences list` prints them"
)]
pub struct FingerprintError(String);

#[cfg(test)]
mod tests {
    use http::Method;

    use super::*;
    use crate::divergence::{JsonPath, Kind, Location, Segment, Severity};

    fn divergence(index: usize, severity: Severity) -> Divergence {
        Divergence {
            kind: Kind::Value,
            severity,
            location: Location::Json(JsonPath(vec![Segment::Key("t".into()), Segment::Index(index)])),
            detail: None,
            control: Some(index.to_string()),
            candidate: None,
        }
    }

    #[test]
    fn a_group_is_the_same_at_every_index_and_value() {
        let endpoint = EndpointId::new(Method::GET, "/a/{id}");
        let first = Fingerprint::of(&endpoint, &divergence(0, Severity::Changed));
        assert_eq!(first, Fingerprint::of(&endpoint, &divergence(9, Severity::Changed)));
        assert_eq!(first, first.as_str().parse().unwrap());
    }

    #[test]
    fn a_change_and_an_exposure_are_never_one_group() {
        let endpoint = EndpointId::new(Method::GET, "/a/{id}");
        assert_ne!(
            Fingerprint::of(&endpoint, &divergence(0, Severity::Changed)),
            Fingerprint::of(&endpoint, &divergence(0, Severity::Exposure)),
        );
    }

    /// Stored decisions refer to these ids: a change here must come with a new version.
    #[test]
    fn the_first_version_stays_as_it_is() {
        let endpoint = EndpointId::new(Method::GET, "/a/{id}");
        let id = Fingerprint::of(&endpoint, &divergence(0, Severity::Changed));
        assert_eq!(id.as_str(), "v1-274c2f70858ca067");
    }
}
