//! How the dialect writes each thing: every key always, null where there is no value or an empty one; camelCase where
//! the site's second generation of scripts reads it and snake_case where the first does.

use serde_json::{Value, json};

use crate::{
    domain::{Access, Mark, Person, Playlist, Profile, Sharing, Timestamp, Track, UserRelation, Viewer},
    edges::web::Caller,
    regressions::Regression,
};

pub(super) fn playlist(playlist: &Playlist, owner: Option<&Person>, mark: Mark, caller: &Caller) -> Value {
    let on = |regression| caller.regressions.on(regression);
    let viewer = &caller.viewer;
    let mine = viewer.is(playlist.owner) || on(Regression::SecretToken);
    let mut written = json!({
        "id": playlist.id,
        "kind": "set",
        "setType": playlist.kind,
        "title": playlist.title,
        "permalink": playlist.permalink,
        "permalinkPath": path(owner, &format!("sets/{}", playlist.permalink)),
        "sharing": playlist.sharing,
        "durationMs": playlist.counts.duration_ms,
        "track_count": playlist.counts.tracks,
        "likesCount": playlist.counts.likes,
        "reposts_count": playlist.counts.reposts,
        "description": filled(playlist.description.as_deref()),
        "genre": filled(playlist.genre.as_deref()),
        "tagList": filled(Some(&playlist.tag_list)),
        "artwork_url": filled(playlist.artwork_url.as_deref()),
        "labelName": filled(playlist.label.name.as_deref()),
        "purchase_url": filled(playlist.purchase.url.as_deref()),
        "releaseDate": playlist.release.at.map(|at| at.as_jiff().strftime("%d.%m.%Y").to_string()),
        "createdAt": long_time(playlist.created_at),
        "last_modified": seconds(playlist.last_modified),
        "secretToken": mine.then(|| playlist.secret.reveal()),
        "owner": owner.map(short_user),
        "viewer": marks(mark, viewer),
    });
    if on(Regression::MillisecondTimes) {
        written["last_modified"] = json!(playlist.last_modified.millis());
    }
    written
}

/// With its first tracks as a nested collection.
pub(super) fn with_tracks(mut written: Value, tracks: Vec<Value>, next_href: Option<String>) -> Value {
    written["tracks"] = json!({ "collection": tracks, "next_href": next_href });
    written
}

pub(super) fn stats(playlist: &Playlist) -> Value {
    json!({
        "playlistId": playlist.id,
        "likes": playlist.counts.likes,
        "indexedLikes": playlist.counts.indexed_likes,
        "reposts": playlist.counts.reposts,
        "tracks": playlist.counts.tracks,
        "durationMs": playlist.counts.duration_ms,
    })
}

pub(super) fn track(track: &Track, access: Access, owner: Option<&Person>, viewer: &Viewer) -> Value {
    let secret = viewer.is(track.user_id) && track.sharing == Sharing::Private;
    json!({
        "id": track.id,
        "kind": "track",
        "title": track.title,
        "permalinkPath": path(owner, &track.permalink),
        "policy": policy(access),
        "sharing": track.sharing,
        "durationMs": track.duration_ms,
        "playbackCount": track.playback_count,
        "likes_count": track.likes_count,
        "repostsCount": track.reposts_count,
        "comment_count": track.comments_count,
        "commentable": track.commentable,
        "description": filled(track.description.as_deref()),
        "genre": filled(track.genre.as_deref()),
        "tagList": filled(Some(&track.tag_list)),
        "artwork_url": filled(track.artwork_url.as_deref()),
        "createdAt": long_time(track.created_at),
        "secretToken": track.secret_token.as_deref().filter(|_| secret),
        "owner": owner.map(short_user),
        "viewer": marks(Mark { liked: track.liked, reposted: track.reposted }, viewer),
    })
}

pub(super) fn user(user: &Profile, relation: UserRelation, viewer: &Viewer) -> Value {
    let signed_in = viewer.user_id().is_some();
    json!({
        "id": user.id,
        "kind": "user",
        "username": user.username,
        "permalink": user.permalink,
        "avatarUrl": filled(user.avatar_url.as_deref()),
        "full_name": filled(Some(&user.full_name())),
        "city": filled(user.city.as_deref()),
        "countryName": filled(user.country.as_deref()),
        "description": filled(user.description.as_deref()),
        "followersCount": user.counts.followers,
        "followings_count": user.counts.followings,
        "trackCount": user.counts.public_tracks,
        "playlist_count": user.counts.public_playlists,
        "createdAt": long_time(user.created_at),
        "viewer": signed_in.then(|| json!({ "follows": relation.follows })),
    })
}

/// A playlist as somebody's like or repost of it, made at `millis` since 1970.
pub(super) fn activity(kind: &str, millis: i64, playlist: Value) -> Value {
    json!({ "kind": kind, "created_at": millis.div_euclid(1000), "playlist": playlist })
}

fn short_user(user: &Person) -> Value {
    json!({
        "id": user.id,
        "username": user.username,
        "permalink": user.permalink,
        "avatarUrl": filled(user.avatar_url.as_deref()),
    })
}

/// The viewer's own; null for nobody.
fn marks(mark: Mark, viewer: &Viewer) -> Value {
    viewer.user_id().map_or(Value::Null, |_| json!({ "liked": mark.liked, "reposted": mark.reposted }))
}

const fn policy(access: Access) -> &'static str {
    match access {
        Access::Playable => "ALLOW",
        Access::Preview => "SNIP",
        Access::Blocked => "BLOCK",
    }
}

fn filled(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.is_empty())
}

fn path(owner: Option<&Person>, rest: &str) -> Option<String> {
    owner.map(|owner| format!("/{}/{rest}", owner.permalink))
}

/// `Fri, 09 Jan 2015 23:00:00 GMT`.
fn long_time(time: Timestamp) -> String {
    time.as_jiff().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// Since 1970.
fn seconds(time: Timestamp) -> i64 {
    time.millis().div_euclid(1000)
}
