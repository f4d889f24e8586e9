//! What those one follows have published, and what one published oneself.

use std::collections::HashMap;

use axum::{extract::State, response::Response};
use serde_json::{Value, json};

use crate::{
    app::App,
    domain::{PlaylistId, TrackId},
    public::{
        ApiError, Caller, lists,
        paging::{self, LastPart},
        representation,
        shelf::{self, LISTED_TRACKS, Members, Met},
    },
    store::{ActivityKind, Audience, FeedItem, FeedOf, Reader},
};

pub(super) async fn everything(State(app): State<App>, caller: Caller) -> Result<Response, ApiError> {
    let of = FeedOf::Followings(caller.user()?);
    answer(&app, caller, of, ActivityKind::TracksAndPlaylists).await
}

pub(super) async fn tracks(State(app): State<App>, caller: Caller) -> Result<Response, ApiError> {
    let of = FeedOf::Followings(caller.user()?);
    answer(&app, caller, of, ActivityKind::TracksOnly).await
}

pub(super) async fn own(State(app): State<App>, caller: Caller) -> Result<Response, ApiError> {
    let of = FeedOf::User(caller.user()?);
    answer(&app, caller, of, ActivityKind::TracksAndPlaylists).await
}

async fn answer(app: &App, caller: Caller, of: FeedOf, kind: ActivityKind) -> Result<Response, ApiError> {
    lists::read(app, caller, move |reader, caller| page(reader, caller, of, kind)).await
}

fn page(reader: &Reader<'_>, caller: &Caller, of: FeedOf, kind: ActivityKind) -> Result<Value, ApiError> {
    let access = caller.query.access();
    let audience = Audience::Collection { viewer: caller.viewer.clone(), access };
    let listed = reader.feed(of, kind, &audience, paging::page(caller))?;
    let (mut track_ids, mut playlist_ids) = (Vec::new(), Vec::new());
    for activity in &listed.items {
        match activity.item {
            FeedItem::Track(id) => track_ids.push(id),
            FeedItem::Playlist(id) => playlist_ids.push(id),
        }
    }
    let (tracks, playlists) = (reader.tracks(&track_ids)?, reader.playlists(&playlist_ids)?);
    let tracks = shelf::tracks(reader, caller, &tracks, Met::Listed, access)?;
    let members = Members::First(LISTED_TRACKS);
    let playlists = shelf::playlists(reader, caller, &playlists, members, Met::Listed)?;
    let mut tracks: HashMap<TrackId, Value> = by_id(tracks);
    let mut playlists: HashMap<PlaylistId, Value> = by_id(playlists);
    let activities = listed.items.iter().filter_map(|activity| {
        let (kind, origin) = match activity.item {
            FeedItem::Track(id) => ("track", tracks.remove(&id)?),
            FeedItem::Playlist(id) => ("playlist", playlists.remove(&id)?),
        };
        Some(json!({ "type": kind, "created_at": representation::time(activity.at), "origin": origin }))
    });
    let activities = activities.collect();
    Ok(paging::collection(caller, activities, listed.next, LastPart::Missing))
}

fn by_id<Id: TryFrom<i64> + Eq + std::hash::Hash>(written: Vec<Value>) -> HashMap<Id, Value> {
    let keyed = written.into_iter().filter_map(|one| Some((Id::try_from(one["id"].as_i64()?).ok()?, one)));
    keyed.collect()
}
