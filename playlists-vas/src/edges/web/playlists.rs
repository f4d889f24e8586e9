//! Reading playlists.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use crate::{
    domain::{Playlist, PlaylistId},
    edges::{
        App,
        web::{
            ApiError, Caller,
            lists::{self, Sets},
            paging::{LIMIT_MAX, Paging, Window},
            path_id::{PathId, PathTexts},
            representation,
        },
    },
    foundation::{KindFilter, Lookup, PlaylistList, UserList},
    queries::{Members, Of, Scene},
};

type Answer = Result<Response, ApiError>;

/// A playlist has so many of its tracks nested in it; the rest are a link away.
const NESTED_TRACKS: usize = 50;
pub(super) const NESTED: Members = Members::First(NESTED_TRACKS);

/// The first 50 readable ids of `ids`; what the caller may not read is left out, like what does not exist.
pub(super) async fn batch(State(app): State<App>, caller: Caller) -> Answer {
    let asked = caller.parameter("ids").unwrap_or_default().split(',');
    let mut ids: Vec<PlaylistId> = asked.filter_map(|id| id.trim().parse().ok()).collect();
    ids.truncate(usize::try_from(LIMIT_MAX).expect("50 fits"));
    let scene = app.queries.batch(&caller.viewer, &ids, Members::None).await?;
    let items = scene.playlists.iter().map(|playlist| head(&caller, &scene, playlist));
    let items: Vec<Value> = items.collect();
    Ok(Json(json!({ "collection": items, "next_href": null })).into_response())
}

pub(super) async fn one(State(app): State<App>, PathId(id): PathId<PlaylistId>, caller: Caller) -> Answer {
    let scene = app.queries.one(&caller.viewer, id, NESTED).await?;
    Ok(Json(whole(&caller, &scene)?).into_response())
}

pub(super) async fn by_permalink(
    State(app): State<App>,
    PathTexts(names): PathTexts,
    caller: Caller,
) -> Answer {
    let Ok([user, permalink]) = <[String; 2]>::try_from(names) else { return Err(ApiError::NotFound) };
    let lookup = Lookup::Playlist { user, permalink };
    let scene = app.queries.named(&caller.viewer, &lookup, NESTED).await?;
    Ok(Json(whole(&caller, &scene)?).into_response())
}

pub(super) async fn by_secret_token(
    State(app): State<App>,
    PathTexts(tokens): PathTexts,
    mut caller: Caller,
) -> Answer {
    let token = tokens.into_iter().next().ok_or(ApiError::NotFound)?;
    caller.viewer.secret_token = Some(token.clone());
    let scene = app.queries.named(&caller.viewer, &Lookup::PlaylistSecret { token }, NESTED).await?;
    Ok(Json(whole(&caller, &scene)?).into_response())
}

/// Pages are cut before hidden tracks are taken out.
pub(super) async fn tracks(State(app): State<App>, PathId(id): PathId<PlaylistId>, caller: Caller) -> Answer {
    let window = Window::of(&caller, Paging::Numbers);
    let skip = usize::try_from(window.offset).expect("an offset is at most 10,000");
    let members = Members::Some { skip, take: window.limit as usize };
    let scene = app.queries.one(&caller.viewer, id, members).await?;
    let playlist = scene.playlists.first().ok_or(ApiError::NotFound)?;
    let more = u64::try_from(playlist.counts.tracks).is_ok_and(|count| count > window.end());
    Ok(Json(window.write(&caller, seen(&caller, &scene, id), more)).into_response())
}

pub(super) async fn likers(
    State(app): State<App>,
    PathId(playlist_id): PathId<PlaylistId>,
    caller: Caller,
) -> Answer {
    let list = UserList::LikersOfPlaylist { playlist_id };
    lists::people(&app, &caller, Of::Playlist(playlist_id), &list).await
}

pub(super) async fn reposters(
    State(app): State<App>,
    PathId(playlist_id): PathId<PlaylistId>,
    caller: Caller,
) -> Answer {
    let list = UserList::RepostersOfPlaylist { playlist_id };
    lists::people(&app, &caller, Of::Playlist(playlist_id), &list).await
}

pub(super) async fn related(
    State(app): State<App>,
    PathId(playlist_id): PathId<PlaylistId>,
    caller: Caller,
) -> Answer {
    let sets = Sets::by_offset(PlaylistList::Related { playlist_id, kind: KindFilter::Any });
    lists::playlists(&app, &caller, Of::Playlist(playlist_id), &sets).await
}

pub(super) async fn stats(State(app): State<App>, PathId(id): PathId<PlaylistId>, caller: Caller) -> Answer {
    let scene = app.queries.one(&caller.viewer, id, Members::None).await?;
    let playlist = scene.playlists.first().ok_or(ApiError::NotFound)?;
    Ok(Json(representation::stats(playlist)).into_response())
}

/// The scene's only playlist, with its first tracks as far as the caller sees them.
pub(super) fn whole(caller: &Caller, scene: &Scene) -> Result<Value, ApiError> {
    let playlist = scene.playlists.first().ok_or(ApiError::NotFound)?;
    let more = usize::try_from(playlist.counts.tracks).is_ok_and(|count| count > NESTED_TRACKS);
    let next = format!("/web/playlists/{}/tracks?page=2&per_page={NESTED_TRACKS}", playlist.id);
    let tracks = seen(caller, scene, playlist.id);
    Ok(representation::with_tracks(head(caller, scene, playlist), tracks, more.then_some(next)))
}

/// Without its tracks.
fn head(caller: &Caller, scene: &Scene, playlist: &Playlist) -> Value {
    let owner = scene.person(playlist.owner);
    representation::playlist(playlist, owner, scene.mark(playlist.id), caller)
}

fn seen(caller: &Caller, scene: &Scene, id: PlaylistId) -> Vec<Value> {
    let write = |(track, access): (&crate::domain::Track, _)| {
        representation::track(track, access, scene.person(track.user_id), &caller.viewer)
    };
    scene.members(id).into_iter().map(write).collect()
}
