//! Creating, changing and deleting playlists.

use axum::{body::Body, extract::State, response::Response};
use http::{HeaderMap, StatusCode};

use crate::{
    commands::Mode,
    domain::{PlaylistId, TrackId},
    edges::{
        App,
        body::read_fields,
        public::{
            caller::Caller,
            error::ApiError,
            fields,
            path_id::{PathId, PathIds},
            playlists::{members, whole},
            representation, respond,
        },
    },
    foundation::Command,
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
    let fields = Box::new(fields::playlist(&read_fields(&headers, body).await?)?);
    change(&app, &caller, Command::CreatePlaylist { fields }, mode, StatusCode::CREATED).await
}

pub(super) async fn update(
    State(app): State<App>,
    PathId(playlist_id): PathId<PlaylistId>,
    caller: Caller,
    mode: Mode,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    caller.user()?;
    let fields = Box::new(fields::playlist(&read_fields(&headers, body).await?)?);
    let command = Command::UpdatePlaylist { playlist_id, fields, if_revision: None };
    change(&app, &caller, command, mode, StatusCode::OK).await
}

pub(super) async fn delete(
    State(app): State<App>,
    PathId(playlist_id): PathId<PlaylistId>,
    caller: Caller,
    mode: Mode,
) -> Answer {
    app.commands.run(&caller.viewer, Command::DeletePlaylist { playlist_id }, mode).await?;
    Ok(respond::done(StatusCode::OK))
}

pub(super) async fn add_tracks(
    State(app): State<App>,
    PathId(playlist_id): PathId<PlaylistId>,
    caller: Caller,
    mode: Mode,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    caller.user()?;
    let body = read_fields(&headers, body).await?;
    let (track_ids, position) = (fields::tracks(&body)?, fields::position(&body)?);
    let command = Command::AddTracks { playlist_id, track_ids, position };
    change(&app, &caller, command, mode, StatusCode::OK).await
}

pub(super) async fn reorder_tracks(
    State(app): State<App>,
    PathId(playlist_id): PathId<PlaylistId>,
    caller: Caller,
    mode: Mode,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    caller.user()?;
    let track_ids = fields::tracks(&read_fields(&headers, body).await?)?;
    change(&app, &caller, Command::ReorderTracks { playlist_id, track_ids }, mode, StatusCode::OK).await
}

/// A track that is not in the playlist is not found there.
pub(super) async fn remove_track(
    State(app): State<App>,
    PathIds(playlist_id, track_id): PathIds<PlaylistId, TrackId>,
    caller: Caller,
    mode: Mode,
) -> Answer {
    let command = Command::RemoveTracks { playlist_id, track_ids: vec![track_id] };
    let outcome = app.commands.run(&caller.viewer, command, mode).await?;
    if outcome.changed { Ok(respond::done(StatusCode::OK)) } else { Err(ApiError::NotFound) }
}

pub(super) async fn rotate_secret(
    State(app): State<App>,
    PathId(playlist_id): PathId<PlaylistId>,
    caller: Caller,
    mode: Mode,
) -> Answer {
    change(&app, &caller, Command::RotateSecret { playlist_id }, mode, StatusCode::OK).await
}

/// Runs the command and answers with the playlist as it then is, in the form that writes have kept.
async fn change(app: &App, caller: &Caller, command: Command, mode: Mode, status: StatusCode) -> Answer {
    let outcome = app.commands.run(&caller.viewer, command, mode).await?;
    let scene = app.queries.after(&caller.viewer, outcome.playlist, members(caller)).await?;
    Ok(respond::json(status, &representation::legacy_playlist(whole(caller, &scene)?)))
}
