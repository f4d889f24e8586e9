//! Users and what hangs on their profiles.

use crate::domain::{ConnectionId, Plan, Role, Timestamp, UserId, WebProfileId};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    pub id: UserId,
    /// Unique; the first path segment of everything the user owns.
    pub permalink: String,
    pub username: String,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub city: Option<String>,
    pub country: Option<String>,
    pub description: Option<String>,
    pub avatar_url: Option<String>,
    pub website: Option<String>,
    pub website_title: Option<String>,
    pub discogs_name: Option<String>,
    pub myspace_name: Option<String>,
    pub plan: Plan,
    pub locale: String,
    pub role: Role,
    /// Switched off by moderation: the profile and all it owns are hidden from others.
    pub suspended: bool,
    pub primary_email_confirmed: bool,
    pub upload_seconds_used: i64,
    pub created_at: Timestamp,
    pub last_modified: Timestamp,
    pub counts: UserCounts,
}

/// Kept by the writes in the same transaction; always exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct UserCounts {
    pub followers: i64,
    pub followings: i64,
    /// Tracks whose sharing is public, released or not.
    pub public_tracks: i64,
    pub private_tracks: i64,
    pub public_playlists: i64,
    pub private_playlists: i64,
    pub liked_tracks: i64,
    pub liked_playlists: i64,
    /// Of tracks and playlists together.
    pub reposts: i64,
    pub comments: i64,
}

/// A link on a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebProfile {
    pub id: WebProfileId,
    pub user_id: UserId,
    pub service: String,
    pub title: String,
    pub url: String,
    pub username: Option<String>,
    pub created_at: Timestamp,
}

/// An account elsewhere to which the user lets the monolith post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    pub id: ConnectionId,
    pub user_id: UserId,
    pub service: String,
    pub display_name: String,
    pub post_publish: bool,
    pub post_favorite: bool,
    pub created_at: Timestamp,
}

impl User {
    /// First and last name, blank where neither is set.
    pub fn full_name(&self) -> String {
        let names = [self.first_name.as_deref(), self.last_name.as_deref()];
        names.into_iter().flatten().filter(|name| !name.is_empty()).collect::<Vec<_>>().join(" ")
    }
}
