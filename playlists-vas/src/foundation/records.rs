//! The records of the internal API, read into the domain.

use std::collections::HashMap;

use serde::{Deserialize, Deserializer};

use crate::{
    authorization::TrackFacts,
    domain::{
        Block, Counts, Embeddable, Label, License, Mark, Playlist, PlaylistId, PlaylistKind, Policy, Profile,
        Purchase, Release, Role, SecretToken, Sharing, Territory, Timestamp, TrackId, UserId, UserRelation,
    },
};

/// Records with what belongs to them, all of one moment.
#[derive(Debug, Deserialize)]
pub struct Bundle {
    /// The monolith's time.
    pub now: Timestamp,
    #[serde(deserialize_with = "playlists")]
    pub playlists: Vec<Playlist>,
    pub tracks: Vec<TrackRecord>,
    pub users: Vec<Profile>,
    #[serde(default)]
    pub relations: Relations,
}

/// A page of a list, with the records of what is on it.
#[derive(Debug, Deserialize)]
pub struct Listed<Id> {
    pub ids: Vec<ListedId<Id>>,
    /// `key:id` of the last one if there are more.
    pub next_cursor: Option<String>,
    pub now: Timestamp,
    #[serde(deserialize_with = "playlists")]
    pub playlists: Vec<Playlist>,
    pub users: Vec<Profile>,
    #[serde(default)]
    pub relations: Relations,
}

#[derive(Debug, Clone, Copy, Deserialize)]
pub struct ListedId<Id> {
    pub id: Id,
    /// What the list is ordered by: for likes, reposts and follows the time of it in milliseconds.
    pub key: i64,
}

/// How the viewer stands to what is in an answer.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Relations {
    pub users: HashMap<UserId, UserRelation>,
    pub tracks: HashMap<TrackId, Mark>,
    pub playlists: HashMap<PlaylistId, Mark>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct TrackRecord {
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
    pub license: License,
    pub release: Option<String>,
    pub release_at: Option<Timestamp>,
    pub sharing: Sharing,
    pub secret_token: String,
    pub taken_down: bool,
    pub policy: Policy,
    pub blocked_territories: Vec<Territory>,
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
    pub owner_suspended: bool,
}

/// As the monolith writes it; [`Playlist`] is what we make of it.
#[derive(Debug, Deserialize)]
pub(super) struct PlaylistRecord {
    id: PlaylistId,
    user_id: UserId,
    permalink: String,
    title: String,
    description: Option<String>,
    genre: Option<String>,
    tag_list: String,
    kind: PlaylistKind,
    sharing: Sharing,
    secret_token: String,
    license: License,
    release: Option<String>,
    release_at: Option<Timestamp>,
    ean: Option<String>,
    label_id: Option<UserId>,
    label_name: Option<String>,
    purchase_title: Option<String>,
    purchase_url: Option<String>,
    embeddable_by: Embeddable,
    artwork_url: Option<String>,
    track_count: i64,
    duration_ms: i64,
    likes_count: i64,
    reposts_count: i64,
    indexed_likes_count: i64,
    revision: i64,
    created_at: Timestamp,
    last_modified: Timestamp,
    owner_suspended: bool,
    track_ids: Option<Vec<TrackId>>,
}

/// What a token stands for.
#[derive(Debug, Clone, Deserialize)]
pub struct Introspection {
    pub state: TokenState,
    pub now: Timestamp,
    pub user_id: Option<UserId>,
    pub role: Option<Role>,
    pub expires_at: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenState {
    Valid,
    Expired,
    Unknown,
}

/// What a command did, or with a dry run would have done.
#[derive(Debug, Deserialize)]
pub struct Outcome {
    /// False if it already was so.
    pub changed: bool,
    entity: Entity,
}

#[derive(Debug, Deserialize)]
struct Entity {
    playlist: PlaylistRecord,
}

/// An event of the feed, as far as this service cares.
#[derive(Debug, Clone, Deserialize)]
pub struct Event {
    pub sequence: i64,
    #[serde(rename = "type")]
    pub event_type: String,
    pub aggregate: Aggregate,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Aggregate {
    pub kind: String,
    pub id: i64,
}

#[derive(Debug, Deserialize)]
pub struct Events {
    pub events: Vec<Event>,
    pub last_sequence: i64,
}

fn playlists<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Playlist>, D::Error> {
    let records = Vec::<PlaylistRecord>::deserialize(deserializer)?;
    Ok(records.into_iter().map(Playlist::from).collect())
}

impl From<PlaylistRecord> for Playlist {
    fn from(record: PlaylistRecord) -> Self {
        Self {
            id: record.id,
            owner: record.user_id,
            owner_suspended: record.owner_suspended,
            permalink: record.permalink,
            title: record.title,
            description: record.description,
            genre: record.genre,
            tag_list: record.tag_list,
            kind: record.kind,
            sharing: record.sharing,
            secret: SecretToken::new(record.secret_token),
            license: record.license,
            release: Release { text: record.release, at: record.release_at, ean: record.ean },
            label: Label { id: record.label_id, name: record.label_name },
            purchase: Purchase { title: record.purchase_title, url: record.purchase_url },
            embeddable_by: record.embeddable_by,
            artwork_url: record.artwork_url,
            track_ids: record.track_ids,
            counts: Counts {
                tracks: record.track_count,
                duration_ms: record.duration_ms,
                likes: record.likes_count,
                reposts: record.reposts_count,
                indexed_likes: record.indexed_likes_count,
            },
            revision: record.revision,
            created_at: record.created_at,
            last_modified: record.last_modified,
        }
    }
}

impl Outcome {
    pub fn into_playlist(self) -> Playlist {
        self.entity.playlist.into()
    }
}

impl TrackRecord {
    pub fn facts(&self) -> TrackFacts<'_> {
        TrackFacts {
            owner: self.user_id,
            owner_suspended: self.owner_suspended,
            sharing: self.sharing,
            secret_token: &self.secret_token,
            release_at: self.release_at,
            taken_down: self.taken_down,
            policy: self.policy,
            blocked_territories: &self.blocked_territories,
        }
    }
}

impl Relations {
    pub fn block(&self, owner: UserId) -> Block {
        self.user(owner).block()
    }

    pub fn user(&self, id: UserId) -> UserRelation {
        self.users.get(&id).copied().unwrap_or_default()
    }

    pub fn track(&self, id: TrackId) -> Mark {
        self.tracks.get(&id).copied().unwrap_or_default()
    }

    pub fn playlist(&self, id: PlaylistId) -> Mark {
        self.playlists.get(&id).copied().unwrap_or_default()
    }
}
