//! Records together with what belongs to them: one answer that is enough for a page. Each `include` costs one query
//! (relations: up to eight), however long the page.

use std::collections::{BTreeSet, HashMap};

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    domain::{Playlist, PlaylistId, Track, TrackId, User, UserId, Viewer},
    internal::{ApiError, records},
    store::Reader,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Include {
    /// `track_ids` in every playlist: all of them, in playing order.
    TrackIds,
    /// `tracks`: the records of the first `first_tracks` tracks of every playlist.
    Tracks,
    /// `users`: the owners (and labels) of everything else in the answer.
    Users,
    /// `relations`: the viewer's, to everything else in the answer.
    Relations,
}

/// The records of an answer, before they are written.
#[derive(Default)]
pub(super) struct Bundle {
    playlists: Vec<Playlist>,
    track_ids: Option<HashMap<PlaylistId, Vec<TrackId>>>,
    tracks: Vec<Track>,
    users: Vec<User>,
    /// Users who are in the answer by id only.
    mentioned: Vec<UserId>,
}

impl Bundle {
    pub(super) fn of_playlists(playlists: Vec<Playlist>) -> Self {
        Self { playlists, ..Self::default() }
    }

    pub(super) fn of_tracks(tracks: Vec<Track>) -> Self {
        Self { tracks, ..Self::default() }
    }

    pub(super) fn of_users(users: Vec<User>) -> Self {
        Self { users, ..Self::default() }
    }

    /// Users whose records are wanted if users are included: authors of comments.
    pub(super) fn mention(mut self, users: impl IntoIterator<Item = UserId>) -> Self {
        self.mentioned.extend(users);
        self
    }

    pub(super) fn and_tracks(mut self, tracks: Vec<Track>) -> Self {
        self.tracks.extend(tracks);
        self
    }

    /// Reads what is included and writes everything: `playlists` and `tracks` where asked for, in order; the rest once.
    pub(super) fn write(
        mut self,
        reader: &Reader<'_>,
        viewer: &Viewer,
        include: &[Include],
        first_tracks: u32,
    ) -> Result<Map<String, Value>, ApiError> {
        let includes = |wanted: Include| include.contains(&wanted);
        let playlist_ids: Vec<PlaylistId> = self.playlists.iter().map(|playlist| playlist.id).collect();
        if includes(Include::TrackIds) {
            self.track_ids = Some(reader.track_ids_of(&playlist_ids)?);
        }
        if includes(Include::Tracks) {
            let mut of = reader.tracks_of(&playlist_ids, first_tracks)?;
            let mut seen: BTreeSet<TrackId> = self.tracks.iter().map(|track| track.id).collect();
            for playlist in &playlist_ids {
                let members = of.remove(playlist).unwrap_or_default();
                self.tracks.extend(members.into_iter().filter(|track| seen.insert(track.id)));
            }
        }
        let owners = self.owners();
        if includes(Include::Users) {
            let known: BTreeSet<UserId> = self.users.iter().map(|user| user.id).collect();
            let wanted: Vec<UserId> = owners.difference(&known).copied().collect();
            self.users.extend(reader.users(&wanted)?);
        }
        let mut answer = Map::new();
        answer.insert("now".to_owned(), json!(viewer.now));
        if includes(Include::Relations) {
            let users: BTreeSet<UserId> =
                owners.into_iter().chain(self.users.iter().map(|user| user.id)).collect();
            answer.insert("relations".to_owned(), self.relations(reader, viewer, &users)?);
        }
        let playlists = self.playlists.iter().map(|playlist| self.playlist(playlist)).collect();
        answer.insert("playlists".to_owned(), playlists);
        answer.insert("tracks".to_owned(), self.tracks.iter().map(records::track).collect());
        answer.insert("users".to_owned(), self.users.iter().map(records::user).collect());
        Ok(answer)
    }

    fn owners(&self) -> BTreeSet<UserId> {
        let of_playlists = self.playlists.iter().flat_map(|p| std::iter::once(p.user_id).chain(p.label_id));
        let of_tracks = self.tracks.iter().map(|track| track.user_id);
        of_playlists.chain(of_tracks).chain(self.mentioned.iter().copied()).collect()
    }

    fn playlist(&self, playlist: &Playlist) -> Value {
        let mut record = records::playlist(playlist);
        if let Some(track_ids) = &self.track_ids {
            record["track_ids"] = json!(track_ids.get(&playlist.id).map_or(&[][..], Vec::as_slice));
        }
        record
    }

    fn relations(
        &self,
        reader: &Reader<'_>,
        viewer: &Viewer,
        users: &BTreeSet<UserId>,
    ) -> Result<Value, ApiError> {
        let users: Vec<UserId> = users.iter().copied().collect();
        let tracks: Vec<TrackId> = self.tracks.iter().map(|track| track.id).collect();
        let playlists: Vec<PlaylistId> = self.playlists.iter().map(|playlist| playlist.id).collect();
        relations(reader, viewer.user_id(), &users, &tracks, &playlists)
    }
}

/// By kind and id; an id in JSON objects is a string.
pub(super) fn relations(
    reader: &Reader<'_>,
    viewer: Option<UserId>,
    users: &[UserId],
    tracks: &[TrackId],
    playlists: &[PlaylistId],
) -> Result<Value, ApiError> {
    let relations = reader.relations(viewer, users, tracks, playlists)?;
    let users: Map<String, Value> =
        users.iter().map(|id| (id.to_string(), records::user_relation(relations.user(*id)))).collect();
    let tracks: Map<String, Value> =
        tracks.iter().map(|id| (id.to_string(), records::track_relation(relations.track(*id)))).collect();
    let playlists: Map<String, Value> = playlists
        .iter()
        .map(|id| (id.to_string(), records::playlist_relation(relations.playlist(*id))))
        .collect();
    Ok(json!({ "users": users, "tracks": tracks, "playlists": playlists }))
}
