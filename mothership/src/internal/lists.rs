//! Lists: pages of ids, with the records along if they are included.

use axum::{Json, body::Body, extract::State};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    app::App,
    domain::{PlaylistId, TrackId, UserId},
    internal::{
        ApiError,
        bundle::{Bundle, Include},
        reads::all_tracks,
        records,
        requests::{AudienceSpec, PageSpec, ViewerSpec, read},
    },
    request::read_json,
    store::{
        ActivityKind, CommentList, FeedItem, FeedOf, KindFilter, ListedId, Order, Paged, PlaylistList, Range,
        TrackFilter, TrackList, UserList,
    },
};

/// A call: the list, and what all lists take.
#[derive(Deserialize)]
#[serde(bound = "L: Deserialize<'de>")]
struct Call<L> {
    list: L,
    #[serde(default)]
    viewer: ViewerSpec,
    #[serde(default)]
    audience: AudienceSpec,
    #[serde(flatten)]
    page: PageSpec,
    /// Also say how many items all pages have together (walks the list).
    #[serde(default)]
    count: bool,
    /// Also the records of the listed ids.
    #[serde(default)]
    records: bool,
    /// With `records`.
    #[serde(default)]
    include: Vec<Include>,
    #[serde(default = "all_tracks")]
    first_tracks: u32,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
enum PlaylistListSpec {
    All {
        #[serde(default)]
        order: OrderSpec,
        #[serde(default)]
        kind: KindSpec,
    },
    Search {
        q: String,
        #[serde(default)]
        order: OrderSpec,
        #[serde(default)]
        kind: KindSpec,
    },
    OfUser {
        user_id: UserId,
        #[serde(default)]
        order: OrderSpec,
        #[serde(default)]
        kind: KindSpec,
    },
    LikedBy {
        user_id: UserId,
        #[serde(default)]
        kind: KindSpec,
    },
    RepostedBy {
        user_id: UserId,
        #[serde(default)]
        kind: KindSpec,
    },
    Containing {
        track_id: TrackId,
        #[serde(default)]
        kind: KindSpec,
    },
    Related {
        playlist_id: PlaylistId,
        #[serde(default)]
        kind: KindSpec,
    },
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum OrderSpec {
    #[default]
    Newest,
    Updated,
    Popular,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum KindSpec {
    #[default]
    Any,
    Playlists,
    Releases,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
enum TrackListSpec {
    All {
        #[serde(default)]
        filter: FilterSpec,
    },
    Search {
        q: String,
        #[serde(default)]
        filter: FilterSpec,
    },
    OfUser {
        user_id: UserId,
    },
    LikedBy {
        user_id: UserId,
    },
    RepostedBy {
        user_id: UserId,
    },
    Related {
        track_id: TrackId,
    },
    OfFollowings {
        user_id: UserId,
    },
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct FilterSpec {
    genres: Vec<String>,
    tags: Vec<String>,
    bpm: RangeSpec,
    duration_ms: RangeSpec,
    /// In milliseconds since 1970.
    created_at: RangeSpec,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RangeSpec {
    from: Option<i64>,
    to: Option<i64>,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
enum UserListSpec {
    All,
    Search { q: String },
    FollowersOf { user_id: UserId },
    FollowingsOf { user_id: UserId },
    LikersOfPlaylist { playlist_id: PlaylistId },
    RepostersOfPlaylist { playlist_id: PlaylistId },
    LikersOfTrack { track_id: TrackId },
    RepostersOfTrack { track_id: TrackId },
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
enum CommentListSpec {
    OfTrack { track_id: TrackId },
    ByUser { user_id: UserId },
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
enum FeedSpec {
    Followings {
        user_id: UserId,
        #[serde(default)]
        tracks_only: bool,
    },
    User {
        user_id: UserId,
        #[serde(default)]
        tracks_only: bool,
    },
}

pub(super) async fn playlists(State(app): State<App>, body: Body) -> Result<Json<Value>, ApiError> {
    let call: Call<PlaylistListSpec> = read_json(body).await?;
    let page = call.page.page()?;
    let now = app.clock.now();
    let answer = read(&app, move |reader| {
        let viewer = call.viewer.resolve(reader, now)?;
        let audience = call.audience.of(&viewer);
        let (list, kind) = call.list.resolve();
        let listed = reader.playlist_ids(&list, kind, &audience, page)?;
        let mut answer = if call.records {
            let bundle = Bundle::of_playlists(reader.playlists(&listed.ids())?);
            bundle.write(reader, &viewer, &call.include, call.first_tracks)?
        } else {
            Map::new()
        };
        write_page(&mut answer, &listed);
        if call.count {
            answer.insert("total".to_owned(), json!(reader.count_playlists(&list, kind, &audience)?));
        }
        Ok(Value::Object(answer))
    });
    Ok(Json(answer.await?))
}

pub(super) async fn tracks(State(app): State<App>, body: Body) -> Result<Json<Value>, ApiError> {
    let call: Call<TrackListSpec> = read_json(body).await?;
    let page = call.page.page()?;
    let now = app.clock.now();
    let answer = read(&app, move |reader| {
        let viewer = call.viewer.resolve(reader, now)?;
        let audience = call.audience.of(&viewer);
        let (list, filter) = call.list.resolve();
        let listed = reader.track_ids(&list, &filter, &audience, page)?;
        let mut answer = if call.records {
            let bundle = Bundle::of_tracks(reader.tracks(&listed.ids())?);
            bundle.write(reader, &viewer, &call.include, 0)?
        } else {
            Map::new()
        };
        write_page(&mut answer, &listed);
        if call.count {
            answer.insert("total".to_owned(), json!(reader.count_tracks(&list, &filter, &audience)?));
        }
        Ok(Value::Object(answer))
    });
    Ok(Json(answer.await?))
}

pub(super) async fn users(State(app): State<App>, body: Body) -> Result<Json<Value>, ApiError> {
    let call: Call<UserListSpec> = read_json(body).await?;
    let page = call.page.page()?;
    let now = app.clock.now();
    let answer = read(&app, move |reader| {
        let viewer = call.viewer.resolve(reader, now)?;
        let audience = call.audience.of(&viewer);
        let list = call.list.resolve();
        let listed = reader.user_ids(&list, &audience, page)?;
        let mut answer = if call.records {
            Bundle::of_users(reader.users(&listed.ids())?).write(reader, &viewer, &call.include, 0)?
        } else {
            Map::new()
        };
        write_page(&mut answer, &listed);
        if call.count {
            answer.insert("total".to_owned(), json!(reader.count_users(&list, &audience)?));
        }
        Ok(Value::Object(answer))
    });
    Ok(Json(answer.await?))
}

/// Comments come as records; `include` adds their authors and, for comments by a user, nothing more.
pub(super) async fn comments(State(app): State<App>, body: Body) -> Result<Json<Value>, ApiError> {
    let call: Call<CommentListSpec> = read_json(body).await?;
    let page = call.page.page()?;
    let now = app.clock.now();
    let answer = read(&app, move |reader| {
        let viewer = call.viewer.resolve(reader, now)?;
        let audience = call.audience.of(&viewer);
        let list = match call.list {
            CommentListSpec::OfTrack { track_id } => CommentList::OfTrack(track_id),
            CommentListSpec::ByUser { user_id } => CommentList::ByUser(user_id),
        };
        let listed = reader.comment_page(list, &audience, page)?;
        let authors = listed.items.iter().map(|comment| comment.user_id);
        let mut answer = Bundle::default().mention(authors).write(reader, &viewer, &call.include, 0)?;
        answer.insert("comments".to_owned(), listed.items.iter().map(records::comment).collect());
        answer.insert("next_cursor".to_owned(), json!(listed.next.map(|next| next.to_string())));
        if call.count {
            answer.insert("total".to_owned(), json!(reader.count_comments(list, &audience)?));
        }
        Ok(Value::Object(answer))
    });
    Ok(Json(answer.await?))
}

pub(super) async fn feed(State(app): State<App>, body: Body) -> Result<Json<Value>, ApiError> {
    let call: Call<FeedSpec> = read_json(body).await?;
    let page = call.page.page()?;
    let now = app.clock.now();
    let answer = read(&app, move |reader| {
        let viewer = call.viewer.resolve(reader, now)?;
        let (of, tracks_only) = match call.list {
            FeedSpec::Followings { user_id, tracks_only } => (FeedOf::Followings(user_id), tracks_only),
            FeedSpec::User { user_id, tracks_only } => (FeedOf::User(user_id), tracks_only),
        };
        let kind = if tracks_only { ActivityKind::TracksOnly } else { ActivityKind::TracksAndPlaylists };
        let listed = reader.feed(of, kind, &call.audience.of(&viewer), page)?;
        let (mut tracks, mut playlists) = (Vec::new(), Vec::new());
        let mut activities = Vec::new();
        for activity in &listed.items {
            let (kind, id) = match activity.item {
                FeedItem::Track(id) => {
                    tracks.push(id);
                    ("track", id.get())
                }
                FeedItem::Playlist(id) => {
                    playlists.push(id);
                    ("playlist", id.get())
                }
            };
            activities.push(json!({ "kind": kind, "id": id, "at": activity.at }));
        }
        let mut answer = if call.records {
            let bundle =
                Bundle::of_playlists(reader.playlists(&playlists)?).and_tracks(reader.tracks(&tracks)?);
            bundle.write(reader, &viewer, &call.include, call.first_tracks)?
        } else {
            Map::new()
        };
        answer.insert("activities".to_owned(), Value::Array(activities));
        answer.insert("next_cursor".to_owned(), json!(listed.next.map(|next| next.to_string())));
        Ok(Value::Object(answer))
    });
    Ok(Json(answer.await?))
}

/// `ids` in order with their keys, and `next_cursor`.
fn write_page<Id: Copy + serde::Serialize>(answer: &mut Map<String, Value>, listed: &Paged<ListedId<Id>>) {
    let ids = listed.items.iter().map(|item| json!({ "id": item.id, "key": item.key })).collect();
    answer.insert("ids".to_owned(), ids);
    answer.insert("next_cursor".to_owned(), json!(listed.next.map(|next| next.to_string())));
}

impl PlaylistListSpec {
    fn resolve(self) -> (PlaylistList, KindFilter) {
        let (list, kind) = match self {
            Self::All { order, kind } => (PlaylistList::All(order.resolve()), kind),
            Self::Search { q, order, kind } => (PlaylistList::Search(q, order.resolve()), kind),
            Self::OfUser { user_id, order, kind } => (PlaylistList::OfUser(user_id, order.resolve()), kind),
            Self::LikedBy { user_id, kind } => (PlaylistList::LikedBy(user_id), kind),
            Self::RepostedBy { user_id, kind } => (PlaylistList::RepostedBy(user_id), kind),
            Self::Containing { track_id, kind } => (PlaylistList::Containing(track_id), kind),
            Self::Related { playlist_id, kind } => (PlaylistList::Related(playlist_id), kind),
        };
        let kind = match kind {
            KindSpec::Any => KindFilter::Any,
            KindSpec::Playlists => KindFilter::Playlists,
            KindSpec::Releases => KindFilter::Releases,
        };
        (list, kind)
    }
}

impl OrderSpec {
    fn resolve(self) -> Order {
        match self {
            Self::Newest => Order::Newest,
            Self::Updated => Order::Updated,
            Self::Popular => Order::Popular,
        }
    }
}

impl TrackListSpec {
    fn resolve(self) -> (TrackList, TrackFilter) {
        let plain = TrackFilter::default();
        match self {
            Self::All { filter } => (TrackList::All, filter.resolve()),
            Self::Search { q, filter } => (TrackList::Search(q), filter.resolve()),
            Self::OfUser { user_id } => (TrackList::OfUser(user_id), plain),
            Self::LikedBy { user_id } => (TrackList::LikedBy(user_id), plain),
            Self::RepostedBy { user_id } => (TrackList::RepostedBy(user_id), plain),
            Self::Related { track_id } => (TrackList::Related(track_id), plain),
            Self::OfFollowings { user_id } => (TrackList::OfFollowings(user_id), plain),
        }
    }
}

impl FilterSpec {
    fn resolve(self) -> TrackFilter {
        let range = |RangeSpec { from, to }| Range { from, to };
        TrackFilter {
            genres: self.genres,
            tags: self.tags,
            bpm: range(self.bpm),
            duration_ms: range(self.duration_ms),
            created_at: range(self.created_at),
        }
    }
}

impl UserListSpec {
    fn resolve(self) -> UserList {
        match self {
            Self::All => UserList::All,
            Self::Search { q } => UserList::Search(q),
            Self::FollowersOf { user_id } => UserList::FollowersOf(user_id),
            Self::FollowingsOf { user_id } => UserList::FollowingsOf(user_id),
            Self::LikersOfPlaylist { playlist_id } => UserList::LikersOfPlaylist(playlist_id),
            Self::RepostersOfPlaylist { playlist_id } => UserList::RepostersOfPlaylist(playlist_id),
            Self::LikersOfTrack { track_id } => UserList::LikersOfTrack(track_id),
            Self::RepostersOfTrack { track_id } => UserList::RepostersOfTrack(track_id),
        }
    }
}
