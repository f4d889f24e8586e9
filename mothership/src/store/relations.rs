//! How one viewer stands to a page full of users, tracks and playlists.

use std::collections::{HashMap, HashSet};

use rusqlite::types::FromSql;

use crate::{
    domain::{Block, PlaylistId, PlaylistRelation, TrackId, TrackRelation, UserId, UserRelation},
    store::{Reader, StoreError, rows::id_array},
};

/// Asked for once per page. What was not asked for has the default relation: none.
#[derive(Debug, Clone, Default)]
pub struct Relations {
    users: HashMap<UserId, UserRelation>,
    tracks: HashMap<TrackId, TrackRelation>,
    playlists: HashMap<PlaylistId, PlaylistRelation>,
}

impl Reader<'_> {
    /// At most eight queries, however many ids; none for an anonymous viewer.
    pub fn relations(
        &self,
        viewer: Option<UserId>,
        users: &[UserId],
        tracks: &[TrackId],
        playlists: &[PlaylistId],
    ) -> Result<Relations, StoreError> {
        let mut relations = Relations::default();
        let Some(viewer) = viewer else { return Ok(relations) };
        for user in self.others(viewer, users, FOLLOWS)? {
            relations.users.entry(user).or_default().follows = true;
        }
        for user in self.others(viewer, users, FOLLOWED_BY)? {
            relations.users.entry(user).or_default().followed_by = true;
        }
        for user in self.others(viewer, users, BLOCKS)? {
            relations.users.entry(user).or_default().blocks = true;
        }
        for user in self.others(viewer, users, BLOCKED_BY)? {
            relations.users.entry(user).or_default().blocked_by = true;
        }
        for track in self.others(viewer, tracks, TRACK_LIKES)? {
            relations.tracks.entry(track).or_default().liked = true;
        }
        for track in self.others(viewer, tracks, TRACK_REPOSTS)? {
            relations.tracks.entry(track).or_default().reposted = true;
        }
        for playlist in self.others(viewer, playlists, PLAYLIST_LIKES)? {
            relations.playlists.entry(playlist).or_default().liked = true;
        }
        for playlist in self.others(viewer, playlists, PLAYLIST_REPOSTS)? {
            relations.playlists.entry(playlist).or_default().reposted = true;
        }
        Ok(relations)
    }

    /// Only the blocks between the viewer and `owners`: enough for visibility. Two queries.
    pub fn blocks(&self, viewer: Option<UserId>, owners: &[UserId]) -> Result<Relations, StoreError> {
        let mut relations = Relations::default();
        let Some(viewer) = viewer else { return Ok(relations) };
        for user in self.others(viewer, owners, BLOCKS)? {
            relations.users.entry(user).or_default().blocks = true;
        }
        for user in self.others(viewer, owners, BLOCKED_BY)? {
            relations.users.entry(user).or_default().blocked_by = true;
        }
        Ok(relations)
    }

    fn others<Id>(&self, viewer: UserId, ids: &[Id], sql: &str) -> Result<HashSet<Id>, StoreError>
    where
        Id: Copy + Eq + std::hash::Hash + Into<i64> + FromSql,
    {
        if ids.is_empty() {
            return Ok(HashSet::new());
        }
        let mut statement = self.prepare(sql)?;
        let found = statement.query_map((viewer, id_array(ids.iter().copied())), |row| row.get(0))?;
        Ok(found.collect::<Result<_, _>>()?)
    }
}

impl Relations {
    pub fn user(&self, id: UserId) -> UserRelation {
        self.users.get(&id).copied().unwrap_or_default()
    }

    pub fn track(&self, id: TrackId) -> TrackRelation {
        self.tracks.get(&id).copied().unwrap_or_default()
    }

    pub fn playlist(&self, id: PlaylistId) -> PlaylistRelation {
        self.playlists.get(&id).copied().unwrap_or_default()
    }

    /// What the visibility functions want to know of an owner.
    pub fn block(&self, owner: UserId) -> Block {
        self.user(owner).block()
    }
}

const FOLLOWS: &str = "SELECT followee_id FROM follows \
     WHERE follower_id = ?1 AND followee_id IN (SELECT value FROM json_each(?2))";
const FOLLOWED_BY: &str = "SELECT follower_id FROM follows \
     WHERE followee_id = ?1 AND follower_id IN (SELECT value FROM json_each(?2))";
const BLOCKS: &str = "SELECT blocked_id FROM blocks \
     WHERE blocker_id = ?1 AND blocked_id IN (SELECT value FROM json_each(?2))";
const BLOCKED_BY: &str = "SELECT blocker_id FROM blocks \
     WHERE blocked_id = ?1 AND blocker_id IN (SELECT value FROM json_each(?2))";
const TRACK_LIKES: &str = "SELECT track_id FROM track_likes \
     WHERE user_id = ?1 AND track_id IN (SELECT value FROM json_each(?2))";
const TRACK_REPOSTS: &str = "SELECT track_id FROM track_reposts \
     WHERE user_id = ?1 AND track_id IN (SELECT value FROM json_each(?2))";
const PLAYLIST_LIKES: &str = "SELECT playlist_id FROM playlist_likes \
     WHERE user_id = ?1 AND playlist_id IN (SELECT value FROM json_each(?2))";
const PLAYLIST_REPOSTS: &str = "SELECT playlist_id FROM playlist_reposts \
     WHERE user_id = ?1 AND playlist_id IN (SELECT value FROM json_each(?2))";
