//! What belongs on a page, read with a number of queries that does not depend on how much it is. Lists come unfiltered
//! from the store; what the caller may not meet is taken out here.

use std::collections::{BTreeSet, HashMap};

use crate::{
    domain::{Playlist, PlaylistId, Track, TrackId, User, UserId},
    store::{Reader, Relations},
    web::{
        ApiError, Caller,
        rules::{self, Policing},
    },
};

/// The people of a page, and how the caller stands to all that is on it.
pub(super) struct View<'c> {
    pub(super) caller: &'c Caller,
    pub(super) relations: Relations,
    users: HashMap<UserId, User>,
}

impl<'c> View<'c> {
    /// At most nine queries.
    pub(super) fn load(
        reader: &Reader<'_>,
        caller: &'c Caller,
        playlists: &[Playlist],
        tracks: &[Track],
        people: &[UserId],
    ) -> Result<Self, ApiError> {
        let owners = playlists.iter().map(|it| it.user_id).chain(tracks.iter().map(|it| it.user_id));
        let people: BTreeSet<UserId> = owners.chain(people.iter().copied()).collect();
        let people: Vec<UserId> = people.into_iter().collect();
        let playlist_ids: Vec<_> = playlists.iter().map(|it| it.id).collect();
        let track_ids: Vec<_> = tracks.iter().map(|it| it.id).collect();
        let relations = reader.relations(caller.viewer.user_id(), &people, &track_ids, &playlist_ids)?;
        let users = reader.users(&people)?.into_iter().map(|user| (user.id, user)).collect();
        Ok(Self { caller, relations, users })
    }

    pub(super) fn user(&self, id: UserId) -> Option<&User> {
        self.users.get(&id)
    }

    pub(super) fn lists_playlist(&self, playlist: &Playlist) -> bool {
        let block = self.relations.block(playlist.user_id);
        rules::listed_playlist(playlist, block, &self.caller.viewer)
    }

    pub(super) fn lists_track(&self, track: &Track) -> Option<Policing> {
        rules::listed_track(track, self.relations.block(track.user_id), &self.caller.viewer)
    }

    pub(super) fn listed_user(&self, id: UserId) -> Option<&User> {
        let user = self.user(id)?;
        rules::listed_user(user, self.relations.block(id), &self.caller.viewer).then_some(user)
    }

    /// The members of a playlist that the caller sees, in playing order.
    pub(super) fn seen_in<'t>(&self, playlist: &Playlist, tracks: &'t [Track]) -> Vec<(&'t Track, Policing)> {
        let seen = tracks.iter().filter_map(|track| {
            let block = self.relations.block(track.user_id);
            let policing = rules::member(track, playlist, block, &self.caller.viewer)?;
            Some((track, policing))
        });
        seen.collect()
    }
}

/// # Errors
/// [`ApiError::NotFound`] if there is none, or none for this caller. So do those below.
pub(super) fn visible_playlist(
    reader: &Reader<'_>,
    caller: &Caller,
    id: PlaylistId,
) -> Result<Playlist, ApiError> {
    readable(reader, caller, reader.playlist(id)?)
}

pub(super) fn readable(
    reader: &Reader<'_>,
    caller: &Caller,
    playlist: Option<Playlist>,
) -> Result<Playlist, ApiError> {
    let playlist = playlist.ok_or(ApiError::NotFound)?;
    let block = reader.blocks(caller.viewer.user_id(), &[playlist.user_id])?.block(playlist.user_id);
    if rules::playlist(&playlist, block, &caller.viewer) { Ok(playlist) } else { Err(ApiError::NotFound) }
}

pub(super) fn visible_track(
    reader: &Reader<'_>,
    caller: &Caller,
    id: TrackId,
) -> Result<(Track, Policing), ApiError> {
    let track = reader.track(id)?.ok_or(ApiError::NotFound)?;
    let block = reader.blocks(caller.viewer.user_id(), &[track.user_id])?.block(track.user_id);
    let policing = rules::track(&track, block, &caller.viewer).ok_or(ApiError::NotFound)?;
    Ok((track, policing))
}

pub(super) fn visible_user(reader: &Reader<'_>, caller: &Caller, id: UserId) -> Result<User, ApiError> {
    reader.user(id)?.filter(|user| rules::user(user, &caller.viewer)).ok_or(ApiError::NotFound)
}
