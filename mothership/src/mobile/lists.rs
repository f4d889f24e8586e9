//! The lists that many resources have: of playlists, of tracks, of users.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use serde_json::Value;

use crate::{
    app::App,
    domain::{PlaylistId, TrackId, UserId},
    mobile::{
        ApiError, Caller, paging, representation, rules,
        view::{self, View},
    },
    store::{KindFilter, PlaylistList, Reader, TrackFilter, TrackList, UserList},
};

/// What a list hangs on: unless the caller may read it, there is no such list.
#[derive(Debug, Clone, Copy)]
pub(super) enum Of {
    Everything,
    User(UserId),
    Track(TrackId),
    Playlist(PlaylistId),
}

/// One snapshot for the whole answer.
pub(super) async fn read<F>(app: &App, caller: Caller, queries: F) -> Result<Response, ApiError>
where
    F: FnOnce(&Reader<'_>, &Caller) -> Result<Value, ApiError> + Send + 'static,
{
    let value = app.store.read(move |reader| Ok(queries(reader, &caller))).await??;
    Ok(Json(value).into_response())
}

pub(super) async fn playlists(
    app: &App,
    caller: Caller,
    of: Of,
    list: PlaylistList,
    kind: KindFilter,
) -> Result<Response, ApiError> {
    let page = paging::page(&caller)?;
    read(app, caller, move |reader, caller| {
        of.check(reader, caller)?;
        let listed = reader.playlist_ids(&list, kind, &rules::audience(&caller.viewer), page)?;
        let found = reader.playlists(&listed.ids())?;
        Ok(paging::write(view::playlists(reader, caller, &found)?, listed.next))
    })
    .await
}

pub(super) async fn tracks(app: &App, caller: Caller, of: Of, list: TrackList) -> Result<Response, ApiError> {
    let page = paging::page(&caller)?;
    read(app, caller, move |reader, caller| {
        of.check(reader, caller)?;
        let audience = rules::audience(&caller.viewer);
        let listed = reader.track_ids(&list, &TrackFilter::default(), &audience, page)?;
        let found = reader.tracks(&listed.ids())?;
        Ok(paging::write(view::listed_tracks(reader, caller, &found)?, listed.next))
    })
    .await
}

pub(super) async fn users(app: &App, caller: Caller, of: Of, list: UserList) -> Result<Response, ApiError> {
    let page = paging::page(&caller)?;
    read(app, caller, move |reader, caller| {
        of.check(reader, caller)?;
        let listed = reader.user_ids(&list, &rules::audience(&caller.viewer), page)?;
        let ids = listed.ids();
        let view = View::load(reader, caller, &[], &[], &ids)?;
        let users = ids.iter().filter_map(|id| view.user(*id));
        Ok(paging::write(users.map(|user| representation::user(user, &view)).collect(), listed.next))
    })
    .await
}

impl Of {
    pub(super) fn check(self, reader: &Reader<'_>, caller: &Caller) -> Result<(), ApiError> {
        match self {
            Self::Everything => Ok(()),
            Self::User(id) => view::visible_user(reader, caller, id).map(|_| ()),
            Self::Track(id) => view::visible_track(reader, caller, id).map(|_| ()),
            Self::Playlist(id) => view::visible_playlist(reader, caller, id).map(|_| ()),
        }
    }
}
