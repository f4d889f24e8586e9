//! Users, what is theirs, and oneself.

use axum::{extract::State, response::Response};

use crate::{
    app::App,
    domain::UserId,
    store::{KindFilter, Order, PlaylistList, TrackList, UserList},
    web::{
        ApiError, Caller,
        lists::{self, Of, Sets},
        path_id::PathId,
        representation,
        view::{View, visible_user},
    },
};

pub(super) async fn one(
    State(app): State<App>,
    PathId(id): PathId<UserId>,
    caller: Caller,
) -> Result<Response, ApiError> {
    lists::read(&app, caller, move |reader, caller| {
        let user = visible_user(reader, caller, id)?;
        let view = View::load(reader, caller, &[], &[], &[id])?;
        Ok(representation::user(&user, &view))
    })
    .await
}

/// Albums among them, unlike in the mobile dialect.
pub(super) async fn playlists(
    State(app): State<App>,
    PathId(id): PathId<UserId>,
    caller: Caller,
) -> Result<Response, ApiError> {
    let sets = Sets::numbered(PlaylistList::OfUser(id, Order::Newest));
    lists::playlists(&app, caller, Of::User(id), sets).await
}

pub(super) async fn albums(
    State(app): State<App>,
    PathId(id): PathId<UserId>,
    caller: Caller,
) -> Result<Response, ApiError> {
    let sets = Sets::numbered(PlaylistList::OfUser(id, Order::Newest)).of_kind(KindFilter::Releases);
    lists::playlists(&app, caller, Of::User(id), sets).await
}

pub(super) async fn liked_playlists(
    State(app): State<App>,
    PathId(id): PathId<UserId>,
    caller: Caller,
) -> Result<Response, ApiError> {
    let sets = Sets::by_offset(PlaylistList::LikedBy(id)).inside("like");
    lists::playlists(&app, caller, Of::User(id), sets).await
}

pub(super) async fn reposted_playlists(
    State(app): State<App>,
    PathId(id): PathId<UserId>,
    caller: Caller,
) -> Result<Response, ApiError> {
    let sets = Sets::by_offset(PlaylistList::RepostedBy(id)).inside("repost");
    lists::playlists(&app, caller, Of::User(id), sets).await
}

pub(super) async fn tracks(
    State(app): State<App>,
    PathId(id): PathId<UserId>,
    caller: Caller,
) -> Result<Response, ApiError> {
    lists::tracks(&app, caller, Of::User(id), TrackList::OfUser(id)).await
}

pub(super) async fn followers(
    State(app): State<App>,
    PathId(id): PathId<UserId>,
    caller: Caller,
) -> Result<Response, ApiError> {
    lists::users(&app, caller, Of::User(id), UserList::FollowersOf(id)).await
}

pub(super) async fn followings(
    State(app): State<App>,
    PathId(id): PathId<UserId>,
    caller: Caller,
) -> Result<Response, ApiError> {
    lists::users(&app, caller, Of::User(id), UserList::FollowingsOf(id)).await
}

pub(super) async fn me(State(app): State<App>, caller: Caller) -> Result<Response, ApiError> {
    let id = caller.user()?;
    one(State(app), PathId(id), caller).await
}

pub(super) async fn my_playlists(State(app): State<App>, caller: Caller) -> Result<Response, ApiError> {
    let sets = Sets::numbered(PlaylistList::OfUser(caller.user()?, Order::Updated));
    lists::playlists(&app, caller, Of::Everything, sets).await
}

/// What the caller likes.
pub(super) async fn my_library(State(app): State<App>, caller: Caller) -> Result<Response, ApiError> {
    let sets = Sets::by_offset(PlaylistList::LikedBy(caller.user()?)).inside("like");
    lists::playlists(&app, caller, Of::Everything, sets).await
}

pub(super) async fn my_reposted_playlists(
    State(app): State<App>,
    caller: Caller,
) -> Result<Response, ApiError> {
    let sets = Sets::by_offset(PlaylistList::RepostedBy(caller.user()?)).inside("repost");
    lists::playlists(&app, caller, Of::Everything, sets).await
}
