//! Reading playlists.

use axum::{extract::State, response::Response};
use http::StatusCode;
use serde_json::{Value, json};

use crate::{
    domain::PlaylistId,
    edges::{
        App,
        public::{
            caller::Caller,
            error::ApiError,
            lists::{self, LISTED_TRACKS, items},
            paging,
            path_id::{PathId, PathText},
            representation, respond,
        },
    },
    foundation::{KindFilter, Lookup, Order, PlaylistList, UserList},
    queries::{Members, Of, Scene},
    regressions::{Regression, SLOWNESS},
};

type Answer = Result<Response, ApiError>;

/// Search, a batch by ids, or simply the newest.
pub(super) async fn list(State(app): State<App>, caller: Caller) -> Answer {
    if let Some(ids) = caller.query.ids::<PlaylistId>() {
        let scene = app.queries.batch(&caller.viewer, &ids, Members::First(LISTED_TRACKS)).await?;
        let items = items(&caller, &scene, true);
        return Ok(respond::json(StatusCode::OK, &paging::write(&caller, items, None)));
    }
    let order = match caller.query.text("order") {
        Some("hotness") => Order::Popular,
        Some("last_modified") => Order::Updated,
        _ => Order::Newest,
    };
    let kind = KindFilter::Any;
    let list = match caller.query.filled("q") {
        Some(words) => PlaylistList::Search { q: words.to_owned(), order, kind },
        None => PlaylistList::All { order, kind },
    };
    lists::playlists(&app, &caller, Of::Everything, &list).await
}

/// A playlist with all its tracks, as far as the caller sees them.
pub(super) async fn one(State(app): State<App>, PathId(id): PathId<PlaylistId>, caller: Caller) -> Answer {
    let scene = app.queries.one(&caller.viewer, id, members(&caller)).await?;
    Ok(respond::json(StatusCode::OK, &whole(&caller, &scene)?))
}

pub(super) async fn by_secret_token(
    State(app): State<App>,
    PathText(token): PathText,
    mut caller: Caller,
) -> Answer {
    caller.viewer.secret_token = Some(token.clone());
    let lookup = Lookup::PlaylistSecret { token };
    let scene = app.queries.named(&caller.viewer, &lookup, members(&caller)).await?;
    Ok(respond::json(StatusCode::OK, &whole(&caller, &scene)?))
}

/// One's own only: what others made is not found here, even if it may be seen elsewhere.
pub(super) async fn my_own(State(app): State<App>, PathId(id): PathId<PlaylistId>, caller: Caller) -> Answer {
    let me = caller.user()?;
    let scene = app.queries.one(&caller.viewer, id, members(&caller)).await?;
    if scene.playlists.iter().any(|playlist| playlist.owner != me) {
        return Err(ApiError::NotFound);
    }
    Ok(respond::json(StatusCode::OK, &whole(&caller, &scene)?))
}

/// The whole of a playlist is one part: there never is a next one.
pub(super) async fn tracks(State(app): State<App>, PathId(id): PathId<PlaylistId>, caller: Caller) -> Answer {
    let scene = app.queries.one(&caller.viewer, id, Members::All).await?;
    let items = representation::tracks(id, &scene, &caller);
    Ok(respond::json(StatusCode::OK, &paging::write(&caller, items, None)))
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
    if app.regressions.on(Regression::SlowRelated) {
        tokio::time::sleep(SLOWNESS).await;
    }
    let list = PlaylistList::Related { playlist_id, kind: KindFilter::Any };
    lists::playlists(&app, &caller, Of::Playlist(playlist_id), &list).await
}

/// `likes_count` is exact here, unlike everywhere else on the edge.
pub(super) async fn counts(State(app): State<App>, PathId(id): PathId<PlaylistId>, caller: Caller) -> Answer {
    let scene = app.queries.one(&caller.viewer, id, Members::None).await?;
    let playlist = scene.playlists.first().ok_or(ApiError::NotFound)?;
    let mut counts = playlist.counts;
    if app.regressions.on(Regression::CountOffByOne) {
        counts.likes = (counts.likes - 1).max(0);
    }
    let written = json!({
        "id": playlist.id,
        "track_count": counts.tracks,
        "duration": counts.duration_ms,
        "likes_count": counts.likes,
        "indexed_likes_count": counts.indexed_likes,
        "reposts_count": counts.reposts,
    });
    Ok(respond::json(StatusCode::OK, &written))
}

pub(super) fn members(caller: &Caller) -> Members {
    if caller.query.flag("show_tracks") == Some(false) { Members::None } else { Members::All }
}

/// The one playlist of a scene.
pub(super) fn whole(caller: &Caller, scene: &Scene) -> Result<Value, ApiError> {
    let playlist = scene.playlists.first().ok_or(ApiError::NotFound)?;
    Ok(representation::playlist(playlist, members(caller) != Members::None, scene, caller))
}
