//! Tracks.

use axum::{body::Body, extract::State, response::Response};
use http::{HeaderMap, StatusCode};
use serde_json::Value;

use crate::{
    app::App,
    command::{Command, Mode},
    domain::{Track, TrackId},
    public::{
        ApiError, Caller, fields,
        lists::{self, Of, UserShape, visible_track},
        paging::{self, LastPart},
        path_id::PathId,
        representation, respond,
        shelf::{self, Met},
    },
    request::read_fields,
    store::{KindFilter, PlaylistList, Reader, TrackFilter, TrackList, UserList},
    visibility::{AccessSet, read_track},
};

/// Search, a batch by ids, or simply the newest; narrowed by genres, tags and ranges.
pub(super) async fn list(State(app): State<App>, caller: Caller) -> Result<Response, ApiError> {
    let query = &caller.query;
    if let Some(ids) = query.ids::<TrackId>() {
        return lists::read(&app, caller, move |reader, caller| {
            let found = reader.tracks(&ids)?;
            let items = shelf::tracks(reader, caller, &found, Met::Addressed, caller.query.access())?;
            Ok(paging::write(caller, items, None, LastPart::Missing))
        })
        .await;
    }
    let filter = TrackFilter {
        genres: query.words("genres"),
        tags: query.words("tags"),
        bpm: query.range("bpm"),
        duration_ms: query.range("duration"),
        created_at: query.times("created_at"),
    };
    let list = match query.filled("q") {
        Some(words) => TrackList::Search(words.to_owned()),
        None => TrackList::All,
    };
    lists::tracks(&app, caller, Of::Everything, list, filter).await
}

pub(super) async fn one(
    State(app): State<App>,
    PathId(id): PathId<TrackId>,
    caller: Caller,
) -> Result<Response, ApiError> {
    lists::read(&app, caller, move |reader, caller| {
        let track = visible_track(reader, caller, id)?;
        written(reader, caller, track)
    })
    .await
}

pub(super) async fn update(
    State(app): State<App>,
    PathId(track_id): PathId<TrackId>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    caller.user()?;
    let fields = Box::new(fields::track(&read_fields(&headers, body).await?)?);
    let command = Command::UpdateTrack { track_id, fields };
    let outcome = app.store.execute(command, caller.viewer.clone(), Mode::Commit).await?;
    let track = outcome.track().ok_or(ApiError::NotFound)?.clone();
    lists::read(&app, caller, move |reader, caller| written(reader, caller, track)).await
}

pub(super) async fn delete(
    State(app): State<App>,
    PathId(track_id): PathId<TrackId>,
    caller: Caller,
) -> Result<Response, ApiError> {
    app.store.execute(Command::DeleteTrack { track_id }, caller.viewer, Mode::Commit).await?;
    Ok(respond::done(StatusCode::OK))
}

pub(super) async fn favoriters(
    State(app): State<App>,
    PathId(id): PathId<TrackId>,
    caller: Caller,
) -> Result<Response, ApiError> {
    lists::users(&app, caller, Of::Track(id), UserList::LikersOfTrack(id), UserShape::Profile).await
}

pub(super) async fn reposters(
    State(app): State<App>,
    PathId(id): PathId<TrackId>,
    caller: Caller,
) -> Result<Response, ApiError> {
    lists::users(&app, caller, Of::Track(id), UserList::RepostersOfTrack(id), UserShape::Short).await
}

pub(super) async fn related(
    State(app): State<App>,
    PathId(id): PathId<TrackId>,
    caller: Caller,
) -> Result<Response, ApiError> {
    lists::tracks(&app, caller, Of::Track(id), TrackList::Related(id), TrackFilter::default()).await
}

pub(super) async fn playlists(
    State(app): State<App>,
    PathId(id): PathId<TrackId>,
    caller: Caller,
) -> Result<Response, ApiError> {
    lists::playlists(&app, caller, Of::Track(id), PlaylistList::Containing(id), KindFilter::Any).await
}

/// Of what may be heard: a track that is blocked where the caller is has none.
pub(super) async fn streams(
    State(app): State<App>,
    PathId(id): PathId<TrackId>,
    caller: Caller,
) -> Result<Response, ApiError> {
    lists::read(&app, caller, move |reader, caller| {
        let track = visible_track(reader, caller, id)?;
        let blocks = reader.blocks(caller.viewer.user_id(), &[track.user_id])?;
        let sight = read_track(&track, blocks.block(track.user_id), &caller.viewer);
        let access = sight.access.ok_or(ApiError::NotFound)?;
        Ok(representation::streams(&track, access))
    })
    .await
}

/// A single track is shown whatever `access` asks for.
pub(super) fn written(reader: &Reader<'_>, caller: &Caller, track: Track) -> Result<Value, ApiError> {
    let mut items = shelf::tracks(reader, caller, &[track], Met::Addressed, AccessSet::ALL)?;
    items.pop().ok_or(ApiError::NotFound)
}
