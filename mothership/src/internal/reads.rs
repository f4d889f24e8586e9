//! Reading records by id, and finding ids by name, secret or token.

use axum::{Json, body::Body, extract::State};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    app::App,
    domain::{PlaylistId, TrackId, UserId},
    internal::{
        ApiError,
        bundle::{self, Bundle, Include},
        records,
        requests::{ViewerSpec, read},
    },
    request::read_json,
    store::{Page, TokenState},
};

/// Ids that one call may name.
const IDS_MAX: usize = Page::LIMIT_MAX as usize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Batch<Id> {
    ids: Vec<Id>,
    #[serde(default)]
    viewer: ViewerSpec,
    #[serde(default)]
    include: Vec<Include>,
    /// With `include: ["tracks"]`: tracks per playlist.
    #[serde(default = "all_tracks")]
    first_tracks: u32,
}

pub(super) fn all_tracks() -> u32 {
    u32::MAX
}

pub(super) async fn clock(State(app): State<App>) -> Json<Value> {
    Json(json!({ "now": app.clock.now() }))
}

pub(super) async fn playlists(
    State(app): State<App>,
    body: Body,
) -> Result<Json<Map<String, Value>>, ApiError> {
    let batch: Batch<PlaylistId> = read_batch(body).await?;
    let now = app.clock.now();
    let answer = read(&app, move |reader| {
        let viewer = batch.viewer.resolve(reader, now)?;
        let bundle = Bundle::of_playlists(reader.playlists(&batch.ids)?);
        bundle.write(reader, &viewer, &batch.include, batch.first_tracks)
    });
    Ok(Json(answer.await?))
}

pub(super) async fn tracks(State(app): State<App>, body: Body) -> Result<Json<Map<String, Value>>, ApiError> {
    let batch: Batch<TrackId> = read_batch(body).await?;
    let now = app.clock.now();
    let answer = read(&app, move |reader| {
        let viewer = batch.viewer.resolve(reader, now)?;
        Bundle::of_tracks(reader.tracks(&batch.ids)?).write(reader, &viewer, &batch.include, 0)
    });
    Ok(Json(answer.await?))
}

pub(super) async fn users(State(app): State<App>, body: Body) -> Result<Json<Map<String, Value>>, ApiError> {
    let batch: Batch<UserId> = read_batch(body).await?;
    let now = app.clock.now();
    let answer = read(&app, move |reader| {
        let viewer = batch.viewer.resolve(reader, now)?;
        Bundle::of_users(reader.users(&batch.ids)?).write(reader, &viewer, &batch.include, 0)
    });
    Ok(Json(answer.await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Profiles {
    user_id: UserId,
}

pub(super) async fn profiles(State(app): State<App>, body: Body) -> Result<Json<Value>, ApiError> {
    let Profiles { user_id } = read_json(body).await?;
    let answer = read(&app, move |reader| {
        let web_profiles: Vec<Value> =
            reader.web_profiles(user_id)?.iter().map(records::web_profile).collect();
        let connections: Vec<Value> = reader.connections(user_id)?.iter().map(records::connection).collect();
        Ok(json!({ "web_profiles": web_profiles, "connections": connections }))
    });
    Ok(Json(answer.await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RelationsOf {
    viewer: ViewerSpec,
    #[serde(default)]
    users: Vec<UserId>,
    #[serde(default)]
    tracks: Vec<TrackId>,
    #[serde(default)]
    playlists: Vec<PlaylistId>,
}

pub(super) async fn relations(State(app): State<App>, body: Body) -> Result<Json<Value>, ApiError> {
    let of: RelationsOf = read_json(body).await?;
    for named in [of.users.len(), of.tracks.len(), of.playlists.len()] {
        check_count(named)?;
    }
    let now = app.clock.now();
    let answer = read(&app, move |reader| {
        let viewer = of.viewer.resolve(reader, now)?;
        bundle::relations(reader, viewer.user_id(), &of.users, &of.tracks, &of.playlists)
    });
    Ok(Json(answer.await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Token {
    token: String,
}

/// Never an error: an unknown token is an answer (as in RFC 7662).
pub(super) async fn introspect(State(app): State<App>, body: Body) -> Result<Json<Value>, ApiError> {
    let Token { token } = read_json(body).await?;
    let now = app.clock.now();
    let state = read(&app, move |reader| Ok(reader.token(&token, now)?)).await?;
    let (word, bearer) = match state {
        TokenState::Unknown => ("unknown", None),
        TokenState::Expired(bearer) => ("expired", Some(bearer)),
        TokenState::Valid(bearer) => ("valid", Some(bearer)),
    };
    let mut answer = json!({ "active": word == "valid", "state": word, "now": now });
    if let Some(bearer) = bearer {
        answer["user_id"] = json!(bearer.identity.user_id);
        answer["role"] = json!(bearer.identity.role);
        answer["scope"] = json!(bearer.scope);
        answer["expires_at"] = json!(bearer.expires_at);
    }
    Ok(Json(answer))
}

/// What to look up; exactly one way of naming a thing.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Lookup {
    User { permalink: String },
    Track { user: String, permalink: String },
    Playlist { user: String, permalink: String },
    TrackSecret { token: String },
    PlaylistSecret { token: String },
}

/// `{"found": {"kind", "id"}}`, or null for nothing.
pub(super) async fn lookup(State(app): State<App>, body: Body) -> Result<Json<Value>, ApiError> {
    let lookup: Lookup = read_json(body).await?;
    let found = read(&app, move |reader| {
        let user = |id: UserId| ("user", id.get());
        let track = |id: TrackId| ("track", id.get());
        let playlist = |id: PlaylistId| ("playlist", id.get());
        Ok(match lookup {
            Lookup::User { permalink } => reader.user_by_permalink(&permalink)?.map(|found| user(found.id)),
            Lookup::Track { user, permalink } => {
                reader.track_by_permalink(&user, &permalink)?.map(|found| track(found.id))
            }
            Lookup::Playlist { user, permalink } => {
                reader.playlist_by_permalink(&user, &permalink)?.map(|found| playlist(found.id))
            }
            Lookup::TrackSecret { token } => {
                reader.track_by_secret_token(&token)?.map(|found| track(found.id))
            }
            Lookup::PlaylistSecret { token } => {
                reader.playlist_by_secret_token(&token)?.map(|found| playlist(found.id))
            }
        })
    });
    let found = found.await?.map(|(kind, id)| json!({ "kind": kind, "id": id }));
    Ok(Json(json!({ "found": found })))
}

async fn read_batch<Id: serde::de::DeserializeOwned>(body: Body) -> Result<Batch<Id>, ApiError> {
    let batch: Batch<Id> = read_json(body).await?;
    check_count(batch.ids.len())?;
    Ok(batch)
}

fn check_count(named: usize) -> Result<(), ApiError> {
    if named > IDS_MAX {
        return Err(ApiError::BadRequest(format!("{named} ids: at most {IDS_MAX} in one call")));
    }
    Ok(())
}
