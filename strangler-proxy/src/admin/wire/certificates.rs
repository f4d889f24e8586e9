//! Certificates of listeners and upstreams.

use serde::{Deserialize, Serialize};

/// `GET /api/v1/certificates`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificatesView {
    /// Those that are in force.
    pub certificates: Vec<CertificateView>,
    /// Whose files cannot be used as they are now; what was read before is in force.
    pub refused: Vec<RefusedFilesView>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateView {
    /// `listener 0.0.0.0:8443`, `upstream control`.
    pub used_by: String,
    /// `shown`: it says who the proxy is, or stands between that one and its CA. `believed`: whom it has signed is.
    pub purpose: String,
    pub file: String,
    pub subject: String,
    pub issuer: String,
    /// Hosts and addresses that it is for.
    pub names: Vec<String>,
    pub serial: String,
    pub not_before: String,
    pub not_after: String,
    /// Less than 0 when it has ended.
    pub seconds_left: i64,
    /// When a person must look at it: it has ended, ends soon or has not begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warning: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedFilesView {
    pub used_by: String,
    pub problem: String,
}

/// `POST /api/v1/certificates/reload`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReloadedView {
    /// Whose files were read again.
    pub read: Vec<String>,
}

impl From<(String, String)> for RefusedFilesView {
    fn from((used_by, problem): (String, String)) -> Self {
        Self { used_by, problem }
    }
}
