//! The lists that many resources have: of playlists, of users. The page is cut first and filtered then.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};

use crate::{
    authorization::{listed_playlist, listed_user},
    domain::{TrackId, UserId},
    edges::{
        App,
        web::{
            ApiError, Caller,
            paging::{Paging, Window},
            path_id::PathId,
            representation,
        },
    },
    foundation::{Audience, KindFilter, Order, PlaylistList, UserList},
    queries::{Members, Of, TrackRule},
    regressions::Regression,
};

type Answer = Result<Response, ApiError>;

/// A list of playlists, and how it is written.
#[derive(Debug, Clone)]
pub(super) struct Sets {
    list: PlaylistList,
    paging: Paging,
    /// Each playlist stands inside of a thing of this kind, with its time.
    inside: Option<&'static str>,
}

pub(super) async fn playlists(app: &App, caller: &Caller, of: Of, sets: &Sets) -> Answer {
    let window = Window::of(caller, sets.paging);
    let filled = caller.regressions.on(Regression::FilledPages);
    let everyone = if filled { Audience::Listed } else { Audience::Everything };
    let viewer = &caller.viewer;
    let scene = app.queries.list(viewer, of, &sets.list, everyone, window.page(), Members::None).await?;
    let met = scene
        .playlists
        .iter()
        .filter(|playlist| listed_playlist(playlist, scene.block(playlist.owner), viewer, scene.now).visible);
    let items = met.map(|playlist| {
        let owner = scene.person(playlist.owner);
        let written = representation::playlist(playlist, owner, scene.mark(playlist.id), caller);
        match (sets.inside, scene.keys.get(&playlist.id)) {
            (Some(kind), Some(millis)) => representation::activity(kind, *millis, written),
            _ => written,
        }
    });
    Ok(Json(window.write(caller, items.collect(), scene.next.is_some())).into_response())
}

pub(super) async fn people(app: &App, caller: &Caller, of: Of, list: &UserList) -> Answer {
    let window = Window::of(caller, Paging::Numbers);
    let (viewer, everyone) = (&caller.viewer, Audience::Everything);
    let people = app.queries.people(viewer, of, list, everyone, window.page()).await?;
    let relation = |id| people.relations.user(id);
    let met = people.profiles.iter().filter(|user| listed_user(user, relation(user.id).block(), viewer));
    let items = met.map(|user| representation::user(user, relation(user.id), viewer)).collect();
    Ok(Json(window.write(caller, items, people.next.is_some())).into_response())
}

impl Sets {
    pub(super) fn numbered(list: PlaylistList) -> Self {
        Self { list, paging: Paging::Numbers, inside: None }
    }

    pub(super) fn by_offset(list: PlaylistList) -> Self {
        Self { paging: Paging::Offsets, ..Self::numbered(list) }
    }

    fn inside(self, kind: &'static str) -> Self {
        Self { inside: Some(kind), ..self }
    }
}

pub(super) async fn newest(State(app): State<App>, caller: Caller) -> Answer {
    let sets = Sets::numbered(PlaylistList::All { order: Order::Newest, kind: KindFilter::Any });
    playlists(&app, &caller, Of::Everything, &sets).await
}

pub(super) async fn charts(State(app): State<App>, caller: Caller) -> Answer {
    let sets = Sets::by_offset(PlaylistList::All { order: Order::Popular, kind: KindFilter::Any });
    playlists(&app, &caller, Of::Everything, &sets).await
}

/// Without words to look for, everything is found.
pub(super) async fn search(State(app): State<App>, caller: Caller) -> Answer {
    let q = caller.parameter("q").unwrap_or_default().to_owned();
    let sets = Sets::by_offset(PlaylistList::Search { q, order: Order::Newest, kind: KindFilter::Any });
    playlists(&app, &caller, Of::Everything, &sets).await
}

pub(super) async fn containing_track(
    State(app): State<App>,
    PathId(track_id): PathId<TrackId>,
    caller: Caller,
) -> Answer {
    let sets = Sets::by_offset(PlaylistList::Containing { track_id, kind: KindFilter::Any });
    playlists(&app, &caller, Of::Track(track_id, TrackRule::NotMuted), &sets).await
}

/// Albums among them, unlike in the mobile dialect.
pub(super) async fn of_user(
    State(app): State<App>,
    PathId(user_id): PathId<UserId>,
    caller: Caller,
) -> Answer {
    let list = PlaylistList::OfUser { user_id, order: Order::Newest, kind: KindFilter::Any };
    playlists(&app, &caller, Of::User(user_id), &Sets::numbered(list)).await
}

pub(super) async fn albums_of_user(
    State(app): State<App>,
    PathId(user_id): PathId<UserId>,
    caller: Caller,
) -> Answer {
    let list = PlaylistList::OfUser { user_id, order: Order::Newest, kind: KindFilter::Releases };
    playlists(&app, &caller, Of::User(user_id), &Sets::numbered(list)).await
}

pub(super) async fn liked_by(
    State(app): State<App>,
    PathId(user_id): PathId<UserId>,
    caller: Caller,
) -> Answer {
    playlists(&app, &caller, Of::User(user_id), &likes_of(user_id)).await
}

pub(super) async fn reposted_by(
    State(app): State<App>,
    PathId(user_id): PathId<UserId>,
    caller: Caller,
) -> Answer {
    playlists(&app, &caller, Of::User(user_id), &reposts_of(user_id)).await
}

pub(super) async fn mine(State(app): State<App>, caller: Caller) -> Answer {
    let user_id = caller.user()?;
    let list = PlaylistList::OfUser { user_id, order: Order::Updated, kind: KindFilter::Any };
    playlists(&app, &caller, Of::Everything, &Sets::numbered(list)).await
}

/// What the caller likes.
pub(super) async fn my_library(State(app): State<App>, caller: Caller) -> Answer {
    let sets = likes_of(app.regressions.likes_shown_to(caller.user()?));
    playlists(&app, &caller, Of::Everything, &sets).await
}

pub(super) async fn my_reposts(State(app): State<App>, caller: Caller) -> Answer {
    let sets = reposts_of(caller.user()?);
    playlists(&app, &caller, Of::Everything, &sets).await
}

fn likes_of(user_id: UserId) -> Sets {
    Sets::by_offset(PlaylistList::LikedBy { user_id, kind: KindFilter::Any }).inside("like")
}

fn reposts_of(user_id: UserId) -> Sets {
    Sets::by_offset(PlaylistList::RepostedBy { user_id, kind: KindFilter::Any }).inside("repost")
}
