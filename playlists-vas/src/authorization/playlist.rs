//! May this viewer see this playlist, and change it?

use crate::{
    authorization::Reason,
    domain::{Block, Playlist, Sharing, Timestamp, Viewer},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlaylistSight {
    pub visible: bool,
    pub reason: Reason,
}

/// The playlist addressed by its id, permalink or secret link. Rules in order, the first that applies decides.
pub fn read_playlist(playlist: &Playlist, block: Block, viewer: &Viewer, now: Timestamp) -> PlaylistSight {
    let (visible, reason) = decide(playlist, block, viewer, now);
    PlaylistSight { visible, reason }
}

/// The playlist met in a collection.
pub fn listed_playlist(playlist: &Playlist, block: Block, viewer: &Viewer, now: Timestamp) -> PlaylistSight {
    if block.by_viewer && !viewer.is(playlist.owner) {
        return PlaylistSight { visible: false, reason: Reason::ViewerBlockedOwner };
    }
    read_playlist(playlist, block, &viewer.clone().without_privileges(), now)
}

/// For a playlist that the viewer may read: its owner and moderators change it, its tracks and its secret link.
pub fn may_change(playlist: &Playlist, viewer: &Viewer) -> bool {
    viewer.is(playlist.owner) || viewer.is_moderator()
}

fn decide(playlist: &Playlist, block: Block, viewer: &Viewer, now: Timestamp) -> (bool, Reason) {
    if viewer.is(playlist.owner) {
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
    if playlist.is_closed(now) && viewer.holds(playlist.secret.reveal()) {
        return (true, Reason::SecretLink);
    }
    if playlist.sharing == Sharing::Private {
        return (false, Reason::Private);
    }
    if !playlist.is_released(now) {
        return (false, Reason::Unreleased);
    }
    (true, Reason::Public)
}
