//! Comments on tracks.

use axum::{
    Json,
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode};

use crate::{
    app::App,
    command::{Command, Mode},
    domain::{CommentId, TrackId},
    mobile::{
        ApiError, Caller,
        body::{self, CommentBody},
        lists::{self, Of},
        paging, representation, rules,
        urn::PathUrn,
        view::View,
    },
    store::CommentList,
};

pub(super) async fn of_track(
    State(app): State<App>,
    PathUrn(id): PathUrn<TrackId>,
    caller: Caller,
) -> Result<Response, ApiError> {
    let page = paging::page(&caller)?;
    lists::read(&app, caller, move |reader, caller| {
        Of::Track(id).check(reader, caller)?;
        let listed = reader.comment_page(CommentList::OfTrack(id), &rules::audience(&caller.viewer), page)?;
        let authors: Vec<_> = listed.items.iter().map(|comment| comment.user_id).collect();
        let view = View::load(reader, caller, &[], &[], &authors)?;
        let items = listed.items.iter().map(|comment| representation::comment(comment, &view));
        Ok(paging::write(items.collect(), listed.next))
    })
    .await
}

pub(super) async fn create(
    State(app): State<App>,
    PathUrn(track_id): PathUrn<TrackId>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    caller.user()?;
    let said: CommentBody = body::json(&headers, body).await?;
    let position_ms = said.position_ms()?;
    let viewer = caller.viewer.clone();
    let asking = caller.clone();
    app.store.read(move |reader| Ok(Of::Track(track_id).check(reader, &asking))).await??;
    let command = Command::CreateComment { track_id, body: said.body, position_ms };
    let outcome = app.store.execute(command, viewer, Mode::Commit).await?;
    let comment = outcome.comment().ok_or(ApiError::NotFound)?.clone();
    let written = app.store.read(move |reader| {
        let view = View::load(reader, &caller, &[], &[], &[comment.user_id]);
        Ok(view.map(|view| representation::comment(&comment, &view)))
    });
    Ok((StatusCode::CREATED, Json(written.await??)).into_response())
}

pub(super) async fn delete(
    State(app): State<App>,
    PathUrn(comment_id): PathUrn<CommentId>,
    caller: Caller,
) -> Result<StatusCode, ApiError> {
    app.store.execute(Command::DeleteComment { comment_id }, caller.viewer, Mode::Commit).await?;
    Ok(StatusCode::NO_CONTENT)
}
