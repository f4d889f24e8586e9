//! What differed: once, and as a group.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::divergence::{Divergence, Kind, Severity};
use crate::redact::Redacted;
use crate::suite::outcome::{Accepted, FailOn, Finding};
use crate::suite::report::Group;

#[derive(Serialize, Deserialize)]
pub(super) struct DivergenceView {
    group: String,
    kind: String,
    severity: String,
    location: String,
    detail: Option<String>,
    control: Option<String>,
    candidate: Option<String>,
    accepted: Option<AcceptedView>,
    fails: bool,
}

#[derive(Serialize, Deserialize)]
struct AcceptedView {
    by: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct GroupView {
    #[serde(flatten)]
    divergence: DivergenceView,
    endpoint: String,
    count: u64,
    case: String,
    persona: Option<String>,
    line: u64,
    first: (u64, u32, u32),
}

impl DivergenceView {
    pub(super) fn of(finding: &Finding, fail_on: FailOn) -> Self {
        let divergence = finding.divergence.get();
        let accepted = finding.accepted.as_ref().map(|accepted| match accepted {
            Accepted::Baseline => AcceptedView { by: "baseline".to_owned(), owner: None, reason: None },
            Accepted::Waiver { owner, reason } => AcceptedView {
                by: "waiver".to_owned(),
                owner: Some(owner.clone()),
                reason: Some(reason.clone()),
            },
        });
        Self {
            group: finding.fingerprint.to_string(),
            kind: divergence.kind.as_str().to_owned(),
            severity: divergence.severity.as_str().to_owned(),
            location: divergence.location.to_string(),
            detail: divergence.detail.clone(),
            control: divergence.control.clone(),
            candidate: divergence.candidate.clone(),
            accepted,
            fails: finding.fails(fail_on),
        }
    }

    pub(super) fn read(self) -> Result<Finding, String> {
        let unknown = |what: &str, text: &str| format!("`{text}` is not a {what}");
        let kind = Kind::ALL.into_iter().find(|kind| kind.as_str() == self.kind);
        let severity = Severity::ALL.into_iter().find(|severity| severity.as_str() == self.severity);
        let accepted = self.accepted.map(|accepted| match accepted.by.as_str() {
            "waiver" => Accepted::Waiver {
                owner: accepted.owner.unwrap_or_default(),
                reason: accepted.reason.unwrap_or_default(),
            },
            _ => Accepted::Baseline,
        });
        Ok(Finding {
            fingerprint: self.group.parse().map_err(|error| format!("{error}"))?,
            // Only what was redacted was ever written.
            divergence: Redacted::stored(Divergence {
                kind: kind.ok_or_else(|| unknown("kind", &self.kind))?,
                severity: severity.ok_or_else(|| unknown("severity", &self.severity))?,
                location: self.location.parse().map_err(|error| format!("{error}"))?,
                detail: self.detail,
                control: self.control,
                candidate: self.candidate,
            }),
            accepted,
        })
    }
}

impl GroupView {
    pub(super) fn of(group: &Group, fail_on: FailOn) -> Self {
        let finding = Finding {
            fingerprint: group.fingerprint.clone(),
            divergence: group.divergence.clone(),
            accepted: group.accepted.clone(),
        };
        Self {
            divergence: DivergenceView::of(&finding, fail_on),
            endpoint: group.endpoint.to_string(),
            count: group.count,
            case: group.case.to_string(),
            persona: group.persona.as_deref().map(str::to_owned),
            line: group.line,
            first: group.first,
        }
    }

    pub(super) fn read(self) -> Result<Group, String> {
        let Finding { fingerprint, divergence, accepted } = self.divergence.read()?;
        Ok(Group {
            fingerprint,
            endpoint: self.endpoint.parse().map_err(|error| format!("{error}"))?,
            divergence,
            accepted,
            count: self.count,
            case: Arc::from(self.case),
            persona: self.persona.map(Arc::from),
            line: self.line,
            first: self.first,
        })
    }
}
