//! Creating, changing and deleting playlists. Every write answers `{"success": true, …}`.

use axum::{
    Json,
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
};
use http::HeaderMap;
use serde_json::json;

use crate::{
    commands::Mode,
    domain::PlaylistId,
    edges::{
        App,
        body::read_fields,
        web::{
            ApiError, Caller, input,
            path_id::PathId,
            playlists::{NESTED, whole},
        },
    },
    foundation::Command,
};

type Answer = Result<Response, ApiError>;

/// 200, not 201.
pub(super) async fn create(
    State(app): State<App>,
    caller: Caller,
    mode: Mode,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    caller.user()?;
    let fields = Box::new(input::playlist(&read_fields(&headers, body).await?)?);
    change(&app, &caller, Command::CreatePlaylist { fields }, mode).await
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
    let body = read_fields(&headers, body).await?;
    replace(&app, playlist_id, &caller, &body, mode).await
}

pub(super) async fn delete(
    State(app): State<App>,
    PathId(playlist_id): PathId<PlaylistId>,
    caller: Caller,
    mode: Mode,
) -> Answer {
    app.commands.run(&caller.viewer, Command::DeletePlaylist { playlist_id }, mode).await?;
    Ok(Json(json!({ "success": true })).into_response())
}

/// Forms know GET and POST only: `_method`, in the body or the query, says what is meant. Without it: PUT.
pub(super) async fn overridden(
    State(app): State<App>,
    PathId(playlist_id): PathId<PlaylistId>,
    caller: Caller,
    mode: Mode,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    caller.user()?;
    let body = read_fields(&headers, body).await?;
    let asked = input::method(&body).or_else(|| caller.parameter("_method").map(str::to_ascii_uppercase));
    match asked.as_deref() {
        None | Some("PUT" | "PATCH") => replace(&app, playlist_id, &caller, &body, mode).await,
        Some("DELETE") => delete(State(app), PathId(playlist_id), caller, mode).await,
        Some(_) => Err(ApiError::BadRequest("_method must be PUT or DELETE".to_owned())),
    }
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
    let track_ids = input::track_ids(&read_fields(&headers, body).await?)?;
    let command = Command::AddTracks { playlist_id, track_ids, position: None };
    change(&app, &caller, command, mode).await
}

pub(super) async fn remove_tracks(
    State(app): State<App>,
    PathId(playlist_id): PathId<PlaylistId>,
    caller: Caller,
    mode: Mode,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    caller.user()?;
    let track_ids = input::track_ids(&read_fields(&headers, body).await?)?;
    change(&app, &caller, Command::RemoveTracks { playlist_id, track_ids }, mode).await
}

pub(super) async fn order_tracks(
    State(app): State<App>,
    PathId(playlist_id): PathId<PlaylistId>,
    caller: Caller,
    mode: Mode,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    caller.user()?;
    let track_ids = input::track_ids(&read_fields(&headers, body).await?)?;
    change(&app, &caller, Command::ReorderTracks { playlist_id, track_ids }, mode).await
}

pub(super) async fn rotate_secret(
    State(app): State<App>,
    PathId(playlist_id): PathId<PlaylistId>,
    caller: Caller,
    mode: Mode,
) -> Answer {
    change(&app, &caller, Command::RotateSecret { playlist_id }, mode).await
}

async fn replace(
    app: &App,
    playlist_id: PlaylistId,
    caller: &Caller,
    body: &input::Body,
    mode: Mode,
) -> Answer {
    let fields = Box::new(input::playlist(body)?);
    let command = Command::UpdatePlaylist { playlist_id, fields, if_revision: None };
    change(app, caller, command, mode).await
}

/// Runs the command and answers with the playlist as it then is, or would be.
async fn change(app: &App, caller: &Caller, command: Command, mode: Mode) -> Answer {
    let outcome = app.commands.run(&caller.viewer, command, mode).await?;
    let scene = app.queries.after(&caller.viewer, outcome.playlist, NESTED).await?;
    Ok(Json(json!({ "success": true, "playlist": whole(caller, &scene)? })).into_response())
}
