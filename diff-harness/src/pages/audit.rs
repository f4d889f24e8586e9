//! Who did what, why, on what evidence.

use askama::Template;

use super::words::{day, moment};
use super::{Choice, Frame, Links, Paging};
use crate::audit::{Change, Deed, EPOCH_BEGAN, first_comparison};
use crate::lifecycle::Transition;
use crate::store::EpochSpan;
use crate::stream::PROXY;
use crate::triage::{Act, Entry};

#[derive(Debug, Template)]
#[template(path = "audit.html", blocks = ["content"])]
pub struct Audit {
    pub frame: Frame,
    pub search: String,
    /// Which deeds are listed.
    pub of: Vec<Choice>,
    pub rows: Vec<AuditRow>,
    pub paging: Paging,
}

#[derive(Clone, Debug, Default)]
pub struct AuditRow {
    pub anchor: String,
    pub at: String,
    /// The endpoint or the group; empty where it is about neither.
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

impl AuditRow {
    pub fn new(deed: &Deed, links: Links) -> Self {
        match deed {
            Deed::Moved(transition) => Self::moved(transition, links),
            Deed::Decided(entry) => Self::decided(entry, links),
            Deed::Changed(change) => Self::changed(change),
            Deed::Began(span) => Self::began(span),
        }
    }

    pub fn moved(transition: &Transition, links: Links) -> Self {
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
        let endpoint = flip.endpoint.to_string();
        Self {
            anchor: format!("t{}", transition.sequence),
            at: moment(flip.at),
            link: links.endpoint(&endpoint),
            of: endpoint,
            what,
            forced: flip.forced,
            actor: flip.actor.clone(),
            reason: flip.reason.clone(),
            evidence,
            summary,
        }
    }

    fn decided(entry: &Entry, links: Links) -> Self {
        let wish = &entry.wish;
        let mut what = match (&wish.act, entry.takes_back) {
            (Act::Split(predicate), _) => format!("split: {predicate}"),
            (act, Some(line)) => format!("{} of decision {line}", act.as_str()),
            (act, None) => act.as_str().to_owned(),
        };
        let mut evidence = Vec::new();
        if let Some(endpoint) = &entry.endpoint {
            evidence.push(format!("of {endpoint}"));
        }
        if let Act::Decide { call, owner, expires, epoch } = &wish.act {
            if let Some(end) = expires {
                what = format!("{what} until {}", day(*end));
            }
            // What was learned is nobody's waiver.
            if call.is_waiver() && expires.is_some() {
                what = format!("waiver: {what}");
                evidence.push(format!("{owner} answers for it"));
            }
            evidence.push(format!("decided in epoch {}", named(epoch)));
        }
        let group = wish.group.to_string();
        Self {
            anchor: format!("d{}", entry.sequence),
            at: moment(wish.at),
            // A group that was never seen here has no page.
            link: if entry.endpoint.is_some() { links.group(&group) } else { String::new() },
            of: group,
            what,
            actor: wish.actor.clone(),
            reason: wish.reason.clone(),
            summary: "the group".to_owned(),
            evidence: evidence.join("\n"),
            ..Self::default()
        }
    }

    fn changed(change: &Change) -> Self {
        Self {
            at: moment(change.at),
            what: change.kind.words().to_owned(),
            actor: change.actor.clone(),
            reason: change.what.clone(),
            ..Self::default()
        }
    }

    fn began(span: &EpochSpan) -> Self {
        Self {
            at: moment(span.first),
            what: EPOCH_BEGAN.to_owned(),
            actor: PROXY.to_owned(),
            reason: first_comparison(&span.epoch),
            ..Self::default()
        }
    }
}

fn named(name: &str) -> &str {
    if name.is_empty() { "unnamed" } else { name }
}
