//! Likes and reposts. PUT puts one there and DELETE takes it away, be it there already or gone already: 204.

use axum::extract::State;
use http::StatusCode;

use crate::{
    commands::Mode,
    domain::PlaylistId,
    edges::{
        App,
        mobile::{ApiError, Caller, urn::PathUrn},
    },
    foundation::Command,
};

type Done = Result<StatusCode, ApiError>;

pub(super) async fn like(
    State(app): State<App>,
    PathUrn(playlist_id): PathUrn<PlaylistId>,
    caller: Caller,
    mode: Mode,
) -> Done {
    run(&app, &caller, Command::LikePlaylist { playlist_id }, mode).await
}

pub(super) async fn unlike(
    State(app): State<App>,
    PathUrn(playlist_id): PathUrn<PlaylistId>,
    caller: Caller,
    mode: Mode,
) -> Done {
    run(&app, &caller, Command::UnlikePlaylist { playlist_id }, mode).await
}

pub(super) async fn repost(
    State(app): State<App>,
    PathUrn(playlist_id): PathUrn<PlaylistId>,
    caller: Caller,
    mode: Mode,
) -> Done {
    run(&app, &caller, Command::RepostPlaylist { playlist_id }, mode).await
}

pub(super) async fn unrepost(
    State(app): State<App>,
    PathUrn(playlist_id): PathUrn<PlaylistId>,
    caller: Caller,
    mode: Mode,
) -> Done {
    run(&app, &caller, Command::UnrepostPlaylist { playlist_id }, mode).await
}

async fn run(app: &App, caller: &Caller, command: Command, mode: Mode) -> Done {
    app.commands.run(&caller.viewer, command, mode).await?;
    Ok(StatusCode::NO_CONTENT)
}
