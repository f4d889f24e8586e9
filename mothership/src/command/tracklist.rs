//! The tracks of a playlist: adding, removing, reordering, replacing.

use std::collections::HashSet;

use serde_json::json;

use crate::{
    command::{Applied, CommandError, PLAYLIST_TRACKS_MAX, Problem, context::Context},
    domain::{PlaylistId, TrackId},
    store::Aggregate,
};

pub(super) fn add(
    cx: &mut Context<'_>,
    playlist: PlaylistId,
    added: &[TrackId],
    position: Option<usize>,
) -> Applied {
    cx.own_playlist(playlist)?;
    let mut tracks = current(cx, playlist)?;
    let added = new_tracks(cx, &tracks, added)?;
    let at = position.unwrap_or(tracks.len()).min(tracks.len());
    tracks.splice(at..at, added.iter().copied());
    change(cx, playlist, &tracks, !added.is_empty())
}

pub(super) fn remove(cx: &mut Context<'_>, playlist: PlaylistId, removed: &[TrackId]) -> Applied {
    cx.own_playlist(playlist)?;
    let mut tracks = current(cx, playlist)?;
    let before = tracks.len();
    let removed: HashSet<TrackId> = removed.iter().copied().collect();
    tracks.retain(|track| !removed.contains(track));
    change(cx, playlist, &tracks, tracks.len() != before)
}

pub(super) fn reorder(cx: &mut Context<'_>, playlist: PlaylistId, order: &[TrackId]) -> Applied {
    cx.own_playlist(playlist)?;
    let before = current(cx, playlist)?;
    let members: HashSet<TrackId> = before.iter().copied().collect();
    let strangers: Vec<TrackId> = order.iter().copied().filter(|track| !members.contains(track)).collect();
    if !strangers.is_empty() {
        return Err(CommandError::invalid("tracks", Problem::UnknownTracks(strangers)));
    }
    let tracks = distinct(order.iter().chain(&before).copied());
    change(cx, playlist, &tracks, tracks != before)
}

/// Replaces all tracks as part of a create or update; the caller tells of it. Says whether the list changed.
pub(super) fn replace(
    cx: &Context<'_>,
    playlist: PlaylistId,
    wanted: &[TrackId],
) -> Result<bool, CommandError> {
    let before = current(cx, playlist)?;
    new_tracks(cx, &before, wanted)?;
    let tracks = distinct(wanted.iter().copied());
    let changed = tracks != before;
    if changed {
        write(cx, playlist, &tracks)?;
    }
    Ok(changed)
}

/// Takes a track that is about to be deleted out of every playlist.
pub(super) fn remove_everywhere(cx: &mut Context<'_>, track: TrackId) -> Result<(), CommandError> {
    let playlists = {
        let mut statement = cx.tx.prepare_cached(
            "SELECT playlist_id FROM playlist_tracks WHERE track_id = ?1 ORDER BY playlist_id",
        )?;
        let ids = statement.query_map([track], |row| row.get(0))?;
        ids.collect::<Result<Vec<PlaylistId>, _>>()?
    };
    for playlist in playlists {
        let mut tracks = current(cx, playlist)?;
        tracks.retain(|member| *member != track);
        change(cx, playlist, &tracks, true)?;
    }
    Ok(())
}

fn current(cx: &Context<'_>, playlist: PlaylistId) -> Result<Vec<TrackId>, CommandError> {
    Ok(cx.reader.track_ids_of(&[playlist])?.remove(&playlist).unwrap_or_default())
}

/// Those of `wanted` that are not members yet, each once; an error unless the actor may see them all. What is in the
/// playlist already stays acceptable even if it was hidden from the actor since.
fn new_tracks(
    cx: &Context<'_>,
    members: &[TrackId],
    wanted: &[TrackId],
) -> Result<Vec<TrackId>, CommandError> {
    let members: HashSet<TrackId> = members.iter().copied().collect();
    let new = distinct(wanted.iter().copied().filter(|track| !members.contains(track)));
    let found = cx.reader.tracks(&new)?;
    let visible = cx.sees(&found.iter().collect::<Vec<_>>())?;
    let known: HashSet<TrackId> =
        found.iter().zip(visible).filter(|(_, visible)| *visible).map(|(track, _)| track.id).collect();
    let unknown: Vec<TrackId> = new.iter().copied().filter(|track| !known.contains(track)).collect();
    if unknown.is_empty() {
        Ok(new)
    } else {
        Err(CommandError::invalid("tracks", Problem::UnknownTracks(unknown)))
    }
}

fn change(cx: &mut Context<'_>, playlist: PlaylistId, tracks: &[TrackId], changed: bool) -> Applied {
    if changed {
        write(cx, playlist, tracks)?;
        super::playlist::touch(cx, playlist)?;
    }
    let entity = cx.playlist_entity(playlist)?;
    if let (true, super::Entity::Playlist(after)) = (changed, &entity) {
        let payload = json!({ "revision": after.playlist.revision, "track_ids": after.track_ids });
        cx.tell("playlist.tracks_changed", Aggregate::Playlist(playlist), payload);
    }
    Ok((changed, entity))
}

fn write(cx: &Context<'_>, playlist: PlaylistId, tracks: &[TrackId]) -> Result<(), CommandError> {
    if tracks.len() > PLAYLIST_TRACKS_MAX {
        let problem = Problem::TooMany { max: PLAYLIST_TRACKS_MAX, actual: tracks.len() };
        return Err(CommandError::invalid("tracks", problem));
    }
    cx.execute("DELETE FROM playlist_tracks WHERE playlist_id = ?1", [playlist])?;
    for (position, track) in (0_i64..).zip(tracks) {
        cx.execute(
            "INSERT INTO playlist_tracks (playlist_id, position, track_id) VALUES (?1, ?2, ?3)",
            (playlist, position, track),
        )?;
    }
    cx.execute(
        "UPDATE playlists SET track_count = (SELECT count(*) FROM playlist_tracks WHERE playlist_id = ?1), \
         duration_ms = (SELECT ifnull(sum(t.duration_ms), 0) FROM playlist_tracks e \
             CROSS JOIN tracks t ON t.id = e.track_id WHERE e.playlist_id = ?1) \
         WHERE id = ?1",
        [playlist],
    )?;
    Ok(())
}

fn distinct(tracks: impl Iterator<Item = TrackId>) -> Vec<TrackId> {
    let mut seen = HashSet::new();
    tracks.filter(|track| seen.insert(*track)).collect()
}
