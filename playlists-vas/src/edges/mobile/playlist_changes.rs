//! Creating, changing and deleting playlists.

use axum::{
    Json,
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode};

use crate::{
    commands::Mode,
    domain::{PlaylistId, TrackId},
    edges::{
        App,
        mobile::{
            ApiError, Caller,
            body::{self, PlaylistBody, TracksBody},
            playlists::whole,
            urn::{PathUrn, PathUrns},
        },
    },
    foundation::{Command, PlaylistFields, Refused},
    queries::Members,
    regressions::Regression,
    service::ServiceError,
};

type Answer = Result<Response, ApiError>;

pub(super) async fn create(
    State(app): State<App>,
    caller: Caller,
    mode: Mode,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    caller.user()?;
    let (fields, _) = body::json::<PlaylistBody>(&headers, body).await?.fields()?;
    let command = Command::CreatePlaylist { fields: Box::new(fields) };
    change(&app, &caller, command, mode, StatusCode::CREATED).await
}

/// With `revision` in the body: 409 if the playlist changed since.
pub(super) async fn update(
    State(app): State<App>,
    PathUrn(playlist_id): PathUrn<PlaylistId>,
    caller: Caller,
    mode: Mode,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    caller.user()?;
    let (fields, if_revision) = body::json::<PlaylistBody>(&headers, body).await?.fields()?;
    let command = Command::UpdatePlaylist { playlist_id, fields: Box::new(fields), if_revision };
    change(&app, &caller, command, mode, StatusCode::OK).await
}

pub(super) async fn delete(
    State(app): State<App>,
    PathUrn(playlist_id): PathUrn<PlaylistId>,
    caller: Caller,
    mode: Mode,
) -> Result<StatusCode, ApiError> {
    app.commands.run(&caller.viewer, Command::DeletePlaylist { playlist_id }, mode).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn replace_tracks(
    State(app): State<App>,
    PathUrn(playlist_id): PathUrn<PlaylistId>,
    caller: Caller,
    mode: Mode,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    caller.user()?;
    let track_ids = Some(body::json::<TracksBody>(&headers, body).await?.ids());
    let fields = Box::new(PlaylistFields { track_ids, ..PlaylistFields::default() });
    let command = Command::UpdatePlaylist { playlist_id, fields, if_revision: None };
    change(&app, &caller, command, mode, StatusCode::OK).await
}

pub(super) async fn add_tracks(
    State(app): State<App>,
    PathUrn(playlist_id): PathUrn<PlaylistId>,
    caller: Caller,
    mode: Mode,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    caller.user()?;
    let body: TracksBody = body::json(&headers, body).await?;
    let command = Command::AddTracks { playlist_id, track_ids: body.ids(), position: body.position };
    change(&app, &caller, command, mode, StatusCode::OK).await
}

pub(super) async fn reorder_tracks(
    State(app): State<App>,
    PathUrn(playlist_id): PathUrn<PlaylistId>,
    caller: Caller,
    mode: Mode,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    caller.user()?;
    let track_ids = body::json::<TracksBody>(&headers, body).await?.ids();
    change(&app, &caller, Command::ReorderTracks { playlist_id, track_ids }, mode, StatusCode::OK).await
}

/// Nothing to remove is fine, too.
pub(super) async fn remove_track(
    State(app): State<App>,
    PathUrns(playlist_id, track_id): PathUrns<PlaylistId, TrackId>,
    caller: Caller,
    mode: Mode,
) -> Result<StatusCode, ApiError> {
    let command = Command::RemoveTracks { playlist_id, track_ids: vec![track_id] };
    app.commands.run(&caller.viewer, command, mode).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn rotate_secret(
    State(app): State<App>,
    PathUrn(playlist_id): PathUrn<PlaylistId>,
    caller: Caller,
    mode: Mode,
) -> Answer {
    change(&app, &caller, Command::RotateSecret { playlist_id }, mode, StatusCode::OK).await
}

/// Runs the command and answers with the playlist as it then is, or would be.
async fn change(app: &App, caller: &Caller, command: Command, mode: Mode, status: StatusCode) -> Answer {
    let outcome = match app.commands.run(&caller.viewer, command, mode).await {
        Err(ServiceError::Refused(Refused::NotOwner))
            if app.regressions.on(Regression::ForbiddenIsMissing) =>
        {
            return Err(ApiError::NotFound);
        }
        done => done?,
    };
    let scene = app.queries.after(&caller.viewer, outcome.playlist, Members::All).await?;
    Ok((status, Json(whole(caller, &scene)?)).into_response())
}
