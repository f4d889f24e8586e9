//! Who may see what, as the apps have it: a copy of the rules of [`crate::visibility`], taken when the dialect was made
//! and kept since. It deviates in one point: a track of which nothing may be played is hidden, be it blocked in the
//! viewer's territory or taken down (then from its owner too). The decision table is docs/mothership-visibility.md.

use crate::{
    domain::{Block, Playlist, Policy, Sharing, Track, User, Viewer},
    store::Audience,
    visibility::AccessSet,
};

/// How much of a track that may be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Play {
    Full,
    Snippet,
}

impl Play {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Snippet => "snippet",
        }
    }
}

pub(super) fn playlist(playlist: &Playlist, block: Block, viewer: &Viewer) -> bool {
    if viewer.is(playlist.user_id) || viewer.is_moderator() {
        return true;
    }
    let open = playlist.sharing == Sharing::Public && playlist.is_released(viewer.now);
    !playlist.owner_suspended && !block.by_owner && (open || viewer.holds(&playlist.secret_token))
}

/// Addressed by itself.
pub(super) fn track(track: &Track, block: Block, viewer: &Viewer) -> Option<Play> {
    let link = viewer.holds(&track.secret_token);
    decide(track, block, viewer, link, link)
}

/// As a member of a playlist that the viewer may read.
pub(super) fn member(track: &Track, of: &Playlist, block: Block, viewer: &Viewer) -> Option<Play> {
    let link = viewer.holds(&track.secret_token);
    let along =
        of.sharing == Sharing::Private && viewer.holds(&of.secret_token) && of.user_id == track.user_id;
    decide(track, block, viewer, link || along, link)
}

/// Met in a collection.
pub(super) fn listed_track(track: &Track, block: Block, viewer: &Viewer) -> Option<Play> {
    if block.by_viewer && !viewer.is(track.user_id) {
        return None;
    }
    decide(track, block, &viewer.clone().without_privileges(), false, false)
}

pub(super) fn user(user: &User, viewer: &Viewer) -> bool {
    !user.suspended || viewer.is(user.id) || viewer.is_moderator()
}

/// The rules for collections, in SQL: pages come back full.
pub(super) fn audience(viewer: &Viewer) -> Audience {
    Audience::Collection { viewer: viewer.clone(), access: AccessSet::STREAMABLE }
}

/// `private` and `unreleased`: what a link in the viewer's hands opens.
fn decide(track: &Track, block: Block, viewer: &Viewer, private: bool, unreleased: bool) -> Option<Play> {
    if viewer.is(track.user_id) {
        return (!track.taken_down).then_some(Play::Full);
    }
    if viewer.is_moderator() {
        return Some(Play::Full);
    }
    let closed = track.sharing == Sharing::Private && !private;
    let early = !track.is_released(viewer.now) && !unreleased;
    let territories = &track.blocked_territories;
    let silent = !territories.is_empty() && viewer.territory.is_none_or(|here| territories.contains(here));
    if track.owner_suspended || block.by_owner || track.taken_down || closed || early || silent {
        return None;
    }
    Some(if track.policy == Policy::Preview { Play::Snippet } else { Play::Full })
}
