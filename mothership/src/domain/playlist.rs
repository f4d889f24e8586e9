//! Playlists, albums and other sets.

use crate::domain::{Embeddable, License, PlaylistId, PlaylistKind, Sharing, Timestamp, TrackId, UserId};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Playlist {
    pub id: PlaylistId,
    pub user_id: UserId,
    /// Unique among the owner's playlists; made from the first title and stable after that.
    pub permalink: String,
    pub title: String,
    pub description: Option<String>,
    pub genre: Option<String>,
    pub tag_list: String,
    pub kind: PlaylistKind,
    pub sharing: Sharing,
    /// Opens a private or unreleased playlist to whoever holds it. Every playlist has one.
    pub secret_token: String,
    pub license: License,
    /// Catalogue text of the release, not its date.
    pub release: Option<String>,
    /// Before this time the playlist is unreleased; `None`: no release date.
    pub release_at: Option<Timestamp>,
    pub ean: Option<String>,
    pub label_id: Option<UserId>,
    pub label_name: Option<String>,
    pub purchase_title: Option<String>,
    pub purchase_url: Option<String>,
    pub embeddable_by: Embeddable,
    pub artwork_url: Option<String>,
    /// All tracks, also those that a viewer may not see.
    pub track_count: i64,
    /// Sum over all tracks.
    pub duration_ms: i64,
    pub likes_count: i64,
    pub reposts_count: i64,
    /// Likes as the search index last saw them: may lag behind `likes_count` by up to
    /// [`crate::command::INDEX_LAG_MAX`].
    pub indexed_likes_count: i64,
    /// Goes up by one with every change of the playlist itself or its tracks (not with likes).
    pub revision: i64,
    pub created_at: Timestamp,
    pub last_modified: Timestamp,
    /// Of the owner; read along because no visibility question can be answered without it.
    pub owner_suspended: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaylistWithTracks {
    pub playlist: Playlist,
    /// In playing order, without regard to who may see them.
    pub track_ids: Vec<TrackId>,
}

impl Playlist {
    pub fn is_released(&self, now: Timestamp) -> bool {
        self.release_at.is_none_or(|release| release <= now)
    }
}
