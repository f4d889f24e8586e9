//! May this viewer see this track, and how much of it?

use crate::{
    authorization::Reason,
    domain::{Access, Block, Policy, Sharing, Territory, Timestamp, UserId, Viewer},
};

/// What the rules need to know of a track.
#[derive(Debug, Clone, Copy)]
pub struct TrackFacts<'t> {
    pub owner: UserId,
    pub owner_suspended: bool,
    pub sharing: Sharing,
    pub secret_token: &'t str,
    /// Before this time it is unreleased; `None`: released since it was created.
    pub release_at: Option<Timestamp>,
    pub taken_down: bool,
    pub policy: Policy,
    pub blocked_territories: &'t [Territory],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrackSight {
    /// `None`: the viewer must not learn that the track exists.
    pub access: Option<Access>,
    pub reason: Reason,
}

/// What a secret link lifts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Opened {
    pub private: bool,
    pub unreleased: bool,
}

/// The track addressed by its own id or link.
pub fn read_track(track: TrackFacts<'_>, block: Block, viewer: &Viewer, now: Timestamp) -> TrackSight {
    let holds_link = viewer.holds(track.secret_token);
    decide(track, block, viewer, Opened { private: holds_link, unreleased: holds_link }, now)
}

/// The track as a member of a playlist that the viewer may read.
///
/// `shared_by` is the owner of that playlist if it shares its private tracks with the viewer
/// ([`crate::domain::Playlist::shares_private_tracks_with`]): it shares its owner's, nobody else's, and it does not bring
/// a release forward.
pub fn member(
    track: TrackFacts<'_>,
    shared_by: Option<UserId>,
    block: Block,
    viewer: &Viewer,
    now: Timestamp,
) -> TrackSight {
    let own_link = viewer.holds(track.secret_token);
    let opened = Opened { private: own_link || shared_by == Some(track.owner), unreleased: own_link };
    decide(track, block, viewer, opened, now)
}

/// The track met in a collection.
pub fn listed_track(track: TrackFacts<'_>, block: Block, viewer: &Viewer, now: Timestamp) -> TrackSight {
    if block.by_viewer && !viewer.is(track.owner) {
        return TrackSight::hidden(Reason::ViewerBlockedOwner);
    }
    let ordinary = viewer.clone().without_privileges();
    decide(track, block, &ordinary, Opened::default(), now)
}

/// Rules in order, the first that applies decides.
fn decide(
    track: TrackFacts<'_>,
    block: Block,
    viewer: &Viewer,
    opened: Opened,
    now: Timestamp,
) -> TrackSight {
    if viewer.is(track.owner) {
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
    let unreleased = track.release_at.is_some_and(|release| release > now);
    if unreleased && !opened.unreleased {
        return TrackSight::hidden(Reason::Unreleased);
    }
    let blocked_here = viewer.territory.is_none_or(|here| track.blocked_territories.contains(&here));
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
    fn hidden(reason: Reason) -> Self {
        Self { access: None, reason }
    }

    fn visible(access: Access, reason: Reason) -> Self {
        Self { access: Some(access), reason }
    }
}
