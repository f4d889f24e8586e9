//! Comments on tracks.

use axum::{
    Json,
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
};
use http::HeaderMap;
use serde_json::json;

use crate::{
    app::App,
    command::{Command, Mode},
    domain::{CommentId, TrackId},
    request::read_fields,
    store::{Audience, CommentList},
    web::{
        ApiError, Caller, input,
        lists::{self, Of},
        paging::{Paging, Window},
        path_id::PathId,
        representation,
        view::View,
    },
};

pub(super) async fn of_track(
    State(app): State<App>,
    PathId(id): PathId<TrackId>,
    caller: Caller,
) -> Result<Response, ApiError> {
    let window = Window::of(&caller, Paging::Offsets);
    lists::read(&app, caller, move |reader, caller| {
        Of::Track(id).check(reader, caller)?;
        let list = CommentList::OfTrack(id);
        let listed = reader.comment_page(list, &Audience::Everything, window.page())?;
        let authors: Vec<_> = listed.items.iter().map(|comment| comment.user_id).collect();
        let view = View::load(reader, caller, &[], &[], &authors)?;
        let met = listed.items.iter().filter(|comment| view.listed_user(comment.user_id).is_some());
        let items = met.map(|comment| representation::comment(comment, &view)).collect();
        Ok(window.write(caller, items, listed.next.is_some()))
    })
    .await
}

pub(super) async fn create(
    State(app): State<App>,
    PathId(track_id): PathId<TrackId>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    caller.user()?;
    let (body, position_ms) = input::comment(&read_fields(&headers, body).await?)?;
    let (viewer, asking) = (caller.viewer.clone(), caller.clone());
    app.store.read(move |reader| Ok(Of::Track(track_id).check(reader, &asking))).await??;
    let command = Command::CreateComment { track_id, body, position_ms };
    let outcome = app.store.execute(command, viewer, Mode::Commit).await?;
    let comment = outcome.comment().ok_or(ApiError::NotFound)?.clone();
    let written = app.store.read(move |reader| {
        let view = View::load(reader, &caller, &[], &[], &[comment.user_id]);
        Ok(view.map(|view| representation::comment(&comment, &view)))
    });
    Ok(Json(json!({ "success": true, "comment": written.await?? })).into_response())
}

pub(super) async fn delete(
    State(app): State<App>,
    PathId(comment_id): PathId<CommentId>,
    caller: Caller,
) -> Result<Response, ApiError> {
    app.store.execute(Command::DeleteComment { comment_id }, caller.viewer, Mode::Commit).await?;
    Ok(Json(json!({ "success": true })).into_response())
}
