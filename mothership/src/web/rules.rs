//! Who may see what, as the site has it: a copy of the rules of [`crate::visibility`], from before lists were filtered
//! in SQL. It deviates in one point: the page of a track whose owner the viewer blocked is hidden. The decision table is
//! docs/mothership-visibility.md.

use crate::domain::{Block, Playlist, Policy, Sharing, Track, User, Viewer};

/// How much of a track that may be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Policing {
    Allow,
    Snip,
    Block,
}

impl Policing {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "ALLOW",
            Self::Snip => "SNIP",
            Self::Block => "BLOCK",
        }
    }
}

pub(super) fn playlist(playlist: &Playlist, block: Block, viewer: &Viewer) -> bool {
    viewer.is_moderator() || open_playlist(playlist, block, viewer, viewer.holds(&playlist.secret_token))
}

/// Met in a collection: links and roles count for nothing, and whoever the viewer blocked is not met.
pub(super) fn listed_playlist(playlist: &Playlist, block: Block, viewer: &Viewer) -> bool {
    let muted = block.by_viewer && !viewer.is(playlist.user_id);
    !muted && open_playlist(playlist, block, viewer, false)
}

/// The page of the track itself.
pub(super) fn track(track: &Track, block: Block, viewer: &Viewer) -> Option<Policing> {
    if block.by_viewer && !viewer.is(track.user_id) && !viewer.is_moderator() {
        return None;
    }
    let link = viewer.holds(&track.secret_token);
    privileged(track, viewer).or_else(|| ordinary(track, block, viewer, link, link))
}

/// As a member of a playlist that the viewer may read.
pub(super) fn member(track: &Track, of: &Playlist, block: Block, viewer: &Viewer) -> Option<Policing> {
    let link = viewer.holds(&track.secret_token);
    let along =
        of.sharing == Sharing::Private && of.user_id == track.user_id && viewer.holds(&of.secret_token);
    privileged(track, viewer).or_else(|| ordinary(track, block, viewer, link || along, link))
}

/// Met in a collection.
pub(super) fn listed_track(track: &Track, block: Block, viewer: &Viewer) -> Option<Policing> {
    if viewer.is(track.user_id) {
        return privileged(track, viewer);
    }
    if block.by_viewer { None } else { ordinary(track, block, viewer, false, false) }
}

pub(super) fn user(user: &User, viewer: &Viewer) -> bool {
    !user.suspended || viewer.is(user.id) || viewer.is_moderator()
}

pub(super) fn listed_user(user: &User, block: Block, viewer: &Viewer) -> bool {
    viewer.is(user.id) || !(user.suspended || block.by_owner || block.by_viewer)
}

fn open_playlist(playlist: &Playlist, block: Block, viewer: &Viewer, link: bool) -> bool {
    if viewer.is(playlist.user_id) {
        return true;
    }
    let closed = playlist.sharing == Sharing::Private || !playlist.is_released(viewer.now);
    !playlist.owner_suspended && !block.by_owner && (link || !closed)
}

/// `None`: the rules for everyone apply.
fn privileged(track: &Track, viewer: &Viewer) -> Option<Policing> {
    if viewer.is(track.user_id) {
        return Some(if track.taken_down { Policing::Block } else { Policing::Allow });
    }
    viewer.is_moderator().then_some(Policing::Allow)
}

/// `private` and `unreleased`: what a link in the viewer's hands opens.
fn ordinary(
    track: &Track,
    block: Block,
    viewer: &Viewer,
    private: bool,
    unreleased: bool,
) -> Option<Policing> {
    let never = track.owner_suspended || block.by_owner || track.taken_down;
    let closed = track.sharing == Sharing::Private && !private;
    let early = !track.is_released(viewer.now) && !unreleased;
    if never || closed || early {
        return None;
    }
    let territories = &track.blocked_territories;
    let here = viewer.territory.is_none_or(|here| territories.contains(here));
    if !territories.is_empty() && here {
        return Some(Policing::Block);
    }
    Some(if track.policy == Policy::Preview { Policing::Snip } else { Policing::Allow })
}
