//! Playlists and tracks as pages show them, read and written with a fixed number of queries.

use serde_json::Value;

use crate::{
    domain::{Playlist, PlaylistId, Track, Viewer},
    public::{ApiError, Caller, representation, scene::Scene},
    store::Reader,
    visibility::{Access, AccessSet, listed_track, read_track, read_track_in_playlist},
};

/// How much of its tracks a playlist shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Members {
    /// Without the key `tracks`.
    None,
    First(u32),
    All,
}

/// Whether things were asked for by name or were met in a list, where links and roles count for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Met {
    Addressed,
    Listed,
}

/// Playlists in lists show so many of their tracks.
pub(super) const LISTED_TRACKS: u32 = 20;

/// In the given order; the caller may see all of them. Two queries and those of the scene.
pub(super) fn playlists(
    reader: &Reader<'_>,
    caller: &Caller,
    playlists: &[Playlist],
    members: Members,
    met: Met,
) -> Result<Vec<Value>, ApiError> {
    let ids: Vec<PlaylistId> = playlists.iter().map(|playlist| playlist.id).collect();
    let tracks = match members {
        Members::None => std::collections::HashMap::new(),
        Members::First(first) => reader.tracks_of(&ids, first)?,
        Members::All => reader.tracks_of(&ids, u32::MAX)?,
    };
    let all: Vec<&Track> = tracks.values().flatten().collect();
    let scene = Scene::load(reader, caller, playlists, &all, [])?;
    let viewer = match met {
        Met::Addressed => caller.viewer.clone(),
        Met::Listed => caller.viewer.clone().without_privileges(),
    };
    let access = caller.query.access();
    let write = |playlist: &Playlist| {
        let of = tracks.get(&playlist.id).map_or(&[][..], Vec::as_slice);
        let shown = (members != Members::None).then(|| seen_in(playlist, of, &scene, &viewer, access));
        representation::playlist(playlist, shown.as_deref(), &scene)
    };
    Ok(playlists.iter().map(write).collect())
}

/// The tracks of a playlist that the caller may read, as far as they see them, in playing order.
pub(super) fn members(
    reader: &Reader<'_>,
    caller: &Caller,
    playlist: &Playlist,
) -> Result<Vec<Value>, ApiError> {
    let tracks = reader.tracks_of(&[playlist.id], u32::MAX)?.remove(&playlist.id).unwrap_or_default();
    let all: Vec<&Track> = tracks.iter().collect();
    let scene = Scene::load(reader, caller, &[], &all, [])?;
    let seen = seen_in(playlist, &tracks, &scene, &caller.viewer, caller.query.access());
    Ok(seen.into_iter().map(|(track, access)| representation::track(track, access, &scene)).collect())
}

/// Tracks in the given order, without those that the caller may not see or did not ask for.
pub(super) fn tracks(
    reader: &Reader<'_>,
    caller: &Caller,
    tracks: &[Track],
    met: Met,
    access: AccessSet,
) -> Result<Vec<Value>, ApiError> {
    let all: Vec<&Track> = tracks.iter().collect();
    let scene = Scene::load(reader, caller, &[], &all, [])?;
    let seen = tracks.iter().filter_map(|track| {
        let block = scene.block(track.user_id);
        let sight = match met {
            Met::Addressed => read_track(track, block, &caller.viewer),
            Met::Listed => listed_track(track, block, &caller.viewer),
        };
        let level = sight.access.filter(|level| access.contains(*level))?;
        Some(representation::track(track, level, &scene))
    });
    Ok(seen.collect())
}

fn seen_in<'t>(
    playlist: &Playlist,
    tracks: &'t [Track],
    scene: &Scene<'_>,
    viewer: &Viewer,
    access: AccessSet,
) -> Vec<(&'t Track, Access)> {
    let seen = tracks.iter().filter_map(|track| {
        let sight = read_track_in_playlist(track, playlist, scene.block(track.user_id), viewer);
        let level = sight.access.filter(|level| access.contains(*level))?;
        Some((track, level))
    });
    seen.collect()
}
