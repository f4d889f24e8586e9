//! Reading tracks.

use axum::{extract::State, response::Response};

use crate::{
    app::App,
    domain::TrackId,
    mobile::{
        ApiError, Caller,
        lists::{self, Of},
        representation,
        urn::PathUrn,
        view::{View, visible_track},
    },
    store::{KindFilter, PlaylistList, TrackList},
};

pub(super) async fn search(State(app): State<App>, caller: Caller) -> Result<Response, ApiError> {
    let words = caller.parameter("q").filter(|words| !words.trim().is_empty());
    let words = words.ok_or(ApiError::BadParameter("q"))?.to_owned();
    lists::tracks(&app, caller, Of::Everything, TrackList::Search(words)).await
}

pub(super) async fn one(
    State(app): State<App>,
    PathUrn(id): PathUrn<TrackId>,
    caller: Caller,
) -> Result<Response, ApiError> {
    lists::read(&app, caller, move |reader, caller| {
        let (track, play) = visible_track(reader, caller, id)?;
        let view = View::load(reader, caller, &[], std::slice::from_ref(&track), &[])?;
        Ok(representation::track(&track, play, &view))
    })
    .await
}

pub(super) async fn playlists(
    State(app): State<App>,
    PathUrn(id): PathUrn<TrackId>,
    caller: Caller,
) -> Result<Response, ApiError> {
    lists::playlists(&app, caller, Of::Track(id), PlaylistList::Containing(id), KindFilter::Any).await
}

pub(super) async fn related(
    State(app): State<App>,
    PathUrn(id): PathUrn<TrackId>,
    caller: Caller,
) -> Result<Response, ApiError> {
    lists::tracks(&app, caller, Of::Track(id), TrackList::Related(id)).await
}
