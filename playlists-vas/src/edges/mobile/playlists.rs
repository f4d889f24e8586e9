//! Reading playlists.

use axum::{
    Json,
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
};
use http::HeaderMap;
use serde_json::Value;

use crate::{
    domain::{Cursor, Playlist, PlaylistId, Position},
    edges::{
        App,
        mobile::{
            ApiError, Caller,
            body::{self, BatchBody},
            lists, paging,
            representation::{self, Play},
            urn::{PathTexts, PathUrn},
        },
    },
    foundation::{KindFilter, Lookup, PlaylistList, UserList},
    queries::{Members, Of, Scene},
};

/// More ids in a batch than this are refused.
const BATCH_MAX: usize = 50;

type Answer = Result<Response, ApiError>;

/// In the order asked for; what the caller may not read is left out, like what does not exist.
pub(super) async fn batch(State(app): State<App>, caller: Caller, headers: HeaderMap, body: Body) -> Answer {
    let asked: BatchBody = body::json(&headers, body).await?;
    let ids = asked.ids();
    if ids.len() > BATCH_MAX {
        return Err(ApiError::BadRequest(format!("at most {BATCH_MAX} urns")));
    }
    let scene = app.queries.batch(&caller.viewer, &ids, Members::None).await?;
    Ok(Json(paging::write(lists::items(&caller, &scene), None)).into_response())
}

pub(super) async fn one(State(app): State<App>, PathUrn(id): PathUrn<PlaylistId>, caller: Caller) -> Answer {
    let scene = app.queries.one(&caller.viewer, id, Members::All).await?;
    Ok(Json(whole(&caller, &scene)?).into_response())
}

pub(super) async fn by_permalink(
    State(app): State<App>,
    PathTexts(names): PathTexts,
    caller: Caller,
) -> Answer {
    let Ok([user, permalink]) = <[String; 2]>::try_from(names) else { return Err(ApiError::NotFound) };
    let lookup = Lookup::Playlist { user, permalink };
    let scene = app.queries.named(&caller.viewer, &lookup, Members::All).await?;
    Ok(Json(whole(&caller, &scene)?).into_response())
}

pub(super) async fn by_secret_token(
    State(app): State<App>,
    PathTexts(tokens): PathTexts,
    mut caller: Caller,
) -> Answer {
    let token = tokens.into_iter().next().ok_or(ApiError::NotFound)?;
    caller.viewer.secret_token = Some(token.clone());
    let scene = app.queries.named(&caller.viewer, &Lookup::PlaylistSecret { token }, Members::All).await?;
    Ok(Json(whole(&caller, &scene)?).into_response())
}

/// Goes on after as many tracks as the caller has seen; hidden ones do not count.
pub(super) async fn tracks(
    State(app): State<App>,
    PathUrn(id): PathUrn<PlaylistId>,
    caller: Caller,
) -> Answer {
    let page = paging::page(&caller)?;
    let scene = app.queries.one(&caller.viewer, id, Members::All).await?;
    let seen: Vec<_> = scene
        .members(id)
        .into_iter()
        .filter_map(|(track, access)| Some((track, Play::of(access)?)))
        .collect();
    let passed = match page.position {
        Position::After(cursor) => usize::try_from(cursor.id).unwrap_or(0).min(seen.len()),
        Position::Offset(_) => 0,
    };
    let end = (passed + page.limit as usize).min(seen.len());
    let next = i64::try_from(end).ok().filter(|_| end < seen.len()).map(|id| Cursor { key: 0, id });
    let items = seen[passed..end].iter().map(|(track, play)| {
        representation::track(track, *play, scene.person(track.user_id), &caller.viewer)
    });
    Ok(Json(paging::write(items.collect(), next)).into_response())
}

pub(super) async fn likers(
    State(app): State<App>,
    PathUrn(playlist_id): PathUrn<PlaylistId>,
    caller: Caller,
) -> Answer {
    let list = UserList::LikersOfPlaylist { playlist_id };
    lists::people(&app, &caller, Of::Playlist(playlist_id), &list).await
}

pub(super) async fn reposters(
    State(app): State<App>,
    PathUrn(playlist_id): PathUrn<PlaylistId>,
    caller: Caller,
) -> Answer {
    let list = UserList::RepostersOfPlaylist { playlist_id };
    lists::people(&app, &caller, Of::Playlist(playlist_id), &list).await
}

pub(super) async fn related(
    State(app): State<App>,
    PathUrn(playlist_id): PathUrn<PlaylistId>,
    caller: Caller,
) -> Answer {
    let list = PlaylistList::Related { playlist_id, kind: KindFilter::Any };
    lists::playlists(&app, &caller, Of::Playlist(playlist_id), &list).await
}

pub(super) async fn counts(
    State(app): State<App>,
    PathUrn(id): PathUrn<PlaylistId>,
    caller: Caller,
) -> Answer {
    let scene = app.queries.one(&caller.viewer, id, Members::None).await?;
    let playlist = scene.playlists.first().ok_or(ApiError::NotFound)?;
    Ok(Json(representation::counts(playlist)).into_response())
}

/// The scene's only playlist, with the URNs of the tracks that the caller sees.
pub(super) fn whole(caller: &Caller, scene: &Scene) -> Result<Value, ApiError> {
    let playlist: &Playlist = scene.playlists.first().ok_or(ApiError::NotFound)?;
    let owner = scene.person(playlist.owner);
    let written = representation::playlist(playlist, owner, scene.mark(playlist.id), caller);
    let members = scene.members(playlist.id).into_iter();
    let played = members.filter(|(_, access)| Play::of(*access).is_some());
    Ok(representation::with_tracks(written, played.map(|(track, _)| track.id)))
}
