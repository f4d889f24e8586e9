//! The playlist aggregate. Users and tracks are known to it by their ids only.

use crate::domain::{
    Embeddable, License, PlaylistId, PlaylistKind, Sharing, Timestamp, TrackId, UserId, Viewer,
};

/// The root entity. Whatever changes it goes through [`crate::commands`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Playlist {
    pub id: PlaylistId,
    pub owner: UserId,
    /// Of the owner; no question of visibility can be answered without it.
    pub owner_suspended: bool,
    /// Unique among the owner's playlists; made from the first title and stable after that.
    pub permalink: String,
    pub title: String,
    pub description: Option<String>,
    pub genre: Option<String>,
    /// Tags separated by blanks; those of several words in double quotes.
    pub tag_list: String,
    pub kind: PlaylistKind,
    pub sharing: Sharing,
    pub secret: SecretToken,
    pub license: License,
    pub release: Release,
    pub label: Label,
    pub purchase: Purchase,
    pub embeddable_by: Embeddable,
    pub artwork_url: Option<String>,
    /// In playing order, without regard to who may see them; `None` if they were not asked for.
    pub track_ids: Option<Vec<TrackId>>,
    pub counts: Counts,
    /// Goes up by one with every change of the playlist itself or its tracks (not with likes).
    pub revision: i64,
    pub created_at: Timestamp,
    pub last_modified: Timestamp,
}

/// Opens a private or unreleased playlist to whoever holds it. Does not print itself.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretToken(String);

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Release {
    /// Catalogue text, not the date.
    pub text: Option<String>,
    /// Before this time the playlist is unreleased; `None`: no release date.
    pub at: Option<Timestamp>,
    pub ean: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Label {
    pub id: Option<UserId>,
    pub name: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Purchase {
    pub title: Option<String>,
    pub url: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// All tracks, also those that a viewer may not see.
    pub tracks: i64,
    /// Sum over all tracks.
    pub duration_ms: i64,
    pub likes: i64,
    pub reposts: i64,
    /// Likes as the search index last saw them.
    pub indexed_likes: i64,
}

impl Playlist {
    pub fn is_released(&self, now: Timestamp) -> bool {
        self.release.at.is_none_or(|release| release <= now)
    }

    /// Private or not yet released: to be seen by its owner and by link only.
    pub fn is_closed(&self, now: Timestamp) -> bool {
        self.sharing == Sharing::Private || !self.is_released(now)
    }

    /// A private playlist that is opened by its link opens the private tracks of its own owner, too. One that is public
    /// shares nothing along: its token may have been handed out for other contents.
    pub fn shares_private_tracks_with(&self, viewer: &Viewer) -> bool {
        self.sharing == Sharing::Private && viewer.holds(self.secret.reveal())
    }
}

impl SecretToken {
    pub fn new(token: String) -> Self {
        Self(token)
    }

    /// To compare it, or to show it to the owner.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for SecretToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretToken")
    }
}
