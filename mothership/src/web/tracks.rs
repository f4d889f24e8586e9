//! Reading tracks.

use axum::{extract::State, response::Response};

use crate::{
    app::App,
    domain::TrackId,
    store::{PlaylistList, TrackList},
    web::{
        ApiError, Caller,
        lists::{self, Of, Sets},
        path_id::PathId,
        representation,
        view::{View, visible_track},
    },
};

pub(super) async fn search(State(app): State<App>, caller: Caller) -> Result<Response, ApiError> {
    let words = caller.parameter("q").unwrap_or_default().to_owned();
    lists::tracks(&app, caller, Of::Everything, TrackList::Search(words)).await
}

pub(super) async fn one(
    State(app): State<App>,
    PathId(id): PathId<TrackId>,
    caller: Caller,
) -> Result<Response, ApiError> {
    lists::read(&app, caller, move |reader, caller| {
        let (track, policing) = visible_track(reader, caller, id)?;
        let view = View::load(reader, caller, &[], std::slice::from_ref(&track), &[])?;
        Ok(representation::track(&track, policing, &view))
    })
    .await
}

pub(super) async fn playlists(
    State(app): State<App>,
    PathId(id): PathId<TrackId>,
    caller: Caller,
) -> Result<Response, ApiError> {
    let sets = Sets::by_offset(PlaylistList::Containing(id));
    lists::playlists(&app, caller, Of::Track(id), sets).await
}
