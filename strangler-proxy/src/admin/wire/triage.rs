//! Decisions on groups.

use diff_harness::fingerprint::Fingerprint;
use diff_harness::store::GroupShape;
use diff_harness::triage::{Act, Decided, Entry, Part};
use serde::{Deserialize, Serialize};

use super::{GroupView, time};

/// `POST /api/v1/groups/{id}/decide`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecideRequest {
    /// `bug`, `expected`, `noise`, `fixed` or `reopen`.
    #[serde(rename = "as")]
    pub call: String,
    pub reason: String,
    /// Who answers for a waiver.
    #[serde(default)]
    pub owner: String,
    /// When a waiver ends: `2027-01-31`, `2027-01-31T12:00:00Z`, `14d`.
    #[serde(default)]
    pub expires: Option<String>,
    /// For `fixed`: the candidate epoch with the fix; the current one where it is left out.
    #[serde(default)]
    pub epoch: Option<String>,
    /// The group's `newest_entry` that the one who asks has seen; a newer one is a conflict.
    #[serde(default)]
    pub expected: Option<u64>,
}

/// `POST /api/v1/groups/{id}/undo` and `POST /api/v1/groups/{id}/join`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegroupRequest {
    #[serde(default)]
    pub reason: String,
    /// See [`DecideRequest::expected`].
    #[serde(default)]
    pub expected: Option<u64>,
}

/// `POST /api/v1/groups/{id}/split`: `shape`, `at`, or both.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SplitRequest {
    /// Words that the shape must have: `auth ?limit !?cursor`.
    #[serde(default)]
    pub shape: Option<String>,
    /// A place of the group with some index named: `$.tracks[0].id`.
    #[serde(default)]
    pub at: Option<String>,
    #[serde(default)]
    pub reason: String,
    /// See [`DecideRequest::expected`].
    #[serde(default)]
    pub expected: Option<u64>,
}

/// What a decision did.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TriageView {
    pub entry: EntryView,
    /// The group as it stands now; after a split the new part, after a join the group that has it back.
    pub group: Option<GroupView>,
}

/// `GET /api/v1/decisions`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DecisionsView {
    pub decisions: Vec<EntryView>,
}

/// `POST /api/v1/waivers`: what came of the waivers in a file.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ImportedView {
    pub added: Vec<EntryView>,
    /// In the log already, also those that were taken back here since.
    pub known: usize,
    /// Left out, for somebody here called the group something else.
    pub decided_here: Vec<DecidedHereView>,
    /// Left out, for they have ended.
    pub ended: usize,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DecidedHereView {
    pub group: String,
    #[serde(rename = "as")]
    pub call: String,
}

/// One entry of the log of decisions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryView {
    pub sequence: u64,
    pub at: String,
    pub group: String,
    /// `None` for a group that was never seen here.
    pub endpoint: Option<String>,
    /// `bug`, `expected`, `noise`, `fixed`, `reopen`, `undo`, `split` or `join`.
    pub act: String,
    pub actor: String,
    pub reason: String,
    pub owner: Option<String>,
    pub expires: Option<String>,
    pub epoch: Option<String>,
    /// The entry that an `undo` or a `join` took back.
    pub takes_back: Option<u64>,
    /// The part that a `split` made.
    pub part: Option<PartView>,
}

/// The decision that counts for a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecisionView {
    pub sequence: u64,
    #[serde(rename = "as")]
    pub call: String,
    pub actor: String,
    pub owner: String,
    pub reason: String,
    pub expires: Option<String>,
    pub epoch: String,
    pub at: String,
}

/// A part of a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartView {
    pub id: String,
    /// The group that it is a part of.
    pub of: String,
    pub shape: Option<String>,
    pub at: Option<String>,
    /// Both in words: `requests with ?limit, at $.tracks[0].id`.
    pub words: String,
}

/// How often a group was found in exchanges of one shape.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShapeView {
    pub shape: String,
    pub count: u64,
    pub exchanges: u64,
}

impl PartView {
    pub fn new(id: &Fingerprint, part: &Part) -> Self {
        Self {
            id: id.to_string(),
            of: part.of.to_string(),
            shape: part.predicate.shape(),
            at: part.predicate.place(),
            words: part.predicate.to_string(),
        }
    }
}

impl From<&GroupShape> for ShapeView {
    fn from(shape: &GroupShape) -> Self {
        Self { shape: shape.shape.clone(), count: shape.count, exchanges: shape.exchanges }
    }
}

impl From<&Decided> for DecisionView {
    fn from(decided: &Decided) -> Self {
        let decision = &decided.decision;
        Self {
            sequence: decided.sequence,
            call: decision.call.to_string(),
            actor: decision.actor.clone(),
            owner: decision.owner.clone(),
            reason: decision.reason.clone(),
            expires: decision.expires.map(time),
            epoch: decision.epoch.clone(),
            at: time(decision.at),
        }
    }
}

impl From<&Entry> for EntryView {
    fn from(entry: &Entry) -> Self {
        let wish = &entry.wish;
        let decision = entry.decision();
        let part = match (&wish.act, &entry.part) {
            (Act::Split(predicate), Some(id)) => {
                let part = Part { of: wish.group.clone(), predicate: predicate.clone() };
                Some(PartView::new(id, &part))
            }
            _ => None,
        };
        Self {
            sequence: entry.sequence,
            at: time(wish.at),
            group: wish.group.to_string(),
            endpoint: entry.endpoint.as_ref().map(ToString::to_string),
            act: wish.act.as_str().to_owned(),
            actor: wish.actor.clone(),
            reason: wish.reason.clone(),
            owner: decision.as_ref().map(|decision| decision.owner.clone()),
            expires: decision.as_ref().and_then(|decision| decision.expires).map(time),
            epoch: decision.map(|decision| decision.epoch),
            takes_back: entry.takes_back,
            part,
        }
    }
}
