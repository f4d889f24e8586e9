//! Likes, reposts and follows: `{"success": true, "changed": …}`, where `changed` says whether it was not so already.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use serde_json::json;

use crate::{
    app::App,
    command::{Command, Mode},
    domain::{PlaylistId, TrackId, UserId},
    web::{ApiError, Caller, lists::Of, path_id::PathId},
};

type Answer = Result<Response, ApiError>;

pub(super) async fn like_playlist(
    State(app): State<App>,
    PathId(playlist_id): PathId<PlaylistId>,
    caller: Caller,
) -> Answer {
    run(&app, caller, Of::Playlist(playlist_id), Command::LikePlaylist { playlist_id }).await
}

pub(super) async fn unlike_playlist(
    State(app): State<App>,
    PathId(playlist_id): PathId<PlaylistId>,
    caller: Caller,
) -> Answer {
    run(&app, caller, Of::Everything, Command::UnlikePlaylist { playlist_id }).await
}

pub(super) async fn repost_playlist(
    State(app): State<App>,
    PathId(playlist_id): PathId<PlaylistId>,
    caller: Caller,
) -> Answer {
    run(&app, caller, Of::Playlist(playlist_id), Command::RepostPlaylist { playlist_id }).await
}

pub(super) async fn unrepost_playlist(
    State(app): State<App>,
    PathId(playlist_id): PathId<PlaylistId>,
    caller: Caller,
) -> Answer {
    run(&app, caller, Of::Everything, Command::UnrepostPlaylist { playlist_id }).await
}

pub(super) async fn like_track(
    State(app): State<App>,
    PathId(track_id): PathId<TrackId>,
    caller: Caller,
) -> Answer {
    run(&app, caller, Of::Track(track_id), Command::LikeTrack { track_id }).await
}

pub(super) async fn unlike_track(
    State(app): State<App>,
    PathId(track_id): PathId<TrackId>,
    caller: Caller,
) -> Answer {
    run(&app, caller, Of::Everything, Command::UnlikeTrack { track_id }).await
}

pub(super) async fn repost_track(
    State(app): State<App>,
    PathId(track_id): PathId<TrackId>,
    caller: Caller,
) -> Answer {
    run(&app, caller, Of::Track(track_id), Command::RepostTrack { track_id }).await
}

pub(super) async fn unrepost_track(
    State(app): State<App>,
    PathId(track_id): PathId<TrackId>,
    caller: Caller,
) -> Answer {
    run(&app, caller, Of::Everything, Command::UnrepostTrack { track_id }).await
}

pub(super) async fn follow(
    State(app): State<App>,
    PathId(user_id): PathId<UserId>,
    caller: Caller,
) -> Answer {
    run(&app, caller, Of::User(user_id), Command::Follow { user_id }).await
}

pub(super) async fn unfollow(
    State(app): State<App>,
    PathId(user_id): PathId<UserId>,
    caller: Caller,
) -> Answer {
    run(&app, caller, Of::Everything, Command::Unfollow { user_id }).await
}

/// `seen` must be visible by the rules of the dialect, which are stricter than those that commands know.
async fn run(app: &App, caller: Caller, seen: Of, command: Command) -> Answer {
    caller.user()?;
    let viewer = caller.viewer.clone();
    app.store.read(move |reader| Ok(seen.check(reader, &caller))).await??;
    let changed = app.store.execute(command, viewer, Mode::Commit).await?.changed;
    Ok(Json(json!({ "success": true, "changed": changed })).into_response())
}
