//! The playlist authorization engine: may this viewer see these playlists, and which of their tracks? Answered by the
//! rules of [`crate::visibility`]; needs the service token. Documented in docs/mothership-internal.md.

use std::collections::HashMap;

use axum::{Json, Router, body::Body, extract::State, middleware, routing::post};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    app::App,
    domain::{Playlist, PlaylistId, Track, TrackId, UserId, Viewer},
    internal::{ApiError, ViewerSpec, read, require_service_token, unknown_method, unknown_path},
    request::read_json,
    store::{Page, Relations},
    visibility::{
        Access, TrackSight, listed_playlist, listed_track, read_playlist, read_track, read_track_in_playlist,
    },
};

/// The routes below the mount point `/playlist_authorization/v1`.
pub fn router(app: &App) -> Router<App> {
    Router::new()
        .route("/check", post(check))
        .fallback(unknown_path)
        .method_not_allowed_fallback(unknown_method)
        .layer(middleware::from_fn_with_state(app.clone(), require_service_token))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Check {
    #[serde(default)]
    viewer: ViewerSpec,
    /// Each is answered with all of its tracks, as the viewer meets them in it.
    #[serde(default)]
    playlist_ids: Vec<PlaylistId>,
    /// Answered as the viewer meets them on their own.
    #[serde(default)]
    track_ids: Vec<TrackId>,
}

async fn check(State(app): State<App>, body: Body) -> Result<Json<Value>, ApiError> {
    let check: Check = read_json(body).await?;
    let most = Page::LIMIT_MAX as usize;
    if check.playlist_ids.len() > most || check.track_ids.len() > most {
        return Err(ApiError::BadRequest(format!("at most {most} ids of a kind in one call")));
    }
    let now = app.clock.now();
    let answer = read(&app, move |reader| {
        let viewer = check.viewer.resolve(reader, now)?;
        let playlists = reader.playlists(&check.playlist_ids)?;
        let members = reader.tracks_of(&check.playlist_ids, u32::MAX)?;
        let tracks = reader.tracks(&check.track_ids)?;
        let owners = owners(&playlists, &tracks, &members);
        let blocks = reader.blocks(viewer.user_id(), &owners)?;
        let playlists: Vec<Value> = check
            .playlist_ids
            .iter()
            .map(|id| {
                let playlist = playlists.iter().find(|playlist| playlist.id == *id);
                let tracks = members.get(id).map_or(&[][..], Vec::as_slice);
                answer_playlist(*id, playlist, tracks, &blocks, &viewer)
            })
            .collect();
        let tracks: Vec<Value> = check
            .track_ids
            .iter()
            .map(|id| answer_track(*id, tracks.iter().find(|track| track.id == *id), &blocks, &viewer))
            .collect();
        Ok(json!({ "now": viewer.now, "playlists": playlists, "tracks": tracks }))
    });
    Ok(Json(answer.await?))
}

fn owners(
    playlists: &[Playlist],
    tracks: &[Track],
    members: &HashMap<PlaylistId, Vec<Track>>,
) -> Vec<UserId> {
    let tracks = tracks.iter().chain(members.values().flatten()).map(|track| track.user_id);
    let mut owners: Vec<UserId> = playlists.iter().map(|playlist| playlist.user_id).chain(tracks).collect();
    owners.sort_unstable();
    owners.dedup();
    owners
}

/// A playlist that may not be seen is answered without tracks: not even how many it has.
fn answer_playlist(
    id: PlaylistId,
    playlist: Option<&Playlist>,
    tracks: &[Track],
    blocks: &Relations,
    viewer: &Viewer,
) -> Value {
    let Some(playlist) = playlist else {
        return json!({ "id": id, "visible": false, "listed": false, "reason": "unknown", "tracks": [] });
    };
    let block = blocks.block(playlist.user_id);
    let sight = read_playlist(playlist, block, viewer);
    let listed = listed_playlist(playlist, block, viewer).visible;
    let tracks: Vec<Value> = if sight.visible {
        let answer = |track: &Track| {
            let sight = read_track_in_playlist(track, playlist, blocks.block(track.user_id), viewer);
            sight_of(track.id, sight)
        };
        tracks.iter().map(answer).collect()
    } else {
        Vec::new()
    };
    json!({
        "id": id,
        "visible": sight.visible,
        "listed": listed,
        "reason": sight.reason.as_str(),
        "tracks": tracks,
    })
}

fn answer_track(id: TrackId, track: Option<&Track>, blocks: &Relations, viewer: &Viewer) -> Value {
    let Some(track) = track else {
        return json!({ "id": id, "visible": false, "access": null, "reason": "unknown", "listed": false });
    };
    let block = blocks.block(track.user_id);
    let mut answer = sight_of(id, read_track(track, block, viewer));
    answer["listed"] = json!(listed_track(track, block, viewer).is_visible());
    answer
}

fn sight_of(id: TrackId, sight: TrackSight) -> Value {
    json!({
        "id": id,
        "visible": sight.is_visible(),
        "access": sight.access.map(Access::as_str),
        "reason": sight.reason.as_str(),
    })
}
