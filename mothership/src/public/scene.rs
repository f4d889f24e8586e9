//! Everything around the things of one page: their people, and how the caller stands to them all.

use std::collections::{BTreeSet, HashMap};

use crate::{
    domain::{Block, Playlist, Track, User, UserId},
    public::{ApiError, Caller},
    store::{Reader, Relations},
};

pub(super) struct Scene<'c> {
    pub(super) caller: &'c Caller,
    pub(super) relations: Relations,
    users: HashMap<UserId, User>,
}

impl<'c> Scene<'c> {
    /// Up to nine queries, however many things.
    pub(super) fn load(
        reader: &Reader<'_>,
        caller: &'c Caller,
        playlists: &[Playlist],
        tracks: &[&Track],
        people: impl IntoIterator<Item = UserId>,
    ) -> Result<Self, ApiError> {
        let of_playlists = playlists.iter().flat_map(|p| std::iter::once(p.user_id).chain(p.label_id));
        let of_tracks = tracks.iter().map(|track| track.user_id);
        let people: BTreeSet<UserId> = of_playlists.chain(of_tracks).chain(people).collect();
        let people: Vec<UserId> = people.into_iter().collect();
        let track_ids: Vec<_> = tracks.iter().map(|track| track.id).collect();
        let playlist_ids: Vec<_> = playlists.iter().map(|playlist| playlist.id).collect();
        let relations = reader.relations(caller.viewer.user_id(), &people, &track_ids, &playlist_ids)?;
        let users = reader.users(&people)?.into_iter().map(|user| (user.id, user)).collect();
        Ok(Self { caller, relations, users })
    }

    pub(super) fn user(&self, id: UserId) -> Option<&User> {
        self.users.get(&id)
    }

    pub(super) fn block(&self, owner: UserId) -> Block {
        self.relations.block(owner)
    }
}
