//! Users, what is theirs, and oneself.

use axum::{extract::State, response::Response};

use crate::{
    app::App,
    domain::UserId,
    mobile::{
        ApiError, Caller,
        lists::{self, Of},
        representation,
        urn::PathUrn,
        view::{View, visible_user},
    },
    store::{KindFilter, Order, PlaylistList, TrackList, UserList},
};

pub(super) async fn one(
    State(app): State<App>,
    PathUrn(id): PathUrn<UserId>,
    caller: Caller,
) -> Result<Response, ApiError> {
    lists::read(&app, caller, move |reader, caller| {
        let user = visible_user(reader, caller, id)?;
        let view = View::load(reader, caller, &[], &[], &[id])?;
        Ok(representation::user(&user, &view))
    })
    .await
}

/// Without albums: those have a list of their own.
pub(super) async fn playlists(
    State(app): State<App>,
    PathUrn(id): PathUrn<UserId>,
    caller: Caller,
) -> Result<Response, ApiError> {
    let list = PlaylistList::OfUser(id, Order::Newest);
    lists::playlists(&app, caller, Of::User(id), list, KindFilter::Playlists).await
}

pub(super) async fn albums(
    State(app): State<App>,
    PathUrn(id): PathUrn<UserId>,
    caller: Caller,
) -> Result<Response, ApiError> {
    let list = PlaylistList::OfUser(id, Order::Newest);
    lists::playlists(&app, caller, Of::User(id), list, KindFilter::Releases).await
}

pub(super) async fn tracks(
    State(app): State<App>,
    PathUrn(id): PathUrn<UserId>,
    caller: Caller,
) -> Result<Response, ApiError> {
    lists::tracks(&app, caller, Of::User(id), TrackList::OfUser(id)).await
}

pub(super) async fn liked_playlists(
    State(app): State<App>,
    PathUrn(id): PathUrn<UserId>,
    caller: Caller,
) -> Result<Response, ApiError> {
    lists::playlists(&app, caller, Of::User(id), PlaylistList::LikedBy(id), KindFilter::Any).await
}

pub(super) async fn reposted_playlists(
    State(app): State<App>,
    PathUrn(id): PathUrn<UserId>,
    caller: Caller,
) -> Result<Response, ApiError> {
    lists::playlists(&app, caller, Of::User(id), PlaylistList::RepostedBy(id), KindFilter::Any).await
}

pub(super) async fn followers(
    State(app): State<App>,
    PathUrn(id): PathUrn<UserId>,
    caller: Caller,
) -> Result<Response, ApiError> {
    lists::users(&app, caller, Of::User(id), UserList::FollowersOf(id)).await
}

pub(super) async fn followings(
    State(app): State<App>,
    PathUrn(id): PathUrn<UserId>,
    caller: Caller,
) -> Result<Response, ApiError> {
    lists::users(&app, caller, Of::User(id), UserList::FollowingsOf(id)).await
}

pub(super) async fn me(State(app): State<App>, caller: Caller) -> Result<Response, ApiError> {
    let id = caller.user()?;
    one(State(app), PathUrn(id), caller).await
}

/// Albums too, the latest changed first.
pub(super) async fn my_playlists(State(app): State<App>, caller: Caller) -> Result<Response, ApiError> {
    let list = PlaylistList::OfUser(caller.user()?, Order::Updated);
    lists::playlists(&app, caller, Of::Everything, list, KindFilter::Any).await
}

pub(super) async fn my_liked_playlists(State(app): State<App>, caller: Caller) -> Result<Response, ApiError> {
    let list = PlaylistList::LikedBy(caller.user()?);
    lists::playlists(&app, caller, Of::Everything, list, KindFilter::Any).await
}

pub(super) async fn my_reposted_playlists(
    State(app): State<App>,
    caller: Caller,
) -> Result<Response, ApiError> {
    let list = PlaylistList::RepostedBy(caller.user()?);
    lists::playlists(&app, caller, Of::Everything, list, KindFilter::Any).await
}
