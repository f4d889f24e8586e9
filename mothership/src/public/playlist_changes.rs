//! Creating, changing and deleting playlists.

use axum::{body::Body, extract::State, response::Response};
use http::{HeaderMap, StatusCode};
use serde_json::Value;

use crate::{
    app::App,
    command::{Command, Mode},
    domain::{PlaylistId, TrackId},
    public::{
        ApiError, Caller, fields,
        path_id::{PathId, PathIds},
        playlists::whole,
        representation, respond,
    },
    request::read_fields,
};

pub(super) async fn create(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    caller.user()?;
    let fields = fields::playlist(&read_fields(&headers, body).await?)?;
    change(&app, caller, Command::CreatePlaylist { fields: Box::new(fields) }, StatusCode::CREATED).await
}

pub(super) async fn update(
    State(app): State<App>,
    PathId(playlist_id): PathId<PlaylistId>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    caller.user()?;
    let fields = Box::new(fields::playlist(&read_fields(&headers, body).await?)?);
    let command = Command::UpdatePlaylist { playlist_id, fields, if_revision: None };
    change(&app, caller, command, StatusCode::OK).await
}

pub(super) async fn delete(
    State(app): State<App>,
    PathId(playlist_id): PathId<PlaylistId>,
    caller: Caller,
) -> Result<Response, ApiError> {
    app.store.execute(Command::DeletePlaylist { playlist_id }, caller.viewer, Mode::Commit).await?;
    Ok(respond::done(StatusCode::OK))
}

pub(super) async fn add_tracks(
    State(app): State<App>,
    PathId(playlist_id): PathId<PlaylistId>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    caller.user()?;
    let body = read_fields(&headers, body).await?;
    let (track_ids, position) = (fields::tracks(&body)?, fields::position(&body)?);
    change(&app, caller, Command::AddTracks { playlist_id, track_ids, position }, StatusCode::OK).await
}

pub(super) async fn reorder_tracks(
    State(app): State<App>,
    PathId(playlist_id): PathId<PlaylistId>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    caller.user()?;
    let track_ids = fields::tracks(&read_fields(&headers, body).await?)?;
    change(&app, caller, Command::ReorderTracks { playlist_id, track_ids }, StatusCode::OK).await
}

/// A track that is not in the playlist is not found there.
pub(super) async fn remove_track(
    State(app): State<App>,
    PathIds(playlist_id, track_id): PathIds<PlaylistId, TrackId>,
    caller: Caller,
) -> Result<Response, ApiError> {
    let command = Command::RemoveTracks { playlist_id, track_ids: vec![track_id] };
    let outcome = app.store.execute(command, caller.viewer, Mode::Commit).await?;
    if outcome.changed { Ok(respond::done(StatusCode::OK)) } else { Err(ApiError::NotFound) }
}

pub(super) async fn rotate_secret(
    State(app): State<App>,
    PathId(playlist_id): PathId<PlaylistId>,
    caller: Caller,
) -> Result<Response, ApiError> {
    change(&app, caller, Command::RotateSecret { playlist_id }, StatusCode::OK).await
}

/// Runs the command and answers with the playlist as it then is, in the form that writes have kept.
async fn change(
    app: &App,
    caller: Caller,
    command: Command,
    status: StatusCode,
) -> Result<Response, ApiError> {
    let outcome = app.store.execute(command, caller.viewer.clone(), Mode::Commit).await?;
    let playlist = outcome.playlist().ok_or(ApiError::NotFound)?.playlist.clone();
    let answer = app.store.read(move |reader| Ok(whole(reader, &caller, playlist)));
    let written: Value = answer.await??;
    Ok(respond::json(status, &representation::legacy_playlist(written)))
}
