//! What some of [`crate::regressions`] do to queries.

use crate::{
    domain::{Cursor, Page, Position},
    foundation::{Audience, PlaylistList},
    queries::Queries,
    regressions::Regression,
    rpc::tracks::v1,
};

impl Queries {
    pub(super) fn audience_of(&self, list: &PlaylistList, audience: Audience) -> Audience {
        let unfiltered = self.regressions.on(Regression::UnfilteredLists);
        if unfiltered && matches!(list, PlaylistList::OfUser { .. }) {
            Audience::Everything
        } else {
            audience
        }
    }

    pub(super) fn page_of(&self, page: Page) -> Page {
        match page.position {
            Position::After(cursor) if self.regressions.on(Regression::PageBoundary) => {
                let position = Position::After(Cursor { id: cursor.id.saturating_add(1), ..cursor });
                Page { position, ..page }
            }
            Position::Offset(offset) if self.regressions.on(Regression::PageBoundary) => {
                Page { position: Position::Offset(offset.saturating_sub(1)), ..page }
            }
            _ => page,
        }
    }
}

/// Chunks of ten that begin with the last of the one before.
pub(super) fn overlap(playlist: &mut v1::Playlist) {
    let whole = std::mem::take(&mut playlist.track_ids);
    for (nth, chunk) in whole.chunks(10).enumerate() {
        playlist.track_ids.extend(nth.checked_sub(1).map(|before| whole[before * 10 + 9]));
        playlist.track_ids.extend(chunk);
    }
}
