//! The *listed* rules of [`crate::visibility`] in SQL, so that pages come back full. `tests/it/listing.rs` holds them
//! against the pure functions.

use rusqlite::types::Value;

use crate::{
    domain::Viewer,
    store::paging::Listing,
    visibility::{Access, AccessSet},
};

/// For whom a list is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Audience {
    /// Everything, seen or not. Whoever asks filters afterwards by rules of their own (and gets short pages).
    Everything,
    /// What this viewer may meet in a collection. `access` applies to lists of tracks.
    Collection { viewer: Viewer, access: AccessSet },
}

/// Named as in `tracks t JOIN users o` and `playlists p JOIN users o`.
const NO_BLOCK: &str = "NOT EXISTS (SELECT 1 FROM blocks WHERE blocker_id = o.id AND blocked_id = :viewer) \
     AND NOT EXISTS (SELECT 1 FROM blocks WHERE blocker_id = :viewer AND blocked_id = o.id)";

impl Audience {
    /// The default of the public API's lists.
    pub fn streamable(viewer: Viewer) -> Self {
        Self::Collection { viewer, access: AccessSet::STREAMABLE }
    }

    /// Tracks of every access level that the viewer may meet.
    pub fn listed(viewer: Viewer) -> Self {
        Self::Collection { viewer, access: AccessSet::ALL }
    }

    pub(crate) fn playlists(&self, listing: Listing) -> Listing {
        let Self::Collection { viewer, .. } = self else { return listing };
        listing
            .filter(format!(
                "(p.user_id = :viewer OR (p.sharing = 'public' AND o.suspended = 0 \
                 AND (p.release_at IS NULL OR p.release_at <= :now) AND {NO_BLOCK}))"
            ))
            .param(":viewer", viewer_id(viewer))
            .param(":now", viewer.now.millis())
    }

    pub(crate) fn tracks(&self, listing: Listing) -> Listing {
        let Self::Collection { viewer, access } = self else { return listing };
        let listing = listing
            .filter(format!(
                "(t.user_id = :viewer OR (t.sharing = 'public' AND o.suspended = 0 AND t.taken_down = 0 \
                 AND (t.release_at IS NULL OR t.release_at <= :now) AND {NO_BLOCK}))"
            ))
            .param(":viewer", viewer_id(viewer))
            .param(":now", viewer.now.millis());
        if *access == AccessSet::ALL {
            return listing;
        }
        let wanted = Access::ALL.into_iter().filter(|level| access.contains(*level));
        let wanted = wanted.map(|level| format!("'{}'", level.as_str())).collect::<Vec<_>>().join(", ");
        let here = viewer.territory.map_or(Value::Null, |here| Value::from(format!(",{here},")));
        listing
            .filter(format!(
                "CASE WHEN t.user_id = :viewer THEN iif(t.taken_down, 'blocked', 'playable') \
                 WHEN t.blocked_territories <> '' \
                     AND (:here IS NULL OR instr(t.blocked_territories, :here) > 0) THEN 'blocked' \
                 WHEN t.policy = 'preview' THEN 'preview' ELSE 'playable' END IN ({wanted})"
            ))
            .param(":here", here)
    }

    /// Of `users u`.
    pub(crate) fn users(&self, listing: Listing) -> Listing {
        let Self::Collection { viewer, .. } = self else { return listing };
        let no_block = NO_BLOCK.replace("o.id", "u.id");
        listing
            .filter(format!("(u.id = :viewer OR (u.suspended = 0 AND {no_block}))"))
            .param(":viewer", viewer_id(viewer))
    }
}

/// 0 is nobody's id.
fn viewer_id(viewer: &Viewer) -> i64 {
    viewer.user_id().map_or(0, i64::from)
}
