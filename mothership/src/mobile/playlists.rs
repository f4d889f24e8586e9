//! Reading playlists.

use axum::{body::Body, extract::State, response::Response};
use http::HeaderMap;
use serde_json::Value;

use crate::{
    app::App,
    domain::{Playlist, PlaylistId},
    mobile::{
        ApiError, Caller,
        body::{self, BatchBody},
        lists::{self, Of},
        paging, representation, rules,
        urn::{PathTexts, PathUrn},
        view::{self, View, readable, visible_playlist},
    },
    store::{Cursor, KindFilter, Order, PlaylistList, Position, Reader, UserList},
};

/// More ids in a batch than this are refused.
pub(super) const BATCH_MAX: usize = 50;

pub(super) async fn newest(State(app): State<App>, caller: Caller) -> Result<Response, ApiError> {
    lists::playlists(&app, caller, Of::Everything, PlaylistList::All(Order::Newest), KindFilter::Any).await
}

pub(super) async fn popular(State(app): State<App>, caller: Caller) -> Result<Response, ApiError> {
    lists::playlists(&app, caller, Of::Everything, PlaylistList::All(Order::Popular), KindFilter::Any).await
}

/// Without words to look for: 400, unlike in the other dialects.
pub(super) async fn search(State(app): State<App>, caller: Caller) -> Result<Response, ApiError> {
    let words = caller.parameter("q").filter(|words| !words.trim().is_empty());
    let words = words.ok_or(ApiError::BadParameter("q"))?.to_owned();
    let list = PlaylistList::Search(words, Order::Popular);
    lists::playlists(&app, caller, Of::Everything, list, KindFilter::Any).await
}

/// In the order asked for; what the caller may not read is left out, like what does not exist.
pub(super) async fn batch(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let asked: BatchBody = body::json(&headers, body).await?;
    if asked.urns.len() > BATCH_MAX {
        return Err(ApiError::BadRequest(format!("at most {BATCH_MAX} urns")));
    }
    let ids: Vec<PlaylistId> = asked.urns.iter().map(|urn| urn.0).collect();
    lists::read(&app, caller, move |reader, caller| {
        let mut found = reader.playlists(&ids)?;
        let owners: Vec<_> = found.iter().map(|playlist| playlist.user_id).collect();
        let blocks = reader.blocks(caller.viewer.user_id(), &owners)?;
        found.retain(|it| rules::playlist(it, blocks.block(it.user_id), &caller.viewer));
        Ok(paging::write(view::playlists(reader, caller, &found)?, None))
    })
    .await
}

pub(super) async fn one(
    State(app): State<App>,
    PathUrn(id): PathUrn<PlaylistId>,
    caller: Caller,
) -> Result<Response, ApiError> {
    lists::read(&app, caller, move |reader, caller| page(reader, caller, id)).await
}

/// A playlist with the URNs of its tracks, as far as the caller sees them; a fixed number of queries.
///
/// # Errors
/// [`ApiError::NotFound`] if there is none, or none for this caller.
pub fn page(reader: &Reader<'_>, caller: &Caller, id: PlaylistId) -> Result<Value, ApiError> {
    let playlist = visible_playlist(reader, caller, id)?;
    whole(reader, caller, &playlist)
}

pub(super) fn whole(reader: &Reader<'_>, caller: &Caller, playlist: &Playlist) -> Result<Value, ApiError> {
    let tracks = reader.tracks_of(&[playlist.id], u32::MAX)?.remove(&playlist.id).unwrap_or_default();
    let view = View::load(reader, caller, std::slice::from_ref(playlist), &tracks, &[])?;
    let seen = view.seen_in(playlist, &tracks);
    Ok(representation::whole_playlist(playlist, &seen, &view))
}

pub(super) async fn by_permalink(
    State(app): State<App>,
    PathTexts(names): PathTexts,
    caller: Caller,
) -> Result<Response, ApiError> {
    lists::read(&app, caller, move |reader, caller| {
        let [user, playlist] = names.as_slice() else { return Err(ApiError::NotFound) };
        let playlist = readable(reader, caller, reader.playlist_by_permalink(user, playlist)?)?;
        whole(reader, caller, &playlist)
    })
    .await
}

pub(super) async fn by_secret_token(
    State(app): State<App>,
    PathTexts(tokens): PathTexts,
    mut caller: Caller,
) -> Result<Response, ApiError> {
    let token = tokens.into_iter().next().ok_or(ApiError::NotFound)?;
    caller.viewer.secret_token = Some(token.clone());
    lists::read(&app, caller, move |reader, caller| {
        let playlist = readable(reader, caller, reader.playlist_by_secret_token(&token)?)?;
        whole(reader, caller, &playlist)
    })
    .await
}

/// Goes on after as many tracks as the caller has seen; hidden ones do not count.
pub(super) async fn tracks(
    State(app): State<App>,
    PathUrn(id): PathUrn<PlaylistId>,
    caller: Caller,
) -> Result<Response, ApiError> {
    let page = paging::page(&caller)?;
    lists::read(&app, caller, move |reader, caller| {
        let playlist = visible_playlist(reader, caller, id)?;
        let tracks = reader.tracks_of(&[id], u32::MAX)?.remove(&id).unwrap_or_default();
        let view = View::load(reader, caller, &[], &tracks, &[])?;
        let seen = view.seen_in(&playlist, &tracks);
        let passed = match page.position {
            Position::After(cursor) => usize::try_from(cursor.id).unwrap_or(0).min(seen.len()),
            Position::Offset(_) => 0,
        };
        let end = (passed + page.limit as usize).min(seen.len());
        let next = i64::try_from(end).ok().filter(|_| end < seen.len()).map(|id| Cursor { key: 0, id });
        let items = seen[passed..end].iter().map(|(track, play)| representation::track(track, *play, &view));
        Ok(paging::write(items.collect(), next))
    })
    .await
}

pub(super) async fn likers(
    State(app): State<App>,
    PathUrn(id): PathUrn<PlaylistId>,
    caller: Caller,
) -> Result<Response, ApiError> {
    lists::users(&app, caller, Of::Playlist(id), UserList::LikersOfPlaylist(id)).await
}

pub(super) async fn reposters(
    State(app): State<App>,
    PathUrn(id): PathUrn<PlaylistId>,
    caller: Caller,
) -> Result<Response, ApiError> {
    lists::users(&app, caller, Of::Playlist(id), UserList::RepostersOfPlaylist(id)).await
}

pub(super) async fn related(
    State(app): State<App>,
    PathUrn(id): PathUrn<PlaylistId>,
    caller: Caller,
) -> Result<Response, ApiError> {
    lists::playlists(&app, caller, Of::Playlist(id), PlaylistList::Related(id), KindFilter::Any).await
}

pub(super) async fn counts(
    State(app): State<App>,
    PathUrn(id): PathUrn<PlaylistId>,
    caller: Caller,
) -> Result<Response, ApiError> {
    lists::read(&app, caller, move |reader, caller| {
        Ok(representation::counts(&visible_playlist(reader, caller, id)?))
    })
    .await
}
