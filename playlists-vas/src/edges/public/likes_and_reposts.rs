//! Likes and reposts of playlists: putting one there, taking it back.

use axum::{extract::State, response::Response};
use http::StatusCode;

use crate::{
    commands::Mode,
    domain::PlaylistId,
    edges::{
        App,
        public::{caller::Caller, error::ApiError, path_id::PathId, respond},
    },
    foundation::Command,
    regressions::Regression,
};

type Answer = Result<Response, ApiError>;

/// 201 for a new like, 200 for one that was there.
pub(super) async fn like(
    State(app): State<App>,
    PathId(playlist_id): PathId<PlaylistId>,
    caller: Caller,
    mode: Mode,
) -> Answer {
    let outcome = app.commands.run(&caller.viewer, Command::LikePlaylist { playlist_id }, mode).await?;
    let created = outcome.changed || app.regressions.on(Regression::LikeAlwaysCreated);
    Ok(respond::done(if created { StatusCode::CREATED } else { StatusCode::OK }))
}

pub(super) async fn unlike(
    State(app): State<App>,
    PathId(playlist_id): PathId<PlaylistId>,
    caller: Caller,
    mode: Mode,
) -> Answer {
    take_back(&app, &caller, Command::UnlikePlaylist { playlist_id }, mode).await
}

/// 201 every time.
pub(super) async fn repost(
    State(app): State<App>,
    PathId(playlist_id): PathId<PlaylistId>,
    caller: Caller,
    mode: Mode,
) -> Answer {
    app.commands.run(&caller.viewer, Command::RepostPlaylist { playlist_id }, mode).await?;
    Ok(respond::done(StatusCode::CREATED))
}

pub(super) async fn unrepost(
    State(app): State<App>,
    PathId(playlist_id): PathId<PlaylistId>,
    caller: Caller,
    mode: Mode,
) -> Answer {
    take_back(&app, &caller, Command::UnrepostPlaylist { playlist_id }, mode).await
}

/// What was not there cannot be taken back: 404, as for a thing that does not exist.
async fn take_back(app: &App, caller: &Caller, command: Command, mode: Mode) -> Answer {
    let outcome = app.commands.run(&caller.viewer, command, mode).await?;
    if outcome.changed { Ok(respond::done(StatusCode::OK)) } else { Err(ApiError::NotFound) }
}
