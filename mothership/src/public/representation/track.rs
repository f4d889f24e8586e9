//! Tracks.

use serde_json::{Value, json};

use crate::{
    domain::{Sharing, Track},
    public::{
        caller::SITE,
        representation::{short_user, time, time::release},
        scene::Scene,
    },
    visibility::Access,
};

/// `stream_url`, `download_url` and `user_favorite` are keys that may be missing: where there is no stream, no download
/// and nobody signed in.
pub(crate) fn track(track: &Track, access: Access, scene: &Scene<'_>) -> Value {
    let caller = scene.caller;
    let uri = caller.links.api(&format!("/tracks/{}", track.id));
    let owner = scene.user(track.user_id);
    let permalink = owner.map_or("", |owner| owner.permalink.as_str());
    let secret = caller.viewer.is(track.user_id) && track.sharing == Sharing::Private;
    let [release_year, release_month, release_day] = release(track.release_at);
    let mut written = json!({
        "kind": "track",
        "id": track.id,
        "created_at": time(track.created_at),
        "duration": track.duration_ms,
        "commentable": track.commentable,
        "comment_count": track.comments_count,
        "sharing": track.sharing,
        "tag_list": track.tag_list,
        "streamable": track.streamable,
        "embeddable_by": track.embeddable_by,
        "purchase_url": track.purchase_url,
        "purchase_title": track.purchase_title,
        "genre": track.genre,
        "title": track.title,
        "description": track.description,
        "label_name": track.label_name,
        "release": track.release,
        "key_signature": track.key_signature,
        "isrc": track.isrc,
        "bpm": track.bpm,
        "release_year": release_year,
        "release_month": release_month,
        "release_day": release_day,
        "license": track.license,
        "uri": uri,
        "user": owner.map(|owner| short_user(owner, caller)),
        "permalink_url": format!("{SITE}/{permalink}/{}", track.permalink),
        "artwork_url": track.artwork_url,
        "waveform_url": format!("{SITE}/waveforms/{}.png", track.id),
        "available_country_codes": null,
        "secret_uri": secret.then(|| format!("{uri}?secret_token={}", track.secret_token)),
        "playback_count": track.playback_count,
        "download_count": track.download_count,
        "favoritings_count": track.likes_count,
        "reposts_count": track.reposts_count,
        "downloadable": track.downloadable,
        "access": access.as_str(),
    });
    if track.streamable && access != Access::Blocked {
        written["stream_url"] = json!(format!("{uri}/stream"));
    }
    if track.downloadable && access == Access::Playable {
        written["download_url"] = json!(format!("{uri}/download"));
    }
    if caller.viewer.user_id().is_some() {
        written["user_favorite"] = json!(scene.relations.track(track.id).liked);
    }
    written
}

/// Where the audio is: of what may be heard only.
pub(crate) fn streams(track: &Track, access: Access) -> Value {
    let url = |format: &str| format!("{SITE}/media/{}/{format}", track.id);
    match access {
        _ if !track.streamable => json!({}),
        Access::Blocked => json!({}),
        Access::Preview => json!({ "preview_mp3_128_url": url("preview/mp3-128") }),
        Access::Playable => json!({
            "http_mp3_128_url": url("http/mp3-128"),
            "hls_mp3_128_url": url("hls/mp3-128"),
            "hls_opus_64_url": url("hls/opus-64"),
            "preview_mp3_128_url": url("preview/mp3-128"),
        }),
    }
}
