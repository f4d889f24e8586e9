//! Where one view leads to another: by address on the live page, by anchor within a report.

use super::words::link;
use crate::divergence::Severity;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Links {
    #[default]
    Live,
    /// Everything is in one file.
    Frozen,
}

impl Links {
    /// One of the pages that the navigation names.
    pub fn page(self, name: &str) -> String {
        match (self, name) {
            (Self::Live, "overview") => "/".to_owned(),
            (Self::Live, name) => format!("/{name}"),
            (Self::Frozen, name) => format!("#{name}"),
        }
    }

    pub fn endpoint(self, endpoint: &str) -> String {
        match self {
            Self::Live => link("/endpoint", &[("of", endpoint)]),
            Self::Frozen => format!("#{}", endpoint_anchor(endpoint)),
        }
    }

    /// The groups of an endpoint; in a report they stand on its page.
    pub fn groups_of(self, endpoint: &str, severity: Option<Severity>) -> String {
        match self {
            Self::Live => link(
                "/groups",
                &[("endpoint", endpoint), ("severity", severity.map_or("", Severity::as_str))],
            ),
            Self::Frozen => self.endpoint(endpoint),
        }
    }

    pub fn group(self, id: &str) -> String {
        match self {
            Self::Live => link(&format!("/groups/{id}"), &[]),
            Self::Frozen => format!("#{}", group_anchor(id)),
        }
    }
}

/// Of an endpoint's page in a report. The same in every report.
pub fn endpoint_anchor(endpoint: &str) -> String {
    format!("endpoint-{}", &blake3::hash(endpoint.as_bytes()).to_hex()[..12])
}

/// Of a group's page in a report.
pub fn group_anchor(id: &str) -> String {
    format!("group-{id}")
}
