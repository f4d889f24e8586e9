//! What every command works with: the transaction, the actor, and what the actor may see.

use rusqlite::Connection;
use serde_json::Value;

use crate::{
    command::{CommandError, Entity, Forbidden, Missing},
    domain::{Identity, Playlist, PlaylistId, Track, TrackId, User, UserId, Viewer},
    store::{Aggregate, Event, NewEvent, Reader, append_event},
    visibility::{read_playlist, read_track, read_user},
};

pub(super) struct Context<'a> {
    pub(super) tx: &'a Connection,
    pub(super) reader: Reader<'a>,
    pub(super) viewer: &'a Viewer,
    pub(super) actor: Identity,
    pub(super) seed: u64,
    events: Vec<NewEvent>,
}

impl<'a> Context<'a> {
    pub(super) fn new(tx: &'a Connection, seed: u64, viewer: &'a Viewer) -> Result<Self, CommandError> {
        let actor = viewer.identity.ok_or(CommandError::SignInRequired)?;
        Ok(Self { tx, reader: Reader::new(tx), viewer, actor, seed, events: Vec::new() })
    }

    /// A playlist that the actor may see.
    pub(super) fn visible_playlist(&self, id: PlaylistId) -> Result<Playlist, CommandError> {
        let missing = || CommandError::NotFound(Missing::Playlist(id));
        let playlist = self.reader.playlist(id)?.ok_or_else(missing)?;
        let blocks = self.reader.blocks(self.viewer.user_id(), &[playlist.user_id])?;
        let sight = read_playlist(&playlist, blocks.block(playlist.user_id), self.viewer);
        if sight.visible { Ok(playlist) } else { Err(missing()) }
    }

    /// A playlist that the actor may change: their own, or any for a moderator.
    pub(super) fn own_playlist(&self, id: PlaylistId) -> Result<Playlist, CommandError> {
        let playlist = self.visible_playlist(id)?;
        self.check_owner(playlist.user_id)?;
        Ok(playlist)
    }

    pub(super) fn visible_track(&self, id: TrackId) -> Result<Track, CommandError> {
        let missing = || CommandError::NotFound(Missing::Track(id));
        let track = self.reader.track(id)?.ok_or_else(missing)?;
        if self.sees(&[&track])?[0] { Ok(track) } else { Err(missing()) }
    }

    pub(super) fn own_track(&self, id: TrackId) -> Result<Track, CommandError> {
        let track = self.visible_track(id)?;
        self.check_owner(track.user_id)?;
        Ok(track)
    }

    pub(super) fn visible_user(&self, id: UserId) -> Result<User, CommandError> {
        let user = self.reader.user(id)?.filter(|user| read_user(user, self.viewer));
        user.ok_or(CommandError::NotFound(Missing::User(id)))
    }

    /// For each track, whether the actor may see it. A fixed number of queries.
    pub(super) fn sees(&self, tracks: &[&Track]) -> Result<Vec<bool>, CommandError> {
        let owners: Vec<UserId> = tracks.iter().map(|track| track.user_id).collect();
        let blocks = self.reader.blocks(self.viewer.user_id(), &owners)?;
        let sees = |track: &&Track| read_track(track, blocks.block(track.user_id), self.viewer).is_visible();
        Ok(tracks.iter().map(sees).collect())
    }

    pub(super) fn check_owner(&self, owner: UserId) -> Result<(), CommandError> {
        if self.viewer.is(owner) || self.viewer.is_moderator() {
            Ok(())
        } else {
            Err(CommandError::Forbidden(Forbidden::NotOwner))
        }
    }

    /// The playlist as it is now, after what was written.
    pub(super) fn playlist_entity(&self, id: PlaylistId) -> Result<Entity, CommandError> {
        let playlist = self.reader.playlist_with_tracks(id)?;
        Ok(Entity::Playlist(Box::new(playlist.ok_or(CommandError::NotFound(Missing::Playlist(id)))?)))
    }

    pub(super) fn track_entity(&self, id: TrackId) -> Result<Entity, CommandError> {
        let track = self.reader.track(id)?;
        Ok(Entity::Track(Box::new(track.ok_or(CommandError::NotFound(Missing::Track(id)))?)))
    }

    pub(super) fn user_entity(&self, id: UserId) -> Result<Entity, CommandError> {
        let user = self.reader.user(id)?;
        Ok(Entity::User(Box::new(user.ok_or(CommandError::NotFound(Missing::User(id)))?)))
    }

    pub(super) fn execute(&self, sql: &str, params: impl rusqlite::Params) -> Result<usize, CommandError> {
        Ok(self.tx.prepare_cached(sql)?.execute(params)?)
    }

    /// Tells of a change; written when the command has succeeded.
    pub(super) fn tell(&mut self, event_type: &'static str, aggregate: Aggregate, payload: Value) {
        self.events.push(NewEvent { event_type, aggregate, payload });
    }

    pub(super) fn into_events(self) -> Result<Vec<Event>, CommandError> {
        let Self { tx, viewer, actor, events, .. } = self;
        let write = |event| append_event(tx, viewer.now, actor.user_id, event);
        Ok(events.into_iter().map(write).collect::<Result<_, _>>()?)
    }
}
