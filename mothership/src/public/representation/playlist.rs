//! Playlists, as they are read and as writes answer with them.

use serde_json::{Value, json};

use crate::{
    domain::{Playlist, PlaylistKind, Sharing, Track},
    public::{
        caller::SITE,
        representation::{short_user, time, time::release, track},
        scene::Scene,
    },
    visibility::{Access, read_user},
};

/// `tracks` are those to be shown; without them there is no such key. `track_count` and `duration` are of all tracks,
/// `likes_count` is the search index's.
pub(crate) fn playlist(playlist: &Playlist, tracks: Option<&[(&Track, Access)]>, scene: &Scene<'_>) -> Value {
    let caller = scene.caller;
    let uri = caller.links.api(&format!("/playlists/{}", playlist.id));
    let owner = scene.user(playlist.user_id);
    let permalink = owner.map_or("", |owner| owner.permalink.as_str());
    let label = playlist.label_id.and_then(|id| scene.user(id));
    let label = label.filter(|label| read_user(label, &caller.viewer));
    let kind = if playlist.kind == PlaylistKind::Playlist { "" } else { playlist.kind.as_str() };
    let [release_year, release_month, release_day] = release(playlist.release_at);
    let mut written = json!({
        "kind": "playlist",
        "id": playlist.id,
        "title": playlist.title,
        "permalink": playlist.permalink,
        "permalink_url": format!("{SITE}/{permalink}/sets/{}", playlist.permalink),
        "uri": uri,
        "tracks_uri": format!("{uri}/tracks"),
        "user_id": playlist.user_id,
        "user": owner.map(|owner| short_user(owner, caller)),
        "description": playlist.description,
        "genre": playlist.genre.as_deref().unwrap_or_default(),
        "tag_list": playlist.tag_list,
        "tags": playlist.tag_list,
        "playlist_type": kind,
        "type": kind,
        "sharing": playlist.sharing,
        "license": playlist.license,
        "embeddable_by": playlist.embeddable_by,
        "artwork_url": playlist.artwork_url.as_deref().unwrap_or_default(),
        "purchase_title": playlist.purchase_title,
        "purchase_url": playlist.purchase_url,
        "ean": playlist.ean,
        "label": label.map(|label| short_user(label, caller)),
        "label_id": label.map(|label| label.id),
        "label_name": playlist.label_name,
        "release": playlist.release,
        "release_year": release_year,
        "release_month": release_month,
        "release_day": release_day,
        "created_at": time(playlist.created_at),
        "last_modified": time(playlist.last_modified),
        "duration": playlist.duration_ms,
        "track_count": playlist.track_count,
        "likes_count": playlist.indexed_likes_count,
        "streamable": playlist.track_count > 0,
        "downloadable": null,
    });
    let secret = playlist.sharing == Sharing::Private || !playlist.is_released(caller.viewer.now);
    if secret && caller.viewer.is(playlist.user_id) {
        written["secret_uri"] = json!(format!("{uri}?secret_token={}", playlist.secret_token));
    }
    if let Some(tracks) = tracks {
        written["tracks"] =
            tracks.iter().map(|(of_playlist, access)| track(of_playlist, *access, scene)).collect();
    }
    written
}

/// What writes have always answered with: the playlist before it had likes and labels, with tracks before access levels.
pub(crate) fn legacy_playlist(mut written: Value) -> Value {
    without(&mut written, &["likes_count", "label", "tags", "tracks_uri"]);
    if let Some(tracks) = written.get_mut("tracks").and_then(Value::as_array_mut) {
        for track in tracks {
            without(
                track,
                &["access", "reposts_count", "available_country_codes", "secret_uri", "download_url"],
            );
        }
    }
    written
}

fn without(written: &mut Value, keys: &[&str]) {
    if let Value::Object(fields) = written {
        fields.retain(|key, _| !keys.contains(&key.as_str()));
    }
}
