//! The lists that many resources have.

use axum::{extract::State, response::Response};
use http::StatusCode;
use serde_json::Value;

use crate::{
    domain::{TrackId, UserId},
    edges::{
        App,
        public::{caller::Caller, error::ApiError, paging, path_id::PathId, representation, respond},
    },
    foundation::{Audience, KindFilter, Order, PlaylistList, UserList},
    queries::{Members, Of, Scene, TrackRule},
};

/// Playlists in lists show so many of their tracks.
pub(super) const LISTED_TRACKS: usize = 20;

const KIND: KindFilter = KindFilter::Any;

type Answer = Result<Response, ApiError>;

/// A page of playlists with the first of their tracks.
pub(super) async fn playlists(app: &App, caller: &Caller, of: Of, list: &PlaylistList) -> Answer {
    let hide = caller.query.flag("show_tracks") == Some(false);
    let members = if hide { Members::None } else { Members::First(LISTED_TRACKS) };
    let page = paging::page(caller);
    let scene = app.queries.list(&caller.viewer, of, list, Audience::Listed, page, members).await?;
    Ok(respond::json(StatusCode::OK, &paging::write(caller, items(caller, &scene, !hide), scene.next)))
}

/// A page of people, always as a collection.
pub(super) async fn people(app: &App, caller: &Caller, of: Of, list: &UserList) -> Answer {
    let page = paging::page(caller);
    let people = app.queries.people(&caller.viewer, of, list, Audience::Listed, page).await?;
    let items = people.profiles.iter().map(|user| representation::short_user(&user.person(), caller));
    Ok(respond::json(StatusCode::OK, &paging::collection(caller, items.collect(), people.next)))
}

pub(super) fn items(caller: &Caller, scene: &Scene, tracks: bool) -> Vec<Value> {
    let write = |playlist| representation::playlist(playlist, tracks, scene, caller);
    scene.playlists.iter().map(write).collect()
}

pub(super) async fn containing_track(
    State(app): State<App>,
    PathId(track_id): PathId<TrackId>,
    caller: Caller,
) -> Answer {
    let of = Of::Track(track_id, TrackRule::Seen);
    playlists(&app, &caller, of, &PlaylistList::Containing { track_id, kind: KIND }).await
}

pub(super) async fn of_user(
    State(app): State<App>,
    PathId(user_id): PathId<UserId>,
    caller: Caller,
) -> Answer {
    let list = PlaylistList::OfUser { user_id, order: Order::Newest, kind: KIND };
    playlists(&app, &caller, Of::User(user_id), &list).await
}

pub(super) async fn liked_by(
    State(app): State<App>,
    PathId(user_id): PathId<UserId>,
    caller: Caller,
) -> Answer {
    playlists(&app, &caller, Of::User(user_id), &PlaylistList::LikedBy { user_id, kind: KIND }).await
}

pub(super) async fn reposted_by(
    State(app): State<App>,
    PathId(user_id): PathId<UserId>,
    caller: Caller,
) -> Answer {
    playlists(&app, &caller, Of::User(user_id), &PlaylistList::RepostedBy { user_id, kind: KIND }).await
}

pub(super) async fn mine(State(app): State<App>, caller: Caller) -> Answer {
    let list = PlaylistList::OfUser { user_id: caller.user()?, order: Order::Newest, kind: KIND };
    playlists(&app, &caller, Of::Everything, &list).await
}

pub(super) async fn my_likes(State(app): State<App>, caller: Caller) -> Answer {
    let user_id = app.regressions.likes_shown_to(caller.user()?);
    let list = PlaylistList::LikedBy { user_id, kind: KIND };
    playlists(&app, &caller, Of::Everything, &list).await
}

pub(super) async fn my_reposts(State(app): State<App>, caller: Caller) -> Answer {
    let list = PlaylistList::RepostedBy { user_id: caller.user()?, kind: KIND };
    playlists(&app, &caller, Of::Everything, &list).await
}
