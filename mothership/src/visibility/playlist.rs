//! May this viewer see this playlist?

use crate::domain::{Block, Playlist, Sharing, Viewer};
use crate::visibility::Reason;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlaylistSight {
    pub visible: bool,
    pub reason: Reason,
}

/// The playlist addressed by its id, permalink or secret link. Rules in order, the first that applies decides.
pub fn read_playlist(playlist: &Playlist, block: Block, viewer: &Viewer) -> PlaylistSight {
    let (visible, reason) = sight(playlist, block, viewer);
    PlaylistSight { visible, reason }
}

/// The playlist met in a collection.
pub fn listed_playlist(playlist: &Playlist, block: Block, viewer: &Viewer) -> PlaylistSight {
    if block.by_viewer && !viewer.is(playlist.user_id) {
        return PlaylistSight { visible: false, reason: Reason::ViewerBlockedOwner };
    }
    read_playlist(playlist, block, &viewer.clone().without_privileges())
}

fn sight(playlist: &Playlist, block: Block, viewer: &Viewer) -> (bool, Reason) {
    if viewer.is(playlist.user_id) {
        return (true, Reason::Owner);
    }
    if viewer.is_moderator() {
        return (true, Reason::Moderator);
    }
    if playlist.owner_suspended {
        return (false, Reason::OwnerSuspended);
    }
    if block.by_owner {
        return (false, Reason::OwnerBlockedViewer);
    }
    let private = playlist.sharing == Sharing::Private;
    let unreleased = !playlist.is_released(viewer.now);
    if (private || unreleased) && viewer.holds(&playlist.secret_token) {
        return (true, Reason::SecretLink);
    }
    if private {
        return (false, Reason::Private);
    }
    if unreleased {
        return (false, Reason::Unreleased);
    }
    (true, Reason::Public)
}
