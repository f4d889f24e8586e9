//! May this viewer see this track, and how much of it?

use crate::domain::{Block, Playlist, Policy, Sharing, Track, Viewer};
use crate::visibility::Reason;

/// The access levels of the public API, for a track that may be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Access {
    /// The whole track.
    Playable,
    /// A snippet.
    Preview,
    /// The metadata only.
    Blocked,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrackSight {
    /// `None`: the viewer must not learn that the track exists.
    pub access: Option<Access>,
    pub reason: Reason,
}

/// A set of access levels, as the `access` filter of the public API names one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccessSet(u8);

/// The track addressed by its own id or link. Rules in order, the first that applies decides.
pub fn read_track(track: &Track, block: Block, viewer: &Viewer) -> TrackSight {
    let holds_link = viewer.holds(&track.secret_token);
    sight(track, block, viewer, Opened { private: holds_link, unreleased: holds_link })
}

/// The track as a member of a playlist that the viewer may read.
///
/// A private playlist opened by its secret link shows its owner's private tracks, because whoever shared the link
/// shared those; it shows nobody else's private tracks, and it does not bring a release forward. A playlist that is
/// public (again) shares nothing along: its token may have been handed out for other contents.
pub fn read_track_in_playlist(
    track: &Track,
    playlist: &Playlist,
    block: Block,
    viewer: &Viewer,
) -> TrackSight {
    let own_link = viewer.holds(&track.secret_token);
    let by_link = playlist.sharing == Sharing::Private && viewer.holds(&playlist.secret_token);
    let shared_along = by_link && playlist.user_id == track.user_id;
    sight(track, block, viewer, Opened { private: own_link || shared_along, unreleased: own_link })
}

/// The track met in a collection.
pub fn listed_track(track: &Track, block: Block, viewer: &Viewer) -> TrackSight {
    if block.by_viewer && !viewer.is(track.user_id) {
        return TrackSight::hidden(Reason::ViewerBlockedOwner);
    }
    let ordinary = viewer.clone().without_privileges();
    sight(track, block, &ordinary, Opened::default())
}

/// What a secret link lifts.
#[derive(Debug, Clone, Copy, Default)]
struct Opened {
    private: bool,
    unreleased: bool,
}

fn sight(track: &Track, block: Block, viewer: &Viewer, opened: Opened) -> TrackSight {
    if viewer.is(track.user_id) {
        let access = if track.taken_down { Access::Blocked } else { Access::Playable };
        return TrackSight::visible(access, Reason::Owner);
    }
    if viewer.is_moderator() {
        return TrackSight::visible(Access::Playable, Reason::Moderator);
    }
    if track.owner_suspended {
        return TrackSight::hidden(Reason::OwnerSuspended);
    }
    if block.by_owner {
        return TrackSight::hidden(Reason::OwnerBlockedViewer);
    }
    if track.taken_down {
        return TrackSight::hidden(Reason::TakenDown);
    }
    let private = track.sharing == Sharing::Private;
    if private && !opened.private {
        return TrackSight::hidden(Reason::Private);
    }
    let unreleased = !track.is_released(viewer.now);
    if unreleased && !opened.unreleased {
        return TrackSight::hidden(Reason::Unreleased);
    }
    let blocked_here = viewer.territory.is_none_or(|here| track.blocked_territories.contains(here));
    if !track.blocked_territories.is_empty() && blocked_here {
        return TrackSight::visible(Access::Blocked, Reason::TerritoryBlocked);
    }
    if track.policy == Policy::Preview {
        return TrackSight::visible(Access::Preview, Reason::PreviewOnly);
    }
    let reason = if private || unreleased { Reason::SecretLink } else { Reason::Public };
    TrackSight::visible(Access::Playable, reason)
}

impl TrackSight {
    pub fn is_visible(self) -> bool {
        self.access.is_some()
    }

    fn hidden(reason: Reason) -> Self {
        Self { access: None, reason }
    }

    fn visible(access: Access, reason: Reason) -> Self {
        Self { access: Some(access), reason }
    }
}

impl Access {
    pub const ALL: [Self; 3] = [Self::Playable, Self::Preview, Self::Blocked];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Playable => "playable",
            Self::Preview => "preview",
            Self::Blocked => "blocked",
        }
    }

    /// `None` for a word that is no access level.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|access| access.as_str() == word)
    }
}

impl AccessSet {
    pub const ALL: Self = Self(0b111);
    /// The default of the public API: playable and preview.
    pub const STREAMABLE: Self = Self(0b011);

    pub fn contains(self, access: Access) -> bool {
        self.0 & (1 << access as u8) != 0
    }
}

impl FromIterator<Access> for AccessSet {
    fn from_iter<I: IntoIterator<Item = Access>>(levels: I) -> Self {
        Self(levels.into_iter().fold(0, |set, access| set | 1 << access as u8))
    }
}
