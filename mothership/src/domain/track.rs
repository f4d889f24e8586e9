//! Tracks.

use crate::domain::{Embeddable, License, Policy, Sharing, Territories, Timestamp, TrackId, UserId};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Track {
    pub id: TrackId,
    pub user_id: UserId,
    /// Unique among the owner's tracks.
    pub permalink: String,
    pub title: String,
    pub description: Option<String>,
    pub genre: Option<String>,
    /// Tags separated by blanks; those of several words in double quotes.
    pub tag_list: String,
    pub duration_ms: i64,
    pub bpm: Option<i64>,
    pub key_signature: Option<String>,
    pub isrc: Option<String>,
    pub label_name: Option<String>,
    pub license: License,
    /// Catalogue text of the release, not its date.
    pub release: Option<String>,
    /// Before this time the track is unreleased; `None`: released since it was created.
    pub release_at: Option<Timestamp>,
    pub sharing: Sharing,
    /// Opens a private or unreleased track to whoever holds it. Every track has one.
    pub secret_token: String,
    pub taken_down: bool,
    pub policy: Policy,
    pub blocked_territories: Territories,
    pub commentable: bool,
    pub downloadable: bool,
    pub streamable: bool,
    pub embeddable_by: Embeddable,
    pub purchase_title: Option<String>,
    pub purchase_url: Option<String>,
    pub artwork_url: Option<String>,
    pub playback_count: i64,
    pub download_count: i64,
    pub likes_count: i64,
    pub reposts_count: i64,
    pub comments_count: i64,
    pub created_at: Timestamp,
    pub last_modified: Timestamp,
    /// Of the owner; read along because no visibility question can be answered without it.
    pub owner_suspended: bool,
}

impl Track {
    pub fn is_released(&self, now: Timestamp) -> bool {
        self.release_at.is_none_or(|release| release <= now)
    }
}
