//! Reading playlists.

use axum::{extract::State, response::Response};
use serde_json::Value;

use crate::{
    app::App,
    domain::{Playlist, PlaylistId},
    store::{Order, PlaylistList, Reader, UserList},
    web::{
        ApiError, Caller,
        lists::{self, Of, Sets},
        paging::{LIMIT_MAX, Paging, Window},
        path_id::{PathId, PathTexts},
        representation, rules,
        view::{View, readable, visible_playlist},
    },
};

/// A playlist has so many of its tracks nested in it; the rest are a link away.
pub(super) const NESTED_TRACKS: u32 = 50;

pub(super) async fn newest(State(app): State<App>, caller: Caller) -> Result<Response, ApiError> {
    let sets = Sets::numbered(PlaylistList::All(Order::Newest));
    lists::playlists(&app, caller, Of::Everything, sets).await
}

pub(super) async fn charts(State(app): State<App>, caller: Caller) -> Result<Response, ApiError> {
    let sets = Sets::by_offset(PlaylistList::All(Order::Popular));
    lists::playlists(&app, caller, Of::Everything, sets).await
}

/// Without words to look for, everything is found.
pub(super) async fn search(State(app): State<App>, caller: Caller) -> Result<Response, ApiError> {
    let words = caller.parameter("q").unwrap_or_default().to_owned();
    let sets = Sets::by_offset(PlaylistList::Search(words, Order::Newest));
    lists::playlists(&app, caller, Of::Everything, sets).await
}

/// The first 50 readable ids of `ids`; what the caller may not read is left out, like what does not exist.
pub(super) async fn batch(State(app): State<App>, caller: Caller) -> Result<Response, ApiError> {
    let asked = caller.parameter("ids").unwrap_or_default().split(',');
    let mut ids: Vec<PlaylistId> = asked.filter_map(|id| id.trim().parse().ok()).collect();
    ids.truncate(usize::try_from(LIMIT_MAX).expect("50 fits"));
    lists::read(&app, caller, move |reader, caller| {
        let found = reader.playlists(&ids)?;
        let view = View::load(reader, caller, &found, &[], &[])?;
        let seen = found
            .iter()
            .filter(|it| rules::playlist(it, view.relations.block(it.user_id), &caller.viewer))
            .map(|playlist| representation::playlist(playlist, &view));
        let items: Vec<Value> = seen.collect();
        Ok(serde_json::json!({ "collection": items, "next_href": null }))
    })
    .await
}

pub(super) async fn one(
    State(app): State<App>,
    PathId(id): PathId<PlaylistId>,
    caller: Caller,
) -> Result<Response, ApiError> {
    lists::read(&app, caller, move |reader, caller| page(reader, caller, id)).await
}

/// A playlist with its first tracks, as far as the caller sees them; a fixed number of queries.
///
/// # Errors
/// [`ApiError::NotFound`] if there is none, or none for this caller.
pub fn page(reader: &Reader<'_>, caller: &Caller, id: PlaylistId) -> Result<Value, ApiError> {
    let playlist = visible_playlist(reader, caller, id)?;
    whole(reader, caller, &playlist)
}

pub(super) fn whole(reader: &Reader<'_>, caller: &Caller, playlist: &Playlist) -> Result<Value, ApiError> {
    let tracks = reader.tracks_of(&[playlist.id], NESTED_TRACKS)?.remove(&playlist.id).unwrap_or_default();
    let view = View::load(reader, caller, std::slice::from_ref(playlist), &tracks, &[])?;
    let seen = view.seen_in(playlist, &tracks);
    let more = playlist.track_count > i64::from(NESTED_TRACKS);
    let next = format!("/web/playlists/{}/tracks?page=2&per_page={NESTED_TRACKS}", playlist.id);
    Ok(representation::whole_playlist(playlist, &seen, more.then_some(next), &view))
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

/// Pages are cut before hidden tracks are taken out.
pub(super) async fn tracks(
    State(app): State<App>,
    PathId(id): PathId<PlaylistId>,
    caller: Caller,
) -> Result<Response, ApiError> {
    let window = Window::of(&caller, Paging::Numbers);
    lists::read(&app, caller, move |reader, caller| {
        let playlist = visible_playlist(reader, caller, id)?;
        let end = window.offset + u64::from(window.limit);
        let first = u32::try_from(end).expect("an offset is at most 10,000");
        let mut tracks = reader.tracks_of(&[id], first)?.remove(&id).unwrap_or_default();
        tracks
            .drain(..usize::try_from(window.offset).map_or(tracks.len(), |passed| passed.min(tracks.len())));
        let view = View::load(reader, caller, &[], &tracks, &[])?;
        let seen = view.seen_in(&playlist, &tracks).into_iter();
        let items = seen.map(|(track, policing)| representation::track(track, policing, &view)).collect();
        let more = u64::try_from(playlist.track_count).is_ok_and(|count| count > end);
        Ok(window.write(caller, items, more))
    })
    .await
}

pub(super) async fn likers(
    State(app): State<App>,
    PathId(id): PathId<PlaylistId>,
    caller: Caller,
) -> Result<Response, ApiError> {
    lists::users(&app, caller, Of::Playlist(id), UserList::LikersOfPlaylist(id)).await
}

pub(super) async fn reposters(
    State(app): State<App>,
    PathId(id): PathId<PlaylistId>,
    caller: Caller,
) -> Result<Response, ApiError> {
    lists::users(&app, caller, Of::Playlist(id), UserList::RepostersOfPlaylist(id)).await
}

pub(super) async fn related(
    State(app): State<App>,
    PathId(id): PathId<PlaylistId>,
    caller: Caller,
) -> Result<Response, ApiError> {
    let sets = Sets::by_offset(PlaylistList::Related(id));
    lists::playlists(&app, caller, Of::Playlist(id), sets).await
}

pub(super) async fn stats(
    State(app): State<App>,
    PathId(id): PathId<PlaylistId>,
    caller: Caller,
) -> Result<Response, ApiError> {
    lists::read(&app, caller, move |reader, caller| {
        Ok(representation::stats(&visible_playlist(reader, caller, id)?))
    })
    .await
}
