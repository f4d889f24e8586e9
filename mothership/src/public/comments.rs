//! Comments.

use axum::{body::Body, extract::State, response::Response};
use http::{HeaderMap, StatusCode};
use serde_json::Value;

use crate::{
    app::App,
    command::{Command, Mode},
    domain::{Comment, CommentId, Track, TrackId, UserId},
    public::{
        ApiError, Caller, fields,
        lists::{self, visible_track, visible_user},
        paging::{self, LastPart},
        path_id::PathId,
        representation, respond,
        scene::Scene,
    },
    request::read_fields,
    store::{Audience, CommentList, Reader},
    visibility::read_track,
};

pub(super) async fn of_track(
    State(app): State<App>,
    PathId(id): PathId<TrackId>,
    caller: Caller,
) -> Result<Response, ApiError> {
    lists::read(&app, caller, move |reader, caller| {
        visible_track(reader, caller, id)?;
        page(reader, caller, CommentList::OfTrack(id))
    })
    .await
}

/// Without those on tracks that the caller may not see; a part may be short, and still links to the next.
pub(super) async fn by_user(
    State(app): State<App>,
    PathId(id): PathId<UserId>,
    caller: Caller,
) -> Result<Response, ApiError> {
    lists::read(&app, caller, move |reader, caller| {
        visible_user(reader, caller, id)?;
        page(reader, caller, CommentList::ByUser(id))
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
    let (body, position_ms) = fields::comment(&read_fields(&headers, body).await?)?;
    let command = Command::CreateComment { track_id, body, position_ms };
    let outcome = app.store.execute(command, caller.viewer.clone(), Mode::Commit).await?;
    let comment = outcome.comment().ok_or(ApiError::NotFound)?.clone();
    let written = app.store.read(move |reader| {
        let scene = lists::people(reader, &caller, [comment.user_id]);
        Ok(scene.map(|scene| representation::comment(&comment, &scene)))
    });
    Ok(respond::json(StatusCode::CREATED, &written.await??))
}

pub(super) async fn delete(
    State(app): State<App>,
    PathId(comment_id): PathId<CommentId>,
    caller: Caller,
) -> Result<Response, ApiError> {
    app.store.execute(Command::DeleteComment { comment_id }, caller.viewer, Mode::Commit).await?;
    Ok(respond::done(StatusCode::OK))
}

/// `next_href` is null at the end: here alone it was never left out.
fn page(reader: &Reader<'_>, caller: &Caller, list: CommentList) -> Result<Value, ApiError> {
    let audience = Audience::listed(caller.viewer.clone());
    let listed = reader.comment_page(list, &audience, paging::page(caller))?;
    let track_ids: Vec<TrackId> = listed.items.iter().map(|comment| comment.track_id).collect();
    let tracks = reader.tracks(&track_ids)?;
    let all: Vec<&Track> = tracks.iter().collect();
    let authors = listed.items.iter().map(|comment| comment.user_id);
    let scene = Scene::load(reader, caller, &[], &all, authors)?;
    let shown = |comment: &&Comment| {
        tracks.iter().any(|track| {
            track.id == comment.track_id
                && read_track(track, scene.block(track.user_id), &caller.viewer).is_visible()
        })
    };
    let items =
        listed.items.iter().filter(shown).map(|comment| representation::comment(comment, &scene)).collect();
    Ok(paging::write(caller, items, listed.next, LastPart::Null))
}
