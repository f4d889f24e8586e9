//! Who did what, why, on what evidence.

use askama::Template;

use super::words::{link, moment};
use super::{Frame, Paging};
use crate::lifecycle::Transition;

#[derive(Debug, Template)]
#[template(path = "audit.html")]
pub struct Audit {
    pub frame: Frame,
    pub rows: Vec<AuditRow>,
    pub paging: Paging,
}

#[derive(Clone, Debug)]
pub struct AuditRow {
    pub anchor: String,
    pub at: String,
    /// The endpoint or the group.
    pub of: String,
    pub link: String,
    pub what: String,
    pub forced: bool,
    pub actor: String,
    pub reason: String,
    /// Empty where none was asked for.
    pub evidence: String,
    /// What the evidence says, in a word or two.
    pub summary: String,
}

impl From<&Transition> for AuditRow {
    fn from(transition: &Transition) -> Self {
        let flip = &transition.flip;
        let (from, to) = (transition.from, flip.to);
        let mut what = if from.stage == to.stage {
            from.stage.to_string()
        } else {
            format!("{} → {}", from.stage, to.stage)
        };
        if from.hold != to.hold {
            what = format!("{what}, hold {} → {}", from.hold, to.hold);
        }
        let evidence: serde_json::Value = serde_json::from_str(&flip.evidence).unwrap_or_default();
        let summary = evidence["answer"].as_str().map_or("what it stood on", |answer| answer).to_owned();
        let evidence = if evidence.is_null() {
            String::new()
        } else {
            serde_json::to_string_pretty(&evidence).unwrap_or_else(|_| flip.evidence.clone())
        };
        Self {
            anchor: format!("t{}", transition.sequence),
            at: moment(flip.at),
            of: flip.endpoint.to_string(),
            link: link("/endpoint", &[("of", &flip.endpoint.to_string())]),
            what,
            forced: flip.forced,
            actor: flip.actor.clone(),
            reason: flip.reason.clone(),
            evidence,
            summary,
        }
    }
}
