//! What is asked of the internal API, as it is written there.

use serde::Serialize;

use crate::domain::{
    Embeddable, License, Page, PlaylistId, PlaylistKind, Position, Sharing, Timestamp, TrackId, UserId,
    Viewer,
};

/// What comes along with records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Include {
    TrackIds,
    Users,
    Relations,
}

/// For whom a list is filtered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// Everything, seen or not: whoever asks filters.
    Everything,
    /// What the viewer may meet in a collection.
    Listed,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum PlaylistList {
    All { order: Order, kind: KindFilter },
    Search { q: String, order: Order, kind: KindFilter },
    OfUser { user_id: UserId, order: Order, kind: KindFilter },
    LikedBy { user_id: UserId, kind: KindFilter },
    RepostedBy { user_id: UserId, kind: KindFilter },
    Containing { track_id: TrackId, kind: KindFilter },
    Related { playlist_id: PlaylistId, kind: KindFilter },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    Newest,
    Updated,
    Popular,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KindFilter {
    Any,
    Playlists,
    Releases,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum UserList {
    LikersOfPlaylist { playlist_id: PlaylistId },
    RepostersOfPlaylist { playlist_id: PlaylistId },
}

/// One way of naming a thing.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Lookup {
    Playlist { user: String, permalink: String },
    PlaylistSecret { token: String },
}

/// Every change of a playlist, in the monolith's words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Command {
    CreatePlaylist {
        fields: Box<PlaylistFields>,
    },
    UpdatePlaylist {
        playlist_id: PlaylistId,
        fields: Box<PlaylistFields>,
        #[serde(skip_serializing_if = "Option::is_none")]
        if_revision: Option<i64>,
    },
    DeletePlaylist {
        playlist_id: PlaylistId,
    },
    RotateSecret {
        playlist_id: PlaylistId,
    },
    AddTracks {
        playlist_id: PlaylistId,
        track_ids: Vec<TrackId>,
        /// Where to insert, counted from 0.
        #[serde(skip_serializing_if = "Option::is_none")]
        position: Option<usize>,
    },
    RemoveTracks {
        playlist_id: PlaylistId,
        track_ids: Vec<TrackId>,
    },
    ReorderTracks {
        playlist_id: PlaylistId,
        track_ids: Vec<TrackId>,
    },
    LikePlaylist {
        playlist_id: PlaylistId,
    },
    UnlikePlaylist {
        playlist_id: PlaylistId,
    },
    RepostPlaylist {
        playlist_id: PlaylistId,
    },
    UnrepostPlaylist {
        playlist_id: PlaylistId,
    },
}

/// What a create or update sets. `None` leaves a field as it is; `Some(None)` clears one that may be empty.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct PlaylistFields {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub genre: Option<Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag_list: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<PlaylistKind>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sharing: Option<Sharing>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub license: Option<License>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release: Option<Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release_at: Option<Option<Timestamp>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ean: Option<Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label_id: Option<Option<UserId>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label_name: Option<Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purchase_title: Option<Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purchase_url: Option<Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub embeddable_by: Option<Embeddable>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artwork_url: Option<Option<String>>,
    /// Replaces all tracks. Repeated ids count once, at their first place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub track_ids: Option<Vec<TrackId>>,
}

/// For whom the service asks.
#[derive(Debug, Serialize)]
pub(super) struct ViewerSpec<'v> {
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<UserId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    territory: Option<&'v str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_token: Option<&'v str>,
}

#[derive(Debug, Serialize)]
pub(super) struct PageSpec {
    limit: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    offset: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
}

impl<'v> ViewerSpec<'v> {
    pub(super) fn of(viewer: &'v Viewer) -> Self {
        Self {
            user_id: viewer.user_id(),
            territory: viewer.territory.as_ref().map(crate::domain::Territory::as_str),
            secret_token: viewer.secret_token.as_deref(),
        }
    }
}

impl PageSpec {
    pub(super) fn of(page: Page) -> Self {
        let (offset, cursor) = match page.position {
            Position::Offset(offset) => (Some(offset), None),
            Position::After(cursor) => (None, Some(cursor.to_string())),
        };
        Self { limit: page.limit, offset, cursor }
    }
}
