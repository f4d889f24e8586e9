//! The lists that many resources have: of playlists, of tracks, of users. The page is cut first and filtered then.

use std::collections::HashMap;

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use serde_json::Value;

use crate::{
    app::App,
    domain::{PlaylistId, TrackId, UserId},
    store::{Audience, KindFilter, PlaylistList, Reader, TrackFilter, TrackList, UserList},
    web::{
        ApiError, Caller,
        paging::{Paging, Window},
        representation,
        view::{self, View},
    },
};

/// What a list hangs on: unless the caller may read it, there is no such list.
#[derive(Debug, Clone, Copy)]
pub(super) enum Of {
    Everything,
    User(UserId),
    Track(TrackId),
    Playlist(PlaylistId),
}

/// A list of playlists, and how it is written.
#[derive(Debug, Clone)]
pub(super) struct Sets {
    pub(super) list: PlaylistList,
    pub(super) kind: KindFilter,
    pub(super) paging: Paging,
    /// Each playlist stands inside of a thing of this kind, with its time.
    pub(super) inside: Option<&'static str>,
}

/// One snapshot for the whole answer.
pub(super) async fn read<F>(app: &App, caller: Caller, queries: F) -> Result<Response, ApiError>
where
    F: FnOnce(&Reader<'_>, &Caller) -> Result<Value, ApiError> + Send + 'static,
{
    let value = app.store.read(move |reader| Ok(queries(reader, &caller))).await??;
    Ok(Json(value).into_response())
}

pub(super) async fn playlists(app: &App, caller: Caller, of: Of, sets: Sets) -> Result<Response, ApiError> {
    let window = Window::of(&caller, sets.paging);
    read(app, caller, move |reader, caller| {
        of.check(reader, caller)?;
        let listed = reader.playlist_ids(&sets.list, sets.kind, &Audience::Everything, window.page())?;
        let times: HashMap<PlaylistId, i64> = listed.items.iter().map(|item| (item.id, item.key)).collect();
        let found = reader.playlists(&listed.ids())?;
        let view = View::load(reader, caller, &found, &[], &[])?;
        let met = found.iter().filter(|playlist| view.lists_playlist(playlist)).map(|playlist| {
            let written = representation::playlist(playlist, &view);
            match (sets.inside, times.get(&playlist.id)) {
                (Some(kind), Some(millis)) => representation::activity(kind, *millis, written),
                _ => written,
            }
        });
        Ok(window.write(caller, met.collect(), listed.next.is_some()))
    })
    .await
}

pub(super) async fn tracks(app: &App, caller: Caller, of: Of, list: TrackList) -> Result<Response, ApiError> {
    let window = Window::of(&caller, Paging::Offsets);
    read(app, caller, move |reader, caller| {
        of.check(reader, caller)?;
        let everyone = Audience::Everything;
        let listed = reader.track_ids(&list, &TrackFilter::default(), &everyone, window.page())?;
        let found = reader.tracks(&listed.ids())?;
        let view = View::load(reader, caller, &[], &found, &[])?;
        let met = found.iter().filter_map(|track| {
            let policing = view.lists_track(track)?;
            Some(representation::track(track, policing, &view))
        });
        Ok(window.write(caller, met.collect(), listed.next.is_some()))
    })
    .await
}

pub(super) async fn users(app: &App, caller: Caller, of: Of, list: UserList) -> Result<Response, ApiError> {
    let window = Window::of(&caller, Paging::Numbers);
    read(app, caller, move |reader, caller| {
        of.check(reader, caller)?;
        let listed = reader.user_ids(&list, &Audience::Everything, window.page())?;
        let ids = listed.ids();
        let view = View::load(reader, caller, &[], &[], &ids)?;
        let met = ids.iter().filter_map(|id| view.listed_user(*id));
        let items = met.map(|user| representation::user(user, &view)).collect();
        Ok(window.write(caller, items, listed.next.is_some()))
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

impl Sets {
    pub(super) fn numbered(list: PlaylistList) -> Self {
        Self { list, kind: KindFilter::Any, paging: Paging::Numbers, inside: None }
    }

    pub(super) fn by_offset(list: PlaylistList) -> Self {
        Self { paging: Paging::Offsets, ..Self::numbered(list) }
    }

    pub(super) fn of_kind(self, kind: KindFilter) -> Self {
        Self { kind, ..self }
    }

    pub(super) fn inside(self, kind: &'static str) -> Self {
        Self { inside: Some(kind), ..self }
    }
}
