//! Tracks, as the Tracks VAS tells of them: no aggregate of this service, only what its edges show.

use crate::domain::{Sharing, Timestamp, TrackId, UserId};

/// How much of a track a viewer gets. A track that must not be seen is not told of at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Access {
    /// The whole track.
    Playable,
    /// A snippet.
    Preview,
    /// The metadata only.
    Blocked,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Track {
    pub id: TrackId,
    pub user_id: UserId,
    pub permalink: String,
    pub title: String,
    pub description: Option<String>,
    pub genre: Option<String>,
    pub tag_list: String,
    pub duration_ms: i64,
    pub bpm: Option<i64>,
    pub key_signature: Option<String>,
    pub isrc: Option<String>,
    pub label_name: Option<String>,
    pub license: String,
    pub release: Option<String>,
    pub release_at: Option<Timestamp>,
    pub sharing: Sharing,
    /// Of the viewer's own tracks only.
    pub secret_token: Option<String>,
    pub commentable: bool,
    pub downloadable: bool,
    pub streamable: bool,
    pub embeddable_by: String,
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
    /// As the viewer meets it on its own. In a playlist it may be another.
    pub access: Access,
    /// The viewer's own.
    pub liked: bool,
    pub reposted: bool,
    /// The viewer blocked its owner.
    pub owner_muted: bool,
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
