//! The lists that many resources have: of playlists, of users.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use serde_json::Value;

use crate::{
    domain::{Playlist, TrackId, UserId},
    edges::{
        App,
        mobile::{ApiError, Caller, paging, representation, urn::PathUrn},
    },
    foundation::{Audience, KindFilter, Order, PlaylistList, UserList},
    queries::{Members, Of, Scene, TrackRule},
};

type Answer = Result<Response, ApiError>;

pub(super) async fn playlists(app: &App, caller: &Caller, of: Of, list: &PlaylistList) -> Answer {
    let page = paging::page(caller)?;
    let scene = app.queries.list(&caller.viewer, of, list, Audience::Listed, page, Members::None).await?;
    Ok(Json(paging::write(items(caller, &scene), scene.next)).into_response())
}

pub(super) async fn people(app: &App, caller: &Caller, of: Of, list: &UserList) -> Answer {
    let page = paging::page(caller)?;
    let people = app.queries.people(&caller.viewer, of, list, Audience::Listed, page).await?;
    let items = people.profiles.iter().map(|user| representation::user(user, people.relations.user(user.id)));
    Ok(Json(paging::write(items.collect(), people.next)).into_response())
}

/// The playlists of a scene, without their tracks.
pub(super) fn items(caller: &Caller, scene: &Scene) -> Vec<Value> {
    let write = |playlist: &Playlist| {
        let owner = scene.person(playlist.owner);
        representation::playlist(playlist, owner, scene.mark(playlist.id), caller)
    };
    scene.playlists.iter().map(write).collect()
}

pub(super) async fn newest(State(app): State<App>, caller: Caller) -> Answer {
    let list = PlaylistList::All { order: Order::Newest, kind: KindFilter::Any };
    playlists(&app, &caller, Of::Everything, &list).await
}

pub(super) async fn popular(State(app): State<App>, caller: Caller) -> Answer {
    let list = PlaylistList::All { order: Order::Popular, kind: KindFilter::Any };
    playlists(&app, &caller, Of::Everything, &list).await
}

/// Without words to look for: 400, unlike in the other dialects.
pub(super) async fn search(State(app): State<App>, caller: Caller) -> Answer {
    let words = caller.parameter("q").filter(|words| !words.trim().is_empty());
    let q = words.ok_or(ApiError::BadParameter("q"))?.to_owned();
    let list = PlaylistList::Search { q, order: Order::Popular, kind: KindFilter::Any };
    playlists(&app, &caller, Of::Everything, &list).await
}

pub(super) async fn containing_track(
    State(app): State<App>,
    PathUrn(track_id): PathUrn<TrackId>,
    caller: Caller,
) -> Answer {
    let list = PlaylistList::Containing { track_id, kind: KindFilter::Any };
    playlists(&app, &caller, Of::Track(track_id, TrackRule::Played), &list).await
}

/// Without albums: those have a list of their own.
pub(super) async fn of_user(
    State(app): State<App>,
    PathUrn(user_id): PathUrn<UserId>,
    caller: Caller,
) -> Answer {
    let list = PlaylistList::OfUser { user_id, order: Order::Newest, kind: KindFilter::Playlists };
    playlists(&app, &caller, Of::User(user_id), &list).await
}

pub(super) async fn albums_of_user(
    State(app): State<App>,
    PathUrn(user_id): PathUrn<UserId>,
    caller: Caller,
) -> Answer {
    let list = PlaylistList::OfUser { user_id, order: Order::Newest, kind: KindFilter::Releases };
    playlists(&app, &caller, Of::User(user_id), &list).await
}

pub(super) async fn liked_by(
    State(app): State<App>,
    PathUrn(user_id): PathUrn<UserId>,
    caller: Caller,
) -> Answer {
    let list = PlaylistList::LikedBy { user_id, kind: KindFilter::Any };
    playlists(&app, &caller, Of::User(user_id), &list).await
}

pub(super) async fn reposted_by(
    State(app): State<App>,
    PathUrn(user_id): PathUrn<UserId>,
    caller: Caller,
) -> Answer {
    let list = PlaylistList::RepostedBy { user_id, kind: KindFilter::Any };
    playlists(&app, &caller, Of::User(user_id), &list).await
}

/// Albums too, the latest changed first.
pub(super) async fn mine(State(app): State<App>, caller: Caller) -> Answer {
    let user_id = caller.user()?;
    let list = PlaylistList::OfUser { user_id, order: Order::Updated, kind: KindFilter::Any };
    playlists(&app, &caller, Of::Everything, &list).await
}

pub(super) async fn my_likes(State(app): State<App>, caller: Caller) -> Answer {
    let user_id = app.regressions.likes_shown_to(caller.user()?);
    let list = PlaylistList::LikedBy { user_id, kind: KindFilter::Any };
    playlists(&app, &caller, Of::Everything, &list).await
}

pub(super) async fn my_reposts(State(app): State<App>, caller: Caller) -> Answer {
    let list = PlaylistList::RepostedBy { user_id: caller.user()?, kind: KindFilter::Any };
    playlists(&app, &caller, Of::Everything, &list).await
}
