//! Every change of the data is a command: validated, authorized, applied and told of (events) in one transaction.
//!
//! Run one with [`crate::store::Store::execute`]. A command either changes everything it says or nothing. Repeating
//! a like, repost or follow is no error: the outcome then says `changed: false` and there is no event.

mod error;
mod limits;
mod fields;
mod context;
mod tracklist;
mod playlist;
mod track;
mod edge;
mod comment;

use rusqlite::Connection;
use serde::Deserialize;

pub use error::{CommandError, Forbidden, Invalid, Missing, Problem};
pub use fields::{PlaylistFields, TrackFields};
pub use limits::*;
pub(crate) use playlist::{secret_token, slug};

use crate::{
    domain::{Comment, CommentId, PlaylistId, PlaylistWithTracks, Track, TrackId, User, UserId, Viewer},
    store::Event,
};
use context::Context;

/// Also what the internal API takes, as `{"type": "like_playlist", "playlist_id": 5}`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Command {
    /// `fields.title` is required.
    CreatePlaylist {
        fields: Box<PlaylistFields>,
    },
    /// Changes the fields that are set. With `if_revision`, only if the playlist still is at that revision.
    UpdatePlaylist {
        playlist_id: PlaylistId,
        fields: Box<PlaylistFields>,
        #[serde(default)]
        if_revision: Option<i64>,
    },
    DeletePlaylist {
        playlist_id: PlaylistId,
    },
    /// Gives the playlist a new secret token; the old links are dead.
    RotateSecret {
        playlist_id: PlaylistId,
    },
    /// Inserts before `position` (default: at the end). Tracks that are in the playlist already stay where they are.
    AddTracks {
        playlist_id: PlaylistId,
        track_ids: Vec<TrackId>,
        #[serde(default)]
        position: Option<usize>,
    },
    /// Tracks that are not in the playlist are ignored.
    RemoveTracks {
        playlist_id: PlaylistId,
        track_ids: Vec<TrackId>,
    },
    /// The named tracks come first, in this order; the others follow in their old order.
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
    UpdateTrack {
        track_id: TrackId,
        fields: Box<TrackFields>,
    },
    /// Also takes it out of every playlist and deletes its comments, likes and reposts.
    DeleteTrack {
        track_id: TrackId,
    },
    LikeTrack {
        track_id: TrackId,
    },
    UnlikeTrack {
        track_id: TrackId,
    },
    RepostTrack {
        track_id: TrackId,
    },
    UnrepostTrack {
        track_id: TrackId,
    },
    Follow {
        user_id: UserId,
    },
    Unfollow {
        user_id: UserId,
    },
    /// Also ends follows in both directions.
    Block {
        user_id: UserId,
    },
    Unblock {
        user_id: UserId,
    },
    CreateComment {
        track_id: TrackId,
        body: String,
        #[serde(default)]
        position_ms: Option<i64>,
    },
    DeleteComment {
        comment_id: CommentId,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Commit,
    /// Everything but the commit: the outcome says what would have been.
    DryRun,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// False if everything already was as the command wanted it.
    pub changed: bool,
    /// The thing after the change; for a deletion, as it was last.
    pub entity: Entity,
    /// In the order in which they were written.
    pub events: Vec<Event>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Entity {
    Playlist(Box<PlaylistWithTracks>),
    Track(Box<Track>),
    User(Box<User>),
    Comment(Box<Comment>),
}

/// Whether anything changed, and the thing it changed.
type Applied = Result<(bool, Entity), CommandError>;

impl Outcome {
    /// The playlist of a playlist command.
    pub fn playlist(&self) -> Option<&PlaylistWithTracks> {
        if let Entity::Playlist(playlist) = &self.entity { Some(playlist) } else { None }
    }

    /// The track of a track command.
    pub fn track(&self) -> Option<&Track> {
        if let Entity::Track(track) = &self.entity { Some(track) } else { None }
    }

    /// The comment of a comment command.
    pub fn comment(&self) -> Option<&Comment> {
        if let Entity::Comment(comment) = &self.entity { Some(comment) } else { None }
    }
}

/// Applies a command inside of `tx`; committing or not is the caller's business. After an error `tx` must be rolled
/// back.
pub(crate) fn run(
    tx: &Connection,
    seed: u64,
    command: Command,
    viewer: &Viewer,
) -> Result<Outcome, CommandError> {
    let mut cx = Context::new(tx, seed, viewer)?;
    let (changed, entity) = match command {
        Command::CreatePlaylist { fields } => playlist::create(&mut cx, &fields),
        Command::UpdatePlaylist { playlist_id, fields, if_revision } => {
            playlist::update(&mut cx, playlist_id, &fields, if_revision)
        }
        Command::DeletePlaylist { playlist_id } => playlist::delete(&mut cx, playlist_id),
        Command::RotateSecret { playlist_id } => playlist::rotate_secret(&mut cx, playlist_id),
        Command::AddTracks { playlist_id, track_ids, position } => {
            tracklist::add(&mut cx, playlist_id, &track_ids, position)
        }
        Command::RemoveTracks { playlist_id, track_ids } => {
            tracklist::remove(&mut cx, playlist_id, &track_ids)
        }
        Command::ReorderTracks { playlist_id, track_ids } => {
            tracklist::reorder(&mut cx, playlist_id, &track_ids)
        }
        Command::LikePlaylist { playlist_id } => {
            edge::playlist(&mut cx, &edge::PLAYLIST_LIKE, playlist_id, true)
        }
        Command::UnlikePlaylist { playlist_id } => {
            edge::playlist(&mut cx, &edge::PLAYLIST_LIKE, playlist_id, false)
        }
        Command::RepostPlaylist { playlist_id } => {
            edge::playlist(&mut cx, &edge::PLAYLIST_REPOST, playlist_id, true)
        }
        Command::UnrepostPlaylist { playlist_id } => {
            edge::playlist(&mut cx, &edge::PLAYLIST_REPOST, playlist_id, false)
        }
        Command::UpdateTrack { track_id, fields } => track::update(&mut cx, track_id, &fields),
        Command::DeleteTrack { track_id } => track::delete(&mut cx, track_id),
        Command::LikeTrack { track_id } => edge::track(&mut cx, &edge::TRACK_LIKE, track_id, true),
        Command::UnlikeTrack { track_id } => edge::track(&mut cx, &edge::TRACK_LIKE, track_id, false),
        Command::RepostTrack { track_id } => edge::track(&mut cx, &edge::TRACK_REPOST, track_id, true),
        Command::UnrepostTrack { track_id } => edge::track(&mut cx, &edge::TRACK_REPOST, track_id, false),
        Command::Follow { user_id } => edge::follow(&mut cx, user_id),
        Command::Unfollow { user_id } => edge::unfollow(&mut cx, user_id),
        Command::Block { user_id } => edge::block(&mut cx, user_id),
        Command::Unblock { user_id } => edge::unblock(&mut cx, user_id),
        Command::CreateComment { track_id, body, position_ms } => {
            comment::create(&mut cx, track_id, &body, position_ms)
        }
        Command::DeleteComment { comment_id } => comment::delete(&mut cx, comment_id),
    }?;
    Ok(Outcome { changed, entity, events: cx.into_events()? })
}
