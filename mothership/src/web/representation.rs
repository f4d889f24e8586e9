//! How the dialect writes each thing: every key always, null where there is no value or an empty one; camelCase where
//! the site's second generation of scripts reads it and snake_case where the first does.

use serde_json::{Value, json};

use crate::{
    domain::{Comment, Playlist, Sharing, Timestamp, Track, User},
    web::{rules::Policing, view::View},
};

pub(super) fn playlist(playlist: &Playlist, view: &View<'_>) -> Value {
    let viewer = &view.caller.viewer;
    let relation = view.relations.playlist(playlist.id);
    let owner = view.user(playlist.user_id);
    let mine = viewer.is(playlist.user_id);
    json!({
        "id": playlist.id,
        "kind": "set",
        "setType": playlist.kind,
        "title": playlist.title,
        "permalink": playlist.permalink,
        "permalinkPath": path(owner, &format!("sets/{}", playlist.permalink)),
        "sharing": playlist.sharing,
        "durationMs": playlist.duration_ms,
        "track_count": playlist.track_count,
        "likesCount": playlist.likes_count,
        "reposts_count": playlist.reposts_count,
        "description": filled(playlist.description.as_deref()),
        "genre": filled(playlist.genre.as_deref()),
        "tagList": filled(Some(&playlist.tag_list)),
        "artwork_url": filled(playlist.artwork_url.as_deref()),
        "labelName": filled(playlist.label_name.as_deref()),
        "purchase_url": filled(playlist.purchase_url.as_deref()),
        "releaseDate": playlist.release_at.map(|at| at.as_jiff().strftime("%d.%m.%Y").to_string()),
        "createdAt": long_time(playlist.created_at),
        "last_modified": seconds(playlist.last_modified),
        "secretToken": mine.then_some(&playlist.secret_token),
        "owner": owner.map(short_user),
        "viewer": viewer.user_id().map(|_| json!({ "liked": relation.liked, "reposted": relation.reposted })),
    })
}

/// With its first tracks as a nested collection.
pub(super) fn whole_playlist(
    of: &Playlist,
    tracks: &[(&Track, Policing)],
    next_href: Option<String>,
    view: &View<'_>,
) -> Value {
    let mut written = playlist(of, view);
    let items: Vec<Value> = tracks.iter().map(|(it, policing)| track(it, *policing, view)).collect();
    written["tracks"] = json!({ "collection": items, "next_href": next_href });
    written
}

pub(super) fn stats(playlist: &Playlist) -> Value {
    json!({
        "playlistId": playlist.id,
        "likes": playlist.likes_count,
        "indexedLikes": playlist.indexed_likes_count,
        "reposts": playlist.reposts_count,
        "tracks": playlist.track_count,
        "durationMs": playlist.duration_ms,
    })
}

pub(super) fn track(track: &Track, policing: Policing, view: &View<'_>) -> Value {
    let viewer = &view.caller.viewer;
    let relation = view.relations.track(track.id);
    let owner = view.user(track.user_id);
    let secret = viewer.is(track.user_id) && track.sharing == Sharing::Private;
    json!({
        "id": track.id,
        "kind": "track",
        "title": track.title,
        "permalinkPath": path(owner, &track.permalink),
        "policy": policing.as_str(),
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
        "secretToken": secret.then_some(&track.secret_token),
        "owner": owner.map(short_user),
        "viewer": viewer.user_id().map(|_| json!({ "liked": relation.liked, "reposted": relation.reposted })),
    })
}

pub(super) fn short_user(user: &User) -> Value {
    json!({
        "id": user.id,
        "username": user.username,
        "permalink": user.permalink,
        "avatarUrl": filled(user.avatar_url.as_deref()),
    })
}

pub(super) fn user(user: &User, view: &View<'_>) -> Value {
    let relation = view.relations.user(user.id);
    let signed_in = view.caller.viewer.user_id().is_some();
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

pub(super) fn comment(comment: &Comment, view: &View<'_>) -> Value {
    json!({
        "id": comment.id,
        "trackId": comment.track_id,
        "body": comment.body,
        "timestampMs": comment.position_ms,
        "created_at": seconds(comment.created_at),
        "user": view.user(comment.user_id).map(short_user),
    })
}

/// A playlist as somebody's like or repost of it, made at `millis` since 1970.
pub(super) fn activity(kind: &str, millis: i64, playlist: Value) -> Value {
    json!({ "kind": kind, "created_at": millis.div_euclid(1000), "playlist": playlist })
}

fn filled(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.is_empty())
}

fn path(owner: Option<&User>, rest: &str) -> Option<String> {
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
