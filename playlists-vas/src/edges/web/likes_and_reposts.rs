//! Likes and reposts: `{"success": true, "changed": …}`, where `changed` says whether it was not so already.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use serde_json::json;

use crate::{
    commands::Mode,
    domain::PlaylistId,
    edges::{
        App,
        web::{ApiError, Caller, path_id::PathId},
    },
    foundation::Command,
};

type Answer = Result<Response, ApiError>;

pub(super) async fn like(
    State(app): State<App>,
    PathId(playlist_id): PathId<PlaylistId>,
    caller: Caller,
    mode: Mode,
) -> Answer {
    run(&app, &caller, Command::LikePlaylist { playlist_id }, mode).await
}

pub(super) async fn unlike(
    State(app): State<App>,
    PathId(playlist_id): PathId<PlaylistId>,
    caller: Caller,
    mode: Mode,
) -> Answer {
    run(&app, &caller, Command::UnlikePlaylist { playlist_id }, mode).await
}

pub(super) async fn repost(
    State(app): State<App>,
    PathId(playlist_id): PathId<PlaylistId>,
    caller: Caller,
    mode: Mode,
) -> Answer {
    run(&app, &caller, Command::RepostPlaylist { playlist_id }, mode).await
}

pub(super) async fn unrepost(
    State(app): State<App>,
    PathId(playlist_id): PathId<PlaylistId>,
    caller: Caller,
    mode: Mode,
) -> Answer {
    run(&app, &caller, Command::UnrepostPlaylist { playlist_id }, mode).await
}

async fn run(app: &App, caller: &Caller, command: Command, mode: Mode) -> Answer {
    let changed = app.commands.run(&caller.viewer, command, mode).await?.changed;
    Ok(Json(json!({ "success": true, "changed": changed })).into_response())
}
