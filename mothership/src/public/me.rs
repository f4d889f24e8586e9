//! The signed-in user's own corner.

use axum::{extract::State, response::Response};
use serde_json::{Value, json};

use crate::{
    app::App,
    domain::{ConnectionId, PlaylistId, TrackId, UserId},
    public::{
        ApiError, Caller,
        lists::{self, Of, UserShape, visible_playlist, visible_track, visible_user},
        paging,
        path_id::PathId,
        playlists::whole,
        representation,
        tracks::written,
    },
    store::{Audience, KindFilter, Order, PlaylistList, TrackFilter, TrackList, UserList},
};

pub(super) async fn one(State(app): State<App>, caller: Caller) -> Result<Response, ApiError> {
    let id = caller.user()?;
    lists::read(&app, caller, move |reader, caller| {
        Ok(representation::me(&visible_user(reader, caller, id)?, caller))
    })
    .await
}

pub(super) async fn playlists(State(app): State<App>, caller: Caller) -> Result<Response, ApiError> {
    let list = PlaylistList::OfUser(caller.user()?, Order::Newest);
    lists::playlists(&app, caller, Of::Everything, list, KindFilter::Any).await
}

pub(super) async fn liked_playlists(State(app): State<App>, caller: Caller) -> Result<Response, ApiError> {
    let list = PlaylistList::LikedBy(caller.user()?);
    lists::playlists(&app, caller, Of::Everything, list, KindFilter::Any).await
}

pub(super) async fn reposted_playlists(State(app): State<App>, caller: Caller) -> Result<Response, ApiError> {
    let list = PlaylistList::RepostedBy(caller.user()?);
    lists::playlists(&app, caller, Of::Everything, list, KindFilter::Any).await
}

/// One's own only: what others made is not found here, even if it may be seen elsewhere.
pub(super) async fn playlist(
    State(app): State<App>,
    PathId(id): PathId<PlaylistId>,
    caller: Caller,
) -> Result<Response, ApiError> {
    let me = caller.user()?;
    lists::read(&app, caller, move |reader, caller| {
        let playlist = visible_playlist(reader, caller, id)?;
        if playlist.user_id != me {
            return Err(ApiError::NotFound);
        }
        whole(reader, caller, playlist)
    })
    .await
}

/// One's own are shown whatever their access: blocked ones too, if asked for.
pub(super) async fn tracks(State(app): State<App>, caller: Caller) -> Result<Response, ApiError> {
    let list = TrackList::OfUser(caller.user()?);
    lists::tracks(&app, caller, Of::Everything, list, TrackFilter::default()).await
}

pub(super) async fn liked_tracks(State(app): State<App>, caller: Caller) -> Result<Response, ApiError> {
    let list = TrackList::LikedBy(caller.user()?);
    lists::tracks(&app, caller, Of::Everything, list, TrackFilter::default()).await
}

pub(super) async fn tracks_of_followings(
    State(app): State<App>,
    caller: Caller,
) -> Result<Response, ApiError> {
    let list = TrackList::OfFollowings(caller.user()?);
    lists::tracks(&app, caller, Of::Everything, list, TrackFilter::default()).await
}

pub(super) async fn track(
    State(app): State<App>,
    PathId(id): PathId<TrackId>,
    caller: Caller,
) -> Result<Response, ApiError> {
    let me = caller.user()?;
    lists::read(&app, caller, move |reader, caller| {
        let track = visible_track(reader, caller, id)?;
        if track.user_id != me {
            return Err(ApiError::NotFound);
        }
        written(reader, caller, track)
    })
    .await
}

/// Only ids, as a bare array.
pub(super) async fn favorite_ids(State(app): State<App>, caller: Caller) -> Result<Response, ApiError> {
    let list = TrackList::LikedBy(caller.user()?);
    lists::read(&app, caller, move |reader, caller| {
        let audience = Audience::Collection { viewer: caller.viewer.clone(), access: caller.query.access() };
        let page = paging::page(caller);
        Ok(json!(reader.track_ids(&list, &TrackFilter::default(), &audience, page)?.ids()))
    })
    .await
}

pub(super) async fn followers(State(app): State<App>, caller: Caller) -> Result<Response, ApiError> {
    let list = UserList::FollowersOf(caller.user()?);
    lists::users(&app, caller, Of::Everything, list, UserShape::Profile).await
}

pub(super) async fn followings(State(app): State<App>, caller: Caller) -> Result<Response, ApiError> {
    let list = UserList::FollowingsOf(caller.user()?);
    lists::users(&app, caller, Of::Everything, list, UserShape::Profile).await
}

pub(super) async fn follower(
    State(app): State<App>,
    PathId(id): PathId<UserId>,
    caller: Caller,
) -> Result<Response, ApiError> {
    let me = caller.user()?;
    lists::read(&app, caller, move |reader, caller| {
        let user = visible_user(reader, caller, id)?;
        let follows = reader.relations(Some(me), &[id], &[], &[])?.user(id).followed_by;
        if follows { Ok(representation::user(&user, caller)) } else { Err(ApiError::NotFound) }
    })
    .await
}

pub(super) async fn following(
    State(app): State<App>,
    PathId(id): PathId<UserId>,
    caller: Caller,
) -> Result<Response, ApiError> {
    let me = caller.user()?;
    lists::read(&app, caller, move |reader, caller| {
        let user = visible_user(reader, caller, id)?;
        let follows = reader.relations(Some(me), &[id], &[], &[])?.user(id).follows;
        if follows { Ok(representation::user(&user, caller)) } else { Err(ApiError::NotFound) }
    })
    .await
}

pub(super) async fn connections(State(app): State<App>, caller: Caller) -> Result<Response, ApiError> {
    let me = caller.user()?;
    lists::read(&app, caller, move |reader, caller| {
        let skip = usize::try_from(caller.query.offset()).unwrap_or(usize::MAX);
        let all = reader.connections(me)?;
        let page = all.iter().skip(skip).take(caller.query.limit() as usize);
        Ok(Value::Array(page.map(|one| representation::connection(one, caller)).collect()))
    })
    .await
}

pub(super) async fn connection(
    State(app): State<App>,
    PathId(id): PathId<ConnectionId>,
    caller: Caller,
) -> Result<Response, ApiError> {
    let me = caller.user()?;
    lists::read(&app, caller, move |reader, caller| {
        let all = reader.connections(me)?;
        let one = all.iter().find(|connection| connection.id == id).ok_or(ApiError::NotFound)?;
        Ok(representation::connection(one, caller))
    })
    .await
}
