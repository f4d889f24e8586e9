//! Users and what is theirs.

use axum::{extract::State, response::Response};
use serde_json::Value;

use crate::{
    app::App,
    domain::UserId,
    public::{
        ApiError, Caller,
        lists::{self, Of, UserShape, visible_user},
        paging::{self, LastPart},
        path_id::{PathId, PathIds},
        representation,
    },
    store::{KindFilter, Order, PlaylistList, TrackFilter, TrackList, UserList},
    visibility::read_user,
};

/// Search, a batch by ids, or simply the newest.
pub(super) async fn list(State(app): State<App>, caller: Caller) -> Result<Response, ApiError> {
    if let Some(ids) = caller.query.ids::<UserId>() {
        return lists::read(&app, caller, move |reader, caller| {
            let found = reader.users(&ids)?.into_iter().filter(|user| read_user(user, &caller.viewer));
            let items = found.map(|user| representation::user(&user, caller)).collect();
            Ok(paging::write(caller, items, None, LastPart::Missing))
        })
        .await;
    }
    let list = match caller.query.filled("q") {
        Some(words) => UserList::Search(words.to_owned()),
        None => UserList::All,
    };
    lists::users(&app, caller, Of::Everything, list, UserShape::Profile).await
}

pub(super) async fn one(
    State(app): State<App>,
    PathId(id): PathId<UserId>,
    caller: Caller,
) -> Result<Response, ApiError> {
    lists::read(&app, caller, move |reader, caller| {
        Ok(representation::complete_user(&visible_user(reader, caller, id)?, caller))
    })
    .await
}

pub(super) async fn followers(
    State(app): State<App>,
    PathId(id): PathId<UserId>,
    caller: Caller,
) -> Result<Response, ApiError> {
    lists::users(&app, caller, Of::User(id), UserList::FollowersOf(id), UserShape::Profile).await
}

pub(super) async fn followings(
    State(app): State<App>,
    PathId(id): PathId<UserId>,
    caller: Caller,
) -> Result<Response, ApiError> {
    lists::users(&app, caller, Of::User(id), UserList::FollowingsOf(id), UserShape::Profile).await
}

/// The followed user, if the one follows the other.
pub(super) async fn following(
    State(app): State<App>,
    PathIds(follower, followed): PathIds<UserId, UserId>,
    caller: Caller,
) -> Result<Response, ApiError> {
    lists::read(&app, caller, move |reader, caller| {
        visible_user(reader, caller, follower)?;
        let user = visible_user(reader, caller, followed)?;
        let follows = reader.relations(Some(follower), &[followed], &[], &[])?.user(followed).follows;
        if follows { Ok(representation::complete_user(&user, caller)) } else { Err(ApiError::NotFound) }
    })
    .await
}

pub(super) async fn playlists(
    State(app): State<App>,
    PathId(id): PathId<UserId>,
    caller: Caller,
) -> Result<Response, ApiError> {
    let list = PlaylistList::OfUser(id, Order::Newest);
    lists::playlists(&app, caller, Of::User(id), list, KindFilter::Any).await
}

pub(super) async fn liked_playlists(
    State(app): State<App>,
    PathId(id): PathId<UserId>,
    caller: Caller,
) -> Result<Response, ApiError> {
    lists::playlists(&app, caller, Of::User(id), PlaylistList::LikedBy(id), KindFilter::Any).await
}

pub(super) async fn reposted_playlists(
    State(app): State<App>,
    PathId(id): PathId<UserId>,
    caller: Caller,
) -> Result<Response, ApiError> {
    lists::playlists(&app, caller, Of::User(id), PlaylistList::RepostedBy(id), KindFilter::Any).await
}

pub(super) async fn tracks(
    State(app): State<App>,
    PathId(id): PathId<UserId>,
    caller: Caller,
) -> Result<Response, ApiError> {
    lists::tracks(&app, caller, Of::User(id), TrackList::OfUser(id), TrackFilter::default()).await
}

pub(super) async fn liked_tracks(
    State(app): State<App>,
    PathId(id): PathId<UserId>,
    caller: Caller,
) -> Result<Response, ApiError> {
    lists::tracks(&app, caller, Of::User(id), TrackList::LikedBy(id), TrackFilter::default()).await
}

pub(super) async fn web_profiles(
    State(app): State<App>,
    PathId(id): PathId<UserId>,
    caller: Caller,
) -> Result<Response, ApiError> {
    lists::read(&app, caller, move |reader, caller| {
        visible_user(reader, caller, id)?;
        let limit = caller.query.limit() as usize;
        let profiles = reader.web_profiles(id)?;
        Ok(Value::Array(profiles.iter().take(limit).map(representation::web_profile).collect()))
    })
    .await
}
