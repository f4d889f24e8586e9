//! What was done to no single endpoint and no single group.

use diff_harness::audit::{AuditListing, Change, Deed, EPOCH_BEGAN, Of, first_comparison};
use diff_harness::search::Search;
use diff_harness::store::{EpochSpan, Store, StoreError};
use diff_harness::stream::PROXY;
use serde::{Deserialize, Serialize};

use super::time;

/// `GET /api/v1/changes`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeView {
    pub at: String,
    /// In words: that the rules were read anew, a deployment was named, a matrix was published,
    /// certificates were read anew, or an epoch began.
    pub what: String,
    pub actor: String,
    /// From what to what.
    pub detail: String,
}

impl ChangeView {
    /// Newest first.
    pub fn newest(store: &dyn Store, limit: usize) -> Result<Vec<Self>, StoreError> {
        let mut changes = Vec::new();
        for of in [Of::Rules, Of::Epochs, Of::Matrices, Of::Certificates] {
            let listing = AuditListing { of, search: Search::nothing(), offset: 0, limit };
            changes.extend(store.audit(&listing)?.deeds.iter().filter_map(Self::of));
        }
        // Times of one form, so that the text is in their order.
        changes.sort_by(|a, b| b.at.cmp(&a.at));
        changes.truncate(limit);
        Ok(changes)
    }

    fn of(deed: &Deed) -> Option<Self> {
        match deed {
            Deed::Changed(change) => Some(change.into()),
            Deed::Began(span) => Some(span.into()),
            Deed::Moved(_) | Deed::Decided(_) => None,
        }
    }
}

impl From<&Change> for ChangeView {
    fn from(change: &Change) -> Self {
        Self {
            at: time(change.at),
            what: change.kind.words().to_owned(),
            actor: change.actor.clone(),
            detail: change.what.clone(),
        }
    }
}

impl From<&EpochSpan> for ChangeView {
    fn from(span: &EpochSpan) -> Self {
        Self {
            at: time(span.first),
            what: EPOCH_BEGAN.to_owned(),
            actor: PROXY.to_owned(),
            detail: first_comparison(&span.epoch),
        }
    }
}
