//! Likes, reposts and follows: putting one there, taking it back.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use serde_json::json;

use crate::{
    app::App,
    command::{Command, Mode},
    domain::{PlaylistId, TrackId, UserId},
    public::{ApiError, Caller, lists::visible_user, path_id::PathId, representation, respond},
};

/// 201 for a new like, 200 for one that was there: of playlists only.
pub(super) async fn like_playlist(
    State(app): State<App>,
    PathId(playlist_id): PathId<PlaylistId>,
    caller: Caller,
) -> Result<Response, ApiError> {
    let changed = run(&app, caller, Command::LikePlaylist { playlist_id }).await?;
    Ok(respond::done(if changed { StatusCode::CREATED } else { StatusCode::OK }))
}

pub(super) async fn unlike_playlist(
    State(app): State<App>,
    PathId(playlist_id): PathId<PlaylistId>,
    caller: Caller,
) -> Result<Response, ApiError> {
    take_back(&app, caller, Command::UnlikePlaylist { playlist_id }).await
}

pub(super) async fn like_track(
    State(app): State<App>,
    PathId(track_id): PathId<TrackId>,
    caller: Caller,
) -> Result<Response, ApiError> {
    run(&app, caller, Command::LikeTrack { track_id }).await?;
    Ok(respond::done(StatusCode::OK))
}

pub(super) async fn unlike_track(
    State(app): State<App>,
    PathId(track_id): PathId<TrackId>,
    caller: Caller,
) -> Result<Response, ApiError> {
    take_back(&app, caller, Command::UnlikeTrack { track_id }).await
}

/// 201 every time.
pub(super) async fn repost_playlist(
    State(app): State<App>,
    PathId(playlist_id): PathId<PlaylistId>,
    caller: Caller,
) -> Result<Response, ApiError> {
    run(&app, caller, Command::RepostPlaylist { playlist_id }).await?;
    Ok(respond::done(StatusCode::CREATED))
}

pub(super) async fn unrepost_playlist(
    State(app): State<App>,
    PathId(playlist_id): PathId<PlaylistId>,
    caller: Caller,
) -> Result<Response, ApiError> {
    take_back(&app, caller, Command::UnrepostPlaylist { playlist_id }).await
}

pub(super) async fn repost_track(
    State(app): State<App>,
    PathId(track_id): PathId<TrackId>,
    caller: Caller,
) -> Result<Response, ApiError> {
    run(&app, caller, Command::RepostTrack { track_id }).await?;
    Ok(respond::done(StatusCode::CREATED))
}

pub(super) async fn unrepost_track(
    State(app): State<App>,
    PathId(track_id): PathId<TrackId>,
    caller: Caller,
) -> Result<Response, ApiError> {
    take_back(&app, caller, Command::UnrepostTrack { track_id }).await
}

/// 201 with the user who is now followed; 200 and no user if they were already.
pub(super) async fn follow(
    State(app): State<App>,
    PathId(user_id): PathId<UserId>,
    caller: Caller,
) -> Result<Response, ApiError> {
    if !run(&app, caller.clone(), Command::Follow { user_id }).await? {
        return Ok(respond::json(StatusCode::OK, &json!({ "status": "200 - Successful" })));
    }
    let user = app.store.read(move |reader| {
        Ok(visible_user(reader, &caller, user_id).map(|user| representation::user(&user, &caller)))
    });
    Ok(respond::json(StatusCode::CREATED, &user.await??))
}

/// 422 for somebody who was not followed.
pub(super) async fn unfollow(
    State(app): State<App>,
    PathId(user_id): PathId<UserId>,
    caller: Caller,
) -> Result<Response, ApiError> {
    if run(&app, caller, Command::Unfollow { user_id }).await? {
        return Ok(respond::json(StatusCode::OK, &json!({ "status": "Status(200) - OK" })));
    }
    Ok(ApiError::Unprocessable(vec!["this user is not followed".to_owned()]).into_response())
}

/// Says whether anything changed.
async fn run(app: &App, caller: Caller, command: Command) -> Result<bool, ApiError> {
    Ok(app.store.execute(command, caller.viewer, Mode::Commit).await?.changed)
}

/// What was not there cannot be taken back: 404, as for a thing that does not exist.
async fn take_back(app: &App, caller: Caller, command: Command) -> Result<Response, ApiError> {
    if run(app, caller, command).await? { Ok(respond::done(StatusCode::OK)) } else { Err(ApiError::NotFound) }
}
