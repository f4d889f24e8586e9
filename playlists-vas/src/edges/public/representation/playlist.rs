//! Playlists, as they are read and as writes answer with them.

use serde_json::{Value, json};

use crate::{
    authorization::read_user,
    domain::{Playlist, PlaylistKind},
    edges::public::{
        caller::{Caller, SITE},
        representation::{
            short_user,
            time::{release, time},
            track,
        },
    },
    queries::Scene,
    regressions::Regression,
};

/// Without `with_tracks` there is no key `tracks`. `track_count` and `duration` are of all tracks,
/// `likes_count` is the search index's.
pub(crate) fn playlist(playlist: &Playlist, with_tracks: bool, scene: &Scene, caller: &Caller) -> Value {
    let uri = caller.links.api(&format!("/playlists/{}", playlist.id));
    let owner = scene.person(playlist.owner);
    let permalink = owner.map_or("", |owner| owner.permalink.as_str());
    let label = playlist.label.id.and_then(|id| scene.profile(id));
    let label = label.filter(|label| read_user(label, &caller.viewer));
    let kind = if playlist.kind == PlaylistKind::Playlist { "" } else { playlist.kind.as_str() };
    let [release_year, release_month, release_day] = release(playlist.release.at);
    let mut written = json!({
        "kind": "playlist",
        "id": playlist.id,
        "title": playlist.title,
        "permalink": playlist.permalink,
        "permalink_url": format!("{SITE}/{permalink}/sets/{}", playlist.permalink),
        "uri": uri,
        "tracks_uri": format!("{uri}/tracks"),
        "user_id": playlist.owner,
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
        "purchase_title": playlist.purchase.title,
        "purchase_url": playlist.purchase.url,
        "ean": playlist.release.ean,
        "label": label.map(|label| short_user(&label.person(), caller)),
        "label_id": label.map(|label| label.id),
        "label_name": playlist.label.name,
        "release": playlist.release.text,
        "release_year": release_year,
        "release_month": release_month,
        "release_day": release_day,
        "created_at": time(playlist.created_at),
        "last_modified": time(playlist.last_modified),
        "duration": playlist.counts.duration_ms,
        "track_count": playlist.counts.tracks,
        "likes_count": playlist.counts.indexed_likes,
        "streamable": playlist.counts.tracks > 0,
        "downloadable": null,
    });
    let on = |regression| caller.regressions.on(regression);
    if on(Regression::SecretToken) || playlist.is_closed(scene.now) && caller.viewer.is(playlist.owner) {
        written["secret_uri"] = json!(format!("{uri}?secret_token={}", playlist.secret.reveal()));
    }
    if with_tracks {
        written["tracks"] = Value::Array(track::tracks(playlist.id, scene, caller));
    }
    if on(Regression::ExactLikes) {
        written["likes_count"] = json!(playlist.counts.likes);
    }
    if on(Regression::NullGenre) && playlist.genre.is_none() {
        written["genre"] = Value::Null;
    }
    if on(Regression::TextNumber) {
        written["track_count"] = json!(playlist.counts.tracks.to_string());
    }
    if on(Regression::IsoDates) {
        written["created_at"] = json!(playlist.created_at);
        written["last_modified"] = json!(playlist.last_modified);
    }
    if on(Regression::EscapedTitle) {
        let title = playlist.title.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        written["title"] = json!(title.replace('"', "&quot;"));
    }
    if on(Regression::MissingNull)
        && let Value::Object(fields) = &mut written
    {
        fields.retain(|_, value| !value.is_null());
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
