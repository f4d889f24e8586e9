//! Users, as far as playlists need them, and how a viewer stands to others.

use serde::Deserialize;

use crate::domain::{Timestamp, UserId};

/// What stands beside a user's things.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    pub id: UserId,
    pub permalink: String,
    pub username: String,
    pub avatar_url: Option<String>,
    pub last_modified: Timestamp,
}

/// A whole profile, for lists of people.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Profile {
    pub id: UserId,
    pub permalink: String,
    pub username: String,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub city: Option<String>,
    pub country: Option<String>,
    pub description: Option<String>,
    pub avatar_url: Option<String>,
    /// Switched off by moderation: the profile and all it owns are hidden from others.
    pub suspended: bool,
    pub created_at: Timestamp,
    pub last_modified: Timestamp,
    pub counts: ProfileCounts,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct ProfileCounts {
    pub followers: i64,
    pub followings: i64,
    pub public_tracks: i64,
    pub public_playlists: i64,
}

/// Blocks between a viewer and an owner. An anonymous viewer has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Block {
    /// The owner blocked the viewer.
    pub by_owner: bool,
    /// The viewer blocked the owner.
    pub by_viewer: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub struct UserRelation {
    pub follows: bool,
    pub followed_by: bool,
    pub blocks: bool,
    pub blocked_by: bool,
}

/// Of a viewer to a playlist or a track.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub struct Mark {
    pub liked: bool,
    pub reposted: bool,
}

impl UserRelation {
    pub fn block(self) -> Block {
        Block { by_owner: self.blocked_by, by_viewer: self.blocks }
    }
}

impl Profile {
    /// First and last name, blank where neither is set.
    pub fn full_name(&self) -> String {
        let names = [self.first_name.as_deref(), self.last_name.as_deref()];
        names.into_iter().flatten().filter(|name| !name.is_empty()).collect::<Vec<_>>().join(" ")
    }

    pub fn person(&self) -> Person {
        Person {
            id: self.id,
            permalink: self.permalink.clone(),
            username: self.username.clone(),
            avatar_url: self.avatar_url.clone(),
            last_modified: self.last_modified,
        }
    }
}
