//! Reading playlists.

use axum::{extract::State, response::Response};
use serde_json::{Value, json};

use crate::{
    app::App,
    domain::{Playlist, PlaylistId},
    public::{
        ApiError, Caller,
        lists::{self, Of, UserShape, readable, visible_playlist},
        paging,
        path_id::{PathId, PathText},
        shelf::{self, LISTED_TRACKS, Members, Met},
    },
    store::{KindFilter, Order, PlaylistList, Reader, UserList},
    visibility::read_playlist,
};

/// Search, a batch by ids, or simply the newest.
pub(super) async fn list(State(app): State<App>, caller: Caller) -> Result<Response, ApiError> {
    if let Some(ids) = caller.query.ids::<PlaylistId>() {
        return lists::read(&app, caller, move |reader, caller| batch(reader, caller, &ids)).await;
    }
    let order = match caller.query.text("order") {
        Some("hotness") => Order::Popular,
        Some("last_modified") => Order::Updated,
        _ => Order::Newest,
    };
    let list = match caller.query.filled("q") {
        Some(words) => PlaylistList::Search(words.to_owned(), order),
        None => PlaylistList::All(order),
    };
    lists::playlists(&app, caller, Of::Everything, list, KindFilter::Any).await
}

pub(super) async fn one(
    State(app): State<App>,
    PathId(id): PathId<PlaylistId>,
    caller: Caller,
) -> Result<Response, ApiError> {
    lists::read(&app, caller, move |reader, caller| page(reader, caller, id)).await
}

/// A playlist with all its tracks, as far as the caller sees them. Its number of queries does not depend on theirs.
///
/// # Errors
/// [`ApiError::NotFound`] if there is none, or none for this caller.
pub fn page(reader: &Reader<'_>, caller: &Caller, id: PlaylistId) -> Result<Value, ApiError> {
    let playlist = visible_playlist(reader, caller, id)?;
    whole(reader, caller, playlist)
}

pub(super) fn whole(reader: &Reader<'_>, caller: &Caller, playlist: Playlist) -> Result<Value, ApiError> {
    let members = if caller.query.flag("show_tracks") == Some(false) { Members::None } else { Members::All };
    let mut written = shelf::playlists(reader, caller, &[playlist], members, Met::Addressed)?;
    Ok(written.pop().unwrap_or_default())
}

pub(super) async fn by_secret_token(
    State(app): State<App>,
    PathText(secret_token): PathText,
    mut caller: Caller,
) -> Result<Response, ApiError> {
    caller.viewer.secret_token = Some(secret_token.clone());
    lists::read(&app, caller, move |reader, caller| {
        let playlist = readable(reader, caller, reader.playlist_by_secret_token(&secret_token)?)?;
        whole(reader, caller, playlist)
    })
    .await
}

/// The whole of a playlist is one part: there never is a next one.
pub(super) async fn tracks(
    State(app): State<App>,
    PathId(id): PathId<PlaylistId>,
    caller: Caller,
) -> Result<Response, ApiError> {
    lists::read(&app, caller, move |reader, caller| {
        let playlist = visible_playlist(reader, caller, id)?;
        let items = shelf::members(reader, caller, &playlist)?;
        Ok(paging::write(caller, items, None, paging::LastPart::Missing))
    })
    .await
}

pub(super) async fn likers(
    State(app): State<App>,
    PathId(id): PathId<PlaylistId>,
    caller: Caller,
) -> Result<Response, ApiError> {
    lists::users(&app, caller, Of::Playlist(id), UserList::LikersOfPlaylist(id), UserShape::Short).await
}

pub(super) async fn reposters(
    State(app): State<App>,
    PathId(id): PathId<PlaylistId>,
    caller: Caller,
) -> Result<Response, ApiError> {
    lists::users(&app, caller, Of::Playlist(id), UserList::RepostersOfPlaylist(id), UserShape::Short).await
}

pub(super) async fn related(
    State(app): State<App>,
    PathId(id): PathId<PlaylistId>,
    caller: Caller,
) -> Result<Response, ApiError> {
    lists::playlists(&app, caller, Of::Playlist(id), PlaylistList::Related(id), KindFilter::Any).await
}

/// `likes_count` is exact here, unlike everywhere else in the dialect.
pub(super) async fn counts(
    State(app): State<App>,
    PathId(id): PathId<PlaylistId>,
    caller: Caller,
) -> Result<Response, ApiError> {
    lists::read(&app, caller, move |reader, caller| {
        let playlist = visible_playlist(reader, caller, id)?;
        Ok(json!({
            "id": playlist.id,
            "track_count": playlist.track_count,
            "duration": playlist.duration_ms,
            "likes_count": playlist.likes_count,
            "indexed_likes_count": playlist.indexed_likes_count,
            "reposts_count": playlist.reposts_count,
        }))
    })
    .await
}

/// In the order asked for; what the caller may not read is left out, like what does not exist.
fn batch(reader: &Reader<'_>, caller: &Caller, ids: &[PlaylistId]) -> Result<Value, ApiError> {
    let mut found = reader.playlists(ids)?;
    let owners: Vec<_> = found.iter().map(|playlist| playlist.user_id).collect();
    let blocks = reader.blocks(caller.viewer.user_id(), &owners)?;
    found.retain(|playlist| read_playlist(playlist, blocks.block(playlist.user_id), &caller.viewer).visible);
    let items = shelf::playlists(reader, caller, &found, Members::First(LISTED_TRACKS), Met::Addressed)?;
    Ok(paging::write(caller, items, None, paging::LastPart::Missing))
}
