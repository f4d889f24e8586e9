//! Creating, changing and deleting playlists.

use axum::{
    Json,
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode};

use crate::{
    app::App,
    command::{Command, Mode, PlaylistFields},
    domain::{PlaylistId, TrackId},
    mobile::{
        ApiError, Caller,
        body::{self, PlaylistBody, TracksBody},
        playlists::whole,
        urn::{PathUrn, PathUrns},
    },
};

pub(super) async fn create(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    caller.user()?;
    let (fields, _) = body::json::<PlaylistBody>(&headers, body).await?.fields()?;
    change(&app, caller, Command::CreatePlaylist { fields }, StatusCode::CREATED).await
}

/// With `revision` in the body: 409 if the playlist changed since.
pub(super) async fn update(
    State(app): State<App>,
    PathUrn(playlist_id): PathUrn<PlaylistId>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    caller.user()?;
    let (fields, if_revision) = body::json::<PlaylistBody>(&headers, body).await?.fields()?;
    change(&app, caller, Command::UpdatePlaylist { playlist_id, fields, if_revision }, StatusCode::OK).await
}

pub(super) async fn delete(
    State(app): State<App>,
    PathUrn(playlist_id): PathUrn<PlaylistId>,
    caller: Caller,
) -> Result<StatusCode, ApiError> {
    app.store.execute(Command::DeletePlaylist { playlist_id }, caller.viewer, Mode::Commit).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn replace_tracks(
    State(app): State<App>,
    PathUrn(playlist_id): PathUrn<PlaylistId>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    caller.user()?;
    let track_ids = Some(body::json::<TracksBody>(&headers, body).await?.ids());
    let fields = Box::new(PlaylistFields { track_ids, ..PlaylistFields::default() });
    let command = Command::UpdatePlaylist { playlist_id, fields, if_revision: None };
    change(&app, caller, command, StatusCode::OK).await
}

pub(super) async fn add_tracks(
    State(app): State<App>,
    PathUrn(playlist_id): PathUrn<PlaylistId>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    caller.user()?;
    let body: TracksBody = body::json(&headers, body).await?;
    let command = Command::AddTracks { playlist_id, track_ids: body.ids(), position: body.position };
    change(&app, caller, command, StatusCode::OK).await
}

pub(super) async fn reorder_tracks(
    State(app): State<App>,
    PathUrn(playlist_id): PathUrn<PlaylistId>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    caller.user()?;
    let track_ids = body::json::<TracksBody>(&headers, body).await?.ids();
    change(&app, caller, Command::ReorderTracks { playlist_id, track_ids }, StatusCode::OK).await
}

/// Nothing to remove is fine, too.
pub(super) async fn remove_track(
    State(app): State<App>,
    PathUrns(playlist_id, track_id): PathUrns<PlaylistId, TrackId>,
    caller: Caller,
) -> Result<StatusCode, ApiError> {
    let command = Command::RemoveTracks { playlist_id, track_ids: vec![track_id] };
    app.store.execute(command, caller.viewer, Mode::Commit).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn rotate_secret(
    State(app): State<App>,
    PathUrn(playlist_id): PathUrn<PlaylistId>,
    caller: Caller,
) -> Result<Response, ApiError> {
    change(&app, caller, Command::RotateSecret { playlist_id }, StatusCode::OK).await
}

/// Runs the command and answers with the playlist as it then is.
async fn change(
    app: &App,
    caller: Caller,
    command: Command,
    status: StatusCode,
) -> Result<Response, ApiError> {
    let outcome = app.store.execute(command, caller.viewer.clone(), Mode::Commit).await?;
    let playlist = outcome.playlist().ok_or(ApiError::NotFound)?.playlist.clone();
    let written = app.store.read(move |reader| Ok(whole(reader, &caller, &playlist))).await??;
    Ok((status, Json(written)).into_response())
}
