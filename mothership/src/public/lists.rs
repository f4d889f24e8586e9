//! The lists that many resources have: of playlists, of tracks, of users.

use axum::response::Response;
use http::StatusCode;
use serde_json::Value;

use crate::{
    app::App,
    domain::{Playlist, PlaylistId, Track, TrackId, User, UserId},
    public::{
        ApiError, Caller,
        paging::{self, LastPart},
        representation, respond,
        scene::Scene,
        shelf::{self, LISTED_TRACKS, Members, Met},
    },
    store::{Audience, KindFilter, PlaylistList, Reader, TrackFilter, TrackList, UserList},
    visibility::{read_playlist, read_track, read_user},
};

/// What a list hangs on: unless the caller may read it, there is no such list.
#[derive(Debug, Clone, Copy)]
pub enum Of {
    Everything,
    User(UserId),
    Track(TrackId),
    Playlist(PlaylistId),
}

/// How users are written in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum UserShape {
    /// The whole profile; a bare array unless the client asks for parts.
    Profile,
    /// The short form, always as a collection.
    Short,
}

/// One snapshot for the whole answer.
pub(super) async fn read<F>(app: &App, caller: Caller, queries: F) -> Result<Response, ApiError>
where
    F: FnOnce(&Reader<'_>, &Caller) -> Result<Value, ApiError> + Send + 'static,
{
    let value = app.store.read(move |reader| Ok(queries(reader, &caller))).await??;
    Ok(respond::json(StatusCode::OK, &value))
}

pub(super) async fn playlists(
    app: &App,
    caller: Caller,
    of: Of,
    list: PlaylistList,
    kind: KindFilter,
) -> Result<Response, ApiError> {
    read(app, caller, move |reader, caller| playlist_list(reader, caller, of, &list, kind)).await
}

/// A page of playlists with the first of their tracks. Its number of queries depends on neither.
///
/// # Errors
/// [`ApiError::NotFound`] if the caller may not read what the list hangs on.
pub fn playlist_list(
    reader: &Reader<'_>,
    caller: &Caller,
    of: Of,
    list: &PlaylistList,
    kind: KindFilter,
) -> Result<Value, ApiError> {
    of.check(reader, caller)?;
    let audience = Audience::listed(caller.viewer.clone());
    let listed = reader.playlist_ids(list, kind, &audience, paging::page(caller))?;
    let found = reader.playlists(&listed.ids())?;
    let hide = caller.query.flag("show_tracks") == Some(false);
    let members = if hide { Members::None } else { Members::First(LISTED_TRACKS) };
    let items = shelf::playlists(reader, caller, &found, members, Met::Listed)?;
    Ok(paging::write(caller, items, listed.next, LastPart::Missing))
}

pub(super) async fn tracks(
    app: &App,
    caller: Caller,
    of: Of,
    list: TrackList,
    filter: TrackFilter,
) -> Result<Response, ApiError> {
    read(app, caller, move |reader, caller| {
        of.check(reader, caller)?;
        let access = caller.query.access();
        let audience = Audience::Collection { viewer: caller.viewer.clone(), access };
        let listed = reader.track_ids(&list, &filter, &audience, paging::page(caller))?;
        let found = reader.tracks(&listed.ids())?;
        let items = shelf::tracks(reader, caller, &found, Met::Listed, access)?;
        Ok(paging::write(caller, items, listed.next, LastPart::Missing))
    })
    .await
}

pub(super) async fn users(
    app: &App,
    caller: Caller,
    of: Of,
    list: UserList,
    shape: UserShape,
) -> Result<Response, ApiError> {
    read(app, caller, move |reader, caller| {
        of.check(reader, caller)?;
        let audience = Audience::listed(caller.viewer.clone());
        let listed = reader.user_ids(&list, &audience, paging::page(caller))?;
        let found = reader.users(&listed.ids())?;
        Ok(match shape {
            UserShape::Profile => {
                let items = found.iter().map(|user| representation::user(user, caller)).collect();
                paging::write(caller, items, listed.next, LastPart::Missing)
            }
            UserShape::Short => {
                let items = found.iter().map(|user| representation::short_user(user, caller)).collect();
                paging::collection(caller, items, listed.next, LastPart::Missing)
            }
        })
    })
    .await
}

/// # Errors
/// 404 if there is none or the caller may not read it; the same for those below.
pub(super) fn visible_playlist(
    reader: &Reader<'_>,
    caller: &Caller,
    id: PlaylistId,
) -> Result<Playlist, ApiError> {
    readable(reader, caller, reader.playlist(id)?)
}

pub(super) fn readable(
    reader: &Reader<'_>,
    caller: &Caller,
    playlist: Option<Playlist>,
) -> Result<Playlist, ApiError> {
    let playlist = playlist.ok_or(ApiError::NotFound)?;
    let blocks = reader.blocks(caller.viewer.user_id(), &[playlist.user_id])?;
    let sight = read_playlist(&playlist, blocks.block(playlist.user_id), &caller.viewer);
    if sight.visible { Ok(playlist) } else { Err(ApiError::NotFound) }
}

pub(super) fn visible_track(reader: &Reader<'_>, caller: &Caller, id: TrackId) -> Result<Track, ApiError> {
    let track = reader.track(id)?.ok_or(ApiError::NotFound)?;
    let blocks = reader.blocks(caller.viewer.user_id(), &[track.user_id])?;
    let sight = read_track(&track, blocks.block(track.user_id), &caller.viewer);
    if sight.is_visible() { Ok(track) } else { Err(ApiError::NotFound) }
}

pub(super) fn visible_user(reader: &Reader<'_>, caller: &Caller, id: UserId) -> Result<User, ApiError> {
    let user = reader.user(id)?.filter(|user| read_user(user, &caller.viewer));
    user.ok_or(ApiError::NotFound)
}

/// A scene with nothing but people in it.
pub(super) fn people<'c>(
    reader: &Reader<'_>,
    caller: &'c Caller,
    people: impl IntoIterator<Item = UserId>,
) -> Result<Scene<'c>, ApiError> {
    Scene::load(reader, caller, &[], &[], people)
}

impl Of {
    fn check(self, reader: &Reader<'_>, caller: &Caller) -> Result<(), ApiError> {
        match self {
            Self::Everything => Ok(()),
            Self::User(id) => visible_user(reader, caller, id).map(|_| ()),
            Self::Track(id) => visible_track(reader, caller, id).map(|_| ()),
            Self::Playlist(id) => visible_playlist(reader, caller, id).map(|_| ()),
        }
    }
}
