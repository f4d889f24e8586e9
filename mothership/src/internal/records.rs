//! Domain values as the internal API writes them: whole, every field, nothing left out for anyone. Times are RFC 3339.

use serde_json::{Value, json};

use crate::{
    domain::{
        Comment, Connection, Playlist, PlaylistRelation, Territory, Track, TrackRelation, User, UserRelation,
        WebProfile,
    },
    store::Event,
};

pub(super) fn user(user: &User) -> Value {
    json!({
        "id": user.id,
        "permalink": user.permalink,
        "username": user.username,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "city": user.city,
        "country": user.country,
        "description": user.description,
        "avatar_url": user.avatar_url,
        "website": user.website,
        "website_title": user.website_title,
        "discogs_name": user.discogs_name,
        "myspace_name": user.myspace_name,
        "plan": user.plan,
        "locale": user.locale,
        "role": user.role,
        "suspended": user.suspended,
        "primary_email_confirmed": user.primary_email_confirmed,
        "upload_seconds_used": user.upload_seconds_used,
        "created_at": user.created_at,
        "last_modified": user.last_modified,
        "counts": {
            "followers": user.counts.followers,
            "followings": user.counts.followings,
            "public_tracks": user.counts.public_tracks,
            "private_tracks": user.counts.private_tracks,
            "public_playlists": user.counts.public_playlists,
            "private_playlists": user.counts.private_playlists,
            "liked_tracks": user.counts.liked_tracks,
            "liked_playlists": user.counts.liked_playlists,
            "reposts": user.counts.reposts,
            "comments": user.counts.comments,
        },
    })
}

pub(super) fn track(track: &Track) -> Value {
    let blocked: Vec<Territory> = track.blocked_territories.iter().collect();
    json!({
        "id": track.id,
        "user_id": track.user_id,
        "permalink": track.permalink,
        "title": track.title,
        "description": track.description,
        "genre": track.genre,
        "tag_list": track.tag_list,
        "duration_ms": track.duration_ms,
        "bpm": track.bpm,
        "key_signature": track.key_signature,
        "isrc": track.isrc,
        "label_name": track.label_name,
        "license": track.license,
        "release": track.release,
        "release_at": track.release_at,
        "sharing": track.sharing,
        "secret_token": track.secret_token,
        "taken_down": track.taken_down,
        "policy": track.policy,
        "blocked_territories": blocked.iter().map(Territory::as_str).collect::<Vec<_>>(),
        "commentable": track.commentable,
        "downloadable": track.downloadable,
        "streamable": track.streamable,
        "embeddable_by": track.embeddable_by,
        "purchase_title": track.purchase_title,
        "purchase_url": track.purchase_url,
        "artwork_url": track.artwork_url,
        "playback_count": track.playback_count,
        "download_count": track.download_count,
        "likes_count": track.likes_count,
        "reposts_count": track.reposts_count,
        "comments_count": track.comments_count,
        "created_at": track.created_at,
        "last_modified": track.last_modified,
        "owner_suspended": track.owner_suspended,
    })
}

pub(super) fn playlist(playlist: &Playlist) -> Value {
    json!({
        "id": playlist.id,
        "user_id": playlist.user_id,
        "permalink": playlist.permalink,
        "title": playlist.title,
        "description": playlist.description,
        "genre": playlist.genre,
        "tag_list": playlist.tag_list,
        "kind": playlist.kind,
        "sharing": playlist.sharing,
        "secret_token": playlist.secret_token,
        "license": playlist.license,
        "release": playlist.release,
        "release_at": playlist.release_at,
        "ean": playlist.ean,
        "label_id": playlist.label_id,
        "label_name": playlist.label_name,
        "purchase_title": playlist.purchase_title,
        "purchase_url": playlist.purchase_url,
        "embeddable_by": playlist.embeddable_by,
        "artwork_url": playlist.artwork_url,
        "track_count": playlist.track_count,
        "duration_ms": playlist.duration_ms,
        "likes_count": playlist.likes_count,
        "reposts_count": playlist.reposts_count,
        "indexed_likes_count": playlist.indexed_likes_count,
        "revision": playlist.revision,
        "created_at": playlist.created_at,
        "last_modified": playlist.last_modified,
        "owner_suspended": playlist.owner_suspended,
    })
}

pub(super) fn comment(comment: &Comment) -> Value {
    json!({
        "id": comment.id,
        "track_id": comment.track_id,
        "user_id": comment.user_id,
        "body": comment.body,
        "position_ms": comment.position_ms,
        "created_at": comment.created_at,
    })
}

pub(super) fn web_profile(profile: &WebProfile) -> Value {
    json!({
        "id": profile.id,
        "user_id": profile.user_id,
        "service": profile.service,
        "title": profile.title,
        "url": profile.url,
        "username": profile.username,
        "created_at": profile.created_at,
    })
}

pub(super) fn connection(connection: &Connection) -> Value {
    json!({
        "id": connection.id,
        "user_id": connection.user_id,
        "service": connection.service,
        "display_name": connection.display_name,
        "post_publish": connection.post_publish,
        "post_favorite": connection.post_favorite,
        "created_at": connection.created_at,
    })
}

pub(super) fn event(event: &Event) -> Value {
    json!({
        "sequence": event.sequence,
        "at": event.at,
        "type": event.event_type,
        "actor_id": event.actor,
        "aggregate": { "kind": event.aggregate_kind, "id": event.aggregate_id },
        "payload": event.payload,
    })
}

pub(super) fn user_relation(relation: UserRelation) -> Value {
    json!({
        "follows": relation.follows,
        "followed_by": relation.followed_by,
        "blocks": relation.blocks,
        "blocked_by": relation.blocked_by,
    })
}

pub(super) fn track_relation(relation: TrackRelation) -> Value {
    json!({ "liked": relation.liked, "reposted": relation.reposted })
}

pub(super) fn playlist_relation(relation: PlaylistRelation) -> Value {
    json!({ "liked": relation.liked, "reposted": relation.reposted })
}
